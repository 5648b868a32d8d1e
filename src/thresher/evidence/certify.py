"""The joint certificate: precision and recall of one released set, for the fewest answers.

The set: known yes, the ranks below a rung h, and every yes that people give. Rejected: the ranks from a cut l on. Let

    T(l)  yes that would be released: known ones and those at ranks below l,
    F(l)  yes that would be missed: at ranks from l on,          P = T(l) + F(l)  (the same for every l)
    E(h)  no among the ranks below h.

Everything between h and l is labelled, so base = (known yes) + h + (yes of the middle) = T(l) + E(h) is counted, not
estimated. Two urns are drawn without replacement, each bad item remembered with its place:

    the accept urn, ranks [0, top of the ladder):  a no is bad for every rung beyond it;
    the reject urn, ranks [lowest live rung, n):   a yes is bad for every cut up to it.

The ladder of rungs and both priors are fixed before the first draw. The pair (h, l) is accepted when

    (A)  the accept urn accepts  E(h) <= (1-p) base           at the rung's accept_delta,
    (R)  the reject urn accepts  F(l) <= (1-r)/r p base       at the rung's reject_delta.

(A) gives precision: of base images E(h) are no, and no that were found leave the set. (A) and (R) give recall: T(l) =
base - E(h) >= p base, so F(l) <= (1-r)/r T(l). An image nobody can answer counts as a no among the accepted ranks
and as a missed yes elsewhere; those known at the freeze are taken off the bound of (R), and off (1-r) P below.

Theorem. Whatever decides what is drawn, when to stop and which (h, l) to take, a false pair is accepted with
probability at most delta.

Proof. Let l1 be the largest cut with F(l1) > (1-r) P: cuts beyond it keep the recall (if there is none, the first
cut will do for l1). Call a rung good when E(h) <= (1-p)/p T(l1). Both are fixed before the first draw. E falls with
h, so all rungs below a good one are good.

  A good rung, (h, l) false. Beyond l1 recall is kept, and so is precision, since E(h) <= (1-p)/p T(l1) <= (1-p)/p
  T(l). So l <= l1, and (R) was accepted with p base = p T(l) + p E(h) <= p T(l1) + (1-p) T(l1) = T(l1), that is with
  a bound <= (1-r)/r T(l1) < F(l1). Bad draws from l1 on are among those from l on, so (R) was also accepted for l1
  (martingale.py, fact 3) with a bound below the truth: M at F(l1) has reached 1/reject_delta.

  A rung that is not good, (h, l) false. If l <= l1, then E(h) > (1-p)/p T(l1) >= (1-p)/p T(l). If l > l1, recall is
  kept and precision is not. Both ways E(h) > (1-p) base: M at E(h) has reached 1/accept_delta.

A rung is one or the other, never both: that is why delta need not be halved between the two audits (an
intersection-union test, Berger 1982). By Ville's inequality the second event has probability accept_delta for each
rung above the first good one, the first has reject_delta of the first good one, which is the largest of the good
ones'. `ladder` sets reject_delta = delta - (accept_deltas of all rungs above) - EMERGENCY, so the sum is at most
delta - EMERGENCY. The last part is for a rung 0 below the live ones, which has its own l1 as its slab is labelled. []

Where this leaves the facts it was built from (and why): the rung is fixed before the draws, not after the recall
audit, which buys the intersection-union test and lets both audits run at once; the cuts need no grid and no separate
evidence, as one urn serves them all by the monotony of fact 3; a batch is what a clean run needs, no round number;
there is no warm-up, as labels where the plan is least sure show more before the freeze: those of learning, which asks
near the boundary, or, for scores that come from outside, a few that `plan.scouts` names.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from thresher.evidence.curve import Curve
from thresher.evidence.martingale import draws_if_clean, log_evidence_beyond, prior_for
from thresher.evidence.plan import Cut, Table, careful, cheapest, draws_ahead, may_be_false, may_be_missed, sketch
from thresher.evidence.state import (
    Answers,
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

EMERGENCY = 0.02
STEPS = (0.0, 0.07, 0.15, 0.3)  # rungs below the planned one, as parts of the smaller side
SHARES = (0.70, 0.15, 0.08, 0.05)  # of the delta of the accept audits
LIKELY_BAD = 0.3  # of the allowed share: how many of an urn are assumed to be bad before the first draw
FEW = 0.08  # of the ranks: a shorter accepted part stays in the reject urn, which costs hardly more


def ladder(planned: int, ranks: int, delta: float) -> tuple[tuple[Rung, ...], int]:
    """The rungs from the planned one down to 0 with their deltas, and the lowest rung that is in use (live).

    If many ranks are rejected, their audit is the expensive one: then lower rungs keep more of delta for it.
    """
    side = min(planned, 0.6 * (ranks - planned))
    places = sorted({round(planned - step * side) for step in STEPS} - {0}, reverse=True) if planned > 0 else []
    live = places[-1] if places and planned > FEW * ranks else 0
    used = 0.88 if ranks < 4 * planned else 0.35
    rungs, spent = [], 0.0
    for place, share in zip(places, SHARES, strict=False):
        rungs.append(Rung(place, used * share * delta, (1.0 - EMERGENCY - spent) * delta))
        spent += used * share
    rungs.append(Rung(0, 0.0, (EMERGENCY if live else 1.0 - EMERGENCY - spent) * delta))
    return tuple(rungs), live


def fix(given: Given) -> Fixed:
    """The ladder of rungs and the priors, from a plan made from the scores."""
    pool, curve, promise = given.pool, given.curve, given.promise
    plan = sketch(curve, pool.known_yes, promise, delta=given.delta)
    rungs, live = ladder(plan.accepted, given.ranks, given.delta)
    top = rungs[0].rank
    base = pool.known_yes + top + float(curve.before(plan.rejected)) - float(curve.before(top))
    false, missed = float(may_be_false(promise, base)), float(may_be_missed(promise, max(base, 1.0)))
    return Fixed(
        ladder=rungs,
        reject_from=live,
        accept_prior=prior_for(min(false / max(top, 1), 1.0)),
        reject_prior=prior_for(min(missed / max(given.ranks - live, 1), 1.0)),
    )


def certify(frozen: Frozen) -> Procedure:
    """Draw from both urns until a cut is proven, ask people to label its middle, and check whether it still holds."""
    table = lay(frozen)
    while True:
        cut = cheapest(table)
        if not np.isfinite(cut.ahead):
            return too_many_unanswerable(table)
        if cut.holds and not cut.middle:
            return certified(table, cut)
        wants = _wants(table, cut)
        answers = yield wants, round(cut.ahead)
        _take(table, wants, answers)


def lay(frozen: Frozen) -> Table:
    """The planner's table before the first draw."""
    top = frozen.ladder[0].rank
    return Table(
        frozen,
        Curve(frozen.curve),
        Urn(frozen.seed, "accept", 0, top, frozen.accept_prior),
        Urn(frozen.seed, "reject", frozen.reject_from, frozen.ranks - frozen.reject_from, frozen.reject_prior),
        Known(),
    )


