"""`thresher check --recover` on MongoDB: rows for images whose bytes are stored and that the catalog does not know.

The index of names holds the row of each SHA-256: an image whose own document is lost gets that row back, with the
labels that name it. One without a name gets a new row.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Final

from thresher.errors import StoreDamaged
from thresher.records import NewImage, Progress
from thresher.store.contract import Recovered, Report
from thresher.store.mongo import names, quarantine, recount
from thresher.store.mongo.images import MongoImages, image_document
from thresher.store.mongo.link import Link, batches
from thresher.store.mongo.names import LOST
from thresher.store.rules import ALIKE_MOST
from thresher.store.shapes import Kinds

AT_ONCE: Final = 200
LOOKED_UP: Final = 5_000
HASH_BYTES: Final = 32

Admit = Callable[[bytes], NewImage | None]


def recover(link: Link, images: MongoImages, kinds: Kinds, admit: Admit, report: Report | None) -> Recovered:
    """Bring the quarantine back, make a row for each stored image that has none, and count again."""
    restored = quarantine.bring_back(link)
    unknown = dict(_unknown(link))
    new = again = unreadable = done = 0
    for some in batches(unknown, AT_ONCE):
        found = {key: image for key in some if (image := _read(images, key, admit)) is not None}
        unreadable += len(some) - len(found)
        fresh = [image for key, image in found.items() if unknown[key] is None]
        images.put([replace(image, similar="", compared=ALIKE_MOST) for image in fresh])
        for key, row in unknown.items():
            if row is not None and key in found:
                document = image_document(row, key, replace(found[key], data=b""), row, "")
                again += _give_back(link, row, {**document, "bytes": found[key].bytes})
        new, done = new + len(fresh), done + len(some)
        if report is not None:
            report(Progress("recover", done, len(unknown), "images"))
    for counter, kept, counted in recount.differences(link, kinds):
        recount.correct(link, counter, counted - kept)
    return Recovered(new + again, again, restored, unreadable)


def _give_back(link: Link, row: int, document: dict[str, object]) -> int:
    """Store the document of a lost row; returns 0 if it is there."""
    done = link.table("images").update_one({"_id": row}, {"$setOnInsert": document}, upsert=True)
    return int(done.upserted_id is not None)


def _unknown(link: Link) -> Iterator[tuple[bytes, int | None]]:
    """The names of stored bytes without an image, each with the row that the index of names has for it."""
    every = link.table("bytes").find({}, {"_id": 1}).hint([("_id", 1)])
    whole = (bytes(one["_id"]) for one in every if len(one["_id"]) == HASH_BYTES)
    for some in batches(whole, LOOKED_UP):
        known = names.look_up(link, some)
        rows = {one["row"] for one in known.values()}
        there = {one["_id"] for one in link.table("images").find({"_id": {"$in": sorted(rows)}}, {"_id": 1})}
        for key in some:
            if key not in known:
                yield key, None
            elif known[key]["row"] not in there and known[key].get("bare") != LOST:
                yield key, known[key]["row"]


def _read(images: MongoImages, key: bytes, admit: Admit) -> NewImage | None:
    """An image by its SHA-256, with its facts; None if the bytes have changed or are no picture."""
    try:
        data = images.originals.read({key: -1})[key]
    except StoreDamaged:
        return None
    return admit(data) if sha256(data).digest() == key else None
