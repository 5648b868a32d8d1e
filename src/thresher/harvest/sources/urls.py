"""Pictures of a list of URLs: text, CSV or Parquet."""

import csv
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

from thresher.errors import BadInput
from thresher.harvest.candidates import Candidate, printable

LONGEST_URL = 8192
COLUMNS = ("url", "image")
"""Columns that hold the URL, in any case, the first that is there."""

Lines = Generator[tuple[int, str | None], None, None]


def from_urls(path: str | Path) -> "Urls":
    """The URLs of a .txt (one a line), .csv or .parquet (column url or image). Raises BadInput naming what is wrong."""
    place = Path(path).expanduser()
    read = READERS.get(place.suffix.lower())
    if read is None:
        known = ", ".join(READERS)
        raise BadInput(f"a list of URLs ends in one of {known}.", where=str(path), next="name the list after its kind")
    try:
        count = COUNTERS[place.suffix.lower()](place)
        lines = read(place)
        first = next(lines, None)  # opens the file and finds the column, so that a wrong one is told at once
        lines.close()
    except OSError as error:
        raise BadInput(f"{error.strerror or error}.", where=str(path), next="give a file that can be read") from error
    if first is None:
        raise BadInput("there is nothing in it.", where=str(path), next="give a list with one URL a line")
    return Urls(place, f"urls:{printable(place.name)}", count)


@dataclass
class Urls:
    """A source of URLs, each once a line; a line that is none is refused by file and line."""

    path: Path
    name: str
    count: int
    remote: bool = field(default=True)

    def expected(self) -> int:
        """The lines of the file, or rows of the table."""
        return self.count

    def candidates(self, *, bytes_most: int) -> Iterator[Candidate]:  # noqa: ARG002 -- nothing is read here
        """The URLs in the order of the list; blank lines and lines of text that start with # are passed over."""
        for line, found in READERS[self.path.suffix.lower()](self.path):
            if found is None:
                yield self._bad(line, "the line cannot be read")
            elif not found.strip():
                continue
            elif what := _wrong(found.strip()):
                yield self._bad(line, f"{found.strip()[:80]!r} {what}")
            else:
                yield Candidate(found.strip(), kind="url")

    def _bad(self, line: int, what: str) -> Candidate:
        return Candidate(f"{printable(self.path.name)}, line {line}", problem=("bad-line", f"{what}."))


def _wrong(url: str) -> str:
    """What is wrong with a line, or "" where it may be a URL; whether it may be fetched is the guard's to say."""
    scheme, found, rest = url.partition("://")
    if not found or not scheme.isalnum() or not rest:
        return "is not a URL"
    if len(url) > LONGEST_URL:
        return f"is longer than {LONGEST_URL:,} characters"
    try:
        urlsplit(url)
    except ValueError:  # half an IPv6 address
        return "is not a URL"
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        return "holds spaces or control characters"
    return ""


# --- kinds of file ----------------------------------------------------------------------------------------------------


def _text(path: Path) -> Lines:
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            line = _decoded(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw)
            yield number, "" if line is not None and line.lstrip().startswith("#") else line


def _csv(path: Path) -> Lines:
    with path.open("rb") as file:
        first = _decoded(file.readline().removeprefix(b"\xef\xbb\xbf"))
        header = next(csv.reader([first or ""]), [])
        at = _column(header, path)
        rest = csv.reader(chain.from_iterable([_decoded(raw) or "\ufffd"] for raw in file))
        while True:
            try:
                row = next(rest)
            except StopIteration:
                return
            except csv.Error:
                yield rest.line_num + 1, None
                continue
            if row:
                yield rest.line_num + 1, row[at] if at < len(row) and "\ufffd" not in row[at] else None


def _parquet(path: Path) -> Lines:
    from pyarrow import ArrowException, parquet  # here, for it is slow to import and few lists are tables

    try:
        with parquet.ParquetFile(path) as table:
            name = table.schema_arrow.names[_column(table.schema_arrow.names, path)]
            number = 0
            for batch in table.iter_batches(batch_size=4096, columns=[name]):
                for value in batch.column(0).to_pylist():
                    number += 1
                    yield number, value if isinstance(value, str) else None
    except ArrowException as error:
        raise BadInput(f"not a Parquet table ({' '.join(str(error).split())[:200]}).", where=str(path)) from error


def _column(names: list[str], path: Path) -> int:
    lowered = [name.strip().lower() for name in names]
    for wanted in COLUMNS:
        if wanted in lowered:
            return lowered.index(wanted)
    found = ", ".join(names[:10]) or "none"
    if len(names) == 1 and ";" in found:
        raise BadInput(
            f"its columns are parted by semicolons: {found[:200]}.", where=str(path), next="save it with commas"
        )
    raise BadInput(f"no column is called url or image; there are: {found[:200]}.", where=str(path), next="name it url")


def _decoded(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _lines(path: Path) -> int:
    count, last = 0, b"\n"
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            count, last = count + part.count(b"\n"), part[-1:]
    return count + (last != b"\n")


def _rows(path: Path) -> int:
    from pyarrow import ArrowException, parquet  # here, as above

    try:
        return int(parquet.read_metadata(path).num_rows)
    except ArrowException as error:
        raise BadInput(f"not a Parquet table ({' '.join(str(error).split())[:200]}).", where=str(path)) from error


READERS: dict[str, Callable[[Path], Lines]] = {".txt": _text, ".csv": _csv, ".parquet": _parquet}
COUNTERS: dict[str, Callable[[Path], int]] = {".txt": _lines, ".csv": _lines, ".parquet": _rows}
