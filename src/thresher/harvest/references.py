"""A catalog of pictures that stay where they are: a row for each line of a list, no bytes fetched."""

import csv
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from pathlib import Path

from thresher.errors import BadInput
from thresher.harvest import Harvested
from thresher.harvest.candidates import printable
from thresher.harvest.sources.urls import LONGEST_URL
from thresher.records import Alias, NewImage, Origin, Progress, Refusal
from thresher.store.contract import Report, Store
from thresher.store.references import SCHEMES
from thresher.store.rules import is_hash

LINES_AT_ONCE = 50_000  # what the directory store commits at once, and why: store/sqlite/images.py
HASH, URL, WIDTH, HEIGHT, FORMAT, BYTES = range(6)
COLUMNS = (("sha256", "image"), ("url",), ("width",), ("height",), ("format",), ("bytes",))
"""Names of the columns, in any case; `format` and `bytes` may be missing."""
NEEDED = 4


Line = tuple[int, Sequence[str]]
"""The number of a line, and its values in the order of COLUMNS."""


def harvest_references(
    category: str,
    path: str | Path,
    *,
    store: Store,
    now_ms: int,
    report: Report | None = None,
    stop: Callable[[], bool] | None = None,
) -> Harvested:
    """Add the pictures of a .csv or .parquet list (sha256, url, width, height) to a pool, kept by reference.

    A line that cannot be used is recorded as a refusal named by file and line, and the others go on; run again after
    an interruption it passes quickly over what is there. A picture whose bytes are stored already keeps them.
    Raises NotFound for a category nobody has, BadInput for a list that cannot be read.
    """
    store.categories.get(category)
    place = Path(path).expanduser()
    read = READERS.get(place.suffix.lower())
    if read is None:
        raise BadInput(f"a list of references ends in {' or '.join(READERS)}.", where=str(path))
    name = printable(place.name)
    origin = Origin(f"references:{name}", at_ms=now_ms)
    so_far = Harvested()
    lines = read(place)
    with _uncollected():
        while batch := _read(name, list(islice(lines, LINES_AT_ONCE)), now_ms):
            so_far = so_far.and_more(_keep(category, batch, store, origin))
            if report is not None:
                report(Progress("harvest", so_far.seen, 0))
            if stop is not None and stop():
                break
    return so_far


@contextmanager
def _uncollected() -> Iterator[None]:
    """Leave Python's collector of cycles aside: these are none, and it would walk 200,000 objects again and again."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@dataclass(frozen=True, slots=True)
class _Batch:
    """What some lines hold: images with their URLs, and what cannot be used."""

    images: list[NewImage]
    urls: list[str]
    refused: list[Refusal]


def _read(name: str, lines: list[Line], now_ms: int) -> _Batch | None:
    if not lines:
        return None
    batch = _Batch([], [], [])
    for number, line in lines:
        found = _image(line)
        if isinstance(found, NewImage):
            batch.images.append(found)
            batch.urls.append(line[URL])
        else:
            batch.refused.append(Refusal(f"{name}, line {number}", "bad-line", found, now_ms))
    return batch


def _keep(category: str, batch: _Batch, store: Store, origin: Origin) -> Harvested:
    new = store.categories.pool_add(category, store.images.put(batch.images), origin, batch.urls)
    if batch.refused:
        store.categories.refuse(category, batch.refused)
    known, refused = len(batch.images) - new, len(batch.refused)
    return Harvested(new=new, known=known, refused=refused, seen=new + known + refused)


def _image(line: Sequence[str]) -> NewImage | str:
    """The image of a line, or what is wrong with it."""
    sha256, url, width, height, picture_format, size = line
    if not is_hash(sha256):
        return f"{sha256[:80]!r} is no SHA-256 in lower-case hexadecimal."
    if not _is_url(url):
        return f"{url[:80]!r} is not a URL that pictures are fetched from."
    try:
        wide, high, whole = int(width), int(height), int(size or 0)
    except ValueError:
        return f"width, height and bytes are whole numbers, not {', '.join((width, height, size))[:80]!r}."
    if wide < 1 or high < 1 or whole < 0:
        return f"a picture of {wide} x {high} pixels and {whole} bytes cannot be."
    return NewImage(sha256, None, wide, high, picture_format, bytes=whole, aliases=(Alias("url", url),))


def _is_url(text: str) -> bool:
    """Whether a text may be the URL of a picture on the web or on an object store."""
    scheme, _, rest = text.partition("://")
    return (
        rest != ""
        and scheme.lower() in SCHEMES
        and len(text) <= LONGEST_URL
        and text.isprintable()
        and " " not in text
        and "\ufffd" not in text  # what was no UTF-8
    )


# --- kinds of file ----------------------------------------------------------------------------------------------------


def _csv(path: Path) -> Iterator[Line]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            lines = csv.reader(file)
            at = _columns(next(lines, []), path)
            pick, blanks = itemgetter(*at), [""] * (max(at) + 1)  # behind a short line, and at -1
            while True:
                try:
                    for line in lines:
                        if line:
                            yield lines.line_num, pick(line + blanks)
                    return
                except csv.Error:
                    yield lines.line_num, ("a line that is not CSV", "", "", "", "", "")
    except OSError as error:
        raise BadInput(f"{error.strerror or error}.", where=str(path), next="give a file that can be read") from error


def _parquet(path: Path) -> Iterator[Line]:
    from pyarrow import ArrowException, parquet  # here, for it is slow to import and few lists are tables

    try:
        with parquet.ParquetFile(path) as table:
            names = table.schema_arrow.names
            at = _columns(names, path)
            number = 0
            for batch in table.iter_batches(
                batch_size=LINES_AT_ONCE, columns=[names[place] for place in at if place >= 0]
            ):
                values = [
                    ["" if value is None else str(value) for value in batch.column(names[place]).to_pylist()]
                    if place >= 0
                    else [""] * len(batch)
                    for place in at
                ]
                for line in zip(*values, strict=True):
                    number += 1
                    yield number, line
    except OSError as error:
        raise BadInput(f"{error.strerror or error}.", where=str(path), next="give a file that can be read") from error
    except ArrowException as error:
        raise BadInput(f"not a Parquet table ({' '.join(str(error).split())[:200]}).", where=str(path)) from error


def _columns(names: Sequence[str], path: Path) -> list[int]:
    """Where each of COLUMNS is in a table; -1 where one that may be missing is."""
    lowered = [name.strip().lower() for name in names]
    at = [next((lowered.index(name) for name in known if name in lowered), -1) for known in COLUMNS]
    for known, place in zip(COLUMNS[:NEEDED], at, strict=False):
        if place < 0:
            there = ", ".join(names[:10]) or "none"
            raise BadInput(
                f"no column is called {' or '.join(known)}; there are: {there[:200]}.",
                where=str(path),
                next="name the columns sha256, url, width and height",
            )
    return at


READERS: dict[str, Callable[[Path], Iterator[Line]]] = {".csv": _csv, ".parquet": _parquet}
