"""Asks (requests for human answers), and the tasks that contain them, in SQLite."""

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from thresher.records import Ask, NewAsk, NewTask, Purpose, Task
from thresher.store.contract import Asks, Rows
from thresher.store.conversions import ask_line, ask_of, names_of, task_fields, task_of
from thresher.store.kinds import ASK
from thresher.store.rules import fits_a_task, no_such_task, plain, shown_twice
from thresher.store.sqlite import counters
from thresher.store.sqlite.connection import insert
from thresher.store.sqlite.counters import as_rows
from thresher.store.sqlite.lines import marks, named
from thresher.store.sqlite.part import Part

CHUNK = 1000

_WISH = f"""INSERT INTO ask ({named(ASK.fields)}, category, open)
    WITH wanted ({named(ASK.fields)}, category, seen) AS (VALUES ({marks(ASK.fields)}, ?, ?))
    SELECT {named(ASK.fields)}, category, 1 FROM wanted
    WHERE seen IS NULL OR (
        (part > 0) = EXISTS (SELECT 1 FROM ask AS other WHERE other.category = wanted.category
            AND other.version = wanted.version AND other.row = wanted.row AND other.open AND (wanted.part = 0
            OR (other.part = 0 AND other.purpose = wanted.purpose AND other.epoch = wanted.epoch)))
        AND seen >= (SELECT count(*) FROM vote WHERE vote.category = wanted.category
            AND vote.version = wanted.version AND vote.row = wanted.row))
    ON CONFLICT DO NOTHING"""
_ASK = ", ".join(f"ask.{name}" for name in names_of(Ask))
_OF_TASK = {"category": "category.name", "name": "task.name"}
_TASK = f"""SELECT {", ".join(_OF_TASK.get(name, name) for name in names_of(Task))}
    FROM task JOIN category ON category.id = task.category"""
_ROWS = names_of(Task).index("rows")


