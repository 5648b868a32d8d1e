"""Labels that somebody else made: their precision, and if it is asked for their recall, for the fewest answers.

The claimed images, those that the labels call yes, are the ranks below h; the others of the pool are the ranks from h
on. Nothing is chosen: h is fixed by the labels. With Y yes known before, base = Y + h images are released, but for what
the answers refute. Let E be the no among the claimed ranks, F the yes among the others, u the images known to be
unanswerable. An image nobody can answer counts as a no among the claimed ranks and as a missed yes elsewhere. Two urns
are drawn without replacement, in the order of their permutations, and each is judged after every draw:

    (A)  the accept urn, ranks [0, h), accepts  E <= (1-p) base                 at accept_delta,
    (R)  the reject urn, ranks [h, n), accepts  F <= (1-r)/r p base - u         at reject_delta, if recall is a target.

Theorem. Whatever decides when to stop, a false certificate is issued with probability at most delta, where both
accept_delta and reject_delta are at most delta: they need not add up to it.

Proof. All three bounds are fixed at the freeze, so each audit tests one fixed suspicion. If E > (1-p) base, a
certificate of any kind takes (A), which accepts a false bound with probability accept_delta at most, whatever the order
of the images and the moment of the stop (martingale.py; Ville). Else precision holds: of the base images e that were
drawn and are no leave the set, and E - e <= (1-p) (base - e). The yes of the set are base - E >= p base, so recall is
missed only if F + u > (1-r)/r (base - E) >= (1-r)/r p base: then (R) accepts a false bound, which has probability
reject_delta at most. A truth is of one kind or of the other (an intersection-union test, Berger 1982). []
Corrections after the freeze lower base; corrections.py says what that means here.

`certify.py` proves the same of many rungs and cuts; here there is one of each, and the middle is empty.

What it costs. Against the truth that a share q is wrong, ln M grows by KL(q, 1-p) a draw, and no test of level delta
can on average do with fewer draws than ln(1/delta) / KL(q, 1-p) (Wald 1945): 59, 87 and 121 at q = 0, 0.5 and 1 % for
p = 0.95 and delta = 0.05. The mixture of `prior_of` takes 69, 94 and 134, in a large pool and at the 0.85 delta that a
first freeze has. A fewest number of draws is known before they are made (`draws_if_clean`), so none is asked in vain.

When it ends without a certificate. No number of answers helps if more than the bound are bad among the answers. Before
that it is given up once the draws refute at LOST that at most FAIR of the bound are bad. So labels that are so good or
better are given up with probability LOST at most, however often one looks: it is the same test of the same urn, with
good and bad exchanged. This decides nothing but when to say no, so no proof depends on it.
"""

import math
from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from thresher.evidence.martingale import SLACK, Prior, at_most, draws_if_clean, log_evidence_beyond, most, whole
from thresher.evidence.plan import draws_ahead, may_be_false, may_be_missed
from thresher.evidence.state import (
    Answers,
    Asking,
    Certified,
    Code,
    Codes,
    Frozen,
    Procedure,
    Promise,
    Refused,
    Rung,
    State,
    Want,
)
from thresher.evidence.terms import Fixed, Given
from thresher.evidence.urns import Urn
from thresher.records import Purpose

STEP = 20  # draws that are judged together: whoever answers is not told later than that that the labels do not hold
FAIR = 0.6  # of the bound: labels with so many bad items, or fewer, are worth the draws that they take
LOST = 0.15  # most chance that such labels are given up
JEFFREYS = Prior(((1.0, 0.5, 0.5),))


def prior_of(allowed_share: float) -> Prior:
    """A prior for labels that may be nearly clean, or wrong in up to FAIR of what is allowed; any prior is valid.

    Found by computation, for the fewest draws at 0, 0.5 and 1 % wrong where 5 % are allowed, with enough for 2 and 3 %.
    """
    clean, some, fair = (min(max(times * allowed_share, 1e-9), 0.3) for times in (0.1, 0.3, FAIR))
    return Prior((_part(0.87, clean, 1.0), _part(0.06, some, 2.0), _part(0.06, fair, 16.0), (0.01, 0.5, 0.5)))


def doubts_of(allowed_share: float) -> Prior:
    """A prior of the share of good items in labels that break the bound: by a little, or by far; any prior is valid."""
    little, far = (min(max(times * allowed_share, 1e-9), 0.9) for times in (1.2, 2.0))
    return Prior(tuple((weight, b, a) for weight, a, b in (_part(0.5, little, 8.0), _part(0.5, far, 4.0))))


