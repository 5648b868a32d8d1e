"""The promises every store keeps, one sentence each; tests/contract/ holds every store to them.

A store is opened by `thresher.store.open_store(place, settings)`: one object with a part for each story. All calls
are synchronous and safe from any thread and any number of processes (docs/decisions/0002-one-synchronous-store.md).
Times are given in UTC milliseconds by the caller, so that a test can hold the clock. Arrays of rows are int64,
ascending where they are answered. What a call has returned from survives `kill -9`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from thresher.records import (
    Alias,
    Ask,
    Assignment,
    Category,
    Dealt,
    Given,
    Gold,
    Image,
    Invite,
    Job,
    Label,
    NewAsk,
    NewImage,
    Origin,
    Progress,
    Purpose,
    Question,
    Refusal,
    Release,
    Rendering,
    Review,
    Round,
    Targets,
    Task,
    Vote,
    Worker,
)
from thresher.store.transfer import Transfer

Rows = NDArray[np.int64]
Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Tally:
    """The maintained counters of a category: reading them costs the same at a thousand images and at a million.

    Every human answer that was sent is in one of `answers` (on asked images), `gold_answers` and `owner_answers`.
    Asks and labels are those of the newest version of the question; of labels, one a row, the most trusted.
    """

    images: int = 0
    refused: int = 0
    answers: int = 0
    gold_answers: int = 0
    owner_answers: int = 0
    asks_open: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    tasks_open: int = 0
    assignments: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` compared, what it found wrong, and what it mended."""

    counted: Mapping[str, int]
    found: tuple[str, ...]
    mended: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Nothing is wrong, or all that was is mended."""
        return len(self.found) == len(self.mended)


class Images(Protocol):
    """Encoded bytes, stored once and untouched; a row for each, given when it is committed."""

    fetch_reference: Callable[[Image], bytes] | None
    """Gets the bytes of an image kept by reference; None, or what whoever opened the store has handed in."""

    def put(self, batch: Sequence[NewImage]) -> list[int]:
        """Store images and their aliases and answer their rows in order; a known SHA-256 keeps its row and bytes.

        A known image kept by reference, or one whose bytes were lost, gains the bytes that come with it now.

        Bytes first, then the catalog: a crash between leaves bytes that `check` reclaims, never a row without bytes.
        An image with the fingerprint of an earlier one joins its similar group.
        """

    def get(self, row: int) -> Image:
        """The image of a row, aliases included. Raises NotFound."""

    def many(self, rows: Sequence[int] | Rows) -> list[Image]:
        """The images of rows, in the order asked, without aliases. Raises NotFound."""

    def find(self, names: Sequence[str]) -> list[int | None]:
        """The row of each name, which is a SHA-256 or any alias's value; None where nobody has it.

        Where several images have the name (two folders with a 1.jpg) it is the lowest row.
        """

    def aliases(self, rows: Sequence[int] | Rows) -> dict[int, tuple[Alias, ...]]:
        """All further names of each row."""

    def read(self, row: int) -> bytes:
        """The untouched bytes of one image. Raises NotFound, StoreDamaged; NotReady for a reference nothing fetches."""

    def read_many(self, rows: Sequence[int] | Rows) -> Iterator[bytes]:
        """The bytes of rows, in the order asked."""

    def page(self, after_row: int, limit: int) -> list[Image]:
        """The next images by row, without aliases."""

    def count(self) -> int:
        """How many images there are; rows run from 0, and may have gaps."""

    def top(self) -> int:
        """One more than the highest row: the length of a column."""

    def similar(self, rows: Rows) -> Rows:
        """For each row the row that represents its similar group."""


class Renderings(Protocol):
    """Images as people see them, kept where the bytes themselves lie elsewhere."""

    def get(self, row: int, long_side: int) -> Rendering | None:
        """An image at a size; None where nobody has seen it so, or what was kept is damaged."""

    def keep(self, row: int, long_side: int, rendering: Rendering) -> None:
        """Keep one, in the place of an earlier one."""


class Categories(Protocol):
    """One yes/no question each, over a pool of the workspace's images."""

    def create(self, category: Category) -> None:
        """Add a category with version 1 of its question. Raises AlreadyThere."""

    def get(self, name: str) -> Category:
        """A category with the newest version of its question. Raises NotFound naming the known ones."""

    def all(self) -> list[Category]:
        """Every category, by name."""

    def reword(self, name: str, text: str, instructions: str, at_ms: int) -> Question:
        """Start the next version of a question; earlier votes keep theirs."""

    def questions(self, name: str) -> list[Question]:
        """Every version, oldest first."""

    def aim(self, name: str, targets: Targets) -> None:
        """Replace the targets."""

    def pool_add(self, name: str, rows: Sequence[int], origin: Origin, queries: Sequence[str] = ()) -> int:
        """Add rows to the pool and answer how many were new; one known to the pool keeps its first origin.

        `queries`, when given, holds one query (or URL) for each row in place of the origin's.
        """

    def pool(self, name: str) -> Rows:
        """Every row of the pool."""

    def pool_page(self, name: str, after_row: int, limit: int) -> list[int]:
        """The next rows of the pool."""

    def pool_holds(self, name: str, rows: Sequence[int]) -> list[bool]:
        """Whether each row is in the pool."""

    def origin(self, name: str, row: int) -> Origin:
        """How a row came into the pool. Raises NotFound."""

    def refuse(self, name: str, refusals: Sequence[Refusal]) -> None:
        """Record candidates that were not admitted; the same name and reason again is not counted twice."""

    def refusals(self, name: str, after: int, limit: int) -> list[tuple[int, Refusal]]:
        """The next refusals with their keys, oldest first."""

    def refusal_counts(self, name: str) -> dict[str, int]:
        """How many were refused for each reason."""

    def tally(self, name: str) -> Tally:
        """The category's counters."""


