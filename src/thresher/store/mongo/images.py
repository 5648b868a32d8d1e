"""Images in MongoDB: the catalog by row, the bytes by SHA-256 (originals.py).

Bytes are sent first, acknowledged by the primary only. The transaction that creates their rows checks that all bytes
are there and is acknowledged by a majority; a replica set's log has one order, so the bytes are then as safe as the
rows. The transaction also detects bytes that were lost in an election, and they are sent again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from bson import Binary
from pymongo import UpdateOne

from thresher.errors import StoreDamaged, StoreUnavailable
from thresher.records import Alias, Image, NewImage
from thresher.store.contract import Images, Rows
from thresher.store.mongo import fingerprints as by_fingerprint
from thresher.store.mongo import names as by_name
from thresher.store.mongo.failures import AGAIN, plain_failures, steadily
from thresher.store.mongo.hashes import Hashes
from thresher.store.mongo.link import Document, Link, Session, batches
from thresher.store.mongo.names import LOST, REFERENCE
from thresher.store.mongo.numbers import WORKSPACE, count_on, read_counts, take_numbers
from thresher.store.mongo.originals import BytesLost, Originals
from thresher.store.rules import (
    ALIKE_MOST,
    bytes_lost,
    fetched,
    groups_of,
    hash_key,
    is_hash,
    no_such_row,
    plain,
)

PUT_IMAGES: Final = 500
READ_IMAGES: Final = 64
FIND_AT_ONCE: Final = 10_000
BYTES_TRIES: Final = 5


@plain_failures
class MongoImages(Images):
    """Encoded bytes, stored once and untouched."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.originals = Originals(link)
        self.hashes = Hashes(link)
        self.grouped = True
        self.fetch_reference: Callable[[Image], bytes] | None = None
        """Gets the bytes of an image kept by reference; whoever opens the store may hand one in."""

    def put(self, batch: Sequence[NewImage]) -> list[int]:
        return [row for some in batches(batch, PUT_IMAGES) for row in self._put(some)]

    def _put(self, batch: Sequence[NewImage]) -> list[int]:
        keys = [hash_key(image.sha256) for image in batch]
        coming = _gathered(keys, batch)
        known = by_name.look_up(self.link, list(coming))
        new = [key for key in coming if key not in known]
        gaining = {key for key, one in known.items() if "bare" in one and coming[key].data is not None}
        if not new and not gaining and not any(one.aliases for one in coming.values()):
            return [known[key]["row"] for key in keys]
        data = {key: coming[key].data or b"" for key in (*new, *gaining) if coming[key].data is not None}
        first = take_numbers(self.link, "row", len(new)) if new else 0
        for _ in range(BYTES_TRIES):
            waiting = self.originals.put(data)
            try:
                rows = self.link.transact(lambda session: self._commit(coming, new, first, data, waiting, session))  # noqa: B023 -- called here and now
                return [rows[key] for key in keys]
            except BytesLost:
                continue
        raise StoreUnavailable("elections keep losing the bytes just sent.", where=self.link.shown, next=AGAIN)

    def _commit(
        self,
        coming: dict[bytes, NewImage],
        new: list[bytes],
        first: int,
        data: dict[bytes, bytes],
        waiting: list[bytes],
        session: Session,
    ) -> dict[bytes, int]:
        there = by_name.look_up(self.link, list(coming), session)
        # another process may have been quicker with some; their numbers stay a gap
        fresh = {key: row for row, key in enumerate(new, first) if key not in there}
        gaining = {key: one["row"] for key, one in there.items() if "bare" in one and key in data}
        self.originals.vouch({key: data[key] for key in (*fresh, *gaining) if key in data}, waiting, session)
        if fresh:
            similar = self._groups({key: coming[key] for key in fresh}, fresh, session)
            made = [
                image_document(row, key, coming[key], similar[key], "" if key in data else REFERENCE)
                for key, row in fresh.items()
            ]
            by_name.add_hashes(self.link, fresh, (key for key in fresh if key not in data), session)
            self.link.table("images").insert_many(made, session=session)
            count_on(self.link, WORKSPACE, {("images", ""): len(made)}, session)
        if gaining:
            self._fill({row: len(data[key]) for key, row in gaining.items()}, session)
            count_on(self.link, WORKSPACE, {}, session, moves=["pool"])
        rows = {key: one["row"] for key, one in there.items()} | fresh
        self._name(coming, rows, fresh, session)
        return rows

    def _fill(self, sizes: dict[int, int], session: Session) -> None:
        """Record that rows have bytes now."""
        table = self.link.table("images")
        by_name.mark(self.link, table.find({"_id": {"$in": list(sizes)}}, session=session), None, session)
        filled = [
            UpdateOne({"_id": row}, {"$set": {"bytes": size}, "$unset": {"bare": ""}}) for row, size in sizes.items()
        ]
        table.bulk_write(filled, ordered=False, session=session)

    def _groups(self, new: dict[bytes, NewImage], rows: dict[bytes, int], session: Session) -> dict[bytes, int]:
        """The row that represents each new image. Raises BadInput, Conflict."""
        named = {hash_key(image.similar) for image in new.values() if image.similar}
        groups = self._represented(sorted(named - new.keys()), session) if named else {}
        alone = sorted({image.fingerprint for image in new.values() if image.fingerprint and not image.similar})
        there = by_fingerprint.alike(self.link, alone, session)
        groups = groups_of(new, rows, groups, {one: len(found) for one, found in there.items()})
        fresh: dict[str, list[int]] = {}
        for key, image in new.items():
            if image.fingerprint and not image.similar:
                fresh.setdefault(image.fingerprint, []).append(rows[key])
        by_fingerprint.add(self.link, fresh, there, session)
        return groups

    def _represented(self, keys: list[bytes], session: Session) -> dict[bytes, int]:
        """The rows that represent the groups of stored images."""
        rows: dict[int, bytes] = {one["row"]: key for key, one in by_name.look_up(self.link, keys, session).items()}
        found = self.link.table("images").find({"_id": {"$in": list(rows)}}, {"copy_of": 1}, session=session)
        return {rows[one["_id"]]: one["copy_of"] if "copy_of" in one else one["_id"] for one in found}

    def _name(
        self, coming: dict[bytes, NewImage], rows: dict[bytes, int], fresh: dict[bytes, int], session: Session
    ) -> None:
        """Index images by their aliases, and add new aliases of existing images."""
        later = [
            UpdateOne({"_id": rows[key]}, {"$addToSet": {"aliases": {"$each": _pairs(one.aliases)}}})
            for key, one in coming.items()
            if one.aliases and key not in fresh
        ]
        if later:
            self.link.table("images").bulk_write(later, ordered=False, session=session)
        named = ((alias, rows[key]) for key, one in coming.items() for alias in one.aliases)
        by_name.add_aliases(self.link, named, session)

    def alike(self, fingerprints: Sequence[str]) -> list[list[Image]]:
        found = by_fingerprint.alike(self.link, fingerprints)
        rows = sorted({row for some in found.values() for row in some[:ALIKE_MOST]})
        images = dict(zip(rows, self.many(rows), strict=True))
        return [[images[row] for row in found.get(one, [])[:ALIKE_MOST]] for one in fingerprints]

    def get(self, row: int) -> Image:
        found = self.link.table("images").find_one({"_id": int(row)})
        if found is None:
            raise no_such_row({int(row)})
        return _image(found, aliases=True)

    def many(self, rows: Sequence[int] | Rows) -> list[Image]:
        wanted = plain(rows)
        found = self._documents(wanted, {"aliases": 0})
        return [_image(found[row]) for row in wanted]

    def _documents(self, wanted: list[int], fields: dict[str, int]) -> dict[int, Document]:
        found: dict[int, Document] = {}
        for some in batches(wanted, FIND_AT_ONCE):
            found.update(
                (one["_id"], one)
                for one in self.link.table("images").find({"_id": {"$in": some}}, fields, batch_size=FIND_AT_ONCE)
            )
        if missing := set(wanted) - found.keys():
            raise no_such_row(missing)
        return found

    def find(self, names: Sequence[str]) -> list[int | None]:
        tried = [[bytes.fromhex(name)] if is_hash(name) else [] for name in names]
        for keys, name in zip(tried, names, strict=True):
            keys.append(by_name.short(name))
        found = by_name.look_up(self.link, [key for keys in tried for key in keys])
        # one whose bytes are lost is not found, so that a harvest brings them again
        rows = {key: one["row"] for key, one in found.items() if one.get("bare") != LOST}
        return [next((rows[key] for key in keys if key in rows), None) for keys in tried]

    def aliases(self, rows: Sequence[int] | Rows) -> dict[int, tuple[Alias, ...]]:
        found: dict[int, tuple[Alias, ...]] = dict.fromkeys(plain(rows), ())
        for some in batches(found, FIND_AT_ONCE):
            for one in self.link.table("images").find({"_id": {"$in": some}}, {"aliases": 1}):
                found[one["_id"]] = tuple(Alias(*pair) for pair in one["aliases"])
        return found

    def read(self, row: int) -> bytes:
        return next(self.read_many([row]))

    def read_many(self, rows: Sequence[int] | Rows) -> Iterator[bytes]:
        for some in batches(plain(rows), READ_IMAGES):
            hashes, data = steadily(lambda: self._read_some(some))  # noqa: B023 -- called here and now
            for row in some:
                yield data[hashes[row]] if row in hashes else fetched(self.get(row), self.fetch_reference)

    def _read_some(self, rows: Sequence[int]) -> tuple[dict[int, bytes], dict[bytes, bytes]]:
        hashes = self.hashes.of(rows)
        if without := [row for row in rows if row not in hashes]:
            for row, one in self._documents(without, {"bare": 1}).items():
                if one.get("bare") == LOST:
                    raise bytes_lost(row)
        try:
            return hashes, self.originals.read({name: row for row, name in hashes.items()})
        except StoreDamaged:
            # a check may have seen meanwhile that some are lost, and a harvest have brought them again
            fresh = Hashes(self.link)
            if fresh.of(rows).keys() == hashes.keys():
                raise
            self.hashes = fresh
            return self._read_some(rows)

    def page(self, after_row: int, limit: int) -> list[Image]:
        found = self.link.table("images").find({"_id": {"$gt": after_row}}, {"aliases": 0}).sort("_id", 1).limit(limit)
        return [_image(one) for one in found] if limit else []

    def count(self) -> int:
        return read_counts(self.link, WORKSPACE).get("images", {}).get("", 0)

    def top(self) -> int:
        newest = self.link.table("images").find_one({}, {"_id": 1}, sort=[("_id", -1)])
        return int(newest["_id"]) + 1 if newest else 0

    def similar(self, rows: Rows) -> Rows:
        rows = np.asarray(rows, dtype=np.int64)
        if not len(rows):
            return rows
        here_rows(self.link, rows)
        if not self.grouped:
            return rows
        # only those that another one represents say so, and their index holds both rows
        within = {"_id": {"$gte": int(rows.min()), "$lte": int(rows.max())}, "copy_of": {"$gte": 0}}
        found = list(self.link.table("images").find(within, {"copy_of": 1}).sort("_id", 1))
        joined = np.array([one["_id"] for one in found], dtype=np.int64)
        represented = np.array([one["copy_of"] for one in found], dtype=np.int64)
        place = np.searchsorted(joined, rows)
        joins = np.isin(rows, joined)
        answer = rows.copy()
        answer[joins] = represented[place[joins]]
        return answer


