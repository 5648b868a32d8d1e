"""Assignments in MongoDB: leases on tasks, drafts apart from final answers.

Two processes that must not take the same thing write to the same document in a transaction: a task's free places, and
the desk at which a worker holds one assignment. MongoDB lets one of the transactions pass and the other is repeated.
"""

import random
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
from bson import Binary
from pymongo import ReturnDocument

from thresher.records import Assignment, Dealt, Given, Review, Stage, Task
from thresher.store.contract import UNBOUNDED, Bounds, Rows, Work
from thresher.store.conversions import fresh_assignment, given_to, sent_line
from thresher.store.kinds import REVIEW
from thresher.store.mongo import reviews
from thresher.store.mongo.asks import task_in
from thresher.store.mongo.assignments import (
    HIDDEN,
    desk,
    drafts_of,
    end_lease,
    let_go,
    load,
    move_stage,
    record_of,
    review_in,
)  # fmt: skip
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.link import Document, Link, Part, Session, key, span
from thresher.store.mongo.numbers import count_on, read_counts
from thresher.store.rules import (
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

EXPIRED_AT_ONCE: Final = 100
# whoever lost a task to another transaction looks at so many, so that a crowd does not queue for one
CHOICE: Final = 16
LOOKED_AT: Final = 16
ASSIGNMENTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A task that a worker, the first of some people, could take; its images fit into the answers that are left."""

    category: str
    version: int
    owner: bool
    people: tuple[str, ...]
    left: int | None
    bounds: Bounds


@plain_failures
class MongoWork(Part, Work):
    """Leases on tasks, drafts apart from final answers, reviews."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        # by category: of those who take from a limited number of answers only one can pass, and the others try again
        self._in_turn: dict[str, threading.Lock] = {}

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
        self._expire(now_ms)
        tries = 0

        def take(session: Session) -> Document | None:
            nonlocal tries
            tries += 1
            held = self._held(category, version, worker, session)
            if held is not None:
                return load(self.link, held, session)
            if not self._may_hold_more(worker, bounds, session, taking=True):
                return None
            left = self._answers_left(category, session)
            if left is not None:
                self._in_turn.setdefault(category, threading.Lock())
            wanted = Wanted(category, version, owner, (worker, *bounds.alike), left, bounds)
            task = self._next_task(wanted, session, choice=1 if tries == 1 else CHOICE)
            if task is None:
                return None
            fresh = fresh_assignment(task["_id"], version, worker, owner=owner, now_ms=now_ms, lease_ms=lease_ms)
            return self._lease(task, fresh, wanted, session)

        with self._in_turn.get(category) or nullcontext():
            found = self.link.transact(take)
        return record_of(found) if found else None

    def offer(
        self, category: str, version: int, worker: str, *, owner: bool, bounds: Bounds = UNBOUNDED
    ) -> Task | None:
        def offer(session: Session) -> Document | None:
            held = self._held(category, version, worker, session)
            if held is None:
                left = self._answers_left(category, session)
                wanted = Wanted(category, version, owner, (worker, *bounds.alike), left, bounds)
                may = self._may_hold_more(worker, bounds, session)
                return self._next_task(wanted, session, choice=1) if may else None
            number = load(self.link, held, session)["task"]
            return self.link.table("tasks").find_one({"_id": number}, {"asks": 0}, session=session)

        found = self.link.transact(offer)
        return task_in(found) if found else None

    def _held(self, category: str, version: int, worker: str, session: Session) -> str | None:
        wanted = {"_id": key(category=category, version=version, worker=worker)}
        found = self.link.table("desks").find_one(wanted, session=session)
        return found["assignment"] if found else None

    def _may_hold_more(self, worker: str, bounds: Bounds, session: Session, *, taking: bool = False) -> bool:
        """Whether a worker and those alike hold fewer assignments than they may."""
        if not bounds.open_most:
            return True
        people = sorted({worker, *bounds.alike})
        for one in people if taking else ():
            # whoever takes another one at the same time writes here too, and comes after this transaction
            person = {"_id": key(worker=one)}
            self.link.table("desks").update_one(person, {"$inc": {"taken": 1}}, upsert=True, session=session)
        held = {"worker": {"$in": people}, "stage": Stage.LEASED.value}
        return self.link.table("assignments").count_documents(held, session=session) < bounds.open_most

    def _answers_left(self, category: str, session: Session) -> int | None:
        """How many answers may still be reserved; None where there is no limit."""
        table = self.link.table("categories")
        found = table.find_one({"_id": category}, {"targets": 1}, session=session) or {"targets": {}}
        most: int | None = found["targets"].get("answers")
        if most is None:
            return None
        counted = read_counts(self.link, category, session)
        return answers_left(most, {kind: counted.get(kind, {}).get("", 0) for kind in SPENT})

    def _next_task(self, who: Wanted, session: Session, *, choice: int) -> Document | None:
        """The lowest free task without an image that these were asked about before, or any of the `choice` lowest."""
        own, asked = self._asked(who.category, who.people, session)
        most = most_asked(who.left, who.bounds)
        for owner_only in (True, False) if who.owner else (False,):
            # one's own tasks are left out by the index alone: a worker who has done hundreds does not read them again
            wanted = {
                "category": who.category, "version": who.version, "owner_only": owner_only, "free": {"$gt": 0},
                "_id": {"$nin": own},
            }  # fmt: skip
            if least := who.bounds.least:
                large = {f"rows.{least - 1}": {"$exists": True}}
                wanted["$or"] = [large, {"published_ms": {"$lte": who.bounds.small_until_ms}}]
            found = self.link.table("tasks").find(wanted, {"asks": 0}, session=session, batch_size=LOOKED_AT)
            fit = (one for one in found.sort("_id", 1) if len(one["rows"]) <= most)
            free = (one for one in fit if not np.isin(one["rows"], asked).any())
            if fitting := list(islice(free, choice)):
                return random.choice(fitting)  # noqa: S311 -- it only keeps workers apart
        return None

    def _asked(self, category: str, people: Sequence[str], session: Session | None = None) -> tuple[list[int], Rows]:
        """The tasks that workers hold or have sent, and their rows; without those whose lease has ended."""
        wanted = {"worker": {"$in": list(people)}, "category": category, "asked": {"$exists": True}}
        table = self.link.table("assignments")
        found = list(table.find(wanted, {"task": 1, "asked": 1}, session=session, batch_size=ASSIGNMENTS))
        rows = b"".join(one["asked"] for one in found)
        return [one["task"] for one in found], np.unique(np.frombuffer(rows, dtype="<i8")).astype(np.int64)

    def _lease(self, task: Document, fresh: Document, who: Wanted, session: Session) -> Document:
        made = {"_id": fresh.pop("id"), **fresh, "category": task["category"], "dealt": [], "answers": []}
        made["reserved"] = reserved_for(len(task["rows"]), who.bounds)
        made["asked"] = Binary(np.array(task["rows"], dtype="<i8").tobytes())
        self.link.table("tasks").update_one({"_id": task["_id"]}, {"$inc": {"taken": 1, "free": -1}}, session=session)
        self.link.table("desks").insert_one({"_id": desk(made), "assignment": made["_id"]}, session=session)
        self.link.table("assignments").insert_one(made, session=session)
        count_on(self.link, made["category"], {("assignments", made["stage"]): 1}, session, moves=["asks"])
        # of two who take from a limited number of answers, the second reads what the first has left
        slot = None if who.left is None else 0
        count_on(self.link, made["category"], {("reserved", ""): made["reserved"]}, session, slot)
        return made

    def set_dealt(self, assignment: str, dealt: Sequence[Dealt]) -> Assignment:
        fixed = {"dealt": [[int(place.row), place.ask] for place in dealt], "reserved": len(dealt)}

        def set_dealt(session: Session) -> Document:
            one = load(self.link, assignment, session)
            if one["dealt"]:
                return one
            task = self.link.table("tasks").find_one({"_id": one["task"]}, {"asks.id": 1}, session=session)
            may_be_dealt(record_of(one), dealt, [ask["id"] for ask in (task or {"asks": []})["asks"]])
            self.link.table("assignments").update_one({"_id": assignment}, {"$set": fixed}, session=session)
            changes = {("reserved", ""): len(dealt) - one["reserved"]}
            count_on(self.link, one["category"], changes, session, moves=["asks"])
            return {**one, **fixed}

        return record_of(self.link.transact(set_dealt))

    def get(self, assignment: str) -> Assignment:
        return record_of(load(self.link, assignment))

    def seen_gold(self, category: str, worker: str, *, before: str | None = None) -> Rows:
        seen: dict[int, int] = {}
        wanted: Document = {"worker": worker, "category": category}
        if before is not None:
            wanted["_id"] = {"$lt": before}
        for one in self.link.table("assignments").find(wanted, {"dealt": 1, "dealt_ms": 1}):
            for row, ask in one["dealt"]:
                if ask is None:
                    seen[row] = max(one["dealt_ms"], seen.get(row, 0))
        return np.array(sorted(seen, key=lambda row: (seen[row], row)), dtype=np.int64)

    def asked(self, category: str, *workers: str) -> Rows:
        return self._asked(category, workers)[1]

    def draft(
        self, assignment: str, given: Sequence[Given], *, sequence: int, now_ms: int, lease_ms: int
    ) -> Assignment:
        while True:
            one = load(self.link, assignment)
            there = record_of(one)
            may_be_drafted(there, given, now_ms)
            made = drafted(there, given, drafts_of(one), sequence=sequence, now_ms=now_ms, lease_ms=lease_ms)
            # one document, compared and changed at once: no other post or sending comes between
            seen = {"_id": assignment, "stage": Stage.LEASED.value, "sequence": one["sequence"]}
            seen |= {f"drafts.{held.position}": one.get("drafts", {}).get(str(held.position)) for held in made.kept}
            kept = {f"drafts.{held.position}": given_to([held])[0] for held in made.kept}
            changes = {"lease_until_ms": made.lease_until_ms, "sequence": made.sequence, **kept}
            # the mark's part of an open lease is in its own document: a second write for each draft would cost a commit
            update = {"$set": changes, "$inc": {"drafted": 1}}
            found = self._changed({**seen, "lease_until_ms": one["lease_until_ms"]}, update)
            if found is not None:
                return record_of(found)

    def _changed(self, wanted: Document, update: Document) -> Document | None:
        table = self.link.table("assignments")
        return table.find_one_and_update(wanted, update, projection=HIDDEN, return_document=ReturnDocument.AFTER)

    def drafts(self, assignment: str) -> tuple[int, list[Given]]:
        return drafts_of(load(self.link, assignment))

    def send(self, assignment: str, answers: Sequence[Given], now_ms: int) -> Assignment:
        def send(session: Session) -> Document:
            one = load(self.link, assignment, session)
            there = record_of(one)
            ordered = to_be_sent(there, answers, now_ms, drafts_of(one)[1])
            if ordered is None:
                return one
            let_go(self.link, one, session)
            changes = {"$set": sent_line(there, ordered, now_ms), "$unset": {"drafts": ""}}
            moved = answer_counters([ask for _, ask in one["dealt"]], owner=one["owner"])
            count_on(self.link, one["category"], {(name, ""): by for name, by in moved.items()}, session)
            return move_stage(self.link, one, Stage.SENT, changes, session)

        return record_of(self.link.transact(send))

    def give_back(self, assignment: str, now_ms: int) -> None:  # noqa: ARG002 -- a store may note when
        self._end(assignment, Stage.RETURNED, None)

    def expire(self, now_ms: int) -> int:
        return self._expire(now_ms)

    def _expire(self, now_ms: int) -> int:
        over = {"stage": Stage.LEASED.value, "lease_until_ms": {"$lte": now_ms}}
        ended = 0
        while found := list(self.link.table("assignments").find(over, {"_id": 1}).limit(EXPIRED_AT_ONCE)):
            ended += sum(self._end(one["_id"], Stage.EXPIRED, now_ms) for one in found)
        return ended

    def _end(self, assignment: str, stage: Stage, over_by_ms: int | None) -> bool:
        """End a lease; with `over_by_ms` only if it is still expired (not renewed). Returns whether it did."""

        def end(session: Session) -> bool:
            one = load(self.link, assignment, session)
            if one["stage"] != Stage.LEASED.value or (over_by_ms is not None and one["lease_until_ms"] > over_by_ms):
                return False
            end_lease(self.link, one, stage, session)
            return True

        return self.link.transact(end)

    def unreviewed(self, category: str) -> list[Assignment]:
        return self._found(category, {"stage": Stage.SENT.value}, [("sent_ms", 1), ("_id", 1)])

    def review(self, assignment: str, review: Review) -> Assignment:
        return record_of(self.link.transact(lambda session: reviews.record(self.link, assignment, review, session)))

    def judge_again(self, assignment: str, review: Review, *, after: int, votes: bool) -> Assignment:
        def again(session: Session) -> Document:
            return reviews.again(self.link, load(self.link, assignment, session), review, after, votes, session)

        return record_of(self.link.transact(again))

    def reviews(self, assignment: str) -> list[Review]:
        about = load(self.link, assignment)
        wanted = span(category=about["category"], assignment=assignment)
        return [review_in(one) for one in self.link.table(REVIEW.collection).find(wanted).sort("_id", 1)]

    def page(self, category: str, after: str, limit: int) -> list[Assignment]:
        return self._found(category, {"_id": {"$gt": after}}, [("_id", 1)], limit) if limit else []

    def of_worker(self, worker: str, task: int | None = None) -> list[Assignment]:
        wanted: Document = {"worker": worker} if task is None else {"worker": worker, "task": task}
        found = self.link.table("assignments").find(wanted, HIDDEN).sort("_id", -1)
        return [record_of(one) for one in found]

    def _found(self, category: str, wanted: Document, order: Any, limit: int = 0) -> list[Assignment]:  # noqa: ANN401 -- as pymongo takes it
        found = self.link.table("assignments").find({"category": category, **wanted}, HIDDEN).sort(order).limit(limit)
        return [record_of(one) for one in found]