class Labels(Protocol):
    """What is held true: labels with source and purpose; gold; and the votes they come from."""

    def hold(self, category: str, labels: Sequence[Label]) -> None:
        """Keep labels; one of the same row, version and source replaces the earlier one."""

    def drop(self, category: str, version: int, source: str, rows: Sequence[int]) -> None:
        """Forget labels of one source, as when their votes were rejected."""

    def held(self, category: str, version: int) -> list[Label]:
        """One label a row, the most trusted source's, by row."""

    def all_of(self, category: str, version: int) -> list[Label]:
        """Every label of every source, by row and source."""

    def of(self, category: str, version: int, row: int) -> Label | None:
        """The most trusted label of one row."""

    def gild(self, category: str, gold: Sequence[Gold]) -> None:
        """Make images gold, or replace what is known of them."""

    def gold(self, category: str, version: int, *, retired: bool = False) -> list[Gold]:
        """The gold in use by row, or with `retired` all of it."""

    def score_gold(self, category: str, version: int, right: Sequence[int], wrong: Sequence[int]) -> None:
        """Count good workers' answers on gold rows."""

    def retire_gold(self, category: str, version: int, row: int, why: str) -> None:
        """Stop checking workers by an image."""

    def votes(self, category: str, version: int, rows: Sequence[int] | None = None) -> list[Vote]:
        """Valid answers on asked images (from accepted and weighted assignments), by row, then time."""

    def gold_record(self, category: str, version: int, worker: str) -> tuple[int, int, int, int]:
        """A worker's gold over all reviewed assignments: yes right, yes shown, no right, no shown."""

    def gold_answers(self, category: str, version: int) -> list[tuple[int, str, str]]:
        """Reviewed answers on gold as (row, worker, says), rejected assignments left out."""


class Asks(Protocol):
    """Wishes for human answers, and the tasks that carry them."""

    def wish(self, category: str, version: int, asks: Sequence[NewAsk]) -> int:
        """Add wishes and answer how many were new; one like an open ask (row, purpose, epoch) is left out."""

    def waiting(self, category: str, version: int, limit: int, *, owner_only: bool = False) -> list[Ask]:
        """Asks not yet in a task, highest priority first, then by draw and id.

        `owner_only` picks those for the owner (adjudicate, mine gold); otherwise those are left out.
        """

    def withdraw(self, category: str, version: int, purposes: Sequence[Purpose]) -> int:
        """Drop asks that no task carries yet and answer how many."""

    def open_counts(self, category: str, version: int) -> dict[str, int]:
        """Asks whose votes are not all in, by purpose: waiting and in tasks alike."""

    def open_rows(self, category: str, version: int) -> Rows:
        """Rows with an open ask."""

    def publish(
        self, category: str, version: int, name: str, asks: Sequence[int], *, places: int, owner_only: bool, at_ms: int
    ) -> Task | None:
        """Bind waiting asks into a task, all or none: None when another process took one of them first."""

    def task(self, number: int) -> Task:
        """A task by its number. Raises NotFound."""

    def tasks(self, category: str, after_number: int, limit: int) -> list[Task]:
        """The next tasks by number."""

    def of_task(self, number: int) -> list[Ask]:
        """The asks a task carries, in the order of its rows. Raises NotFound."""


