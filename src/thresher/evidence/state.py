"""The data types: what is frozen before the first draw, what is asked for, labels so far, and the result. No I/O."""

import hashlib
import json
from collections.abc import Generator, Mapping, Set
from dataclasses import asdict, dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from thresher.evidence.martingale import Prior
from thresher.records import Purpose

FORMAT = 2
"""The version of everything that is frozen and released: a freeze of another format is not continued."""

Ranks = NDArray[np.int64]
Codes = NDArray[np.int8]

NO_RANKS: Final[Ranks] = np.zeros(0, np.int64)


class Code(IntEnum):
    """A label as a number. An image that nobody can answer counts as the worst case, wherever it is ranked."""

    NO = 0
    YES = 1
    UNANSWERABLE = 2


NO_WORD = 3
"""What a procedure is told of a rank that has a label and no word; never stored."""


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
    """The results of adjudication on gold: how many were shown and missed, of each answer.

    `audited` of those shown were drawn at random by earlier audits, and so are like the images that audits draw; the
    others (the owner's first tasks, files) may be easier.
    """

    yes_shown: int = 0
    yes_missed: int = 0
    no_shown: int = 0
    no_missed: int = 0
    audited: int = 0


@dataclass(frozen=True, slots=True)
class Frozen:
    """All that a certificate depends on, fixed before the first audit draw; a release contains an exact copy.

    The `ranks` unlabelled images are ranked by score, best first, ties by id; `ranking` is the SHA-256 of their order,
    which stays outside. `known_yes` and `known_unanswerable` count the images labelled before, which are never random
    evidence. The last `said_no` ranks are images that people, not yet adjudicated, called no. `curve` is what the
    scores promise (planning only). `answers` is the budget of the methods that take one, `recall_answers` the part of
    it set aside to bound what was missed, `looks` the number of ranks right beyond the top rung that are looked at one
    by one before the first draw. `known` is the SHA-256 of the labels given before, and `copies` that of the images for
    which another one of their similar group counts (docs/certificate-format.md); `units` counts the images that count,
    ranked and known. `truth` says whose answers are the ground truth, and `at_ms` when it was frozen. `check_delta`
    is the part of delta for the owner's check (check.py), 0 without one.
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
    check_delta: float = 0.0
    format: int = FORMAT
    known: str = ""
    copies: str = ""
    units: int = 0
    truth: str = "people"
    at_ms: int = 0

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
class Corrections:
    """What became of labels since the freeze, where they say another thing today (corrections.py).

    Of the images known at the freeze: `known_lost` were yes and are not today, `known_found` are yes and were not,
    `known_open` became unanswerable, and `known_answered` were unanswerable and are not. Of the ranks with an answer in
    the log: `yes_lost` were yes at first and are not today, `open` have another label today that is not a no, or none.
    """

    known_lost: int = 0
    known_found: int = 0
    known_open: int = 0
    yes_lost: int = 0
    open: int = 0
    known_answered: int = 0


@dataclass(frozen=True, slots=True)
class OwnersCheck:
    """What the owner's check (check.py) has so far.

    A place is a rank, or beyond all ranks the number of an image known to be yes at the freeze, of which those `lost`
    are no yes today. `sets` has size and digest of each set that was checked, one an attempt; None where there is no
    log. `codes` are the owner's answers by place.
    """

    lost: frozenset[int] = frozenset()
    sets: tuple[tuple[int, str], ...] | None = None
    codes: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """The frozen description and the labels so far, by rank; together they determine the next step.

    `answers` are the evidence: the first label of each rank that holds (the owner's, or adjudicated) as the audit log
    has it, but UNANSWERABLE where the label of today is another one, so that a correction after the freeze may only
    hurt. `said` is what people said before adjudication, and matters only where a category's truth is adjudicated; a
    rank that got its label first has no word.
    `now` are the labels of today by rank, logged or not, which decide what is released; None where nothing was
    corrected. `accepted` has the digests of the sets whose audit began, by attempt; None where there is no log.
    `closed`: no more answers can come, as the budget is spent. `owners` are the ranks whose label of today is the
    owner's answer, which does not slip.
    """

    frozen: Frozen
    answers: Mapping[int, int] = field(default_factory=dict)
    said: Mapping[int, int] = field(default_factory=dict)
    now: Mapping[int, int] | None = None
    corrections: Corrections = Corrections()
    accepted: Mapping[int, str] | None = None
    closed: bool = False
    owners: Set[int] = frozenset()
    check: OwnersCheck = OwnersCheck()

    @property
    def today(self) -> Mapping[int, int]:
        """The labels of today by rank."""
        return self.answers if self.now is None else self.now

    @property
    def corrected(self) -> Frozen:
        """The frozen description with the counts of known images that corrections leave: the procedures' input.

        A yes that was lost, known or ranked, is taken off the known yes; an image that became unanswerable, or a ranked
        one whose first label was corrected to anything but no, is added to the unanswerable.
        """
        lost = self.corrections.known_lost + self.corrections.yes_lost
        opened = self.corrections.known_open + self.corrections.open
        frozen = self.frozen
        if not lost and not opened:
            return frozen
        known_yes, unanswerable = frozen.known_yes - lost, frozen.known_unanswerable + opened
        return replace(frozen, known_yes=known_yes, known_unanswerable=unanswerable)


@dataclass(frozen=True)
class Begun:
    """A set whose audit begins, numbered by `attempt`: the `ranks`, ascending, that follow from the cut."""

    attempt: int
    cut: int
    ranks: Ranks

    @cached_property
    def sha256(self) -> str:
        """The digest by which the audit log names it: SHA-256 over the ranks as big-endian numbers of 8 bytes."""
        return hashlib.sha256(self.ranks.astype(">i8").tobytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Want:
    """Labels that a procedure asks for: `ranks` in draw order. If not `sure`, people's votes are enough.

    A rank that has a label already is then not asked about: without a word, it is answered NO_WORD.
    `partial`: if no more answers can come, the procedure continues with the labels of the first of these ranks, as far
    as each of them has one; otherwise it ends there. `further` are the next draws after these, in order: they may be
    asked for in advance, and are evaluated only when the procedure asks for them in its turn.

    One that `begins` the audit of a set asks for no labels: a set is fixed before its first draw, so it is logged. The
    answer is empty, or one code if another set was logged for this attempt, which is then used up.
    """

    purpose: Purpose
    ranks: Ranks
    first_draw: int = -1
    sure: bool = True
    partial: bool = False
    further: Ranks = field(default_factory=lambda: NO_RANKS)
    begins: Begun | None = None


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
    included. `further` are draws that will probably be asked for next: they may be asked for in advance. A set that
    `begins` to be audited, or that the owner `checks` (its size and digest), has to be logged first, and nothing else
    is asked.
    """

    wanted: tuple[Wanted, ...]
    asked: int
    ahead: int
    further: tuple[Wanted, ...] = ()
    begins: Begun | None = None
    checks: tuple[int, str] | None = None

    @property
    def images(self) -> int:
        """How many images it asks about; two audits may want the same one."""
        return len({rank for part in self.wanted for rank in part.ranks})


@dataclass(frozen=True, slots=True)
class Certified:
    """The targets are proven for the set of `delivered` images: the ranks below `accepted` and every yes people gave.

    A procedure counts the labels it asked for; `replay` counts all there are. `claim.py` has the sentences.
    """

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
