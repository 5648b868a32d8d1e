"""Columns of Parquet tables, read a row group at a time, and only the requested ones."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from thresher.errors import BadInput, BadLine
from thresher.tables.objects import NO_TEXT, text_of
from thresher.tables.text import LONGEST_LINE, TOO_LONG, Row, unreadable

ROWS_AT_ONCE: Final = 10_000
UNCOMPRESSED_BYTES: Final = 64_000_000
RATIO_MOST: Final = 1_000
"""Largest column of a row group that is read whatever it holds; a larger one that was compressed to less than a share
of this, or whose values are longer than a line may be, is not read."""


VALUE_BYTES: Final = 64  # of memory that a value in a list takes, however few bytes of the file say it
INDEX_BYTES: Final = 12  # of memory that a value in a list takes while it is counted: its number and its levels
_PREFIXES: Final = "DELTA_BYTE_ARRAY"


def columns_of(path: Path) -> tuple[list[str], dict[str, str], int]:
    """The columns, the types of those that are not text, and the number of rows. Raises BadInput."""
    from pyarrow import types  # here and below, for it is slow to import and few lists are tables

    with opened(path) as table:
        schema = table.schema_arrow
        unusable = {field.name: str(field.type)[:60] for field in schema if types.is_nested(field.type)}
        return list(schema.names), unusable, int(table.metadata.num_rows)


def values_of(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """The values of columns as text, "" for null, with the number of the row, counted from 1."""
    from pyarrow import ArrowException

    number = 0
    with opened(path) as table:
        try:
            for batch in batches(table, path, columns):
                texts = [_texts(batch.column(name)) for name in columns]
                for values in zip(*texts, strict=True):
                    number += 1
                    if None in values:
                        yield number, (), NO_TEXT
                    elif sum(map(len, values)) > LONGEST_LINE:
                        yield number, (), TOO_LONG
                    elif not "".join(values).isascii() and (what := unreadable(values)):
                        yield number, (), what
                    else:
                        yield number, values, ""
        except (ArrowException, OSError) as error:
            what = f"the Parquet table is damaged: {' '.join(str(error).split())[:200]}."
            raise BadLine(what, file=str(path), line=number + 1, next="download the file again") from error


def batches(table: Any, path: Path, columns: Sequence[str], rows_at_once: int = ROWS_AT_ONCE) -> Iterator[Any]:  # noqa: ANN401 -- see _texts
    """The rows of wanted columns, some at a time, a row group after the other. Raises BadLine for a huge one."""
    row, wanted = 1, list(dict.fromkeys(columns))
    for number in range(table.num_row_groups):
        group = table.metadata.row_group(number)
        at_once = rows_at_once
        for place in range(group.num_columns):
            name = group.column(place).path_in_schema
            within = [name[len(one) + 1 :] for one in wanted if f"{name}.".startswith(f"{one}.")]
            if within:
                chunk, schema = group.column(place), table.schema.column(place)
                column = _Column(group.num_rows, chunk, schema, min(within, key=len))
                if what := column.too_much() or column.too_much_at_once(
                    longest := column.longest(path, number), path, number
                ):
                    advice = "check the column, or write the table without these rows"
                    raise BadLine(what, file=str(path), line=row, next=advice)
                at_once = min(at_once, column.rows_that_fit(longest))
        yield from table.iter_batches(batch_size=at_once, row_groups=[number], columns=wanted)
        row += group.num_rows


@dataclass(frozen=True)
class _Column:
    """A wanted column of a row group, or one within a wanted column, and what it may take of the memory.

    The bytes of images, `bytes` in an object of each row, may be longer than a line.
    """

    rows: int
    chunk: Any
    schema: Any
    within: str
    """Its name in the wanted column; "" for that itself."""

    @property
    def is_image(self) -> bool:
        """Whether the column has the bytes of at most one image a row."""
        return self.within == "bytes" and not self.schema.max_repetition_level

    def too_much(self) -> str:
        """Why it is not to be read ("": it may be): arrow decompresses a page, and a value, as a whole."""
        size, compressed = self.chunk.total_uncompressed_size, self.chunk.total_compressed_size
        long = not self.is_image and size > LONGEST_LINE * max(self.chunk.num_values, 1)
        if size <= UNCOMPRESSED_BYTES or not (long or size > RATIO_MOST * compressed):
            return ""
        what = f"{size:,} bytes of {self.chunk.path_in_schema!r} in {self.rows:,} rows, from {compressed:,} bytes of"
        return f"{what} the file, are too much for {'images' if self.is_image else 'a text'}."

    def too_much_at_once(self, longest: int, path: Path, number: int) -> str:
        """Why no row of it is to be read ("": they may be), if its values may have so many bytes."""
        count, compressed = int(self.chunk.num_values), int(self.chunk.total_compressed_size)
        most, allowed = longest * count, max(UNCOMPRESSED_BYTES, RATIO_MOST * compressed)
        if not self.schema.max_repetition_level or most <= allowed:
            return ""
        # each row has one entry at least, were it null, so that the others leave the largest no more than this
        largest = longest * max(count - self.rows + 1, 1)
        if largest <= allowed and count * INDEX_BYTES <= allowed and _PREFIXES not in self.chunk.encodings:
            # as far as the footer tells the truth about the rows
            rows = min(ROWS_AT_ONCE, self.rows_that_fit(longest))
            most = max(largest, longest * _most_at_once(path, number, self.chunk, rows))
            if most <= allowed:
                return ""
        what = f"{most:,} bytes may be in {self.chunk.path_in_schema!r}, from {compressed:,} of the file"
        return f"{what}, which are too much for lists."

    def rows_that_fit(self, longest: int) -> int:
        """How many rows may be held, if their values may have so many bytes."""
        each = longest * max(1, -(-self.chunk.num_values // max(self.rows, 1)))
        return int(max(1, UNCOMPRESSED_BYTES // max(each, 1)))

    def longest(self, path: Path, number: int) -> int:
        """The bytes that a value may take, where a few bytes of the file, or none, may stand for it; else 0."""
        if self.schema.physical_type == "FIXED_LEN_BYTE_ARRAY":
            return int(self.schema.length)  # null has them too
        few = self.chunk.total_uncompressed_size * ROWS_AT_ONCE <= UNCOMPRESSED_BYTES
        found = 0 if few and not self.within else _longest_repeated(path, number, self.chunk)
        if self.is_image:  # one that is not repeated stands in the file as a whole
            return max(found, int(self.chunk.total_uncompressed_size) // max(int(self.chunk.num_values), 1))
        return max(found, VALUE_BYTES) if self.within else found


def _longest_repeated(path: Path, number: int, chunk: Any) -> int:  # noqa: ANN401 -- see _texts
    """The bytes of the longest value that a column may repeat: three bytes of the file may stand for it."""
    from pyarrow import compute, parquet, types

    if chunk.physical_type != "BYTE_ARRAY":
        return 0
    if _PREFIXES in chunk.encodings:  # a value is a part of the one before it and what is added
        return int(chunk.total_uncompressed_size)
    if not chunk.has_dictionary_page:
        return 0  # what is decompressed has each value
    name = chunk.path_in_schema
    with parquet.ParquetFile(path, read_dictionary=[name]) as table:
        first = next(table.iter_batches(batch_size=1, row_groups=[number], columns=[name]), None)
        if first is None:
            return 0
        column = first.column(0)
        while types.is_nested(column.type):
            column = column.field(0) if types.is_struct(column.type) else column.values
        if not types.is_dictionary(column.type):
            return int(chunk.total_uncompressed_size)
        return int(compute.max(compute.binary_length(column.dictionary)).as_py() or 0)


def _most_at_once(path: Path, number: int, chunk: Any, rows: int) -> int:  # noqa: ANN401 -- see _texts
    """The most values in so many rows of lists, counted where a repeated value is a number of 4 bytes."""
    from pyarrow import parquet, types

    name, most = chunk.path_in_schema, 0
    with parquet.ParquetFile(path, read_dictionary=[name] if chunk.physical_type == "BYTE_ARRAY" else None) as table:
        for batch in table.iter_batches(batch_size=rows, row_groups=[number], columns=[name]):
            column = batch.column(0)
            while types.is_nested(column.type):
                column = column.field(0) if types.is_struct(column.type) else column.flatten()
            most = max(most, len(column))
    return most


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """An open ParquetFile. Raises BadInput for a file that is none."""
    from pyarrow import ArrowException, parquet

    try:
        table = parquet.ParquetFile(path)
    except ArrowException as error:
        what = f"not a Parquet table: {' '.join(str(error).split())[:200].rstrip('.')}."
        raise BadInput(what, where=str(path), next="rename it after its format, or download it again") from error
    with table:
        yield table


def _texts(column: Any) -> list[str | None]:  # noqa: ANN401 -- an array of pyarrow, which ships no types
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        used = column.indices.unique().drop_null()
        known = dict(zip(used.to_pylist(), _texts(column.dictionary.take(used)), strict=True))
        return ["" if place is None else known[place] for place in column.indices.to_pylist()]
    if pa.types.is_integer(column.type):
        column = column.cast(pa.string())
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:  # a text column with bytes that are not UTF-8
        values = [value.as_buffer().to_pybytes() if value.is_valid else None for value in column]
    return [text_of(value) for value in values]
