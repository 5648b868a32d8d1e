"""Embeddings and scores as a log of parts in MongoDB, and a copy on this machine that is mapped into memory.

A part is a run of values and the rows they belong to. Its values are stored first; then one small transaction gives the
part the column's next number, so a reader that sees a number sees all parts before it. A reader brings its copy up to
the newest number and maps it; the copy is a directory column (store/directory/columns.py) and may be deleted at any
time.
"""

import fcntl
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from bson import Binary
from numpy.typing import NDArray
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from thresher.errors import BadInput, NotFound, StoreDamaged, ThresherError
from thresher.records import new_id
from thresher.store.contract import Columns, Rows
from thresher.store.directory.columns import DirectoryColumns, Shape
from thresher.store.directory.shards import told
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.link import Document, Link, Session, key, span

PART_BYTES: Final = 8_000_000
APPLIED: Final = "applied"
_NAME: Final = re.compile(r"[a-z0-9+_-][a-z0-9.+_-]*(/[a-z0-9+_-][a-z0-9.+_-]*)*")


@plain_failures
class MongoColumns(Columns):
    """The columns of a workspace; `cache` is a directory of this machine that holds only copies."""

    def __init__(self, link: Link, cache: Path, top: Callable[[], int]) -> None:
        self.link = link
        self.cache = cache
        self.top = top
        self._copies = DirectoryColumns(cache, top)
        self._turn = threading.Lock()
        self._present: dict[str, tuple[int, NDArray[np.bool_]]] = {}

    def create(self, name: str, width: int, dtype: str = "float16") -> None:
        wanted = Shape(_named(name), width, dtype)
        made = {"_id": name, "width": width, "dtype": dtype, "generation": new_id(), "newest": 0}
        try:
            self.link.table("columns").insert_one(made)
        except DuplicateKeyError:
            there = self._column(name)
            Shape(name, there["width"], there["dtype"]).must_be(wanted)

    def write(self, name: str, rows: Rows, values: NDArray[Any]) -> None:
        column = self._column(name)
        rows = np.asarray(rows, dtype="<i8")
        values = Shape(name, column["width"], column["dtype"]).fitted(rows, values)
        if not len(rows):
            return
        whole = np.ascontiguousarray(values, dtype=np.dtype(column["dtype"]).newbyteorder("<"))
        at_once = max(1, PART_BYTES // whole[:1].nbytes)
        parts = []
        for start in range(0, len(rows), at_once):
            part, piece = new_id(), slice(start, start + at_once)
            stored = {"_id": key(of=column["generation"], number=part), "piece": Binary(whole[piece].tobytes())}
            self.link.table("blobs").insert_one(stored)
            parts.append({"values": part, "rows": Binary(rows[piece].tobytes())})
        self.link.transact(lambda session: self._append(name, column["generation"], parts, session))

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

    def missing(self, name: str, rows: Rows) -> Rows:
        rows = np.asarray(rows, dtype=np.int64)
        generation = self._column(name)["generation"]
        with self._turn:
            present = self._marked(generation, int(rows.max()) + 1 if len(rows) else 0)
            return rows[~present[rows]]

    def view(self, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        column = self._column(name)
        generation = column["generation"]
        with self._alone(generation):
            self._copies.create(generation, column["width"], column["dtype"])
            applied = self.cache / generation / APPLIED
            done = int(applied.read_text("ascii")) if applied.exists() else 0
            for part in self._parts(generation, above=done):
                if not part["rows"]:
                    continue
                stored = self.link.table("blobs").find_one({"_id": key(of=generation, number=part["values"])})
                if stored is None:
                    raise self._without_values(name, generation)
                values = np.frombuffer(stored["piece"], dtype=np.dtype(column["dtype"]).newbyteorder("<"))
                self._copies.write(generation, _rows(part), values.reshape(-1, column["width"]))
                _note(applied, part["_id"]["number"])
            return self._copies.view(generation)

    def _without_values(self, name: str, generation: str) -> ThresherError:
        if self._column(name)["generation"] != generation:
            return NotFound("the column was deleted meanwhile.", where=name, next="run it again")
        return StoreDamaged("values of the column are missing.", where=name, next="thresher check")

    def names(self) -> list[str]:
        return [one["_id"] for one in self.link.table("columns").find({}, {"_id": 1}).sort("_id", 1)]

    def drop(self, name: str) -> None:
        gone = self.link.table("columns").find_one_and_delete({"_id": _named(name)})
        if gone is None:
            return
        generation = gone["generation"]
        self.link.table("column_parts").delete_many(span(generation=generation))
        self.link.table("blobs").delete_many(span(of=generation))
        with self._turn:
            self._present.pop(generation, None)
        with self._alone(generation):
            shutil.rmtree(self.cache / generation, ignore_errors=True)

    def _column(self, name: str) -> Document:
        found = self.link.table("columns").find_one({"_id": _named(name)})
        if found is None:
            raise NotFound(f"unknown column {name!r}.", next="thresher check")
        return found

    def _parts(self, generation: str, *, above: int) -> Iterator[Document]:
        """The parts after number `above`, in order, up to the first gap: on a sharded cluster one may arrive late."""
        found = self.link.table("column_parts").find(span(generation=generation, above={"number": above}))
        for expected, part in enumerate(found.sort("_id", 1), above + 1):
            if part["_id"]["number"] != expected:
                return
            yield part

    def _marked(self, generation: str, length: int) -> NDArray[np.bool_]:
        """Which rows have values, of at least `length`, brought up to date; called with the lock held."""
        done, present = self._present.get(generation, (0, np.zeros(0, dtype=np.bool_)))
        for part in self._parts(generation, above=done):
            rows = _rows(part)
            present = _at_least(present, int(rows.max(initial=-1)) + 1)
            present[rows] = True
            done = part["_id"]["number"]
        present = _at_least(present, length)
        self._present[generation] = (done, present)
        return present

    @contextmanager
    def _alone(self, generation: str) -> Iterator[None]:
        """Let only one thread of one process of this machine update a copy at a time."""
        path = self.cache / f".{generation}.lock"
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise told(error, path) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadInput("a column's name has parts of a-z 0-9 . + _ -, joined by /.", where=repr(name))
    return name


def _rows(part: Document) -> Rows:
    return np.frombuffer(part["rows"], dtype="<i8").astype(np.int64)


def _at_least(marks: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Marks of at least a length, with room for as many again, so that growing is rare."""
    if len(marks) >= length:
        return marks
    grown = np.zeros(max(length, 2 * len(marks)), dtype=np.bool_)
    grown[: len(marks)] = marks
    return grown


def _note(path: Path, number: int) -> None:
    """Record how far a copy is up to date, after its content is on disk."""
    part = path.with_suffix(".part")
    try:
        part.write_text(str(number), "ascii")
        part.replace(path)
    except OSError as error:
        raise told(error, path) from error
