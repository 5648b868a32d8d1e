"""Asks (requests for human answers), and the tasks that contain them, in MongoDB.

Only open asks are separate documents, with the fields that make two asks equal as their `_id`. A task contains full
copies of its asks; the open asks are deleted when all their votes are in.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from pymongo import DESCENDING, ReturnDocument

from thresher.records import Ask, NewAsk, NewTask, Purpose, Task
from thresher.store.contract import Asks, Rows
from thresher.store.conversions import ask_line, ask_of, names_of, task_fields, task_of
from thresher.store.kinds import ASK
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.images import here_rows
from thresher.store.mongo.link import Document, Link, Part, Session, at_most, batches, key, span
from thresher.store.mongo.numbers import count_on, move, read_counts, take_numbers
from thresher.store.rules import fits_a_task, no_such_task, plain, shown_twice, still_wanted
from thresher.store.shapes import Named

CHUNK: Final = 1000
ORDER: Final = [("priority", DESCENDING), ("draw", 1), ("number", 1)]


@plain_failures
class MongoAsks(Part, Asks):
    """Wishes for human answers, and the tasks that carry them."""

    def wish(self, category: str, version: int, asks: Sequence[NewAsk]) -> int:
        here_rows(self.link, [int(ask.row) for ask in asks])
        new = 0
        for some in batches(asks, CHUNK):
            new += self.link.transact(lambda session: self._wish(category, version, some, session))  # noqa: B023 -- called here and now
        return new

    def _wish(self, category: str, version: int, given: Sequence[NewAsk], session: Session) -> int:
        # within the transaction: two that ask at once meet in this document, and the later sees what the first stored
        number = take_numbers(self.link, "ask", len(given), session=session) + 1
        asks = self._still_wanted(category, version, given, session)
        table = self.link.table("asks")
        made: dict[tuple[int, str, int, int], Document] = {}
        for at, ask in enumerate(asks, number):
            one = ask_document(category, ASK.named(ask_line(at, version, ask)), {"waiting": True})
            made.setdefault((int(ask.row), ask.purpose.value, ask.epoch, ask.part), one)
        wanted = {"_id": {"$in": [one["_id"] for one in made.values()]}}
        for there in table.find(wanted, {"_id": 1}, session=session):
            del made[_alike(there["_id"])]
        if made:
            table.insert_many(list(made.values()), session=session)
            purposes = Counter(purpose for _, purpose, _, _ in made)
            counted = {(f"asks:{version}", purpose): n for purpose, n in purposes.items()}
            count_on(self.link, category, counted, session, moves=["asks"])
        return len(made)

    def _still_wanted(self, category: str, version: int, asks: Sequence[NewAsk], session: Session) -> Sequence[NewAsk]:
        """Those whose rows have no open ask and no votes that their asker has not seen."""
        rows = sorted({int(ask.row) for ask in asks if ask.votes_seen is not None})
        if not rows:
            return asks
        on = {"_id.category": category, "_id.version": version, "_id.row": {"$in": rows}}
        votes = Counter(one["_id"]["row"] for one in self.link.table("votes").find(on, {"_id": 1}, session=session))
        open_on = {"$or": [span(category=category, version=version, row=row) for row in rows]}
        there: dict[int, set[tuple[str, int, int]]] = {row: set() for row in rows}
        for one in self.link.table("asks").find(open_on, {"_id": 1}, session=session):
            row, purpose, epoch, part = _alike(one["_id"])
            there[row].add((purpose, epoch, part))
        wanted = []
        for ask in asks:
            if still_wanted(ask, votes[int(ask.row)], there.get(int(ask.row), ())):
                wanted.append(ask)
                there.setdefault(int(ask.row), set()).add((ask.purpose.value, ask.epoch, ask.part))
        return wanted

    def waiting(self, category: str, version: int, limit: int, *, owner_only: bool = False) -> list[Ask]:
        wanted = {"category": category, "version": version, "owner_only": owner_only, "waiting": True}
        found = self.link.table("asks").find(wanted).sort(ORDER)
        return [_ask(_copy(one, None)) for one in at_most(found, limit)]

    def open_counts(self, category: str, version: int) -> dict[str, int]:
        return read_counts(self.link, category).get(f"asks:{version}", {})

    def open_rows(self, category: str, version: int, purposes: Collection[Purpose] = tuple(Purpose)) -> Rows:
        found = self.link.table("asks").find(span(category=category, version=version), {"_id": 1})
        rows = (one["_id"]["row"] for one in found if one["_id"]["purpose"] in purposes)
        return np.unique(np.fromiter(rows, dtype=np.int64))

    def publish(self, category: str, version: int, task: NewTask) -> Task | None:
        wanted = plain(task.asks)
        fits_a_task(task)

        def publish(session: Session) -> Task | None:
            table = self.link.table("asks")
            waiting = {"number": {"$in": wanted}, "category": category, "version": version, "waiting": True}
            found = {one["number"]: one for one in table.find(waiting, session=session)}
            if len(found) != len(set(wanted)):
                return None
            carried = [found[number] for number in wanted]
            if len({one["_id"]["row"] for one in carried}) != len(carried):
                raise shown_twice(task)
            made = take_numbers(self.link, "task", 1, session=session) + 1
            document = {"_id": made, "category": category, **task_fields(task, version), "free": task.places}
            document["rows"] = [one["_id"]["row"] for one in carried]
            document["asks"] = [_copy(one, made) for one in carried]
            self.link.table("tasks").insert_one(document, session=session)
            bound = {"$set": {"task": made}, "$unset": {"waiting": ""}}
            table.update_many({"_id": {"$in": [one["_id"] for one in carried]}}, bound, session=session)
            count_on(self.link, category, {("tasks_open", ""): 1}, session, moves=["asks"])
            return task_in(document)

        return self.link.transact(publish)

    def withdraw(self, number: int) -> bool:
        def withdraw(session: Session) -> bool:
            free = {"_id": int(number), "taken": 0, "done": 0, "free": {"$gt": 0}}
            empty = {"$set": {"places": 0, "free": 0, "rows": [], "asks": []}}
            gone = self.link.table("tasks").find_one_and_update(free, empty, {"category": 1}, session=session)
            if gone is not None:
                waits = {"$set": {"waiting": True}, "$unset": {"task": ""}}
                self.link.table("asks").update_many({"task": int(number)}, waits, session=session)
                count_on(self.link, gone["category"], {("tasks_open", ""): -1}, session, moves=["asks"])
            return gone is not None

        return self.link.transact(withdraw)

    def task(self, number: int) -> Task:
        return task_in(self._task(number, {"asks": 0}))

    def _task(self, number: int, fields: dict[str, int]) -> Document:
        found = self.link.table("tasks").find_one({"_id": int(number)}, fields)
        if found is None:
            raise no_such_task(number)
        return found

    def tasks(self, category: str, after_number: int, limit: int) -> list[Task]:
        wanted = {"category": category, "_id": {"$gt": after_number}}
        found = self.link.table("tasks").find(wanted, {"asks": 0}).sort("_id", 1)
        return [task_in(one) for one in at_most(found, limit)]

    def close(self, number: int) -> bool:
        def close(session: Session) -> bool:
            free = {"_id": int(number), "free": {"$gt": 0}}
            no_more = [{"$set": {"places": "$taken", "free": 0}}]
            table = self.link.table("tasks")
            closed = table.find_one_and_update(free, no_more, return_document=ReturnDocument.AFTER, session=session)
            if closed is not None:
                move(self.link, closed["category"], ["asks"], session)
            if closed is not None and closed["done"] == closed["places"]:
                end_asks(self.link, closed, session)
            return closed is not None

        return self.link.transact(close)

    def untaken(
        self, category: str, version: int, limit: int, *, owner_only: bool = False, partly: bool = False
    ) -> list[Task]:
        of = {"category": category, "version": version, "owner_only": owner_only}
        wanted = {**of, "free": {"$gt": 0}, **({} if partly else {"taken": 0})}
        found = self.link.table("tasks").find(wanted, {"asks": 0}).sort("_id", 1)
        return [task_in(one) for one in at_most(found, limit)]

    def of_task(self, number: int) -> list[Ask]:
        return [_ask(one) for one in self._task(number, {"asks": 1})["asks"]]


def end_asks(link: Link, task: Document, session: Session) -> None:
    """End the asks of a task whose places are all done, and update the counters."""
    link.table("asks").delete_many({"task": task["_id"]}, session=session)
    closed = Counter(one["purpose"] for one in task["asks"])
    moved = {(f"asks:{task['version']}", purpose): -n for purpose, n in closed.items()}
    count_on(link, task["category"], {**moved, ("tasks_open", ""): -1}, session)


def ask_document(category: str, ask: Named, where: Document) -> Document:
    """The document of an open ask: its `_id` is what makes two asks equal; `where` it waits or is in a task."""
    alike = {name: ask[name] for name in ("version", "row", "purpose", "epoch")}
    if ask["part"]:  # the first part is named as asks were before there were parts
        alike["part"] = ask["part"]
    return {
        "_id": key(category=category, **alike),
        "number": ask["id"],
        "category": category,
        **{name: ask[name] for name in ("version", "owner_only", "votes_wanted", "priority", "draw", "part")},
        **where,
    }


def _alike(name: Document) -> tuple[int, str, int, int]:
    return name["row"], name["purpose"], name["epoch"], name.get("part", 0)


def _copy(one: Document, task: int | None) -> Document:
    """An ask as its task stores it: the fields of the record."""
    there = {**one, **one["_id"], "id": one["number"], "task": task}
    return {name: there[name] for name in names_of(Ask)}


def _ask(copy: Document) -> Ask:
    return ask_of([copy[name] for name in names_of(Ask)])


def task_in(one: Document) -> Task:
    """The Task in a document."""
    return task_of([one["_id"], *(one[name] for name in names_of(Task, "number"))])
