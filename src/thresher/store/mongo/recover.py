"""`thresher check --recover` on MongoDB: rows for images whose bytes are stored and that the catalog does not know.

The log of images has the row of each SHA-256 (image_log.py): an image whose own document is lost gets that row back,
with its aliases and the labels that name it. One that is not in the log gets a new row.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Final

from pymongo.errors import DuplicateKeyError

from thresher.errors import StoreDamaged
from thresher.records import Alias, NewImage, Progress
from thresher.store.contract import Recovered, Report
from thresher.store.mongo import image_log, names, quarantine, recount
from thresher.store.mongo.images import MongoImages, image_document
from thresher.store.mongo.link import Link, batches
from thresher.store.mongo.names import NAMING
from thresher.store.rules import ALIKE_MOST
from thresher.store.shapes import Kinds

AT_ONCE: Final = 200
LOOKED_UP: Final = 5_000
HASH_BYTES: Final = 32

Admit = Callable[[bytes], NewImage | None]


def recover(link: Link, images: MongoImages, kinds: Kinds, admit: Admit, report: Report | None) -> Recovered:
    """Bring the quarantine back, make a row for each stored image that has none, and count again."""
    restored = quarantine.bring_back(link)
    unknown = list(_unknown(link))
    lost = _recorded(link, unknown)
    new = again = unreadable = done = 0
    for some in batches(unknown, AT_ONCE):
        found = {key: image for key in some if (image := _read(images, key, admit)) is not None}
        unreadable += len(some) - len(found)
        fresh = [image for key, image in found.items() if key not in lost]
        images.put([replace(image, similar="", compared=ALIKE_MOST) for image in fresh])
        for key in found.keys() & lost.keys():
            row, aliases = lost[key]
            image = replace(found[key], data=b"", aliases=tuple(dict.fromkeys((*found[key].aliases, *aliases))))
            document = image_document(row, key, image, row, "", alike=bool(image.fingerprint))
            again += _give_back(link, key, {**document, "bytes": found[key].bytes})
        new, done = new + len(fresh), done + len(some)
        if report is not None:
            report(Progress("recover", done, len(unknown), "images"))
    for counter, kept, counted in recount.differences(link, kinds):
        recount.correct(link, counter, counted - kept)
    return Recovered(new + again, again, restored, unreadable)


def _give_back(link: Link, key: bytes, document: dict[str, object]) -> int:
    """Store the document of a lost row, in place of one that bars it; returns 0 if an image is there."""
    try:
        link.table("images").replace_one({"_id": key, "row": {"$exists": False}}, document, upsert=True)
    except DuplicateKeyError:
        return 0
    return 1


def _unknown(link: Link) -> Iterator[bytes]:
    """The names of stored bytes without an image."""
    every = link.table("bytes").find({}, {"_id": 1}).hint([("_id", 1)])
    whole = (one["_id"] for one in every if len(one["_id"]) == HASH_BYTES)
    for some in batches(whole, LOOKED_UP):
        known = names.known(link, some)
        yield from (key for key in some if "row" not in known.get(key, {}))


def _recorded(link: Link, unknown: list[bytes]) -> dict[bytes, tuple[int, tuple[Alias, ...]]]:
    """The row and the aliases that images without a document had, unless other images have all rows it may have had."""
    found = image_log.recorded(link, set(unknown))
    may_be = {row for rows, _ in found.values() for row in rows}
    taken: set[int] = set()
    for some in batches(sorted(may_be), LOOKED_UP):
        taken.update(one["row"] for one in link.table("images").find({"row": {"$in": some}}, {"row": 1}))
    several = {row for rows, _ in found.values() if len(rows) > 1 for row in rows}
    named = _named(link, several - taken)
    rows_of: dict[bytes, tuple[int, tuple[Alias, ...]]] = {}
    for key, (rows, aliases) in found.items():
        # one that is named was the image's, for rows are named after the image is stored; else the newest
        free = sorted((row for row in rows if row not in taken), key=lambda row: row not in named)
        if free:
            rows_of[key] = free[0], aliases
            taken.add(free[0])
    return rows_of


def _named(link: Link, rows: set[int]) -> set[int]:
    """Those of some rows that pools, labels, gold, asks or votes name."""
    named: set[int] = set()
    for table in NAMING if rows else ():
        for some in batches(sorted(rows), LOOKED_UP):
            named.update(
                one["_id"]["row"] for one in link.table(table).find({"_id.row": {"$in": some}}, {"_id.row": 1})
            )
    return named


def _read(images: MongoImages, key: bytes, admit: Admit) -> NewImage | None:
    """An image by its SHA-256, with its facts; None if the bytes have changed or are no picture."""
    try:
        data = images.originals.read({key: -1})[key]
    except StoreDamaged:
        return None
    return admit(data) if sha256(data).digest() == key else None
