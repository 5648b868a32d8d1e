"""The planner: which ranks to accept, which to reject, and how many answers that takes. No certificate depends on it.

A plan is a rung (ranks below it are accepted without being labelled) and a cut (ranks from it on are rejected without
being labelled); people label the middle between them. Its cost is the middle plus the draws that the two audits still
need. An audit whose urn truly has the share x of bad items, where the share q is allowed, gains KL(x, q) of evidence a
draw (the growth rate of the best bet, Kelly 1956), and needs ln(1/delta). Without replacement the number of draws is
measured by -ln(1 - drawn/size), which is exact for an urn without bad items.

True shares are not known. The shares that the scores predict (curve.py) are corrected by the draws: the tail of the
curve is scaled up or down, and missed yes are added, spread evenly over the rejected ranks, where a classifier misses
them.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thresher.evidence.curve import Curve
from thresher.evidence.martingale import accepts, log_evidence_beyond, whole
from thresher.evidence.noise import (
    Slips,
    detectable_among,
    false_beyond_labels,
    missed_beyond_labels,
    refuted_at_most,
    wrong_among,
)
from thresher.evidence.state import Code, Frozen, Promise
from thresher.evidence.urns import Known, Urn

Floats = NDArray[np.float64]
Holds = NDArray[np.bool_]

# weights found by simulation on the heads of tests/evidence; any values are valid, these need the fewest answers
DOUBT = 1.3  # before the first draw, this many times as many bad items are assumed as the scores predict
CAUTION = 0.2  # standard errors added to a drawn share: a cut with lucky draws is chosen more often than others
REJECT_WEIGHT = 6.0  # the corrected curve weighs as much as this many bad draws
ACCEPT_WEIGHT = 0.5
SCALE_WEIGHT = 4.0  # yes found in the tail that double the trust in a new scale
HIDDEN_SHARE = 0.05  # of the allowed missed yes, assumed to be spread evenly before anything is drawn
MARGIN = 0.97  # of the yes expected in the middle, counted on when planning
PENALTY = 0.15  # evidence that the prior costs
FIRST_SHARE = 0.6  # of a freeze's delta, about the share of the first rung's audit
SLIP_RUNGS = 5  # of a ladder, before it is known
HOPELESS = 0.97  # of the allowed share: beyond it no number of draws is enough


NO_SLIPS = Slips()


@dataclass(frozen=True, slots=True)
class Cut:
    """A plan: the rung and the cut, whether their audits hold, the bounds, and the answers still needed."""

    rung: int
    accepted: int
    rejected: int
    accept_holds: bool
    reject_holds: bool
    accept_bound: float
    reject_bound: float
    middle: int
    ahead: float

    @property
    def holds(self) -> bool:
        """Whether both audits hold, if the middle contains as many yes as expected."""
        return self.accept_holds and self.reject_holds


@dataclass(frozen=True, slots=True)
class Table:
    """Everything the planner knows: the frozen description, the two urns, and the labels so far.

    `slips` are the error rates of adjudication from gold, and `adjudicated` counts the labels that were adjudicated one
    by one. If `doubted`, `known` holds people's votes, which are not taken as true; `wordless` counts the yes among the
    adjudicated that may all be slips (adjudicated.py).
    """

    frozen: Frozen
    curve: Curve
    accept: Urn
    reject: Urn
    known: Known
    doubted: bool = False
    slips: Slips = NO_SLIPS
    adjudicated: int = 0
    wordless: int = 0


def spend(delta: float, epoch: int) -> float:
    """The part of delta that a freeze (epoch 0, 1, ...) may use; all freezes of a category together use at most delta.

    0.85 for the first and 0.15 * 2^-epoch after it: most certificates need one freeze, and giving it only half of delta
    would cost it a fifth more draws.
    """
    return delta * (0.85 if epoch == 0 else 0.15 * 2.0**-epoch)


def delta_of(frozen: Frozen) -> float:
    """The part of delta that a freeze's audits and bounds of slips share: all but that of the owner's check."""
    return spend(frozen.promise.delta, frozen.epoch) - frozen.check_delta


def may_be_false(promise: Promise, base: ArrayLike) -> Floats:
    """How many of `base` accepted images may be no such that the precision target is just met."""
    return np.asarray((1.0 - promise.precision) * np.asarray(base, np.float64))


def may_be_missed(promise: Promise, base: ArrayLike) -> Floats:
    """How many yes may be missed when `base` images are accepted and the target share of them is yes."""
    odds = (1.0 - promise.recall) / promise.recall
    return np.asarray(odds * promise.precision * np.asarray(base, np.float64))


def false_by_word(slips: Slips, bound: ArrayLike, labels: tuple[int, int]) -> Floats:
    """How many no the audit of an accepted set may detect, whose cut was chosen by labels that may be wrong.

    `labels` were counted as they are, and the second number of yes may all be wrong (adjudicated.py).
    """
    counted, wordless = labels
    wrong = wrong_among(counted, slips.no_as_yes, slips.part) + wordless
    return detectable_among(np.asarray(bound, np.float64) - wrong, slips.no_as_yes, slips.part)


def missed_by_word(slips: Slips, bound: ArrayLike, base: ArrayLike, promise: Promise) -> Floats:
    """How many yes the audit of the rejected may detect, where any yes may have been called no (adjudicated.py)."""
    return missed_beyond_labels(slips, bound, promise.precision * np.asarray(base, np.float64), promise.recall)


def divergence(share: ArrayLike, allowed: ArrayLike) -> Floats:
    """The Kullback-Leibler divergence of two Bernoulli distributions, in nats."""
    x = np.clip(np.asarray(share, np.float64), 1e-12, 1.0 - 1e-12)
    q = np.clip(np.asarray(allowed, np.float64), 1e-12, 1.0 - 1e-12)
    return np.asarray(x * np.log(x / q) + (1.0 - x) * np.log((1.0 - x) / (1.0 - q)))


def draws_ahead(
    size: ArrayLike, drawn: ArrayLike, share: ArrayLike, bound: ArrayLike, evidence: ArrayLike, delta: ArrayLike
) -> Floats:
    """The further draws after which `bound` is likely accepted if `share` of the urn is bad; inf if it never is."""
    urn, draws, bad = np.maximum(np.asarray(size, np.float64), 1.0), np.asarray(drawn, np.float64), np.asarray(share)
    allowed = np.clip(np.asarray(bound, np.float64) / urn, 0.0, 1.0 - 1e-9)
    start = np.maximum(np.asarray(evidence, np.float64), -3.0)
    gap = np.maximum(PENALTY - np.log(np.asarray(delta, np.float64)) - start, 0.05)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        clock = gap / (urn * divergence(bad, allowed)) - np.log1p(-np.minimum(draws / urn, 1.0 - 1e-12))
        ahead = np.maximum(-urn * np.expm1(-clock) - draws, 1.0)
    return np.where((bad < HOPELESS * allowed) & (draws < urn), ahead, np.inf)


def careful(bad: ArrayLike, drawn: ArrayLike, promised: ArrayLike, weight: float) -> Floats:
    """The share of bad items that the draws and the scores together suggest, estimated a little too high."""
    hits = np.asarray(bad, np.float64) + weight
    looks = np.asarray(drawn, np.float64) + weight / np.asarray(promised, np.float64)
    return np.asarray((hits + CAUTION * np.sqrt(hits)) / looks, np.float64)


def cheapest(table: Table) -> Cut:
    """The plan that needs the fewest further answers, over every rung of the ladder and every cut."""
    frozen, known = table.frozen, table.known
    rung = np.array([[step.rank] for step in frozen.ladder], np.int64)
    cut = _cuts(table)[None, :]
    base = _base(table, rung, cut)
    middle = np.where(cut >= rung, cut - rung - known.between(rung, cut), np.inf)
    accept_bound, reject_bound = _bounds(table, rung, cut, base)
    accept_holds, accept_draws = _accept(table, rung, accept_bound)
    reject_holds, reject_draws = _reject(table, rung, cut, reject_bound)
    cost = middle + accept_draws + reject_draws
    row, column = np.unravel_index(int(np.argmin(cost)), cost.shape)
    middle_left = middle[row, column]
    return Cut(
        rung=int(row),
        accepted=int(rung[row, 0]),
        rejected=int(cut[0, column]),
        accept_holds=bool(accept_holds[row, column]),
        reject_holds=bool(reject_holds[row, column]),
        accept_bound=float(accept_bound[row, column]),
        reject_bound=float(reject_bound[row, column]),
        middle=int(middle_left) if math.isfinite(middle_left) else 0,
        ahead=float(cost[row, column]),
    )


def _bounds(table: Table, rung: NDArray[np.int64], cut: NDArray[np.int64], base: Floats) -> tuple[Floats, Floats]:
    """How many no the accepted ranks' audit may detect, and how many yes that of the rejected ones."""
    frozen, slips = table.frozen, table.slips
    lost = frozen.known_unanswerable + table.known.between(rung, frozen.reject_from, Code.UNANSWERABLE)
    false, missed = may_be_false(frozen.promise, base), may_be_missed(frozen.promise, base) - lost
    if not slips.part:
        return false, missed
    if table.doubted:
        labels = (table.adjudicated, table.wordless)
        return false_by_word(slips, false, labels), missed_by_word(slips, missed, base, frozen.promise)
    recall = frozen.promise.recall
    labels = table.adjudicated + np.maximum(cut - rung, 0)
    refuted, _ = refuted_at_most(table.accept.bad_below(rung))
    yes = base - np.minimum(rung, frozen.reject_from)
    accept = false_beyond_labels(slips, false, labels, len(frozen.ladder))
    return accept, missed_beyond_labels(slips, missed - refuted / recall, yes, recall)


