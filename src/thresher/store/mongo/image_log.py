"""The log of images: a document a batch with the rows, SHA-256 and aliases that it brought.

It is written before the images' own documents and never read, except where one of those is lost: then the image gets
its row and its names back (recover.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from thresher.records import Alias, new_id
from thresher.store.mongo.link import Document, Link, Session

TABLE: Final = "image_log"
HASH_BYTES: Final = 32
# MongoDB takes 16 MB a document
RECORD_BYTES: Final = 12_000_000
ROW_BYTES: Final = 64
ALIAS_BYTES: Final = 40


def note(
    link: Link, rows: Mapping[bytes, int], aliases: Mapping[bytes, Sequence[Alias]], *, quickly: bool = False
) -> list[str]:
    """Record what a batch brought; returns the names of the records.

    With `quickly` the primary alone has them: ask whether they are `kept` once a majority has the images.
    """
    table = link.fast_table(TABLE) if quickly else link.table(TABLE)
    made = [_record(some, aliases) for some in _of_one_document(rows, aliases)]
    for one in made:
        table.insert_one(one)
    return [one["_id"] for one in made]


def forget(link: Link, names: Sequence[str]) -> None:
    """Take records away, after others that are true."""
    link.table(TABLE).delete_many({"_id": {"$in": list(names)}})


def kept(link: Link, names: Sequence[str], session: Session) -> bool:
    """Whether a majority has these records; an election may have taken them away."""
    return len(list(link.table(TABLE).find({"_id": {"$in": list(names)}}, {"_id": 1}, session=session))) == len(names)


def _record(rows: Mapping[bytes, int], aliases: Mapping[bytes, Sequence[Alias]]) -> Document:
    return {
        "_id": new_id(),
        "rows": np.fromiter(rows.values(), "<i8", len(rows)).tobytes(),
        "hashes": b"".join(rows),
        "aliases": [pairs(aliases.get(key, ())) for key in rows],
    }


def _of_one_document(rows: Mapping[bytes, int], aliases: Mapping[bytes, Sequence[Alias]]) -> Iterator[dict[bytes, int]]:
    """The rows in parts whose aliases fit a document; those of one image do, for they have fitted its own."""
    part: dict[bytes, int] = {}
    size = 0
    for key, row in rows.items():
        more = ROW_BYTES + sum(ALIAS_BYTES + len(one.kind) + len(one.value.encode()) for one in aliases.get(key, ()))
        if part and size + more > RECORD_BYTES:
            yield part
            part, size = {}, 0
        part[key] = row
        size += more
    if part:
        yield part


def pairs(aliases: Iterable[Alias]) -> list[list[str]]:
    """Aliases as documents have them."""
    return [[alias.kind, alias.value] for alias in aliases]


def recorded(link: Link, wanted: set[bytes]) -> dict[bytes, tuple[list[int], tuple[Alias, ...]]]:
    """The rows and the aliases of images, as far as they are recorded, the newest row first.

    They are several where a process was killed before it stored what another one then stored.
    """
    rows: dict[bytes, list[int]] = {}
    aliases: dict[bytes, list[Alias]] = {}
    for one in link.table(TABLE).find({}).sort("_id", -1) if wanted else ():
        hashes, numbers = one["hashes"], np.frombuffer(one["rows"], "<i8").tolist()
        for place, row in enumerate(numbers):
            key = hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            if key in wanted:
                rows.setdefault(key, []).append(row)
                aliases.setdefault(key, [])[:0] = [Alias(*pair) for pair in one["aliases"][place]]
    return {key: (list(dict.fromkeys(some)), tuple(dict.fromkeys(aliases[key]))) for key, some in rows.items()}
