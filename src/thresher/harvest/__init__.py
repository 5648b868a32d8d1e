"""Harvest: candidates from a source become images of a pool. New ones are fetched or read, decoded, and stored."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from thresher.compute import careful, open_compute
from thresher.harvest.admit import Verdict, admit, one_by_one
from thresher.harvest.candidates import CHUNK_IMAGES, Candidate, Source, batches
from thresher.harvest.similar import Compared, put_in_groups
from thresher.records import NewImage, Origin, Progress, Refusal
from thresher.settings import Settings
from thresher.store.contract import Report, Store

__all__ = ["Harvested", "Source", "harvest"]

LOOK_UP = 500
"""Names looked up at once."""


@dataclass(frozen=True, slots=True)
class Harvested:
    """The result of a harvest: of the candidates `seen`, those `new` to the pool, `known` to it, and `refused`."""

    new: int = 0
    known: int = 0
    refused: int = 0
    seen: int = 0

    def and_more(self, more: "Harvested") -> "Harvested":
        """The sum of two results."""
        return Harvested(
            self.new + more.new, self.known + more.known, self.refused + more.refused, self.seen + more.seen
        )


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

    Each refusal is recorded with its reason. Run again after an interruption, it skips images that are in the pool
    already, and tries refused ones again. `settings.compute` decodes; only this process writes, in the order of the
    source, so that the same folder gives the same rows (docs/decisions/0004-one-process-writes-a-harvest.md). Raises
    NotFound for an unknown category, BadInput when the source turns out to be damaged, StoreFull.
    """
    store.categories.get(category)
    run = _Run(category, source, store, Origin(source.name, at_ms=now_ms), store.images.top(), report, stop)
    unknown = run.unknown(source.candidates(bytes_most=settings.fetch_bytes))
    job = partial(admit, bytes_most=settings.fetch_bytes, pixels=settings.pixels, at_ms=now_ms)
    compute = open_compute(settings.compute, settings, few=0 < source.expected() <= CHUNK_IMAGES)
    verdicts = compute.spread(
        job,
        _chunks(unknown, source, settings, stop),
        stop=stop,
        died=partial(one_by_one, job=job, at_ms=now_ms, compute=careful(settings)),
    )
    for some in verdicts:
        run.keep(some)
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


@dataclass
class _Run:
    """One harvest: its destination, and its counts; rows from `top` on were added after it began."""

    category: str
    source: Source
    store: Store
    origin: Origin
    top: int
    report: Report | None
    stop: Callable[[], bool] | None
    new: int = 0
    known: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.same = Compared(self.store)

    def unknown(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        """Skip what is in the pool, and add what the workspace has from elsewhere, without reading either."""
        for batch in batches(candidates, count=LOOK_UP, weigh=lambda candidate: len(candidate.data or b"")):
            if self.stop is not None and self.stop():
                return
            passed = self._passed(batch)
            if any(passed):
                self.tell()
            yield from (candidate for candidate, known in zip(batch, passed, strict=True) if not known)

    def _passed(self, batch: list[Candidate]) -> list[bool]:
        """The candidates that need not be read: counted and, if the workspace has them, added to the pool."""
        found = self.store.images.find([candidate.name for candidate in batch])
        rows = list(dict.fromkeys(row for row in found if row is not None))
        held = dict(zip(rows, self.store.categories.pool_holds(self.category, rows), strict=True))
        if not self.source.remote:
            sizes = self._read_before([row for row in rows if held[row]])
            passed = [
                row in sizes and sizes[row] == candidate.size_bytes for candidate, row in zip(batch, found, strict=True)
            ]
            self.known += sum(passed)
            return passed
        # a URL names the same picture in every category
        urls = {row: c.name for c, row in zip(batch, found, strict=True) if row is not None and not held[row]}
        new = self.store.categories.pool_add(self.category, list(urls), self.origin, list(urls.values())) if urls else 0
        self.new += new
        self.known += sum(row is not None for row in found) - new
        return [row is not None for row in found]

    def _read_before(self, rows: list[int]) -> dict[int, int]:
        """The sizes of the images that an earlier run took from this source.

        Another folder may have a file of the same name. Images that this run added do not count: a tar may have two
        members of the same name.
        """
        before = [row for row in rows if row < self.top]
        origins = zip(before, self.store.categories.origins(self.category, before), strict=True)
        ours = [row for row, origin in origins if origin.source == self.source.name]
        return {image.row: image.bytes for image in self.store.images.many(ours)}

    def keep(self, verdicts: list[Verdict]) -> None:
        """Store admitted images, then add them to the pool; after a kill in between, the next run adds them."""
        images = [verdict for verdict in verdicts if isinstance(verdict, NewImage)]
        refusals = [verdict for verdict in verdicts if isinstance(verdict, Refusal)]
        if images:
            rows = put_in_groups(images, store=self.store, same=self.same)
            names = {row: image.aliases[0].value for row, image in zip(rows, images, strict=True)}
            queries = list(names.values()) if self.source.remote else ()
            new = self.store.categories.pool_add(self.category, list(names), self.origin, queries)
            self.new += new
            self.known += len(images) - new
        if refusals:
            self.store.categories.refuse(self.category, refusals)
            self.refused += len(refusals)
        self.tell()

    def came_to(self) -> Harvested:
        """The counts so far."""
        return Harvested(self.new, self.known, self.refused, self.new + self.known + self.refused)

    def tell(self, *, ended: bool = False) -> None:
        """Report progress; a total that was estimated is known at the end."""
        if self.report is not None:
            done = self.came_to().seen
            self.report(Progress("harvest", done, done if ended else max(self.source.expected(), done), "images"))
