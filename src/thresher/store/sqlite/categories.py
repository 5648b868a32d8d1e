"""Categories: questions with versions, pools with origins, refusals, and the counters of it all."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from itertools import repeat
from typing import Any

from thresher.records import Category, Origin, Question, Refusal, Targets, category_name
from thresher.store.contract import Categories, Mark, Rows, Tally
from thresher.store.rules import category_exists, next_wording, not_in_pool, one_query_each, plain
from thresher.store.sqlite import bulk, counters
from thresher.store.sqlite.connection import Catalog, insert
from thresher.store.sqlite.counters import as_rows
from thresher.store.sqlite.names import rows_in_pool
from thresher.store.sqlite.part import Part

CHUNK = 1000
BULK = 10_000  # as quick, where all go in by one statement

_CATEGORY = """SELECT name, targets, exclusive, created_ms, version, text, instructions, at_ms
    FROM category JOIN question ON question.category = category.id
    WHERE number = (SELECT max(number) FROM question WHERE category = category.id)"""


class SqliteCategories(Part, Categories):
    """One yes/no question each, over a pool of the workspace's images."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog)
        self._pools: dict[int, Rows] = {}

    def create(self, category: Category) -> None:
        category_name(category.name)
        with self.catalog.writing(durable=True) as sql:
            if sql.execute("SELECT 1 FROM category WHERE name = ?", (category.name,)).fetchone():
                raise category_exists(category.name)
            own = {"name": category.name, "exclusive": category.exclusive, "created_ms": category.created_ms}
            made = insert(sql, "category", {**own, "targets": json.dumps(asdict(category.targets))})
            first = {**asdict(category.question), "version": 1, "number": 1}
            insert(sql, "question", {**first, "category": made.lastrowid})

    def get(self, category: str) -> Category:
        with self.reading(category) as (sql, key):
            return _category(sql.execute(f"{_CATEGORY} AND category.id = ?", (key,)).fetchone())

    def all(self) -> list[Category]:
        with self.catalog.reading() as sql:
            return [_category(line) for line in sql.execute(f"{_CATEGORY} ORDER BY name")]

    def reword(
        self,
        category: str,
        text: str,
        instructions: str,
        at_ms: int,
        *,
        version: int | None = None,
        after: int | None = None,
    ) -> Question:
        with self.writing(category, ["question"]) as (sql, key):
            asked = _questions(sql, key)
            wanted = Question(version or 0, text, instructions, at_ms)
            made = next_wording(asked, wanted, after=after, name=category)
            insert(sql, "question", {**asdict(made), "number": len(asked) + 1, "category": key})
            return made

    def questions(self, category: str) -> list[Question]:
        with self.reading(category) as (sql, key):
            return _questions(sql, key)

    def aim(self, category: str, targets: Targets) -> None:
        with self.writing(category, ["question"]) as (sql, key):
            sql.execute("UPDATE category SET targets = ? WHERE id = ?", (json.dumps(asdict(targets)), key))

    def pool_add(self, category: str, rows: Sequence[int], origin: Origin, queries: Sequence[str] = ()) -> int:
        one_query_each(rows, queries, category)
        given, new = plain(rows), 0
        size = BULK if queries and bulk.plain_texts(queries) else CHUNK
        for start in range(0, len(given), size):
            part = slice(start, start + size)
            new += self._pool_add(
                category, given[part], origin, queries[part] if queries else [None] * len(given[part])
            )
        return new

    def _pool_add(self, category: str, rows: list[int], origin: Origin, queries: Sequence[str | None]) -> int:
        with self.writing(category, ["pool"], durable=False) as (sql, key):
            origin_id, before = _origin_id(sql, origin), sql.total_changes
            if len(rows) > CHUNK:
                bulk.insert_pool(sql, key, origin_id, rows, queries)
            else:
                sql.executemany(
                    "INSERT INTO pool (category, row, origin, query) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    zip(repeat(key), rows, repeat(origin_id), queries, strict=False),
                )
            new = sql.total_changes - before
            counters.add(sql, key, "images", new)
            return new

    def pool(self, category: str) -> Rows:
        with self.reading(category) as (sql, key):
            size = counters.value(sql, key, "images")
            known = self._pools.get(key)
            if known is None or len(known) != size:  # a pool only grows, so the same size is the same pool
                known = as_rows(sql.execute("SELECT row FROM pool WHERE category = ? ORDER BY row", (key,)))
                known.flags.writeable = False
                self._pools[key] = known
            return known

    def pool_page(self, category: str, after_row: int, limit: int) -> list[int]:
        with self.reading(category) as (sql, key):
            found = sql.execute(
                "SELECT row FROM pool WHERE category = ? AND row > ? ORDER BY row LIMIT ?",
                (key, after_row, limit),
            )
            return [row for (row,) in found]

    def pool_holds(self, category: str, rows: Sequence[int]) -> list[bool]:
        wanted = plain(rows)
        with self.reading(category) as (sql, key):
            found = sql.execute(  # CROSS: the wanted rows first, else SQLite walks the whole pool for each of them
                "SELECT row FROM json_each(?) AS wanted CROSS JOIN pool ON category = ? AND row = wanted.value",
                (json.dumps(wanted), key),
            )
            there = {row for (row,) in found}
        return [row in there for row in wanted]

    def find(self, category: str, names: Sequence[str]) -> list[list[int]]:
        rows: list[set[int]] = []
        with self.reading(category) as (sql, key):
            for start in range(0, len(names), BULK):
                rows += rows_in_pool(sql, key, names[start : start + BULK])
        return [sorted(some) for some in rows]

    def origins(self, category: str, rows: Sequence[int] | Rows) -> list[Origin]:
        wanted = plain(rows)
        with self.reading(category) as (sql, key):
            found = sql.execute(
                """SELECT row, source, coalesce(pool.query, origin.query), licence, at_ms
                   FROM json_each(?) AS wanted CROSS JOIN pool ON category = ? AND row = wanted.value
                   JOIN origin ON origin.id = pool.origin ORDER BY wanted.key""",
                (json.dumps(wanted), key),
            ).fetchall()
        if len(found) != len(wanted):
            raise not_in_pool(set(wanted) - {row for row, *_ in found}, category)
        return [Origin(*line) for _, *line in found]

    def refuse(self, category: str, refusals: Sequence[Refusal]) -> None:
        with self.writing(category, ["drafts"], durable=False) as (sql, key):
            for refusal in refusals:
                added = sql.execute(
                    """INSERT INTO refusal (category, name, reason, detail, at_ms) VALUES (?, ?, ?, ?, ?)
                       ON CONFLICT DO NOTHING""",
                    (key, refusal.name, refusal.reason, refusal.detail, refusal.at_ms),
                ).rowcount
                counters.add(sql, key, "refused", added)
                counters.add(sql, key, f"refused:{refusal.reason}", added)

    def refusals(self, category: str, after: int, limit: int) -> list[tuple[int, Refusal]]:
        with self.reading(category) as (sql, key):
            found = sql.execute(
                """SELECT key, name, reason, detail, at_ms FROM refusal
                   WHERE category = ? AND key > ? ORDER BY key LIMIT ?""",
                (key, after, limit),
            )
            return [(key, Refusal(*line)) for key, *line in found]

    def refusal_counts(self, category: str) -> dict[str, int]:
        with self.reading(category) as (sql, key):
            return counters.values(sql, key, "refused:")

    def tally(self, category: str) -> Tally:
        with self.reading(category) as (sql, key):
            version = counters.version_in_force(sql, key)
            one = {
                field: counters.value(sql, key, field)
                for field in ("images", "refused", "answers", "gold_answers", "owner_answers", "reserved", "tasks_open")
            }
            return Tally(
                **one,
                asks_open=counters.values(sql, key, f"asks:{version}:"),
                labels=counters.values(sql, key, f"labels:{version}:"),
                assignments=counters.values(sql, key, "assignments:"),
            )

    def mark(self, category: str) -> Mark:
        with self.reading(category) as (sql, key):
            return _mark(sql, key)

    def marks(self) -> dict[str, Mark]:
        with self.catalog.reading() as sql:
            there = sql.execute("SELECT name, id FROM category ORDER BY name").fetchall()
            return {name: _mark(sql, key) for name, key in there}


def _mark(sql: sqlite3.Connection, category: int) -> Mark:
    first = """SELECT lease_until_ms FROM assignment INDEXED BY assignment_lease
        WHERE stage = 'leased' AND category = ? ORDER BY lease_until_ms LIMIT 1"""
    ends = sql.execute(first, (category,)).fetchone()
    return Mark(**counters.marks(sql, category), wakes_ms=ends[0] if ends else 0)


def _questions(sql: sqlite3.Connection, category: int) -> list[Question]:
    wanted = "SELECT version, text, instructions, at_ms FROM question WHERE category = ? ORDER BY number"
    return [Question(*line) for line in sql.execute(wanted, (category,))]


def _origin_id(sql: sqlite3.Connection, origin: Origin) -> int:
    values = (origin.source, origin.query, origin.licence, origin.at_ms)
    sql.execute("INSERT INTO origin (source, query, licence, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", values)
    found = sql.execute("SELECT id FROM origin WHERE source = ? AND query = ? AND licence = ? AND at_ms = ?", values)
    return int(found.fetchone()[0])


def _category(line: tuple[Any, ...]) -> Category:
    name, targets, exclusive, created_ms, *question = line
    return Category(name, Question(*question), Targets(**json.loads(targets)), exclusive, created_ms)
