"""The data types: what is frozen before the first draw, what is asked for, labels so far, and the result. No I/O."""

import json
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from thresher.evidence.martingale import Prior
from thresher.records import Purpose

Ranks = NDArray[np.int64]
Codes = NDArray[np.int8]

NO_RANKS: Final[Ranks] = np.zeros(0, np.int64)


class Code(IntEnum):
    """A label as a number. An image that nobody can answer counts as the worst case, wherever it is ranked."""

    NO = 0
    YES = 1
    UNANSWERABLE = 2


@dataclass(frozen=True, slots=True)
class Promise:
    """The targets of a released set; a false certificate is issued with probability at most `delta`."""

    precision: float
    recall: float
    delta: float


@dataclass(frozen=True, slots=True)
class Rung:
    """A rank at which the accepted part may end, and the deltas of its two audits."""

    rank: int
    accept_delta: float
    reject_delta: float


@dataclass(frozen=True, slots=True)
class Gold:
    """The results of adjudication on gold: how many were shown and missed, of each answer."""

    yes_shown: int = 0
    yes_missed: int = 0
    no_shown: int = 0
    no_missed: int = 0


@dataclass(frozen=True, slots=True)
class Frozen:
    """All that a certificate depends on, fixed before the first audit draw; a release contains an exact copy.

    The `ranks` unlabelled images are ranked by score, best first, ties by id; `ranking` is the SHA-256 of their order,
    which stays outside. `known_yes` and `known_unanswerable` count the images labelled before, which are never random
    evidence. The last `said_no` ranks are images that people, not yet adjudicated, called no. `curve` is what the
    scores promise (planning only). `answers` is the budget of the methods that take one, `recall_answers` the part of
    it set aside to bound what was missed, `looks` the number of ranks right beyond the top rung that are looked at one
    by one before the first draw.
    """

    method: str
    promise: Promise
    epoch: int
    seed: str
    ranking: str
    ranks: int
    known_yes: int
    known_unanswerable: int
    curve: tuple[tuple[int, float], ...]
    ladder: tuple[Rung, ...]
    reject_from: int
    accept_prior: Prior
    reject_prior: Prior
    batch: int = 10
    answers: int = 0
    recall_answers: int = 0
    looks: int = 0
    said_no: int = 0
    adjudicated: int = 0
    gold: Gold | None = None

    def to_bytes(self) -> bytes:
        """Canonical JSON: equal descriptions give equal bytes."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Frozen":
        """The description, read back from its bytes."""
        raw: dict[str, Any] = json.loads(data)
        raw["promise"] = Promise(**raw["promise"])
        raw["curve"] = tuple((int(rank), float(yes)) for rank, yes in raw["curve"])
        raw["ladder"] = tuple(Rung(**rung) for rung in raw["ladder"])
        raw["gold"] = Gold(**raw["gold"]) if raw["gold"] else None
        for name in ("accept_prior", "reject_prior"):
            raw[name] = Prior(tuple((float(weight), float(a), float(b)) for weight, a, b in raw[name]["parts"]))
        return cls(**raw)


@dataclass(frozen=True, slots=True)
class State:
    """The frozen description and the labels so far, by rank; together they determine the next step.

    `answers` are labels that hold (the owner's, or adjudicated); `said` is what people said before adjudication, and
    matters only where a category's truth is adjudicated. `closed`: no more answers can come, as the budget is spent.
    """

    frozen: Frozen
    answers: Mapping[int, int] = field(default_factory=dict)
    said: Mapping[int, int] = field(default_factory=dict)
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Want:
    """Labels that a procedure asks for: `ranks` in draw order. If not `sure`, people's votes are enough.

    `partial`: if no more answers can come, the procedure continues with the labels of the first of these ranks, as far
    as each of them has one; otherwise it ends there. `further` are the next draws after these, in order: they may be
    asked for in advance, and are evaluated only when the procedure asks for them in its turn.
    """

    purpose: Purpose
    ranks: Ranks
    first_draw: int = -1
    sure: bool = True
    partial: bool = False
    further: Ranks = field(default_factory=lambda: NO_RANKS)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part of an ask: the ranks that still lack a label, each with the number of its draw (-1 in the middle)."""

    purpose: Purpose
    ranks: tuple[int, ...]
    draws: tuple[int, ...]
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    """Labels that are needed before the procedure can continue; all of them may be asked for at once.

    `asked` counts the answers that this freeze has cost so far, `ahead` those the planner still expects, these
    included. `further` are draws that will probably be asked for next: they may be asked for in advance.
    """

    wanted: tuple[Wanted, ...]
    asked: int
    ahead: int
    further: tuple[Wanted, ...] = ()

    @property
    def images(self) -> int:
        """How many images it asks about; two audits may want the same one."""
        return len({rank for part in self.wanted for rank in part.ranks})


@dataclass(frozen=True, slots=True)
class Certified:
    """The targets are proven for the set of `delivered` images: the ranks below `accepted` and every yes people gave.

    A procedure counts the labels it asked for, and leaves `claim` open for `replay`, which counts all there are.
    """

    claim: str
    precision: float | None
    recall: float | None
    delta: float
    accepted: int
    rejected: int
    delivered: int
    asked: int
    counts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Refused:
    """No certificate: why, and what it would take. `spent`: because the budget ended before the audits did."""

    why: str
    take: str
    ahead: int | None = None
    asked: int = 0
    spent: bool = False


Step = Ask | Certified | Refused
Asking = tuple[tuple[Want, ...], int]
Answers = tuple[Codes, ...]
Procedure = Generator[Asking, Answers, Certified | Refused]
