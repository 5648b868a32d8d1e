"""Categories: questions with versions, pools with origins, refusals, and the counters of it all."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import blake2b
from typing import Final, cast

import numpy as np
from bson import Binary, Int64
from pymongo.errors import DuplicateKeyError

from thresher.errors import AlreadyThere, BadInput
from thresher.records import Category, Origin, Question, Refusal, Targets, category_name
from thresher.store.contract import Categories, Rows, Tally
from thresher.store.mongo import names as by_name
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.images import here_rows
from thresher.store.mongo.link import Document, Link, Session, batches, key, span
from thresher.store.mongo.numbers import count_on, read_counts, take_numbers
from thresher.store.rules import no_such_category, not_in_pool, plain

CHUNK: Final = 1000
KNOWN_SHOWN: Final = 20


def must_know(link: Link, name: str) -> None:
    """Raise NotFound, naming the known categories, if a category does not exist."""
    if name in link.known_categories:
        return
    table = link.table("categories")
    if table.find_one({"_id": name}, {"_id": 1}) is None:
        raise no_such_category(
            name, [one["_id"] for one in table.find({}, {"_id": 1}).sort("_id", 1).limit(KNOWN_SHOWN)]
        )
    link.known_categories.add(name)


@plain_failures
class MongoCategories(Categories):
    """One yes/no question each, over a pool of the workspace's images."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._pools: dict[str, Rows] = {}

    def create(self, category: Category) -> None:
        question = category.question
        made = {
            "_id": category_name(category.name),
            "targets": asdict(category.targets),
            "exclusive": category.exclusive,
            "created_ms": category.created_ms,
            "questions": [{"text": question.text, "instructions": question.instructions, "at_ms": question.at_ms}],
        }
        try:
            self.link.table("categories").insert_one(made)
        except DuplicateKeyError:
            raise AlreadyThere(
                f"a category called {category.name!r} exists.", next="take another name, or harvest into that one"
            ) from None

    def get(self, name: str) -> Category:
        return _category(self._document(name))

    def all(self) -> list[Category]:
        return [_category(one) for one in self.link.table("categories").find().sort("_id", 1)]

    def reword(self, name: str, text: str, instructions: str, at_ms: int) -> Question:
        must_know(self.link, name)
        new = {"text": text, "instructions": instructions, "at_ms": at_ms}
        before = self.link.table("categories").find_one_and_update({"_id": name}, {"$push": {"questions": new}})
        return Question(len((before or {})["questions"]) + 1, text, instructions, at_ms)

    def questions(self, name: str) -> list[Question]:
        return [Question(version, **one) for version, one in enumerate(self._document(name)["questions"], 1)]

    def aim(self, name: str, targets: Targets) -> None:
        must_know(self.link, name)
        self.link.table("categories").update_one({"_id": name}, {"$set": {"targets": asdict(targets)}})

    def pool_add(self, name: str, rows: Sequence[int], origin: Origin, queries: Sequence[str] = ()) -> int:
        if queries and len(queries) != len(rows):
            raise BadInput(f"{len(queries)} queries are given for {len(rows)} rows.", where=name)
        must_know(self.link, name)
        given = plain(rows)
        here_rows(self.link, given)
        first: dict[int, str] = {}
        for row, query in zip(given, queries or [origin.query] * len(given), strict=True):
            first.setdefault(row, query)
        new = 0
        for some in batches(first.items(), CHUNK):
            new += self.link.transact(lambda session: self._pool_add(name, dict(some), origin, session))  # noqa: B023 -- called here and now
        return new

    def _pool_add(self, name: str, rows: dict[int, str], origin: Origin, session: Session) -> int:
        table = self.link.table("pool")
        there = self._in_pool(name, list(rows), session)
        made = [
            {
                "_id": _pool_key(name, row),
                "source": origin.source,
                "query": query,
                "licence": origin.licence,
                "at_ms": origin.at_ms,
            }
            for row, query in rows.items()
            if row not in there
        ]
        if made:
            table.insert_many(made, session=session)
            count_on(self.link, name, {("images", ""): len(made)}, session)
        return len(made)

    def _in_pool(self, name: str, rows: Sequence[int], session: Session | None = None) -> set[int]:
        wanted = {"_id": {"$in": [_pool_key(name, row) for row in rows]}}
        return {one["_id"]["row"] for one in self.link.table("pool").find(wanted, {"_id": 1}, session=session)}

    def pool(self, name: str) -> Rows:
        must_know(self.link, name)
        size = read_counts(self.link, name).get("images", {}).get("", 0)
        known = self._pools.get(name, np.zeros(0, dtype=np.int64))
        if len(known) != size:  # a pool only grows, so the same size is the same pool
            later = self._rows_above(name, int(known[-1]) if len(known) else -1)
            known = np.concatenate([known, later])
            if len(known) != size:  # some were added in between those known, by a slower process
                known = self._rows_above(name, -1)
            known.flags.writeable = False
            self._pools[name] = known
        return known

    def _rows_above(self, name: str, after_row: int) -> Rows:
        """Rows of the pool, cut out of the raw bytes of the answer: parsing a million documents would be slow."""
        wanted = span(category=name, above={"row": Int64(after_row)})
        parts = [np.zeros(0, dtype=np.int64)]
        for found in self.link.table("pool").find_raw_batches(wanted, {"_id": 1}).sort("_id", 1):
            batch = cast("bytes", found)
            # {_id: {category, row}}: all of one length, and at the end 8 bytes of row and the ends of two documents
            size = int.from_bytes(batch[:4], "little")
            documents = np.frombuffer(batch, dtype=np.uint8).reshape(-1, size)
            parts.append(documents[:, size - 10 : size - 2].copy().view("<i8").ravel().astype(np.int64))
        return np.concatenate(parts)

    def pool_page(self, name: str, after_row: int, limit: int) -> list[int]:
        must_know(self.link, name)
        if not limit:
            return []
        wanted = span(category=name, above={"row": Int64(after_row)})
        found = self.link.table("pool").find(wanted, {"_id": 1}).sort("_id", 1).limit(limit)
        return [one["_id"]["row"] for one in found]

    def pool_holds(self, name: str, rows: Sequence[int]) -> list[bool]:
        must_know(self.link, name)
        wanted = plain(rows)
        there: set[int] = set()
        for some in batches(wanted, 10 * CHUNK):
            there |= self._in_pool(name, some)
        return [row in there for row in wanted]

    def find(self, name: str, names: Sequence[str]) -> list[list[int]]:
        must_know(self.link, name)
        found = by_name.rows_of(self.link, names)
        held: set[int] = set()
        for some in batches(sorted(set().union(*found)), 10 * CHUNK):
            lost = {"_id": {"$in": some}, "bare": by_name.LOST}
            held |= self._in_pool(name, some)
            held -= {one["_id"] for one in self.link.table("images").find(lost, {"_id": 1})}
        return [sorted(rows & held) for rows in found]

    def origins(self, name: str, rows: Sequence[int] | Rows) -> list[Origin]:
        must_know(self.link, name)
        wanted = plain(rows)
        found: dict[int, Origin] = {}
        for some in batches(wanted, 10 * CHUNK):
            keys = {"_id": {"$in": [_pool_key(name, row) for row in some]}}
            for one in self.link.table("pool").find(keys, batch_size=10 * CHUNK):
                found[one["_id"]["row"]] = Origin(one["source"], one["query"], one["licence"], one["at_ms"])
        if missing := set(wanted) - found.keys():
            raise not_in_pool(missing, name)
        return [found[row] for row in wanted]

    def refuse(self, name: str, refusals: Sequence[Refusal]) -> None:
        must_know(self.link, name)
        first: dict[bytes, Refusal] = {}
        for refusal in refusals:
            first.setdefault(_refusal_key(refusal), refusal)
        for some in batches(first.items(), CHUNK):
            number = take_numbers(self.link, "refusal", len(some)) + 1
            self.link.transact(lambda session: self._refuse(name, dict(some), number, session))  # noqa: B023 -- called here and now

    def _refuse(self, name: str, refusals: dict[bytes, Refusal], number: int, session: Session) -> None:
        table = self.link.table("refusals")
        wanted = [key(category=name, refusal=Binary(one)) for one in refusals]
        there = {one["_id"]["refusal"] for one in table.find({"_id": {"$in": wanted}}, {"_id": 1}, session=session)}
        made = [
            refusal_document(name, at, refusal)
            for at, (one, refusal) in enumerate(refusals.items(), number)
            if one not in there
        ]
        if made:
            table.insert_many(made, session=session)
            reasons = Counter(one["reason"] for one in made)
            count_on(self.link, name, {("refused", reason): n for reason, n in reasons.items()}, session)

    def refusals(self, name: str, after: int, limit: int) -> list[tuple[int, Refusal]]:
        must_know(self.link, name)
        if not limit:
            return []
        wanted = {"category": name, "number": {"$gt": after}}
        found = self.link.table("refusals").find(wanted).sort("number", 1).limit(limit)
        return [(one["number"], Refusal(one["name"], one["reason"], one["detail"], one["at_ms"])) for one in found]

    def refusal_counts(self, name: str) -> dict[str, int]:
        must_know(self.link, name)
        return read_counts(self.link, name).get("refused", {})

    def tally(self, name: str) -> Tally:
        version = len(self._document(name)["questions"])
        counted = read_counts(self.link, name)
        one = {
            kind: counted.get(kind, {}).get("", 0)
            for kind in ("images", "answers", "gold_answers", "owner_answers", "tasks_open")
        }
        return Tally(
            **one,
            refused=sum(counted.get("refused", {}).values()),
            asks_open=counted.get(f"asks:{version}", {}),
            labels=counted.get(f"labels:{version}", {}),
            assignments=counted.get("assignments", {}),
        )

    def _document(self, name: str) -> Document:
        must_know(self.link, name)
        return self.link.table("categories").find_one({"_id": name}) or {}


def _pool_key(name: str, row: int) -> Document:
    return key(category=name, row=Int64(row))


def _refusal_key(refusal: Refusal) -> bytes:
    said = f"{len(refusal.reason)} {refusal.reason} {refusal.name}"
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def refusal_document(category: str, number: int, refusal: Refusal) -> Document:
    """The document of a refusal; its `_id` is what makes two refusals equal."""
    name = key(category=category, refusal=Binary(_refusal_key(refusal)))
    return {"_id": name, "category": category, "number": number, **asdict(refusal)}


def _category(one: Document) -> Category:
    question = Question(len(one["questions"]), **one["questions"][-1])
    return Category(one["_id"], question, Targets(**one["targets"]), one["exclusive"], one["created_ms"])
