"""One reader of the tables that people hand in: .csv, .tsv, .txt, .json, .jsonl, .parquet, gzipped or not.

Lists come from everywhere, so the kind is told by the file's name, and the encoding, the line ends and the separator
by its first bytes. A list of ten million lines is read as it passes by.
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
"""What a table's name ends in; all but .parquet may have .gz behind it."""

_COLUMNS_SHOWN: Final = 10
_SEPARATORS: Final = {".csv": text.SEPARATORS, ".tsv": ("\t", ",", ";")}
_SAME_KIND: Final = {".ndjson": ".jsonl", ".pq": ".parquet", ".tab": ".tsv"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose columns are known. `chosen` are the columns that were needed, in the order they were asked for."""

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
        """The number of each line, its values in the order of `columns` ("" for None), and what is wrong with it.

        A line that cannot be used has no values, and the others go on. Raises BadLine where the file breaks off.
        """
        there = [column for column in columns if column is not None]
        if len(there) == len(columns):
            yield from self._read(there)
            return
        at = [there.index(column) if column is not None else -1 for column in columns]
        for number, values, what in self._read(there):
            yield number, () if what else [values[place] if place >= 0 else "" for place in at], what

    def records(self, *columns: str | None) -> Iterator[tuple[int, Sequence[str]]]:
        """The same, for a caller that takes all or nothing. Raises BadLine at the first line that cannot be used."""
        for number, values, what in self.lines(*columns):
            if what:
                raise BadLine(f"{what}.", file=str(self.path), line=number, next="mend the line")
            yield number, values


def open_table(path: Path, *needed: Names, alone: Callable[[str], bool] | None = None) -> Table:
    """A table that has, of each tuple of names, one column.

    A .txt has one value a line, and so one column. With `alone` a table of one needed column may go without a first
    line of names: then the one value of that line for which it says yes tells the column. Raises BadInput naming what
    is wrong: a file that cannot be read, a kind that is not known, bytes that are no text, a column that is missing.
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
        raise BadInput("is a folder.", where=str(path), next="give one of the tables in it")
    if kind not in KINDS or (gzipped and kind == ".parquet"):
        known = f"{', '.join(KINDS[:-1])} (.gz behind it, or not) or {KINDS[-1]}"
        raise BadInput(f"a table's name ends in {known}.", where=str(path), next="call it after its kind")
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
    """The table, where it has what is needed. `line` is that of the columns' names, 0 for none. Raises BadInput."""
    places = [names.place_of(wanted, columns, list(unusable)) for wanted in needed]
    for wanted, place in zip(needed, places, strict=True):
        if place < 0:
            raise _missing(path, columns, wanted, line, unusable)
        twice = [column for column in columns if names.plain(column) == names.plain(columns[place])]
        if len(twice) > 1:
            raise _at(path, line, f"{len(twice)} columns are called {twice[0].strip()!r}.", "leave one of them")
    return Table(path, tuple(columns), tuple(columns[place] for place in places), unusable, count, read)


def _missing(path: Path, columns: Sequence[str], wanted: Names, line: int, unusable: dict[str, str]) -> BadInput:
    place = names.place_of(wanted, columns)
    if place >= 0:
        what = f"the column {columns[place]!r} holds {unusable[columns[place]]}, not text."
        return _at(path, line, what, f"add a column called {names.told(wanted)}")
    there = ", ".join(column.strip() for column in columns[:_COLUMNS_SHOWN] if column.strip()) or "none"
    return _at(
        path, line, f"no column is called {names.told(wanted)}; there are: {there[:200]}.", f"call one {wanted[0]}"
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
            "a .txt has one value a line and no columns.",
            where=str(path),
            next=f"give a .csv with the columns {wanted}",
        )
    column = needed[0][0]
    return Table(path, (column,), (column,), {}, text.line_count(path), lambda _: _values(path, encoding))


def _values(path: Path, encoding: str) -> Iterator[Row]:
    """The values of a .txt; blank lines, and those that begin with #, are passed over."""
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
        raise BadLine(f"{what}.", file=str(path), line=line, next="mend the line")
    keys = objects.keys_of(first, path, line)
    nested = {key: value for key, value in keys.items() if isinstance(value, dict | list)}
    unusable = {key: "a list" if isinstance(value, list) else "an object" for key, value in nested.items()}
    count = text.line_count(path) if kind == ".jsonl" else 0
    return _table(path, list(keys), needed, line, lambda picked: objects.values_of(each(), picked), unusable, count)


@dataclass(frozen=True, slots=True)
class _Header:
    """How the lines of a .csv or .tsv are cut, and what their columns are called; `lines` stand before the first."""

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
    """The line of names, by whichever separator finds most of what is needed in it. Raises BadInput."""
    lines, first, given = 0, "", ""
    for line in text.lines_of(path, encoding):
        lines += 1
        if line is None:
            raise BadLine(f"{text.TOO_LONG}.", file=str(path), line=lines, next="see that it is a table")
        if line.lower().startswith("sep=") and len(line) == len("sep=,"):  # a spreadsheet's word to itself
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
    """The columns of a table whose first line is a line like all others. Raises BadInput where nothing tells them."""
    whole = text.cut(first, text.NOT_SEPARATED)
    cut = {separator: cells for separator, cells in cut.items() if len(cells) > 1} | {text.NOT_SEPARATED: whole}
    fits = {separator: [alone(cell.strip()) for cell in cells] for separator, cells in cut.items()}
    fitting = [separator for separator in cut if any(fits[separator])]
    if len(fitting) > 1:
        what = f"has no line of names, so that {first[:80]!r} may be one value or {len(cut[fitting[0]])}."
        raise _at(path, lines, what, f"write a first line with the names of the columns, {wanted[0]} among them")
    if not fitting or sum(fits[fitting[0]]) > 1:
        raise _missing(path, max(cut.values(), key=len), wanted, lines, {})
    columns = [wanted[0] if fit else f"column {place}" for place, fit in enumerate(fits[fitting[0]], 1)]
    return _Header(fitting[0], columns, lines - 1)


def _empty(path: Path) -> BadInput:
    return BadInput("there is nothing in it.", where=str(path), next="give a table with a line for each picture")
