"""Images on their way in: one document has the next row, how many images there are, and the batches being stored.

A batch reserves its rows and tells what it brings in one atomic change of that document, and the answer shows who came
before it. Of two processes that bring images of one fingerprint, the second therefore knows of the first and waits
until its images are stored, so that it compares its own with them. When a batch is stored, one change of the document
takes it off the list and adds it to the count; until then its images are counted by their rows, so that the count is
right wherever a process was killed.

A batch whose process has gone is ended by others: each of its images that is not stored is barred (`void`) by a
document under its `_id`, so that a slow writer that wakes up cannot insert it; it begins anew.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from pymongo import ReturnDocument

from thresher.records import new_id, now_ms
from thresher.store.mongo.blobs import insert_new
from thresher.store.mongo.link import Document, Link, Session, among
from thresher.store.mongo.names import known

ROW: Final = {"_id": "row"}
HASH_BYTES: Final = 32
MARK_BYTES: Final = 8
NOBODY: Final = bytes(MARK_BYTES)
GRACE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 0.02
# no writer takes as long: a batch as old was killed
SETTLED_MS: Final = 15 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """New images being stored: their `hashes` have the rows from `first` on.

    `marks` are a hash of the fingerprint of each, or NOBODY for one that joins a group or that no other is like.
    """

    first: int
    at_ms: int
    hashes: bytes
    marks: bytes

    @property
    def many(self) -> int:
        """How many images they are."""
        return len(self.hashes) // HASH_BYTES

    def by_mark(self) -> dict[bytes, set[bytes]]:
        """The images that may be like others, by the hash of their fingerprint."""
        found: dict[bytes, set[bytes]] = {}
        for mark, name in zip(_cut(self.marks, MARK_BYTES), _cut(self.hashes, HASH_BYTES), strict=True):
            if mark != NOBODY:
                found.setdefault(mark, set()).add(name)
        return found


def announce(link: Link, prints: Mapping[bytes, str], session: Session) -> tuple[Batch, list[Batch]]:
    """Reserve rows for new images, given with the fingerprint of each that stands alone; and the batches before it.

    A majority has it when this returns. Rows of a batch that is never stored stay a gap. The next row is also above all
    that are there: after a restore, or in a copy that was cut short, the number may be older than the images.
    """
    many, now = len(prints), now_ms()
    hashes, marks = b"".join(prints), b"".join(map(_mark, prints.values()))
    next_row = {"$max": ["$next", top_row(link)]}
    made = {"first": next_row, "at_ms": now, "hashes": hashes, "marks": marks}
    after = link.table("numbers").find_one_and_update(
        ROW,
        [
            {
                "$set": {
                    "next": {"$add": [next_row, many]},
                    "arriving": {"$concatArrays": [{"$ifNull": ["$arriving", []]}, [made]]},
                }
            }
        ],
        upsert=True,
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    *before, mine = [_batch(one) for one in (after or {})["arriving"]]
    return mine, before


def wait_for_those_before(link: Link, mine: Batch, before: Sequence[Batch], session: Session) -> None:
    """Wait until earlier batches with images that mine must be compared with are stored; end those of killed processes.

    A batch waits only for earlier ones, so never two for each other. What the session reads next has their images.
    """
    for one in before:
        if one.at_ms < mine.at_ms - SETTLED_MS:
            end_abandoned(link, one)
    wanted = {one: names for one in before if (names := _to_compare(mine, one))}
    deadline = time.monotonic() + GRACE_SECONDS
    while wanted:
        there = {one.first for one in listed(link, session)}
        stored = {
            name for name, one in known(link, list(set().union(*wanted.values())), session).items() if "row" in one
        }
        wanted = {one: names for one, names in wanted.items() if one.first in there and not names <= stored}
        if time.monotonic() > deadline:
            for one in wanted:
                end_abandoned(link, one)
            return
        if wanted:
            time.sleep(LOOK_SECONDS)


def _to_compare(mine: Batch, other: Batch) -> set[bytes]:
    """The images of another batch that are not in mine, and have the fingerprint of one in it."""
    here = mine.by_mark()
    pairs = [(names, here[mark]) for mark, names in other.by_mark().items() if mark in here]
    # the same image alone is one by its _id, whoever brings it
    return {name for names, ours in pairs if len(names | ours) > 1 for name in names}


def top_row(link: Link) -> int:
    """One more than the highest row of an image."""
    newest = link.table("images").find_one({"row": {"$gte": 0}}, {"row": 1}, sort=[("row", -1)])
    return int(newest["row"]) + 1 if newest else 0


def listed(link: Link, session: Session | None = None) -> list[Batch]:
    """The batches being stored."""
    found = link.fast_table("numbers").find_one(ROW, {"arriving": 1}, session=session) or {}
    return [_batch(one) for one in found.get("arriving", [])]


def end(link: Link, batch: Batch, stored: int) -> None:
    """Take a batch off the list and count what was stored of it, unless another process did so.

    The primary alone acknowledges it: if an election undoes it, the batch is on the list again and counted by its rows.
    """
    change: Document = {"$pull": {"arriving": {"first": batch.first}}, "$inc": {"images": stored}}
    link.fast_table("numbers").update_one({**ROW, "arriving.first": batch.first}, change)


def end_abandoned(link: Link, batch: Batch) -> None:
    """End the batch of another process: nothing of it can be stored from now on, and what was stored is counted."""
    names, barred = list(_cut(batch.hashes, HASH_BYTES)), {"void": new_id()}
    table = link.table("images")
    with link.client.start_session() as session:
        insert_new(table, [{"_id": name, **barred} for name in names], session)
        # a writer that has seen an earlier bar would replace it
        table.update_many({**among(names), "void": {"$exists": True}}, {"$set": barred}, session=session)
        end(link, batch, table.count_documents(_rows_of([batch]), session=session))


def count_images(link: Link, session: Session | None = None) -> int:
    """How many images there are: those of ended batches, and the stored ones of the others."""
    fields = {"images": 1, "arriving": 1}
    one = link.table("numbers").find_one(ROW, fields, session=session) or {}
    batches = [_batch(other) for other in one.get("arriving", [])]
    there = link.table("images").count_documents(_rows_of(batches), session=session) if batches else 0
    return int(one.get("images", 0)) + there


def correct_images(link: Link, by: int) -> None:
    """Correct the count by its difference."""
    link.table("numbers").update_one(ROW, {"$inc": {"images": by}}, upsert=True)


def clear_old(link: Link, before_ms: int) -> None:
    """End batches that killed processes left, and take away the bars that no writer can still run into."""
    for one in listed(link):
        if one.at_ms < before_ms:
            end_abandoned(link, one)
    # ids of this kind begin with the time at which they were made (records.new_id)
    oldest = f"{before_ms:012x}"
    link.table("images").delete_many({"void": {"$lt": f"{oldest[:8]}-{oldest[8:]}"}})


def _rows_of(some: Iterable[Batch]) -> Document:
    return {"$or": [{"row": {"$gte": one.first, "$lt": one.first + one.many}} for one in some]}


def _batch(one: Document) -> Batch:
    return Batch(one["first"], one["at_ms"], one["hashes"], one["marks"])


def _mark(fingerprint: str) -> bytes:
    """What stands for a fingerprint in a batch: of two that agree by chance one waits in vain for a moment."""
    return blake2b(fingerprint.encode(), digest_size=MARK_BYTES).digest() if fingerprint else NOBODY


def _cut(joined: bytes, size: int) -> Iterable[bytes]:
    return (joined[start : start + size] for start in range(0, len(joined), size))
