"""Categories: questions, pools, refusals and counters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, get_args

from thresher.records import Category, Origin, Question, Refusal, Targets
from thresher.store.contract.common import Rows


@dataclass(frozen=True, slots=True)
class Tally:
    """The counters of a category, updated with every write: reading them costs the same at any number of images.

    Every human answer that was sent is in one of `answers` (on asked images), `gold_answers` and `owner_answers`; what
    was rejected stays there. `reserved` is how many answers all open assignments may still bring, the sum of
    `Assignment.reserved`: no take raises `answered` + `reserved` above `Targets.answers` (work.py).
    Asks and labels are those of the question's version in force; of labels, one per row, the most trusted.
    """

    images: int = 0
    refused: int = 0
    answers: int = 0
    gold_answers: int = 0
    owner_answers: int = 0
    reserved: int = 0
    asks_open: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    tasks_open: int = 0
    assignments: Mapping[str, int] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        """How many answers people have sent, over all versions of the question: what a budget has paid for."""
        return self.answers + self.gold_answers + self.owner_answers


Part = Literal[
    "question", "pool", "votes", "labels", "gold", "asks", "rounds", "people", "columns", "repairs", "drafts"
]
PARTS: Final[tuple[Part, ...]] = get_args(Part)


@dataclass(frozen=True, slots=True)
class Mark:
    """The change mark of a category: one number for each kind of change; a write raises its number in its own commit.

    Two marks of the same store that are equal in a part: nothing of that part was changed in between. A part may move
    although nothing changed, never the other way round. People and embeddings are of all categories.

    | part | moved by |
    |---|---|
    | question | wordings, targets, claims (labels made elsewhere), words that rank the pool |
    | pool | images of the pool, and images of the workspace that got their bytes back |
    | votes | reviews, each by one: votes and reviewed answers on gold |
    | labels, gold | labels; gold, its counts and its retirement |
    | asks | asks, tasks, and assignments: taken, dealt, sent, reviewed, given back, expired |
    | rounds | rounds of training, frozen evidence, releases |
    | people | workers, invites, devices |
    | columns | values of embeddings and scores |
    | repairs | repairs and copies, which may change anything: they move all other parts too |
    | drafts | answers that may still change, and refused candidates: only pages show them |

    `wakes_ms` is the earliest end of an open lease of the category, 0 without one: what a turn does then (`expire`) is
    due without any write.
    """

    question: int = 0
    pool: int = 0
    votes: int = 0
    labels: int = 0
    gold: int = 0
    asks: int = 0
    rounds: int = 0
    people: int = 0
    columns: int = 0
    repairs: int = 0
    drafts: int = 0
    wakes_ms: int = 0

    @property
    def turn(self) -> tuple[int, ...]:
        """The parts that a turn of the loop reads: all but the drafts."""
        return tuple(getattr(self, part) for part in PARTS if part != "drafts")

    @property
    def page(self) -> tuple[int, ...]:
        """The parts that pages show: all."""
        return tuple(getattr(self, part) for part in PARTS)


class Categories(Protocol):
    """One yes/no question each, over a pool of the workspace's images."""

    def create(self, category: Category) -> None:
        """Add a category with version 1 of its question. Raises AlreadyThere."""

    def get(self, category: str) -> Category:
        """A category with the wording of its question that is in force. Raises NotFound naming the known categories."""

    def all(self) -> list[Category]:
        """Every category, by name."""

    def reword(
        self,
        category: str,
        text: str,
        instructions: str,
        at_ms: int,
        *,
        version: int | None = None,
        after: int | None = None,
    ) -> Question:
        """Put another wording in force: as the next version of the question, or of the `version` that there is.

        Votes keep their version: those of the version in force count. `after` is how many wordings the caller has read;
        Conflict if there are more by now. Raises NotFound for an unknown version.
        """

    def questions(self, category: str) -> list[Question]:
        """Every wording, oldest first, the last in force; a version occurs again if it was reworded or gone back to."""

    def aim(self, category: str, targets: Targets) -> None:
        """Replace the targets."""

    def pool_add(self, category: str, rows: Sequence[int], origin: Origin, queries: Sequence[str] = ()) -> int:
        """Add rows to the pool; returns how many were new. A row that is in the pool already keeps its first origin.

        `queries`, when given, holds one query (or URL) for each row in place of the origin's.
        """

    def pool(self, category: str) -> Rows:
        """Every row of the pool."""

    def pool_page(self, category: str, after_row: int, limit: int) -> list[int]:
        """The next rows of the pool."""

    def pool_holds(self, category: str, rows: Sequence[int]) -> list[bool]:
        """Whether each row is in the pool."""

    def find(self, category: str, names: Sequence[str]) -> list[list[int]]:
        """Every row of the pool for each name, ascending; a name is a SHA-256, or the value of any alias.

        Composed and decomposed letters (Unicode NFC and NFD) are equal in names. As in `images.find`, an image whose
        bytes are lost is not found, so that a harvest stores it again.
        """

    def origins(self, category: str, rows: Sequence[int] | Rows) -> list[Origin]:
        """The origins of rows in the pool, in the given order. Raises NotFound for a row that is not in it."""

    def refuse(self, category: str, refusals: Sequence[Refusal]) -> None:
        """Record refused candidates; the same name and reason is counted only once."""

    def refusals(self, category: str, after: int, limit: int) -> list[tuple[int, Refusal]]:
        """The next refusals with their keys, oldest first."""

    def refusal_counts(self, category: str) -> dict[str, int]:
        """How many were refused for each reason."""

    def tally(self, category: str) -> Tally:
        """The category's counters."""

    def mark(self, category: str) -> Mark:
        """The category's change mark. What is read afterwards is at least as new as the mark."""

    def marks(self) -> dict[str, Mark]:
        """The change mark of every category, by name."""