def _cuts(table: Table) -> NDArray[np.int64]:
    """The cuts that are considered: the curve's grid, the rungs, and the rank just past every yes that was drawn."""
    frozen = table.frozen
    rungs = [step.rank for step in frozen.ladder]
    past = table.reject.bad[table.reject.bad < frozen.ranks] + 1
    last = frozen.ranks - frozen.said_no
    cuts = np.unique(np.concatenate([table.curve.ranks.astype(np.int64), rungs, past, [last]]))
    return np.asarray(cuts[(cuts >= frozen.reject_from) & (cuts <= last)], np.int64)


def _base(table: Table, rung: NDArray[np.int64], cut: NDArray[np.int64]) -> Floats:
    """Known yes, accepted ranks and the yes of the middle: counted where the middle is labelled, expected elsewhere."""
    known = table.known
    yes = known.between(rung, cut, Code.YES)
    seen = known.between(rung, cut)
    unseen = np.maximum(cut - rung, 0) - seen
    promised = (table.curve.before(cut) - table.curve.before(rung)) / np.maximum(cut - rung, 1)
    promised = np.clip(promised, 1e-9, 1.0)
    weight = 3.0 / np.maximum(promised, 0.02)  # three yes, or at most a hundred and fifty draws
    share = np.minimum((yes + weight * promised) / (seen + weight), 1.0)
    return np.asarray(table.frozen.known_yes + rung + yes + MARGIN * share * unseen, np.float64)