def _part(weight: float, mean: float, a: float) -> tuple[float, float, float]:
    return weight, a, a * (1.0 - mean) / mean


def fix_labels(given: Given) -> Fixed:
    """One rung, where the claimed ranks end; an audit of the others only if recall is a target."""
    claimed, promise = given.pool.claimed, given.promise
    bounds = _bounds(promise, given.pool.known_yes + claimed, given.pool.known_unanswerable)
    shares = [
        max(bound, 0.0) / max(size, 1) for bound, size in zip(bounds, (claimed, given.ranks - claimed), strict=True)
    ]
    accept, reject = (prior_of(min(share, 1.0)) for share in shares)
    return Fixed((Rung(claimed, given.delta, given.delta if promise.recall else 0.0),), claimed, accept, reject)


def certify_labels(frozen: Frozen) -> Procedure:
    """Draw from the claimed images until the precision is accepted, then from the others until the recall is."""
    accept, reject = audits_of(frozen)
    for audit in (accept, reject) if frozen.promise.recall else (accept,):
        refused = yield from _drawn(audit)
        if refused is not None:
            return refused
    rung = frozen.ladder[0]
    return Certified(
        precision=frozen.promise.precision,
        recall=frozen.promise.recall or None,
        delta=frozen.promise.delta,
        accepted=rung.rank,
        rejected=rung.rank if frozen.promise.recall else frozen.ranks,
        delivered=frozen.known_yes + rung.rank - len(accept.urn.bad),
        asked=accept.urn.drawn + reject.urn.drawn,
        counts={
            "base": frozen.known_yes + rung.rank,
            "accept_drawn": accept.urn.drawn,
            "accept_bad": len(accept.urn.bad),
            "accept_bound": accept.bound,
            "accept_delta": rung.accept_delta,
            "reject_drawn": reject.urn.drawn,
            "reject_bad": len(reject.urn.bad),
            "reject_bound": reject.bound,
            "reject_delta": rung.reject_delta,
        },
    )


