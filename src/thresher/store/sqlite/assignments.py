"""Assignments in SQLite: reading them, and changes from one stage to the next."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from thresher.records import Assignment, Review, Stage
from thresher.store.conversions import assignment_of, names_of, review_of
from thresher.store.rules import no_such_assignment
from thresher.store.sqlite import counters

_OWN = names_of(Assignment, "review")
_DEALT, _ANSWERS = _OWN.index("dealt"), _OWN.index("answers")
REVIEW = ", ".join(names_of(Review))
# with the review in force: the last one
_ASSIGNMENT = f"""
    SELECT {", ".join("category.name" if name == "category" else f"a.{name}" for name in _OWN)}, {REVIEW}
    FROM assignment AS a JOIN category ON category.id = a.category
    LEFT JOIN review AS r ON (r.category, r.assignment, r.number) = (a.category, a.id,
        (SELECT max(number) FROM review WHERE category = a.category AND assignment = a.id))"""


def load(sql: sqlite3.Connection, assignment: str) -> Assignment:
    """An assignment by its id. Raises NotFound."""
    for found in load_all(sql, "WHERE a.id = ?", (assignment,)):
        return found
    raise no_such_assignment(assignment)


def load_all(sql: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[Assignment]:
    """The assignments that an SQL clause selects."""
    return [_assignment(one) for one in sql.execute(f"{_ASSIGNMENT} {where}", values)]


def move_stage(sql: sqlite3.Connection, assignment: str, stage: Stage) -> None:
    """Put an assignment into its next stage, and update counters and mark; only a lease reserves answers."""
    category, before = sql.execute("SELECT category, stage FROM assignment WHERE id = ?", (assignment,)).fetchone()
    sql.execute("UPDATE assignment SET stage = ? WHERE id = ?", (stage.value, assignment))
    counters.add(sql, category, f"assignments:{before}", -1)
    counters.add(sql, category, f"assignments:{stage.value}", 1)
    counters.move(sql, category, ["asks", "drafts"] if before == Stage.LEASED.value else ["asks"])
    if stage is not Stage.LEASED:
        reserve(sql, assignment, 0)


def reserve(sql: sqlite3.Connection, assignment: str, answers: int) -> None:
    """Reserve so many answers for an assignment instead of those before, and update the counter."""
    category, before = sql.execute("SELECT category, reserved FROM assignment WHERE id = ?", (assignment,)).fetchone()
    sql.execute("UPDATE assignment SET reserved = ? WHERE id = ?", (answers, assignment))
    counters.add(sql, category, "reserved", answers - before)


def end_lease(sql: sqlite3.Connection, assignment: str, stage: Stage) -> None:
    """Delete the drafts of a lease, keeping their number, and free its place; the worker may be asked again."""
    erased = sql.execute("DELETE FROM draft WHERE assignment = ?", (assignment,)).rowcount
    sql.execute("UPDATE assignment SET drafts_erased = ? WHERE id = ?", (erased, assignment))
    sql.execute("DELETE FROM asked WHERE assignment = ?", (assignment,))
    # what the worker was not asked after all no longer stands between them and any task
    sql.execute(
        """DELETE FROM reached WHERE (category, worker) IN
               (SELECT category, worker FROM assignment WHERE id = ?)""",
        (assignment,),
    )
    free_place(sql, assignment)
    move_stage(sql, assignment, stage)


def free_place(sql: sqlite3.Connection, assignment: str) -> None:
    """Free an assignment's place in its task, also for workers whose search has passed this task already."""
    (number,) = sql.execute("SELECT task FROM assignment WHERE id = ?", (assignment,)).fetchone()
    sql.execute("UPDATE task SET taken = taken - 1 WHERE number = ?", (number,))
    sql.execute(
        """UPDATE reached SET task = ?1
           WHERE (category, version, owner_only) IN (SELECT category, version, owner_only FROM task WHERE number = ?1)
             AND task > ?1""",
        (number,),
    )


def _assignment(line: Sequence[Any]) -> Assignment:
    own, review = list(line[: len(_OWN)]), line[len(_OWN) :]
    own[_DEALT], own[_ANSWERS] = json.loads(own[_DEALT]), json.loads(own[_ANSWERS])
    return assignment_of(own, review_of(review) if review[0] else None)
