"""Images on their way in: one document has the next row, how many images there are, and the batches being stored.

A batch reserves its rows and tells what it brings in one atomic change of that document, and the answer shows who came
before it. Of two processes that bring images of one fingerprint, the second therefore knows of the first and waits
until its images are stored, so that it compares its own with them. When a batch is stored, one change of the document
takes it off the list and adds it to the count; until then its images are counted by their rows, so that the count is
right wherever a process was killed.

A batch whose process has gone is ended by others: each of its images that is not stored is barred (`void`) by a
document under its `_id`, so that a slow writer that wakes up cannot insert it; it begins anew. Who waits shows that it
lives. All times are those of the server.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, OperationFailure

from thresher.records import new_id
from thresher.store.mongo.blobs import only_duplicates
from thresher.store.mongo.link import Document, Link, Session, Table
from thresher.store.mongo.names import known

ROW: Final = {"_id": "row"}
HASH_BYTES: Final = 32
MARK_BYTES: Final = 8
NOBODY: Final = bytes(MARK_BYTES)
GRACE_MS: Final = 2000
LOOK_SECONDS: Final = 0.02
LIFE_SECONDS: Final = 0.3
# no writer takes as long: a batch as old was killed
SETTLED_MS: Final = 15 * 60 * 1000
# how many batches of killed processes one that comes ends, so that it does not pay for all
ENDED_AT_ONCE: Final = 4
TOO_LARGE: Final = {10334, 17419, 17420}
# the age of each batch is reckoned where its time was taken
_LISTED: Final[list[Document]] = [
    {"$match": ROW},
    {
        "$project": {
            "images": 1,
            "arriving": {
                "$map": {
                    "input": {"$ifNull": ["$arriving", []]},
                    "in": {
                        "first": "$$this.first",
                        "many": "$$this.many",
                        "age_ms": {"$subtract": ["$$NOW", "$$this.at"]},
                    },
                }
            },
        }
    },
]


@dataclass(frozen=True, slots=True)
class Batch:
    """New images being stored, which have the rows from `first` on; its process was last heard of `age_ms` ago.

    `marks` are a hash of the fingerprint of each, or NOBODY for one that is compared with none.
    """

    first: int
    many: int
    age_ms: int
    marks: bytes = b""

    def by_mark(self, names: Sequence[bytes]) -> dict[bytes, set[bytes]]:
        """The images that are compared with others, of all its `names`, by the hash of their fingerprint."""
        found: dict[bytes, set[bytes]] = {}
        for mark, name in zip(_cut(self.marks, MARK_BYTES), names, strict=True):
            if mark != NOBODY:
                found.setdefault(mark, set()).add(name)
        return found


def announce(link: Link, prints: Mapping[bytes, str], session: Session) -> tuple[Batch, list[Batch]]:
    """Reserve rows for new images, given with the fingerprint of each that stands alone; and the batches before it.

    A majority has it when this returns. Rows of a batch that is never stored stay a gap. The next row is also above all
    that are there: after a restore, or in a copy that was cut short, the number may be older than the images.
    """
    try:
        return _announced(link, prints, session)
    except OperationFailure as error:
        if error.code not in TOO_LARGE:
            raise
    # the list fills the document: killed processes left more than those who came have ended
    for one in sorted(listed(link), key=lambda one: -one.age_ms)[:ENDED_AT_ONCE]:
        end_abandoned(link, one, session)
    return _announced(link, prints, session)


def _announced(link: Link, prints: Mapping[bytes, str], session: Session) -> tuple[Batch, list[Batch]]:
    next_row = {"$max": ["$next", top_row(link)]}
    marks = b"".join(map(_mark, prints.values()))
    made = {"first": next_row, "many": len(prints), "at": "$$NOW", "hashes": b"".join(prints), "marks": marks}
    after = link.table("numbers").find_one_and_update(
        ROW,
        [
            {
                "$set": {
                    "next": {"$add": [next_row, len(prints)]},
                    "arriving": {"$concatArrays": [{"$ifNull": ["$arriving", []]}, [made]]},
                }
            }
        ],
        {"arriving.hashes": 0},
        upsert=True,
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    every = (after or {})["arriving"]
    now = every[-1]["at"]
    *before, mine = [
        Batch(one["first"], one["many"], int((now - one["at"]).total_seconds() * 1000), one["marks"]) for one in every
    ]
    return mine, before


def wait_for_those_before(
    link: Link, names: Sequence[bytes], mine: Batch, before: Sequence[Batch], session: Session
) -> None:
    """Wait until earlier batches with images that mine must be compared with are stored; end those of killed processes.

    A batch waits only for earlier ones, so never two for each other, and shows meanwhile that it lives: so who waits
    for it does not take it for dead. What the session reads next has their images.
    """
    old = [one for one in before if one.age_ms > SETTLED_MS]
    for one in old[:ENDED_AT_ONCE]:
        end_abandoned(link, one, session)
    wanted = _to_compare(link, names, mine, before)
    shown = time.monotonic()
    while wanted:
        there = {one.first: one for one in listed(link, session)}
        stored = {
            name for name, one in known(link, list(set().union(*wanted.values())), session).items() if "row" in one
        }
        wanted = {first: some for first, some in wanted.items() if first in there and not some <= stored}
        for first in [first for first in wanted if there[first].age_ms > GRACE_MS]:
            end_abandoned(link, there[first], session)
            del wanted[first]
        if wanted:
            time.sleep(LOOK_SECONDS)
        if time.monotonic() - shown > LIFE_SECONDS:
            shown = time.monotonic()
            alive = {"$currentDate": {"arriving.$.at": True}}
            link.fast_table("numbers").update_one({**ROW, "arriving.first": mine.first}, alive, session=session)


def _to_compare(link: Link, names: Sequence[bytes], mine: Batch, before: Sequence[Batch]) -> dict[int, set[bytes]]:
    """The images of other batches that are not in mine, and have the fingerprint of one in it, by the first row."""
    here = mine.by_mark(names)
    meeting = {one.first: one for one in before if not here.keys().isdisjoint(_cut(one.marks, MARK_BYTES))}
    found: dict[int, set[bytes]] = {}
    for first, others in _names_of(link, list(meeting)).items():
        for mark, some in meeting[first].by_mark(others).items():
            # the same image is one by its _id, whoever brings it
            if unlike := some - here.get(mark, some):
                found.setdefault(first, set()).update(unlike)
    return found


def top_row(link: Link) -> int:
    """One more than the highest row of an image."""
    newest = link.table("images").find_one({"row": {"$gte": 0}}, {"row": 1}, sort=[("row", -1)])
    return int(newest["row"]) + 1 if newest else 0


def listed(link: Link, session: Session | None = None) -> list[Batch]:
    """The batches being stored, without their marks."""
    return _read(link.fast_table("numbers"), session)[1]


def _read(numbers: Table, session: Session | None) -> tuple[int, list[Batch]]:
    """The images of ended batches, and the batches being stored."""
    for one in numbers.aggregate(_LISTED, session=session):
        return int(one.get("images", 0)), [Batch(**each) for each in one["arriving"]]
    return 0, []


def _names_of(link: Link, firsts: Sequence[int]) -> dict[int, list[bytes]]:
    """The SHA-256 of the images of those of these batches that are still listed."""
    within = {"$filter": {"input": "$arriving", "cond": {"$in": ["$$this.first", list(firsts)]}}}
    steps: list[Document] = [{"$match": ROW}, {"$project": {"arriving": within}}]
    found = (
        [each for one in link.fast_table("numbers").aggregate(steps) for each in one["arriving"] or ()]
        if firsts
        else []
    )
    return {each["first"]: list(_cut(each["hashes"], HASH_BYTES)) for each in found}


def end(link: Link, batch: Batch, stored: int) -> None:
    """Take a batch off the list and count what was stored of it, unless another process did so.

    The primary alone acknowledges it: if an election undoes it, the batch is on the list again and counted by its rows.
    """
    change: Document = {"$pull": {"arriving": {"first": batch.first}}, "$inc": {"images": stored}}
    link.fast_table("numbers").update_one({**ROW, "arriving.first": batch.first}, change)


def end_abandoned(link: Link, batch: Batch, session: Session) -> None:
    """End the batch of another process: nothing of it can be stored from now on, and what was stored is counted."""
    table, names = link.table("images"), _names_of(link, [batch.first]).get(batch.first, [])
    # a new bar takes the place of an earlier one, which a writer has seen and would replace
    barred: list[Document] = [{"$set": {"void": new_id(), "at": "$$NOW"}}]
    bars = [UpdateOne({"_id": name, "row": {"$exists": False}}, barred, upsert=True) for name in names]
    if bars:  # else it was ended by now
        try:
            table.bulk_write(bars, ordered=False, session=session)
        except BulkWriteError as error:
            only_duplicates(error)  # these are stored
        end(link, batch, table.count_documents(_rows_of([batch]), session=session))


def count_images(link: Link, session: Session | None = None) -> int:
    """How many images there are: those of ended batches, and the stored ones of the others."""
    ended, some = _read(link.table("numbers"), session)
    return ended + (link.table("images").count_documents(_rows_of(some), session=session) if some else 0)


def correct_images(link: Link, by: int) -> None:
    """Correct the count by its difference."""
    link.table("numbers").update_one(ROW, {"$inc": {"images": by}}, upsert=True)


def clear_old(link: Link) -> None:
    """End batches that killed processes left, and take away the bars that no writer can still run into."""
    with link.client.start_session() as session:
        for one in listed(link, session):
            if one.age_ms > SETTLED_MS:
                end_abandoned(link, one, session)
    age: Any = {"$subtract": ["$$NOW", "$at"]}
    # the index has those without a row
    link.table("images").delete_many({"row": None, "$expr": {"$gt": [age, SETTLED_MS]}})


def _rows_of(some: Iterable[Batch]) -> Document:
    return {"$or": [{"row": {"$gte": one.first, "$lt": one.first + one.many}} for one in some]}


def _mark(fingerprint: str) -> bytes:
    """What stands for a fingerprint in a batch: of two that agree by chance one waits in vain for a moment."""
    return blake2b(fingerprint.encode(), digest_size=MARK_BYTES).digest() if fingerprint else NOBODY


def _cut(joined: bytes, size: int) -> Iterable[bytes]:
    return (joined[start : start + size] for start in range(0, len(joined), size))
