"""Schema 5: one document an image with all its names, in place of one by row, one a name and one a fingerprint.

Each batch of old documents is written anew under the SHA-256 and then deleted. The old ones have numbers as their
`_id`, so a process that follows a killed one goes on with those that are left, and of two at once the second finds
them done. A process of an earlier version that still runs may write old ones afterwards: each start and each check
looks for them.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from bson import Binary
from pymongo import ASCENDING
from pymongo.errors import OperationFailure

from thresher.records import Alias
from thresher.store.mongo import image_log
from thresher.store.mongo.arriving import ROW
from thresher.store.mongo.blobs import insert_new
from thresher.store.mongo.images import naming
from thresher.store.mongo.link import Document, Link, batches, span
from thresher.store.mongo.names import NUMBERED, known
from thresher.store.mongo.numbers import WORKSPACE

AT_ONCE: Final = 1000
# binaries are in the order of their lengths
WHOLE_HASHES: Final[Document] = {"_id": {"$gte": Binary(bytes(32)), "$lt": Binary(bytes(33))}}
GONE: Final = ("names", "fingerprints")


def one_document_an_image(link: Link, *, at_once: int = AT_ONCE) -> None:
    """Write the documents of images as schema 5 has them, so many at once."""
    table = link.table("images")
    while old := list(table.find(NUMBERED).sort("_id", 1).limit(at_once)):
        made = _made(link, old)
        aliases = {one["_id"]: [Alias(*pair) for pair in one["aliases"]] for one in made}
        image_log.note(link, {one["_id"]: one["row"] for one in made}, aliases)
        insert_new(table, made)
        table.delete_many({"_id": {"$in": [one["_id"] for one in old]}})
    _keep_rows_of_lost_documents(link)
    _take_over_count(link)
    for name in GONE:
        link.database.drop_collection(name)
    with suppress(OperationFailure):  # it is gone already
        table.drop_index([("_id", ASCENDING), ("copy_of", ASCENDING)])


def is_left(link: Link) -> bool:
    """Whether something is there as earlier versions keep it."""
    return any(link.table(name).find_one(NUMBERED if name == "images" else {}) for name in ("images", *GONE))


def _keep_rows_of_lost_documents(link: Link) -> None:
    """Log the rows of images whose own documents are lost: `names` alone has them, and `--recover` gives them back."""
    for some in batches(link.table("names").find(WHOLE_HASHES, {"row": 1}), AT_ONCE):
        rows = {bytes(one["_id"]): one["row"] for one in some}
        there = known(link, list(rows))
        if lost := {name: row for name, row in rows.items() if "row" not in there.get(name, {})}:
            image_log.note(link, lost, {})


def _take_over_count(link: Link) -> None:
    """Count images where schema 5 does; the number stays what it was, so that a check sees how many were lost.

    No transaction: that of a killed process would bar the next one for a minute. What was taken over of each slot is
    kept beside the sum, so that it is added once, whoever does it again; an earlier version that still runs adds more.
    """
    numbers = link.table("numbers")
    for one in link.table("counts").find(span(category=WORKSPACE, kind="images")):
        slot = f"taken_over.{one['_id'].get('slot', 0)}"
        before: Document = {"$ifNull": [f"${slot}", 0]}
        more: Document = {"$subtract": [{"$max": [one["n"], before]}, before]}
        added: Document = {"images": {"$add": [{"$ifNull": ["$images", 0]}, more]}, slot: {"$max": [one["n"], before]}}
        numbers.update_one(ROW, [{"$set": added}], upsert=True)


def _made(link: Link, old: Sequence[Document]) -> list[Document]:
    prints = {one["fingerprint"] for one in old if one["fingerprint"]}
    known = link.table("fingerprints").find({"_id": {"$in": list(prints)}})
    compared = {one["_id"]: {one["row"], *one.get("further", ())} for one in known}
    return [_document(one, compared) for one in old]


def _document(old: Document, compared: Mapping[str, set[int]]) -> Document:
    kept = {name: value for name, value in old.items() if name not in ("_id", "sha256", "similar")}
    alike = {"alike": True} if old["_id"] in compared.get(old["fingerprint"], ()) else {}
    named = naming([Alias(*pair) for pair in old["aliases"]])
    return {"_id": old["sha256"], "row": old["_id"], **kept, **named, **alike}