class SqliteAsks(Part, Asks):
    """Wishes for human answers, and the tasks that carry them."""

    def wish(self, category: str, version: int, asks: Sequence[NewAsk]) -> int:
        return sum(self._wish(category, version, asks[start : start + CHUNK]) for start in range(0, len(asks), CHUNK))

    def _wish(self, category: str, version: int, asks: Sequence[NewAsk]) -> int:
        new: Counter[str] = Counter()
        with self.writing(category, ["asks"]) as (sql, key):
            for ask in asks:
                line = (*ask_line(None, version, ask), key, ask.votes_seen)
                new[ask.purpose.value] += sql.execute(_WISH, line).rowcount
            for purpose, count in new.items():
                counters.add(sql, key, f"asks:{version}:{purpose}", count)
        return new.total()

    def waiting(self, category: str, version: int, limit: int, *, owner_only: bool = False) -> list[Ask]:
        with self.reading(category) as (sql, key):
            found = sql.execute(
                f"""SELECT {_ASK} FROM ask
                    WHERE category = ? AND version = ? AND owner_only = ? AND open AND task IS NULL
                    ORDER BY priority DESC, draw, id LIMIT ?""",
                (key, version, owner_only, limit),
            )
            return [ask_of(line) for line in found]

    def open_counts(self, category: str, version: int) -> dict[str, int]:
        with self.reading(category) as (sql, key):
            return counters.values(sql, key, f"asks:{version}:")

    def open_rows(self, category: str, version: int, purposes: Collection[Purpose] = tuple(Purpose)) -> Rows:
        with self.reading(category) as (sql, key):
            wanted = f"""SELECT DISTINCT row FROM ask WHERE category = ? AND version = ? AND open
                AND purpose IN ({marks(purposes)}) ORDER BY row"""
            return as_rows(sql.execute(wanted, (key, version, *(purpose.value for purpose in purposes))))

    def publish(self, category: str, version: int, task: NewTask) -> Task | None:
        wanted = plain(task.asks)
        fits_a_task(task)
        with self.writing(category, ["asks"]) as (sql, key):
            rows = as_rows(
                sql.execute(
                    """SELECT ask.row FROM json_each(?) AS wanted CROSS JOIN ask ON ask.id = wanted.value
                       WHERE category = ? AND version = ? AND open AND task IS NULL ORDER BY wanted.key""",
                    (json.dumps(wanted), key, version),
                )
            ).tolist()
            if len(rows) != len(wanted):
                return None
            if len(set(rows)) != len(rows):
                raise shown_twice(task)
            lists = {"rows": json.dumps(rows), "asks": json.dumps(wanted)}
            number = insert(sql, "task", {**task_fields(task, version), **lists, "category": key}).lastrowid
            sql.executemany("UPDATE ask SET task = ? WHERE id = ?", ((number, ask) for ask in wanted))
            counters.add(sql, key, "tasks_open", 1)
            return load_task(sql, number or 0)

    def withdraw(self, number: int) -> bool:
        with self.catalog.writing() as sql:
            gone = sql.execute(
                """UPDATE task SET places = 0, rows = '[]', asks = '[]'
                   WHERE number = ? AND taken = 0 AND done = 0 AND places > 0 RETURNING category""",
                (int(number),),
            ).fetchone()
            if gone:
                sql.execute("UPDATE ask SET task = NULL WHERE task = ?", (int(number),))
                counters.add(sql, gone[0], "tasks_open", -1)
                counters.move(sql, gone[0], ["asks"])
            return gone is not None

    def task(self, number: int) -> Task:
        with self.catalog.reading() as sql:
            return load_task(sql, number)

    def tasks(self, category: str, after_number: int, limit: int) -> list[Task]:
        with self.reading(category) as (sql, key):
            found = sql.execute(
                f"{_TASK} WHERE task.category = ? AND number > ? ORDER BY number LIMIT ?",
                (key, after_number, limit),
            )
            return [_task(line) for line in found]

    def close(self, number: int) -> bool:
        with self.catalog.writing() as sql:
            closed = sql.execute(
                """UPDATE task SET places = taken WHERE number = ? AND taken < places
                   RETURNING category, version, done = places""",
                (int(number),),
            ).fetchone()
            if closed:
                counters.move(sql, closed[0], ["asks"])
            if closed and closed[2]:
                end_asks(sql, closed[0], closed[1], number)
            return closed is not None

    def untaken(
        self, category: str, version: int, limit: int, *, owner_only: bool = False, partly: bool = False
    ) -> list[Task]:
        with self.reading(category) as (sql, key):
            found = sql.execute(
                f"""{_TASK} WHERE task.category = ? AND version = ? AND owner_only = ? AND taken < places
                    AND (? OR taken = 0) ORDER BY number LIMIT ?""",
                (key, version, owner_only, partly, limit),
            )
            return [_task(line) for line in found]

    def of_task(self, number: int) -> list[Ask]:
        with self.catalog.reading() as sql:
            found = sql.execute("SELECT asks FROM task WHERE number = ?", (int(number),)).fetchone()
            if not found:
                raise no_such_task(number)
            carried = sql.execute(
                f"""SELECT {_ASK} FROM json_each(?) AS carried CROSS JOIN ask ON ask.id = carried.value
                    ORDER BY carried.key""",
                found,
            )
            return [ask_of(line) for line in carried]


def end_asks(sql: sqlite3.Connection, category: int, version: int, task: int) -> None:
    """End the asks of a task whose places are all done, and update the counters."""
    closed = sql.execute("UPDATE ask SET open = 0 WHERE task = ? RETURNING purpose", (int(task),)).fetchall()
    for purpose, count in Counter(purpose for (purpose,) in closed).items():
        counters.add(sql, category, f"asks:{version}:{purpose}", -count)
    counters.add(sql, category, "tasks_open", -1)


def load_task(sql: sqlite3.Connection, number: int) -> Task:
    """A task by its number. Raises NotFound."""
    found = sql.execute(f"{_TASK} WHERE number = ?", (int(number),)).fetchone()
    if not found:
        raise no_such_task(number)
    return _task(found)


def _task(line: Sequence[Any]) -> Task:
    own = list(line)
    own[_ROWS] = json.loads(own[_ROWS])
    return task_of(own)
