"""Schema 5: one document an image with all its names, in place of one by row, one a name and one a fingerprint.

Each batch of old documents is written anew under the SHA-256 and then deleted. The old ones have numbers as their
`_id`, so a process that follows a killed one goes on with those that are left, and of two at once the second finds
them done.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from pymongo import ASCENDING
from pymongo.errors import OperationFailure

from thresher.records import Alias
from thresher.store.mongo import image_log
from thresher.store.mongo.arriving import ROW
from thresher.store.mongo.blobs import insert_new
from thresher.store.mongo.images import naming
from thresher.store.mongo.link import Document, Link, span
from thresher.store.mongo.names import STORED

AT_ONCE: Final = 1000
NUMBERED: Final[Document] = {"_id": {"$type": "number"}}
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
    # once: whoever comes second may come after new images
    counted = {"$set": {"images": table.count_documents(STORED)}}
    link.table("numbers").update_one({**ROW, "images": {"$exists": False}}, counted)
    link.table("counts").delete_many(span(category="", kind="images"))
    for name in GONE:
        link.database.drop_collection(name)
    with suppress(OperationFailure):  # it is gone already
        table.drop_index([("_id", ASCENDING), ("copy_of", ASCENDING)])


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
