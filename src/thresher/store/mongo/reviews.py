"""What a review changes: which answers count, which asks have all theirs, which places are free again."""

from collections import Counter

from pymongo import ReturnDocument

from thresher.records import Assignment, Review, Stage
from thresher.store.mongo.assignments import assignment_of, free_place, load, move_stage, review_to
from thresher.store.mongo.link import Document, Link, Session, key
from thresher.store.mongo.numbers import count_on
from thresher.store.rules import may_be_reviewed


def record(link: Link, assignment: str, review: Review, session: Session) -> Document:
    """Record a decision about a sent assignment; one that has a decision keeps it."""
    one = load(link, assignment, session)
    there = assignment_of(one)
    if not may_be_reviewed(there, review):
        return one
    if review.verdict is Stage.REJECTED:
        free_place(link, there.task, session)
    else:
        _count_votes(link, there, review.weight, session)
        _finish_place(link, there, session)
    return move_stage(link, one, review.verdict, {"$set": {"review": review_to(review)}}, session)


def _count_votes(link: Link, assignment: Assignment, weight: float, session: Session) -> None:
    task = link.table("tasks").find_one({"_id": assignment.task}, {"asks": 1}, session=session) or {"asks": []}
    asks = {one["id"]: one for one in task["asks"]}
    of = {"category": assignment.category, "version": assignment.version}
    votes: list[Document] = []
    gold: list[Document] = []
    for dealt, answer in zip(assignment.dealt, assignment.answers, strict=True):
        if dealt.ask is None:
            name = key(**of, row=dealt.row, worker=assignment.worker, assignment=assignment.id)
            gold.append({"_id": name, "says": answer.says.value})
        else:
            ask = asks[dealt.ask]
            votes.append(
                {
                    "_id": key(**of, row=ask["row"], at_ms=assignment.sent_ms, assignment=assignment.id),
                    "worker": assignment.worker,
                    "says": answer.says.value,
                    "purpose": ask["purpose"],
                    "weight": float(weight),
                    "epoch": ask["epoch"],
                    "draw": ask["draw"],
                }
            )
    for table, made in (("votes", votes), ("gold_answers", gold)):
        if made:
            link.table(table).insert_many(made, session=session)


def _finish_place(link: Link, assignment: Assignment, session: Session) -> None:
    """One more place of the task is done; with the last one its asks have all their votes."""
    task = link.table("tasks").find_one_and_update(
        {"_id": assignment.task}, {"$inc": {"done": 1}}, return_document=ReturnDocument.AFTER, session=session
    )
    if task is None or task["done"] < task["places"]:
        return
    link.table("asks").delete_many({"task": assignment.task}, session=session)
    closed = Counter(one["purpose"] for one in task["asks"])
    kind = f"asks:{assignment.version}"
    count_on(link, assignment.category, {(kind, purpose): -n for purpose, n in closed.items()}, session)
    count_on(link, assignment.category, {("tasks_open", ""): -1}, session)
