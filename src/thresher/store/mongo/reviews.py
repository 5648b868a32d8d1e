"""The effects of a review: which answers count, which asks have all their votes, which places are free again."""

from dataclasses import asdict

from pymongo import ReturnDocument

from thresher.records import Assignment, Review, Stage
from thresher.store.conversions import review_line
from thresher.store.kinds import REVIEW
from thresher.store.mongo.asks import end_asks
from thresher.store.mongo.assignments import free_place, load, move_stage, record_of
from thresher.store.mongo.lines import document, insert
from thresher.store.mongo.link import Document, Link, Session, key, span
from thresher.store.rules import may_be_judged_again, may_be_reviewed


def record(link: Link, assignment: str, review: Review, session: Session) -> Document:
    """Record a decision on a sent assignment; if there is one already, it stays."""
    one = load(link, assignment, session)
    there = record_of(one)
    if not may_be_reviewed(there, review):
        return one
    if review.verdict is Stage.REJECTED:
        free_place(link, there.task, session)
    else:
        _count_votes(link, there, review.weight, session)
        _finish_place(link, there, session)
    return append(link, one, review, session)


def again(link: Link, one: Document, review: Review, after: int, votes: bool, session: Session) -> Document:
    """Add a decision if there are `after` of them; with `votes` the answers count as it says."""
    there = record_of(one)
    of = span(category=there.category, assignment=there.id)
    if not may_be_judged_again(
        there, review, after, link.table(REVIEW.collection).count_documents(of, session=session)
    ):
        return one
    if votes:
        _weigh_votes(link, there, review, session)
    return append(link, one, review, session)


def _weigh_votes(link: Link, there: Assignment, review: Review, session: Session) -> None:
    of = {"category": there.category, "version": there.version}
    asked = [place.row for place in there.dealt if place.ask is not None]
    cast = [key(**of, row=row, at_ms=there.sent_ms, assignment=there.id) for row in asked]
    if review.verdict is not Stage.REJECTED:
        weight = {"$set": {"weight": float(review.weight)}}
        link.table("votes").update_many({"_id": {"$in": cast}}, weight, session=session)
        return
    hidden = [place.row for place in there.dealt if place.ask is None]
    gold = [key(**of, row=row, worker=there.worker, assignment=there.id) for row in hidden]
    link.table("gold_answers").delete_many({"_id": {"$in": gold}}, session=session)
    if link.table("votes").delete_many({"_id": {"$in": cast}}, session=session).deleted_count:
        unfinished = {"_id": there.task, "$expr": {"$lt": ["$done", "$places"]}}
        freed = {"$inc": {"done": -1, "taken": -1, "free": 1}}
        link.table("tasks").update_one(unfinished, freed, session=session)


def append(link: Link, one: Document, review: Review, session: Session) -> Document:
    """Add a further decision on an assignment, which is then in force, and nothing else; returns the document."""
    number = 1
    if "review" in one:
        earlier = span(category=one["category"], assignment=one["_id"])
        newest = link.table(REVIEW.collection).find_one(earlier, {"_id": 1}, sort=[("_id", -1)], session=session)
        number += newest["_id"]["number"] if newest else 1
    made = document(link, REVIEW, one["category"], review_line(record_of(one), number, review))
    insert(link, REVIEW, one["category"], [made], session)
    copy = REVIEW.kept(asdict(review))
    return move_stage(link, one, review.verdict, {"$set": {"review": copy}}, session)


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
    """Finish one more place of the task; after the last one its asks have all their votes."""
    task = link.table("tasks").find_one_and_update(
        {"_id": assignment.task}, {"$inc": {"done": 1}}, return_document=ReturnDocument.AFTER, session=session
    )
    if task is not None and task["done"] == task["places"]:
        end_asks(link, task, session)
