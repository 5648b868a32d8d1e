"""The MongoDB store's lines (store/transfer.py): out of its collections, and into them.

The key of a line is the `_id` of a document, whole or behind its category; the other fields are the document's own.
Where that is not so, a kind has functions of its own, in the tables at the end.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
from bson import Binary, Int64
from pymongo import ReplaceOne, UpdateOne

from thresher.records import Alias, Refusal, Stage
from thresher.store.mongo import recount
from thresher.store.mongo.blobs import get_blob, put_blob
from thresher.store.mongo.categories import refusal_document
from thresher.store.mongo.failures import plain_failures, steadily
from thresher.store.mongo.link import Document, Link, key, span
from thresher.store.mongo.names import add_aliases
from thresher.store.mongo.originals import Originals
from thresher.store.mongo.schema import WORKSPACE as WORKSPACE_TABLE
from thresher.store.rules import hash_key
from thresher.store.transfer import ASK_FIELDS, REVIEW_FIELDS, Kind, Line, Transfer

ENDED: Final = (Stage.EXPIRED.value, Stage.RETURNED.value)
TABLES: Final = {
    "category": "categories", "image": "images", "worker": "workers", "invite": "invites", "job": "jobs",
    "pool": "pool", "refusal": "refusals", "label": "labels", "gold": "gold", "ask": "asks", "task": "tasks",
    "assignment": "assignments", "vote": "votes", "gold_answer": "gold_answers", "round": "rounds",
    "evidence": "evidence", "release": "releases",
}  # fmt: skip
# kinds of a category whose _id is not {category, keys}: the field that is the key
BY_FIELD: Final = {"refusal": "number", "ask": "number", "task": "_id", "assignment": "_id", "release": "_id"}
TRUTHS: Final = {"owner", "cancel", "owner_only"}


@plain_failures
class MongoTransfer(Transfer):
    """How the MongoDB store writes its lines out and takes others in."""

    def __init__(self, link: Link, workspace: Document) -> None:
        self.link = link
        self.workspace = workspace
        self.originals = Originals(link)

    def lines(self, kind: Kind, category: str, after: Line | None, limit: int) -> list[Line]:
        wanted, order = _range(kind, category, after)
        table = self.link.table(TABLES[kind.name])
        found = steadily(lambda: list(table.find(wanted).sort(order, 1).limit(limit)))
        write_out = _OUT.get(kind.name, _line)
        return [write_out(self.link, kind, one) for one in found]

    def restore(self, kind: Kind, category: str, lines: Sequence[Line]) -> None:
        take_in = _IN.get(kind.name, _document)
        documents = [take_in(self.link, kind, category, line) for line in lines]
        writes = [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in documents]
        self.link.table(TABLES[kind.name]).bulk_write(writes, ordered=False)

    def restore_images(self, lines: Sequence[Line], data: Mapping[str, bytes]) -> None:
        self.originals.put({hash_key(name): whole for name, whole in data.items()})
        names: list[ReplaceOne[Document]] = []
        named: list[tuple[Alias, int]] = []
        groups: dict[str, int] = {}
        for line in lines:
            row, sha256, similar, fingerprint, bare, aliases = (line[0], line[1], *line[7:])
            if fingerprint:
                groups[fingerprint] = similar
            name: Document = {"_id": Binary(hash_key(sha256)), "row": row, **({"bare": bare} if bare else {})}
            names.append(ReplaceOne({"_id": name["_id"]}, name, upsert=True))
            named += [(Alias(*pair), row) for pair in aliases]
        self.link.table("names").bulk_write(names)
        add_aliases(self.link, named, None)
        if groups:
            self.link.table("fingerprints").bulk_write(
                [UpdateOne({"_id": one}, {"$set": {"row": row}}, upsert=True) for one, row in groups.items()]
            )
        documents = [_image(line) for line in lines]
        writes = [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in documents]
        self.link.table("images").bulk_write(writes, ordered=False)

    def holding(self, hashes: Collection[str]) -> set[str]:
        wanted = {"_id": {"$in": [Binary(hash_key(name)) for name in hashes]}}
        return {
            one["_id"].hex() for one in self.link.table("bytes").find(wanted, {"_id": 1}, batch_size=len(hashes) + 1)
        }

    def clear(self, kind: Kind, category: str) -> None:
        table = self.link.table(TABLES[kind.name])
        if kind.name == "ask":
            table.delete_many({"category": category, "waiting": True})
        elif not kind.of_category:
            table.delete_many({})
        else:
            table.delete_many({"category": category} if kind.name in BY_FIELD else span(category=category))
        if kind.name == "task":
            self.link.table("asks").delete_many({"category": category, "task": {"$exists": True}})
        if kind.name == "assignment":
            self.link.table("desks").delete_many(span(category=category))

    def adopt(self, secret: bytes) -> None:
        self.link.table(WORKSPACE_TABLE).update_one({"_id": WORKSPACE_TABLE}, {"$set": {"secret": Binary(secret)}})
        self.workspace["secret"] = secret

    def settle(self) -> None:
        newest = {
            "row": self._greatest("images", [{"$group": {"_id": None, "n": {"$max": "$_id"}}}]) + 1,
            "ask": max(
                self._greatest("asks", [{"$group": {"_id": None, "n": {"$max": "$number"}}}]),
                self._greatest("tasks", [{"$unwind": "$asks"}, {"$group": {"_id": None, "n": {"$max": "$asks.id"}}}]),
            ),
            "task": self._greatest("tasks", [{"$group": {"_id": None, "n": {"$max": "$_id"}}}]),
            "refusal": self._greatest("refusals", [{"$group": {"_id": None, "n": {"$max": "$number"}}}]),
        }
        for name, number in newest.items():
            self.link.table("numbers").update_one({"_id": name}, {"$max": {"next": max(number, 0)}}, upsert=True)
        for counter, kept, there in recount.differences(self.link):
            recount.correct(self.link, counter, there - kept)

    def _greatest(self, table: str, steps: list[Document]) -> int:
        return next((int(one["n"]) for one in self.link.table(table).aggregate(steps)), -1)


def _range(kind: Kind, category: str, after: Line | None) -> tuple[Document, str]:
    """The filter for the lines behind a key, and the field that orders them."""
    if not kind.of_category:
        return ({} if after is None else {"_id": {"$gt": after[0]}}), "_id"
    if kind.name in BY_FIELD:
        field = BY_FIELD[kind.name]
        wanted: Document = {"category": category} if kind.name != "ask" else {"category": category, "waiting": True}
        return (wanted if after is None else {**wanted, field: {"$gt": after[0]}}), field
    above = dict(zip(kind.fields, after, strict=False)) if after is not None else None
    return span(category=category, above=above), "_id"


def _line(_link: Link, kind: Kind, one: Document) -> Line:
    one = {**one, **(one["_id"] if isinstance(one["_id"], dict) else {kind.fields[0]: one["_id"]})}
    return tuple(int(value) if isinstance(value := one[field], bool) else value for field in kind.fields)


def _document(_link: Link, kind: Kind, category: str, line: Line) -> Document:
    named = {field: bool(value) if field in TRUTHS else value for field, value in zip(kind.fields, line, strict=True)}
    keys = {field: named.pop(field) for field in kind.fields[: kind.keys]}
    if kind.of_category:
        return {"_id": key(category=category, **keys), **named}
    (made,) = keys.values()
    return {"_id": made, **named}


def _category_line(_link: Link, _kind: Kind, one: Document) -> Line:
    questions = [[asked["text"], asked["instructions"], asked["at_ms"]] for asked in one["questions"]]
    targets = json.dumps(one["targets"], sort_keys=True)
    return (one["_id"], targets, one["exclusive"], one["created_ms"], questions)


def _category(_link: Link, _kind: Kind, _of: str, line: Line) -> Document:
    name, targets, exclusive, created_ms, questions = line
    asked = [dict(zip(("text", "instructions", "at_ms"), one, strict=True)) for one in questions]
    fields = {"targets": json.loads(targets), "exclusive": exclusive, "created_ms": created_ms}
    return {"_id": name, **fields, "questions": asked}


def _image_line(_link: Link, _kind: Kind, one: Document) -> Line:
    return (
        one["_id"], one["sha256"].hex(), one["width"], one["height"], one["format"], one["orientation"], one["bytes"],
        one.get("similar", one["_id"]), one["fingerprint"], one.get("bare", ""), sorted(map(list, one["aliases"])),
    )  # fmt: skip


def _image(line: Line) -> Document:
    row, sha256, width, height, picture_format, orientation, size, similar, fingerprint, bare, aliases = line
    one: Document = {
        "_id": row,
        "sha256": Binary(hash_key(sha256)),
        "width": width,
        "height": height,
        "format": picture_format,
        "orientation": orientation,
        "bytes": size,
        "fingerprint": fingerprint,
        "aliases": aliases,
    }
    return one | ({"bare": bare} if bare else {}) | ({"similar": similar} if similar != row else {})


def _pool(link: Link, kind: Kind, category: str, line: Line) -> Document:
    return _document(link, kind, category, (Int64(line[0]), *line[1:]))


def _refusal_line(_link: Link, _kind: Kind, one: Document) -> Line:
    return (one["number"], one["name"], one["reason"], one["detail"], one["at_ms"])


def _refusal(_link: Link, kind: Kind, category: str, line: Line) -> Document:
    named = dict(zip(kind.fields, line, strict=True))
    refusal = Refusal(**{field: value for field, value in named.items() if field != "key"})
    return refusal_document(category, named["key"], refusal)


def _ask_line(_link: Link, kind: Kind, one: Document) -> Line:
    return _line(_link, kind, {**one, **one["_id"], "_id": one["number"]})


def _ask(_link: Link, kind: Kind, category: str, line: Line) -> Document:
    return _open_ask(category, dict(zip(kind.fields, line, strict=True)), {"waiting": True})


def _open_ask(category: str, ask: Mapping[str, Any], where: Document) -> Document:
    name = key(category=category, version=ask["version"], row=ask["row"], purpose=ask["purpose"], epoch=ask["epoch"])
    return {
        "_id": name,
        "number": ask["id"],
        "category": category,
        "version": ask["version"],
        "owner_only": bool(ask["owner_only"]),
        "votes_wanted": ask["votes_wanted"],
        "priority": ask["priority"],
        "draw": ask["draw"],
        **where,
    }


def _task_line(link: Link, kind: Kind, one: Document) -> Line:
    asks = [[ask[field] for field in ASK_FIELDS] for ask in one["asks"]]
    return _line(link, kind, {**one, "asks": asks})


def _task(link: Link, kind: Kind, category: str, line: Line) -> Document:
    named = dict(zip(kind.fields, line, strict=True))
    number, version, owner_only = named.pop("number"), named["version"], bool(named["owner_only"])
    asks = [
        {**dict(zip(ASK_FIELDS, ask, strict=True)), "version": version, "task": number} for ask in named.pop("asks")
    ]
    if named["done"] < named["places"]:
        still = [_open_ask(category, {**ask, "owner_only": owner_only}, {"task": number}) for ask in asks]
        link.table("asks").bulk_write(
            [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in still], ordered=False
        )
    else:
        link.table("asks").delete_many({"task": number})
    more = {"rows": [ask["row"] for ask in asks], "asks": asks, "free": named["places"] - named["taken"]}
    return {"_id": number, "category": category, **named, "owner_only": owner_only, **more}


def _assignment_line(link: Link, kind: Kind, one: Document) -> Line:
    drafts = sorted(one.get("drafts", {}).values(), key=lambda given: given[0])
    review = [one["review"][field] for field in REVIEW_FIELDS] if "review" in one else None
    if review:
        review = [int(value) if isinstance(value, bool) else value for value in review]
    return _line(link, kind, {**one, "drafts": drafts, "review": review})


def _assignment(link: Link, kind: Kind, category: str, line: Line) -> Document:
    named = dict(zip(kind.fields, line, strict=True))
    made, drafts, review = named.pop("id"), named.pop("drafts"), named.pop("review")
    one: Document = {"_id": made, "category": category, **named, "owner": bool(named["owner"])}
    if drafts:
        one["drafts"] = {str(given[0]): given for given in drafts}
    if review:
        one["review"] = dict(zip(REVIEW_FIELDS, review, strict=True))
        one["review"]["provisional"] = bool(one["review"]["provisional"])
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


def _round_line(link: Link, kind: Kind, one: Document) -> Line:
    return _line(link, kind, {**one, "head": get_blob(link, one["head"])})


def _round(link: Link, kind: Kind, category: str, line: Line) -> Document:
    number, version, record, head = line
    return _document(link, kind, category, (number, version, record, Binary(put_blob(link, head))))


def _evidence_line(link: Link, kind: Kind, one: Document) -> Line:
    return _line(link, kind, {**one, "data": get_blob(link, one["blob"])})


def _evidence(link: Link, _kind: Kind, category: str, line: Line) -> Document:
    epoch, name, data = line
    return {"_id": key(category=category, epoch=epoch, name=name), "blob": Binary(put_blob(link, data))}


def _release(_link: Link, _kind: Kind, category: str, line: Line) -> Document:
    made, record = line
    return {"_id": made, "category": category, "at_ms": json.loads(record)["at_ms"], "record": record}


_OUT: Final[Mapping[str, Callable[[Link, Kind, Document], Line]]] = {
    "category": _category_line,
    "image": _image_line,
    "refusal": _refusal_line,
    "ask": _ask_line,
    "task": _task_line,
    "assignment": _assignment_line,
    "round": _round_line,
    "evidence": _evidence_line,
}
_IN: Final[Mapping[str, Callable[[Link, Kind, str, Line], Document]]] = {
    "category": _category,
    "pool": _pool,
    "refusal": _refusal,
    "ask": _ask,
    "task": _task,
    "assignment": _assignment,
    "round": _round,
    "evidence": _evidence,
    "release": _release,
}
