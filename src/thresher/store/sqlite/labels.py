"""Labels with source and purpose, gold, and the votes and gold answers that reviews let count."""

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import Any

from thresher.errors import NotFound
from thresher.records import Gold, Label, Purpose, Says, Source, Vote
from thresher.store.contract import Labels, Rows
from thresher.store.rules import SOURCES, TRUST, one_of, plain
from thresher.store.sqlite import counters
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.counters import category_id

CHUNK = 1000

Line = tuple[Any, ...]
"""A line of the catalog, in the order of the columns that were asked for."""

_VOTE = "row, worker, says, purpose, assignment, weight, at_ms, epoch, draw"
_LABEL = "row, trust, says, purpose, at_ms, posterior, votes, epoch, draw"


class SqliteLabels(Labels):
    """What is held true: labels, gold, and the votes they come from."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def hold(self, category: str, labels: Sequence[Label]) -> None:
        for version in sorted({label.version for label in labels}):
            of_version = [label for label in labels if label.version == version]
            for start in range(0, len(of_version), CHUNK):
                self._hold(category, version, of_version[start : start + CHUNK])

    def _hold(self, category: str, version: int, labels: Sequence[Label]) -> None:
        try:
            with self.catalog.writing(durable=True) as sql:
                key = category_id(self.catalog, sql, category)
                rows = sorted({int(label.row) for label in labels})
                before = _held_counts(sql, key, version, rows)
                sql.executemany(
                    """INSERT OR REPLACE INTO label
                           (category, version, row, trust, says, purpose, at_ms, posterior, votes, epoch, draw)
                       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                    (
                        (
                            key, version, int(label.row), TRUST[label.source], label.says.value, label.purpose.value,
                            label.at_ms, float(label.posterior), label.votes, label.epoch, label.draw,
                        )
                        for label in labels
                    ),
                )  # fmt: skip
                _move_counts(sql, key, version, before, _held_counts(sql, key, version, rows))
        except sqlite3.IntegrityError as error:
            raise NotFound("a label is for a row that has no image.", where=category) from error

    def drop(self, category: str, version: int, source: str, rows: Sequence[int]) -> None:
        wanted, trust = plain(rows), TRUST[one_of(Source, source)]
        with self.catalog.writing(durable=True) as sql:
            key = category_id(self.catalog, sql, category)
            before = _held_counts(sql, key, version, wanted)
            sql.execute(
                """DELETE FROM label WHERE category = ? AND version = ? AND trust = ?
                   AND row IN (SELECT value FROM json_each(?))""",
                (key, version, trust, json.dumps(wanted)),
            )
            _move_counts(sql, key, version, before, _held_counts(sql, key, version, wanted))

    def held(self, category: str, version: int) -> list[Label]:
        held: list[Label] = []
        for label in self.all_of(category, version):  # by row and then by trust, so the first of a row is it
            if not held or held[-1].row != label.row:
                held.append(label)
        return held

    def all_of(self, category: str, version: int) -> list[Label]:
        with self.catalog.reading() as sql:
            found = sql.execute(
                f"SELECT {_LABEL} FROM label WHERE category = ? AND version = ? ORDER BY row, trust",
                (category_id(self.catalog, sql, category), version),
            )
            return [_label(version, line) for line in found]

    def of(self, category: str, version: int, rows: Sequence[int] | Rows) -> dict[int, Label]:
        with self.catalog.reading() as sql:
            found = sql.execute(
                f"""SELECT {_LABEL} FROM json_each(?) AS wanted
                    CROSS JOIN label ON category = ? AND version = ? AND row = wanted.value ORDER BY trust DESC""",
                (json.dumps(plain(rows)), category_id(self.catalog, sql, category), version),
            )
            labels = [_label(version, line) for line in found]
        return {label.row: label for label in labels}  # the most trusted come last

    def gild(self, category: str, gold: Sequence[Gold]) -> None:
        try:
            with self.catalog.writing(durable=True) as sql:
                key = category_id(self.catalog, sql, category)
                sql.executemany(
                    """INSERT OR REPLACE INTO gold (category, version, row, says, source, shown, missed, retired)
                       VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
                    (
                        (key, g.version, int(g.row), g.says.value, g.source.value, g.shown, g.missed, g.retired)
                        for g in gold
                    ),
                )
        except sqlite3.IntegrityError as error:
            raise NotFound("gold is for a row that has no image.", where=category) from error

    def gold(self, category: str, version: int, *, retired: bool = False) -> list[Gold]:
        with self.catalog.reading() as sql:
            found = sql.execute(
                """SELECT row, says, source, shown, missed, retired FROM gold
                   WHERE category = ? AND version = ? AND (retired = '' OR ?) ORDER BY row""",
                (category_id(self.catalog, sql, category), version, retired),
            )
            return [
                Gold(row, Says(says), version, Source(source), shown, missed, why)
                for row, says, source, shown, missed, why in found
            ]

    def score_gold(self, category: str, version: int, right: Sequence[int], wrong: Sequence[int]) -> None:
        with self.catalog.writing(durable=True) as sql:
            key = category_id(self.catalog, sql, category)
            sql.executemany(
                """UPDATE gold SET shown = shown + 1, missed = missed + ?
                   WHERE category = ? AND version = ? AND row = ?""",
                [(0, key, version, row) for row in plain(right)] + [(1, key, version, row) for row in plain(wrong)],
            )

    def retire_gold(self, category: str, version: int, row: int, why: str) -> None:
        with self.catalog.writing(durable=True) as sql:
            sql.execute(
                "UPDATE gold SET retired = ? WHERE category = ? AND version = ? AND row = ?",
                (why, category_id(self.catalog, sql, category), version, int(row)),
            )

    def votes(self, category: str, version: int, rows: Sequence[int] | None = None) -> list[Vote]:
        with self.catalog.reading() as sql:
            key = category_id(self.catalog, sql, category)
            if rows is None:
                found = sql.execute(
                    f"SELECT {_VOTE} FROM vote WHERE category = ? AND version = ? ORDER BY row, at_ms, assignment",
                    (key, version),
                )
            else:
                found = sql.execute(
                    f"""SELECT {_VOTE} FROM vote
                        WHERE category = ? AND version = ? AND row IN (SELECT value FROM json_each(?))
                        ORDER BY row, at_ms, assignment""",
                    (key, version, json.dumps(plain(rows))),
                )
            return [
                Vote(row, worker, Says(says), Purpose(purpose), assignment, weight, at_ms, epoch, draw)
                for row, worker, says, purpose, assignment, weight, at_ms, epoch, draw in found
            ]

    def gold_record(self, category: str, version: int, worker: str) -> tuple[int, int, int, int]:
        with self.catalog.reading() as sql:
            found = sql.execute(
                """SELECT coalesce(sum(yes_right), 0), coalesce(sum(yes_shown), 0),
                          coalesce(sum(no_right), 0), coalesce(sum(no_shown), 0)
                   FROM review AS r INDEXED BY review_of_worker
                   WHERE category = ? AND version = ? AND worker = ? AND number =
                       (SELECT max(number) FROM review WHERE (category, assignment) = (r.category, r.assignment))""",
                (category_id(self.catalog, sql, category), version, worker),
            ).fetchone()
        yes_right, yes_shown, no_right, no_shown = found
        return yes_right, yes_shown, no_right, no_shown

    def gold_answers(self, category: str, version: int) -> list[tuple[int, str, str]]:
        with self.catalog.reading() as sql:
            found = sql.execute(
                """SELECT row, worker, says FROM gold_answer WHERE category = ? AND version = ?
                   ORDER BY row, worker, assignment""",
                (category_id(self.catalog, sql, category), version),
            )
            return [(row, worker, says) for row, worker, says in found]


def _held_counts(sql: sqlite3.Connection, category: int, version: int, rows: Sequence[int]) -> Counter[str]:
    """How many of some rows are held to be what."""
    found = sql.execute(
        """SELECT says, count(*) FROM
               (SELECT says, min(trust) FROM label
                WHERE category = ? AND version = ? AND row IN (SELECT value FROM json_each(?)) GROUP BY row)
           GROUP BY says""",
        (category, version, json.dumps(rows)),
    )
    return Counter(dict(found.fetchall()))


def _move_counts(
    sql: sqlite3.Connection, category: int, version: int, before: Counter[str], after: Counter[str]
) -> None:
    for says in before | after:
        counters.add(sql, category, f"labels:{version}:{says}", after[says] - before[says])


def _label(version: int, line: Line) -> Label:
    row, trust, says, purpose, at_ms, posterior, votes, epoch, draw = line
    return Label(row, Says(says), SOURCES[trust], Purpose(purpose), version, at_ms, posterior, votes, epoch, draw)
