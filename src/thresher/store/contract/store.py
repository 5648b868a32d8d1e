"""The whole workspace."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from thresher.records import Assignment, Category, NewImage
from thresher.store.contract.asks import Asks
from thresher.store.contract.categories import Categories
from thresher.store.contract.columns import Columns
from thresher.store.contract.common import Report
from thresher.store.contract.images import Images, Renderings
from thresher.store.contract.jobs import Jobs, Servers
from thresher.store.contract.labels import Labels
from thresher.store.contract.lines import Lines
from thresher.store.contract.people import People
from thresher.store.contract.rounds import Rounds
from thresher.store.contract.transfer import Transfer
from thresher.store.contract.work import Work


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` compared, the problems it found, those it repaired, and those that `mend` would repair.

    `refused` are repairs that were not made because they are too large or the catalog is damaged, each with its next
    command; `notes` say what was moved, and how to bring it back.
    """

    counted: Mapping[str, int]
    found: tuple[str, ...]
    mended: tuple[str, ...]
    mendable: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether there were no problems, or all were repaired."""
        return len(self.found) == len(self.mended)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What `recover` did: images that got a row, how many of them the row that others name, and what was left.

    `restored` images were brought back from the quarantine; `unreadable` ones are no pictures or have changed.
    """

    new: int = 0
    again: int = 0
    restored: int = 0
    unreadable: int = 0


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
    servers: Servers
    lines: Lines
    transfer: Transfer
    """Plain lines out of the store and into it, for `store copy`; not for use while anybody works in the target."""

    @property
    def place(self) -> str:
        """Where the workspace is, as `open_store` takes it."""

    def secret(self) -> bytes:
        """32 random bytes made with the workspace; the key of every signed link. Never logged."""

    def check(
        self, *, mend: bool, every_byte: bool = False, force: bool = False, report: Report | None = None
    ) -> CheckReport:
        """Compare catalog, image bytes and columns; only with `mend` change anything.

        With `every_byte` each image, and each value of a column, is read and compared with its checksum, because a disk
        may change bytes by itself. Nothing is deleted: bytes that no row refers to are moved to the quarantine of the
        workspace. If they are many, or the catalog is damaged, they stay; `force` moves many too.
        """

    def changed(self, category: str) -> tuple[str, ...]:
        """What of the answers, labels, rounds and frozen evidence of a category does not match its checksums."""

    def recover(self, admit: Callable[[bytes], NewImage | None], *, report: Report | None = None) -> Recovered:
        """Bring the quarantine back, and make a row for each stored image that has none.

        `admit` reads the facts of an image from its bytes; None if they are no picture. An image gets the row that
        labels and pools still name where its place among the others tells which one that was, else a new row.
        """

    def close(self) -> None:
        """Close files and connections; calling it twice is fine."""


def as_category(category: Category | str, *, store: Store) -> Category:
    """A category as it is now, by its name; or as the caller read it, who goes by one version of its question.

    Raises NotFound.
    """
    return store.categories.get(category) if isinstance(category, str) else category


def every_assignment(category: str, *, store: Store, at_once: int = 500) -> Iterator[Assignment]:
    """The assignments of a category by id, which sorts by time, read in pages of `at_once`."""
    after = ""
    while page := store.work.page(category, after, at_once):
        yield from page
        after = page[-1].id
