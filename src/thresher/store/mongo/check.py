"""`thresher check` on MongoDB: compare catalog, image bytes and columns, and on `--mend` repair after interrupted runs.

Nothing is deleted that cannot be made again; bytes that no row refers to are moved to the quarantine. An image whose
bytes are lost is marked, so that the next harvest stores them again.
"""

import uuid
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from typing import Any, Final

import numpy as np
from bson import MaxKey
from numpy.typing import NDArray
from pymongo import UpdateOne

from thresher.errors import StoreDamaged
from thresher.records import now_ms
from thresher.store.findings import Findings, Repair, named
from thresher.store.mongo import arriving, names, quarantine, recount
from thresher.store.mongo.arriving import SETTLED_MS
from thresher.store.mongo.columns import MongoColumns
from thresher.store.mongo.hashes import grown
from thresher.store.mongo.link import Document, Link, Table, among, batches, key, span
from thresher.store.mongo.names import LOST
from thresher.store.mongo.numbers import WORKSPACE
from thresher.store.mongo.originals import Originals
from thresher.store.mongo.upgrade_images import is_left, one_document_an_image
from thresher.store.shapes import Kinds

AT_ONCE: Final = 5_000
HASH_BYTES: Final = 32


def check(columns: MongoColumns, images: int, kinds: Kinds, findings: Findings) -> None:
    """Compare catalog, image bytes and columns; with `mend`, repair what an interrupted run left behind."""
    link = columns.link
    findings.progress("check the catalog", 0, 1, "catalogs")
    if is_left(link):
        told = "images: a process of an earlier version went on after the upgrade, and wrote some in its form"
        findings.wrong(told, partial(one_document_an_image, link))
    if findings.mend:
        arriving.clear_old(link)
    wrong: list[tuple[int, int, Repair]] = []
    for name, kept, counted in recount.differences(link, kinds):
        repair: Repair = partial(recount.correct, link, name, counted - kept)
        if name[:2] == (WORKSPACE, "images"):
            findings.hold_if_fewer(kept, counted)
            wrong.append((kept, counted, repair))
            continue
        shown = ":".join(filter(None, name[1:]))
        findings.miscounted(name[0], shown, kept, counted, repair)
    findings.progress("check the catalog", 1, 1, "catalogs")
    _check_images(link, images, findings)
    spare = _check_spare_bytes(link, findings)
    for kept, counted, repair in wrong:
        findings.miscounted_images(kept, counted, spare, repair)
    _check_columns(columns, findings)


def _check_images(link: Link, total: int, findings: Findings) -> None:
    """Check that every row has its bytes and is found by its names."""
    originals, done = Originals(link), 0
    unnamed: list[Document] = []
    lost: list[Document] = []
    known_lost: list[int] = []
    twice: list[int] = []
    here: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
    fields = {"row": 1, "bare": 1, "aliases": 1, "names": 1}
    for some in batches(link.table("images").find(names.STORED, fields).sort("row", 1), AT_ONCE):
        findings.progress("check images", done, total, "images")
        here = grown(here, some[-1]["row"] + 1)
        for row in (one["row"] for one in some):
            if here[row]:
                twice.append(row)
            here[row] = True
        unnamed += [one for one in some if not set(_names(one)) <= {*one.get("names", ())}]
        kept = [one for one in some if "bare" not in one]
        there = {one["_id"] for one in link.table("bytes").find(among(one["_id"] for one in kept), {"_id": 1})}
        if findings.every_byte:
            there -= _changed(originals, [one for one in kept if one["_id"] in there], findings)
        lost += [one for one in kept if one["_id"] not in there]
        known_lost += [one["row"] for one in some if one.get("bare") == LOST]
        done += len(some)
    findings.progress("check images", done, total, "images")
    if twice:
        told = f"images: {len(twice)} rows are those of several images ({named(twice)})"
        findings.wrong(f"{told}; restore the database from a backup of one moment")
        findings.hold(f"{len(twice):,} rows are those of several images, and the catalog may be of several moments.")
    if unnamed:
        findings.wrong(f"images: {len(unnamed)} are not found by their names", partial(_name, link, unnamed))
    without = {table: rows for table in names.NAMING if (rows := _rows_without_image(link, table, here))}
    findings.lost_rows(sorted({row for rows in without.values() for row in rows}), list(without))
    if findings.may_give_up(len(lost)) and findings.mend and lost:
        quarantine.keep_changed(link, originals.pieces_of([one["_id"] for one in lost]))
        for some in batches(lost, AT_ONCE):
            link.table("images").update_many(among(one["_id"] for one in some), {"$set": {"bare": LOST}})
    findings.lost_bytes(sorted([one["row"] for one in lost] + known_lost))


