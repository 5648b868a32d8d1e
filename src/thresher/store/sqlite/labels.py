"""Labels with source and purpose, gold, and the votes and gold answers that count after review."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from thresher.records import Gold, Label, Source, Vote
from thresher.store.contract import Held, Labels, Rows
from thresher.store.contract.labels import LABELS_AT_ONCE
from thresher.store.conversions import gold_line, gold_of, label_line, label_of, vote_of
from thresher.store.held import KnownLabels
from thresher.store.kinds import GOLD, LABEL, VOTE
from thresher.store.rules import TRUST, by_version, most_trusted, one_of, plain
from thresher.store.sqlite import counters
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.counters import as_rows
from thresher.store.sqlite.lines import named, replace
from thresher.store.sqlite.part import Part


class SqliteLabels(Part, Labels):
    """Labels, gold, and the votes they come from."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog)
        self._known = KnownLabels()
        self._voted: dict[int, tuple[tuple[int, int], Rows]] = {}
        """Of each category the rows with votes that were read last, with the version and the mark that they are of."""

    def hold(self, category: str, labels: Sequence[Label]) -> int:
        moves = 0
        for version, of_version in by_version(labels).items():
            for start in range(0, len(of_version), LABELS_AT_ONCE):
                lines = list(map(label_line, of_version[start : start + LABELS_AT_ONCE]))
                stored = [label_of(line) for line in lines]
                rows = sorted({label.row for label in stored})
                with self.writing(category, ["labels"]) as (sql, key), _held_counted(sql, key, version, rows):
                    found = counters.mark_of(sql, key, "labels")
                    replace(sql, LABEL, key, lines)
                self._known.put(category, version, found, stored)
                moves += 1
        return moves

    def drop(self, category: str, version: int, source: str, rows: Sequence[int]) -> int:
        wanted, trust = plain(rows), TRUST[one_of(Source, source)]
        parts = [wanted[start : start + LABELS_AT_ONCE] for start in range(0, len(wanted), LABELS_AT_ONCE)]
        return sum(self._drop(category, version, trust, part) for part in parts)

    def _drop(self, category: str, version: int, trust: int, wanted: list[int]) -> bool:
        with self.writing(category, ["labels"]) as (sql, key), _held_counted(sql, key, version, wanted):
            found = counters.mark_of(sql, key, "labels")
            gone = sql.execute(
                """DELETE FROM label WHERE category = ? AND version = ? AND trust = ?
                   AND row IN (SELECT value FROM json_each(?))""",
                (key, version, trust, json.dumps(wanted)),
            ).rowcount
        if gone:  # else the mark did not move
            self._known.take_out(category, version, found, (trust, wanted))
        return bool(gone)

    def held(self, category: str, version: int) -> Held:
        with self.reading(category) as (sql, key):
            known = self._known.held(category, version, counters.mark_of(sql, key, "labels"))
        return Held(most_trusted(self.all_of(category, version))) if known is None else known

    def all_of(self, category: str, version: int) -> list[Label]:
        wanted = f"SELECT {named(LABEL.fields)} FROM label WHERE category = ? AND version = ? ORDER BY row, trust"
        with self.reading(category) as (sql, key):
            mark = counters.mark_of(sql, key, "labels")
            known = self._known.all_of(category, version, mark)
            if known is None:
                known = [label_of(line) for line in sql.execute(wanted, (key, version))]
                self._known.keep(category, version, mark, known)
        return known

    def of(self, category: str, version: int, rows: Sequence[int] | Rows) -> dict[int, Label]:
        with self.reading(category) as (sql, key):
            found = sql.execute(
                f"""SELECT {named(LABEL.fields)} FROM json_each(?) AS wanted
                    CROSS JOIN label ON category = ? AND version = ? AND row = wanted.value ORDER BY trust DESC""",
                (json.dumps(plain(rows)), key, version),
            )
            labels = [label_of(line) for line in found]
        return {label.row: label for label in labels}  # the most trusted come last

    def gild(self, category: str, gold: Sequence[Gold]) -> None:
        with self.writing(category, ["gold"]) as (sql, key):
            replace(sql, GOLD, key, map(gold_line, gold))

    def gold(self, category: str, version: int, *, retired: bool = False) -> list[Gold]:
        with self.reading(category) as (sql, key):
            found = sql.execute(
                f"""SELECT {named(GOLD.fields)} FROM gold
                    WHERE category = ? AND version = ? AND (retired = '' OR ?) ORDER BY row""",
                (key, version, retired),
            )
            return [gold_of(line) for line in found]

    def score_gold(self, category: str, version: int, right: Sequence[int], wrong: Sequence[int]) -> None:
        with self.writing(category, ["gold"]) as (sql, key):
            sql.executemany(
                """UPDATE gold SET shown = shown + 1, missed = missed + ?
                   WHERE category = ? AND version = ? AND row = ?""",
                [(0, key, version, row) for row in plain(right)] + [(1, key, version, row) for row in plain(wrong)],
            )

    def retire_gold(self, category: str, version: int, row: int, why: str) -> None:
        with self.writing(category, ["gold"]) as (sql, key):
            sql.execute(
                "UPDATE gold SET retired = ? WHERE category = ? AND version = ? AND row = ?",
                (why, key, version, int(row)),
            )

    def votes(self, category: str, version: int, rows: Sequence[int] | None = None) -> list[Vote]:
        of_rows, wanted = _of_rows(rows)
        with self.reading(category) as (sql, key):
            found = sql.execute(
                f"""SELECT {named(VOTE.fields)} FROM vote WHERE category = ? AND version = ? {of_rows}
                    ORDER BY row, at_ms, assignment""",
                (key, version, *wanted),
            )
            return [vote_of(line) for line in found]

    def voted(self, category: str, version: int) -> Rows:
        wanted = "SELECT DISTINCT row FROM vote WHERE category = ? AND version = ? ORDER BY row"
        with self.reading(category) as (sql, key):
            of = (version, counters.mark_of(sql, key, "votes"))
            then, rows = self._voted.get(key, (None, None))
            if rows is None or then != of:
                rows = as_rows(sql.execute(wanted, (key, version)))
                self._voted[key] = of, rows
        return rows.copy()

    def voters(self, category: str, version: int) -> frozenset[str]:
        with self.reading(category) as (sql, key):
            wanted = "SELECT DISTINCT worker FROM vote WHERE category = ? AND version = ?"
            return frozenset(worker for (worker,) in sql.execute(wanted, (key, version)))

    def gold_record(self, category: str, version: int, worker: str) -> tuple[int, int, int, int]:
        with self.reading(category) as (sql, key):
            found = sql.execute(
                """SELECT coalesce(sum(yes_right), 0), coalesce(sum(yes_shown), 0),
                          coalesce(sum(no_right), 0), coalesce(sum(no_shown), 0)
                   FROM review AS r INDEXED BY review_of_worker
                   WHERE category = ? AND version = ? AND worker = ? AND number =
                       (SELECT max(number) FROM review WHERE (category, assignment) = (r.category, r.assignment))""",
                (key, version, worker),
            )
            yes_right, yes_shown, no_right, no_shown = found.fetchone()
        return yes_right, yes_shown, no_right, no_shown

    def gold_answers(
        self, category: str, version: int, rows: Sequence[int] | None = None
    ) -> list[tuple[int, str, str]]:
        of_rows, wanted = _of_rows(rows)
        with self.reading(category) as (sql, key):
            found = sql.execute(
                f"""SELECT row, worker, says FROM gold_answer WHERE category = ? AND version = ? {of_rows}
                    ORDER BY row, worker, assignment""",
                (key, version, *wanted),
            )
            return found.fetchall()


def _of_rows(rows: Sequence[int] | None) -> tuple[str, tuple[str, ...]]:
    """The condition that selects some rows, or all of them, and its values."""
    if rows is None:
        return "", ()
    return "AND row IN (SELECT value FROM json_each(?))", (json.dumps(plain(rows)),)


@contextmanager
def _held_counted(sql: sqlite3.Connection, category: int, version: int, rows: Sequence[int]) -> Iterator[None]:
    """Update the counters by the changes of labels that the block makes on some rows."""
    before = _held_counts(sql, category, version, rows)
    yield
    after = _held_counts(sql, category, version, rows)
    for says in before | after:
        counters.add(sql, category, f"labels:{version}:{says}", after[says] - before[says])


def _held_counts(sql: sqlite3.Connection, category: int, version: int, rows: Sequence[int]) -> Counter[str]:
    """The number of labels of each answer on some rows."""
    found = sql.execute(
        """SELECT says, count(*) FROM
               (SELECT says, min(trust) FROM label
                WHERE category = ? AND version = ? AND row IN (SELECT value FROM json_each(?)) GROUP BY row)
           GROUP BY says""",
        (category, version, json.dumps(rows)),
    )
    return Counter(dict(found.fetchall()))
