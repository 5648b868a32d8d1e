"""Precision alone: the largest set that is certified precise and that a budget of answers buys.

The ladder's rungs h and their bounds (1-p)(known yes + h) are fixed before the first draw, so "more than (1-p)(known
yes + h) of the ranks below h are no" is a fixed suspicion for each rung. Known are the yes that people found before the
freeze, and those among the first ranks beyond the top rung, which are looked at one by one before the first draw where
that pays: each yes there is delivered, and widens what every rung may hold. One keyed random order of all ranks below
the top rung is drawn; those of its draws that fall below h are a uniform sample of the ranks below h, in order, and
carry the evidence of rung h (martingale.py).

Theorem. In each chain of rungs, taken upwards, let the largest rung be delivered such that it and all rungs of its
chain below it were accepted at some moment. It is delivered falsely with probability at most the chain's delta,
whatever decides what is drawn and when to stop.

Proof. Let h* be the first rung of the chain whose suspicion is true. To deliver h* or a rung above it, h* must have
been accepted, which has probability delta at most (Ville). A rung h below h* has at most (1-p)(known yes + h) no; with
e of them found and taken out, at most (1-p)(known yes + h) - e <= (1-p)(known yes + h - e) are left in a set of known
yes + h - e. No union over rungs, no monotony is needed. []

Two chains share delta: the main one from a little below the plan upwards, and a spare one below it, for a head that is
worse than it says. Draws at ranks beyond the rung that is aimed at are passed over, and asked for when the aim rises:
a rung's evidence counts its own draws in their order, and those are the same.

When the budget ends before the draws that were asked for are answered, each rung is judged by its own first draws, as
far as each of them has a label: any such beginning is a moment at which the rung might have been accepted. The rung is
delivered that was accepted, with all below it, by draws that lie within that beginning of its own.

What the aim leaves of the budget is spent on further ranks beyond the delivered rung, one by one, the likeliest first:
the yes found there are delivered too, and change nothing above.

Recall is not promised. What the budget sets aside for it is drawn from the ranks beyond the delivered rung, afterwards,
and bounds what was missed at a delta of its own. The set is logged before these draws: if a correction of labels makes
it another one, nothing is drawn for that, or else its owner could choose the set that was drawn luckily.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thresher.evidence.curve import Curve
from thresher.evidence.draws import Permutation
from thresher.evidence.martingale import (
    accepts,
    at_most,
    draws_if_clean,
    log_evidence_beyond,
    prior_for,
    whole,
)
from thresher.evidence.noise import false_bound, slips_of
from thresher.evidence.plan import DOUBT, careful, delta_of, draws_ahead, may_be_false
from thresher.evidence.state import (
    Answers,
    Asking,
    Begun,
    Certified,
    Code,
    Codes,
    Frozen,
    Procedure,
    Ranks,
    Refused,
    Rung,
    Want,
)
from thresher.evidence.terms import Fixed, Given
from thresher.evidence.urns import Known, Urn
from thresher.records import Purpose

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SPARE = 0.1  # of delta, for the spare chain
START = 0.75  # of the planned rung, where the main chain begins: no rung counts before those below it are accepted
SPARE_START = 0.2
TOP = 1.8  # times the planned rung; the ranks that are labelled first begin where the ladder ends
TOP_BEFORE_LOOKS = 1.15
LOOKS_PAY = 1.1  # label ranks first only if the expected set gets this much larger
LOOKS_STEPS = 41
GROWTH = 1.02  # from rung to rung
SPARE_GROWTH = 1.15
WEIGHT = 3.0  # the scores' prediction weighs as much as this many bad draws


def fix_precision(given: Given) -> Fixed:
    """The two chains of rungs around the largest set that the budget should prove; recall is not a target."""
    curve, ranks, delta = given.curve, given.ranks, given.delta
    planned, looks = _planned(given)
    top = planned * (TOP_BEFORE_LOOKS if looks else TOP)
    rungs = [Rung(rank, (1.0 - SPARE) * delta, delta) for rank in _steps(START * planned, top, GROWTH, ranks)]
    first = rungs[0].rank if rungs else 0
    spare = [rank for rank in _steps(SPARE_START * planned, first, SPARE_GROWTH, ranks) if rank < first]
    allowed = float(may_be_false(given.promise, given.pool.known_yes + planned)) / max(planned, 1)
    missed = 4.0 * (curve.total - float(curve.before(planned))) / max(ranks - planned, 1)
    return Fixed(
        ladder=tuple(
            sorted((*rungs, *(Rung(rank, SPARE * delta, delta) for rank in spare)), key=lambda rung: -rung.rank)
        ),
        reject_from=0,
        accept_prior=prior_for(min(allowed, 1.0)),
        reject_prior=prior_for(min(missed, 1.0)),
        looks=min(looks, ranks - rungs[-1].rank) if rungs else 0,
    )


def _planned(given: Given) -> tuple[int, int]:
    """The rank to certify, and how many ranks beyond it to label first, for the largest set that the budget allows.

    Falls back to the nearest rank if none can be certified. Answers that the audit leaves are spent on the ranks beyond
    it, one by one; the part of them that is spent first raises the bound of the rank.
    """
    curve, promise, known_yes = given.curve, given.promise, given.pool.known_yes
    answers = given.means.answers - given.means.recall_answers
    may_look = given.means.gold is None
    first = np.linspace(0, answers, LOOKS_STEPS)[:, None].round() if may_look else np.zeros((1, 1))
    rung = np.maximum(curve.ranks, 1.0)
    false = np.minimum((DOUBT * (curve.ranks - curve.yes) + 0.2) / rung, 1.0)
    bound = may_be_false(promise, known_yes + _found(curve, rung, first) + curve.ranks)
    need = draws_ahead(rung, 0, false, bound, 0.0, (1.0 - SPARE) * given.delta)
    need = np.where(curve.ranks <= bound, 0.0, need)
    left = answers - first - need
    size = np.where(left >= 0.0, curve.ranks + _found(curve, rung, first + np.maximum(left, 0.0)), -1.0)
    if size.max() < 0.0:
        return int(curve.ranks[int(np.argmin(need[0]))]), 0
    looks, place = np.unravel_index(int(np.argmax(size)), size.shape)
    if size[looks, place] < LOOKS_PAY * size[0].max():
        return int(curve.ranks[int(np.argmax(size[0]))]), 0
    return int(curve.ranks[place]), int(first[looks, 0])


def _found(curve: Curve, rung: Floats, answers: Floats) -> Floats:
    """The expected number of yes when so many ranks from a rung on are labelled."""
    return np.asarray(curve.before(np.minimum(rung + answers, curve.ranks[-1])) - curve.before(rung), np.float64)


def _steps(low: float, high: float, growth: float, ranks: int) -> list[int]:
    """Whole ranks from `low` to `high` in geometric steps, none beyond the last."""
    steps = int(np.log(max(high, 1.0) / max(low, 1.0)) / np.log(growth)) + 1
    places = {min(round(max(low, 1.0) * growth**step), ranks) for step in range(steps + 1)}
    return sorted(place for place in places if 0 < place <= max(high, 1.0) * growth)


@dataclass(slots=True)
class _Chain:
    """Rungs in ascending order with their bounds, and which of them were accepted at some moment."""

    rungs: Floats
    bounds: Floats
    delta: float
    ever: Bools

    @property
    def passed(self) -> int:
        """How many rungs, counted from the lowest, were all accepted."""
        return int(np.logical_and.accumulate(self.ever).sum()) if len(self.ever) else 0


class _Sample:
    """The random order of the ranks below the top rung, as far as it is drawn, and the labels of the draws."""

    def __init__(self, frozen: Frozen) -> None:
        self.frozen = frozen
        self.known = Known()
        self._order = Permutation(frozen.seed, "accept", 0, frozen.ladder[0].rank if frozen.ladder else 0)
        self._drawn = 0
        self.short = False  # draws stayed without a label, because the budget is spent

    @property
    def ranks(self) -> Ranks:
        """The ranks drawn so far, in order, those passed over included."""
        return self._order.upto(self._drawn)

    def next_below(self, rung: int, count: int, left: int) -> Ranks:
        """Draw until `count` more draws are below `rung`; the ranks below it that need a label, at most `left`."""
        passed_over = int((~self._labelled() & (self.ranks < rung)).sum())
        reached = int((self.ranks < rung).sum()) + min(count, left - passed_over)
        while self._drawn < self._order.size and (short := reached - int((self.ranks < rung).sum())) > 0:
            self._drawn = min(self._drawn + short, self._order.size)  # at most all of these fall below the rung
        return self.ranks[~self._labelled() & (self.ranks < rung)]

    def after(self, rung: int, count: int) -> Ranks:
        """The next `count` draws below `rung`, as far as they come soon: they may be asked for in advance."""
        soon = self._order.between(self._drawn, min(self._drawn + 2 * max(count, 0), self._order.size))
        return soon[soon < rung][: max(count, 0)]

    def _labelled(self) -> Bools:
        return np.isin(self.ranks, self.known.ranks())

    def take(self, ranks: Ranks, codes: Codes) -> None:
        """Take the labels of the first of these ranks; they are fewer when the budget is spent."""
        self.known.take(ranks[: len(codes)], codes)
        self.short = len(codes) < len(ranks)

    def tally(self, rungs: Floats) -> tuple[Floats, Floats, Bools]:
        """For each rung the draws below it, the bad ones, and whether all of them have a label.

        If the budget is spent, only the first draws below a rung count, as far as each of them has a label.
        """
        drawn, labelled = self.ranks, self._labelled()
        bad = labelled & ~np.isin(drawn, self.known.ranks(Code.YES))
        below = drawn[:, None] < rungs[None, :]
        if self.short:
            below &= ~np.logical_or.accumulate(below & ~labelled[:, None], axis=0)
        hits = (below & bad[:, None]).sum(axis=0)
        complete = np.asarray(~(below & ~labelled[:, None]).any(axis=0))
        return below.sum(axis=0).astype(np.float64), hits.astype(np.float64), complete


def certify_precision(frozen: Frozen) -> Procedure:
    """Aim at the largest rung within the budget, draw below it, and repeat; then bound the number of missed yes."""
    sample = _Sample(frozen)
    main, spare = _chains(frozen, (yield from _look_first(frozen, sample)))
    while (left := frozen.answers - frozen.recall_answers - len(sample.known)) > 0:
        aim = _aim(sample, main, left) or (None if main.passed else _aim(sample, spare, left))
        if aim is None:
            break
        rung, count, ahead = aim
        ranks = sample.next_below(rung, count, left)
        if not len(ranks):
            break
        further = sample.after(rung, min(ahead, left) - len(ranks))
        want = Want(Purpose.AUDIT_PRECISION, ranks, first_draw=len(sample.known), partial=True, further=further)
        (codes,) = yield (want,), ahead
        sample.take(ranks, codes)
        for chain in (main, spare):
            _judge(sample, chain)
        if sample.short:
            break
    chain = main if main.passed else spare
    passed = _proven_at_the_end(sample, chain) if sample.short else chain.passed
    if not passed:
        return _refused(frozen, sample)
    accepted = int(chain.rungs[passed - 1])
    yield from _look_beyond(frozen, sample, accepted)
    return (yield from _bounded(frozen, sample, chain, passed))


def _look_first(frozen: Frozen, sample: _Sample) -> Generator[Asking, Answers, int]:
    """Ask for labels of the ranks right beyond the top rung, before the first draw; the number of yes found."""
    if not frozen.looks:
        return 0
    top = frozen.ladder[0].rank
    ranks = np.arange(top, top + frozen.looks, dtype=np.int64)
    (codes,) = yield (Want(Purpose.MIDDLE, ranks),), frozen.answers
    sample.known.take(ranks, codes)
    return int((codes == Code.YES).sum())


def _chains(frozen: Frozen, found: int) -> tuple[_Chain, _Chain]:
    """The main chain and the spare one, told apart by their deltas; `found` yes are known beyond the top rung."""
    slips = slips_of(frozen.gold, delta_of(frozen))
    largest = max((rung.accept_delta for rung in frozen.ladder), default=0.0)
    chains = []
    for kept in (True, False):
        mine = sorted(rung.rank for rung in frozen.ladder if (rung.accept_delta == largest) is kept)
        delta = min((rung.accept_delta for rung in frozen.ladder if rung.rank in mine), default=1e-300)
        bounds = [
            float(false_bound(slips, may_be_false(frozen.promise, frozen.known_yes + found + rank), frozen.adjudicated))
            for rank in mine
        ]
        chains.append(_Chain(np.array(mine, float), np.array(bounds, float), delta, np.zeros(len(mine), np.bool_)))
    return chains[0], chains[1]


def _judge(sample: _Sample, chain: _Chain) -> None:
    """Mark the rungs that are accepted now."""
    drawn, bad, whole_sample = sample.tally(chain.rungs)
    evidence = log_evidence_beyond(chain.rungs, drawn, bad, chain.bounds, sample.frozen.accept_prior)
    holds = (chain.rungs <= whole(chain.bounds)) | accepts(evidence, chain.bounds, chain.delta)
    chain.ever |= holds & whole_sample


def _proven_at_the_end(sample: _Sample, chain: _Chain) -> int:
    """How many rungs are delivered when the budget ends: as many as are proven within the first draws of the last.

    A lower rung may have more draws of its own, asked for while it was aimed at; only those count that lie within the
    labelled beginning of the random order of the rung that is delivered.
    """
    drawn, labelled, prior = sample.ranks, np.isin(sample.ranks, sample.known.ranks()), sample.frozen.accept_prior
    bad = ~np.isin(drawn, sample.known.ranks(Code.YES))
    ends, needed = [], []  # how far each rung's draws are labelled, and how far they must be to accept it
    for rung, bound in zip(chain.rungs[: chain.passed], chain.bounds, strict=False):
        ends.append(int(np.flatnonzero((drawn < rung) & ~labelled).min(initial=len(drawn))))
        mine = np.flatnonzero(drawn[: ends[-1]] < rung)
        after, hits = np.arange(len(mine) + 1), np.concatenate([[0], np.cumsum(bad[mine])])
        holds = at_most(rung, after, hits, bound, prior, chain.delta)
        needed.append(int(np.concatenate([[0], mine + 1])[holds].min(initial=len(drawn) + 1)))
    kept = np.flatnonzero(np.maximum.accumulate(np.array(needed, np.int64)) <= np.array(ends, np.int64))
    return int(kept[-1]) + 1 if len(kept) else 0


def _aim(sample: _Sample, chain: _Chain, left: int) -> tuple[int, int, int] | None:
    """The largest rung that the budget should reach, the draws to take next, and the draws it needs in all."""
    start = chain.passed
    rungs, bounds = chain.rungs[start:], chain.bounds[start:]
    if not len(rungs):
        return None
    frozen = sample.frozen
    drawn, bad, _ = sample.tally(rungs)
    curve = Curve(frozen.curve)
    promised = np.clip(rungs - curve.before(rungs), 0.03 * bounds, rungs) / rungs
    share = careful(bad, drawn, np.maximum(promised, 1e-12), WEIGHT)
    evidence = log_evidence_beyond(rungs, drawn, bad, bounds, frozen.accept_prior)
    ahead = draws_ahead(rungs, drawn, np.minimum(share, 1.0), bounds, evidence, chain.delta)
    ahead = np.where(rungs <= whole(bounds), 0.0, ahead)
    # draws below a rung are spread over all of it: the densest sample that a rung on the way needs is needed everywhere
    density = np.maximum.accumulate((drawn + ahead) / rungs)
    labelled = sample.known.between(0, rungs)
    need = density * rungs - labelled
    reachable = np.flatnonzero(need <= left)
    passed = float(chain.rungs[chain.passed - 1]) if chain.passed else 0.0
    sizes = rungs[reachable] + _found(curve, rungs[reachable], left - need[reachable])
    stop = passed + float(_found(curve, np.array([passed]), np.array([float(left)]))[0]) if chain.passed else 0.0
    if not len(reachable) or sizes.max() <= stop:
        return None
    aim = int(reachable[int(np.argmax(sizes))])
    clean = draws_if_clean(
        int(rungs[0]), int(drawn[0]), int(bad[0]), max(bounds[0], 0.0), frozen.accept_prior, chain.delta
    )
    count = max(round(clean * rungs[aim] / rungs[0]), frozen.batch)
    return int(rungs[aim]), count, round(float(density[aim] * rungs[aim] - labelled[aim]))


def _look_beyond(frozen: Frozen, sample: _Sample, accepted: int) -> Generator[Asking, Answers, None]:
    """Spend the rest of the budget on ranks beyond the delivered rung, likeliest yes first; each yes found is added.

    Not done if adjudication errs, because some of the yes it finds would be no.
    """
    left = frozen.answers - frozen.recall_answers - len(sample.known)
    ranks = sample.known.unknown(accepted, frozen.ranks)[: max(left, 0)]
    if len(ranks) and frozen.gold is None:
        (codes,) = yield (Want(Purpose.MIDDLE, ranks, partial=True),), len(ranks)
        sample.known.take(ranks[: len(codes)], codes)


def _bounded(frozen: Frozen, sample: _Sample, chain: _Chain, passed: int) -> Procedure:
    """Spend the answers reserved for recall on ranks beyond the delivered rung, and make the certificate."""
    known, promise, accepted = sample.known, frozen.promise, int(chain.rungs[passed - 1])
    urn = Urn(frozen.seed, "reject", accepted, frozen.ranks - accepted, frozen.reject_prior)
    looks = min(frozen.recall_answers, urn.size)
    unanswerable = 0
    if looks:
        begun = Begun(0, accepted, np.arange(accepted, dtype=np.int64))
        (another,) = yield (Want(Purpose.AUDIT_RECALL, begun.ranks[:0], begins=begun),), looks
        looks = 0 if len(another) else looks  # this sample was drawn for another set, before a correction
    if looks:
        ranks = urn.next(looks)
        (codes,) = yield (Want(Purpose.AUDIT_RECALL, ranks, first_draw=0, partial=True),), looks
        ranks = ranks[: len(codes)]
        known.take(ranks, codes)
        urn.take(len(codes), ranks[codes != Code.NO])
        unanswerable = int((codes == Code.UNANSWERABLE).sum())
    delta = frozen.ladder[0].reject_delta
    # if adjudication errs, a single yes proves nothing: then those found beyond stay outside
    found = int(known.between(accepted, frozen.ranks, Code.YES)) if frozen.gold is None else 0
    removed = int(known.between(0, accepted) - known.between(0, accepted, Code.YES))
    delivered = frozen.known_yes + accepted - removed + found
    drawn, bad, _ = sample.tally(np.array([accepted], float))
    return Certified(
        precision=promise.precision,
        recall=None,
        delta=promise.delta,
        accepted=accepted,
        rejected=frozen.ranks,
        delivered=delivered,
        asked=len(known),
        counts={
            "accept_drawn": int(drawn[0]),
            "accept_bad": int(bad[0]),
            "accept_bound": float(chain.bounds[passed - 1]),
            "accept_delta": chain.delta,
            "reject_drawn": urn.drawn,
            "reject_bad": len(urn.bad),
            "reject_unanswerable": unanswerable,
            "reject_delta": delta,
        },
    )


def _refused(frozen: Frozen, sample: _Sample) -> Refused:
    looked = len(sample.known)
    false = looked - len(sample.known.ranks(Code.YES))
    return Refused(
        why=f"{frozen.answers} answers prove no set: {false} of {looked} images drawn from the top ranks were no",
        take="more answers, better scores, or a lower precision target",
        asked=looked,
    )
