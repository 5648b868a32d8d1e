"""The effects of a review: which answers count, which asks have all their votes, which places are free again."""

import json
import sqlite3

from thresher.records import Assignment, Review, Stage
from thresher.store.conversions import review_line
from thresher.store.kinds import REVIEW
from thresher.store.rules import may_be_judged_again, may_be_reviewed
from thresher.store.sqlite import lines
from thresher.store.sqlite.asks import end_asks
from thresher.store.sqlite.assignments import free_place, move_stage


def record(sql: sqlite3.Connection, assignment: Assignment, review: Review) -> None:
    """Record a decision on a sent assignment; if there is one already, it stays."""
    if not may_be_reviewed(assignment, review):
        return
    (category,) = sql.execute("SELECT category FROM assignment WHERE id = ?", (assignment.id,)).fetchone()
    append(sql, category, assignment, review)
    if review.verdict is Stage.REJECTED:
        free_place(sql, assignment.id)
    else:
        _count_votes(sql, category, assignment, review.weight)
        _finish_place(sql, category, assignment)


def again(sql: sqlite3.Connection, assignment: Assignment, review: Review, *, after: int, votes: bool) -> None:
    """Add a decision if there are `after` of them; with `votes` the answers count as it says."""
    (category,) = sql.execute("SELECT category FROM assignment WHERE id = ?", (assignment.id,)).fetchone()
    of = (category, assignment.id)
    (there,) = sql.execute("SELECT count(*) FROM review WHERE category = ? AND assignment = ?", of).fetchone()
    if not may_be_judged_again(assignment, review, after, there):
        return
    append(sql, category, assignment, review)
    if not votes:
        return
    cast = "WHERE category = ? AND version = ? AND row IN (SELECT value FROM json_each(?)) AND assignment = ?"
    rows = json.dumps([place.row for place in assignment.dealt])
    where = (category, assignment.version, rows, assignment.id)
    if review.verdict is not Stage.REJECTED:
        sql.execute(f"UPDATE vote SET weight = ? {cast}", (review.weight, *where))
        return
    sql.execute(f"DELETE FROM gold_answer {cast}", where)
    if sql.execute(f"DELETE FROM vote {cast}", where).rowcount:
        still = "UPDATE task SET done = done - 1 WHERE number = ? AND done < places"
        if sql.execute(still, (assignment.task,)).rowcount:
            free_place(sql, assignment.id)


def append(sql: sqlite3.Connection, category: int, assignment: Assignment, review: Review) -> None:
    """Add a further decision on an assignment, which is then in force, and nothing else."""
    (number,) = sql.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM review WHERE category = ? AND assignment = ?",
        (category, assignment.id),
    ).fetchone()
    lines.insert(sql, REVIEW, category, review_line(assignment, number, review))
    move_stage(sql, assignment.id, review.verdict)


def _count_votes(sql: sqlite3.Connection, category: int, assignment: Assignment, weight: float) -> None:
    said = [(dealt, answer.says.value) for dealt, answer in zip(assignment.dealt, assignment.answers, strict=True)]
    sql.execute(
        """INSERT INTO vote (category, version, row, at_ms, assignment, worker, says, purpose, weight, epoch, draw)
           SELECT ?, version, row, ?, ?, ?, json_extract(said.value, '$[1]'), purpose, ?, epoch, draw
           FROM json_each(?) AS said CROSS JOIN ask ON ask.id = json_extract(said.value, '$[0]')""",
        (
            category, assignment.sent_ms, assignment.id, assignment.worker, weight,
            json.dumps([(dealt.ask, says) for dealt, says in said if dealt.ask is not None]),
        ),
    )  # fmt: skip
    sql.executemany(
        "INSERT INTO gold_answer (category, version, row, worker, assignment, says) VALUES (?, ?, ?, ?, ?, ?)",
        (
            (category, assignment.version, dealt.row, assignment.worker, assignment.id, says)
            for dealt, says in said
            if dealt.ask is None
        ),
    )


def _finish_place(sql: sqlite3.Connection, category: int, assignment: Assignment) -> None:
    """Finish one more place of the task; after the last one its asks have all their votes."""
    places, done = sql.execute(
        "UPDATE task SET done = done + 1 WHERE number = ? RETURNING places, done", (assignment.task,)
    ).fetchone()
    if done == places:
        end_asks(sql, category, assignment.version, assignment.task)
