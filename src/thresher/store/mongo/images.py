"""Images in MongoDB: one document an image, `_id` = SHA-256, with its row, names and group; the bytes in originals.py.

Nothing here needs a transaction. Bytes are sent first, acknowledged by the primary only. Then the batch reserves its
rows (arriving.py), which a majority acknowledges, and reads as a majority has it that all bytes are there: what is lost
in an election is sent again. Only then the documents are inserted, each whole: an image is found by all its names or by
none, and never without its bytes. Of two processes that bring the same image the `_id` lets one insert it, and the
other gets that row.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np
from pymongo import ReplaceOne, UpdateOne
from pymongo.errors import DocumentTooLarge, PyMongoError

from thresher.errors import StoreDamaged, StoreUnavailable, ThresherError
from thresher.records import Alias, Image, NewImage
from thresher.store.contract import Images, Rows
from thresher.store.mongo import arriving, image_log
from thresher.store.mongo import names as by_name
from thresher.store.mongo.arriving import Batch
from thresher.store.mongo.blobs import insert_new
from thresher.store.mongo.failures import AGAIN, plain_failures, steadily
from thresher.store.mongo.hashes import Hashes
from thresher.store.mongo.link import Document, Link, Session, batches
from thresher.store.mongo.names import LOST, REFERENCE
from thresher.store.mongo.numbers import WORKSPACE, count_on
from thresher.store.mongo.originals import BytesLost, Originals
from thresher.store.rules import (
    ALIKE_MOST,
    bytes_lost,
    fetched,
    groups_of,
    hash_key,
    no_such_row,
    plain,
)

PUT_IMAGES: Final = 500
READ_IMAGES: Final = 64
FIND_AT_ONCE: Final = 10_000
TRIES: Final = 20
LIGHT: Final[Mapping[str, int]] = {"aliases": 0, "names": 0}


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
        for _ in range(TRIES):
            # after whatever failure, all of it again: what is stored by then is known
            rows = steadily(partial(self._put_once, coming))
            if rows is not None:
                return [rows[key] for key in keys]
        what = "elections or other processes kept undoing what was just sent."
        raise StoreUnavailable(what, where=self.link.shown, next=AGAIN)

    def _put_once(self, coming: dict[bytes, NewImage]) -> dict[bytes, int] | None:
        """The rows of images, by SHA-256; None if others were quicker with some, or bytes were lost."""
        with self.link.client.start_session() as session:
            there = by_name.known(self.link, list(coming), session)
            rows = {key: int(one["row"]) for key, one in there.items() if "row" in one}
            new = {key: image for key, image in coming.items() if key not in rows}
            gaining = {key for key in rows if "bare" in there[key] and coming[key].data is not None}
            data = {key: coming[key].data or b"" for key in (*new, *gaining) if coming[key].data is not None}
            waiting = self.originals.put(data, session)
            try:
                bars = {key: one["void"] for key, one in there.items() if "void" in one}
                added = self._add(new, data, waiting, bars, session) if new else {}
                if gaining:
                    self._fill({key: data[key] for key in gaining}, waiting, session)
            except BytesLost:
                return None
            self._name({key: coming[key] for key in rows}, rows)
            return None if len(added) < len(new) else rows | added

    def _add(
        self, new: dict[bytes, NewImage], data: dict[bytes, bytes], waiting: list[bytes], bars: dict[bytes, str],
        session: Session,
    ) -> dict[bytes, int]:  # fmt: skip
        """Store new images whose bytes were sent; the rows of those with which nobody was quicker. Raises BytesLost."""
        # one that is compared with as many as are compared at all waits for nobody, and nobody for it
        alone = (key for key, image in new.items() if not image.similar and image.compared < ALIKE_MOST)
        prints = dict.fromkeys(new, "") | {key: new[key].fingerprint for key in alone}
        # before the batch is on the list: who waits for it does not wait for its bytes too
        self.originals.vouch({key: data[key] for key in new if key in data}, waiting, session)
        batch, before = arriving.announce(self.link, prints, session)
        rows = {key: row for row, key in enumerate(new, batch.first)}
        try:
            arriving.wait_for_those_before(self.link, list(new), batch, before, session)
            made = self._documents(new, rows, data.keys(), session)
            return self._insert(batch, made, rows, new, bars, session)
        except ThresherError:
            arriving.end(self.link, batch, 0)
            if any("row" in one for one in by_name.known(self.link, list(new), session).values()):
                return {}  # somebody else has stored some meanwhile, which then are not compared again
            raise
        except (PyMongoError, DocumentTooLarge) as error:
            if isinstance(error, DocumentTooLarge) or not error.timeout:  # else others find it listed, and end it
                with suppress(PyMongoError):
                    arriving.end_abandoned(self.link, batch, session)
            raise

    def _insert(
        self, batch: Batch, made: list[Document], rows: dict[bytes, int], new: dict[bytes, NewImage],
        bars: dict[bytes, str], session: Session,
    ) -> dict[bytes, int]:  # fmt: skip
        """Insert the documents of a batch, and take it off the list; the rows of those that were not there."""
        aliases = {key: image.aliases for key, image in new.items()}
        records = image_log.note(self.link, rows, aliases, quickly=True)
        # who joins an image of this batch comes after it, as another process may have given it another row
        joins = [one.get("copy_of", -1) >= batch.first for one in made]
        added = dict(rows)
        for turn in (False, True):
            part = [one for one, second in zip(made, joins, strict=True) if second is turn]
            refused = self._insert_new(part, bars) if len(added) == len(rows) else part
            for one in refused:
                del added[one["_id"]]
        if len(added) < len(rows) or not image_log.kept(self.link, records, session):
            image_log.note(self.link, added, aliases)
            image_log.forget(self.link, records)
        arriving.end(self.link, batch, len(added))
        return added

    def _insert_new(self, made: list[Document], bars: dict[bytes, str]) -> list[Document]:
        """Insert documents whose `_id` is new, or barred as it was seen to be; those that are left over."""
        table = self.link.table("images")
        barred = [bars.get(one["_id"]) for one in made]
        fresh = [one for one, bar in zip(made, barred, strict=True) if bar is None]
        left = [fresh[place] for place in insert_new(table, fresh)] if fresh else []
        again = [(one, bar) for one, bar in zip(made, barred, strict=True) if bar is not None]
        instead = [ReplaceOne({"_id": one["_id"], "void": bar}, one) for one, bar in again]
        if instead and table.bulk_write(instead, ordered=False).matched_count < len(instead):
            there = by_name.known(self.link, [one["_id"] for one, _ in again])
            left += [one for one, _ in again if there.get(one["_id"], {}).get("row") != one["row"]]
        return left

    def _documents(
        self, new: dict[bytes, NewImage], rows: dict[bytes, int], full: Collection[bytes], session: Session
    ) -> list[Document]:
        """The documents of new images, each in its similar group. Raises BadInput, Conflict."""
        named = {hash_key(image.similar) for image in new.values() if image.similar}
        groups = self._represented(sorted(named - new.keys()), session) if named else {}
        alone = sorted({image.fingerprint for image in new.values() if image.fingerprint and not image.similar})
        there = {one: len(found) for one, found in alike(self.link, alone, session).items()}
        similar = groups_of(new, rows, groups, there)
        made = []
        for key, image in new.items():
            stands = bool(image.fingerprint) and not image.similar and there.get(image.fingerprint, 0) < ALIKE_MOST
            if stands:
                there[image.fingerprint] = there.get(image.fingerprint, 0) + 1
            bare = "" if key in full else REFERENCE
            made.append(image_document(rows[key], key, image, similar[key], bare, alike=stands))
        return made

    def _represented(self, keys: list[bytes], session: Session) -> dict[bytes, int]:
        """The rows that represent the groups of stored images."""
        found = by_name.known(self.link, keys, session, row=1, copy_of=1)
        return {
            key: int(one["copy_of"] if "copy_of" in one else one["row"]) for key, one in found.items() if "row" in one
        }

    def _fill(self, data: Mapping[bytes, bytes], waiting: Sequence[bytes], sent: Session) -> None:
        """Record that images have bytes now, which were sent. Raises BytesLost."""
        self.originals.vouch(data, waiting, sent)
        self.link.transact(partial(self._mark_full, data))

    def _mark_full(self, data: Mapping[bytes, bytes], session: Session) -> None:
        filled = [
            UpdateOne({"_id": key, "bare": {"$exists": True}}, {"$set": {"bytes": len(one)}, "$unset": {"bare": ""}})
            for key, one in data.items()
        ]
        self.link.table("images").bulk_write(filled, ordered=False, session=session)
        count_on(self.link, WORKSPACE, {}, session, moves=["pool"])

    def _name(self, coming: Mapping[bytes, NewImage], rows: Mapping[bytes, int]) -> None:
        """Add the new aliases of stored images."""
        aliases = {key: image.aliases for key, image in coming.items() if image.aliases}
        writes = [UpdateOne({"_id": key}, {"$addToSet": naming(some, each=True)}) for key, some in aliases.items()]
        if writes and self.link.table("images").bulk_write(writes, ordered=False).modified_count:
            image_log.note(self.link, {key: rows[key] for key in aliases}, aliases)

    def alike(self, fingerprints: Sequence[str]) -> list[list[Image]]:
        found = alike(self.link, list(dict.fromkeys(fingerprints)))
        rows = sorted({row for some in found.values() for row in some})
        images = dict(zip(rows, self.many(rows), strict=True))
        return [[images[row] for row in found.get(one, [])] for one in fingerprints]

    def get(self, row: int) -> Image:
        found = self.link.table("images").find_one({"row": int(row)})
        if found is None:
            raise no_such_row({int(row)})
        return _image(found, aliases=True)

    def many(self, rows: Sequence[int] | Rows) -> list[Image]:
        wanted = plain(rows)
        found = self._of_rows(wanted, LIGHT)
        return [_image(found[row]) for row in wanted]

    def _of_rows(self, wanted: list[int], fields: Mapping[str, int]) -> dict[int, Document]:
        found: dict[int, Document] = {}
        for some in batches(wanted, FIND_AT_ONCE):
            there = self.link.table("images").find({"row": {"$in": some}}, fields, batch_size=FIND_AT_ONCE)
            found.update((one["row"], one) for one in there)
        if missing := set(wanted) - found.keys():
            raise no_such_row(missing)
        return found

    def find(self, names: Sequence[str]) -> list[int | None]:
        # one whose bytes are lost is not found, so that a harvest brings them again
        return [
            next((int(one["row"]) for one in found if one.get("bare") != LOST), None)
            for found in by_name.look_up(self.link, names)
        ]

    def aliases(self, rows: Sequence[int] | Rows) -> dict[int, tuple[Alias, ...]]:
        found: dict[int, tuple[Alias, ...]] = dict.fromkeys(plain(rows), ())
        for some in batches(found, FIND_AT_ONCE):
            for one in self.link.table("images").find({"row": {"$in": some}}, {"row": 1, "aliases": 1}):
                found[one["row"]] = tuple(Alias(*pair) for pair in one["aliases"])
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
            for row, one in self._of_rows(without, {"row": 1, "bare": 1}).items():
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
        found = self.link.table("images").find({"row": {"$gt": after_row}}, LIGHT).sort("row", 1).limit(limit)
        return [_image(one) for one in found] if limit else []

    def count(self) -> int:
        return arriving.count_images(self.link)

    def top(self) -> int:
        return arriving.top_row(self.link)

    def similar(self, rows: Rows) -> Rows:
        rows = np.asarray(rows, dtype=np.int64)
        if not len(rows):
            return rows
        here_rows(self.link, rows)
        if not self.grouped:
            return rows
        # only those that another one represents say so, and their index holds both rows
        within = {"row": {"$gte": int(rows.min()), "$lte": int(rows.max())}, "copy_of": {"$gte": 0}}
        found = list(self.link.table("images").find(within, {"_id": 0, "row": 1, "copy_of": 1}).sort("row", 1))
        joined = np.array([one["row"] for one in found], dtype=np.int64)
        represented = np.array([one["copy_of"] for one in found], dtype=np.int64)
        place = np.searchsorted(joined, rows)
        joins = np.isin(rows, joined)
        answer = rows.copy()
        answer[joins] = represented[place[joins]]
        return answer


def alike(link: Link, fingerprints: Sequence[str], session: Session | None = None) -> dict[str, list[int]]:
    """The rows that represent a group, ascending, for each known fingerprint; not more than are compared."""
    found: dict[str, list[int]] = {}
    for some in batches(fingerprints, FIND_AT_ONCE):
        wanted = {"fingerprint": {"$in": some}, "alike": True}
        fields = {"_id": 0, "row": 1, "fingerprint": 1}
        for one in link.table("images").find(wanted, fields, session=session, batch_size=FIND_AT_ONCE):
            found.setdefault(one["fingerprint"], []).append(one["row"])
    return {one: sorted(rows)[:ALIKE_MOST] for one, rows in found.items()}


def here_rows(link: Link, rows: Sequence[int] | Rows) -> None:
    """Raise NotFound if a row has no image. Images are never deleted, so each row is checked only once."""
    wanted = np.unique(np.asarray(rows, dtype=np.int64))
    known = link.known_rows
    inside = wanted[(wanted >= 0) & (wanted < len(known))]
    asked = np.setdiff1d(wanted, inside[known[inside]], assume_unique=True)
    there: list[int] = []
    for some in batches(asked.tolist(), FIND_AT_ONCE):
        found = link.table("images").find({"row": {"$in": some}}, {"_id": 0, "row": 1}, batch_size=FIND_AT_ONCE)
        there += [one["row"] for one in found]
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
        there = found.setdefault(key, image)
        if there is not image:
            better = image if there.data is None and image.data is not None else there
            found[key] = replace(better, aliases=(*there.aliases, *image.aliases))
    return found


def naming(aliases: Sequence[Alias], *, each: bool = False) -> Document:
    """The fields with the aliases of an image, and with what they are found by; `each` for adding them to a list."""
    pairs, found = image_log.pairs(dict.fromkeys(aliases)), by_name.shorts(alias.value for alias in aliases)
    return {"aliases": {"$each": pairs}, "names": {"$each": found}} if each else {"aliases": pairs, "names": found}


def image_document(row: int, key: bytes, image: NewImage, similar: int, bare: str, *, alike: bool) -> Document:
    """The document of an image; what it shares with most others is left out.

    `alike` says that new images of its fingerprint are compared with it.
    """
    document: Document = {
        "_id": key,
        "row": row,
        **{name: getattr(image, name) for name in ("width", "height", "format", "orientation", "fingerprint")},
        "bytes": image.bytes if image.data is None else len(image.data),
        "aliases": [],
    }
    if image.aliases:
        document |= naming(image.aliases)
    if alike:
        document["alike"] = True
    return document | ({"bare": bare} if bare else {}) | ({"copy_of": similar} if similar != row else {})


def _image(one: Document, *, aliases: bool = False) -> Image:
    row: Any = one["row"]  # an integer, as every field has the type its writer gave it
    return Image(
        row, one["_id"].hex(), one["width"], one["height"], one["format"], one["orientation"], one["bytes"],
        one.get("copy_of", row), one.get("bare") == REFERENCE,
        tuple(Alias(*pair) for pair in one["aliases"]) if aliases else (),
    )  # fmt: skip
