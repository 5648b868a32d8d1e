"""Embeddings and scores as a log of parts in MongoDB, and a copy on this machine that is mapped into memory.

A part is a run of values and the rows they belong to. Its values are stored first; then one small transaction gives the
part the column's next number, so a reader that sees a number sees all parts before it. A reader brings its copy up to
the newest number and maps it; the copy is a directory column (store/directory/columns.py) and may be deleted at any
time.
"""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from bson import Binary
from numpy.typing import NDArray
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from thresher.errors import NotFound, StoreDamaged, ThresherError
from thresher.records import new_id
from thresher.store.columns import CheckedColumns, Shape, no_such_column, parts_of
from thresher.store.contract import Rows
from thresher.store.directory.columns import DirectoryColumns
from thresher.store.files import alone, write_whole
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.hashes import grown
from thresher.store.mongo.link import Document, Link, Session, key, span

PART_BYTES: Final = 8_000_000
APPLIED: Final = "applied"
ROWS: Final = np.dtype("<i8")


@dataclass(frozen=True, slots=True)
class Column(Shape):
    """A column as it is found; one that is made again under its name is another generation."""

    generation: str

    @property
    def stored(self) -> np.dtype[Any]:
        """The type of a value in a part, whatever machine wrote it."""
        return np.dtype(self.dtype).newbyteorder("<")


@plain_failures
class MongoColumns(CheckedColumns[Column]):
    """The columns of a workspace; `cache` is a directory of this machine that holds only copies."""

    def __init__(self, link: Link, cache: Path, top: Callable[[], int]) -> None:
        self.link = link
        self.cache = cache
        self.top = top
        self._copies = DirectoryColumns(cache, top)
        self._turn = threading.Lock()
        self._marks: dict[str, tuple[int, NDArray[np.bool_]]] = {}

    def _make(self, shape: Shape) -> None:
        new = {"generation": new_id(), "newest": 0}
        made = {"_id": shape.name, "width": shape.width, "dtype": shape.dtype, **new}
        with suppress(DuplicateKeyError):
            self.link.table("columns").insert_one(made)

    def _found(self, name: str) -> Column:
        parts_of(name)
        found = self.link.table("columns").find_one({"_id": name})
        if found is None:
            raise no_such_column(name)
        return Column(name, found["width"], found["dtype"], found["generation"])

    def _write(self, column: Column, rows: Rows, values: NDArray[Any]) -> None:
        at_once = max(1, PART_BYTES // column.row_bytes)
        parts = []
        for start in range(0, len(rows), at_once):
            part, piece = new_id(), slice(start, start + at_once)
            data = Binary(values[piece].astype(column.stored, copy=False).tobytes())
            self.link.table("blobs").insert_one({"_id": key(of=column.generation, number=part), "piece": data})
            parts.append({"values": part, "rows": Binary(rows[piece].astype(ROWS, copy=False).tobytes())})
        self.link.transact(lambda session: self._append(column.name, column.generation, parts, session))

    def _append(self, name: str, generation: str, parts: list[Document], session: Session) -> None:
        after = self.link.table("columns").find_one_and_update(
            {"_id": name, "generation": generation},
            {"$inc": {"newest": len(parts)}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if after is None:
            raise NotFound("the column was deleted meanwhile.", where=name, next="run it again")
        first = after["newest"] - len(parts) + 1
        numbered = [{"_id": key(generation=generation, number=first + n), **part} for n, part in enumerate(parts)]
        self.link.table("column_parts").insert_many(numbered, session=session)

    def view(self, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        column = self._found(name)
        generation = column.generation
        with alone(self._lock(generation)):
            self._copies.create(generation, column.width, column.dtype)
            applied = self.cache / generation / APPLIED
            done = int(applied.read_text("ascii")) if applied.exists() else 0
            for part in self._parts(generation, above=done):
                if not part["rows"]:
                    continue
                stored = self.link.table("blobs").find_one({"_id": key(of=generation, number=part["values"])})
                if stored is None:
                    raise self._without_values(name, generation)
                values = np.frombuffer(stored["piece"], dtype=column.stored)
                self._copies.write(generation, _rows(part), values.reshape(-1, column.width))
                write_whole(applied, b"%d" % part["_id"]["number"])  # after the values are on the disk
            return self._copies.view(generation)

    def _without_values(self, name: str, generation: str) -> ThresherError:
        if self._found(name).generation != generation:
            return NotFound("the column was deleted meanwhile.", where=name, next="run it again")
        return StoreDamaged("values of the column are missing.", where=name, next="thresher check")

    def names(self) -> list[str]:
        return [one["_id"] for one in self.link.table("columns").find({}, {"_id": 1}).sort("_id", 1)]

    def drop(self, name: str) -> None:
        parts_of(name)
        gone = self.link.table("columns").find_one_and_delete({"_id": name})
        if gone is None:
            return
        generation = gone["generation"]
        self.link.table("column_parts").delete_many(span(generation=generation))
        self.link.table("blobs").delete_many(span(of=generation))
        with self._turn:
            self._marks.pop(generation, None)
        with alone(self._lock(generation)):
            shutil.rmtree(self.cache / generation, ignore_errors=True)

    def _lock(self, generation: str) -> Path:
        """One thread of one process of this machine updates a copy at a time."""
        return self.cache / f".{generation}.lock"

    def _parts(self, generation: str, *, above: int) -> Iterator[Document]:
        """The parts after number `above`, in order, up to the first gap: on a sharded cluster one may arrive late."""
        found = self.link.table("column_parts").find(span(generation=generation, above={"number": above}))
        for expected, part in enumerate(found.sort("_id", 1), above + 1):
            if part["_id"]["number"] != expected:
                return
            yield part

    def _present(self, name: str, top: int) -> NDArray[np.bool_]:
        generation = self._found(name).generation
        with self._turn:
            done, present = self._marks.get(generation, (0, np.zeros(0, dtype=np.bool_)))
            for part in self._parts(generation, above=done):
                rows = _rows(part)
                present = grown(present, int(rows.max(initial=-1)) + 1)
                present[rows] = True
                done = part["_id"]["number"]
            present = grown(present, top)
            self._marks[generation] = (done, present)
            return present


def _rows(part: Document) -> Rows:
    return np.frombuffer(part["rows"], dtype=ROWS).astype(np.int64)
