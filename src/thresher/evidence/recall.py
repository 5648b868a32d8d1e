"""Recall alone: the smallest set that is certified to hold the promised part of all yes, for a budget of answers.

A rung h is fixed before the first draw, where the scores promise mostly yes below it. Two urns: the ranks below h, in
which a no is bad, and the ranks from h on, in which a yes is bad for every cut up to it. Let E_u be the upper bound of
the no below h (at accept_delta), u the images known to be unanswerable. The set of all ranks below a cut l >= h, with
the known yes, is delivered when the second urn accepts, at reject_delta,

    F(l) <= (1-r)/r (known yes + h - E_u) - u.

Theorem. Whatever decides what is drawn, when to stop and which cut to take, the set misses the promised recall with
probability at most accept_delta + reject_delta.

Proof. But for accept_delta, E(h) <= E_u, so known yes + h - E_u <= T(h), the yes below h and the known ones. Let l1 be
the largest cut with F(l1) + u > (1-r) P; it is fixed. Accepting any l <= l1 accepts l1 (its bad draws are among those
of l) with a bound <= (1-r)/r T(h) - u <= (1-r)/r T(l1) - u < F(l1): the ratio at F(l1) has reached 1/reject_delta. []

When the budget ends, both urns count their first draws, as far as each of them has a label: the bound of the first
holds at every moment, and the theorem wherever the second stops.

The middle is not looked at: its ranks are delivered as they are. So the answers buy a lower cut, nothing else.
"""

import numpy as np

from thresher.evidence.curve import Curve
from thresher.evidence.martingale import at_most, draws_if_clean, most, prior_for
from thresher.evidence.noise import Slips, missed_bound, slipped, slips_of, undetected
from thresher.evidence.plan import delta_of
from thresher.evidence.state import NO_RANKS, Certified, Code, Frozen, Procedure, Refused, Rung, Want
from thresher.evidence.terms import Fixed, Given
from thresher.evidence.urns import Known, Urn
from thresher.records import Purpose

ACCEPT_SHARE = 0.25  # of delta, for the yes below the rung: few draws are enough to bound them
ACCEPT_ANSWERS = 0.15  # of the budget
FEWEST = 30


def fix_recall(given: Given) -> Fixed:
    """The rung below which the draws can prove the most yes; the precision target is not used."""
    curve, ranks, delta = given.curve, given.ranks, given.delta
    rung = _planned(curve, delta * ACCEPT_SHARE, _accept_draws(given.means.answers))
    odds = (1.0 - given.promise.recall) / given.promise.recall
    allowed = odds * max(given.pool.known_yes + float(curve.before(rung)), 1.0) / max(ranks - rung, 1)
    return Fixed(
        ladder=(Rung(rung, ACCEPT_SHARE * delta, (1.0 - ACCEPT_SHARE) * delta),),
        reject_from=rung,
        accept_prior=prior_for(0.5),
        reject_prior=prior_for(min(allowed, 1.0)),
    )


def _accept_draws(answers: int) -> int:
    return max(round(ACCEPT_ANSWERS * answers), FEWEST)


def _planned(curve: Curve, delta: float, draws: int) -> int:
    """The rung with the largest expected lower bound on the yes below it, given so many draws."""
    rung = np.maximum(curve.ranks, 1.0)
    false = np.clip(1.0 - curve.yes / rung, 0.0, 1.0)
    noise = -np.log(delta) / draws
    most_false = false + np.sqrt(2.0 * false * noise) + noise  # Bernstein's bound, near enough for a plan
    return int(curve.ranks[int(np.argmax(curve.ranks * (1.0 - most_false)))])


