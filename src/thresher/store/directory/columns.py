"""Embeddings and scores: one matrix per name, indexed by row, in one sparse file, and a second file of presence marks.

columns/features@efficientnet-lite0/ holds meta.json, `values` and `present`. Values are on disk before their rows are
marked present, so a marked row is complete. Several processes write different rows at once; only extending a file takes
a lock, and a file never shrinks. See docs/decisions/0003-columns-as-one-file.md.
"""

import fcntl
import json
import mmap
import os
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.errors import BadInput
from thresher.records import new_id
from thresher.store.columns import CheckedColumns, Shape, no_such_column, parts_of
from thresher.store.contract import Rows
from thresher.store.directory.shards import damaged
from thresher.store.files import told

META, VALUES, PRESENT = "meta.json", "values", "present"


class DirectoryColumns(CheckedColumns[Shape]):
    """The columns of a workspace directory; `top` tells how many rows a matrix has."""

    def __init__(self, directory: Path, top: Callable[[], int]) -> None:
        self.directory = directory
        self.top = top

    def _write(self, column: Shape, rows: Rows, values: NDArray[Any]) -> None:
        folder, order = self._folder(column.name), np.argsort(rows, kind="stable")
        rows, whole = rows[order], values[order].view(np.uint8).reshape(len(rows), column.row_bytes)
        try:
            _put(folder / VALUES, rows, whole)
            _put(folder / PRESENT, rows, np.ones((len(rows), 1), dtype=np.uint8))
        except OSError as error:
            raise told(error, folder) from error

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
            return
        except OSError as error:
            raise told(error, self._folder(name)) from error

    def leftovers(self) -> list[Path]:
        """Folders of columns whose creation or deletion was interrupted."""
        return sorted(self.directory.glob(".*"))

    def unfounded(self, name: str) -> Rows:
        """Rows that are marked present beyond the last image, or beyond the end of the values."""
        folder, shape = self._folder(name), self._found(name)
        marks = np.frombuffer((folder / PRESENT).read_bytes(), dtype=np.uint8)
        whole = (folder / VALUES).stat().st_size // shape.row_bytes
        marked = np.flatnonzero(marks)
        return marked[marked >= min(self.top(), whole)].astype(np.int64)

    def unmark(self, name: str, rows: Rows) -> None:
        """Remove the presence marks of rows, so that their values are computed again."""
        path = self._folder(name) / PRESENT
        try:
            _put(path, rows, np.zeros((len(rows), 1), dtype=np.uint8))
        except OSError as error:
            raise told(error, path) from error

    def _make(self, shape: Shape) -> None:
        folder, made = self._folder(shape.name), self.directory / f".making-{new_id()}"
        if folder.exists():
            return
        try:
            made.mkdir(parents=True)
            (made / META).write_text(json.dumps({"width": shape.width, "dtype": shape.dtype}), "utf-8")
            (made / VALUES).touch()
            (made / PRESENT).touch()
            made.rename(folder)
        except OSError as error:
            shutil.rmtree(made, ignore_errors=True)
            if not folder.exists():  # else another process made it first
                raise told(error, folder) from error

    def _folder(self, name: str) -> Path:
        return self.directory / "@".join(parts_of(name))

    def _found(self, name: str) -> Shape:
        path = self._folder(name) / META
        try:
            found = json.loads(path.read_text("utf-8"))
            return Shape(name, int(found["width"]), str(found["dtype"]))
        except FileNotFoundError as error:
            raise no_such_column(name) from error
        except (ValueError, KeyError, TypeError, BadInput) as error:
            raise damaged(path, "the column's description cannot be read.") from error

    def _present(self, name: str, top: int) -> NDArray[np.bool_]:
        self._found(name)
        marks = np.zeros(top, dtype=np.uint8)
        with (self._folder(name) / PRESENT).open("rb") as file:
            data = np.frombuffer(file.read(top), dtype=np.uint8)
        marks[: len(data)] = data
        return marks.view(np.bool_)


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
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def _grow(descriptor: int, size: int) -> None:
    """Extend a file to at least this length; the lock keeps a slower process from cutting off a faster one's part."""
    if os.fstat(descriptor).st_size >= size:
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        if os.fstat(descriptor).st_size < size:
            os.ftruncate(descriptor, size)
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
