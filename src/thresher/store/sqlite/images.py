"""Images: rows in the catalog, bytes in the shards. Bytes are written first, then rows."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count, repeat
from typing import Any, NamedTuple

import numpy as np

from thresher.errors import StoreDamaged
from thresher.records import Alias, Image, NewImage
from thresher.store.contract import Images, Rows
from thresher.store.directory import shards
from thresher.store.rules import (
    ALIKE_MOST,
    bytes_lost,
    fetched,
    groups_of,
    hash_key,
    hash_keys,
    is_hash,
    no_such_row,
    plain,
)
from thresher.store.sqlite import bulk, counters
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.counters import WORKSPACE
from thresher.store.sqlite.names import alias_hash, rows_by_key

CHUNK = 1000  # rows of a transaction, so that others get their turn
# Rows kept by reference come as lists of millions. Each hash falls on a page of its own, so a transaction of 1,000
# writes a page or two a row, 8 GB for a million. Of 50,000 it writes 1.8 GB in all, and holds others up for a second.
REFERENCES = 50_000
EXTENSIONS = {"jpeg": "jpg", "tiff": "tif", "mpo": "jpg"}

Line = tuple[Any, ...]
"""A line of the catalog, in the order of the columns that were asked for."""

_PLACE, _IN_SHARD = "image.row, shard.name, image.begins, image.bytes", "LEFT JOIN shard ON shard.number = image.shard"
_IMAGE = "row, sha256, width, height, format, orientation, bytes, coalesce(copy_of, row), begins IS NULL"


class SqliteImages(Images):
    """Encoded bytes, stored once and unchanged."""

    def __init__(self, catalog: Catalog, writer: shards.Writer, reader: shards.Reader) -> None:
        self.catalog = catalog
        self.writer = writer
        self.reader = reader
        self.grouped = True
        self._copies = _Copies()
        self.fetch_reference: Callable[[Image], bytes] | None = None
        """Gets the bytes of an image kept by reference; whoever opens the store may hand one in."""

    def put(self, batch: Sequence[NewImage]) -> list[int]:
        size = CHUNK if any(image.data is not None for image in batch) else REFERENCES
        return [row for start in range(0, len(batch), size) for row in self._put(batch[start : start + size])]

    def _put(self, batch: Sequence[NewImage]) -> list[int]:
        keys = hash_keys([image.sha256 for image in batch])
        images = dict(zip(keys, batch, strict=True))
        places = self._put_bytes({key: image for key, image in images.items() if image.data is not None})
        with self.catalog.writing() as sql:
            rows = rows_by_key(sql, keys)  # here, and not before: another process may have been quicker
            new = {key: image for key, image in images.items() if key not in rows} if rows else images
            _fill(sql, {rows[key]: place for key, place in places.items() if key in rows})
            rows |= _insert(sql, new, places)
            insert_aliases(sql, keys, batch, rows)
        return [rows[key] for key in keys]

    def _put_bytes(self, images: dict[bytes, NewImage]) -> dict[bytes, shards.Place]:
        """Append the bytes of images that are new, or known without bytes."""
        if not images:
            return {}
        with self.catalog.reading() as sql:
            rows = rows_by_key(sql, list(images))
            bare = without_bytes(sql, rows)
        wanted = [(key, image) for key, image in images.items() if key not in rows or key in bare]
        put = self.writer.append([(member(image), image.data or b"") for _, image in wanted])
        return {key: place for (key, _), place in zip(wanted, put, strict=True)}

    def alike(self, fingerprints: Sequence[str]) -> list[list[Image]]:
        with self.catalog.reading() as sql:
            return [[_image(line) for line in _alike(sql, fingerprint)] for fingerprint in fingerprints]

    def get(self, row: int) -> Image:
        (image,) = self.many([row])
        return replace(image, aliases=self.aliases([row])[image.row])

    def many(self, rows: Sequence[int] | Rows) -> list[Image]:
        with self.catalog.reading() as sql:
            return [_image(line) for line in _of_rows(sql, _IMAGE, rows)]

    def find(self, names: Sequence[str]) -> list[int | None]:
        # one whose bytes are lost is not found, so that a harvest brings them again
        by_hash = "SELECT row FROM image WHERE sha256 = ? AND begins IS NOT -1"
        by_alias = """SELECT row FROM alias WHERE name = ? AND value = ?
            AND row NOT IN (SELECT row FROM image WHERE begins = -1) ORDER BY row LIMIT 1"""
        found: list[int | None] = []
        with self.catalog.reading() as sql:
            for name in names:
                line = sql.execute(by_hash, (bytes.fromhex(name),)).fetchone() if is_hash(name) else None
                line = line or sql.execute(by_alias, (alias_hash(name), name)).fetchone()
                found.append(line[0] if line else None)
        return found

    def aliases(self, rows: Sequence[int] | Rows) -> dict[int, tuple[Alias, ...]]:
        wanted = plain(rows)
        found: dict[int, tuple[Alias, ...]] = dict.fromkeys(wanted, ())
        with self.catalog.reading() as sql:
            for row, kind, value in sql.execute(
                """SELECT alias.row, alias.kind, alias.value FROM json_each(?) AS wanted
                   CROSS JOIN alias ON alias.row = wanted.value ORDER BY alias.row, alias.kind, alias.value""",
                (json.dumps(list(found)),),
            ):
                found[row] += (Alias(kind, value),)
        return found

    def read(self, row: int) -> bytes:
        found = self.catalog.first(f"SELECT {_PLACE} FROM image {_IN_SHARD} WHERE image.row = ?", (int(row),))
        if found is None:
            raise no_such_row({row})
        place = _place(*found)
        return self._read(row, place) if place else fetched(self.get(row), self.fetch_reference)

    def read_many(self, rows: Sequence[int] | Rows) -> Iterator[bytes]:
        wanted = plain(rows)
        for start in range(0, len(wanted), CHUNK):
            part = wanted[start : start + CHUNK]
            for row, place in zip(part, self._places(part), strict=True):
                yield self._read(row, place) if place else fetched(self.get(row), self.fetch_reference)

    def _places(self, rows: list[int]) -> list[shards.Place | None]:
        with self.catalog.reading() as sql:
            return [_place(*line) for line in _of_rows(sql, _PLACE, rows, _IN_SHARD)]

    def _read(self, row: int, place: shards.Place) -> bytes:
        try:
            return self.reader.read(place)
        except StoreDamaged:
            (now,) = self._places([row])  # `thresher check` may have moved it while we looked
            if now is None or now == place:
                raise
            return self.reader.read(now)

    def page(self, after_row: int, limit: int) -> list[Image]:
        with self.catalog.reading() as sql:
            found = sql.execute(f"SELECT {_IMAGE} FROM image WHERE row > ? ORDER BY row LIMIT ?", (after_row, limit))
            return [_image(line) for line in found]

    def count(self) -> int:
        with self.catalog.reading() as sql:
            return counters.value(sql, WORKSPACE, "images")

    def top(self) -> int:
        with self.catalog.reading() as sql:
            return top_of(sql)

    def similar(self, rows: Rows) -> Rows:
        rows = np.asarray(rows, dtype=np.int64)
        if not len(rows):
            return rows
        with self.catalog.reading() as sql:
            top = top_of(sql)
            there = int(rows.min()) >= 0 and int(rows.max()) < top
            if not there or (counters.value(sql, WORKSPACE, "images") < top and not _have_images(sql, rows)):
                raise no_such_row(set())
            copies = self._copies_below(sql, top)
        if not self.grouped or not len(copies.rows):
            return rows.copy()
        place = np.minimum(np.searchsorted(copies.rows, rows), len(copies.rows) - 1)
        return np.where(copies.rows[place] == rows, copies.represented[place], rows)

    def _copies_below(self, sql: sqlite3.Connection, top: int) -> "_Copies":
        """The images that another one represents; a row is read once, as neither it nor its group ever changes."""
        known = self._copies
        if known.top < top:
            found = sql.execute("SELECT row, copy_of FROM image WHERE row >= ? AND copy_of IS NOT NULL", (known.top,))
            more = np.array(sorted(found), np.int64).reshape(-1, 2)
            rows, represented = (np.append(old, new) for old, new in zip(known[1:], more.T, strict=True))
            known = self._copies = _Copies(top, rows, represented)
        return known


class _Copies(NamedTuple):
    """The images below a row that another one represents, ascending, and the row of that one."""

    top: int = 0
    rows: Rows = np.zeros(0, np.int64)
    represented: Rows = np.zeros(0, np.int64)


def _have_images(sql: sqlite3.Connection, rows: Rows) -> bool:
    """Whether each row has an image; rows may have gaps."""
    found = sql.execute(_of_each("count(*)"), (json.dumps(plain(rows)),)).fetchone()
    return bool(found[0] == len(rows))


def _of_each(columns: str, joined: str = "") -> str:
    """The statement for columns of images, in the order of the rows that it is given as JSON."""
    wanted = f"json_each(?) AS wanted CROSS JOIN image ON image.row = wanted.value {joined}"
    return f"SELECT {columns} FROM {wanted} ORDER BY wanted.key"


def _of_rows(sql: sqlite3.Connection, columns: str, rows: Sequence[int] | Rows, joined: str = "") -> list[Line]:
    """Columns of images, the row first, in the order of the rows that are asked for. Raises NotFound."""
    wanted = plain(rows)
    found = sql.execute(_of_each(columns, joined), (json.dumps(wanted),)).fetchall()
    if len(found) != len(wanted):
        raise no_such_row(set(wanted) - {row for row, *_ in found})
    return found


def add_rows(
    sql: sqlite3.Connection,
    new: Mapping[bytes, NewImage],
    places: dict[bytes, shards.Place],
    kept: Mapping[bytes, int],
    *,
    least: int,
) -> None:
    """Make rows for stored images that have none, each a similar group of its own: lost rows that are `kept` for some,
    and new ones from `least` on for the others.
    """
    alone = {key: replace(image, similar="", compared=ALIKE_MOST) for key, image in new.items()}
    numbers = count(max(top_of(sql), least))
    _insert(sql, alone, places, {key: kept[key] if key in kept else next(numbers) for key in alone})


def _insert(
    sql: sqlite3.Connection,
    new: dict[bytes, NewImage],
    places: dict[bytes, shards.Place],
    rows: dict[bytes, int] | None = None,
) -> dict[bytes, int]:
    """Insert new images under the next rows, or under `rows`."""
    if bulk.fit_images(new.values()):
        first = top_of(sql)
        bulk.insert_images(sql, first, new)
        counters.add(sql, WORKSPACE, "images", len(new))
        return dict(zip(new, count(first), strict=False))
    numbers = {name: shard_number(sql, name) for name in {place.shard for place in places.values()}}
    found = (places.get(key) for key in new) if places else repeat(None)
    spots = ((numbers[place.shard], place.begins) if place else (None, None) for place in found)
    rows = rows or dict(zip(new, count(top_of(sql)), strict=False))
    sql.executemany(
        """INSERT INTO image
               (row, sha256, width, height, format, orientation, bytes, fingerprint, similar, copy_of, shard, begins)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?1, nullif(?9, ?1), ?10, ?11)""",
        (
            (
                row, key, image.width, image.height, image.format, image.orientation,
                image.bytes if image.data is None else len(image.data), image.fingerprint or None, similar, *spot,
            )
            for (key, row), similar, image, spot in zip(
                rows.items(), _groups(sql, new, rows), new.values(), spots, strict=False
            )
        ),
    )  # fmt: skip
    counters.add(sql, WORKSPACE, "images", len(rows))
    return rows


def _groups(sql: sqlite3.Connection, new: dict[bytes, NewImage], rows: dict[bytes, int]) -> list[int]:
    """The row that represents each new image. Raises BadInput, Conflict."""
    named = [hash_key(image.similar) for image in new.values() if image.similar]
    groups = _represented(sql, [key for key in named if key not in new]) if named else {}
    there = _alike_counts(sql, [image.fingerprint for image in new.values() if image.fingerprint and not image.similar])
    return list(groups_of(new, rows, groups, there).values())


def _represented(sql: sqlite3.Connection, keys: list[bytes]) -> dict[bytes, int]:
    """The rows that represent the groups of stored images."""
    found = sql.execute(
        """SELECT sha256, coalesce(copy_of, row) FROM json_each(?) AS wanted
           CROSS JOIN image ON image.row = wanted.value""",
        (json.dumps(list(rows_by_key(sql, keys).values())),),
    )
    return dict(found.fetchall())


def _alike_counts(sql: sqlite3.Connection, fingerprints: list[str]) -> dict[str, int]:
    """How many images of each fingerprint represent a group, up to the number that an image is compared with."""
    found = sql.execute(
        f"""SELECT value, (SELECT count(*) FROM (SELECT 1 FROM image
            WHERE fingerprint = wanted.value AND copy_of IS NULL LIMIT {ALIKE_MOST})) FROM json_each(?) AS wanted""",
        (json.dumps(fingerprints),),
    )
    return dict(found.fetchall())


def _alike(sql: sqlite3.Connection, fingerprint: str) -> list[Line]:
    """The first images of a fingerprint that represent a group."""
    return sql.execute(
        f"SELECT {_IMAGE} FROM image WHERE fingerprint = ? AND copy_of IS NULL ORDER BY row LIMIT {ALIKE_MOST}",
        (fingerprint,),
    ).fetchall()


def without_bytes(sql: sqlite3.Connection, rows: dict[bytes, int]) -> set[bytes]:
    """The known images that are kept by reference, or have lost their bytes."""
    found = sql.execute(
        "SELECT sha256 FROM json_each(?) AS wanted CROSS JOIN image ON image.row = wanted.value WHERE shard IS NULL",
        (json.dumps(list(rows.values())),),
    )
    return {key for (key,) in found}


def _fill(sql: sqlite3.Connection, places: dict[int, shards.Place]) -> None:
    """Give bytes to rows that had none; if another process was faster, its bytes stay."""
    if places:
        counters.move(sql, WORKSPACE, ["pool"])
    sql.executemany(
        "UPDATE image SET shard = ?, begins = ?, bytes = ? WHERE row = ? AND shard IS NULL",
        ((shard_number(sql, place.shard), place.begins, place.bytes, row) for row, place in places.items()),
    )


def insert_aliases(
    sql: sqlite3.Connection, keys: Sequence[bytes], batch: Sequence[NewImage], rows: dict[bytes, int]
) -> None:
    """Insert the aliases of images under their rows."""
    found = [
        (rows[key], alias.kind, alias_hash(alias.value), alias.value)
        for key, image in zip(keys, batch, strict=True)
        for alias in image.aliases
    ]
    if len(found) >= bulk.AT_LEAST and bulk.plain_texts(value for *_, value in found):
        bulk.insert_aliases(sql, found)
        return
    sql.executemany("INSERT INTO alias (row, kind, name, value) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", found)


def shard_number(sql: sqlite3.Connection, name: str) -> int:
    """The number by which rows refer to a shard."""
    sql.execute("INSERT INTO shard (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
    return int(sql.execute("SELECT number FROM shard WHERE name = ?", (name,)).fetchone()[0])


def top_of(sql: sqlite3.Connection) -> int:
    """One more than the highest row."""
    return int(sql.execute("SELECT coalesce(max(row) + 1, 0) FROM image").fetchone()[0])


def _place(row: int, shard: str | None, begins: int | None, size: int) -> shards.Place | None:
    """The place of the bytes of a row; None for one kept by reference. Raises StoreDamaged if they are lost."""
    if begins == -1:
        raise bytes_lost(row)
    return shards.Place(shard, begins, size) if shard is not None and begins is not None else None


def _image(line: Line) -> Image:
    row, sha256, width, height, picture_format, orientation, size, similar, reference = line
    return Image(row, sha256.hex(), width, height, picture_format, orientation, size, similar, bool(reference))


def member(image: NewImage) -> str:
    """The name of an image in its shard."""
    return member_name(image.sha256, image.format)


def member_name(sha256: str, picture_format: str) -> str:
    """The name in its shard of an image with this hash and format."""
    ending = picture_format.lower()
    ending = EXTENSIONS.get(ending, ending)
    return f"{sha256}.{ending if ending.isalnum() and ending.isascii() and len(ending) < 9 else 'bin'}"
