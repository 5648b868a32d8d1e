"""The directory store's lines (store/transfer.py): out of the catalog and the shards, and into them.

Most kinds are the rows of a table of the same name and fields. What is a list in a line is JSON, or rows of a table of
its own, in the catalog.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from thresher.records import Alias, NewImage, Stage
from thresher.store.directory import shards
from thresher.store.rules import hash_key
from thresher.store.sqlite import counters, images, recount
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.counters import category_id
from thresher.store.sqlite.names import rows_by_key
from thresher.store.transfer import ASK_FIELDS, REVIEW_FIELDS, Kind, Line, Transfer

Sql = sqlite3.Connection
ENDED: Final = (Stage.EXPIRED.value, Stage.RETURNED.value)
_ASK: Final = ", ".join(ASK_FIELDS)

# where the fields of a kind are read, if not in the table of its name; those left out are put in by _COMPLETE
_FROM: Final = {
    "image": """(SELECT row, lower(hex(sha256)) AS sha256, width, height, format, orientation, bytes, similar,
        coalesce(fingerprint, '') AS fingerprint,
        iif(shard IS NOT NULL, '', iif(begins IS NULL, 'reference', 'lost')) AS bare, NULL AS aliases FROM image)""",
    "category": "(SELECT name, targets, exclusive, created_ms, id AS questions FROM category)",
    "pool": """(SELECT pool.category, row, source, coalesce(pool.query, origin.query) AS query, licence, at_ms
        FROM pool JOIN origin ON origin.id = pool.origin)""",
    "ask": "(SELECT * FROM ask WHERE open AND task IS NULL)",
    "assignment": "(SELECT *, NULL AS drafts, NULL AS review FROM assignment)",
}


class SqliteTransfer(Transfer):
    """How the directory store writes its lines out and takes others in."""

    def __init__(self, catalog: Catalog, writer: shards.Writer) -> None:
        self.catalog = catalog
        self.writer = writer

    def lines(self, kind: Kind, category: str, after: Line | None, limit: int) -> list[Line]:
        keys = ", ".join(kind.fields[: kind.keys])
        wanted = ["category = ?"] * kind.of_category + [f"({keys}) > ({_marks(kind.keys)})"] * (after is not None)
        with self.catalog.reading() as sql:
            values = ([category_id(self.catalog, sql, category)] if kind.of_category else []) + list(after or ())
            found = sql.execute(
                f"""SELECT {", ".join(kind.fields)} FROM {_FROM.get(kind.name, kind.name)}
                    {"WHERE" if wanted else ""} {" AND ".join(wanted)} ORDER BY {keys} LIMIT ?""",
                (*values, limit),
            ).fetchall()
            complete = _COMPLETE.get(kind.name)
            return [complete(sql, line) for line in found] if complete else found

    def restore(self, kind: Kind, category: str, lines: Sequence[Line]) -> None:
        with self.catalog.writing(durable=True) as sql:
            of = category_id(self.catalog, sql, category) if kind.of_category else 0
            for line in lines:
                _RESTORE.get(kind.name, _restore_row)(sql, kind, of, line)

    def restore_images(self, lines: Sequence[Line], data: Mapping[str, bytes]) -> None:
        kept = [(line, _new_image(line, data.get(line[1]))) for line in lines]
        with_bytes = [image for _, image in kept if image.data is not None]
        put = self.writer.append([(images.member(image), image.data or b"") for image in with_bytes])
        places = {image.sha256: place for image, place in zip(with_bytes, put, strict=True)}
        with self.catalog.writing() as sql:
            for line, image in kept:
                _restore_image(sql, line, places.get(image.sha256))
            keys = [hash_key(image.sha256) for _, image in kept]
            rows = {key: line[0] for key, (line, _) in zip(keys, kept, strict=True)}
            images.insert_aliases(sql, keys, [image for _, image in kept], rows)

    def holding(self, hashes: Collection[str]) -> set[str]:
        keys = [hash_key(name) for name in hashes]
        with self.catalog.reading() as sql:
            rows = rows_by_key(sql, keys) if keys else {}
            return {key.hex() for key in rows.keys() - images.without_bytes(sql, rows)}

    def clear(self, kind: Kind, category: str) -> None:
        with self.catalog.writing(durable=True) as sql:
            of = category_id(self.catalog, sql, category) if kind.of_category else 0
            for statement in _CLEAR.get(kind.name, (f"DELETE FROM {kind.name} WHERE category = ?",)):
                sql.execute(statement, (of,) if "?" in statement else ())

    def adopt(self, secret: bytes) -> None:
        with self.catalog.writing(durable=True) as sql:
            sql.execute("UPDATE one SET value = ? WHERE key = 'secret'", (secret,))

    def settle(self) -> None:
        with self.catalog.writing(durable=True) as sql:
            sql.execute("DELETE FROM reached")
            off = recount.differences(sql)
            for category, name, kept, there in off:
                counters.add(sql, category, name, there - kept)


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _complete_image(sql: Sql, line: Line) -> Line:
    found = sql.execute("SELECT kind, value FROM alias WHERE row = ?", (line[0],))
    return (*line[:-1], sorted(map(list, found)))


def _complete_category(sql: Sql, line: Line) -> Line:
    name, targets, exclusive, created_ms, of = line
    asked = sql.execute("SELECT text, instructions, at_ms FROM question WHERE category = ? ORDER BY version", (of,))
    return (name, _canonical(targets), exclusive, created_ms, [list(one) for one in asked])


def _complete_task(sql: Sql, line: Line) -> Line:
    found = sql.execute(
        f"""SELECT {", ".join(f"ask.{name}" for name in ASK_FIELDS)} FROM json_each(?) AS carried
            CROSS JOIN ask ON ask.id = carried.value ORDER BY carried.key""",
        (line[-1],),
    )
    return (*line[:-1], [list(one) for one in found])


def _complete_assignment(sql: Sql, line: Line) -> Line:
    dealt, answers = json.loads(line[6]), json.loads(line[10])
    kept = sql.execute("SELECT given FROM draft WHERE assignment = ? ORDER BY position", (line[0],))
    drafts = [one for (text,) in kept for one in json.loads(text)]
    review = sql.execute(f"SELECT {', '.join(REVIEW_FIELDS)} FROM review WHERE assignment = ?", (line[0],)).fetchone()
    return (*line[:6], dealt, *line[7:10], answers, *line[11:13], drafts, list(review) if review else None)


def _canonical(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


def _restore_row(sql: Sql, kind: Kind, of: int, line: Line) -> None:
    fields = (*kind.fields, "category") if kind.of_category else kind.fields
    values = (*line, of) if kind.of_category else line
    sql.execute(f"INSERT OR REPLACE INTO {kind.name} ({', '.join(fields)}) VALUES ({_marks(len(fields))})", values)


def _restore_category(sql: Sql, _kind: Kind, _of: int, line: Line) -> None:
    name, targets, exclusive, created_ms, questions = line
    (of,) = sql.execute(
        """INSERT INTO category (name, targets, exclusive, created_ms) VALUES (?, ?, ?, ?) ON CONFLICT (name)
           DO UPDATE SET targets = ?2, exclusive = ?3, created_ms = ?4 RETURNING id""",
        (name, targets, exclusive, created_ms),
    ).fetchone()
    sql.executemany(
        "INSERT OR REPLACE INTO question (category, version, text, instructions, at_ms) VALUES (?, ?, ?, ?, ?)",
        ((of, version, *question) for version, question in enumerate(questions, 1)),
    )


def _restore_pool(sql: Sql, _kind: Kind, of: int, line: Line) -> None:
    row, source, query, licence, at_ms = line
    origin = (source, "", licence, at_ms)  # each row keeps its own query: many origins differ in nothing else
    sql.execute("INSERT INTO origin (source, query, licence, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", origin)
    sql.execute(
        """INSERT OR REPLACE INTO pool (category, row, origin, query) SELECT ?, ?, id, nullif(?, '') FROM origin
           WHERE (source, query, licence, at_ms) = (?, ?, ?, ?)""",
        (of, row, query, *origin),
    )


def _restore_ask(sql: Sql, kind: Kind, of: int, line: Line) -> None:
    _insert_ask(sql, (*kind.fields, "category", "task", "open"), (*line, of, None, 1))


def _insert_ask(sql: Sql, fields: Iterable[str], values: Iterable[object]) -> None:
    named = dict(zip(fields, values, strict=True))
    sql.execute(f"INSERT OR REPLACE INTO ask ({', '.join(named)}) VALUES ({_marks(len(named))})", tuple(named.values()))


def _restore_task(sql: Sql, kind: Kind, of: int, line: Line) -> None:
    task = dict(zip(kind.fields, line, strict=True))
    asks = task.pop("asks")
    more = (of, task["version"], task["owner_only"], task["number"], task["done"] < task["places"])
    for ask in asks:
        _insert_ask(sql, (*ASK_FIELDS, "category", "version", "owner_only", "task", "open"), (*ask, *more))
    task |= {"rows": json.dumps([ask[1] for ask in asks]), "asks": json.dumps([ask[0] for ask in asks]), "category": of}
    sql.execute(f"INSERT OR REPLACE INTO task ({', '.join(task)}) VALUES ({_marks(len(task))})", tuple(task.values()))


def _restore_assignment(sql: Sql, kind: Kind, of: int, line: Line) -> None:
    there = dict(zip(kind.fields, line, strict=True))
    drafts, review, made = there.pop("drafts"), there.pop("review"), there["id"]
    dealt, worker, version = there["dealt"], there["worker"], there["version"]
    there |= {"dealt": json.dumps(dealt), "answers": json.dumps(there["answers"]), "category": of}
    for table in ("draft", "review", "asked"):
        sql.execute(f"DELETE FROM {table} WHERE assignment = ?", (made,))
    sql.execute(
        f"INSERT OR REPLACE INTO assignment ({', '.join(there)}) VALUES ({_marks(len(there))})", tuple(there.values())
    )
    sql.executemany(
        "INSERT INTO draft (assignment, position, given) VALUES (?, ?, ?)",
        ((made, given[0], json.dumps([given])) for given in drafts),
    )
    if review:
        sql.execute(
            f"""INSERT INTO review (assignment, category, version, worker, {", ".join(REVIEW_FIELDS)})
                VALUES ({_marks(4 + len(REVIEW_FIELDS))})""",
            (made, of, version, worker, *review),
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
        ((of, worker, row, there["dealt_ms"]) for row, ask in dealt if ask is None),
    )


def _new_image(line: Line, data: bytes | None) -> NewImage:
    _, sha256, width, height, picture_format, orientation, size, _, fingerprint, _, aliases = line
    named = tuple(Alias(*pair) for pair in aliases)
    return NewImage(sha256, data, width, height, picture_format, orientation, fingerprint, size, named)


def _restore_image(sql: Sql, line: Line, place: shards.Place | None) -> None:
    row, sha256, width, height, picture_format, orientation, size, similar, fingerprint, bare, _ = line
    values = (hash_key(sha256), width, height, picture_format, orientation, size, similar, fingerprint or None)
    sql.execute(
        """INSERT INTO image (row, sha256, width, height, format, orientation, bytes, similar, fingerprint)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (row) DO UPDATE SET sha256 = ?2, width = ?3,
           height = ?4, format = ?5, orientation = ?6, bytes = ?7, similar = ?8, fingerprint = ?9""",
        (row, *values),
    )
    if place is not None:
        number = images.shard_number(sql, place.shard)
        sql.execute("UPDATE image SET shard = ?, begins = ? WHERE row = ?", (number, place.begins, row))
    elif bare:
        begins = -1 if bare == "lost" else None
        sql.execute("UPDATE image SET shard = NULL, begins = ? WHERE row = ?", (begins, row))
    sql.execute("DELETE FROM alias WHERE row = ?", (row,))


_COMPLETE: Final[Mapping[str, Callable[[Sql, Line], Line]]] = {
    "image": _complete_image,
    "category": _complete_category,
    "task": _complete_task,
    "assignment": _complete_assignment,
}
_RESTORE: Final[Mapping[str, Callable[[Sql, Kind, int, Line], None]]] = {
    "category": _restore_category,
    "pool": _restore_pool,
    "ask": _restore_ask,
    "task": _restore_task,
    "assignment": _restore_assignment,
}
_CLEAR: Final[Mapping[str, tuple[str, ...]]] = {
    "worker": ("DELETE FROM worker",),
    "invite": ("DELETE FROM invite",),
    "job": ("DELETE FROM job",),
    "ask": ("DELETE FROM ask WHERE category = ? AND open AND task IS NULL",),
    "task": ("DELETE FROM ask WHERE category = ? AND task IS NOT NULL", "DELETE FROM task WHERE category = ?"),
    "assignment": (
        "DELETE FROM draft WHERE assignment IN (SELECT id FROM assignment WHERE category = ?)",
        "DELETE FROM review WHERE category = ?",
        "DELETE FROM asked WHERE category = ?",
        "DELETE FROM seen_gold WHERE category = ?",
        "DELETE FROM assignment WHERE category = ?",
    ),
}
