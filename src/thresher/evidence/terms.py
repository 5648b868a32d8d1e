"""What a promise is frozen from, in records, and what its method fixes of it before the first draw. No I/O."""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from thresher.evidence.curve import Curve
from thresher.evidence.martingale import Prior
from thresher.evidence.state import Gold, Promise, Rung


@dataclass(frozen=True, slots=True)
class Pool:
    """The unlabelled images in the order of their ranking, and what is known of the others.

    `probabilities` [n] of being a yes, best score first. `known_yes` and `known_unanswerable` count images labelled
    before the freeze, of which `adjudicated` were adjudicated one by one (the owner's own labels need not be counted).
    The last `said_no` of the ranked images are those that people, not yet adjudicated, called no.
    """

    probabilities: ArrayLike
    known_yes: int
    known_unanswerable: int = 0
    adjudicated: int = 0
    said_no: int = 0


@dataclass(frozen=True, slots=True)
class Draws:
    """How the audits draw: `seed` is 32 bytes in hexadecimal, fresh for each `epoch`.

    `ranking` is the SHA-256 of the images in their order, and `batch` the fewest draws worth asking for at once.
    """

    seed: str
    epoch: int = 0
    ranking: str = ""
    batch: int = 10


@dataclass(frozen=True, slots=True)
class Means:
    """What the audits may use: `answers`, of which `recall_answers` are set aside to bound what was missed.

    `gold` shows how often adjudication slips; without it, its word is the truth. A method leaves what it has no use of.
    """

    answers: int = 0
    recall_answers: int = 0
    gold: Gold | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What a method plans from: the promise, the pool with its curve, and the delta that its audits share."""

    promise: Promise
    pool: Pool
    means: Means
    curve: Curve
    delta: float

    @property
    def ranks(self) -> int:
        """How many images are ranked."""
        return int(self.curve.ranks[-1])


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a method fixes: the ladder, where the rejected ranks begin, the priors of both urns, the ranks looked at."""

    ladder: tuple[Rung, ...]
    reject_from: int
    accept_prior: Prior
    reject_prior: Prior
    looks: int = 0
