"""Lines and cells of text files: .txt, .csv and .tsv, gzipped or not, in UTF-8 or with a byte order mark."""

import codecs
import csv
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Final

from thresher.errors import BadInput, BadLine

Row = tuple[int, Sequence[str], str]
"""The number of a line, its values, and its problem ("": none)."""

LONGEST_LINE: Final = 1_000_000
"""Longest line, or record of several lines, in characters; a longer one is skipped."""

MOST_LINES: Final = 1_000
"""Most lines of a quoted value; if it is longer, the quote is taken as an ordinary character."""

SEPARATORS: Final = (",", "\t", ";")
NOT_SEPARATED: Final = "\x1f"  # the unit separator, which no list contains: a line is one value

_READ_BYTES = 1 << 20
_PEEKED_BYTES = 4096
_ENCODINGS: Final = (
    # the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT: Final = (
    (b"PAR1", "a Parquet table", "rename it to .parquet"),
    (b"\x1f\x8b", "gzipped", "add .gz to its name, as in list.csv.gz"),
    (b"PK\x03\x04", "a zip or a spreadsheet", "save it as CSV in UTF-8"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet", "save it as CSV in UTF-8"),
)
TOO_LONG: Final = f"is longer than {LONGEST_LINE:,} characters"


def lines_of(path: Path, encoding: str) -> Iterator[str | None]:
    """Lines without their ends (LF, CRLF or CR); None for one that is too long, which is never in memory as a whole.

    Invalid bytes become lone surrogates or U+FFFD, which `unreadable` finds. Raises BadLine.
    """
    rest, too_long = "", False
    for text in characters_of(path, encoding):
        lines = text.split("\n")
        if too_long and len(lines) > 1:
            yield None
            rest, too_long = "", False
            del lines[0]
        if too_long:
            continue
        lines[0] = rest + lines[0]
        rest = lines.pop()
        if lines and len(lines[0]) > LONGEST_LINE:
            yield None
            del lines[0]
        yield from lines
        if len(rest) > LONGEST_LINE:
            rest, too_long = "", True
    if too_long:
        yield None
    elif rest:
        yield rest


def characters_of(path: Path, encoding: str) -> Iterator[str]:
    """A file's text in parts of a megabyte, with LF line ends. Raises BadInput for a truncated file."""
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(errors), translate=True)
    line = 1
    try:
        with opened(path) as file:
            while data := file.read1(_READ_BYTES):  # the intact part of a truncated file comes first
                if text := decoder.decode(data):
                    yield text
                    line += text.count("\n")
        if text := decoder.decode(b"", final=True):
            yield text
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        what = f"the gzipped file is damaged: {' '.join(str(error).split()).rstrip('.')}."
        raise BadLine(what, file=str(path), line=line, next="download the file again") from error
    except OSError as error:
        raise BadInput(f"{error.strerror or error}.", where=str(path), next="give a file that can be read") from error


def opened(path: Path) -> gzip.GzipFile | io.BufferedReader:
    """A file's bytes, decompressed if it is gzipped."""
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")


