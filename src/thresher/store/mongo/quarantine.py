"""The quarantine of a workspace in MongoDB: bytes that no row referred to, in a collection of their own.

`thresher check --mend` moves them there, `thresher check --recover` brings them back. thresher never deletes them.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from bson import Binary

from thresher.records import new_id
from thresher.store.findings import RECOVER
from thresher.store.mongo.link import Document, Link, among, batches

TABLE: Final = "quarantine"
AT_ONCE: Final = 1_000
HASH_BYTES: Final = 32
PIECE_NAME_BYTES: Final = 34


def keep(link: Link, spare: Sequence[bytes], before_ms: int) -> None:
    """Move bytes to the quarantine that nobody has used since."""
    for some in batches(spare, AT_ONCE):
        # a writer that comes with one of them now marks it as of now, before it makes its row
        unused: Document = {**among(some), "at_ms": {"$lt": before_ms}}
        into = {"into": TABLE, "on": "_id", "whenMatched": "keepExisting"}
        link.table("bytes").aggregate([{"$match": unused}, {"$merge": into}])
        there = [one["_id"] for one in link.table(TABLE).find(among(some), {"_id": 1})]
        link.table("bytes").delete_many({**among(there), "at_ms": {"$lt": before_ms}})


def keep_changed(link: Link, pieces: Sequence[bytes]) -> None:
    """Move bytes that no longer match their names, under names of their own: they are not brought back by themselves.

    What is left of an image may be of use to somebody who repairs it by hand.
    """
    for name in pieces:
        for one in link.table("bytes").find(among([name])):
            link.table(TABLE).insert_one({**one, "_id": Binary(name + new_id().encode())})
        link.table("bytes").delete_many(among([name]))


def note(count: int) -> str:
    """What was moved and how it comes back, for a report."""
    moved = f"{count:,} images that no row refers to were moved to the collection {TABLE!r}."
    return f"{moved} {RECOVER} brings them back."


def bring_back(link: Link) -> int:
    """Move the quarantine back; returns the number of images."""
    count = 0
    for some in batches(_whole_names(link), AT_ONCE):
        into = {"into": "bytes", "on": "_id", "whenMatched": "keepExisting"}
        link.table(TABLE).aggregate([{"$match": among(some)}, {"$merge": into}])
        link.table(TABLE).delete_many(among(some))
        count += sum(len(name) == HASH_BYTES for name in some)
    return count


def _whole_names(link: Link) -> Iterator[bytes]:
    every = link.table(TABLE).find({}, {"_id": 1})
    return (bytes(one["_id"]) for one in list(every) if len(one["_id"]) in (HASH_BYTES, PIECE_NAME_BYTES))
