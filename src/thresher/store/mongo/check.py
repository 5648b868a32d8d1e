"""`thresher check` on MongoDB: compare catalog, image bytes and columns, and repair after interrupted runs.

Nothing that a row refers to is ever removed. An image whose bytes are lost is marked, so that the next harvest stores
them again.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final

from bson import Binary, MaxKey
from pymongo import InsertOne

from thresher.errors import StoreDamaged
from thresher.records import now_ms
from thresher.store.contract import Categories, CheckReport, Columns, Images, Rounds
from thresher.store.findings import Findings, tell_lost_scores
from thresher.store.mongo import names, recount
from thresher.store.mongo.link import Document, Link, Session, Table, batches, key, span
from thresher.store.mongo.names import LOST
from thresher.store.mongo.originals import Originals
from thresher.store.shapes import Kinds

# bytes whose rows are still being committed look like bytes without rows; no writer waits as long
SETTLED_MS: Final = 15 * 60 * 1000
AT_ONCE: Final = 5_000
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a MongoDB store that are compared."""

    link: Link
    images: Images
    originals: Originals
    categories: Categories
    rounds: Rounds
    columns: Columns
    kinds: Kinds


def check(parts: Parts, findings: Findings) -> CheckReport:
    """Compare catalog, image bytes and columns; with `mend`, repair what an interrupted run left behind."""
    _check_counters(parts.link, parts.kinds, findings)
    _check_images(parts, findings)
    _check_spare_bytes(parts.link, findings)
    _check_columns(parts.link, findings)
    tell_lost_scores(parts.categories, parts.rounds, parts.columns, findings)
    findings.counted["images"] = parts.images.count()
    return findings.told()


def _check_counters(link: Link, kinds: Kinds, findings: Findings) -> None:
    findings.progress("check the catalog", 0, 1, "catalogs")
    for name, kept, counted in recount.differences(link, kinds):
        category, kind, which = name
        shown = f"{kind}:{which}" if which else kind
        findings.wrong(
            f"catalog: the counter {shown!r} of {category or 'the workspace'} is {kept}, and should be {counted}",
            partial(recount.correct, link, name, counted - kept),
        )
    findings.progress("check the catalog", 1, 1, "catalogs")


