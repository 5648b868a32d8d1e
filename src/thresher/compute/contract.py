"""The promise of every compute, held by tests/contract/test_computes.py."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from thresher.records import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")
Report = Callable[[Progress], None]
Stop = Callable[[], bool]


class Compute(Protocol):
    """Does one job over many items, somewhere."""

    @property
    def places(self) -> int:
        """Items it works on at once, at most."""

    @property
    def threads(self) -> int:
        """Cores that one item may use, at least 1."""

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

        Items are taken from their iterator as places become free, never all at once. The job, the items and the
        results can be pickled, and the job is tried before the first item is taken. A job may be done again after an
        interruption, so it must be idempotent.

        `report` hears of each result in turn. Once `stop` answers True no further item is taken; those begun are
        finished. `died` answers for an item whose process was killed under it; without it that raises JobFailed. An
        error of ours travels as it is; any other becomes JobFailed.
        """
