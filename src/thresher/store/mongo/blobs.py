"""Bytes of any length in documents of 8 MB, named by their hash: values of columns, heads, evidence."""

import hashlib
from collections.abc import Sequence
from typing import Final

from bson import Binary
from pymongo.errors import BulkWriteError

from thresher.errors import StoreDamaged
from thresher.store.findings import MEND
from thresher.store.mongo.link import Document, Link, Session, Table, key, span

PIECE_BYTES: Final = 8_000_000
DUPLICATE: Final = 11000


def put_blob(link: Link, data: bytes) -> bytes:
    """Store bytes; returns their SHA-256. Equal bytes are stored once. Acknowledged by a majority."""
    name = hashlib.sha256(data).digest()
    table = link.table("blobs")
    for number, start in enumerate(range(0, len(data) or 1, PIECE_BYTES)):
        # one message a piece: several would pass MongoDB's 48 MB
        insert_new(
            table, [{"_id": key(of=Binary(name), number=number), "piece": Binary(data[start : start + PIECE_BYTES])}]
        )
    return name


def get_blob(link: Link, name: bytes) -> bytes:
    """The bytes of a name, compared with their hash. Raises StoreDamaged."""
    pieces = link.table("blobs").find(span(of=Binary(name))).sort("_id", 1)
    data = b"".join(one["piece"] for one in pieces)
    if hashlib.sha256(data).digest() != name:
        raise StoreDamaged(f"the stored bytes {name.hex()[:12]} are incomplete.", where=link.shown, next=MEND)
    return data


def insert_new(table: Table, documents: Sequence[Document], session: Session | None = None) -> list[int]:
    """Insert those documents whose `_id` is new; the places of the others."""
    try:
        table.insert_many(documents, ordered=False, session=session)
    except BulkWriteError as error:
        return only_duplicates(error)
    return []


def only_duplicates(error: BulkWriteError) -> list[int]:
    """The places of the documents whose `_id` was there; raises the error if anything else failed."""
    failed = (error.details or {}).get("writeErrors", [])
    if any(one["code"] != DUPLICATE for one in failed) or (error.details or {}).get("writeConcernErrors"):
        raise error
    return [one["index"] for one in failed]
