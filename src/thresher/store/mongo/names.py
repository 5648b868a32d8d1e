"""The index of names: a small document for each SHA-256 and each alias, with the row it refers to.

The `_id` is the 32 bytes of the SHA-256, or 16 bytes of a hash of the alias's value: an index of whole URLs would be as
large as everything else together. An alias of `several` images refers to the lowest row, and each of them has one more
document, whose `_id` is the 16 bytes and 8 of the row. `bare` says that the row has no bytes: it is kept by
"reference", or they are "lost".
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from struct import Struct
from typing import Final

from bson import Binary
from pymongo import UpdateOne

from thresher.records import Alias
from thresher.store.mongo.link import Document, Link, Session, batches
from thresher.store.rules import is_hash, spellings

AT_ONCE: Final = 10_000
RANGES_AT_ONCE: Final = 500
IMAGES_AT_ONCE: Final = 1_000
REFERENCE: Final = "reference"
LOST: Final = "lost"
_ROW: Final = Struct(">Q")
_LOWEST: Final = bytes(_ROW.size)
_HIGHEST: Final = b"\xff" * _ROW.size


def look_up(link: Link, names: Sequence[bytes], session: Session | None = None) -> dict[bytes, Document]:
    """The documents of those names that are known."""
    found: dict[bytes, Document] = {}
    for some in batches(names, AT_ONCE):
        wanted = {"_id": {"$in": [Binary(name) for name in some]}}
        found.update((one["_id"], one) for one in link.table("names").find(wanted, session=session, batch_size=AT_ONCE))
    return found


def short(value: str) -> bytes:
    """The key under which an alias is looked up."""
    return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def add_hashes(link: Link, rows: Mapping[bytes, int], references: Iterable[bytes], session: Session) -> None:
    """Index new rows by their SHA-256."""
    bare = set(references)
    # a Binary equals no bytes
    further = ((key, row, {"bare": REFERENCE} if key in bare else {}) for key, row in rows.items())
    made: list[Document] = [{"_id": Binary(key), "row": row, **more} for key, row, more in further]
    link.table("names").insert_many(made, session=session)


def add_aliases(link: Link, aliases: Iterable[tuple[Alias, int]], session: Session | None) -> None:
    """Index rows by their aliases; an alias of several images gives the lowest row, and all rows are recorded."""
    rows: dict[bytes, set[int]] = defaultdict(set)
    for alias, row in aliases:
        rows[short(alias.value)].add(row)
    there = look_up(link, list(rows), session)
    table = link.table("names")
    fresh: list[Document] = []
    changed: list[UpdateOne] = []
    shared: dict[bytes, int] = {}
    for name, some in rows.items():
        known = there.get(name, {})
        every = some | ({known["row"]} if known else set())
        several = len(every) > 1
        if several or known.get("several"):
            shared |= {name + _ROW.pack(row): row for row in every}
        if not known:
            fresh.append({"_id": Binary(name), "row": min(some), **({"several": True} if several else {})})
        elif several and (min(some) < known["row"] or not known.get("several")):
            changed.append(UpdateOne({"_id": Binary(name)}, {"$min": {"row": min(some)}, "$set": {"several": True}}))
    noted = look_up(link, list(shared), session) if shared else {}
    fresh += [{"_id": Binary(name), "row": row} for name, row in shared.items() if name not in noted]
    if fresh:
        table.insert_many(fresh, session=session)
    if changed:
        table.bulk_write(changed, ordered=False, session=session)


def note_namesakes(link: Link) -> None:
    """Record every image of each alias, in a workspace from the time when an alias recorded only its lowest row."""
    for some in batches(link.table("images").find({}, {"aliases": 1}).sort("_id", 1), IMAGES_AT_ONCE):
        add_aliases(link, ((Alias(*pair), one["_id"]) for one in some for pair in one["aliases"]), None)


def rows_of(link: Link, names: Sequence[str]) -> list[set[int]]:
    """Every row for each name: a SHA-256, or an alias in any spelling."""
    keys = [[*([bytes.fromhex(name)] if is_hash(name.lower()) else []), *map(short, spellings(name))] for name in names]
    found = look_up(link, [key for some in keys for key in some])
    rows = {key: {one["row"]} for key, one in found.items()}
    for some in batches((key for key, one in found.items() if one.get("several")), RANGES_AT_ONCE):
        # MongoDB orders binaries by their length first, so that these hold names of a row behind an alias alone
        ranges = [{"_id": {"$gte": Binary(key + _LOWEST), "$lte": Binary(key + _HIGHEST)}} for key in some]
        for one in link.table("names").find({"$or": ranges}, batch_size=AT_ONCE):
            rows[one["_id"][: -_ROW.size]].add(one["row"])
    return [set().union(*(rows.get(key, ()) for key in some)) for some in keys]


def mark(link: Link, images: Iterable[Document], why: str | None, session: Session) -> None:
    """Record for images, under all their names, that their bytes are lost, or (None) that they are there again."""
    change = {"$unset": {"bare": ""}} if why is None else {"$set": {"bare": why}}
    writes = [
        UpdateOne({"_id": Binary(name), "row": image["_id"]}, change)
        for image in images
        for name in (image["sha256"], *(short(value) for _, value in image["aliases"]))
    ]
    if writes:
        link.table("names").bulk_write(writes, ordered=False, session=session)
