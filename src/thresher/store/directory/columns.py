"""Embeddings and scores: one matrix per name, indexed by row, in one sparse file, and a second file of checksums.

columns/features@efficientnet-lite0/ holds meta.json, `values` and `sums`. Values are on disk before the checksum of
their row (sums.py), and a row is present once it has one, so a present row is complete. Several processes write
different rows at once; only extending a file takes a lock, and a file never shrinks. A column of an earlier version has
`present` instead, a byte a row: it gets its checksums before the next write to it. See
docs/decisions/0003-columns-as-one-file.md and 0014.
"""

import json
import mmap
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from thresher.errors import BadInput, StoreDamaged
from thresher.records import new_id
from thresher.store.columns import CheckedColumns, Shape, no_such_column, parts_of
from thresher.store.contract import Rows
from thresher.store.files import alone, flush_data, told, write_whole
from thresher.store.findings import MEND
from thresher.store.locks import lock, unlock
from thresher.store.sums import NONE, SUM, Sums, sums_of

META, VALUES, SUMS, PRESENT = "meta.json", "values", "sums", "present"
FORM: Final = 1
"""The form of the checksums."""
ROWS_AT_ONCE: Final = 8_192


@dataclass(frozen=True, slots=True)
class Column(Shape):
    """A column as its description tells; `form` is 0 where an earlier version made it, without checksums."""

    form: int = FORM


