"""The whole workspace."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from thresher.records import Assignment
from thresher.store.contract.asks import Asks
from thresher.store.contract.categories import Categories
from thresher.store.contract.columns import Columns
from thresher.store.contract.common import Report
from thresher.store.contract.images import Images, Renderings
from thresher.store.contract.jobs import Jobs
from thresher.store.contract.labels import Labels
from thresher.store.contract.lines import Lines
from thresher.store.contract.people import People
from thresher.store.contract.rounds import Rounds
from thresher.store.contract.transfer import Transfer
from thresher.store.contract.work import Work


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` compared, the problems it found, and those it repaired."""

    counted: Mapping[str, int]
    found: tuple[str, ...]
    mended: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether there were no problems, or all were repaired."""
        return len(self.found) == len(self.mended)


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
    lines: Lines
    transfer: Transfer
    """Plain lines out of the store and into it, for `store copy`; not for use while anybody works in the target."""

    @property
    def place(self) -> str:
        """Where the workspace is, as `open_store` takes it."""

    def secret(self) -> bytes:
        """32 random bytes made with the workspace; the key of every signed link. Never logged."""

    def check(self, *, mend: bool, every_byte: bool = False, report: Report | None = None) -> CheckReport:
        """Compare catalog, image bytes and columns; with `mend`, repair what an interrupted run left behind.

        With `every_byte` each image is read and compared with its SHA-256, because a disk may change bytes by itself.
        """

    def close(self) -> None:
        """Close files and connections; calling it twice is fine."""


def every_assignment(category: str, *, store: Store, at_once: int = 500) -> Iterator[Assignment]:
    """The assignments of a category by id, which sorts by time, read in pages of `at_once`."""
    after = ""
    while page := store.work.page(category, after, at_once):
        yield from page
        after = page[-1].id