def _check_images(parts: Parts, findings: Findings) -> None:
    """Check that every row has its bytes and is found by its SHA-256."""
    link, total, done = parts.link, parts.images.count(), 0
    unnamed: list[Document] = []
    lost: list[Document] = []
    known_lost = 0
    fields = {"sha256": 1, "bare": 1, "aliases": 1}
    for some in batches(link.table("images").find({}, fields).sort("_id", 1), AT_ONCE):
        findings.progress("check images", done, total, "images")
        found = names.look_up(link, [one["sha256"] for one in some])
        unnamed += [one for one in some if one["sha256"] not in found]
        there = _there(link.table("bytes"), [one["sha256"] for one in some if "bare" not in one])
        if findings.every_byte:
            there -= _changed(parts.originals, [one for one in some if one["sha256"] in there], findings)
        lost += [one for one in some if "bare" not in one and one["sha256"] not in there]
        known_lost += sum(one.get("bare") == LOST for one in some)
        done += len(some)
    findings.progress("check images", done, total, "images")
    if unnamed:
        findings.wrong(f"images: {len(unnamed)} are not found by their SHA-256", lambda: _name(link, unnamed))
    if findings.mend:
        for some in batches(lost, AT_ONCE // 10):
            link.transact(lambda session: _mark_lost(link, some, session))  # noqa: B023 -- called here and now
    if lost or known_lost:
        shown = ", ".join(str(one["_id"]) for one in lost[:SHOWN]) + (", ..." if len(lost) > SHOWN else "")
        named = f" (rows {shown})" if lost else ""
        findings.count("images without bytes", len(lost) + known_lost)
        findings.wrong(f"images: {len(lost) + known_lost} have lost their bytes{named}; harvest them again")


def _changed(originals: Originals, images: list[Document], findings: Findings) -> set[bytes]:
    """The names whose bytes have another SHA-256; with repairs these are deleted, so that a harvest can store them."""
    changed: set[bytes] = set()
    for one in images:
        name = bytes(one["sha256"])
        try:
            data = originals.read({name: one["_id"]})[name]
        except StoreDamaged:
            data = b""
        findings.count("bytes read", len(data))
        if sha256(data).digest() != name:
            changed.add(name)
    if findings.mend and changed:
        originals.drop(sorted(changed))
    return changed


def _name(link: Link, images: list[Document]) -> None:
    missing = [InsertOne[Document]({"_id": Binary(one["sha256"]), "row": one["_id"]}) for one in images]
    link.table("names").bulk_write(missing, ordered=False)


def _mark_lost(link: Link, images: list[Document], session: Session) -> None:
    link.table("images").update_many(
        {"_id": {"$in": [one["_id"] for one in images]}}, {"$set": {"bare": LOST}}, session=session
    )
    names.mark(link, images, LOST, session)


def _check_spare_bytes(link: Link, findings: Findings) -> None:
    """Find bytes that an interrupted run sent without creating rows for them."""
    before_ms = now_ms() - SETTLED_MS
    spare: list[bytes] = []
    for some in batches(_keys(link.table("bytes")), AT_ONCE):
        rows = names.look_up(link, sorted({one[:32] for one in some}))
        # a row whose bytes are known to be lost has no use for a further piece of them
        spare += [one for one in some if one[:32] not in rows]
    old: list[bytes] = []
    for some in batches(spare, AT_ONCE):
        wanted = {"_id": {"$in": [Binary(one) for one in some]}, "at_ms": {"$lt": before_ms}}
        old += [one["_id"] for one in link.table("bytes").find(wanted, {"_id": 1})]
    if old:
        findings.count("unused images", len(old))
        findings.wrong(
            f"images: no row refers to the bytes of {len(old)} images", lambda: _reclaim(link, old, before_ms)
        )


def _reclaim(link: Link, spare: list[bytes], before_ms: int) -> None:
    # a writer that comes with one of them now marks it as of now, within the transaction that makes its row
    for some in batches(spare, AT_ONCE):
        link.table("bytes").delete_many({"_id": {"$in": [Binary(one) for one in some]}, "at_ms": {"$lt": before_ms}})


def _check_columns(link: Link, findings: Findings) -> None:
    """Check that every part has its values, and find remains of deleted or unfinished columns."""
    before_ms = now_ms() - SETTLED_MS
    generations = set()
    for column in link.table("columns").find().sort("_id", 1):
        generation = column["generation"]
        generations.add(generation)
        findings.count("columns")
        # values before parts: those of a part that comes in between are there already
        stored = {one["_id"]["number"] for one in link.table("blobs").find(span(of=generation), {"_id": 1})}
        found = link.table("column_parts").find(span(generation=generation), {"values": 1}).limit(column["newest"])
        parts = {one["_id"]["number"]: one["values"] for one in found}
        bad = [n for n in range(1, column["newest"] + 1) if n not in parts or (parts[n] and parts[n] not in stored)]
        if bad:
            findings.wrong(
                f"column {column['_id']}: {len(bad)} parts have lost their values",
                partial(_empty, link, generation, bad),
            )
        spare = [one for one in stored - set(parts.values()) if _made_ms(one) < before_ms]
        if spare:
            findings.wrong(
                f"column {column['_id']}: {len(spare)} values belong to no part",
                partial(_drop_values, link, generation, spare),
            )
    for table, field in (("column_parts", "generation"), ("blobs", "of")):
        left = [
            one for one in _firsts(link.table(table), field) if one not in generations and _made_ms(one) < before_ms
        ]
        if left:
            findings.wrong(
                f"columns: {table} of {len(left)} deleted columns were left behind",
                partial(_drop_left, link.table(table), field, left),
            )


def _empty(link: Link, generation: str, numbers: list[int]) -> None:
    """Make parts hold no rows, so that their rows count as missing and are computed again."""
    for number in numbers:
        nothing = {"values": "", "rows": Binary(b"")}
        link.table("column_parts").replace_one({"_id": key(generation=generation, number=number)}, nothing, upsert=True)


def _drop_values(link: Link, generation: str, spare: list[str]) -> None:
    for some in batches(spare, AT_ONCE):
        link.table("blobs").delete_many({"_id": {"$in": [key(of=generation, number=one) for one in some]}})


def _drop_left(table: Table, field: str, left: list[str]) -> None:
    for one in left:
        prefix: Document = {field: one}
        table.delete_many(span(**prefix))


def _made_ms(made: str) -> int:
    """The time at which an id was made (UUIDv7, RFC 9562 section 5.7: the first 48 bits)."""
    return uuid.UUID(made).int >> 80


def _there(table: Table, wanted: list[bytes]) -> set[bytes]:
    return {one["_id"] for one in table.find({"_id": {"$in": [Binary(one) for one in wanted]}}, {"_id": 1})}


def _keys(table: Table) -> Iterator[bytes]:
    # by the index alone: the pictures themselves are not read
    yield from (one["_id"] for one in table.find({}, {"_id": 1}).hint([("_id", 1)]))


def _firsts(table: Table, field: str) -> Iterator[str]:
    """Each text that compound `_id`s begin with, found by one index lookup each."""
    texts: dict[str, Any] = {"$gt": {field: ""}, "$lt": {field: {}}}  # MongoDB sorts documents behind all texts
    while (one := table.find_one({"_id": texts}, {"_id": 1}, sort=[("_id", 1)])) is not None:
        yield one["_id"][field]
        texts["$gt"] = {field: one["_id"][field], "end": MaxKey()}
