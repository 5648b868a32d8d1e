"""One reader for all tables from users: .csv, .tsv, .txt, .json, .jsonl, .parquet, gzipped or not.

The format follows from the file's name; encoding, line ends and separator from its first bytes. Tables are read as a
stream, so ten million lines need little memory.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from thresher.errors import BadInput, BadLine
from thresher.tables import names, objects, parquet, text
from thresher.tables.names import Names
from thresher.tables.text import Row

__all__ = ["KINDS", "Names", "Row", "Table", "names", "open_table"]

KINDS: Final = (".txt", ".csv", ".tsv", ".json", ".jsonl", ".parquet")
"""The file names of tables end in one of these; all except .parquet may be followed by .gz."""

_COLUMNS_SHOWN: Final = 10
_SEPARATORS: Final = {".csv": text.SEPARATORS, ".tsv": ("\t", ",", ";")}
_SAME_KIND: Final = {".ndjson": ".jsonl", ".pq": ".parquet", ".tab": ".tsv"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table with known columns. `chosen` are the needed columns, in the order in which they were requested."""

    path: Path
    columns: tuple[str, ...]
    chosen: tuple[str, ...]
    unusable: dict[str, str]
    count: int
    _read: Callable[[Sequence[str]], Iterator[Row]] = field(repr=False)

    def column(self, wanted: Names) -> str | None:
        """The first column of one of these names, or None."""
        place = names.place_of(wanted, self.columns, list(self.unusable))
        return self.columns[place] if place >= 0 else None

    def lines(self, *columns: str | None) -> Iterator[Row]:
        """For each line its number, its values in the order of `columns` ("" for None), and its problem ("": none).

        A line with a problem has no values, and reading continues. Raises BadLine where the file breaks off.
        """
        there = [column for column in columns if column is not None]
        if len(there) == len(columns):
            yield from self._read(there)
            return
        at = [there.index(column) if column is not None else -1 for column in columns]
        for number, values, what in self._read(there):
            yield number, () if what else [values[place] if place >= 0 else "" for place in at], what

    def records(self, *columns: str | None) -> Iterator[tuple[int, Sequence[str]]]:
        """Number and values of each line. Raises BadLine at the first line with a problem."""
        for number, values, what in self.lines(*columns):
            if what:
                raise BadLine(f"{what}.", file=str(self.path), line=number, next="correct the line")
            yield number, values


def open_table(path: Path, *needed: Names, alone: Callable[[str], bool] | None = None) -> Table:
    """Open a table that has a column for each of the `needed` tuples of names.

    A .txt has one value per line, so one column. With `alone`, a table with one needed column may lack the header: then
    the column is the one whose first value satisfies `alone`. Raises BadInput: for a file that cannot be read, an
    unknown format, bytes that are not text, a missing column.
    """
    try:
        kind = _kind_of(path)
        if kind == ".parquet":
            columns, unusable, count = parquet.columns_of(path)
            return _table(path, columns, needed, 0, lambda picked: parquet.values_of(path, picked), unusable, count)
        encoding = text.encoding_of(path)
        if kind == ".txt":
            return _list(path, encoding, needed)
        if kind in (".json", ".jsonl"):
            return _of_objects(path, kind, encoding, needed)
        return _separated(path, kind, encoding, needed, alone)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}.", where=str(path), next="check its name") from error


def _kind_of(path: Path) -> str:
    """The kind of a file by its name. Raises BadInput, OSError."""
    endings = [ending.lower() for ending in path.suffixes]
    gzipped = endings[-1:] == [".gz"]
    kind = endings[-2] if gzipped and len(endings) > 1 else endings[-1] if endings else ""
    kind = _SAME_KIND.get(kind, kind)
    if path.is_dir():
        raise BadInput("is a folder.", where=str(path), next="give a file in it")
    if kind not in KINDS or (gzipped and kind == ".parquet"):
        known = f"{', '.join(KINDS[:-1])} (each also with .gz) or {KINDS[-1]}"
        raise BadInput(f"the name of a table must end in {known}.", where=str(path), next="rename it after its format")
    path.open("rb").close()
    return kind


def _table(
    path: Path,
    columns: Sequence[str],
    needed: Sequence[Names],
    line: int,
    read: Callable[[Sequence[str]], Iterator[Row]],
    unusable: dict[str, str],
    count: int,
) -> Table:
    """The table, if it has the needed columns. `line` is the number of the header, 0 for none. Raises BadInput."""
    places = [names.place_of(wanted, columns, list(unusable)) for wanted in needed]
    for wanted, place in zip(needed, places, strict=True):
        if place < 0:
            raise _missing(path, columns, wanted, line, unusable)
        twice = [column for column in columns if names.plain(column) == names.plain(columns[place])]
        if len(twice) > 1:
            raise _at(path, line, f"{len(twice)} columns are called {twice[0].strip()!r}.", "keep one of them")
    return Table(path, tuple(columns), tuple(columns[place] for place in places), unusable, count, read)


def _missing(path: Path, columns: Sequence[str], wanted: Names, line: int, unusable: dict[str, str]) -> BadInput:
    place = names.place_of(wanted, columns)
    if place >= 0:
        what = f"the column {columns[place]!r} contains {unusable[columns[place]]}, not text."
        return _at(path, line, what, f"add a column called {names.told(wanted)}")
    there = ", ".join(column.strip() for column in columns[:_COLUMNS_SHOWN] if column.strip()) or "none"
    return _at(
        path, line, f"no column is called {names.told(wanted)}; there are: {there[:200]}.", f"name a column {wanted[0]}"
    )


