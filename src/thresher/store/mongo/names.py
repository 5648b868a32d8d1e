"""What images are found by: one small document for each SHA-256 and each alias, with the row it stands for.

The `_id` is the 32 bytes of the SHA-256, or 16 bytes of a hash of the alias's value: an index of whole URLs would be as
large as everything else together. `bare` says that the row has no bytes: it is kept by "reference", or they are "lost".
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Final

from bson import Binary
from pymongo import UpdateOne

from thresher.records import Alias
from thresher.store.mongo.link import Document, Link, Session, batches

AT_ONCE: Final = 10_000
REFERENCE: Final = "reference"
LOST: Final = "lost"


def look_up(link: Link, names: Sequence[bytes], session: Session | None = None) -> dict[bytes, Document]:
    """The documents of those names that are known."""
    found: dict[bytes, Document] = {}
    for some in batches(names, AT_ONCE):
        wanted = {"_id": {"$in": [Binary(name) for name in some]}}
        found.update((one["_id"], one) for one in link.table("names").find(wanted, session=session, batch_size=AT_ONCE))
    return found


def short(value: str) -> bytes:
    """The name under which an alias is looked up."""
    return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def add_hashes(link: Link, rows: Mapping[bytes, int], references: Iterable[bytes], session: Session) -> None:
    """Name new rows by their SHA-256."""
    bare = set(references)
    made: list[Document] = [{"_id": Binary(key), "row": row} for key, row in rows.items()]
    for one in made:
        if one["_id"] in bare:
            one["bare"] = REFERENCE
    link.table("names").insert_many(made, session=session)


def add_aliases(link: Link, aliases: Iterable[tuple[Alias, int]], session: Session) -> None:
    """Name rows by their aliases; where several images have one, it stands for the lowest row."""
    lowest: dict[bytes, int] = {}
    for alias, row in aliases:
        name = short(alias.value)
        lowest[name] = min(row, lowest.get(name, row))
    there = look_up(link, list(lowest), session)
    table = link.table("names")
    if fresh := [{"_id": Binary(name), "row": row} for name, row in lowest.items() if name not in there]:
        table.insert_many(fresh, session=session)
    lower = [
        UpdateOne({"_id": Binary(name)}, {"$min": {"row": lowest[name]}})
        for name, one in there.items()
        if lowest[name] < one["row"]
    ]
    if lower:
        table.bulk_write(lower, ordered=False, session=session)


def mark(link: Link, images: Iterable[Document], why: str | None, session: Session) -> None:
    """Note of images, by all their names, that their bytes are lost, or with None that they are there again."""
    change = {"$unset": {"bare": ""}} if why is None else {"$set": {"bare": why}}
    writes = [
        UpdateOne({"_id": Binary(name), "row": image["_id"]}, change)
        for image in images
        for name in (image["sha256"], *(short(value) for _, value in image["aliases"]))
    ]
    if writes:
        link.table("names").bulk_write(writes, ordered=False, session=session)