@dataclass(slots=True)
class Audit:
    """One audit: the urn, how many of its items may be bad, at which delta, and which code is a good one."""

    urn: Urn
    bound: float
    delta: float
    purpose: Purpose
    good: Code

    @property
    def holds(self) -> bool:
        """Whether the bound is accepted."""
        urn = self.urn
        return bool(at_most(urn.size, urn.drawn, len(urn.bad), self.bound, urn.prior, self.delta))

    def clean(self, drawn: int, bad: int) -> int:
        """The fewest further draws after which the bound can be accepted: so many if none of them is bad."""
        return _clean(self.urn.size, drawn, bad, max(self.bound, 0.0), self.urn.prior, self.delta)

    def take(self, codes: Codes) -> None:
        """Count the labels of the next draws."""
        ranks = self.urn.next(len(codes))
        self.urn.take(len(codes), ranks[codes != self.good])

    @property
    def is_impossible(self) -> bool:
        """Whether more bad items were drawn than there may be, or all are drawn."""
        return bool(len(self.urn.bad) > whole(self.bound)) or not self.urn.left

    @property
    def is_over(self) -> bool:
        """Whether it ends without being accepted."""
        return self.is_impossible or self.is_hopeless

    def next_step(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The ranks of the draws that are judged together next, and of those that are needed after them.

        All are needed, unless the audit is given up before: they may be asked together.
        """
        ranks = self.urn.next(max(self.clean(self.urn.drawn, len(self.urn.bad)), 1))
        return ranks[:STEP], ranks[STEP:]

    @property
    def ahead(self) -> float:
        """The further draws that are expected at the drawn share of bad items; infinite if no number is enough."""
        urn, bad = self.urn, len(self.urn.bad)
        evidence = log_evidence_beyond(urn.size, urn.drawn, bad, self.bound, urn.prior)
        return float(draws_ahead(urn.size, urn.drawn, bad / max(urn.drawn, 1), self.bound, evidence, self.delta))

    @property
    def is_hopeless(self) -> bool:
        """Whether the draws refute that there are clearly fewer bad items than there may be."""
        urn = self.urn
        fair = math.ceil(FAIR * max(self.bound, 0.0) - SLACK)
        doubts = doubts_of(max(self.bound, 0.0) / max(urn.size, 1))
        good = urn.drawn - len(urn.bad)
        return bool(at_most(urn.size, urn.drawn, good, urn.size - fair - 1, doubts, LOST))


# each turn of the loop goes through all draws again, and clean draws come to the same states in every run
_clean = lru_cache(maxsize=4096)(draws_if_clean)


def audits_of(frozen: Frozen) -> tuple[Audit, Audit]:
    """The audits of the claimed ranks and of the others, before the first draw."""
    rung = frozen.ladder[0]
    allowed = _bounds(frozen.promise, frozen.known_yes + rung.rank, frozen.known_unanswerable)
    accept = Urn(frozen.seed, "accept", 0, rung.rank, frozen.accept_prior)
    reject = Urn(frozen.seed, "reject", rung.rank, frozen.ranks - rung.rank, frozen.reject_prior)
    return (
        Audit(accept, allowed[0], rung.accept_delta, Purpose.AUDIT_PRECISION, Code.YES),
        Audit(reject, allowed[1], rung.reject_delta, Purpose.AUDIT_RECALL, Code.NO),
    )


def _bounds(promise: Promise, base: int, unanswerable: int) -> tuple[float, float]:
    """How many claimed images may be bad, and how many of the others; 0 of these where recall is no target."""
    missed = float(may_be_missed(promise, base)) - unanswerable if promise.recall else 0.0
    return float(may_be_false(promise, base)), missed


def _drawn(audit: Audit) -> Generator[Asking, Answers, Refused | None]:
    """Draw until the bound is accepted (None), or cannot be any more."""
    while not audit.holds:
        if audit.is_over:
            return _refused(audit)
        now, further = audit.next_step()
        urn = audit.urn
        want = Want(audit.purpose, now, first_draw=urn.drawn, partial=True, further=further)
        (codes,) = yield (want,), max(round(min(audit.ahead, urn.left)), len(now) + len(further))
        audit.take(codes)
        if len(codes) < len(now):  # the budget is spent
            return None if audit.holds else _refused(audit)
    return None


def _refused(audit: Audit) -> Refused:
    urn, bad = audit.urn, len(audit.urn.bad)
    what, images = ("not yes", "claimed") if audit.good is Code.YES else ("yes", "unclaimed")
    low, high = limits(audit)
    interval = (
        f"{low / urn.size:.2%} to {high / urn.size:.2%} of all {urn.size:,} are {what}"
        if urn.size
        else "there are none"
    )
    may = f"at most {max(audit.bound, 0.0) / max(urn.size, 1):.2%} may be"
    ahead = audit.ahead
    enough = np.isfinite(ahead) and not audit.is_impossible
    return Refused(
        why=f"{bad:,} of {urn.drawn:,} {images} images drawn are {what}: {interval}, and {may}",
        take=f"about {ahead:,.0f} more answers, or better labels, or a lower target"
        if enough
        else "better labels, or a lower target",
        ahead=round(ahead) if enough else None,
        asked=urn.drawn,
    )


def limits(audit: Audit) -> tuple[int, int]:
    """The fewest and the most bad items of the urn, together at its delta and at every moment, by Jeffreys' prior.

    One ratio rejects suspicions below and above the draws' own estimate, so the two limits need no half of delta each.
    """
    urn, bad, delta = audit.urn, len(audit.urn.bad), audit.delta
    good = most(urn.size, urn.drawn, urn.drawn - bad, JEFFREYS, delta)
    return urn.size - good, most(urn.size, urn.drawn, bad, JEFFREYS, delta)


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit has found so far: `bad` of `drawn` draws of `size` images, of which `bound` may be bad at most.

    `fewest` and `most` bad ones are in the urn with the confidence 1 - `delta`, at whatever moment one looks.
    """

    size: int
    drawn: int
    bad: int
    bound: float
    fewest: int
    most: int
    delta: float
    holds: bool


def audited(state: State) -> tuple[Audited, Audited | None]:
    """What the audits of the claimed images and of the others have found so far; None where recall is no target.

    Only draws without a gap count, up to where each audit was accepted or given up.
    """
    frozen = state.corrected
    accept, reject = audits_of(frozen)
    found = [_replayed(accept, state)]
    if frozen.promise.recall:
        found.append(_replayed(reject, state))
    return found[0], found[1] if len(found) > 1 else None


def _replayed(audit: Audit, state: State) -> Audited:
    urn = audit.urn
    while not audit.holds and not audit.is_over:
        now, _ = audit.next_step()
        codes = list(takewhile(lambda code: code is not None, (state.answers.get(rank) for rank in now.tolist())))
        audit.take(np.array(codes, np.int8))
        if len(codes) < len(now):
            break
    fewest, largest = limits(audit)
    return Audited(urn.size, urn.drawn, len(urn.bad), audit.bound, fewest, largest, audit.delta, audit.holds)
