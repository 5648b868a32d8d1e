"""Harvest: candidates from a source become images of a pool. New ones are fetched or read, decoded, and stored."""

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

from thresher.compute import careful, open_compute
from thresher.harvest.admit import admit, one_by_one
from thresher.harvest.candidates import CHUNK_IMAGES, Candidate, Source, batches
from thresher.harvest.counts import Harvested
from thresher.harvest.run import Asked, Run
from thresher.records import Origin
from thresher.settings import Settings
from thresher.store.contract import Report, Store

__all__ = ["Harvested", "Source", "harvest"]


def harvest(
    category: str,
    source: Source,
    *,
    store: Store,
    settings: Settings,
    now_ms: int,
    report: Report | None = None,
    stop: Callable[[], bool] | None = None,
) -> Harvested:
    """Add a source's images to the pool of a category, with their origin; the bytes are stored unchanged.

    Each refusal is recorded with its reason. Run again after an interruption, it skips files that were read and have
    not changed since (known.py) and URLs that gave an image, and tries refused ones again. `settings.compute` decodes;
    only this process writes, in the order of the source, so that the same folder gives the same rows
    (docs/decisions/0004-one-process-writes-a-harvest.md). Raises NotFound for an unknown category, BadInput when the
    source turns out to be damaged, StoreFull.
    """
    store.categories.get(category)
    run = Run(category, source, store, Origin(source.name, at_ms=now_ms), report, stop)
    unknown = run.unknown(source.candidates(bytes_most=settings.fetch_bytes))
    job = partial(admit, bytes_most=settings.fetch_bytes, pixels=settings.pixels, at_ms=now_ms)
    compute = open_compute(settings.compute, settings, few=0 < source.expected() <= CHUNK_IMAGES)
    asked: deque[list[Asked]] = deque()

    def chunks() -> Iterator[list[Candidate]]:
        for chunk in _chunks(unknown, source, settings, stop):
            asked.append([run.asked(candidate) for candidate in chunk])
            yield chunk

    verdicts = compute.spread(
        job,
        chunks(),
        stop=stop,
        died=partial(one_by_one, job=job, at_ms=now_ms, compute=careful(settings)),
    )
    for some in verdicts:  # in the order of the chunks
        run.keep(asked.popleft(), some)
    if stop is None or not stop():
        run.tell(ended=True)
    return run.came_to()


def _chunks(
    unknown: Iterator[Candidate], source: Source, settings: Settings, stop: Callable[[], bool] | None
) -> Iterator[list[Candidate]]:
    if not source.remote:
        return batches(unknown, count=CHUNK_IMAGES, weigh=lambda candidate: candidate.size_bytes)
    from thresher.harvest.fetch import fetched  # here, for the network library is slow to import and often not needed

    return fetched(unknown, settings=settings, stop=stop)
