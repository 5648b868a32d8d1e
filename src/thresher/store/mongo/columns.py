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
from pymongo import ReplaceOne, ReturnDocument
from pymongo.errors import DuplicateKeyError

from thresher.errors import NotFound, StoreDamaged, ThresherError
from thresher.records import new_id
from thresher.store.columns import CheckedColumns, Shape, no_such_column, parts_of, whose
from thresher.store.contract import Rows
from thresher.store.directory.columns import DirectoryColumns
from thresher.store.files import alone, write_whole
from thresher.store.findings import MEND
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.hashes import grown
from thresher.store.mongo.link import Document, Link, Session, key, span
from thresher.store.mongo.numbers import WORKSPACE, move
from thresher.store.sums import SUM, Sums, sums_of

PART_BYTES: Final = 8_000_000
APPLIED: Final = "applied"
ROWS: Final = np.dtype("<i8")
MOST_ROWS: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Column(Shape):
    """A column as it is found; one that is made again under its name is another generation.

    `emptied` is how often parts of it were emptied: what was read of them before is void then.
    """

    generation: str
    emptied: int

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
        self._marks: dict[str, tuple[int, int, NDArray[np.bool_]]] = {}
        """Of each generation how often it was emptied, the last part that was read, and which rows have values."""

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
        return Column(name, found["width"], found["dtype"], found["generation"], found.get("emptied", 0))

    def _write(self, column: Column, rows: Rows, values: NDArray[Any]) -> None:
        at_once = max(1, PART_BYTES // max(column.row_bytes, ROWS.itemsize + SUM.itemsize))
        sums = sums_of(column, rows, values)
        parts = []
        for start in range(0, len(rows), at_once):
            part, piece = new_id(), slice(start, start + at_once)
            data = Binary(values[piece].astype(column.stored, copy=False).tobytes())
            self.link.table("blobs").insert_one({"_id": key(of=column.generation, number=part), "piece": data})
            kept = Binary(rows[piece].astype(ROWS, copy=False).tobytes())
            parts.append({"values": part, "rows": kept, "sums": _binary(sums[piece])})
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
        move(self.link, whose(name) or WORKSPACE, ["columns"], session)

    def view(self, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        column = self._found(name)
        generation = column.generation
        with alone(self._lock(generation)):
            applied = self.cache / generation / APPLIED
            # one of an earlier version has only the number of the part
            noted = applied.read_text("ascii") if applied.exists() else "0 -1"
            done, emptied, *_ = *map(int, noted.split()), 0
            if emptied < column.emptied:
                shutil.rmtree(self.cache / generation, ignore_errors=True)
                done, emptied = 0, column.emptied
            self._copies.create(generation, column.width, column.dtype)
            for part in self._parts(generation, above=done):
                if not part["rows"]:
                    continue
                values = self._values(column, part)
                if values is None:
                    raise self._without_values(name, generation)
                if not _sound(column, part, values):
                    what = "values of the column do not match their checksums."
                    raise StoreDamaged(what, where=name, next=MEND)
                self._copies.write(generation, _rows(part), values)
                write_whole(applied, b"%d %d" % (part["_id"]["number"], emptied))  # after the values are on the disk
            return self._copies.view(generation)

    def _without_values(self, name: str, generation: str) -> ThresherError:
        if self._found(name).generation != generation:
            return NotFound("the column was deleted meanwhile.", where=name, next="run it again")
        return StoreDamaged("values of the column are missing.", where=name, next=MEND)

    def _values(self, column: Column, part: Document) -> NDArray[Any] | None:
        """The values of a part; None if they are missing, or not so many as rows."""
        stored = self.link.table("blobs").find_one({"_id": key(of=column.generation, number=part["values"])})
        rows = len(part["rows"]) // ROWS.itemsize
        if stored is None or len(stored["piece"]) != rows * column.row_bytes:
            return None
        return np.frombuffer(stored["piece"], dtype=column.stored).reshape(rows, column.width)

    def present_rows(self, name: str) -> Rows:
        return np.flatnonzero(self._present(name, 0)).astype(np.int64)

    def seal(self, name: str) -> bool:
        column, sealed = self._found(name), False
        for part in self._parts(column.generation, above=0):
            values = None if "sums" in part or not part["rows"] else self._values(column, part)
            if values is not None:
                sums = _binary(sums_of(column, _rows(part), values))
                self.link.table("column_parts").update_one({"_id": part["_id"]}, {"$set": {"sums": sums}})
                sealed = True
        return sealed

    def forget(self, name: str, rows: Rows) -> None:
        column = self._found(name)
        if column.width == 1:  # scores are made again as a whole, and an emptied part may uncover older ones
            self.drop(name)
            self.create(name, column.width, column.dtype)
            return
        parts = self._parts(column.generation, above=0)
        self.empty(name, [part["_id"]["number"] for part in parts if np.isin(_rows(part), rows).any()])
        self.drop_copy(column.generation)

    def empty(self, name: str, numbers: list[int]) -> None:
        """Make parts hold no rows, so that they count as missing for every process and are computed again."""
        nothing = {"values": "", "rows": Binary(b""), "sums": Binary(b"")}

        def empty(session: Session) -> None:
            column = self.link.table("columns").find_one_and_update(
                {"_id": name}, {"$inc": {"emptied": 1}}, session=session
            )
            if column is None:
                raise no_such_column(name)
            keys = [key(generation=column["generation"], number=number) for number in numbers]
            writes = [ReplaceOne({"_id": one}, nothing, upsert=True) for one in keys]
            self.link.table("column_parts").bulk_write(writes, session=session)
            move(self.link, whose(name) or WORKSPACE, ["columns"], session)

        if numbers:
            self.link.transact(empty)

    def drop_copy(self, generation: str) -> None:
        """Delete the copy on this machine, which is made again when it is needed."""
        with alone(self._lock(generation)):
            shutil.rmtree(self.cache / generation, ignore_errors=True)

    def _damaged(self, column: Column, rows: Rows) -> Rows:
        found = [rows[:0]]
        for part in self._parts(column.generation, above=0):
            of_part = _rows(part)
            if not np.isin(of_part, rows).any():
                continue
            values = self._values(column, part)
            found.append(of_part if values is None else of_part[~_matching(column, part, values)])
        damaged = np.unique(np.concatenate(found))
        return damaged[np.isin(damaged, rows)]

    def damaged_copy(self, name: str) -> str:
        """The generation of a column whose copy on this machine does not match its checksums, or empty."""
        generation = self._found(name).generation
        if not (self.cache / generation).exists():
            return ""
        try:
            bad = self._copies.damaged(generation, self._copies.present_rows(generation))
        except StoreDamaged:
            return generation
        return generation if len(bad) else ""

    def names(self) -> list[str]:
        return [one["_id"] for one in self.link.table("columns").find({}, {"_id": 1}).sort("_id", 1)]

    def drop(self, name: str) -> None:
        parts_of(name)

        def drop(session: Session) -> Document | None:
            gone = self.link.table("columns").find_one_and_delete({"_id": name}, session=session)
            if gone is not None:
                move(self.link, whose(name) or WORKSPACE, ["columns"], session)
            return gone

        gone = self.link.transact(drop)
        if gone is None:
            return
        generation = gone["generation"]
        self.link.table("column_parts").delete_many(span(generation=generation))
        self.link.table("blobs").delete_many(span(of=generation))
        with self._turn:
            self._marks.pop(generation, None)
        self.drop_copy(generation)

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
        column = self._found(name)
        generation = column.generation
        with self._turn:
            emptied, done, present = self._marks.get(generation, (0, 0, np.zeros(0, dtype=np.bool_)))
            if emptied < column.emptied:
                emptied, done, present = column.emptied, 0, np.zeros(0, dtype=np.bool_)
            for part in self._parts(generation, above=done):
                rows = _rows(part)
                present = grown(present, int(rows.max(initial=-1)) + 1)
                present[rows] = True
                done = part["_id"]["number"]
            present = grown(present, top)
            self._marks[generation] = (emptied, done, present)
            return present


def _rows(part: Document) -> Rows:
    """The rows of a part. Raises StoreDamaged if they are none."""
    whole = len(part["rows"]) // ROWS.itemsize
    rows = np.frombuffer(part["rows"], dtype=ROWS, count=whole).astype(np.int64)
    if whole * ROWS.itemsize != len(part["rows"]) or rows.min(initial=0) < 0 or rows.max(initial=0) > MOST_ROWS:
        raise StoreDamaged("the rows of a part cannot be read.", where="column_parts", next=MEND)
    return rows


def _binary(sums: Sums) -> Binary:
    return Binary(sums.astype(SUM, copy=False).tobytes())


def _matching(column: Column, part: Document, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows of a part match their checksums; all of a part of an earlier version, which has none."""
    kept, rows = part.get("sums"), _rows(part)
    if kept is None:
        return np.ones(len(rows), dtype=np.bool_)
    if len(kept) != len(rows) * SUM.itemsize:
        return np.zeros(len(rows), dtype=np.bool_)
    same: NDArray[np.bool_] = sums_of(column, rows, values) == np.frombuffer(kept, dtype=SUM)
    return same


def _sound(column: Column, part: Document, values: NDArray[Any]) -> bool:
    return bool(_matching(column, part, values).all())
