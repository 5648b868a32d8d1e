"""The contract of every compute; tests/contract/test_computes.py checks it."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from thresher.records import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")
Report = Callable[[Progress], None]
Stop = Callable[[], bool]


class Compute(Protocol):
    """Runs one job over many items."""

    @property
    def places(self) -> int:
        """How many items it works on at once, at most."""

    @property
    def threads(self) -> int:
        """How many cores one item may use, at least 1."""

    def spread(
        self,
        job: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        report: Report | None = None,
        stop: Stop | None = None,
        died: Callable[[Item], Result] | None = None,
    ) -> Iterator[Result]:
        """Yield the job's result for each item, in the order of the items.

        Items are taken from their iterator as processes become free, never all at once. The job, the items and the
        results must be picklable; the job is pickled before the first item is taken. A job may run again after an
        interruption, so it must be idempotent.

        `report` is called after each result. When `stop` returns True no further item is taken; those that have started
        are finished. `died` gives the result for an item whose process was killed; without it that raises JobFailed. A
        ThresherError is raised as it is; any other error becomes JobFailed.
        """
