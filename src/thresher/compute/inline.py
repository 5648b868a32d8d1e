"""Work in the calling process, one item after the other."""

from collections.abc import Callable, Iterable, Iterator

from thresher.compute.common import failed, packed, reported
from thresher.compute.contract import Compute, Item, Report, Result, Stop
from thresher.compute.cores import cores
from thresher.errors import ThresherError
from thresher.settings import Settings


class Inline:
    """contract.Compute in the calling process: it may use every core for one item."""

    places = 1

    @property
    def threads(self) -> int:
        """The number of cores of this process."""
        return cores()

    def spread(
        self,
        job: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        report: Report | None = None,
        stop: Stop | None = None,
        died: Callable[[Item], Result] | None = None,
    ) -> Iterator[Result]:
        """See contract.Compute; `died` is never called, because this process would have died too."""
        del died
        packed(job)  # a job that cannot be pickled fails here too, and not only on another machine
        return reported(_done(job, items, stop), items, report)


def _done(job: Callable[[Item], Result], items: Iterable[Item], stop: Stop | None) -> Iterator[Result]:
    for item in items:
        if stop is not None and stop():
            return
        try:
            result = job(item)
        except ThresherError:
            raise
        except Exception as error:
            raise failed(job, error) from error
        yield result


def open_inline(_place: str, _settings: Settings) -> Compute:
    """The calling process."""
    return Inline()
