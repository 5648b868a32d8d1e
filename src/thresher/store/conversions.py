"""Conversions between records and the values that stores keep, shared by all stores.

Values are kept as lists, because dictionaries take half as long again: in the order of the record's fields, or as a
line of its kind (kinds.py) if the function says so.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from functools import cache
from itertools import starmap
from typing import Any, Final

from thresher.records import (
    OWNER_ONLY,
    Alias,
    Ask,
    Assignment,
    Dealt,
    Given,
    Gold,
    Label,
    NewAsk,
    NewImage,
    NewTask,
    Purpose,
    Review,
    Says,
    Source,
    Stage,
    Task,
    TaskKind,
    Vote,
    new_id,
)
from thresher.store.rules import SOURCES, TRUST
from thresher.store.seals import seal, seal_of, sealed
from thresher.store.shapes import Line

Kept = Sequence[Any]
# looked up, as calling an enumeration takes four times as long: a catalog has one or two for each answer
_SAYS: Final[Mapping[str, Says]] = {says.value: says for says in Says}
_PURPOSES: Final[Mapping[str, Purpose]] = {purpose.value: purpose for purpose in Purpose}


@cache
def names_of(noun: Callable[..., object], *without: str) -> tuple[str, ...]:
    """The names of a record's fields, except some."""
    found = (field.name for field in fields(noun))  # type: ignore[arg-type]  # every record is a dataclass
    return tuple(name for name in found if name not in without)


def ask_of(kept: Kept) -> Ask:
    """An Ask from its values."""
    return Ask(kept[0], kept[1], kept[2], Purpose(kept[3]), *kept[4:])


def ask_line(number: int | None, version: int, ask: NewAsk) -> Line:
    """A line of the kind "ask"."""
    purpose = ask.purpose
    return (
        number, version, int(ask.row), purpose.value, purpose in OWNER_ONLY, ask.votes_wanted, float(ask.priority),
        ask.epoch, ask.draw, ask.part,
    )  # fmt: skip


def task_fields(task: NewTask, version: int) -> dict[str, Any]:
    """The stored fields of a published task, without its number, its category and its asks."""
    own = {"name": task.name, "places": task.places, "owner_only": task.owner_only, "kind": task.kind.value}
    own["gold"] = json.dumps([int(row) for row in task.gold])
    return {**own, "version": version, "taken": 0, "done": 0, "published_ms": task.at_ms}


def task_of(kept: Kept) -> Task:
    """A Task from its values, with its rows as a list."""
    number, category, version, name, rows, places, taken, done, owner_only, published_ms, kind, gold = kept
    return Task(
        number, category, version, name, tuple(rows), places, taken, done, bool(owner_only), published_ms,
        TaskKind(kind), tuple(json.loads(gold)),
    )  # fmt: skip


def fresh_assignment(
    task: int, version: int, worker: str, *, owner: bool, now_ms: int, lease_ms: int
) -> dict[str, Any]:
    """What is kept of an assignment that a worker takes, but for its category, its lists and what it reserves."""
    held = {"dealt_ms": now_ms, "lease_until_ms": now_ms + lease_ms, "stage": Stage.LEASED.value}
    nothing_yet = {"sent_ms": 0, "sequence": 0, "drafts_erased": 0, "seal": ""}
    return {"id": new_id(), "task": task, "version": version, "worker": worker, "owner": owner, **held, **nothing_yet}


def assignment_of(kept: Kept, review: Review | None) -> Assignment:
    """An Assignment from its values and the review in force, which is stored elsewhere."""
    made, task, category, version, worker, stage, dealt, dealt_ms, lease_until_ms, sent_ms, answers, *numbers = kept
    return Assignment(
        made, task, category, version, worker, Stage(stage), tuple(starmap(Dealt, dealt)), dealt_ms, lease_until_ms,
        sent_ms, given_from(answers), review, *numbers,
    )  # fmt: skip


def review_of(kept: Kept) -> Review:
    """A Review from its values."""
    verdict, why, at_ms, yes_right, yes_shown, no_right, no_shown, weight, provisional = kept
    return Review(
        Stage(verdict), why, at_ms, yes_right, yes_shown, no_right, no_shown, weight, bool(provisional)
    )  # fmt: skip


def review_line(assignment: Assignment, number: int, review: Review) -> dict[str, Any]:
    """A line of the kind "review": the decision with that number about an assignment."""
    about = {"assignment": assignment.id, "number": number, "version": assignment.version, "worker": assignment.worker}
    return sealed("review", {**about, **asdict(review), "weight": float(review.weight)})


def sent_line(assignment: Assignment, answers: Sequence[Given], sent_ms: int) -> dict[str, Any]:
    """What is kept of an assignment that is sent: its answers, when, and the seal of all that."""
    sent = {"answers": given_to(answers), "sent_ms": sent_ms}
    own = {name: getattr(assignment, name) for name in ("id", "task", "version", "worker")}
    dealt = [[place.row, place.ask] for place in assignment.dealt]
    return {**sent, "seal": seal_of("assignment", {**own, **sent, "dealt": dealt})}


def new_image_of(line: Line, data: bytes | None) -> NewImage:
    """The image of a line of the kind "image", on its way into a store."""
    _, sha256, width, height, picture_format, orientation, size, _, fingerprint, _, aliases = line
    pairs = tuple(starmap(Alias, aliases))
    return NewImage(sha256, data, width, height, picture_format, orientation, fingerprint, size, pairs)


def label_line(label: Label) -> Line:
    """A line of the kind "label"."""
    line = (
        label.version, int(label.row), TRUST[label.source], label.says.value, label.purpose.value, label.at_ms,
        float(label.posterior), label.votes, label.epoch, label.draw,
    )  # fmt: skip
    return (*line, seal(line))


def label_of(line: Line) -> Label:
    """A Label from a line of the kind "label"."""
    version, row, trust, says, purpose, at_ms, posterior, votes, epoch, draw, _ = line
    return Label(row, _SAYS[says], SOURCES[trust], _PURPOSES[purpose], version, at_ms, posterior, votes, epoch, draw)


def gold_line(gold: Gold) -> Line:
    """A line of the kind "gold"."""
    what = {"version": gold.version, "row": int(gold.row), "says": gold.says.value, "source": gold.source.value}
    return (*what.values(), gold.shown, gold.missed, gold.retired, seal_of("gold", what))


def gold_of(line: Line) -> Gold:
    """The record of a line of the kind "gold"."""
    version, row, says, source, shown, missed, retired, _ = line
    return Gold(row, _SAYS[says], version, Source(source), shown, missed, retired)


def vote_of(line: Line) -> Vote:
    """The record of a line of the kind "vote"."""
    _, row, at_ms, assignment, worker, says, purpose, weight, epoch, draw = line
    return Vote(row, worker, _SAYS[says], _PURPOSES[purpose], assignment, weight, at_ms, epoch, draw)


def given_to(answers: Iterable[Given]) -> list[list[object]]:
    """Answers as stored: lists in the order of the record's fields."""
    return [
        [a.position, a.says.value, a.first_seconds, a.seconds, a.changes, a.visits, a.hidden_seconds, a.ready, a.at_ms]
        for a in answers
    ]


def given_from(kept: Iterable[list[Any]]) -> tuple[Given, ...]:
    """Answers from their stored form."""
    return tuple(Given(position, _SAYS[says], *rest) for position, says, *rest in kept)
