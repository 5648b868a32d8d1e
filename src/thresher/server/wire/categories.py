"""Categories in the console: their targets and their state."""

from typing import Annotated, Literal

from pydantic import Field

from thresher.loop.ways import CHEAPEST
from thresher.server.wire.base import Name, Wire


class TargetsWire(Wire):
    """The targets of the released set, and the most answers it may cost (None for no limit).

    `recall` is 0 where labels that were made elsewhere are audited without a recall target. `check`: the owner checks a
    random part of what is released; None: if annotators are strangers who are paid. The method "cheapest" is chosen by
    its price until the pool is frozen: then `method` is the present choice, and `chosen` says why.
    """

    precision: Annotated[float, Field(gt=0, le=1)] = 0.95
    recall: Annotated[float, Field(ge=0, le=1)] = 0.90
    delta: Annotated[float, Field(gt=0, lt=1)] = 0.05
    answers: Annotated[int, Field(ge=1)] | None = None
    method: str = CHEAPEST
    truth: Literal["people", "owner"] = "people"
    check: bool | None = None
    chosen: str = ""


class NewCategory(Wire):
    """A category to add."""

    name: Name
    question: Annotated[str, Field(min_length=3, max_length=500)]
    instructions: Annotated[str, Field(max_length=5000)] = ""
    targets: TargetsWire = TargetsWire()


class GroundsWire(Wire):
    """What the yes were decided by: a label of their own, the decision on a copy (inherited), or their score."""

    labelled: int
    inherited: int
    scored: int


class Reword(Wire):
    """A change of the question: only its wording (`keep_answers`) or its instructions, another one, or an earlier one.

    None leaves the text or the instructions as they are. Another version needs `confirmed` if the one in force has
    answers, labels or gold.
    """

    question: Annotated[str, Field(min_length=3, max_length=500)] | None = None
    instructions: Annotated[str, Field(max_length=5000)] | None = None
    keep_answers: bool = False
    version: Annotated[int, Field(ge=1)] | None = None
    confirmed: bool = False


class WordingWire(Wire):
    """One wording of a question; the last of the list is asked now."""

    version: int
    text: str
    instructions: str
    at_ms: int


class GateWire(Wire):
    """Whether the gate can judge: with too little confirmed gold of a class it is provisional, and `says` why.

    `missing_yes` and `missing_no` are how many more images of each class are needed.
    """

    provisional: bool
    says: str
    missing_yes: int
    missing_no: int


class CategoryWire(Wire):
    """A category's state: its counts, what it waits for, and its answers so far.

    `certified` tells whether yes, no and unknown are those of a certificate; else scores, thresholds and labels decide.
    `gold_yes` and `gold_no` are confirmed by the owner.
    """

    name: str
    question: str
    version: int
    instructions: str
    targets: TargetsWire
    images: int
    refused: int
    yes: int
    no: int
    unknown: int
    yes_by: GroundsWire
    certified: bool
    labels: dict[str, int]
    gold_yes: int
    gold_no: int
    gate: GateWire
    asks_open: dict[str, int]
    answers: int
    gold_answers: int
    owner_answers: int
    reserved_answers: int
    tasks_open: int
    assignments: dict[str, int]
    rounds: int
    waits_for: str
    loop_running: bool
