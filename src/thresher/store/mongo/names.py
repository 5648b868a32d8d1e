"""How images are found by name: by the SHA-256, which is their `_id`, or by an index of the hashes of their aliases.

The index has 16 bytes of a hash of each alias: one of whole URLs would be as large as everything else together.
`bare` says that an image has no bytes: it is kept by "reference", or they are "lost".
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Final

from thresher.store.mongo.link import Document, Link, Session, among, batches
from thresher.store.rules import is_hash, spellings

AT_ONCE: Final = 10_000
REFERENCE: Final = "reference"
LOST: Final = "lost"
NAMING: Final = ("pool", "labels", "gold", "asks", "votes", "gold_answers")
"""The collections that name rows of images."""
STORED: Final = {"row": {"$gte": 0}}
"""The filter for images; other documents of their collection only bar a name (arriving.py)."""
NUMBERED: Final = {"_id": {"$type": "number"}}
"""The filter for images as earlier versions kept them, by row (upgrade_images.py)."""


def known(link: Link, keys: Sequence[bytes], session: Session | None = None, **fields: int) -> dict[bytes, Document]:
    """The documents of stored images by SHA-256, without aliases; those that bar a name too, which have no row."""
    found: dict[bytes, Document] = {}
    shown = fields or {"row": 1, "bare": 1, "void": 1}
    for some in batches(keys, AT_ONCE):
        there = link.table("images").find(among(some), shown, session=session, batch_size=AT_ONCE)
        found.update((one["_id"], one) for one in there)
    return found


def short(value: str) -> bytes:
    """The key under which an alias is looked up."""
    return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def shorts(values: Iterable[str]) -> list[bytes]:
    """The keys of an image's aliases, as its document has them."""
    return sorted({short(value) for value in values})


def look_up(link: Link, names: Sequence[str]) -> list[list[Document]]:
    """The images of each name, by row, each with its `row` and whether it is `bare`."""
    by_hash = known(link, [bytes.fromhex(name) for name in names if is_hash(name)])
    keys = [short(name) for name in names]
    by_alias: dict[bytes, list[Document]] = {}
    for some in batches(dict.fromkeys(keys), AT_ONCE):
        wanted = {"names": {"$in": some}}
        fields = {"row": 1, "bare": 1, "names": 1}
        for one in link.table("images").find(wanted, fields, batch_size=AT_ONCE):
            for name in one["names"]:
                by_alias.setdefault(name, []).append(one)
    found = []
    for name, key in zip(names, keys, strict=True):
        there = by_hash.get(bytes.fromhex(name)) if is_hash(name) else None
        first = [there] if there and "row" in there else []
        found.append([*first, *sorted(by_alias.get(key, ()), key=lambda one: int(one["row"]))])
    return found


def rows_of(link: Link, names: Sequence[str]) -> list[set[int]]:
    """Every row for each name: a SHA-256, or an alias in any spelling."""
    tried = [[*([name.lower()] if is_hash(name.lower()) else []), *spellings(name)] for name in names]
    flat = list(dict.fromkeys(one for some in tried for one in some))
    found = dict(zip(flat, look_up(link, flat), strict=True))
    return [{one["row"] for spelling in some for one in found[spelling]} for some in tried]