class Work(Protocol):
    """Assignments: leases on tasks, drafts apart from final answers, reviews."""

    def take(
        self, category: str, version: int, worker: str, *, owner: bool, now_ms: int, lease_ms: int
    ) -> Assignment | None:
        """Lease a task with a free place that shows the worker no image they were asked before.

        The same worker gets an unfinished assignment back. The owner gets owner-only tasks first and then any other;
        nobody else gets an owner-only one. Two servers never give one place twice. None when no task fits. The new
        assignment's `dealt` is empty: `set_dealt` follows.
        """

    def offer(self, category: str, version: int, worker: str, *, owner: bool) -> Task | None:
        """The task that `take` would lease to this worker now, an unfinished one included; nothing is leased."""

    def set_dealt(self, assignment: str, dealt: Sequence[Dealt]) -> Assignment:
        """Fix the images and gold of a leased assignment, once; a second call answers what the first fixed."""

    def get(self, assignment: str) -> Assignment:
        """An assignment by its id. Raises NotFound."""

    def seen_gold(self, category: str, worker: str) -> Rows:
        """Gold rows this worker has been shown, the longest ago first (the one place where rows are not ascending)."""

    def asked(self, category: str, worker: str) -> Rows:
        """Rows this worker was asked about."""

    def draft(
        self, assignment: str, given: Sequence[Given], *, sequence: int, now_ms: int, lease_ms: int
    ) -> Assignment:
        """Keep answers that may still change and renew the lease; an older `sequence` than the last one is ignored.

        Raises Gone when the lease has ended or the assignment was sent.
        """

    def drafts(self, assignment: str) -> tuple[int, list[Given]]:
        """The last sequence number and the drafts, by position."""

    def send(self, assignment: str, answers: Sequence[Given], now_ms: int) -> Assignment:
        """Store the whole assignment in one immutable write and erase its drafts.

        The same answers again are answered the same. Raises Gone when the lease ended, Conflict when other answers were
        sent before, BadInput when positions are missing or twice.
        """

    def give_back(self, assignment: str, now_ms: int) -> None:
        """End a lease by the worker's wish: drafts erased, the place free again."""

    def expire(self, now_ms: int) -> int:
        """End the leases that are over: drafts erased and counted, places free again. Answers how many."""

    def unreviewed(self, category: str) -> list[Assignment]:
        """Sent assignments the gate has not decided on, oldest first."""

    def review(self, assignment: str, review: Review) -> Assignment:
        """Record the gate's decision, once; a rejected one frees its place and its answers count for nothing."""

    def page(self, category: str, after: str, limit: int) -> list[Assignment]:
        """The next assignments by id, which sorts by time."""

    def of_worker(self, worker: str, task: int | None = None) -> list[Assignment]:
        """Every assignment of a worker, of one task or of all, newest first."""


class People(Protocol):
    """Workers and the invites that mint them."""

    def invite(self, invite: Invite) -> None:
        """Add an invite."""

    def invites(self) -> list[Invite]:
        """Every invite, newest first."""

    def get_invite(self, invite: str) -> Invite:
        """An invite by its id. Raises NotFound."""

    def revoke(self, invite: str, at_ms: int) -> None:
        """End an invite; the links it minted stay."""

    def add(self, worker: Worker) -> None:
        """Add a worker; the same id again changes nothing."""

    def get(self, worker: str) -> Worker:
        """A worker by id. Raises NotFound."""

    def all(self) -> list[Worker]:
        """Every worker, by id."""

    def joined(self, invite: str) -> int:
        """How many workers an invite has brought."""


