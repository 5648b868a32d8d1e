"""Assignments: leases on tasks, drafts apart from final answers."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from thresher.records import Assignment, Dealt, Given, Review, Stage, Task
from thresher.store.contract import UNBOUNDED, Bounds, Rows, Work
from thresher.store.conversions import fresh_assignment, given_from, given_to, review_of, sent_line
from thresher.store.rules import (
    MOST_IMAGES,
    SPENT,
    answer_counters,
    answers_left,
    drafted,
    may_be_dealt,
    may_be_drafted,
    most_asked,
    reserved_for,
    to_be_sent,
)
from thresher.store.sqlite import counters, reviews
from thresher.store.sqlite.asks import load_task
from thresher.store.sqlite.assignments import REVIEW, end_lease, load, load_all, move_stage, reserve
from thresher.store.sqlite.connection import insert
from thresher.store.sqlite.counters import as_rows
from thresher.store.sqlite.part import Part

EXPIRED_AT_ONCE = 100


class SqliteWork(Part, Work):
    """Leases on tasks, drafts apart from final answers, reviews."""

    def take(
        self,
        category: str,
        version: int,
        worker: str,
        *,
        owner: bool,
        now_ms: int,
        lease_ms: int,
        bounds: Bounds = UNBOUNDED,
    ) -> Assignment | None:
        # BEGIN IMMEDIATE: two servers must not give one place twice
        # how far a search went moves nothing; assignments move their part with their stage
        with self.writing(category, [], durable=False) as (sql, key):
            _expire(sql, now_ms)
            held = _held(sql, key, version, worker)
            if held:
                return load(sql, held[0])
            most = most_asked(_answers_left(sql, key), bounds)
            for owner_only in _sorts(owner) if _may_hold_more(sql, worker, bounds) else ():
                task = _next_task(sql, key, version, worker, owner_only, most, bounds)
                # what stands between the others and a task ends without a word to this one, as room for a larger one
                if not bounds.alike and not bounds.least and most == MOST_IMAGES:
                    _remember(sql, key, version, worker, owner_only, task)
                if task is not None:
                    fresh = fresh_assignment(task, version, worker, owner=owner, now_ms=now_ms, lease_ms=lease_ms)
                    return _lease(sql, key, fresh, bounds)
        return None

    def offer(
        self, category: str, version: int, worker: str, *, owner: bool, bounds: Bounds = UNBOUNDED
    ) -> Task | None:
        with self.reading(category) as (sql, key):
            held = _held(sql, key, version, worker)
            most = most_asked(_answers_left(sql, key), bounds)
            sorts = _sorts(owner) if held or _may_hold_more(sql, worker, bounds) else ()
            looks = (_next_task(sql, key, version, worker, owner_only, most, bounds) for owner_only in sorts)
            number = held[1] if held else next((task for task in looks if task is not None), None)
            return None if number is None else load_task(sql, number)

    def set_dealt(self, assignment: str, dealt: Sequence[Dealt]) -> Assignment:
        with self.changing(assignment, ["asks"]) as (sql, there):
            if there.dealt:
                return there
            (asks,) = sql.execute("SELECT asks FROM task WHERE number = ?", (there.task,)).fetchone()
            may_be_dealt(there, dealt, json.loads(asks))
            sql.execute(
                "UPDATE assignment SET dealt = ? WHERE id = ?",
                (json.dumps([(int(place.row), place.ask) for place in dealt]), assignment),
            )
            sql.execute(
                """INSERT OR REPLACE INTO seen_gold (category, worker, row, at_ms)
                   SELECT category, worker, value, dealt_ms FROM assignment, json_each(?) WHERE assignment.id = ?""",
                (json.dumps([int(place.row) for place in dealt if place.ask is None]), assignment),
            )
            reserve(sql, assignment, len(dealt))
            return load(sql, assignment)

    def get(self, assignment: str) -> Assignment:
        with self.catalog.reading() as sql:
            return load(sql, assignment)

    def seen_gold(self, category: str, worker: str, *, before: str | None = None) -> Rows:
        seen = "SELECT row FROM seen_gold WHERE category = ? AND worker = ? ORDER BY at_ms, row"
        earlier = """SELECT json_extract(place.value, '$[0]') AS row FROM assignment, json_each(dealt) AS place
            WHERE category = ? AND worker = ? AND assignment.id < ? AND json_extract(place.value, '$[1]') IS NULL
            GROUP BY row ORDER BY max(dealt_ms), row"""
        with self.reading(category) as (sql, key):
            found = (seen, (key, worker)) if before is None else (earlier, (key, worker, before))
            return as_rows(sql.execute(*found))

    def asked(self, category: str, *workers: str) -> Rows:
        with self.reading(category) as (sql, key):
            asked = """SELECT DISTINCT row FROM asked WHERE category = ?
                       AND worker IN (SELECT value FROM json_each(?)) ORDER BY row"""
            return as_rows(sql.execute(asked, (key, json.dumps(workers))))

    def draft(
        self, assignment: str, given: Sequence[Given], *, sequence: int, now_ms: int, lease_ms: int
    ) -> Assignment:
        with self.changing(assignment, ["drafts"]) as (sql, there):
            may_be_drafted(there, given, now_ms)
            made = drafted(there, given, _drafts(sql, assignment), sequence=sequence, now_ms=now_ms, lease_ms=lease_ms)
            sql.executemany(
                "INSERT OR REPLACE INTO draft (assignment, position, given) VALUES (?, ?, ?)",
                ((assignment, one.position, json.dumps(given_to([one]))) for one in made.kept),
            )
            sql.execute(
                "UPDATE assignment SET sequence = ?, lease_until_ms = ? WHERE id = ?",
                (made.sequence, made.lease_until_ms, assignment),
            )
            return load(sql, assignment)

    def drafts(self, assignment: str) -> tuple[int, list[Given]]:
        with self.catalog.reading() as sql:
            load(sql, assignment)
            return _drafts(sql, assignment)

    def send(self, assignment: str, answers: Sequence[Given], now_ms: int) -> Assignment:
        with self.changing(assignment, [], durable=True) as (sql, there):  # its stage moves the mark
            ordered = to_be_sent(there, answers, now_ms, _drafts(sql, assignment)[1])
            if ordered is None:
                return there
            sql.execute("DELETE FROM draft WHERE assignment = ?", (assignment,))
            sent = sent_line(there, ordered, now_ms)
            sql.execute(
                "UPDATE assignment SET answers = ?, sent_ms = ?, seal = ? WHERE id = ?",
                (json.dumps(sent["answers"]), now_ms, sent["seal"], assignment),
            )
            move_stage(sql, assignment, Stage.SENT)
            _count_answers(sql, there)
            return load(sql, assignment)

    def give_back(self, assignment: str, now_ms: int) -> None:  # noqa: ARG002 -- a store may note when
        with self.changing(assignment, []) as (sql, there):  # its stage moves the mark
            if there.stage is Stage.LEASED:
                end_lease(sql, assignment, Stage.RETURNED)

    def expire(self, now_ms: int) -> int:
        ended = 0
        while True:
            with self.catalog.writing() as sql:
                some = _expire(sql, now_ms)
            ended += some
            if some < EXPIRED_AT_ONCE:
                return ended

    def unreviewed(self, category: str) -> list[Assignment]:
        with self.reading(category) as (sql, key):
            return load_all(sql, "WHERE a.category = ? AND stage = 'sent' ORDER BY sent_ms, a.id", (key,))

    def review(self, assignment: str, review: Review) -> Assignment:
        with self.changing(assignment, ["votes"], durable=True) as (sql, there):
            reviews.record(sql, there, review)
            return load(sql, assignment)

    def judge_again(self, assignment: str, review: Review, *, after: int, votes: bool) -> Assignment:
        with self.changing(assignment, ["votes"], durable=True) as (sql, there):
            reviews.again(sql, there, review, after=after, votes=votes)
            return load(sql, assignment)

    def reviews(self, assignment: str) -> list[Review]:
        with self.reading(self.get(assignment).category) as (sql, key):
            wanted = f"SELECT {REVIEW} FROM review WHERE category = ? AND assignment = ? ORDER BY number"
            return [review_of(line) for line in sql.execute(wanted, (key, assignment))]

    def page(self, category: str, after: str, limit: int) -> list[Assignment]:
        with self.reading(category) as (sql, key):
            return load_all(sql, "WHERE a.category = ? AND a.id > ? ORDER BY a.id LIMIT ?", (key, after, limit))

    def of_worker(self, worker: str, task: int | None = None) -> list[Assignment]:
        with self.catalog.reading() as sql:
            of_worker = "WHERE a.worker = ?1 AND (?2 IS NULL OR a.task = ?2) ORDER BY a.id DESC"
            return load_all(sql, of_worker, (worker, task))


def _sorts(owner: bool) -> tuple[bool, ...]:
    """Which tasks a worker may get, in order: the owner first those for the owner only, then any other."""
    return (True, False) if owner else (False,)


def _may_hold_more(sql: sqlite3.Connection, worker: str, bounds: Bounds) -> bool:
    """Whether a worker and those alike hold fewer assignments than they may."""
    (held,) = sql.execute(
        "SELECT count(*) FROM assignment WHERE stage = 'leased' AND worker IN (SELECT value FROM json_each(?))",
        (json.dumps([worker, *bounds.alike]),),
    ).fetchone()
    return not bounds.open_most or held < bounds.open_most


def _answers_left(sql: sqlite3.Connection, category: int) -> int | None:
    """How many answers may still be reserved; None where there is no limit."""
    (targets,) = sql.execute("SELECT targets FROM category WHERE id = ?", (category,)).fetchone()
    counted = {name: counters.value(sql, category, name) for name in SPENT}
    return answers_left(json.loads(targets).get("answers"), counted)


def _next_task(
    sql: sqlite3.Connection, category: int, version: int, worker: str, owner_only: bool, most: int, bounds: Bounds
) -> int | None:
    """The lowest free task of `most` images at most, without one that the worker or those alike were asked about."""
    people = (worker, *bounds.alike)
    found = sql.execute(
        """SELECT number FROM task
           WHERE category = ?1 AND version = ?2 AND owner_only = ?3 AND taken < places
             AND json_array_length(rows) <= ?6
             AND (json_array_length(rows) >= ?7 OR published_ms <= ?8) AND number >= coalesce((SELECT task FROM reached
                 WHERE category = ?1 AND version = ?2 AND owner_only = ?3 AND worker = ?4), 0)
             AND NOT EXISTS (SELECT 1 FROM json_each(?5) AS person CROSS JOIN json_each(task.rows) AS shown
                 CROSS JOIN asked ON asked.category = ?1 AND asked.worker = person.value AND asked.row = shown.value)
           ORDER BY number LIMIT 1""",
        (
            *(category, version, owner_only, worker if len(people) == 1 else "", json.dumps(people)),
            *(most, bounds.least, bounds.small_until_ms),
        ),
    ).fetchone()
    return int(found[0]) if found else None


def _remember(
    sql: sqlite3.Connection, category: int, version: int, worker: str, owner_only: bool, task: int | None
) -> None:
    """Record how far the search for a worker went, so that the next one starts there; past every task if in vain."""
    sql.execute(
        """INSERT OR REPLACE INTO reached (category, version, owner_only, worker, task)
           VALUES (?, ?, ?, ?, coalesce(?, (SELECT max(number) + 1 FROM task), 0))""",
        (category, version, owner_only, worker, task),
    )


def _held(sql: sqlite3.Connection, category: int, version: int, worker: str) -> tuple[str, int] | None:
    """The unfinished assignment of a worker, and its task."""
    found: tuple[str, int] | None = sql.execute(
        "SELECT id, task FROM assignment WHERE category = ? AND version = ? AND worker = ? AND stage = 'leased'",
        (category, version, worker),
    ).fetchone()
    return found


def _drafts(sql: sqlite3.Connection, assignment: str) -> tuple[int, list[Given]]:
    """The last sequence number of an assignment, and its drafts by position."""
    (last,) = sql.execute("SELECT sequence FROM assignment WHERE id = ?", (assignment,)).fetchone()
    found = sql.execute("SELECT given FROM draft WHERE assignment = ? ORDER BY position", (assignment,))
    return last, [one for (text,) in found for one in given_from(json.loads(text))]


def _lease(sql: sqlite3.Connection, category: int, fresh: dict[str, Any], bounds: Bounds) -> Assignment:
    sql.execute("UPDATE task SET taken = taken + 1 WHERE number = ?", (fresh["task"],))
    insert(sql, "assignment", {**fresh, "category": category, "dealt": "[]", "answers": "[]"})
    sql.execute(
        """INSERT INTO asked (category, worker, row, assignment)
           SELECT ?, ?, value, ? FROM task, json_each(task.rows) WHERE number = ?""",
        (category, fresh["worker"], fresh["id"], fresh["task"]),
    )
    counters.add(sql, category, f"assignments:{fresh['stage']}", 1)
    counters.move(sql, category, ["asks"])
    reserve(sql, fresh["id"], reserved_for(len(load_task(sql, fresh["task"]).rows), bounds))
    return load(sql, fresh["id"])


def _expire(sql: sqlite3.Connection, now_ms: int) -> int:
    over = sql.execute(
        "SELECT id FROM assignment WHERE stage = 'leased' AND lease_until_ms <= ? LIMIT ?", (now_ms, EXPIRED_AT_ONCE)
    ).fetchall()
    for (assignment,) in over:
        end_lease(sql, assignment, Stage.EXPIRED)
    return len(over)


def _count_answers(sql: sqlite3.Connection, assignment: Assignment) -> None:
    category, owner = sql.execute("SELECT category, owner FROM assignment WHERE id = ?", (assignment.id,)).fetchone()
    for name, moved in answer_counters([place.ask for place in assignment.dealt], owner=owner).items():
        counters.add(sql, category, name, moved)