def _wants(table: Table, cut: Cut) -> tuple[Want, ...]:
    """The draws that the two audits still need, both at once; if they need none, the unlabelled ranks of the middle."""
    rung = table.frozen.ladder[cut.rung]
    wants = []
    if not cut.reject_holds and table.reject.left:
        missed = int(table.reject.bad_from(cut.rejected))
        wants.append(draws(table.reject, missed, cut.reject_bound, rung.reject_delta, table.frozen))
    if not cut.accept_holds and table.accept.left:
        false = int(table.accept.bad_below(cut.accepted))
        want = draws(table.accept, false, cut.accept_bound, rung.accept_delta, table.frozen)
        wants.append(replace(want, purpose=Purpose.AUDIT_PRECISION))
    return tuple(wants) or (Want(Purpose.MIDDLE, table.known.unknown(cut.accepted, cut.rejected)),)


def draws(urn: Urn, bad: int, bound: float, delta: float, frozen: Frozen) -> Want:
    """The next draws of an urn: as many as are needed if none of them is bad, and no fewer than a batch.

    Those beyond that the planner expects may be asked for in advance.
    """
    bound = max(bound, 0.0)
    clean = draws_if_clean(urn.size, urn.drawn, bad, bound, urn.prior, delta)
    count = min(max(clean, frozen.batch), urn.left)
    share = careful(bad, urn.drawn, max(LIKELY_BAD * bound / max(urn.size, 1), 1e-9), 1.0)
    evidence = log_evidence_beyond(urn.size, urn.drawn, bad, bound, urn.prior)
    expected = float(draws_ahead(urn.size, urn.drawn, share, bound, evidence, delta))
    ranks = urn.next(max(count, int(min(expected, urn.left))))
    return Want(Purpose.AUDIT_RECALL, ranks[:count], first_draw=urn.drawn, further=ranks[count:])


