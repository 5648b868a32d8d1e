"""Counters that are updated with every change, and helpers that several parts of the catalog share."""

import sqlite3
from collections.abc import Iterable
from itertools import chain
from typing import Final

import numpy as np

from thresher.store.contract import Rows
from thresher.store.rules import no_such_category
from thresher.store.sqlite.connection import Catalog

WORKSPACE = 0  # the category id under which the workspace's own counters are
MARK: Final = "mark:"  # before the name of a part of the change mark


def add(sql: sqlite3.Connection, category: int, name: str, by: int) -> None:
    """Change a counter."""
    if by:
        sql.execute(
            """INSERT INTO counter (category, name, value) VALUES (?, ?, ?)
               ON CONFLICT DO UPDATE SET value = value + excluded.value""",
            (category, name, by),
        )


def move(sql: sqlite3.Connection, category: int, parts: Iterable[str]) -> None:
    """Move parts of a category's change mark; those of the workspace move with every category's."""
    for part in parts:
        add(sql, category, f"{MARK}{part}", 1)


def marks(sql: sqlite3.Connection, category: int) -> dict[str, int]:
    """The parts of a category's change mark that ever moved."""
    found = sql.execute(
        f"""SELECT substr(name, {len(MARK) + 1}), sum(value) FROM counter
            WHERE category IN ({WORKSPACE}, ?) AND name >= '{MARK}' AND name < '{MARK}\uffff' GROUP BY name""",
        (category,),
    )
    return dict(found.fetchall())


def mark_of(sql: sqlite3.Connection, category: int, part: str) -> int:
    """One part of a category's change mark."""
    wanted = f"SELECT coalesce(sum(value), 0) FROM counter WHERE category IN ({WORKSPACE}, ?) AND name = ?"
    return int(sql.execute(wanted, (category, f"{MARK}{part}")).fetchone()[0])


def value(sql: sqlite3.Connection, category: int, name: str) -> int:
    """A counter; 0 if nothing was counted yet."""
    found = sql.execute("SELECT value FROM counter WHERE category = ? AND name = ?", (category, name)).fetchone()
    return int(found[0]) if found else 0


def values(sql: sqlite3.Connection, category: int, prefix: str) -> dict[str, int]:
    """The counters that are not zero and whose names start with `prefix`, without it."""
    found = sql.execute(
        "SELECT substr(name, ?), value FROM counter WHERE category = ? AND name >= ? AND name < ? AND value <> 0",
        (len(prefix) + 1, category, prefix, prefix + "\uffff"),
    )
    return dict(found.fetchall())


def category_id(catalog: Catalog, sql: sqlite3.Connection, name: str) -> int:
    """The id of a category. Raises NotFound naming the known categories."""
    if name not in catalog.categories:
        found = sql.execute("SELECT id FROM category WHERE name = ?", (name,)).fetchone()
        if not found:
            raise no_such_category(name, [known for (known,) in sql.execute("SELECT name FROM category ORDER BY name")])
        catalog.categories[name] = int(found[0])
    return catalog.categories[name]


def version_in_force(sql: sqlite3.Connection, category: int) -> int:
    """The version of the question that is asked now."""
    newest = "SELECT version FROM question WHERE category = ? ORDER BY number DESC LIMIT 1"
    return int(sql.execute(newest, (category,)).fetchone()[0])


def as_rows(found: sqlite3.Cursor) -> Rows:
    """A cursor of one column as an array."""
    return np.fromiter(chain.from_iterable(found), dtype=np.int64)
