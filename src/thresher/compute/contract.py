"""The promise of every way to spread work, held by tests/contract/."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from thresher.records import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")
Report = Callable[[Progress], None]
Stop = Callable[[], bool]


class Spread(Protocol):
    """Does one job over many items, somewhere.

    Results come in the order of the items. Items are taken from their iterator as places become free, never all at
    once. The job, the items and the results can be pickled, and the job is tried before the first item is taken. A
    job may be done again after an interruption, so it must be idempotent.
    """

    def __call__(
        self,
        job: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        processes: int,
        report: Report | None = None,
        stop: Stop | None = None,
        died: Callable[[Item], Result] | None = None,
    ) -> Iterator[Result]:
        """Yield the job's result for each item; `processes` 0 takes one a core, 1 works in the calling process.

        `report` hears of each result in turn. Once `stop` answers True no further item is taken; those begun are
        finished. `died` answers for an item whose process was killed under it; without it that raises JobFailed. An
        error of ours travels as it is; any other becomes JobFailed.
        """
