"""Records out of what stores keep, and what they keep of records: written once for every store.

What is kept comes as a list of values in the order of the record's fields, for dictionaries take half as long again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from functools import cache
from itertools import starmap
from typing import Any

from thresher.records import Ask, Assignment, Dealt, Given, Purpose, Review, Says, Stage, Task, TaskKind

Kept = Sequence[Any]


@cache
def names_of(noun: Callable[..., object], *without: str) -> tuple[str, ...]:
    """The names of a record's fields, but for some."""
    found = (field.name for field in fields(noun))  # type: ignore[arg-type]  # every record is a dataclass
    return tuple(name for name in found if name not in without)


def ask_of(kept: Kept) -> Ask:
    """The record of an ask."""
    return Ask(kept[0], kept[1], kept[2], Purpose(kept[3]), *kept[4:])


def task_of(kept: Kept) -> Task:
    """The record of a task, its rows kept as a list."""
    number, category, version, name, rows, places, taken, done, owner_only, published_ms, kind = kept
    own = bool(owner_only)
    return Task(number, category, version, name, tuple(rows), places, taken, done, own, published_ms, TaskKind(kind))


def assignment_of(kept: Kept, review: Review | None) -> Assignment:
    """The record of an assignment with the review in force, which is not among what is kept of it."""
    made, task, category, version, worker, stage, dealt, dealt_ms, lease_until_ms, sent_ms, answers, erased = kept
    return Assignment(
        made, task, category, version, worker, Stage(stage), tuple(starmap(Dealt, dealt)), dealt_ms, lease_until_ms,
        sent_ms, given_from(answers), review, erased,
    )  # fmt: skip


def review_of(kept: Kept) -> Review:
    """The record of a decision about an assignment."""
    verdict, why, at_ms, yes_right, yes_shown, no_right, no_shown, weight, provisional = kept
    return Review(
        Stage(verdict), why, at_ms, yes_right, yes_shown, no_right, no_shown, weight, bool(provisional)
    )  # fmt: skip


def review_line(assignment: Assignment, number: int, review: Review) -> dict[str, Any]:
    """A line of the kind "review": the decision of that number about an assignment."""
    about = {"assignment": assignment.id, "number": number, "version": assignment.version, "worker": assignment.worker}
    return {**about, **asdict(review)}


def given_to(answers: Iterable[Given]) -> list[list[object]]:
    """Answers as they are kept: lists in the order of the record's fields."""
    return [
        [a.position, a.says.value, a.first_seconds, a.seconds, a.changes, a.visits, a.hidden_seconds, a.ready]
        for a in answers
    ]


def given_from(kept: Iterable[list[Any]]) -> tuple[Given, ...]:
    """Answers as they were kept."""
    return tuple(Given(position, Says(says), *rest) for position, says, *rest in kept)
