"""The released set by rank: the accepted part, and which yes found outside it join, where adjudication may err.

Without gold the adjudicated answer is the truth, and every yes of today joins. With gold (noise.py) adjudication may
have called a no yes (a slip), and where an audit draws mostly no it finds such slips; so with gold

- a yes by the owner joins, as the owner's answers do not slip;
- a yes of the labelled middle (a single) joins, as its slips are in the bound (certify.py, adjudicated.py);
- of `precision`, the yes of people from the delivered rung up to the top one join if they fit, all or none;
- every yes joins with `recall`, which has no bound of precision;
- the others are withheld.

Let h be the delivered rung, base = known yes + h, and B = (1-p) base without the slips allowed for among the known. Of
the ranks below h, e are called no and left out. Let k yes of people and o of the owner join, s of them slips at most.
They fit if s <= (1-p)(k + o) + p e.

Theorem. Then more than (1-p) of the released set are no with no larger probability than without them, plus `part`.

Proof. Let N of the ranks below h be no, and A be yes that adjudication calls no; it calls D of the N no. The audit
counts D + A. If N + A > B, then D + A > detectable(B), but for the probability of that step: given A, D is at least the
quantile of N trials, and a quantile falls by at most A when its trials do. So "N + A > B" is the suspicion that a rung
carries, and precision.py's proof holds for it: the delivered rung has N + A <= B. Of the e left out e1 are no and e2
yes, e2 <= A, so N - e1 <= B - e of the others are no. The slips among the known come to (1-p) base - e, and with s more
it is at most (1-p) base - e + (1-p)(k + o) + p e = (1-p)(base - e + k + o). []

How many slips. Take the ranks below the top rung that are no in the order in which they are labelled: all of them, so
that it does not matter which rung is delivered. Each is called yes with a probability of at most q, whatever came
before, so t slips come before the (x+1)-th that is called no with a probability of at most I_q(t, x+1) (negative
binomial; I is the regularised incomplete beta function). Let x(t) be the largest x for which that is at most
part / (t (t+1)). These add up to part: but for part, whenever one looks and whatever was asked, t slips mean that more
than x(t) were called no. Of x that were called no (by the evidence, whoever said so) some may be yes, which only makes
x larger; so the number of slips is among those t with I_q(t, x+1) > part / (t (t+1)). They are 1 up to a largest one,
as tail and weight are log-concave in t. []

`part` is twice that of noise.py: the steps from the rate of yes called no, which `precision` does not take.
"""

from collections.abc import Iterable

import numpy as np
from scipy.special import betainc

from thresher.evidence.noise import slips_of
from thresher.evidence.plan import delta_of
from thresher.evidence.state import Certified, Code, Ranks, State

CLOSE = 1e-9


def released(certified: Certified, state: State) -> Ranks:
    """The ranks of the released set, ascending; the images known before the freeze that are yes belong to the set too.

    What people's answers prove, without what the owner's check refutes.
    """
    return np.setdiff1d(proven(certified, state), refuted(state))


def refuted(state: State) -> Ranks:
    """The places that the owner's check refutes (state.OwnersCheck): they are not released, whatever people say."""
    lost = {state.frozen.ranks + number for number in state.check.lost}
    return _ranks(place for place, code in state.check.codes.items() if code != Code.YES and place not in lost)


def proven(certified: Certified, state: State) -> Ranks:
    """The ranks that people's answers release, ascending.

    The accepted set without what the labels of today refute, and the yes found elsewhere that may join.
    """
    kept = accepted_set(certified, state)
    refuted = _ranks(rank for rank, code in state.today.items() if code != Code.YES)
    return np.union1d(np.setdiff1d(kept, refuted), joining(certified, state))


def withheld(certified: Certified, state: State) -> Ranks:
    """The ranks that are labelled yes and are not released, because the label may be an error of adjudication."""
    return np.setdiff1d(_labelled_yes(state), proven(certified, state))


def accepted_set(certified: Certified, state: State) -> Ranks:
    """The ranks below the delivered rung, and those of the middle that people call yes; ascending."""
    first, last = state.frozen.reject_from, certified.rejected
    middle = _ranks(rank for rank, code in state.said.items() if code == Code.YES and first <= rank < last)
    return np.union1d(np.arange(certified.accepted, dtype=np.int64), middle)


def joining(certified: Certified, state: State) -> Ranks:
    """The ranks outside the accepted set that are labelled yes and are released."""
    frozen = state.frozen
    outside = np.setdiff1d(_labelled_yes(state), accepted_set(certified, state))
    if frozen.gold is None or frozen.method == "recall":
        return outside
    mine = np.isin(outside, _ranks(state.owners))
    alone = np.isin(outside, _singles(certified, state))
    top = frozen.ladder[0].rank if frozen.ladder and frozen.method == "precision" else 0
    first_yes = np.array([state.answers[rank] == Code.YES for rank in outside.tolist()], np.bool_)
    alone &= first_yes
    near = ~mine & ~alone & first_yes & (outside < top)
    if near.any() and not fits(certified, state, people=int(near.sum()), owner=int(mine.sum())):
        near[:] = False
    return outside[mine | alone | near]


def fits(certified: Certified, state: State, *, people: int, owner: int) -> bool:
    """Whether so many yes of people below the top rung may join, beside those of the owner."""
    frozen, missed = state.frozen, 1.0 - state.frozen.promise.precision
    bad = [rank for rank, code in state.answers.items() if code != Code.YES]
    called_no = sum(rank < frozen.ladder[0].rank for rank in bad)
    left_out = sum(rank < certified.accepted and state.today.get(rank) != Code.YES for rank in bad)
    slips = slips_of(frozen.gold, delta_of(frozen))
    most = slips_at_most(called_no, people, slips.no_as_yes, 2.0 * slips.part)
    return most <= missed * (people + owner) + frozen.promise.precision * left_out + CLOSE


def slips_at_most(called_no: int, called_yes: int, rate: float, part: float) -> int:
    """How many of `called_yes` adjudicated yes are no at most, where `called_no` others were called no.

    Except with probability `part`, and whenever one looks.
    """
    slips = 0
    while slips < called_yes and betainc(slips + 1, called_no + 1, rate) > part / ((slips + 1) * (slips + 2)):
        slips += 1
    return slips


def _singles(certified: Certified, state: State) -> Ranks:
    """The ranks of the middle whose label was adjudicated for itself, and that the bounds count so."""
    frozen, middle = state.frozen, np.arange(certified.accepted, certified.rejected, dtype=np.int64)
    if frozen.method == "adjudicated":
        clear = (
            rank for rank, code in state.said.items() if code in (Code.YES, Code.NO) and rank >= frozen.reject_from
        )
        return np.setdiff1d(middle, _ranks(clear))
    return middle if frozen.method == "certified" else middle[:0]


def _labelled_yes(state: State) -> Ranks:
    return _ranks(rank for rank in state.answers if state.today.get(rank) == Code.YES)


def _ranks(ranks: Iterable[int]) -> Ranks:
    return np.array(sorted(ranks), np.int64)