def certify_recall(frozen: Frozen) -> Procedure:
    """Bound the no below the rung, then draw beyond it as long as the budget lasts and a lower cut is possible."""
    known = Known()
    rung = frozen.ladder[0]
    slips = slips_of(frozen.gold, delta_of(frozen))
    accept = Urn(frozen.seed, "accept", 0, rung.rank, frozen.accept_prior)
    reject = Urn(frozen.seed, "reject", rung.rank, frozen.ranks - rung.rank, frozen.reject_prior)
    if looks := min(_accept_draws(frozen.answers), accept.size, frozen.answers):
        ranks = accept.next(looks)
        soon = reject.next(min(frozen.answers - looks, reject.size))  # they are drawn next, whatever the labels say
        codes, _ = yield (
            (
                Want(Purpose.AUDIT_PRECISION, ranks, first_draw=0, partial=True),
                Want(Purpose.AUDIT_RECALL, NO_RANKS, first_draw=0, partial=True, further=soon),
            ),
            frozen.answers,
        )
        ranks = ranks[: len(codes)]  # all of them, unless the budget is spent
        known.take(ranks, codes)
        accept.take(len(codes), ranks[codes != Code.YES])
    sure_yes, bound = _bounds(frozen, slips, accept)
    cut = _lowest(frozen, reject, bound)
    while cut != rung.rank and reject.left and (left := frozen.answers - len(known)) > 0:
        clean = draws_if_clean(
            reject.size, reject.drawn, len(reject.bad), max(bound, 0.0), reject.prior, rung.reject_delta
        )
        soon = reject.next(min(left, reject.left))
        ranks, further = np.split(soon, [min(max(min(clean, left // 4), frozen.batch), left)])
        want = Want(Purpose.AUDIT_RECALL, ranks, first_draw=reject.drawn, partial=True, further=further)
        (codes,) = yield (want,), left
        spent, ranks = len(codes) < len(ranks), ranks[: len(codes)]
        known.take(ranks, codes)
        reject.take(len(codes), np.where(codes == Code.YES, ranks, frozen.ranks)[codes != Code.NO])
        cut = _lowest(frozen, reject, bound)
        if spent:
            break
    if cut is None or cut >= frozen.ranks > rung.rank:
        return _refused(frozen, known, reject, bound)
    return _certified(frozen, known, (accept, reject), cut, (sure_yes, bound))


def _bounds(frozen: Frozen, slips: Slips, accept: Urn) -> tuple[float, float]:
    """How many yes are surely known or below the rung, and how many yes may then be missed beyond it."""
    rung = frozen.ladder[0]
    detected = most(accept.size, accept.drawn, len(accept.bad), accept.prior, rung.accept_delta)
    false = min(undetected(detected, slips.no_as_yes, slips.part), rung.rank)
    wrong = slipped(frozen.adjudicated, slips.no_as_yes, slips.part)
    sure_yes = max(frozen.known_yes - wrong, 0.0) + rung.rank - false
    odds = (1.0 - frozen.promise.recall) / frozen.promise.recall
    return sure_yes, float(missed_bound(slips, odds * sure_yes - frozen.known_unanswerable, frozen.adjudicated))


def _lowest(frozen: Frozen, reject: Urn, bound: float) -> int | None:
    """The lowest cut that is accepted now: the rung, or the rank just past a yes that was drawn; None if none is."""
    rung = frozen.ladder[0]
    past = reject.bad[reject.bad < frozen.ranks] + 1
    cuts = np.unique(np.concatenate([[rung.rank], past]))
    holds = at_most(reject.size, reject.drawn, reject.bad_from(cuts), bound, reject.prior, rung.reject_delta)
    kept = np.flatnonzero(holds)
    return int(cuts[kept[0]]) if len(kept) else None


def _certified(frozen: Frozen, known: Known, urns: tuple[Urn, Urn], cut: int, bounds: tuple[float, float]) -> Certified:
    accept, reject = urns
    sure_yes, bound = bounds
    promise, rung = frozen.promise, frozen.ladder[0]
    removed = int(known.between(0, cut) - known.between(0, cut, Code.YES))
    delivered = frozen.known_yes + cut - removed + int(known.between(cut, frozen.ranks, Code.YES))
    return Certified(
        precision=None,
        recall=promise.recall,
        delta=promise.delta,
        accepted=cut,
        rejected=cut,
        delivered=delivered,
        asked=len(known),
        counts={
            "rung": rung.rank,
            "sure_yes": float(sure_yes),
            "accept_drawn": accept.drawn,
            "accept_bad": len(accept.bad),
            "accept_delta": rung.accept_delta,
            "reject_drawn": reject.drawn,
            "reject_bad": int(reject.bad_from(cut)),
            "reject_bound": bound,
            "reject_delta": rung.reject_delta,
        },
    )


def _refused(frozen: Frozen, known: Known, reject: Urn, bound: float) -> Refused:
    clean = draws_if_clean(reject.size, 0, 0, max(bound, 0.0), reject.prior, frozen.ladder[0].reject_delta)
    more = max(clean - 1, frozen.answers)
    return Refused(
        why=(
            f"{frozen.answers} images prove no set smaller than the pool: at most {bound:.0f} yes may be missed among "
            f"{reject.size} ranks, which takes {clean} draws if none of them is a yes, and {len(reject.bad)} of "
            f"{reject.drawn} draws were"
        ),
        take=f"more than {more} images; better queries, which make yes less rare, cost less",
        ahead=max(clean - reject.drawn, 1),
        asked=len(known),
    )
