"""How an assignment is kept in MongoDB, and how it moves from one stage to the next within a transaction."""

from collections.abc import Iterable
from dataclasses import asdict

from thresher.errors import NotFound
from thresher.records import Assignment, Dealt, Given, Review, Says, Stage
from thresher.store.mongo.link import Document, Link, Session, key
from thresher.store.mongo.numbers import count_on

# what an assignment's record has no room for
HIDDEN = {"asked": 0, "drafts": 0}


def load(link: Link, assignment: str, session: Session | None = None) -> Document:
    """The document of an assignment. Raises NotFound."""
    found = link.table("assignments").find_one({"_id": assignment}, session=session)
    if found is None:
        raise NotFound(f"no assignment has the id {assignment!r}.")
    return found


def assignment_of(one: Document) -> Assignment:
    """The record of a document."""
    review = one.get("review")
    return Assignment(
        one["_id"], one["task"], one["category"], one["version"], one["worker"], Stage(one["stage"]),
        tuple(Dealt(row, ask) for row, ask in one["dealt"]), one["dealt_ms"], one["lease_until_ms"], one["sent_ms"],
        given_from(one["answers"]), Review(**{**review, "verdict": Stage(review["verdict"])}) if review else None,
        one["drafts_erased"],
    )  # fmt: skip


def move_stage(link: Link, one: Document, stage: Stage, changes: Document, session: Session) -> Document:
    """Put an assignment in its next stage, with other changes, and the counters with it; answers what it is then."""
    update = {**changes, "$set": {**changes.get("$set", {}), "stage": stage.value}}
    link.table("assignments").update_one({"_id": one["_id"]}, update, session=session)
    moved = {("assignments", one["stage"]): -1, ("assignments", stage.value): 1}
    count_on(link, one["category"], moved, session)
    return load(link, one["_id"], session)


def end_lease(link: Link, one: Document, stage: Stage, session: Session) -> None:
    """Erase the drafts of a lease, leaving their number, and free its place; the worker may be asked again."""
    free_place(link, one["task"], session)
    let_go(link, one, session)
    changes = {"$set": {"drafts_erased": len(one.get("drafts", {}))}, "$unset": {"drafts": "", "asked": ""}}
    move_stage(link, one, stage, changes, session)


def free_place(link: Link, task: int, session: Session) -> None:
    """Give a place in a task to somebody else."""
    link.table("tasks").update_one({"_id": task}, {"$inc": {"taken": -1, "free": 1}}, session=session)


def desk(one: Document) -> Document:
    """The name of the desk a worker holds at most one assignment at."""
    return key(category=one["category"], version=one["version"], worker=one["worker"])


def let_go(link: Link, one: Document, session: Session) -> None:
    """The worker's desk is empty again."""
    link.table("desks").delete_one({"_id": desk(one), "assignment": one["_id"]}, session=session)


def given_to(answers: Iterable[Given]) -> list[list[object]]:
    """Answers as documents keep them: lists in the order of the record's fields."""
    return [
        [a.position, a.says.value, a.first_seconds, a.seconds, a.changes, a.visits, a.hidden_seconds, a.ready]
        for a in answers
    ]


def given_from(kept: Iterable[list[object]]) -> tuple[Given, ...]:
    """Answers as documents have kept them."""
    return tuple(Given(one[0], Says(one[1]), *one[2:]) for one in kept)  # type: ignore[arg-type]  # as given_to left them


def review_to(review: Review) -> Document:
    """A review as an assignment's document keeps it."""
    return {**asdict(review), "verdict": review.verdict.value, "weight": float(review.weight)}
