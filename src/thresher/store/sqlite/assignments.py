"""How an assignment is read from the catalog, and how it moves from one stage to the next."""

import json
import sqlite3
from collections.abc import Iterable

from thresher.errors import NotFound
from thresher.records import Assignment, Dealt, Given, Review, Says, Stage
from thresher.store.sqlite import counters

_ASSIGNMENT = """SELECT a.id, a.task, category.name, a.version, a.worker, a.stage, a.dealt, a.dealt_ms,
        a.lease_until_ms, a.sent_ms, a.answers, a.drafts_erased,
        r.verdict, r.why, r.at_ms, r.yes_right, r.yes_shown, r.no_right, r.no_shown, r.weight, r.provisional
    FROM assignment AS a JOIN category ON category.id = a.category LEFT JOIN review AS r ON r.assignment = a.id"""


def load(sql: sqlite3.Connection, assignment: str) -> Assignment:
    """An assignment by its id. Raises NotFound."""
    found = sql.execute(f"{_ASSIGNMENT} WHERE a.id = ?", (assignment,)).fetchone()
    if not found:
        raise NotFound(f"no assignment has the id {assignment!r}.")
    return _assignment(found)


def load_all(sql: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[Assignment]:
    """The assignments that a clause of ours picks."""
    return [_assignment(line) for line in sql.execute(f"{_ASSIGNMENT} {where}", values)]


def move_stage(sql: sqlite3.Connection, assignment: str, stage: Stage) -> None:
    """Put an assignment in its next stage, and the counters with it."""
    category, before = sql.execute("SELECT category, stage FROM assignment WHERE id = ?", (assignment,)).fetchone()
    sql.execute("UPDATE assignment SET stage = ? WHERE id = ?", (stage.value, assignment))
    counters.add(sql, category, f"assignments:{before}", -1)
    counters.add(sql, category, f"assignments:{stage.value}", 1)


def end_lease(sql: sqlite3.Connection, assignment: str, stage: Stage) -> None:
    """Erase the drafts of a lease, leaving their number, and free its place; the worker may be asked again."""
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
    """Give an assignment's place in its task to somebody else, also to those who have looked further already."""
    (number,) = sql.execute("SELECT task FROM assignment WHERE id = ?", (assignment,)).fetchone()
    sql.execute("UPDATE task SET taken = taken - 1 WHERE number = ?", (number,))
    sql.execute(
        """UPDATE reached SET task = ?1
           WHERE (category, version, owner_only) IN (SELECT category, version, owner_only FROM task WHERE number = ?1)
             AND task > ?1""",
        (number,),
    )


def given_to(answers: Iterable[Given]) -> str:
    """Answers as the catalog keeps them: lists in the order of the record's fields."""
    return json.dumps(
        [
            (a.position, a.says.value, a.first_seconds, a.seconds, a.changes, a.visits, a.hidden_seconds, a.ready)
            for a in answers
        ]
    )


def given_from(text: str) -> tuple[Given, ...]:
    """Answers as the catalog has kept them."""
    return tuple(Given(position, Says(says), *rest) for position, says, *rest in json.loads(text))


def _assignment(line: tuple[object, ...]) -> Assignment:
    made, task, category, version, worker, stage, dealt, dealt_ms, until_ms, sent_ms, answers, erased = line[:12]
    return Assignment(
        str(made), _int(task), str(category), _int(version), str(worker), Stage(str(stage)),
        tuple(Dealt(row, ask) for row, ask in json.loads(str(dealt))), _int(dealt_ms), _int(until_ms),
        _int(sent_ms), given_from(str(answers)), _review(line[12:]), _int(erased),
    )  # fmt: skip


def _review(line: tuple[object, ...]) -> Review | None:
    verdict, why, at_ms, yes_right, yes_shown, no_right, no_shown, weight, provisional = line
    if verdict is None:
        return None
    return Review(
        Stage(str(verdict)), str(why), _int(at_ms), _int(yes_right), _int(yes_shown), _int(no_right),
        _int(no_shown), float(str(weight)), bool(provisional),
    )  # fmt: skip


def _int(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 -- STRICT tables hold what they declare
    return value
