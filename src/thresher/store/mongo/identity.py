"""Whether a database is the whole of one workspace: one whose catalog was emptied is never opened as new."""

from typing import Final

from thresher.errors import StoreDamaged
from thresher.store.findings import MOST, RECOVER
from thresher.store.mongo.link import Link
from thresher.store.mongo.names import NUMBERED, STORED

NUMBERS: Final = "numbers"
IDENTITY: Final = "identity"
BACKUP: Final = f"restore the database from a backup; without one, {RECOVER} makes rows for the stored images"


def holds_images(link: Link) -> bool:
    """Whether there are bytes of images."""
    return link.table("bytes").find_one({}, {"_id": 1}) is not None


def must_be_empty(link: Link) -> None:
    """Raise StoreDamaged for a database with images, but without the document that is made last."""
    if holds_images(link):
        what = "the workspace's own document is missing, and the collection bytes contains stored images."
        raise StoreDamaged(what, where=link.shown, next=BACKUP)


def must_belong(link: Link, identity: str, *, adopt: bool) -> None:
    """Raise StoreDamaged if the numbers are another workspace's, or the images' documents are gone, unless `adopt`.

    A database of an earlier version gets its mark now.
    """
    mark = {"_id": IDENTITY}
    if adopt:
        link.table(NUMBERS).replace_one(mark, {"of": identity}, upsert=True)
        return
    noted = link.table(NUMBERS).find_one(mark)
    if noted is None:
        link.table(NUMBERS).update_one(mark, {"$setOnInsert": {"of": identity}}, upsert=True)
    elif noted["of"] != identity:
        what = "the collections belong to different workspaces."
        raise StoreDamaged(what, where=link.shown, next=BACKUP)
    images = link.table("images")
    if not any(images.find_one(one, {"_id": 1}) for one in (STORED, NUMBERED)) and _had_images(link):
        what = "the catalog of the images is empty, and the collection bytes contains stored images."
        raise StoreDamaged(what, where=link.shown, next=BACKUP)


def _had_images(link: Link) -> bool:
    """Whether more bytes are stored than an interrupted first harvest leaves, or the counters know of images."""
    counted = link.table(NUMBERS).find_one({"_id": "row", "images": {"$gt": 0}}, {"_id": 1})
    in_pools = link.table("counts").find_one({"_id.kind": "images", "n": {"$gt": 0}}, {"_id": 1})
    return holds_images(link) and (
        counted is not None or in_pools is not None or link.table("bytes").count_documents({}, limit=MOST + 1) > MOST
    )
