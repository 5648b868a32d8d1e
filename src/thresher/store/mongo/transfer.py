"""Reading and writing the MongoDB store's lines (store/kinds.py), to copy a workspace.

The key of a line is the `_id` of a document, whole or after its category; the other fields are the document's own.
Kinds for which this does not hold have functions of their own, in the tables at the end.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
from bson import Binary, Int64

from thresher.errors import Conflict
from thresher.records import Question, Refusal, Review, Stage
from thresher.store.contract import PARTS, Transfer
from thresher.store.conversions import names_of, new_image_of
from thresher.store.findings import named
from thresher.store.kinds import ASK_FIELDS, IMAGE, REVIEW
from thresher.store.mongo import image_log, recount
from thresher.store.mongo.asks import ask_document
from thresher.store.mongo.categories import refusal_document
from thresher.store.mongo.failures import plain_failures, steadily
from thresher.store.mongo.images import alike, image_document
from thresher.store.mongo.lines import beyond, document, having, line_of, replacing
from thresher.store.mongo.link import Document, Link, Session, among, batches, key, span
from thresher.store.mongo.names import STORED
from thresher.store.mongo.numbers import WORKSPACE, move
from thresher.store.mongo.originals import Originals
from thresher.store.mongo.schema import WORKSPACE as WORKSPACE_TABLE
from thresher.store.rules import ALIKE_MOST, hash_key
from thresher.store.shapes import Kind, Kinds, Line, Named

There = dict[str, Any]
"""A line by field, on its way out or in."""
ENDED: Final = (Stage.EXPIRED.value, Stage.RETURNED.value)
# kinds of a category whose _id is not {category, keys}: the field that is the key
FORGOTTEN_AT_ONCE: Final = 1_000
BY_FIELD: Final = {"refusal": "number", "ask": "number", "task": "_id", "assignment": "_id"}
# the next of each number follows from the greatest that is used: the number, where it is used, and the next one
_NUMBERED: Final[tuple[tuple[str, str, list[Document], Any], ...]] = (
    ("row", "images", [{"$match": STORED}], {"$add": ["$row", 1]}),
    ("ask", "asks", [], "$number"),
    ("ask", "tasks", [{"$unwind": "$asks"}], "$asks.id"),
    ("task", "tasks", [], "$_id"),
    ("refusal", "refusals", [], "$number"),
)
# each assignment has a copy of its newest review
_IN_FORCE: Final[list[Document]] = [
    {"$sort": {"_id": 1}},
    {"$group": {"_id": "$_id.assignment", "review": {"$last": {name: f"${name}" for name in names_of(Review)}}}},
    {"$merge": {"into": "assignments", "on": "_id", "whenMatched": "merge", "whenNotMatched": "discard"}},
]


@plain_failures
class MongoTransfer(Transfer):
    """Reads and writes the lines of the MongoDB store."""

    def __init__(self, link: Link, workspace: Document, kinds: Kinds) -> None:
        self.link = link
        self.workspace = workspace
        self.kinds = kinds
        self.originals = Originals(link)

    def lines(self, kind: Kind, category: str, after: Line | None, limit: int) -> list[Line]:
        wanted, order = _range(kind, category, after)
        table = self.link.table(kind.collection)
        found = steadily(lambda: list(table.find(wanted).sort(order, 1).limit(limit)))
        write_out, _ = _BY_HAND.get(kind.name, (None, None))
        lines = (write_out(one) if write_out else line_of(self.link, kind, one, kind.fields) for one in found)
        return [tuple(line[name] for name in kind.names) for line in lines]

    def restore(self, kind: Kind, category: str, lines: Sequence[Line]) -> None:
        _, take_in = _BY_HAND.get(kind.name, (None, None))
        named = map(kind.named, lines)
        writes = replacing(
            take_in(self.link, category, there) if take_in else document(self.link, kind, category, there)
            for there in named
        )

        def restore(session: Session) -> None:
            self.link.table(kind.collection).bulk_write(writes, ordered=False, session=session)
            move(self.link, category, PARTS, session)

        self.link.transact(restore)

    def restore_images(self, lines: Sequence[Line], data: Mapping[str, bytes]) -> None:
        new = {hash_key(line[1]): new_image_of(line, None) for line in lines}
        rows = {name: line[0] for line, name in zip(lines, new, strict=True)}
        self._must_be_theirs(rows)
        self.originals.put({hash_key(name): whole for name, whole in data.items()})
        there = alike(self.link, list({image.fingerprint for image in new.values()} - {""}))
        documents: list[Document] = []
        for line, (name, image) in zip(lines, new.items(), strict=True):
            row, similar, bare = line[0], line[7], line[9]
            compared = there.setdefault(image.fingerprint, [])
            stands = bool(image.fingerprint) and similar == row and (row in compared or len(compared) < ALIKE_MOST)
            if stands and row not in compared:
                compared.append(row)
            documents.append(image_document(row, name, image, similar, bare, alike=stands))
        image_log.note(self.link, rows, {name: image.aliases for name, image in new.items()})
        self.link.table("images").bulk_write(replacing(documents), ordered=False)
        move(self.link, WORKSPACE, PARTS)  # whoever copies, repeats it after a kill in between

    def _must_be_theirs(self, rows: Mapping[bytes, int]) -> None:
        """Raise Conflict if another image has one of these rows: no index of MongoDB would refuse it."""
        there = self.link.table("images").find(
            {"row": {"$in": list(rows.values())}}, {"row": 1}, batch_size=len(rows) + 1
        )
        others = [one["row"] for one in there if rows.get(bytes(one["_id"])) != one["row"]]
        if others:
            raise Conflict(
                f"the target has other images in {len(others)} of the rows that come ({named(sorted(others))}).",
                where=self.link.shown,
                next="copy to a new place",
            )

    def holding(self, hashes: Collection[str]) -> set[str]:
        wanted = among(map(hash_key, hashes))
        found = self.link.table("bytes").find(wanted, {"_id": 1}, batch_size=len(hashes) + 1)
        return {one["_id"].hex() for one in found}

    def clear(self, kind: Kind, category: str) -> None:
        self.link.table(kind.collection).delete_many(_range(kind, category, None)[0])
        if kind.name == "task":
            self.link.table("asks").delete_many({"category": category, "task": {"$exists": True}})
        if kind.name == "assignment":
            self.link.table("desks").delete_many(span(category=category))
        move(self.link, category, PARTS)  # as above

    def forget(self, kind: Kind, category: str, keys: Sequence[Line]) -> None:
        for some in batches(keys, FORGOTTEN_AT_ONCE):
            names = [key(category=category, **kind.keyed(one)) for one in some]

            def forget(session: Session, names: list[Document] = names) -> None:
                self.link.table(kind.collection).delete_many({"_id": {"$in": names}}, session=session)
                move(self.link, category, PARTS, session)

            self.link.transact(forget)

    def amend(self, kind: Kind, category: str, wanted: Sequence[Any], changes: Named) -> None:
        # a list stays one here; the generic kinds keep JSON as text
        kept = kind.kept(changes) if kind.generic else dict(changes)
        name = wanted[0] if kind.name in BY_FIELD else key(category=category, **kind.keyed(wanted))

        def amend(session: Session) -> None:
            self.link.table(kind.collection).update_one({"_id": name}, {"$set": kept}, session=session)
            move(self.link, category, PARTS, session)

        self.link.transact(amend)

    def adopt(self, secret: bytes) -> None:
        self.link.table(WORKSPACE_TABLE).update_one({"_id": WORKSPACE_TABLE}, {"$set": {"secret": Binary(secret)}})
        self.workspace["secret"] = secret

    def settle(self) -> None:
        for name, table, steps, number in _NUMBERED:
            found = self.link.table(table).aggregate([*steps, {"$group": {"_id": None, "next": {"$max": number}}}])
            for newest in found:
                self.link.table("numbers").update_one({"_id": name}, {"$max": {"next": newest["next"]}}, upsert=True)
        self.link.table(REVIEW.collection).aggregate(_IN_FORCE, allowDiskUse=True)
        for counter, kept, there in recount.differences(self.link, self.kinds):
            recount.correct(self.link, counter, there - kept)
        move(self.link, WORKSPACE, PARTS)


def _range(kind: Kind, category: str, after: Line | None) -> tuple[Document, str]:
    """The filter for the lines after a key, and the field that orders them."""
    if kind is IMAGE:
        return {"row": {"$gte": 0} if after is None else {"$gt": after[0]}}, "row"
    if kind.name in BY_FIELD:
        field = BY_FIELD[kind.name]
        wanted: Document = {"category": category} if kind.name != "ask" else {"category": category, "waiting": True}
        return (wanted if after is None else {**wanted, field: {"$gt": after[0]}}), field
    every = having(kind, category, {})
    return (every if after is None else {"$and": [every, beyond(kind, category, kind.keyed(after))]}), "_id"


def _category_line(one: Document) -> There:
    questions = [[asked[name] for name in names_of(Question)] for asked in one["questions"]]
    return {**one, "name": one["_id"], "questions": questions}


def _category(_link: Link, _of: str, there: There) -> Document:
    asked = [dict(zip(names_of(Question), one, strict=True)) for one in there["questions"]]
    return {"_id": there.pop("name"), **there, "questions": asked}


def _image_line(one: Document) -> There:
    row = one["row"]
    further = {"sha256": one["_id"].hex(), "aliases": sorted(map(list, one["aliases"]))}
    return {"bare": "", **one, "similar": one.get("copy_of", row), **further}


def _pool(_link: Link, category: str, there: There) -> Document:
    return {"_id": key(category=category, row=Int64(there.pop("row"))), **there}


def _refusal_line(one: Document) -> There:
    return {**one, "key": one["number"]}


def _refusal(_link: Link, category: str, there: There) -> Document:
    return refusal_document(category, there.pop("key"), Refusal(**there))


def _ask_line(one: Document) -> There:
    return {**one, **one["_id"], "id": one["number"]}


def _ask(_link: Link, category: str, there: There) -> Document:
    return ask_document(category, there, {"waiting": True})


def _task_line(one: Document) -> There:
    return {**one, "number": one["_id"], "asks": [[ask[field] for field in ASK_FIELDS] for ask in one["asks"]]}


def _task(link: Link, category: str, there: There) -> Document:
    number = there.pop("number")
    of_task = {"version": there["version"], "task": number}
    asks = [{**dict(zip(ASK_FIELDS, ask, strict=True)), **of_task} for ask in there.pop("asks")]
    if there["done"] < there["places"]:
        still = [ask_document(category, {**ask, "owner_only": there["owner_only"]}, {"task": number}) for ask in asks]
        link.table("asks").bulk_write(replacing(still), ordered=False)
    else:
        link.table("asks").delete_many({"task": number})
    more = {"rows": [ask["row"] for ask in asks], "asks": asks, "free": there["places"] - there["taken"]}
    return {"_id": number, "category": category, **there, **more}


def _assignment_line(one: Document) -> There:
    drafts = sorted(one.get("drafts", {}).values(), key=lambda given: given[0])
    return {**one, "id": one["_id"], "drafts": drafts}


def _assignment(link: Link, category: str, there: There) -> Document:
    made, drafts = there.pop("id"), there.pop("drafts")
    one: Document = {"_id": made, "category": category, **there}
    if drafts:
        one["drafts"] = {str(given[0]): given for given in drafts}
    if one["stage"] not in ENDED:
        task = link.table("tasks").find_one({"_id": one["task"]}, {"rows": 1}) or {"rows": []}
        one["asked"] = Binary(np.array(task["rows"], dtype="<i8").tobytes())
    desk = key(category=category, version=one["version"], worker=one["worker"])
    held = {"_id": desk, "assignment": made}
    if one["stage"] == Stage.LEASED.value:
        link.table("desks").replace_one({"_id": desk}, held, upsert=True)
    else:
        link.table("desks").delete_one(held)
    return one


Out = Callable[[Document], There]
In = Callable[[Link, str, There], Document]
# how a kind that is written by hand is written out, and taken in
_BY_HAND: Final[Mapping[str, tuple[Out | None, In | None]]] = {
    "category": (_category_line, _category),
    "image": (_image_line, None),
    "pool": (None, _pool),
    "refusal": (_refusal_line, _refusal),
    "ask": (_ask_line, _ask),
    "task": (_task_line, _task),
    "assignment": (_assignment_line, _assignment),
}
