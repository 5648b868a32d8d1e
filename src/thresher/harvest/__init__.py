"""Candidates into a pool: what is new is fetched or read, decoded, and stored; what is known is passed over."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from thresher.compute import careful, open_compute
from thresher.harvest.admit import Verdict, admit, one_by_one
from thresher.harvest.candidates import CHUNK_IMAGES, Candidate, Source, batches
from thresher.records import NewImage, Origin, Progress, Refusal
from thresher.settings import Settings
from thresher.store.contract import Report, Store

__all__ = ["Harvested", "Source", "harvest"]

LOOK_UP = 500
"""Names looked up at once."""


@dataclass(frozen=True, slots=True)
class Harvested:
    """How a harvest went: of the candidates `seen`, how many were `new` to the pool, `known` to it, or `refused`."""

    new: int = 0
    known: int = 0
    refused: int = 0
    seen: int = 0

    def and_more(self, more: "Harvested") -> "Harvested":
        """Both taken together."""
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
    """Admit a source's pictures to the pool of a category, with their origin; the bytes are kept untouched.

    What is refused is recorded with its reason. Run again after any interruption it passes over what is in the pool
    already, and tries again what was refused. `settings.compute` decodes; this process alone writes, in the order of
    the source, so that the same folder gives the same rows (docs/decisions/0004-one-process-writes-a-harvest.md).
    Raises NotFound for a category nobody has, BadInput for a source that is damaged further on, StoreFull.
    """
    store.categories.get(category)
    run = _Run(category, source, store, Origin(source.name, at_ms=now_ms), report, stop)
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
    """One harvest: what it writes to, and its counts."""

    category: str
    source: Source
    store: Store
    origin: Origin
    report: Report | None
    stop: Callable[[], bool] | None
    new: int = 0
    known: int = 0
    refused: int = 0

    def unknown(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        """Pass over what is in the pool, and add what the workspace has from elsewhere, without reading either."""
        for batch in batches(candidates, count=LOOK_UP, weigh=lambda candidate: len(candidate.data or b"")):
            if self.stop is not None and self.stop():
                return
            passed = self._passed(batch)
            if any(passed):
                self.tell()
            yield from (candidate for candidate, known in zip(batch, passed, strict=True) if not known)

    def _passed(self, batch: list[Candidate]) -> list[bool]:
        """Which candidates need no look, counted and, where the workspace had them, put into the pool."""
        found = self.store.images.find([candidate.name for candidate in batch])
        rows = list(dict.fromkeys(row for row in found if row is not None))
        held = dict(zip(rows, self.store.categories.pool_holds(self.category, rows), strict=True))
        if not self.source.remote:
            sizes = {image.row: image.bytes for image in self.store.images.many([row for row in rows if held[row]])}
            passed = [
                row in sizes and self._same(candidate, row, sizes[row])
                for candidate, row in zip(batch, found, strict=True)
            ]
            self.known += sum(passed)
            return passed
        # a URL names the same picture in every category
        urls = {row: c.name for c, row in zip(batch, found, strict=True) if row is not None and not held[row]}
        new = self.store.categories.pool_add(self.category, list(urls), self.origin, list(urls.values())) if urls else 0
        self.new += new
        self.known += sum(row is not None for row in found) - new
        return [row is not None for row in found]

    def _same(self, candidate: Candidate, row: int, size_bytes: int) -> bool:
        """Whether an image of that name is this file: another folder may have a file of the same name."""
        origin = self.store.categories.origin(self.category, row)
        return origin.source == self.source.name and size_bytes == candidate.size_bytes

    def keep(self, verdicts: list[Verdict]) -> None:
        """Store what was admitted, then put it into the pool: killed in between, the next run does the second again."""
        images = [verdict for verdict in verdicts if isinstance(verdict, NewImage)]
        refusals = [verdict for verdict in verdicts if isinstance(verdict, Refusal)]
        if images:
            names = {
                row: image.aliases[0].value for row, image in zip(self.store.images.put(images), images, strict=True)
            }
            queries = list(names.values()) if self.source.remote else ()
            new = self.store.categories.pool_add(self.category, list(names), self.origin, queries)
            self.new += new
            self.known += len(images) - new
        if refusals:
            self.store.categories.refuse(self.category, refusals)
            self.refused += len(refusals)
        self.tell()

    def came_to(self) -> Harvested:
        """The counts as they stand."""
        return Harvested(self.new, self.known, self.refused, self.new + self.known + self.refused)

    def tell(self, *, ended: bool = False) -> None:
        """Report how far it is; a total that was a guess is known at the end."""
        if self.report is not None:
            done = self.came_to().seen
            self.report(Progress("harvest", done, done if ended else max(self.source.expected(), done), "images"))
