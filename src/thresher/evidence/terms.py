"""The records that a freeze takes, and what a method fixes of them before the first draw. No I/O."""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from thresher.evidence.curve import Curve
from thresher.evidence.martingale import Prior
from thresher.evidence.noise import Slips, slips_of
from thresher.evidence.state import Gold, Promise, Rung


@dataclass(frozen=True, slots=True)
class Pool:
    """The unlabelled images in the order of their ranking, and counts of the labelled ones.

    `probabilities` [n] of being a yes, best score first. `known_yes` and `known_unanswerable` count images labelled
    before the freeze, of which `adjudicated` were adjudicated one by one (the owner's own labels need not be counted).
    The last `said_no` of the ranked images are those that people called no, without adjudication. The first `claimed`
    are those that labels made elsewhere call yes (labels.py).
    """

    probabilities: ArrayLike
    known_yes: int
    known_unanswerable: int = 0
    adjudicated: int = 0
    said_no: int = 0
    claimed: int = 0


@dataclass(frozen=True, slots=True)
class Draws:
    """The random draws of the audits: `seed` is 32 bytes in hexadecimal, a new one for each freeze (`epoch`).

    `ranking` is the SHA-256 of the images in their order, and `batch` the smallest number of draws to ask for at once.
    """

    seed: str
    epoch: int = 0
    ranking: str = ""
    batch: int = 10


@dataclass(frozen=True, slots=True)
class Means:
    """The budget of the audits: `answers`, of which `recall_answers` are reserved to bound the missed yes.

    `gold` shows how often adjudication errs; without it, the adjudicated answer is taken as true. If `check`, the owner
    checks the released set at the end. A method ignores the fields that it does not need.
    """

    answers: int = 0
    recall_answers: int = 0
    gold: Gold | None = None
    check: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """The input of a method's plan: the targets, the pool with its curve, and the delta that its audits share.

    `whole_delta` also has the part that bounds adjudication errors.
    """

    promise: Promise
    pool: Pool
    means: Means
    curve: Curve
    delta: float
    whole_delta: float

    @property
    def slips(self) -> Slips:
        """The error rates of adjudication that gold gives."""
        return slips_of(self.means.gold, self.whole_delta)

    @property
    def ranks(self) -> int:
        """The number of ranked images."""
        return int(self.curve.ranks[-1])


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a method fixes: the ladder of rungs, the first rejected rank, both priors, the ranks to label first."""

    ladder: tuple[Rung, ...]
    reject_from: int
    accept_prior: Prior
    reject_prior: Prior
    looks: int = 0