class DirectoryColumns(CheckedColumns[Column]):
    """The columns of a workspace directory; `top` tells how many rows a matrix has.

    `moved` is called with the name after values came or went: it moves the change mark, which is in the catalog.
    """

    def __init__(
        self, directory: Path, top: Callable[[], int], moved: Callable[[str], None] = lambda _name: None
    ) -> None:
        self.directory = directory
        self.top = top
        self.moved = moved

    def _write(self, column: Column, rows: Rows, values: NDArray[Any]) -> None:
        if column.form != FORM:
            self.seal(column.name)
        folder, order = self._folder(column.name), np.argsort(rows, kind="stable")
        rows, values = rows[order], values[order]
        whole = values.view(np.uint8).reshape(len(rows), column.row_bytes)
        sums = sums_of(column, rows, values)
        there = rows[self._sums(column, int(rows[-1]) + 1, int(rows[0]))[rows - rows[0]] != NONE]
        try:
            if len(there):  # or a kill in between would leave old checksums on new values
                _put(folder / SUMS, there, _bytes_of(np.zeros(len(there), np.uint32)))
            _put(folder / VALUES, rows, whole)
            _put(folder / SUMS, rows, _bytes_of(sums))
        except OSError as error:
            raise told(error, folder) from error
        self.moved(column.name)

    def view(self, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        shape, top = self._found(name), self.top()
        present = self._present(name, top)  # before the values: what is marked by now is whole
        if top == 0:
            return np.empty((0, shape.width), dtype=shape.dtype), present
        path = self._folder(name) / VALUES
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < top * shape.row_bytes:
                    with path.open("r+b") as writable:
                        _grow(writable.fileno(), top * shape.row_bytes)
                mapped = mmap.mmap(file.fileno(), top * shape.row_bytes, access=mmap.ACCESS_READ)
        except OSError as error:
            raise told(error, path) from error
        return np.frombuffer(mapped, dtype=shape.dtype).reshape(top, shape.width), present

    def names(self) -> list[str]:
        if not self.directory.exists():
            return []
        return sorted(
            entry.name.replace("@", "/") for entry in self.directory.iterdir() if not entry.name.startswith(".")
        )

    def drop(self, name: str) -> None:
        gone = self.directory / f".dropped-{new_id()}"
        try:
            self._folder(name).rename(gone)  # at once, so that nobody sees half of it
            shutil.rmtree(gone)
        except FileNotFoundError:
            pass  # an earlier call may have been killed before it moved the mark
        except OSError as error:
            raise told(error, self._folder(name)) from error
        self.moved(name)

    def leftovers(self) -> list[Path]:
        """Folders of columns whose creation or deletion was interrupted."""
        return sorted(self.directory.glob(".*"))

    def present_rows(self, name: str) -> Rows:
        shape = self._found(name)
        size = (self._folder(name) / (SUMS if shape.form else PRESENT)).stat().st_size
        rows = np.flatnonzero(self._marks(shape, size // (SUM.itemsize if shape.form else 1)))
        return rows.astype(np.int64)

    def unfounded(self, name: str) -> Rows:
        """Rows that are marked present beyond the last image, or beyond the end of the values."""
        whole = (self._folder(name) / VALUES).stat().st_size // self._found(name).row_bytes
        marked = self.present_rows(name)
        return marked[marked >= min(self.top(), whole)]

    def forget(self, name: str, rows: Rows) -> None:
        shape = self._found(name)
        size = SUM.itemsize if shape.form else 1
        path = self._folder(name) / (SUMS if shape.form else PRESENT)
        try:
            _put(path, rows, np.zeros((len(rows), size), dtype=np.uint8))
        except OSError as error:
            raise told(error, path) from error
        self.moved(name)

    def seal(self, name: str) -> bool:
        folder = self._folder(name)
        with alone(folder, os.O_RDONLY):
            shape = self._found(name)
            if shape.form == FORM:  # always so, but for an earlier version's
                return False
            rows = np.flatnonzero(self._marks(shape, (folder / PRESENT).stat().st_size)).astype(np.int64)
            whole = (folder / VALUES).stat().st_size // shape.row_bytes
            try:
                (folder / SUMS).touch()
                for start in range(0, len(rows := rows[rows < whole]), ROWS_AT_ONCE):
                    part = rows[start : start + ROWS_AT_ONCE]
                    _put(folder / SUMS, part, _bytes_of(sums_of(shape, part, self._values(shape, whole)[part])))
            except OSError as error:
                raise told(error, folder) from error
            write_whole(folder / META, _description(shape))  # from now on `present` is not read
            return True

    def _damaged(self, column: Column, rows: Rows) -> Rows:
        if column.form != FORM:
            return rows[:0]
        whole = (self._folder(column.name) / VALUES).stat().st_size // column.row_bytes
        sums = self._sums(column, int(rows.max()) + 1)
        found = [rows[:0]]
        values = self._values(column, whole)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[start : start + ROWS_AT_ONCE]
            part = part[sums[part] != NONE]
            there = part[part < whole]
            found += [part[part >= whole], there[sums_of(column, there, values[there]) != sums[there]]]
        return np.concatenate(found)

    def _values(self, shape: Shape, whole: int) -> NDArray[Any]:
        """The values in the file as they are, without making it longer."""
        if not whole:
            return np.empty((0, shape.width), dtype=shape.dtype)
        path = self._folder(shape.name) / VALUES
        return np.memmap(path, dtype=shape.dtype, mode="r", shape=(whole, shape.width))

    def _make(self, shape: Shape) -> None:
        folder, made = self._folder(shape.name), self.directory / f".making-{new_id()}"
        if folder.exists():
            return
        try:
            made.mkdir(parents=True)
            (made / META).write_bytes(_description(shape))
            (made / VALUES).touch()
            (made / SUMS).touch()
            made.rename(folder)
        except OSError as error:
            shutil.rmtree(made, ignore_errors=True)
            if not folder.exists():  # else another process made it first
                raise told(error, folder) from error

    def _folder(self, name: str) -> Path:
        return self.directory / "@".join(parts_of(name))

    def _found(self, name: str) -> Column:
        path = self._folder(name) / META
        try:
            found = json.loads(path.read_text("utf-8"))
            form = int(found.get("sums", 0))
            if form not in (0, FORM):
                raise ValueError(form)
            return Column(name, int(found["width"]), str(found["dtype"]), form)
        except FileNotFoundError as error:
            if path.parent.is_dir():  # it is made and dropped at once
                raise broken(path, "the column's description is missing.") from error
            raise no_such_column(name) from error
        except (ValueError, KeyError, TypeError, BadInput) as error:
            raise broken(path, "the column's description cannot be read.") from error

    def _present(self, name: str, top: int) -> NDArray[np.bool_]:
        return self._marks(self._found(name), top)

    def _marks(self, shape: Column, top: int) -> NDArray[np.bool_]:
        marks = self._sums(shape, top) if shape.form else self._file(shape, PRESENT, range(top), np.dtype(np.uint8))
        there: NDArray[np.bool_] = marks != NONE
        return there

    def _sums(self, shape: Column, top: int, first: int = 0) -> Sums:
        return self._file(shape, SUMS, range(first, top), SUM)

    def _file(self, shape: Shape, name: str, rows: range, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Some numbers of a file that has one a row; 0 beyond its end."""
        path = self._folder(shape.name) / name
        try:
            with path.open("rb") as file:
                data: NDArray[Any] = np.fromfile(file, dtype, len(rows), offset=rows.start * dtype.itemsize)
        except FileNotFoundError as error:
            raise broken(path, "the column's checksums are missing.") from error
        return data if len(data) == len(rows) else np.pad(data, (0, len(rows) - len(data)))


def broken(path: Path, what: str) -> StoreDamaged:
    """The error for a column that must be made anew."""
    return StoreDamaged(what, where=str(path), next=MEND)


def _description(shape: Shape) -> bytes:
    return json.dumps({"width": shape.width, "dtype": shape.dtype, "sums": FORM}).encode()


def _bytes_of(sums: Sums) -> NDArray[np.uint8]:
    return np.ascontiguousarray(sums, dtype=SUM).view(np.uint8).reshape(len(sums), SUM.itemsize)


def _runs(rows: Rows) -> Iterator[tuple[int, int]]:
    """Where each stretch of consecutive rows starts and stops."""
    cuts = np.flatnonzero(np.diff(rows) != 1) + 1
    bounds = [0, *cuts.tolist(), len(rows)]
    return pairwise(bounds)


def _put(path: Path, rows: Rows, data: NDArray[np.uint8]) -> None:
    """Write rows of bytes at their places and wait until they are on disk."""
    size = data.shape[1]
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        _grow(descriptor, (int(rows[-1]) + 1) * size)
        for start, stop in _runs(rows):
            # pwrite, not a mapping: a full disk is then an error and not a signal that kills the process
            view, at = data[start:stop].reshape(-1).data, int(rows[start]) * size
            while view:
                written = os.pwrite(descriptor, view, at)
                view, at = view[written:], at + written
        flush_data(descriptor)
    finally:
        os.close(descriptor)


def _grow(descriptor: int, size: int) -> None:
    """Extend a file to at least this length; the lock keeps a slower process from cutting off a faster one's part."""
    if os.fstat(descriptor).st_size >= size:
        return
    lock(descriptor)
    try:
        if os.fstat(descriptor).st_size < size:
            os.ftruncate(descriptor, size)
    finally:
        unlock(descriptor)
