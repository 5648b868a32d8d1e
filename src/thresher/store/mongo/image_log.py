"""The log of images: a document a batch with the rows, SHA-256 and aliases that it brought.

It is written before the images' own documents and never read, except where one of those is lost: then the image gets
its row and its names back (recover.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from thresher.records import Alias, new_id
from thresher.store.mongo.link import Link

TABLE: Final = "image_log"
HASH_BYTES: Final = 32


def note(
    link: Link, rows: Mapping[bytes, int], aliases: Mapping[bytes, Sequence[Alias]], *, instead_of: str = ""
) -> str:
    """Record what a batch brought, in place of an earlier record of it; returns the name of the record."""
    name = instead_of or new_id()
    made = {
        "_id": name,
        "rows": np.fromiter(rows.values(), "<i8", len(rows)).tobytes(),
        "hashes": b"".join(rows),
        "aliases": [pairs(aliases.get(key, ())) for key in rows],
    }
    # by the primary alone: a majority has it with the images themselves, which are written after it
    link.fast_table(TABLE).replace_one({"_id": name}, made, upsert=True)
    return name


def pairs(aliases: Iterable[Alias]) -> list[list[str]]:
    """Aliases as documents have them."""
    return [[alias.kind, alias.value] for alias in aliases]


def recorded(link: Link, wanted: set[bytes]) -> dict[bytes, tuple[int, tuple[Alias, ...]]]:
    """The row and the aliases of images, as far as they are recorded."""
    rows: dict[bytes, int] = {}
    aliases: dict[bytes, list[Alias]] = {}
    for one in link.table(TABLE).find({}).sort("_id", 1) if wanted else ():
        hashes, numbers = one["hashes"], np.frombuffer(one["rows"], "<i8").tolist()
        for place, row in enumerate(numbers):
            key = hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            if key in wanted:
                rows[key] = row
                aliases.setdefault(key, []).extend(Alias(*pair) for pair in one["aliases"][place])
    return {key: (row, tuple(dict.fromkeys(aliases[key]))) for key, row in rows.items()}