class Columns(Protocol):
    """Features and scores: one matrix a name, indexed by row, memory-mapped, written in chunks.

    Names are like "features/efficientnet-lite0" and "scores/car/3": parts of [a-z0-9.+_-], joined by "/".
    """

    def create(self, name: str, width: int, dtype: str = "float16") -> None:
        """Make a column, or check that it is there with this width and dtype. Raises Conflict."""

    def write(self, name: str, rows: Rows, values: NDArray[Any]) -> None:
        """Write values [n, width]; a row counts as present only once its values are whole."""

    def missing(self, name: str, rows: Rows) -> Rows:
        """The rows that are not present."""

    def view(self, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The whole matrix [top, width], mapped and read-only, and which rows are present. Raises NotFound."""

    def names(self) -> list[str]:
        """Every column."""

    def drop(self, name: str) -> None:
        """Remove a column; one that is not there is no error."""


class Rounds(Protocol):
    """Trainings, the frozen states of certificates, and releases."""

    def add(self, round: Round, head: bytes) -> None:  # noqa: A002 -- the design's word
        """Record a finished round and its head. Raises AlreadyThere for a number that exists."""

    def head(self, category: str, number: int) -> bytes:
        """The trained head of a round."""

    def latest(self, category: str, version: int) -> Round | None:
        """The newest round of a question's version."""

    def all(self, category: str) -> list[Round]:
        """Every round of a category, oldest first."""

    def keep_evidence(self, category: str, epoch: int, name: str, data: bytes) -> None:
        """Keep a piece of a certificate's frozen state, once; the same piece with other bytes raises Conflict."""

    def evidence(self, category: str, epoch: int, name: str) -> bytes | None:
        """A kept piece, or None."""

    def epochs(self, category: str) -> list[int]:
        """The epochs that have kept evidence."""

    def add_release(self, release: Release) -> None:
        """Record a release."""

    def releases(self, category: str) -> list[Release]:
        """Every release of a category, oldest first."""


class Jobs(Protocol):
    """Records of separate processes, and leases that let only one of a kind run."""

    def start(self, job: Job) -> None:
        """Record a job."""

    def get(self, job: str) -> Job:
        """A job by id. Raises NotFound."""

    def all(self, limit: int = 100) -> list[Job]:
        """The newest jobs first."""

    def beat(self, job: str, now_ms: int, *, done: int, total: int, message: str) -> bool:
        """Record progress; answers whether the job was asked to stop."""

    def finish(self, job: str, state: str, message: str, now_ms: int) -> None:
        """Record how a job ended: "done", "failed" or "cancelled"."""

    def cancel(self, job: str) -> None:
        """Ask a job to stop at its next heartbeat."""

    def lease(self, name: str, owner: str, now_ms: int, lease_ms: int) -> bool:
        """Take or renew a named lease; False while another owner's has not run out."""

    def release(self, name: str, owner: str) -> None:
        """Give a named lease back."""

    def leased(self, name: str, now_ms: int) -> bool:
        """Whether anybody holds a named lease that has not run out."""


class Store(Protocol):
    """A whole workspace."""

    images: Images
    renderings: Renderings
    categories: Categories
    labels: Labels
    asks: Asks
    work: Work
    people: People
    columns: Columns
    rounds: Rounds
    jobs: Jobs
    transfer: Transfer
    """Plain lines out of the store and into it, for `store copy`; not for use while anybody works in the target."""

    @property
    def place(self) -> str:
        """Where the workspace is, as `open_store` takes it."""

    def secret(self) -> bytes:
        """32 random bytes made with the workspace: the key of every signed link. Never logged."""

    def check(self, *, mend: bool, every_byte: bool = False, report: Report | None = None) -> CheckReport:
        """Compare catalog, image bytes and columns; with `mend` repair what an interrupted run left.

        With `every_byte` each picture is read and compared with its SHA-256, for a disk may change what nobody wrote.
        """

    def close(self) -> None:
        """Let go of files and connections; calling it twice is fine."""


def chunks(rows: Rows, size: int) -> Iterable[Rows]:
    """Rows in chunks of at most `size`, the unit of work of every stage."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
