"""What every compute shares: pickling a job, reporting each result, and errors."""

import pickle
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any

from thresher.compute.contract import Item, Report, Result
from thresher.errors import JobFailed
from thresher.records import Progress


def packed(job: Callable[[Item], Result]) -> bytes:
    """The job, pickled. Raises JobFailed if it cannot be."""
    try:
        return pickle.dumps(job)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise JobFailed(f"the job cannot be sent to a process ({error}).", where=name_of(job)) from error


def reported(results: Iterator[Result], items: Iterable[Item], report: Report | None) -> Iterator[Result]:
    """The results, with `report` called after each; the total is 0 if the items cannot be counted."""
    total = len(items) if isinstance(items, Sized) else 0
    for done, result in enumerate(results, 1):
        if report is not None:
            report(Progress("work", done, total, "items"))
        yield result


def name_of(job: Callable[..., Any]) -> str:
    """The name of a job in errors; a partial has the name of the function it wraps."""
    inner = getattr(job, "func", job)
    return f"job {getattr(inner, '__name__', type(inner).__name__)}"


def failed(job: Callable[..., Any], error: Exception) -> JobFailed:
    """A JobFailed for an error of the job that is not a ThresherError."""
    said = " ".join(str(error).split())[:500]
    return JobFailed(f"{type(error).__name__}: {said}", where=name_of(job))
