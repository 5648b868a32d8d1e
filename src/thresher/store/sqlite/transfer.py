"""Reading and writing the directory store's lines (store/kinds.py): catalog and shards, to copy a workspace.

Most kinds are the rows of a table with the same name and fields. A list in a line is JSON, or rows of a table of its
own, in the catalog.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from thresher.records import Stage
from thresher.store.contract import PARTS, Transfer
from thresher.store.conversions import new_image_of
from thresher.store.directory import shards
from thresher.store.kinds import ASK_FIELDS, IMAGE
from thresher.store.lines import Wanted
from thresher.store.rules import hash_key
from thresher.store.shapes import Kind, Kinds, Line, Named
from thresher.store.sqlite import counters, images, recount
from thresher.store.sqlite.connection import Catalog, insert
from thresher.store.sqlite.counters import WORKSPACE, category_id
from thresher.store.sqlite.lines import select
from thresher.store.sqlite.names import rows_by_key

Sql = sqlite3.Connection
There = dict[str, Any]
"""A line by field, on its way out or in."""
ENDED: Final = (Stage.EXPIRED.value, Stage.RETURNED.value)

# where the fields of a kind are read, if not in the table of its name; those that are NULL are put in by _COMPLETE
_FROM: Final = {
    "image": """(SELECT row, lower(hex(sha256)) AS sha256, width, height, format, orientation, bytes,
        coalesce(copy_of, row) AS similar,
        coalesce(fingerprint, '') AS fingerprint,
        iif(shard IS NOT NULL, '', iif(begins IS NULL, 'reference', 'lost')) AS bare, NULL AS aliases FROM image)""",
    "category": "(SELECT *, NULL AS questions FROM category)",
    "pool": """(SELECT pool.category, row, source, coalesce(pool.query, origin.query) AS query, licence, at_ms
        FROM pool JOIN origin ON origin.id = pool.origin)""",
    "ask": "(SELECT * FROM ask WHERE open AND task IS NULL)",
    "assignment": "(SELECT *, NULL AS drafts FROM assignment)",
}


class SqliteTransfer(Transfer):
    """Reads and writes the lines of the directory store."""

    def __init__(self, catalog: Catalog, writer: shards.Writer, kinds: Kinds) -> None:
        self.catalog = catalog
        self.writer = writer
        self.kinds = kinds

    def lines(self, kind: Kind, category: str, after: Line | None, limit: int) -> list[Line]:
        wanted = Wanted(after=None if after is None else kind.keyed(after), limit=limit)
        with self.catalog.reading() as sql:
            of = category_id(self.catalog, sql, category) if kind.of_category else WORKSPACE
            there = select(sql, kind, of, wanted, kind.fields, _FROM.get(kind.name, ""))
            for one in there if kind.name in _COMPLETE else ():
                _COMPLETE[kind.name](sql, one)
        return [tuple(one.values()) for one in there]

    def restore(self, kind: Kind, category: str, lines: Sequence[Line]) -> None:
        take_in = _RESTORE.get(kind.name, _restore_row)
        with self.catalog.writing(durable=True) as sql:
            of = category_id(self.catalog, sql, category) if kind.of_category else WORKSPACE
            for line in lines:
                take_in(sql, kind, of, kind.named(line))
            counters.move(sql, of, PARTS)

    def restore_images(self, lines: Sequence[Line], data: Mapping[str, bytes]) -> None:
        coming = [IMAGE.named(line) for line in lines]
        kept = [new_image_of(line, data.get(line[1])) for line in lines]
        with_bytes = [image for image in kept if image.data is not None]
        put = self.writer.append([(images.member(image), image.data or b"") for image in with_bytes])
        places = {image.sha256: place for image, place in zip(with_bytes, put, strict=True)}
        rows = {hash_key(there["sha256"]): there["row"] for there in coming}
        with self.catalog.writing() as sql:
            for there in coming:
                _restore_image(sql, there, places.get(there["sha256"]))
            images.insert_aliases(sql, list(rows), kept, rows)
            counters.move(sql, WORKSPACE, PARTS)

    def holding(self, hashes: Collection[str]) -> set[str]:
        keys = [hash_key(name) for name in hashes]
        with self.catalog.reading() as sql:
            rows = rows_by_key(sql, keys) if keys else {}
            return {key.hex() for key in rows.keys() - images.without_bytes(sql, rows)}

    def clear(self, kind: Kind, category: str) -> None:
        of_category = " WHERE category = ?" if kind.of_category else ""
        with self.catalog.writing(durable=True) as sql:
            of = [category_id(self.catalog, sql, category)] if kind.of_category else []
            for statement in _CLEAR.get(kind.name, (f"DELETE FROM {kind.name}{of_category}",)):
                sql.execute(statement, of)
            counters.move(sql, of[0] if of else WORKSPACE, PARTS)

    def forget(self, kind: Kind, category: str, keys: Sequence[Line]) -> None:
        terms = " AND ".join(f"{name} = ?" for name in kind.key_names)
        with self.catalog.writing(durable=True) as sql:
            of = category_id(self.catalog, sql, category)
            sql.executemany(f"DELETE FROM {kind.name} WHERE category = ? AND {terms}", ((of, *key) for key in keys))
            counters.move(sql, of, PARTS)

    def amend(self, kind: Kind, category: str, wanted: Sequence[Any], changes: Named) -> None:
        kept = kind.kept(changes)
        setting = ", ".join(f"{name} = ?" for name in kept)
        terms = " AND ".join(f"{name} = ?" for name in ("category", *kind.key_names))
        with self.catalog.writing(durable=True) as sql:
            of = category_id(self.catalog, sql, category)
            sql.execute(f"UPDATE {kind.name} SET {setting} WHERE {terms}", (*kept.values(), of, *wanted))
            counters.move(sql, of, PARTS)

    def adopt(self, secret: bytes) -> None:
        with self.catalog.writing(durable=True) as sql:
            sql.execute("UPDATE one SET value = ? WHERE key = 'secret'", (secret,))

    def settle(self) -> None:
        with self.catalog.writing(durable=True) as sql:
            sql.execute("DELETE FROM reached")
        recount.correct_all(self.catalog, self.kinds)


def _complete_image(sql: Sql, there: There) -> None:
    found = sql.execute("SELECT kind, value FROM alias WHERE row = ?", (there["row"],))
    there["aliases"] = sorted(map(list, found))


def _complete_category(sql: Sql, there: There) -> None:
    asked = sql.execute(
        """SELECT version, text, instructions, at_ms FROM question
           WHERE category = (SELECT id FROM category WHERE name = ?) ORDER BY number""",
        (there["name"],),
    )
    there["questions"] = [list(one) for one in asked]


def _complete_task(sql: Sql, there: There) -> None:
    found = sql.execute(
        f"""SELECT {", ".join(f"ask.{name}" for name in ASK_FIELDS)} FROM json_each(?) AS carried
            CROSS JOIN ask ON ask.id = carried.value ORDER BY carried.key""",
        (json.dumps(there["asks"]),),
    )
    there["asks"] = [list(one) for one in found]


def _complete_assignment(sql: Sql, there: There) -> None:
    kept = sql.execute("SELECT given FROM draft WHERE assignment = ? ORDER BY position", (there["id"],))
    there["drafts"] = [one for (text,) in kept for one in json.loads(text)]


def _restore_row(sql: Sql, kind: Kind, of: int, there: There) -> None:
    insert(sql, kind.name, kind.kept(there) | ({"category": of} if kind.of_category else {}), clash="REPLACE")


def _restore_category(sql: Sql, kind: Kind, _of: int, there: There) -> None:
    questions = there.pop("questions")
    insert(sql, kind.name, kind.kept(there), key="name")
    (of,) = sql.execute("SELECT id FROM category WHERE name = ?", (there["name"],)).fetchone()
    sql.executemany(
        """INSERT OR REPLACE INTO question (category, number, version, text, instructions, at_ms)
           VALUES (?, ?, ?, ?, ?, ?)""",
        ((of, number, *question) for number, question in enumerate(questions, 1)),
    )


def _restore_pool(sql: Sql, _kind: Kind, of: int, there: There) -> None:
    # each row keeps its own query: many origins differ in nothing else
    origin = (there["source"], "", there["licence"], there["at_ms"])
    sql.execute("INSERT INTO origin (source, query, licence, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", origin)
    sql.execute(
        """INSERT OR REPLACE INTO pool (category, row, origin, query) SELECT ?, ?, id, nullif(?, '') FROM origin
           WHERE (source, query, licence, at_ms) = (?, ?, ?, ?)""",
        (of, there["row"], there["query"], *origin),
    )


def _restore_ask(sql: Sql, _kind: Kind, of: int, there: There) -> None:
    insert(sql, "ask", {**there, "category": of, "task": None, "open": 1}, clash="REPLACE")


def _restore_task(sql: Sql, kind: Kind, of: int, there: There) -> None:
    asks = there.pop("asks")
    open_still = there["done"] < there["places"]
    carried = {"category": of, "task": there["number"], "open": open_still}
    carried |= {name: there[name] for name in ("version", "owner_only")}
    for ask in asks:
        insert(sql, "ask", {**dict(zip(ASK_FIELDS, ask, strict=True)), **carried}, clash="REPLACE")
    lists = {"rows": json.dumps([ask[1] for ask in asks]), "asks": json.dumps([ask[0] for ask in asks])}
    insert(sql, "task", {**kind.kept(there), **lists, "category": of}, clash="REPLACE")


def _restore_assignment(sql: Sql, kind: Kind, of: int, there: There) -> None:
    drafts, made, worker = there.pop("drafts"), there["id"], there["worker"]
    for table in ("draft", "asked"):
        sql.execute(f"DELETE FROM {table} WHERE assignment = ?", (made,))
    insert(sql, "assignment", {**kind.kept(there), "category": of}, clash="REPLACE")
    sql.executemany(
        "INSERT INTO draft (assignment, position, given) VALUES (?, ?, ?)",
        ((made, given[0], json.dumps([given])) for given in drafts),
    )
    if there["stage"] not in ENDED:
        sql.execute(
            """INSERT OR REPLACE INTO asked (category, worker, row, assignment)
               SELECT ?, ?, value, ? FROM task, json_each(task.rows) WHERE number = ?""",
            (of, worker, made, there["task"]),
        )
    sql.executemany(
        """INSERT INTO seen_gold (category, worker, row, at_ms) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET at_ms = max(at_ms, excluded.at_ms)""",
        ((of, worker, row, there["dealt_ms"]) for row, ask in there["dealt"] if ask is None),
    )


def _restore_image(sql: Sql, there: There, place: shards.Place | None) -> None:
    kept = {name: there[name] for name in ("row", "width", "height", "format", "orientation", "bytes", "similar")}
    kept |= {"sha256": hash_key(there["sha256"]), "fingerprint": there["fingerprint"] or None}
    kept["copy_of"] = None if there["similar"] == there["row"] else there["similar"]
    if place is not None:
        kept |= {"shard": images.shard_number(sql, place.shard), "begins": place.begins}
    elif there["bare"]:
        kept |= {"shard": None, "begins": -1 if there["bare"] == "lost" else None}
    insert(sql, "image", kept, key="row")
    sql.execute("DELETE FROM alias WHERE row = ?", (there["row"],))


_COMPLETE: Final[Mapping[str, Callable[[Sql, There], None]]] = {
    "image": _complete_image,
    "category": _complete_category,
    "task": _complete_task,
    "assignment": _complete_assignment,
}
_RESTORE: Final[Mapping[str, Callable[[Sql, Kind, int, There], None]]] = {
    "category": _restore_category,
    "pool": _restore_pool,
    "ask": _restore_ask,
    "task": _restore_task,
    "assignment": _restore_assignment,
}
# what is derived goes with what it is derived from
_CLEAR: Final[Mapping[str, tuple[str, ...]]] = {
    "ask": ("DELETE FROM ask WHERE category = ? AND open AND task IS NULL",),
    "task": ("DELETE FROM ask WHERE category = ? AND task IS NOT NULL", "DELETE FROM task WHERE category = ?"),
    "assignment": (
        "DELETE FROM draft WHERE assignment IN (SELECT id FROM assignment WHERE category = ?)",
        "DELETE FROM asked WHERE category = ?",
        "DELETE FROM seen_gold WHERE category = ?",
        "DELETE FROM assignment WHERE category = ?",
    ),
}