def encoding_of(path: Path) -> str:
    """The encoding by the byte order mark, UTF-8 without one. Raises BadInput for a file that is not text."""
    try:
        with opened(path) as file:
            head = file.read(_PEEKED_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput("is not gzipped, or damaged.", where=str(path), next="download the file again") from error
    for mark, encoding in _ENCODINGS:
        if head.startswith(mark):
            return encoding
    for mark, what, following in _NO_TEXT:
        if head.startswith(mark):
            raise BadInput(f"is {what}, not text.", where=str(path), next=following)
    if b"\x00" in head:
        utf_16 = head[1::2].count(0) > len(head) // 4 or head[::2].count(0) > len(head) // 4
        what = "looks like UTF-16 without a byte order mark" if utf_16 else "contains zero bytes, so it is not text"
        raise BadInput(f"{what}.", where=str(path), next="save it in UTF-8")
    return "utf-8"


def unreadable(values: Sequence[str]) -> str:
    """Why values are unusable as text, or ""."""
    for value in values:
        for letter in "" if value.isascii() else value:
            if "\udc80" <= letter <= "\udcff":
                return f"byte 0x{ord(letter) - 0xDC00:02X} is not UTF-8 (Windows-1252, perhaps): save the file in UTF-8"
            if letter == "\ufffd" or "\ud800" <= letter <= "\udfff":
                return "contains characters that cannot be decoded"
    return ""


def cells_of(lines: Iterator[str | None], separator: str, *, before: int = 0) -> Iterator[Row]:
    """The cells of each record, with the number of its first line; blank lines are skipped.

    `before` is how many lines of the file were read already.

    A quote that is never closed spoils only its own line. In tab-separated lists, which often quote nothing, it is an
    ordinary character.
    """
    waiting: deque[str | None] = deque()
    number = before
    while True:
        try:
            line = waiting.popleft() if waiting else next(lines)
        except StopIteration:
            return
        number += 1
        if line is None:
            yield number, (), TOO_LONG
        elif '"' not in line:
            if line and not line.isspace():
                yield number, line.split(separator), ""
        else:
            taken: list[str | None] = [line]
            try:
                cells, what = next(csv.reader(_record(taken, waiting, lines), delimiter=separator, strict=True)), ""
            except csv.Error as error:
                waiting.extendleft(reversed(taken[1:]))
                del taken[1:]
                literal = separator in ("\t", NOT_SEPARATED)
                cells, what = (line.split(separator), "") if literal else ([], _not_csv(error))
            yield number, cells, what
            number += len(taken) - 1


def cut(line: str, separator: str) -> list[str]:
    """The cells of one line, such as the header."""
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return line.split(separator)


def _record(taken: list[str | None], waiting: deque[str | None], lines: Iterator[str | None]) -> Iterator[str]:
    """The lines of a record that begins with `taken`, as many as csv.reader asks for."""
    size = 0
    while taken[-1] is not None:
        size += len(taken[-1])
        if len(taken) > MOST_LINES or size > LONGEST_LINE:
            return
        yield f"{taken[-1]}\n"
        try:
            taken.append(waiting.popleft() if waiting else next(lines))
        except StopIteration:
            return


def _not_csv(error: csv.Error) -> str:
    said = str(error)
    return "has a quote that is never closed" if "end of data" in said else f"is not CSV: {said}"


def values_of(rows: Iterator[Row], places: Sequence[int], width: int) -> Iterator[Row]:
    """The cells at `places` (-1 for an empty one) of records that have `width` columns."""
    most = max(places) + 1
    pick = itemgetter(*places) if len(places) > 1 else lambda cells: (cells[places[0]],)
    add = [""] if -1 in places else []  # what is at -1
    for number, cells, what in rows:
        if what:
            yield number, (), what
            continue
        if len(cells) < most or len(cells) > width:
            if not any(cells):
                continue
            if len(cells) < most or any(cells[width:]):
                yield number, (), _miscounted(len(cells), width)
                continue
        values = pick([*cells, *add] if add else cells)
        if not "".join(values).isascii() and (what := unreadable(values)):
            yield number, (), what
        elif any(values) or any(cells):
            yield number, values, ""


def _miscounted(cells: int, width: int) -> str:
    hint = "" if cells < width else ": put quotes around a value that contains a separator"
    return f"has {cells} column{'s' * (cells != 1)}, and the first line has {width}{hint}"


def line_count(path: Path) -> int:
    """The number of lines, counted in the bytes; 0 (unknown) for a gzipped file."""
    if path.suffix.lower() == ".gz":
        return 0
    ends, returns, last = 0, 0, b"\n"
    with path.open("rb") as file:
        while part := file.read(_READ_BYTES):
            ends, returns, last = ends + part.count(b"\n"), returns + part.count(b"\r"), part[-1:]
    return (ends or returns) + (last not in (b"\n", b"\r", b"\x00"))