def _accept(table: Table, rung: NDArray[np.int64], bound: Floats) -> tuple[Holds, Floats]:
    """Whether the accepted ranks' audit holds at each rung, and the draws it still needs."""
    urn = table.accept
    delta = np.array([[step.accept_delta or 1e-300] for step in table.frozen.ladder])
    bad = urn.bad_below(rung)
    size = max(urn.size, 1)
    evidence = log_evidence_beyond(size, urn.drawn, bad, bound, urn.prior)
    holds = (rung <= whole(bound)) | accepts(evidence, bound, delta)
    promised = np.clip(rung - table.curve.before(rung), 0.03 * bound, 0.6 * bound) / size
    share = careful(bad, urn.drawn, np.maximum(promised, 1e-12), ACCEPT_WEIGHT)
    draws = draws_ahead(size, urn.drawn, share, bound, evidence, delta)
    return holds, np.where(holds, 0.0, draws)


def _reject(table: Table, rung: NDArray[np.int64], cut: NDArray[np.int64], bound: Floats) -> tuple[Holds, Floats]:
    """Whether the audit of the rejected ranks holds at each rung and cut, and the answers it still needs.

    Draws that fall into the middle cost nothing, as people label it anyway; draws among the accepted ranks are wasted.
    """
    frozen, known, urn = table.frozen, table.known, table.reject
    delta = np.array([[step.reject_delta] for step in frozen.ladder])
    if table.slips.part and not table.doubted:
        delta = np.maximum(delta * refuted_at_most(table.accept.bad_below(rung))[1], 1e-300)
    missed = urn.bad_from(cut)
    unseen = frozen.ranks - cut - known.between(cut, frozen.ranks)
    most_missed = unseen + known.between(cut, frozen.ranks, Code.YES)
    most_missed = most_missed + known.between(frozen.reject_from, frozen.ranks, Code.UNANSWERABLE)
    size = max(urn.size, 1)
    evidence = log_evidence_beyond(size, urn.drawn, missed, bound, urn.prior)
    counted = (most_missed <= whole(bound)) & (not table.doubted)
    holds = counted | accepts(evidence, bound, delta)
    promised = np.maximum(_missed_yes(table, cut, bound) / size, 1e-12)
    share = careful(missed, urn.drawn, promised, REJECT_WEIGHT)
    draws = draws_ahead(size, urn.drawn, share, bound, evidence, delta)
    paid = np.maximum(frozen.ranks - cut + np.maximum(rung - frozen.reject_from, 0), 1e-9) / size
    return holds, np.where(holds, 0.0, draws * paid)


