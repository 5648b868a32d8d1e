"""Asks: wishes for human answers, and the tasks that carry them."""

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence

from thresher.errors import BadInput, NotFound
from thresher.records import OWNER_ONLY, Ask, NewAsk, Purpose, Task
from thresher.store.contract import Asks, Rows
from thresher.store.rules import fits_a_task, plain
from thresher.store.sqlite import counters
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.counters import as_rows, category_id

CHUNK = 1000

_ASK = "id, row, version, purpose, votes_wanted, priority, epoch, draw, task"
_CARRIED = "ask.id, row, version, purpose, votes_wanted, priority, epoch, draw, task"  # json_each has an id too
_TASK = """SELECT number, category.name, version, task.name, rows, places, taken, done, owner_only, published_ms
    FROM task JOIN category ON category.id = task.category"""


class SqliteAsks(Asks):
    """Wishes for human answers, and the tasks that carry them."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def wish(self, category: str, version: int, asks: Sequence[NewAsk]) -> int:
        return sum(self._wish(category, version, asks[start : start + CHUNK]) for start in range(0, len(asks), CHUNK))

    def _wish(self, category: str, version: int, asks: Sequence[NewAsk]) -> int:
        new: Counter[str] = Counter()
        try:
            with self.catalog.writing(durable=True) as sql:
                key = category_id(self.catalog, sql, category)
                for ask in asks:
                    new[ask.purpose.value] += sql.execute(
                        """INSERT INTO ask (category, version, row, purpose, owner_only, votes_wanted, priority, epoch,
                               draw, task, open)
                           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 1) ON CONFLICT DO NOTHING""",
                        (
                            key, version, int(ask.row), ask.purpose.value, ask.purpose in OWNER_ONLY, ask.votes_wanted,
                            float(ask.priority), ask.epoch, ask.draw,
                        ),
                    ).rowcount  # fmt: skip
                for purpose, count in new.items():
                    counters.add(sql, key, f"asks:{version}:{purpose}", count)
        except sqlite3.IntegrityError as error:
            raise NotFound("an ask is for a row that has no image.", where=category) from error
        return new.total()

    def waiting(self, category: str, version: int, limit: int, *, owner_only: bool = False) -> list[Ask]:
        with self.catalog.reading() as sql:
            found = sql.execute(
                f"""SELECT {_ASK} FROM ask
                    WHERE category = ? AND version = ? AND owner_only = ? AND open AND task IS NULL
                    ORDER BY priority DESC, draw, id LIMIT ?""",
                (category_id(self.catalog, sql, category), version, owner_only, limit),
            )
            return [_ask(*line) for line in found]

    def withdraw(self, category: str, version: int, purposes: Sequence[Purpose]) -> int:
        dropped = 0
        with self.catalog.writing(durable=True) as sql:
            key = category_id(self.catalog, sql, category)
            for purpose in purposes:
                gone = sql.execute(
                    """DELETE FROM ask WHERE category = ? AND version = ? AND owner_only = ?
                       AND open AND task IS NULL AND purpose = ?""",
                    (key, version, purpose in OWNER_ONLY, purpose.value),
                ).rowcount
                counters.add(sql, key, f"asks:{version}:{purpose.value}", -gone)
                dropped += gone
        return dropped

    def open_counts(self, category: str, version: int) -> dict[str, int]:
        with self.catalog.reading() as sql:
            return counters.values(sql, category_id(self.catalog, sql, category), f"asks:{version}:")

    def open_rows(self, category: str, version: int) -> Rows:
        with self.catalog.reading() as sql:
            key = category_id(self.catalog, sql, category)
            return as_rows(
                sql.execute(
                    "SELECT DISTINCT row FROM ask WHERE category = ? AND version = ? AND open ORDER BY row",
                    (key, version),
                )
            )

    def publish(
        self, category: str, version: int, name: str, asks: Sequence[int], *, places: int, owner_only: bool, at_ms: int
    ) -> Task | None:
        wanted = plain(asks)
        fits_a_task(wanted, places, name)
        with self.catalog.writing(durable=True) as sql:
            key = category_id(self.catalog, sql, category)
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
                raise BadInput("an image stands in a task once.", where=name)
            number = sql.execute(
                """INSERT INTO task (category, version, name, rows, asks, places, taken, done, owner_only, published_ms)
                   VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, ?) RETURNING number""",
                (key, version, name, json.dumps(rows), json.dumps(wanted), places, owner_only, at_ms),
            ).fetchone()[0]
            sql.executemany("UPDATE ask SET task = ? WHERE id = ?", ((number, ask) for ask in wanted))
            counters.add(sql, key, "tasks_open", 1)
        return Task(number, category, version, name, tuple(rows), places, 0, 0, owner_only, at_ms)

    def task(self, number: int) -> Task:
        with self.catalog.reading() as sql:
            return load_task(sql, number)

    def tasks(self, category: str, after_number: int, limit: int) -> list[Task]:
        with self.catalog.reading() as sql:
            found = sql.execute(
                f"{_TASK} WHERE task.category = ? AND number > ? ORDER BY number LIMIT ?",
                (category_id(self.catalog, sql, category), after_number, limit),
            )
            return [_task(*line) for line in found]

    def of_task(self, number: int) -> list[Ask]:
        with self.catalog.reading() as sql:
            found = sql.execute("SELECT asks FROM task WHERE number = ?", (int(number),)).fetchone()
            if not found:
                raise NotFound(f"no task has the number {number}.")
            return [
                _ask(*line)
                for line in sql.execute(
                    f"""SELECT {_CARRIED} FROM json_each(?) AS carried CROSS JOIN ask ON ask.id = carried.value
                        ORDER BY carried.key""",
                    found,
                )
            ]


def load_task(sql: sqlite3.Connection, number: int) -> Task:
    """A task by its number. Raises NotFound."""
    found = sql.execute(f"{_TASK} WHERE number = ?", (int(number),)).fetchone()
    if not found:
        raise NotFound(f"no task has the number {number}.")
    return _task(*found)


def _ask(
    number: int, row: int, version: int, purpose: str, votes_wanted: int, priority: float, epoch: int, draw: int,
    task: int | None,
) -> Ask:  # fmt: skip
    return Ask(number, row, version, Purpose(purpose), votes_wanted, priority, epoch, draw, task)


def _task(
    number: int, category: str, version: int, name: str, rows: str, places: int, taken: int, done: int,
    owner_only: int, published_ms: int,
) -> Task:  # fmt: skip
    return Task(
        number, category, version, name, tuple(json.loads(rows)), places, taken, done, bool(owner_only), published_ms
    )