def _changed(originals: Originals, images: list[Document], findings: Findings) -> set[bytes]:
    """The names whose bytes have another SHA-256."""
    changed: set[bytes] = set()
    for one in images:
        name = bytes(one["_id"])
        try:
            data = originals.read({name: one["row"]})[name]
        except StoreDamaged:
            data = b""
        findings.count("bytes read", len(data))
        if sha256(data).digest() != name:
            changed.add(name)
    return changed


def _rows_without_image(link: Link, table: str, here: NDArray[np.bool_]) -> list[int]:
    """The rows that a collection names and that have no image."""
    found = np.fromiter((one["_id"]["row"] for one in link.table(table).find({}, {"_id.row": 1})), dtype=np.int64)
    rows = np.unique(found)
    inside = rows[rows < len(here)]
    return [*inside[~here[inside]].tolist(), *rows[rows >= len(here)].tolist()]


def _names(image: Document) -> list[bytes]:
    return names.shorts(value for _, value in image["aliases"])


def _name(link: Link, images: list[Document]) -> None:
    missing = [UpdateOne({"_id": one["_id"]}, {"$set": {"names": _names(one)}}) for one in images]
    link.table("images").bulk_write(missing, ordered=False)


def _check_spare_bytes(link: Link, findings: Findings) -> int:
    """Find bytes that an interrupted run sent without creating rows for them; returns the number of the images."""
    before_ms = now_ms() - SETTLED_MS
    spare: list[bytes] = []
    # by the index alone: the images themselves are not read
    every = link.table("bytes").find({}, {"_id": 1}).hint([("_id", 1)])
    for some in batches((one["_id"] for one in every), AT_ONCE):
        stored = names.known(link, sorted({one[:32] for one in some}))
        # a row whose bytes are known to be lost has no use for a further piece of them
        spare += [one for one in some if "row" not in stored.get(one[:32], {})]
    old: list[bytes] = []
    for some in batches(spare, AT_ONCE):
        wanted = {**among(some), "at_ms": {"$lt": before_ms}}
        old += [one["_id"] for one in link.table("bytes").find(wanted, {"_id": 1})]
    if old:
        count = sum(len(one) == HASH_BYTES for one in old)
        findings.count("unused images", count)
        told = f"images: no row refers to the bytes of {count} images"
        movable = findings.may_move(count)
        move = partial(quarantine.keep, link, old, before_ms)
        findings.wrong(told, move if movable else None)
        if findings.mend and movable:
            findings.notes.append(quarantine.note(count))
    return sum(len(one) == HASH_BYTES for one in spare)


def _check_columns(columns: MongoColumns, findings: Findings) -> None:
    """Check that every part has its values, and find remains of deleted or unfinished columns."""
    link, before_ms, generations = columns.link, now_ms() - SETTLED_MS, set()
    for column in link.table("columns").find().sort("_id", 1):
        generation = column["generation"]
        generations.add(generation)
        # values before parts: those of a part that comes in between are there already
        stored = {one["_id"]["number"] for one in link.table("blobs").find(span(of=generation), {"_id": 1})}
        found = link.table("column_parts").find(span(generation=generation), {"values": 1}).limit(column["newest"])
        parts = {one["_id"]["number"]: one["values"] for one in found}
        bad = [n for n in range(1, column["newest"] + 1) if n not in parts or (parts[n] and parts[n] not in stored)]
        if bad:
            told = f"column {column['_id']}: {len(bad)} parts have lost their values"
            findings.wrong(told, partial(columns.empty, column["_id"], bad))
        if findings.every_byte and columns.damaged_copy(column["_id"]):
            told = f"column {column['_id']}: the copy on this machine does not match its checksums"
            findings.wrong(told, partial(columns.drop_copy, generation))
        spare = [one for one in stored - set(parts.values()) if _made_ms(one) < before_ms]
        if spare:
            told = f"column {column['_id']}: {len(spare)} values belong to no part"
            findings.wrong(told, partial(_drop_values, link, generation, spare))
    for table, field in (("column_parts", "generation"), ("blobs", "of")):
        firsts = _firsts(link.table(table), field)
        left = [one for one in firsts if one not in generations and _made_ms(one) < before_ms]
        if left:
            told = f"columns: {table} of {len(left)} deleted columns were left behind"
            findings.wrong(told, partial(_drop_left, link.table(table), field, left))


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


def _firsts(table: Table, field: str) -> Iterator[str]:
    """Each text that compound `_id`s begin with, found by one index lookup each."""
    texts: dict[str, Any] = {"$gt": {field: ""}, "$lt": {field: {}}}  # MongoDB sorts documents behind all texts
    while (one := table.find_one({"_id": texts}, {"_id": 1}, sort=[("_id", 1)])) is not None:
        yield one["_id"][field]
        texts["$gt"] = {field: one["_id"][field], "end": MaxKey()}
