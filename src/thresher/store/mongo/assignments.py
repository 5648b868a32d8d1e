"""Assignments in MongoDB: documents, and changes from one stage to the next within a transaction."""

from pymongo import ReturnDocument

from thresher.records import Assignment, Given, Review, Stage
from thresher.store.contract import Part
from thresher.store.conversions import assignment_of, given_from, names_of, review_of
from thresher.store.mongo.link import Document, Link, Session, key
from thresher.store.mongo.numbers import count_on
from thresher.store.rules import no_such_assignment

_REVIEW = names_of(Review)
_OWN = names_of(Assignment, "id", "review")
# what an assignment's record has no room for
HIDDEN = {"asked": 0, "drafts": 0}


def load(link: Link, assignment: str, session: Session | None = None) -> Document:
    """The document of an assignment. Raises NotFound."""
    found = link.table("assignments").find_one({"_id": assignment}, session=session)
    if found is None:
        raise no_such_assignment(assignment)
    return found


def record_of(one: Document) -> Assignment:
    """The Assignment in a document, which has a copy of the review in force."""
    own = [one["_id"], *(one[name] for name in _OWN)]
    return assignment_of(own, review_in(one["review"]) if "review" in one else None)


def drafts_of(one: Document) -> tuple[int, list[Given]]:
    """The last sequence number in a document, and its drafts by position."""
    return one["sequence"], sorted(given_from(one.get("drafts", {}).values()), key=lambda given: given.position)


def review_in(one: Document) -> Review:
    """The Review in its document, or in the copy that its assignment has."""
    return review_of([one[name] for name in _REVIEW])


def move_stage(link: Link, one: Document, stage: Stage, changes: Document, session: Session) -> Document:
    """Put an assignment into its next stage, with other changes, and update the counters; returns it as changed.

    Only a lease reserves answers.
    """
    update = {**changes, "$set": {**changes.get("$set", {}), "stage": stage.value, "reserved": 0}}
    after = link.table("assignments").find_one_and_update(
        {"_id": one["_id"]}, update, return_document=ReturnDocument.AFTER, session=session
    )
    if after is None:
        raise no_such_assignment(one["_id"])
    if stage != one["stage"]:
        moved = {("assignments", one["stage"]): -1, ("assignments", stage.value): 1}
        moved["reserved", ""] = -one["reserved"]
        # what its drafts have moved goes on to the category's mark, which so never falls, and its end is one more
        ended = one["stage"] == Stage.LEASED.value
        drafts: list[Part] = ["drafts"] * (one.get("drafted", 0) + 1 if ended else 0)
        count_on(link, one["category"], moved, session, moves=["asks", *drafts])
    return after


def end_lease(link: Link, one: Document, stage: Stage, session: Session) -> None:
    """Delete the drafts of a lease, keeping their number, and free its place; the worker may be asked again."""
    free_place(link, one["task"], session)
    let_go(link, one, session)
    changes = {"$set": {"drafts_erased": len(one.get("drafts", {}))}, "$unset": {"drafts": "", "asked": ""}}
    move_stage(link, one, stage, changes, session)


def free_place(link: Link, task: int, session: Session) -> None:
    """Free a place in a task for another worker."""
    link.table("tasks").update_one({"_id": task}, {"$inc": {"taken": -1, "free": 1}}, session=session)


def desk(one: Document) -> Document:
    """The key of a worker's desk, a document that allows one assignment at a time."""
    return key(category=one["category"], version=one["version"], worker=one["worker"])


def let_go(link: Link, one: Document, session: Session) -> None:
    """Mark the worker's desk as free."""
    link.table("desks").delete_one({"_id": desk(one), "assignment": one["_id"]}, session=session)
