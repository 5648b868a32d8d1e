"""The owner's check: precision by the owner's answers, where annotators may make the same errors together.

A set that people's answers prove may be wrong where most of them err together: no audit by the same people can tell.
So the owner looks at a random part of the set. The set is fixed before: it is the one that the proof by people's
answers releases, named in the audit log by size and digest before its first draw. It is drawn from without replacement,
a no (or an image that the owner cannot answer) is bad, and the check holds when "at most (1-p) of the set are bad" is
accepted at the check's delta, which was kept for it at the freeze.

Theorem. Whatever decides how many are drawn and when the check stops, and however annotators err, a set of which by the
owner's answers more than 1-p is no passes with probability at most `check_delta`.

Proof. One set: by martingale.py. What the owner refuted leaves the set: of at most (1-p) n no in n images e leave, and
(1-p) n - e <= (1-p)(n - e). A correction of labels may change the set; then the next attempt begins, with draws of its
own at a part of delta of its own, and all parts together are check_delta. The owner's answers serve every attempt, as
they are the same whenever they are given. They are no labels before the freeze has ended, so they never change the set
that they are about. []

The known images that became yes after the freeze are in no set: of them only those are released that the owner called
yes (corrections.py).

Yes that were missed are not promised by it: the owner also looks at a few of the rejected, which bounds their number.
"""

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from thresher.evidence.martingale import Prior, at_most, draws_if_clean, log_evidence_beyond, most, prior_for
from thresher.evidence.plan import careful, draws_ahead, may_be_false
from thresher.evidence.releasing import proven
from thresher.evidence.state import Ask, Certified, Code, Promise, Ranks, Refused, State, Step, Wanted
from thresher.evidence.urns import Urn
from thresher.records import Purpose

FIRST_SHARE, LATER_SHARE = 0.8, 0.2
BATCH = 10
LEAST_DRAWS = 30  # before a check is given up
PATIENCE = 5.0  # times the draws that a check without a no takes; one that needs more is given up
PROMISED = 0.2  # of the allowed share of no, expected before the first draw
REJECTED_DRAWS = 30  # of the rejected, which the owner looks at too
REJECTED_SHARE = 0.02  # of yes among them, for the prior of the bound that is reported


def places(certified: Certified, state: State) -> Ranks:
    """The checked set, ascending: ranks, and beyond them the numbers of the images known to be yes at the freeze."""
    known = [number for number in range(state.frozen.known_yes) if number not in state.check.lost]
    return np.concatenate([proven(certified, state), state.frozen.ranks + np.array(known, np.int64)])


def name_of(found: Ranks) -> tuple[int, str]:
    """Size and digest of a checked set, as the audit log has them."""
    return len(found), hashlib.sha256("".join(f"{place}\n" for place in found.tolist()).encode()).hexdigest()


def delta_of_attempt(check_delta: float, attempt: int) -> float:
    """The part of the check's delta for one attempt."""
    return check_delta * (FIRST_SHARE if attempt == 0 else LATER_SHARE * 2.0**-attempt)


def answers_if_clean(promise: Promise, size: int, check_delta: float) -> int:
    """How many answers of the owner a check takes if none of them is a no."""
    bound, delta = float(may_be_false(promise, size)), delta_of_attempt(check_delta, 0)
    return draws_if_clean(size, 0, 0, bound, prior_for(1.0 - promise.precision), delta) + REJECTED_DRAWS


def checked(certified: Certified, state: State) -> Step:
    """The certificate with the figures of the owner's check; what the owner is still asked; or why it fails."""
    found, sets = places(certified, state), state.check.sets
    named = name_of(found)
    if sets is not None and (not sets or sets[-1] != named):
        return Ask((), asked=certified.asked, ahead=0, checks=named)
    desk = _Desk.of(state, found, len(sets) - 1 if sets else 0)
    while not desk.holds:
        if why := desk.hopeless():
            return _failed(why, certified)
        drawn = desk.urn.next(min(max(desk.clean(), BATCH), desk.urn.left))
        codes = [state.check.codes.get(place) for place in found[drawn].tolist()]
        if None in codes:
            return _asked(desk, state, drawn, certified)
        bad = np.array([code != Code.YES for code in codes], np.bool_)
        desk.urn.take(len(drawn), drawn[bad])
    if any(rank not in state.check.codes for rank in desk.rejected.tolist()):
        return _asked(desk, state, np.zeros(0, np.int64), certified)
    return replace(certified, counts={**certified.counts, **desk.figures(state)})


