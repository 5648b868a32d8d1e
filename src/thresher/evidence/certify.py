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

With gold every adjudicated label may be wrong, at the rates that gold gives (noise.py). Let a be the label that
adjudication has given or would give to an image; it errs independently from image to image, whatever is drawn. Beside
E and D, the yes from l on that a calls yes, let, for a pair (h, l) and the smaller one f of h and the first live rank,

    W   no among the known and the middle that a calls yes,
    V   yes among the known and the ranks from f on that a does not call yes,
    X   yes among the known and the ranks from f up to l that a calls yes,
    Y   yes below h that a does not call yes,        y   as many of them as are allowed for (noise.REFUTED).

The set has base images, of which E + W are no, before the bad draws are taken out; a yes found beyond l stays out. With
m = (known adjudicated labels) + l - h, the audits become

    (A)  the accept urn accepts  q(floor(b) + 1) - 1  bad items,  b = (1-p) base - wrong(m),
    (R)  the reject urn accepts  C - v(base - f + C),             C = (1-r)/r p base - u - y/r,

q(k) being a low quantile of how many of k no are called no, wrong(m) a high one of the slips among the first m labels
of a sequence, for all m at once, and v(k) one of the slips among k yes. The deltas of (A) and (R) add up.

Theorem. As above, but for the share of delta that noise.py takes.

Proof. But for that share, a calls at least q(E) of the no below h no, for every rung; W <= wrong(m), for every pair;
and V <= v(V + X + D), for both f, where V + X + D is one number, the yes among the known and from f on.

  Precision. But for accept_delta, what a calls bad below h, at least q(E) + Y, is no more than what (A) accepts. q
  rises by at most 1 a step, so E + Y <= b, and E + W + Y <= (1-p) base. What leaves the set is no, or counted by Y: at
  most 1-p of what stays is no. And p base <= base - E - W - Y <= (yes below f) + X =: T(l).

  Recall. At most G(l) + y + u yes are missed, G(l) = D + V. G falls with l, T grows. For each value of y let l1 be the
  largest cut with G(l1) + y + u > (1-r) P. If recall is missed, l <= l1. There P = T + G + u, so G(l1) > (1-r)/r T(l1)
  - u - y/r. Let s = T(l1) - p base; it is not negative. At l1, X = T(l1) - f + E(f) <= base - f + s, as E(f) <= (1-p)
  base. So D(l1) = G - V > C + (1-r)/r s - v(base - f + C + s/r), as v rises by less than 1 a step; and by at most 1-r a
  step, which (R) demands, so D(l1) > C - v(base - f + C). Bad draws from l1 on are among those from l on: (R) was
  accepted for l1 too, with a bound below the truth. That has probability reject_delta, shared by the values of y, for
  each f. []

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
from thresher.evidence.noise import Slips, false_beyond_labels, missed_beyond_labels, refuted_at_most, slips_of
from thresher.evidence.plan import (
    Cut,
    Table,
    careful,
    cheapest,
    delta_of,
    draws_ahead,
    may_be_false,
    may_be_missed,
    sketch,
)
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
    State,
    Want,
)
from thresher.evidence.terms import Fixed, Given
from thresher.evidence.urns import Known, Urn
from thresher.records import Purpose

EMERGENCY = 0.02
STEPS = (0.0, 0.07, 0.15, 0.3)  # rungs below the planned one, as parts of the smaller side
SHARES = (0.70, 0.15, 0.08, 0.05)  # of the delta of the accept audits
WORTH = 1.5  # times the answers that a plan without gold needs
LEAST_COST = 100.0  # in answers; a smaller plan is compared as if it were this
LIKELY_BAD = 0.3  # of the allowed share: how many of an urn are assumed to be bad before the first draw
FEW = 0.08  # of the ranks: a shorter accepted part stays in the reject urn, which costs hardly more


def ladder(planned: int, ranks: int, delta: float, *, adding: bool = False) -> tuple[tuple[Rung, ...], int]:
    """The rungs from the planned one down to 0 with their deltas, and the lowest rung that is in use (live).

    If many ranks are rejected, their audit is the expensive one: then lower rungs keep more of delta for it. `adding`:
    the deltas of the two audits add up, because labels may err.
    """
    side = min(planned, 0.6 * (ranks - planned))
    places = sorted({round(planned - step * side) for step in STEPS} - {0}, reverse=True) if planned > 0 else []
    live = places[-1] if places and planned > FEW * ranks else 0
    used = ((0.5, 0.25) if adding else (0.88, 0.35))[ranks >= 4 * planned]
    if adding:
        spent_by_all = used * sum(SHARES[: len(places)])
        rungs = [
            Rung(place, used * share * delta, (1.0 - EMERGENCY - spent_by_all) * delta)
            for place, share in zip(places, SHARES, strict=False)
        ]
        last = EMERGENCY if live else 1.0 - EMERGENCY - spent_by_all
        return (*rungs, Rung(0, 0.0, last * delta)), live
    rungs, spent = [], 0.0
    for place, share in zip(places, SHARES, strict=False):
        rungs.append(Rung(place, used * share * delta, (1.0 - EMERGENCY - spent) * delta))
        spent += used * share
    rungs.append(Rung(0, 0.0, (EMERGENCY if live else 1.0 - EMERGENCY - spent) * delta))
    return tuple(rungs), live


