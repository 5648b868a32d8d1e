"""Columns of Parquet tables, read a row group at a time, and only the requested ones."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from thresher.errors import BadInput, BadLine
from thresher.tables.objects import NO_TEXT, text_of
from thresher.tables.text import Row, unreadable

ROWS_AT_ONCE: Final = 10_000


def columns_of(path: Path) -> tuple[list[str], dict[str, str], int]:
    """The columns, the types of those that are not text, and the number of rows. Raises BadInput."""
    from pyarrow import types  # here and below, for it is slow to import and few lists are tables

    with _opened(path) as table:
        schema = table.schema_arrow
        unusable = {field.name: str(field.type)[:60] for field in schema if types.is_nested(field.type)}
        return list(schema.names), unusable, int(table.metadata.num_rows)


def values_of(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """The values of columns as text, "" for null, with the number of the row, counted from 1."""
    from pyarrow import ArrowException

    number = 0
    with _opened(path) as table:
        try:
            for batch in table.iter_batches(batch_size=ROWS_AT_ONCE, columns=list(dict.fromkeys(columns))):
                texts = [_texts(batch.column(name)) for name in columns]
                for values in zip(*texts, strict=True):
                    number += 1
                    if None in values:
                        yield number, (), NO_TEXT
                    elif not "".join(values).isascii() and (what := unreadable(values)):
                        yield number, (), what
                    else:
                        yield number, values, ""
        except (ArrowException, OSError) as error:
            what = f"the Parquet table is damaged: {' '.join(str(error).split())[:200]}."
            raise BadLine(what, file=str(path), line=number + 1, next="download the file again") from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
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
        column = column.dictionary_decode()
    if pa.types.is_integer(column.type):
        column = column.cast(pa.string())
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:  # a text column with bytes that are not UTF-8
        values = [value.as_buffer().to_pybytes() if value.is_valid else None for value in column]
    return [text_of(value) for value in values]