@dataclass(slots=True)
class _Desk:
    """One attempt: the checked set, its urn, and the ranks drawn from those outside it."""

    found: Ranks
    urn: Urn
    bound: float
    delta: float
    attempt: int
    outside: int
    rejected: Ranks

    @classmethod
    def of(cls, state: State, found: Ranks, attempt: int) -> "_Desk":
        frozen = state.frozen
        prior = prior_for(1.0 - frozen.promise.precision)
        outside = np.setdiff1d(np.arange(frozen.ranks, dtype=np.int64), found)
        looks = Urn(frozen.seed, f"check rejected|{attempt}", 0, len(outside), prior)
        return cls(
            found,
            Urn(frozen.seed, f"check|{attempt}", 0, len(found), prior),
            float(may_be_false(frozen.promise, len(found))),
            delta_of_attempt(frozen.check_delta, attempt),
            attempt,
            len(outside),
            outside[looks.next(min(REJECTED_DRAWS, len(outside)))],
        )

    @property
    def holds(self) -> bool:
        """Whether the set may be released."""
        urn = self.urn
        return bool(at_most(urn.size, urn.drawn, len(urn.bad), self.bound, urn.prior, self.delta))

    def clean(self) -> int:
        """How many more draws are enough if none of them is bad."""
        urn = self.urn
        return draws_if_clean(urn.size, urn.drawn, len(urn.bad), self.bound, urn.prior, self.delta)

    def ahead(self) -> float:
        """The answers that are likely still needed; infinite if no number of them is enough."""
        urn = self.urn
        share = careful(len(urn.bad), urn.drawn, max(PROMISED * self.bound / max(urn.size, 1), 1e-9), 1.0)
        evidence = log_evidence_beyond(urn.size, urn.drawn, len(urn.bad), self.bound, urn.prior)
        return float(draws_ahead(urn.size, urn.drawn, share, self.bound, evidence, self.delta))

    def hopeless(self) -> str:
        """What the owner found, if more answers would hardly help; empty otherwise."""
        urn = self.urn
        most = PATIENCE * draws_if_clean(urn.size, 0, 0, self.bound, urn.prior, self.delta)
        if urn.left and (urn.drawn < LEAST_DRAWS or self.ahead() <= most):
            return ""
        return f"by the owner's answers {len(urn.bad):,} of {urn.drawn:,} released images are not yes"

    def figures(self, state: State) -> dict[str, float]:
        """What the certificate says of the check."""
        bad = sum(state.check.codes[rank] != Code.NO for rank in self.rejected.tolist())
        prior: Prior = prior_for(REJECTED_SHARE)
        return {
            "check_attempt": self.attempt,
            "check_size": self.urn.size,
            "check_drawn": self.urn.drawn,
            "check_bad": len(self.urn.bad),
            "check_delta": self.delta,
            "check_rejected": self.outside,
            "check_rejected_drawn": len(self.rejected),
            "check_rejected_bad": bad,
            "check_missed_at_most": most(self.outside, len(self.rejected), bad, prior, self.delta),
        }


def _asked(desk: _Desk, state: State, drawn: Ranks, certified: Certified) -> Ask | Refused:
    """What the owner is asked: the draws that lack an answer, and those of the rejected."""
    ranks = [*desk.found[drawn].tolist(), *desk.rejected.tolist()]
    numbers = [*range(desk.urn.drawn, desk.urn.drawn + len(drawn)), *range(len(desk.rejected))]
    lack = [(rank, number) for rank, number in zip(ranks, numbers, strict=True) if rank not in state.check.codes]
    if state.closed:
        return replace(
            _failed(f"the budget ends before the owner's check, which lacks {len(lack):,} answers", certified),
            spent=True,
        )
    ahead = desk.ahead() if len(drawn) else 0.0
    wanted = Wanted(Purpose.CHECK, tuple(rank for rank, _ in lack), tuple(number for _, number in lack))
    return Ask((wanted,), asked=certified.asked, ahead=max(round(min(ahead, desk.urn.left)), len(lack)))


def _failed(why: str, certified: Certified) -> Refused:
    return Refused(
        why=why,
        take="a clearer question or other annotators, and a new freeze, which learns from the owner's answers; or "
        "--no-check, and the certificate says that errors which people make together are not counted",
        asked=certified.asked,
    )