def fix(given: Given) -> Fixed:
    """The ladder of rungs and the priors, from a plan made from the scores."""
    pool, curve, promise = given.pool, given.curve, given.promise
    plan = sketch(curve, pool.known_yes, promise, delta=given.delta, slips=given.slips, adjudicated=pool.adjudicated)
    rungs, live = ladder(plan.accepted, given.ranks, given.delta, adding=given.means.gold is not None)
    top = rungs[0].rank
    base = pool.known_yes + top + float(curve.before(plan.rejected)) - float(curve.before(top))
    false, missed = float(may_be_false(promise, base)), float(may_be_missed(promise, max(base, 1.0)))
    if given.slips.part:
        labels = pool.adjudicated + plan.rejected - top
        false = max(float(false_beyond_labels(given.slips, false, labels, len(rungs))), 1.0)
        missed = max(float(missed_beyond_labels(given.slips, missed, base - live, promise.recall)), 1.0)
    return Fixed(
        ladder=rungs,
        reject_from=live,
        accept_prior=prior_for(min(false / max(top, 1), 1.0)),
        reject_prior=prior_for(min(missed / max(given.ranks - live, 1), 1.0)),
    )


def bears(given: Given) -> bool:
    """Whether the bounds that gold gives are used: they are, unless gold is too little to say anything.

    That is so if by the upper bounds of the error rates the plan costs more than half as much again, or there is none,
    but not by their lower bounds. Then adjudicated answers are taken as the truth, and the certificate says so.
    """
    most = WORTH * max(_ahead(given, Slips()), LEAST_COST)
    return _ahead(given, given.slips) <= most or _ahead(given, given.slips.least) > most


def _ahead(given: Given, slips: Slips) -> float:
    pool = given.pool
    return sketch(
        given.curve, pool.known_yes, given.promise, delta=given.delta, slips=slips, adjudicated=pool.adjudicated
    ).ahead


def certify(frozen: Frozen) -> Procedure:
    """Draw from both urns until a cut is proven, ask people to label its middle, and check whether it still holds."""
    table = lay(frozen)
    while True:
        cut = cheapest(table)
        if not np.isfinite(cut.ahead):
            return too_many_slips(table) if table.slips.part else too_many_unanswerable(table)
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
        slips=slips_of(frozen.gold, delta_of(frozen)),
        adjudicated=frozen.adjudicated,
    )


def _wants(table: Table, cut: Cut) -> tuple[Want, ...]:
    """The draws that the two audits still need, both at once; if they need none, the unlabelled ranks of the middle."""
    rung = table.frozen.ladder[cut.rung]
    wants = []
    if not cut.reject_holds and table.reject.left:
        missed = int(table.reject.bad_from(cut.rejected))
        share = float(refuted_at_most(table.accept.bad_below(cut.accepted))[1]) if table.slips.part else 1.0
        wants.append(
            draws(table.reject, missed, cut.reject_bound, max(share * rung.reject_delta, 1e-300), table.frozen)
        )
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
    # where labels may be wrong, a yes that an audit drew may be one of them: it stays outside
    found_yes = 0 if table.slips.part else int(known.between(cut.rejected, frozen.ranks, Code.YES))
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
            **_slips_allowed(table, cut),
        },
    )


def _slips_allowed(table: Table, cut: Cut) -> dict[str, float]:
    """What the bounds allow for, if there is gold: the error rates, and yes among the bad draws that leave the set."""
    if not table.slips.part:
        return {}
    most, share = refuted_at_most(table.accept.bad_below(cut.accepted))
    return {
        "yes_missed_rate": table.slips.yes_as_no,
        "no_missed_rate": table.slips.no_as_yes,
        "refuted_at_most": float(most),
        "reject_share": float(share),
    }


def refuted_late(step: Certified, state: State) -> Refused | None:
    """The refusal where, with gold, labels take more out of the accepted ranks than (R) allows for."""
    most = step.counts.get("refuted_at_most", np.inf)
    refuted = sum(rank < step.accepted and code != Code.YES for rank, code in state.answers.items())
    if refuted <= most:
        return None
    return Refused(
        why=f"answers refute {refuted:,} of the accepted images, and the audits allow for {most:.0f}",
        take="a new freeze, which learns from these answers",
    )


def too_many_slips(table: Table) -> Refused:
    """The refusal where adjudication errors, which gold bounds, with unanswerable images exceed the targets."""
    slips = table.slips
    return Refused(
        why=(
            f"by the answers on gold, adjudication may call {slips.yes_as_no:.2%} of the yes no and "
            f"{slips.no_as_yes:.2%} of the no yes, which is more than the targets allow"
        ),
        take="more gold, which bounds the errors closer, annotators who err less, or lower targets",
        asked=len(table.known),
    )


def too_many_unanswerable(table: Table) -> Refused:
    """The refusal where unanswerable images alone, counted as missed yes, exceed the recall target."""
    count = int(table.known.between(0, table.frozen.ranks, Code.UNANSWERABLE)) + table.frozen.known_unanswerable
    return Refused(
        why=f"{count} images can't be answered; counted as missed yes they are more than the recall target allows",
        take="rewording the question so that they can be answered, removing them, or a lower recall target",
        asked=len(table.known),
    )