def _missed_yes(table: Table, cut: NDArray[np.int64], bound: Floats) -> Floats:
    """The yes expected beyond each cut: the curve's tail, scaled, plus yes spread evenly; both fitted to the draws.

    Expectation and maximisation for a Poisson mixture of two intensities with gamma priors.
    """
    frozen, curve, urn = table.frozen, table.curve, table.reject
    size = max(urn.size, 1)
    tail = curve.total - float(curve.before(frozen.reject_from))
    looked = urn.drawn / size
    found = urn.bad[urn.bad < frozen.ranks]
    promised = curve.share_near(found)
    spread_prior = 0.5 / max(HIDDEN_SHARE * float(np.median(bound)), 1e-9)
    scale, spread = 1.0, 0.5 / spread_prior
    for _ in range(12):
        ours = scale * promised / (scale * promised + spread / size)
        scale = (SCALE_WEIGHT + float(ours.sum())) / (SCALE_WEIGHT + looked * tail)
        spread = (0.5 + float((1.0 - ours).sum())) / (spread_prior + looked)
    return np.asarray(scale * (curve.total - curve.before(cut)) + spread * (frozen.ranks - cut) / size, np.float64)


@dataclass(frozen=True, slots=True)
class Sketch:
    """A plan from the scores alone: accept ranks below `accepted`, reject those from `rejected` on, answers needed."""

    accepted: int
    rejected: int
    ahead: float


@dataclass(frozen=True, slots=True)
class _Sketched:
    """The input of a sketch but for the curve."""

    known_yes: int
    promise: Promise
    delta: float
    slips: Slips
    adjudicated: int


