"""Reads files that anybody may have written: bounded in time and memory, and each fault is one line that names it.

A file that cannot be read is a BadInput; one that can be read and is not as docs/certificate-format.md says is Wrong.
"""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thresher.errors import BadInput

NEXT = "give the directory of a release"
LARGEST_TEXT = 64 * 2**20
BYTES_OF_AN_ID = 32  # 64 hexadecimal digits of a hash can't be compressed below it


class Wrong(ValueError):
    """A file of a release can be read, and is not as the page says: the answer is no. The text names the file."""


def bad(what: str, path: Path) -> BadInput:
    """The error of a file that cannot be read, or of a directory that is no release."""
    return BadInput(what, where=str(path), next=NEXT)


def wrong(what: str, path: Path) -> Wrong:
    """The error of a file that can be read, and is not what it must be; it names the file."""
    return Wrong(f"{path.name} {what}")


def shown(value: object) -> str:
    """A value of a file in a message: short, and without control characters."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def said(error: Exception) -> str:
    """The first line of what a library says, without its last full stop."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300].rstrip(".")


def size_of(path: Path) -> int:
    """The size of a regular file. Raises BadInput for a link, a device, or nothing."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError) as error:
        raise bad(f"cannot be read: {said(error)}.", path) from error
    if not stat.S_ISREG(found.st_mode):
        raise bad("is no regular file.", path)
    return found.st_size


def read_bytes(path: Path) -> bytes:
    """A small file. Raises BadInput if it cannot be read or is too large."""
    if size_of(path) > LARGEST_TEXT:
        raise bad(f"is larger than {LARGEST_TEXT:,} bytes.", path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise bad(f"cannot be read: {said(error)}.", path) from error


def as_object(data: bytes, path: Path) -> dict[str, Any]:
    """A JSON object. Raises BadInput for other bytes, Wrong for a key that is there twice and numbers JSON has not."""
    try:
        return parsed(data)
    except Wrong as error:
        raise wrong(said(error), path) from error
    except (ValueError, RecursionError) as error:
        raise bad(f"cannot be read: {said(error)}.", path) from error


def parsed(data: bytes) -> dict[str, Any]:
    """A JSON object. Raises ValueError or RecursionError for other bytes, Wrong for what JSON would allow."""
    found = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 -- a file's fault, no caller's
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Wrong("has a key twice")
    return found


def _no_number(word: str) -> float:
    raise Wrong(f"has {word}, which is no number of JSON")


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object of a small file. Raises BadInput, or Wrong."""
    return as_object(read_bytes(path), path)


def read_table(path: Path, columns: Mapping[str, str]) -> dict[str, list[Any]]:
    """Columns of a Parquet table, the first of which holds ids. Raises BadInput for another file, Wrong for others."""
    import pyarrow as pa  # here: a heavy library
    import pyarrow.parquet as pq

    size = size_of(path)
    try:
        with pq.ParquetFile(path) as file:
            _must_fit(file, columns, size, path)
            table = file.read(columns=list(columns))
            for name, kind in columns.items():
                if (found := table.schema.field(name).type) != getattr(pa, kind)():
                    raise wrong(f"has a column {name} of type {found}, not {kind}", path)
            return {name: table.column(name).to_pylist() for name in columns}
    except Wrong:
        raise
    except (OSError, ValueError, LookupError, MemoryError, pa.ArrowException) as error:
        raise bad(f"cannot be read: {said(error)}.", path) from error


def _must_fit(file: Any, columns: Mapping[str, str], size: int, path: Path) -> None:  # noqa: ANN401 -- pyarrow ships no types
    """Raise Wrong for a table without these columns, or with more rows than its bytes can hold different ids."""
    names = file.schema_arrow.names
    if missing := [name for name in columns if names.count(name) != 1]:
        raise wrong(f"has no column {missing[0]}, or several", path)
    if file.metadata.num_rows * BYTES_OF_AN_ID > size:
        raise wrong(f"says that it has {file.metadata.num_rows:,} rows, more than its {size:,} bytes can hold", path)
