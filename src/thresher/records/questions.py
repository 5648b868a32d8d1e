"""Questions and their targets; labels and gold."""

from dataclasses import dataclass, field
from typing import Final

from thresher.records.words import Purpose, Says, Source

TRUSTED: Final = {"people": (Source.OWNER, Source.ADJUDICATED), "owner": (Source.OWNER,)}
"""The sources of the labels that are taken for the truth, by `Targets.truth`, the most trusted first."""

DELTA_BELOW: Final = 0.5
"""A promise may be false with a probability below this: the evidence needs it (evidence/martingale.py, fact 3)."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The owner's targets for the released set, and the budget (`answers`, None for no limit).

    `truth` is the ground truth of a certificate: "people" (adjudicated answers) or "owner" (only the owner is asked
    about the images it depends on). `check`: the owner checks a random part of what is released; None: if annotators
    are strangers who are paid. `chosen` says why, and for which price, `method` was chosen by the loop, which chooses
    again until the pool is frozen; it is empty if the owner named the method.
    """

    precision: float = 0.95
    recall: float = 0.90
    delta: float = 0.05
    answers: int | None = None
    method: str = "cascade"
    truth: str = "people"
    check: bool | None = None
    chosen: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One wording of a category's question. Votes belong to the version they answered."""

    version: int
    text: str
    instructions: str = ""
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Category:
    """One yes/no question over a pool of images."""

    name: str
    question: Question
    targets: Targets = field(default_factory=Targets)
    exclusive: str = ""
    created_ms: int = 0


@dataclass(frozen=True, slots=True)
class Label:
    """What is held true of an image for a question, with its source and the purpose it was asked for."""

    row: int
    says: Says
    source: Source
    purpose: Purpose
    version: int
    at_ms: int
    posterior: float = 1.0
    votes: int = 0
    epoch: int = 0
    draw: int = -1


@dataclass(frozen=True, slots=True)
class Gold:
    """A label good enough to check workers by. `shown` and `missed` count good workers' answers on it.

    Its source is the owner if the owner answered, also as an adjudication: only such gold may reject anybody.
    """

    row: int
    says: Says
    version: int
    source: Source
    shown: int = 0
    missed: int = 0
    retired: str = ""

    @property
    def confirmed(self) -> bool:
        """Whether the owner confirmed it."""
        return self.source is Source.OWNER