def sketch(
    curve: Curve,
    known_yes: int,
    promise: Promise,
    *,
    delta: float,
    slips: Slips = NO_SLIPS,
    adjudicated: int = 0,
) -> Sketch:
    """The cheapest plan before anything is drawn, assuming `DOUBT` times as many bad items as the scores predict.

    Searched on a thinned grid first, then on all grid ranks around the best plan. With `slips`, the labels of the
    middle and those `adjudicated` before may be wrong (certify.py).
    """
    about = _Sketched(known_yes, promise, delta, slips, adjudicated)
    places = np.arange(len(curve.ranks))
    thin = np.unique(np.concatenate([places[:: max(len(places) // 120, 1)], places[-1:]]))
    row, column = _sketched(curve, thin, thin, about)[:2]
    step = max(len(places) // 120, 1)
    rungs, cuts = (places[max(best - step, 0) : best + step + 1] for best in (row, column))
    row, column, ahead = _sketched(curve, rungs, cuts, about)
    return Sketch(int(curve.ranks[row]), int(curve.ranks[column]), ahead)


def _sketched(
    curve: Curve, rungs: NDArray[np.intp], cuts: NDArray[np.intp], about: _Sketched
) -> tuple[int, int, float]:
    """The best rung and cut among places of the grid, and the answers they need."""
    known_yes, promise, delta = about.known_yes, about.promise, about.delta
    rung, rung_yes = curve.ranks[rungs][:, None], curve.yes[rungs][:, None]
    cut, cut_yes = curve.ranks[cuts][None, :], curve.yes[cuts][None, :]
    ranks, total = curve.ranks[-1], curve.total
    base = known_yes + rung + np.maximum(cut_yes - rung_yes, 0.0)
    false = (DOUBT * (rung - rung_yes) + 0.2) / np.maximum(rung, 1.0)
    accept_bound, reject_bound = may_be_false(promise, base), 0.98 * may_be_missed(promise, base)
    if about.slips.part:
        labels = about.adjudicated + np.maximum(cut - rung, 0.0)
        accept_bound = false_beyond_labels(about.slips, accept_bound, labels, SLIP_RUNGS)
        refuted = float(refuted_at_most(0)[0]) / promise.recall
        reject_bound = missed_beyond_labels(about.slips, reject_bound - refuted, base - 0.7 * rung, promise.recall)
    false = false + about.slips.likely[0]  # slips are bad draws too
    accept = draws_ahead(rung, 0, false, accept_bound, 0.0, delta * FIRST_SHARE)
    size = np.maximum(ranks - rung, 1.0)
    hidden = 0.02 * (1.0 - promise.recall) * (known_yes + max(total, 3.0))
    missed = (DOUBT * (total - cut_yes) + hidden) / size + about.slips.likely[1]
    reject = draws_ahead(size, 0, missed, reject_bound, 0.0, delta) * np.maximum(ranks - cut, 1e-9) / size
    cost = np.where(rung <= accept_bound, 0.0, accept) + np.where(ranks - cut <= reject_bound, 0.0, reject)
    cost = np.where(rung <= cut, cut - rung + cost, np.inf)
    row, column = np.unravel_index(int(np.argmin(cost)), cost.shape)
    return int(rungs[row]), int(cuts[column]), float(cost[row, column])


def scouts(plan: Sketch, ranks: int, count: int = 12) -> NDArray[np.int64]:
    """The ranks for exploratory asks (scouts): those whose labels would improve the plan most for their cost.

    Spread evenly over the planned middle; if there is hardly a middle, geometrically around the end of the accepted
    part, because a few labels at random may put that end far from its best place.
    """
    if plan.rejected - plan.accepted >= 5 * count:
        return np.unique(np.linspace(plan.accepted, plan.rejected - 1, count).astype(np.int64))
    if not plan.accepted:
        return np.zeros(0, np.int64)
    around = np.geomspace(max(plan.accepted / 2, 1.0), plan.accepted * 2.0, count).astype(np.int64)
    return np.unique(around[around < ranks])