def _at(path: Path, line: int, what: str, following: str) -> BadInput:
    if line:
        return BadLine(what, file=str(path), line=line, next=following)
    return BadInput(what, where=str(path), next=following)


# --- kinds of file ----------------------------------------------------------------------------------------------------


def _list(path: Path, encoding: str, needed: Sequence[Names]) -> Table:
    if len(needed) != 1:
        wanted = ", ".join(names.told(each) for each in needed)
        raise BadInput(
            "a .txt file has one value per line and no columns.",
            where=str(path),
            next=f"give a .csv with the columns {wanted}",
        )
    column = needed[0][0]
    return Table(path, (column,), (column,), {}, text.line_count(path), lambda _: _values(path, encoding))


def _values(path: Path, encoding: str) -> Iterator[Row]:
    """The values of a .txt; blank lines, and those that begin with #, are skipped."""
    for number, line in enumerate(text.lines_of(path, encoding), 1):
        if line is None:
            yield number, (), text.TOO_LONG
        elif (value := line.strip()) and not value.startswith("#"):
            quoted = len(value) > 1 and value[0] == value[-1] == '"'
            what = text.unreadable((value,))
            yield number, () if what else (value[1:-1] if quoted else value,), what


def _of_objects(path: Path, kind: str, encoding: str, needed: Sequence[Names]) -> Table:
    def each() -> Iterator[objects.Object]:
        by_line = kind == ".jsonl"
        return objects.objects_by_line(path, encoding) if by_line else objects.objects_of_list(path, encoding)

    line, first, what = next(each(), (0, {}, ""))
    if not line:
        raise _empty(path)
    if what:
        raise BadLine(f"{what}.", file=str(path), line=line, next="correct the line")
    keys = objects.keys_of(first, path, line)
    nested = {key: value for key, value in keys.items() if isinstance(value, dict | list)}
    unusable = {key: "a list" if isinstance(value, list) else "an object" for key, value in nested.items()}
    count = text.line_count(path) if kind == ".jsonl" else 0
    return _table(path, list(keys), needed, line, lambda picked: objects.values_of(each(), picked), unusable, count)


@dataclass(frozen=True, slots=True)
class _Header:
    """The separator and the columns of a .csv or .tsv, and the number of `lines` before the first record."""

    separator: str
    columns: list[str]
    lines: int


def _separated(
    path: Path, kind: str, encoding: str, needed: Sequence[Names], alone: Callable[[str], bool] | None
) -> Table:
    header = _header(path, kind, encoding, needed, alone)

    def read(picked: Sequence[str]) -> Iterator[Row]:
        lines = text.lines_of(path, encoding)
        next(islice(lines, header.lines, header.lines), None)
        cells = text.cells_of(lines, header.separator, before=header.lines)
        return text.values_of(cells, [header.columns.index(column) for column in picked], len(header.columns))

    count = max(text.line_count(path) - header.lines, 0)
    return _table(path, header.columns, needed, max(header.lines, 1), read, {}, count)


def _header(
    path: Path, kind: str, encoding: str, needed: Sequence[Names], alone: Callable[[str], bool] | None
) -> _Header:
    """The header, split by the separator that gives most of the needed columns. Raises BadInput."""
    lines, first, given = 0, "", ""
    for line in text.lines_of(path, encoding):
        lines += 1
        if line is None:
            raise BadLine(f"{text.TOO_LONG}.", file=str(path), line=lines, next="check that it is a table")
        if line.lower().startswith("sep=") and len(line) == len("sep=,"):  # as Excel writes the separator
            given = line[-1]
        elif line.strip():
            first = line
            break
    if not first:
        raise _empty(path)
    cut = {separator: text.cut(first, separator) for separator in (given or _SEPARATORS[kind])}

    def found(separator: str) -> int:
        return sum(names.place_of(wanted, cut[separator]) >= 0 for wanted in needed)

    best = max(cut, key=lambda separator: (found(separator), len(cut[separator])))
    if alone and not found(best):
        return _nameless(path, lines, first, cut, needed[0], alone)
    return _Header(best if len(cut[best]) > 1 else text.NOT_SEPARATED, cut[best], lines)


def _nameless(
    path: Path, lines: int, first: str, cut: dict[str, list[str]], wanted: Names, alone: Callable[[str], bool]
) -> _Header:
    """The columns of a table without a header. Raises BadInput if they cannot be found out."""
    whole = text.cut(first, text.NOT_SEPARATED)
    cut = {separator: cells for separator, cells in cut.items() if len(cells) > 1} | {text.NOT_SEPARATED: whole}
    fits = {separator: [alone(cell.strip()) for cell in cells] for separator, cells in cut.items()}
    fitting = [separator for separator in cut if any(fits[separator])]
    if len(fitting) > 1:
        what = f"has no header, so {first[:80]!r} could be one value or {len(cut[fitting[0]])}."
        raise _at(path, lines, what, f"add a first line with the names of the columns, {wanted[0]} among them")
    if not fitting or sum(fits[fitting[0]]) > 1:
        raise _missing(path, max(cut.values(), key=len), wanted, lines, {})
    columns = [wanted[0] if fit else f"column {place}" for place, fit in enumerate(fits[fitting[0]], 1)]
    return _Header(fitting[0], columns, lines - 1)


def _empty(path: Path) -> BadInput:
    return BadInput("the table is empty.", where=str(path), next="give a table with a line for each image")
