"""Categories: questions with versions, pools with origins, refusals, and the counters of it all."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import blake2b
from typing import Final, cast

import numpy as np
from bson import Binary, Int64
from pymongo.errors import DuplicateKeyError

from thresher.records import Category, Origin, Question, Refusal, Stage, Targets, category_name
from thresher.store.contract import Categories, Mark, Rows, Tally
from thresher.store.conversions import names_of
from thresher.store.mongo import names as by_name
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.images import here_rows
from thresher.store.mongo.link import Document, Link, Part, Session, at_most, batches, key, span
from thresher.store.mongo.numbers import count_on, meet_all, move, read_counts, read_marks, take_numbers
from thresher.store.rules import category_exists, next_wording, not_in_pool, one_query_each, plain

CHUNK: Final = 1000


@plain_failures
class MongoCategories(Part, Categories):
    """One yes/no question each, over a pool of the workspace's images."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._pools: dict[str, Rows] = {}

    def create(self, category: Category) -> None:
        made = asdict(category)
        first = {**made.pop("question"), "version": 1}
        made |= {"_id": category_name(made.pop("name")), "questions": [first]}
        try:
            self.link.table("categories").insert_one(made)
        except DuplicateKeyError:
            raise category_exists(category.name) from None

    def get(self, category: str) -> Category:
        return _category(self._document(category))

    def all(self) -> list[Category]:
        return [_category(one) for one in self.link.table("categories").find().sort("_id", 1)]

    def reword(
        self,
        category: str,
        text: str,
        instructions: str,
        at_ms: int,
        *,
        version: int | None = None,
        after: int | None = None,
    ) -> Question:
        def reword(session: Session) -> Question:
            asked = _questions(self._document(category, session))
            wanted = Question(version or 0, text, instructions, at_ms)
            made = next_wording(asked, wanted, after=after, name=category)
            added = {"$push": {"questions": asdict(made)}}
            self.link.table("categories").update_one({"_id": category}, added, session=session)
            move(self.link, category, ["question"], session)
            return made

        return self.link.transact(reword)

    def questions(self, category: str) -> list[Question]:
        return _questions(self._document(category))

    def aim(self, category: str, targets: Targets) -> None:
        def aim(session: Session) -> None:
            # whoever took a task by the former limit of answers has reserved them when the next one reads the new one
            meet_all(self.link, category, "reserved", session)
            self.link.table("categories").update_one(
                {"_id": category}, {"$set": {"targets": asdict(targets)}}, session=session
            )
            move(self.link, category, ["question"], session)

        self.link.transact(aim)

    def pool_add(self, category: str, rows: Sequence[int], origin: Origin, queries: Sequence[str] = ()) -> int:
        one_query_each(rows, queries, category)
        given = plain(rows)
        here_rows(self.link, given)
        first: dict[int, str] = {}
        for row, query in zip(given, queries or [origin.query] * len(given), strict=True):
            first.setdefault(row, query)
        new = 0
        for some in batches(first.items(), CHUNK):
            new += self.link.transact(lambda session: self._pool_add(category, dict(some), origin, session))  # noqa: B023 -- called here and now
        return new

    def _pool_add(self, category: str, rows: dict[int, str], origin: Origin, session: Session) -> int:
        table = self.link.table("pool")
        there = self._in_pool(category, list(rows), session)
        told = asdict(origin)
        made = [
            {"_id": _pool_key(category, row), **told, "query": query} for row, query in rows.items() if row not in there
        ]
        if made:
            table.insert_many(made, session=session)
            count_on(self.link, category, {("images", ""): len(made)}, session, moves=["pool"])
        return len(made)

    def _in_pool(self, category: str, rows: Sequence[int], session: Session | None = None) -> set[int]:
        wanted = {"_id": {"$in": [_pool_key(category, row) for row in rows]}}
        return {one["_id"]["row"] for one in self.link.table("pool").find(wanted, {"_id": 1}, session=session)}

    def pool(self, category: str) -> Rows:
        size = read_counts(self.link, category).get("images", {}).get("", 0)
        known = self._pools.get(category, np.zeros(0, dtype=np.int64))
        if len(known) != size:  # a pool only grows, so the same size is the same pool
            later = self._rows_above(category, int(known[-1]) if len(known) else -1)
            known = np.concatenate([known, later])
            if len(known) != size:  # some were added in between those known, by a slower process
                known = self._rows_above(category, -1)
            known.flags.writeable = False
            self._pools[category] = known
        return known

    def _rows_above(self, category: str, after_row: int) -> Rows:
        """Rows of the pool, cut out of the raw bytes of the answer: parsing a million documents would be slow."""
        wanted = span(category=category, above={"row": Int64(after_row)})
        parts = [np.zeros(0, dtype=np.int64)]
        for found in self.link.table("pool").find_raw_batches(wanted, {"_id": 1}).sort("_id", 1):
            batch = cast("bytes", found)
            # {_id: {category, row}}: all of one length, and at the end 8 bytes of row and the ends of two documents
            size = int.from_bytes(batch[:4], "little")
            documents = np.frombuffer(batch, dtype=np.uint8).reshape(-1, size)
            parts.append(documents[:, size - 10 : size - 2].copy().view("<i8").ravel().astype(np.int64))
        return np.concatenate(parts)

    def pool_page(self, category: str, after_row: int, limit: int) -> list[int]:
        wanted = span(category=category, above={"row": Int64(after_row)})
        found = self.link.table("pool").find(wanted, {"_id": 1}).sort("_id", 1)
        return [one["_id"]["row"] for one in at_most(found, limit)]

    def pool_holds(self, category: str, rows: Sequence[int]) -> list[bool]:
        wanted = plain(rows)
        there: set[int] = set()
        for some in batches(wanted, 10 * CHUNK):
            there |= self._in_pool(category, some)
        return [row in there for row in wanted]

    def find(self, category: str, names: Sequence[str]) -> list[list[int]]:
        found = by_name.rows_of(self.link, names)
        held: set[int] = set()
        for some in batches(sorted(set().union(*found)), 10 * CHUNK):
            lost = {"row": {"$in": some}, "bare": by_name.LOST}
            held |= self._in_pool(category, some)
            held -= {one["row"] for one in self.link.table("images").find(lost, {"row": 1})}
        return [sorted(rows & held) for rows in found]

    def origins(self, category: str, rows: Sequence[int] | Rows) -> list[Origin]:
        wanted = plain(rows)
        found: dict[int, Origin] = {}
        for some in batches(wanted, 10 * CHUNK):
            keys = {"_id": {"$in": [_pool_key(category, row) for row in some]}}
            for one in self.link.table("pool").find(keys, batch_size=10 * CHUNK):
                found[one["_id"]["row"]] = Origin(*(one[field] for field in names_of(Origin)))
        if missing := set(wanted) - found.keys():
            raise not_in_pool(missing, category)
        return [found[row] for row in wanted]

    def refuse(self, category: str, refusals: Sequence[Refusal]) -> None:
        first: dict[bytes, Refusal] = {}
        for refusal in refusals:
            first.setdefault(_refusal_key(refusal), refusal)
        for some in batches(first.items(), CHUNK):
            number = take_numbers(self.link, "refusal", len(some)) + 1
            self.link.transact(lambda session: self._refuse(category, dict(some), number, session))  # noqa: B023 -- called here and now

    def _refuse(self, category: str, refusals: dict[bytes, Refusal], number: int, session: Session) -> None:
        table = self.link.table("refusals")
        wanted = [key(category=category, refusal=Binary(one)) for one in refusals]
        there = {one["_id"]["refusal"] for one in table.find({"_id": {"$in": wanted}}, {"_id": 1}, session=session)}
        made = [
            refusal_document(category, at, refusal)
            for at, (one, refusal) in enumerate(refusals.items(), number)
            if one not in there
        ]
        if made:
            table.insert_many(made, session=session)
            reasons = Counter(one["reason"] for one in made)
            counted = {("refused", reason): n for reason, n in reasons.items()}
            count_on(self.link, category, counted, session, moves=["drafts"])

    def refusals(self, category: str, after: int, limit: int) -> list[tuple[int, Refusal]]:
        wanted = {"category": category, "number": {"$gt": after}}
        found = at_most(self.link.table("refusals").find(wanted).sort("number", 1), limit)
        return [(one["number"], Refusal(*(one[name] for name in names_of(Refusal)))) for one in found]

    def refusal_counts(self, category: str) -> dict[str, int]:
        return read_counts(self.link, category).get("refused", {})

    def tally(self, category: str) -> Tally:
        version = _questions(self._document(category))[-1].version
        counted = read_counts(self.link, category)
        one = {
            kind: counted.get(kind, {}).get("", 0)
            for kind in ("images", "answers", "gold_answers", "owner_answers", "reserved", "tasks_open")
        }
        return Tally(
            **one,
            refused=sum(counted.get("refused", {}).values()),
            asks_open=counted.get(f"asks:{version}", {}),
            labels=counted.get(f"labels:{version}", {}),
            assignments=counted.get("assignments", {}),
        )

    def mark(self, category: str) -> Mark:
        self.link.must_know(category)
        return self._marks([category])[category]

    def marks(self) -> dict[str, Mark]:
        found = self.link.table("categories").find({}, {"_id": 1}).sort("_id", 1)
        return self._marks([one["_id"] for one in found])

    def _marks(self, categories: Sequence[str]) -> dict[str, Mark]:
        moved = read_marks(self.link, categories)
        # the time, so that the index of leases is used, which is as short as there are people at work
        leased = {"stage": Stage.LEASED.value, "lease_until_ms": {"$gt": 0}, "category": {"$in": categories}}
        of_each = {"_id": "$category", "ends": {"$min": "$lease_until_ms"}, "drafts": {"$sum": "$drafted"}}
        ends = dict.fromkeys(moved, 0)
        for one in self.link.table("assignments").aggregate([{"$match": leased}, {"$group": of_each}]):
            ends[one["_id"]] = one["ends"]
            moved[one["_id"]]["drafts"] += one["drafts"]
        return {name: Mark(**parts, wakes_ms=ends[name]) for name, parts in moved.items()}

    def _document(self, category: str, session: Session | None = None) -> Document:
        return self.link.table("categories").find_one({"_id": category}, session=session) or {}


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
    return Category(one["_id"], _questions(one)[-1], Targets(**one["targets"]), one["exclusive"], one["created_ms"])


def _questions(one: Document) -> list[Question]:
    return [Question(**asked) for asked in one["questions"]]