def _take(table: Table, wants: Sequence[Want], answers: Answers) -> None:
    for want, codes in zip(wants, answers, strict=True):
        table.known.take(want.ranks, codes)
        if want.purpose is Purpose.AUDIT_RECALL:
            table.reject.take(len(codes), missed_places(want.ranks, codes, table.frozen.ranks))
        elif want.purpose is Purpose.AUDIT_PRECISION:
            table.accept.take(len(codes), want.ranks[codes != Code.YES])


def missed_places(ranks: Ranks, codes: Codes, beyond: int) -> Ranks:
    """Where drawn images count as bad: a yes at its rank; an unanswerable one `beyond` all, so for every cut."""
    places = np.where(codes == Code.YES, ranks, beyond)
    return np.asarray(places[codes != Code.NO], np.int64)


def certified(table: Table, cut: Cut) -> Certified:
    """The certificate of a cut that both audits prove and whose middle is labelled."""
    frozen, known = table.frozen, table.known
    middle_yes = int(known.between(cut.accepted, cut.rejected, Code.YES))
    found_yes = int(known.between(cut.rejected, frozen.ranks, Code.YES))
    known_within = int(known.between(0, cut.accepted) - known.between(0, cut.accepted, Code.YES))
    rung = frozen.ladder[cut.rung]
    promise = frozen.promise
    delivered = frozen.known_yes + cut.accepted - known_within + middle_yes + found_yes
    return Certified(
        precision=promise.precision,
        recall=promise.recall,
        delta=promise.delta,
        accepted=cut.accepted,
        rejected=cut.rejected,
        delivered=delivered,
        asked=len(known),
        counts={
            "base": frozen.known_yes + cut.accepted + middle_yes,
            "middle": cut.rejected - cut.accepted,
            "middle_yes": middle_yes,
            "accept_drawn": table.accept.drawn,
            "accept_bad": int(table.accept.bad_below(cut.accepted)),
            "accept_bound": cut.accept_bound,
            "accept_delta": rung.accept_delta,
            "reject_drawn": table.reject.drawn,
            "reject_bad": int(table.reject.bad_from(cut.rejected)),
            "reject_bound": cut.reject_bound,
            "reject_delta": rung.reject_delta,
        },
    )


def too_many_unanswerable(table: Table) -> Refused:
    """The refusal where unanswerable images alone, counted as missed yes, exceed the recall target."""
    count = int(table.known.between(0, table.frozen.ranks, Code.UNANSWERABLE)) + table.frozen.known_unanswerable
    return Refused(
        why=f"{count} images can't be answered; counted as missed yes they are more than the recall target allows",
        take="rewording the question so that they can be answered, removing them, or a lower recall target",
        asked=len(table.known),
    )
