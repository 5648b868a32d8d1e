"""Images kept by reference: a row for each line of a list; the bytes stay where they are and are not fetched here."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from thresher.errors import BadInput
from thresher.harvest.candidates import place_of, printable
from thresher.harvest.counts import Harvested
from thresher.harvest.sources.urls import LONGEST_URL
from thresher.records import Alias, NewImage, Origin, Progress, Refusal
from thresher.store.contract import Report, Store
from thresher.store.references import SCHEMES
from thresher.store.rules import is_hash
from thresher.tables import Row, names, open_table

LINES_AT_ONCE = 50_000  # what the directory store commits at once, and why: store/sqlite/images.py
URL = 1


def harvest_references(
    category: str,
    path: str | Path,
    *,
    store: Store,
    now_ms: int,
    report: Report | None = None,
    stop: Callable[[], bool] | None = None,
) -> Harvested:
    """Add the images of a table (sha256, url, width, height) to a pool, kept by reference.

    The columns `format` and `bytes` are optional.

    An unusable line is recorded as a refusal with file and line number, and the others are added; run again after an
    interruption, it quickly skips what is there. An image whose bytes are stored already keeps them.
    Raises NotFound for an unknown category, BadInput for a table that cannot be read, or is damaged further on.
    """
    store.categories.get(category)
    table = open_table(place_of(path), names.HASH, names.URL, names.WIDTH, names.HEIGHT)
    name = printable(table.path.name)
    origin = Origin(f"references:{name}", at_ms=now_ms)
    so_far = Harvested()
    lines = table.lines(*table.chosen, table.column(names.FORMAT), table.column(names.BYTES))
    with _uncollected():
        while batch := _read(name, islice(lines, LINES_AT_ONCE), now_ms):
            so_far = so_far.and_more(_keep(category, batch, store, origin))
            if report is not None:
                report(Progress("harvest", so_far.seen, 0))
            if batch.broken is not None:
                raise batch.broken
            if stop is not None and stop():
                break
    return so_far


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pause Python's cyclic garbage collector: there are no cycles, and it would scan 200,000 objects each time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@dataclass(slots=True)
class _Batch:
    """The result of some lines: images with their URLs, refusals, and whether the table broke off there."""

    images: list[NewImage] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    broken: BadInput | None = None

    def __bool__(self) -> bool:
        return bool(self.images or self.refused or self.broken)


def _read(name: str, lines: Iterator[Row], now_ms: int) -> _Batch:
    batch = _Batch()
    try:
        for number, values, what in lines:
            found = f"{what}." if what else _image(values)
            if isinstance(found, NewImage):
                batch.images.append(found)
                batch.urls.append(values[URL])
            else:
                batch.refused.append(Refusal(f"{name}, line {number}", "bad-line", found, now_ms))
    except BadInput as error:  # raised when what came before it is kept
        batch.broken = error
    return batch


def _keep(category: str, batch: _Batch, store: Store, origin: Origin) -> Harvested:
    new = store.categories.pool_add(category, store.images.put(batch.images), origin, batch.urls)
    if batch.refused:
        store.categories.refuse(category, batch.refused)
    known, refused = len(batch.images) - new, len(batch.refused)
    return Harvested(new=new, known=known, refused=refused, seen=new + known + refused)


def _image(line: Sequence[str]) -> NewImage | str:
    """The image of a line, or the problem with the line."""
    sha256, url, width, height, picture_format, size = line
    if not is_hash(sha256):
        return f"{sha256[:80]!r} is not a SHA-256 in lower-case hexadecimal."
    if not _is_url(url):
        return f"{url[:80]!r} is not a URL that images can be fetched from."
    try:
        wide, high, whole = int(width), int(height), int(size or 0)
    except ValueError:
        return f"width, height and bytes must be whole numbers, not {', '.join((width, height, size))[:80]!r}."
    if wide < 1 or high < 1 or whole < 0:
        return f"an image of {wide} x {high} pixels and {whole} bytes is impossible."
    return NewImage(sha256, None, wide, high, picture_format, bytes=whole, aliases=(Alias("url", url),))


def _is_url(text: str) -> bool:
    """Whether a text can be the URL of an image on the web or on an object store."""
    scheme, _, rest = text.partition("://")
    return (
        rest != ""
        and scheme.lower() in SCHEMES
        and len(text) <= LONGEST_URL
        and text.isprintable()
        and (" " not in text or " " not in rest.partition("/")[0])
    )