def here_rows(link: Link, rows: Sequence[int] | Rows) -> None:
    """Raise NotFound if a row has no image. Images are never deleted, so each row is checked only once."""
    wanted = np.unique(np.asarray(rows, dtype=np.int64))
    known = link.known_rows
    inside = wanted[(wanted >= 0) & (wanted < len(known))]
    asked = np.setdiff1d(wanted, inside[known[inside]], assume_unique=True)
    there: list[int] = []
    for some in batches(asked.tolist(), FIND_AT_ONCE):
        found = link.table("images").find({"_id": {"$in": some}}, {"_id": 1}, batch_size=FIND_AT_ONCE)
        there += [one["_id"] for one in found]
    if len(there) != len(asked):
        raise no_such_row(set(asked.tolist()) - set(there))
    if there:
        grown = np.zeros(max(len(known), max(there) + 1), dtype=np.bool_)
        grown[: len(known)] = known
        grown[there] = True
        link.known_rows = grown


def _gathered(keys: Sequence[bytes], batch: Sequence[NewImage]) -> dict[bytes, NewImage]:
    """Each image of a batch once: the first of equal ones that brings bytes, with all their aliases."""
    found: dict[bytes, NewImage] = {}
    for key, image in zip(keys, batch, strict=True):
        there = found.get(key, image)
        better = image if there.data is None and image.data is not None else there
        found[key] = replace(better, aliases=tuple(dict.fromkeys((*there.aliases, *image.aliases))))
    return found


def _pairs(aliases: Sequence[Alias]) -> list[list[str]]:
    return [[alias.kind, alias.value] for alias in aliases]


def image_document(row: int, key: bytes, image: NewImage, similar: int, bare: str) -> Document:
    """The document of an image; what it shares with most others is left out."""
    document: Document = {
        "_id": row,
        "sha256": Binary(key),
        **{name: getattr(image, name) for name in ("width", "height", "format", "orientation", "fingerprint")},
        "bytes": image.bytes if image.data is None else len(image.data),
        "aliases": _pairs(image.aliases),
    }
    return document | ({"bare": bare} if bare else {}) | ({"copy_of": similar} if similar != row else {})


def _image(one: Document, *, aliases: bool = False) -> Image:
    row: Any = one["_id"]  # an integer, as every field has the type its writer gave it
    return Image(
        row, one["sha256"].hex(), one["width"], one["height"], one["format"], one["orientation"], one["bytes"],
        one.get("copy_of", row), one.get("bare") == REFERENCE,
        tuple(Alias(*pair) for pair in one["aliases"]) if aliases else (),
    )  # fmt: skip
