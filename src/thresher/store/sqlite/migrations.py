"""The schema of the catalog, as steps; each is committed together with the row that records it.

A step makes what the table of kinds (store/kinds.py) lists for its number, and runs the changes written here by hand. A
released step is never edited: a change is a new step at the end. tests/store/ keeps a fixture of each earlier schema.
"""

import sqlite3
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from thresher.store.shapes import Kinds, newer_schema, schema_of
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.lines import statements

Step = Callable[[sqlite3.Connection], None]

_FIRST = (
    # 32 random bytes under "secret", and whatever else there is one of
    """CREATE TABLE one (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID""",
    # maintained, never counted: category 0 is the whole workspace
    """CREATE TABLE counter (
        category INTEGER NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL,
        PRIMARY KEY (category, name)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE shard (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT""",
    # "begins" is the first byte of the picture in its shard. An image kept by reference has neither shard nor begins;
    # one whose bytes are lost has no shard and begins at -1
    """CREATE TABLE image (
        row INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, width INTEGER NOT NULL, height INTEGER NOT NULL,
        format TEXT NOT NULL, orientation INTEGER NOT NULL, bytes INTEGER NOT NULL, similar INTEGER NOT NULL,
        fingerprint TEXT, shard INTEGER, begins INTEGER) STRICT""",
    """CREATE INDEX image_fingerprint ON image (fingerprint, row) WHERE fingerprint IS NOT NULL""",
    """CREATE INDEX image_lost ON image (row) WHERE begins = -1""",
    """CREATE INDEX image_shard ON image (shard, begins) WHERE shard IS NOT NULL""",
    # "name" is a 64-bit hash of the value: an index of whole URLs would be as large as everything else together
    """CREATE TABLE alias (
        row INTEGER NOT NULL, kind TEXT NOT NULL, name INTEGER NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (row, kind, name)) STRICT, WITHOUT ROWID""",
    """CREATE INDEX alias_name ON alias (name)""",
    """CREATE TABLE category (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, targets TEXT NOT NULL, exclusive TEXT NOT NULL,
        created_ms INTEGER NOT NULL) STRICT""",
    """CREATE TABLE question (
        category INTEGER NOT NULL, version INTEGER NOT NULL, text TEXT NOT NULL, instructions TEXT NOT NULL,
        at_ms INTEGER NOT NULL, PRIMARY KEY (category, version)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE origin (
        id INTEGER PRIMARY KEY, source TEXT NOT NULL, query TEXT NOT NULL, licence TEXT NOT NULL,
        at_ms INTEGER NOT NULL, UNIQUE (source, query, licence, at_ms)) STRICT""",
    # "query" stands in place of the origin's where each image has its own
    """CREATE TABLE pool (
        category INTEGER NOT NULL, row INTEGER NOT NULL REFERENCES image (row), origin INTEGER NOT NULL, query TEXT,
        PRIMARY KEY (category, row)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE refusal (
        key INTEGER PRIMARY KEY, category INTEGER NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL,
        detail TEXT NOT NULL, at_ms INTEGER NOT NULL, UNIQUE (category, name, reason)) STRICT""",
    """CREATE INDEX refusal_page ON refusal (category, key)""",
    # "trust" is the place of the source in records.Source: 0 is the most trusted
    """CREATE TABLE label (
        category INTEGER NOT NULL, version INTEGER NOT NULL, row INTEGER NOT NULL REFERENCES image (row),
        trust INTEGER NOT NULL, says TEXT NOT NULL, purpose TEXT NOT NULL, at_ms INTEGER NOT NULL,
        posterior REAL NOT NULL, votes INTEGER NOT NULL, epoch INTEGER NOT NULL, draw INTEGER NOT NULL,
        PRIMARY KEY (category, version, row, trust)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE gold (
        category INTEGER NOT NULL, version INTEGER NOT NULL, row INTEGER NOT NULL REFERENCES image (row),
        says TEXT NOT NULL, source TEXT NOT NULL, shown INTEGER NOT NULL, missed INTEGER NOT NULL,
        retired TEXT NOT NULL, PRIMARY KEY (category, version, row)) STRICT, WITHOUT ROWID""",
    # "open" until the task that carries it has all its answers
    """CREATE TABLE ask (
        id INTEGER PRIMARY KEY, category INTEGER NOT NULL, version INTEGER NOT NULL,
        row INTEGER NOT NULL REFERENCES image (row), purpose TEXT NOT NULL, owner_only INTEGER NOT NULL,
        votes_wanted INTEGER NOT NULL, priority REAL NOT NULL, epoch INTEGER NOT NULL, draw INTEGER NOT NULL,
        task INTEGER, open INTEGER NOT NULL) STRICT""",
    """CREATE UNIQUE INDEX ask_open ON ask (category, version, row, purpose, epoch) WHERE open""",
    """CREATE INDEX ask_waiting ON ask (category, version, owner_only, priority DESC, draw, id)
        WHERE open AND task IS NULL""",
    """CREATE INDEX ask_of_task ON ask (task) WHERE task IS NOT NULL""",
    # "rows" and "asks" are JSON lists in the task's order, which never changes; free = places - taken
    """CREATE TABLE task (
        number INTEGER PRIMARY KEY, category INTEGER NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL,
        rows TEXT NOT NULL, asks TEXT NOT NULL, places INTEGER NOT NULL, taken INTEGER NOT NULL,
        done INTEGER NOT NULL, owner_only INTEGER NOT NULL, published_ms INTEGER NOT NULL) STRICT""",
    """CREATE INDEX task_page ON task (category, number)""",
    """CREATE INDEX task_free ON task (category, version, owner_only, number) WHERE taken < places""",
    # "dealt" and "answers" are JSON; the answers are written once, when it is sent
    """CREATE TABLE assignment (
        id TEXT PRIMARY KEY, task INTEGER NOT NULL, category INTEGER NOT NULL, version INTEGER NOT NULL,
        worker TEXT NOT NULL, owner INTEGER NOT NULL, stage TEXT NOT NULL, dealt TEXT NOT NULL,
        dealt_ms INTEGER NOT NULL, lease_until_ms INTEGER NOT NULL, sent_ms INTEGER NOT NULL, answers TEXT NOT NULL,
        sequence INTEGER NOT NULL, drafts_erased INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE INDEX assignment_page ON assignment (category, id)""",
    """CREATE INDEX assignment_of_worker ON assignment (worker, id)""",
    """CREATE UNIQUE INDEX assignment_held ON assignment (category, version, worker) WHERE stage = 'leased'""",
    """CREATE INDEX assignment_lease ON assignment (lease_until_ms) WHERE stage = 'leased'""",
    """CREATE INDEX assignment_sent ON assignment (category, sent_ms, id) WHERE stage = 'sent'""",
    """CREATE TABLE review (
        assignment TEXT PRIMARY KEY, category INTEGER NOT NULL, version INTEGER NOT NULL, worker TEXT NOT NULL,
        verdict TEXT NOT NULL, why TEXT NOT NULL, at_ms INTEGER NOT NULL, yes_right INTEGER NOT NULL,
        yes_shown INTEGER NOT NULL, no_right INTEGER NOT NULL, no_shown INTEGER NOT NULL, weight REAL NOT NULL,
        provisional INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE INDEX review_of_worker ON review (category, version, worker)""",
    """CREATE TABLE draft (
        assignment TEXT NOT NULL, position INTEGER NOT NULL, given TEXT NOT NULL,
        PRIMARY KEY (assignment, position)) STRICT, WITHOUT ROWID""",
    # which asked rows a worker may not be asked again; a lease that ends takes its rows out
    """CREATE TABLE asked (
        category INTEGER NOT NULL, worker TEXT NOT NULL, row INTEGER NOT NULL, assignment TEXT NOT NULL,
        PRIMARY KEY (category, worker, row)) STRICT, WITHOUT ROWID""",
    """CREATE INDEX asked_in ON asked (assignment)""",
    # every free task below "task" shows the worker something they were asked before
    """CREATE TABLE reached (
        category INTEGER NOT NULL, version INTEGER NOT NULL, owner_only INTEGER NOT NULL, worker TEXT NOT NULL,
        task INTEGER NOT NULL, PRIMARY KEY (category, version, owner_only, worker)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE seen_gold (
        category INTEGER NOT NULL, worker TEXT NOT NULL, row INTEGER NOT NULL, at_ms INTEGER NOT NULL,
        PRIMARY KEY (category, worker, row)) STRICT, WITHOUT ROWID""",
    # what counts of the accepted and weighted assignments
    """CREATE TABLE vote (
        category INTEGER NOT NULL, version INTEGER NOT NULL, row INTEGER NOT NULL, at_ms INTEGER NOT NULL,
        assignment TEXT NOT NULL, worker TEXT NOT NULL, says TEXT NOT NULL, purpose TEXT NOT NULL,
        weight REAL NOT NULL, epoch INTEGER NOT NULL, draw INTEGER NOT NULL,
        PRIMARY KEY (category, version, row, at_ms, assignment)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE gold_answer (
        category INTEGER NOT NULL, version INTEGER NOT NULL, row INTEGER NOT NULL, worker TEXT NOT NULL,
        assignment TEXT NOT NULL, says TEXT NOT NULL,
        PRIMARY KEY (category, version, row, worker, assignment)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE worker (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, owner INTEGER NOT NULL, invite TEXT NOT NULL,
        created_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE invite (
        id TEXT PRIMARY KEY, category TEXT NOT NULL, note TEXT NOT NULL, created_ms INTEGER NOT NULL,
        revoked_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE round (
        category INTEGER NOT NULL, number INTEGER NOT NULL, version INTEGER NOT NULL, record TEXT NOT NULL,
        head BLOB NOT NULL, PRIMARY KEY (category, number)) STRICT""",
    """CREATE INDEX round_of_version ON round (category, version, number)""",
    """CREATE TABLE evidence (
        category INTEGER NOT NULL, epoch INTEGER NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (category, epoch, name)) STRICT""",
    """CREATE TABLE release (id TEXT PRIMARY KEY, category INTEGER NOT NULL, record TEXT NOT NULL) STRICT""",
    """CREATE INDEX release_of ON release (category, id)""",
    """CREATE TABLE job (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, category TEXT NOT NULL, arguments TEXT NOT NULL, state TEXT NOT NULL,
        host TEXT NOT NULL, pid INTEGER NOT NULL, created_ms INTEGER NOT NULL, heartbeat_ms INTEGER NOT NULL,
        done INTEGER NOT NULL, total INTEGER NOT NULL, cancel INTEGER NOT NULL, message TEXT NOT NULL)
        STRICT, WITHOUT ROWID""",
    """CREATE TABLE lease (
        name TEXT PRIMARY KEY, owner TEXT NOT NULL, until_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
)


_SECOND_BEFORE = (
    "ALTER TABLE review RENAME TO review_once",
    "DROP INDEX review_of_worker",
    "ALTER TABLE release RENAME TO release_by_id",
    "DROP INDEX release_of",
)
# one decision an assignment becomes the first of a list; releases are named within their category
_SECOND_AFTER = (
    """INSERT INTO review (category, assignment, number, version, worker, verdict, why, at_ms, yes_right, yes_shown,
           no_right, no_shown, weight, provisional)
       SELECT category, assignment, 1, version, worker, verdict, why, at_ms, yes_right, yes_shown, no_right, no_shown,
           weight, provisional FROM review_once""",
    "INSERT INTO release (category, id, record) SELECT category, id, record FROM release_by_id",
    "DROP TABLE review_once",
    "DROP TABLE release_by_id",
)
# the votes wanted on an image may be asks of their own
_THIRD_AFTER = (
    "DROP INDEX ask_open",
    "CREATE UNIQUE INDEX ask_open ON ask (category, version, row, purpose, epoch, part) WHERE open",
    # what is leased, reserves its answers; where nothing is dealt yet, its images and the gold that is usual
    """UPDATE assignment SET reserved = iif(dealt <> '[]', json_array_length(dealt),
           (SELECT json_array_length(rows) + 40 FROM task WHERE number = assignment.task)) WHERE stage = 'leased'""",
    """INSERT INTO counter (category, name, value)
       SELECT category, 'reserved', sum(reserved) FROM assignment WHERE stage = 'leased' GROUP BY category""",
)
# "similar" is of groups that rested on equal fingerprints alone, and nothing reads it any more; and as a version of a
# question may have several wordings, a wording is named by its number
_THIRD_BEFORE = (
    "ALTER TABLE image ADD COLUMN copy_of INTEGER",
    "ALTER TABLE question RENAME TO question_by_version",
    """CREATE TABLE question (
        category INTEGER NOT NULL, number INTEGER NOT NULL, version INTEGER NOT NULL, text TEXT NOT NULL,
        instructions TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (category, number)) STRICT, WITHOUT ROWID""",
    """INSERT INTO question (category, number, version, text, instructions, at_ms)
       SELECT category, version, version, text, instructions, at_ms FROM question_by_version""",
    "DROP TABLE question_by_version",
)
# by hand, before and after the kinds of the schema are made
_BY_HAND: Final[Mapping[int, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    1: (_FIRST, ()),
    2: (_SECOND_BEFORE, _SECOND_AFTER),
    3: (_THIRD_BEFORE, _THIRD_AFTER),
}


def steps_of(kinds: Kinds) -> tuple[Step, ...]:
    """The steps from nothing to a catalog of these kinds."""
    return tuple(partial(_step, kinds, schema) for schema in range(1, schema_of(kinds) + 1))


def _step(kinds: Kinds, schema: int, sql: sqlite3.Connection) -> None:
    before, after = _BY_HAND.get(schema, ((), ()))
    made = () if schema == 1 else (statement for kind in kinds for statement in statements(kind, schema))
    for statement in (*before, *made, *after):
        sql.execute(statement)


def migrate(catalog: Catalog, path: Path, now_ms: int, steps: tuple[Step, ...]) -> None:
    """Upgrade a catalog to the newest schema. Raises WrongSchema if a newer thresher has written it."""
    with catalog.reading() as sql:
        there = sql.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'migration'").fetchone()[0]
        at = _reached(sql) if there else 0
    if at == len(steps):
        return
    with catalog.writing(durable=True) as sql:
        sql.execute("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT")
        at = _reached(sql)  # again: another process may have been quicker
        if at > len(steps):
            raise newer_schema(at, len(steps), str(path))
        for number, step in enumerate(steps[at:], at + 1):
            step(sql)
            sql.execute("INSERT INTO migration (number, at_ms) VALUES (?, ?)", (number, now_ms))


def _reached(sql: sqlite3.Connection) -> int:
    return int(sql.execute("SELECT coalesce(max(number), 0) FROM migration").fetchone()[0])
