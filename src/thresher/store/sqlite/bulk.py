"""Inserting rows by the ten thousand with one statement, for lists of images kept by reference.

With one statement per row, half of the time is spent between Python and SQLite, holding the interpreter lock. Here all
rows of a batch are passed as one JSON list of texts, numbers first in columns of fixed width, and SQLite splits them.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from operator import itemgetter

from thresher.records import NewImage

AT_LEAST = 1000

_IMAGES = """INSERT INTO image (row, sha256, width, height, format, orientation, bytes, similar)
    SELECT ?1 + key, substr(?2, 1 + 32 * key, 32), CAST(substr(value, 1, 20) AS INTEGER),
        CAST(substr(value, 21, 20) AS INTEGER), substr(value, 81), CAST(substr(value, 61, 20) AS INTEGER),
        CAST(substr(value, 41, 20) AS INTEGER), ?1 + key
    FROM json_each(?3)"""
_ALIASES = """INSERT INTO alias (row, kind, name, value)
    SELECT CAST(substr(value, 1, 20) AS INTEGER), ?1, CAST(substr(value, 21, 20) AS INTEGER), substr(value, 41)
    FROM json_each(?2) WHERE true ON CONFLICT DO NOTHING"""
_POOL = """INSERT INTO pool (category, row, origin, query)
    SELECT ?1, CAST(substr(value, 1, 20) AS INTEGER), ?2, substr(value, 21)
    FROM json_each(?3) WHERE true ON CONFLICT DO NOTHING"""


def plain_texts(texts: Iterable[str]) -> bool:
    """Whether texts can be put into JSON unchanged: printable text has no NUL and no lone surrogates."""
    return "".join(texts).isprintable()


def fit_images(images: Collection[NewImage]) -> bool:
    """Whether images can be inserted at once: many, by reference, none with a fingerprint that must find its group."""
    return (
        len(images) >= AT_LEAST
        and all(image.data is None and not image.fingerprint and not image.similar for image in images)
        and plain_texts(image.format for image in images)
    )


def insert_images(sql: sqlite3.Connection, first: int, images: dict[bytes, NewImage]) -> None:
    """Insert rows from number `first` on."""
    lines = [f"{i.width:20}{i.height:20}{i.bytes:20}{i.orientation:20}{i.format}" for i in images.values()]
    sql.execute(_IMAGES, (first, b"".join(images), _packed(lines)))


def insert_aliases(sql: sqlite3.Connection, aliases: Sequence[tuple[int, str, int, str]]) -> None:
    """Insert aliases as (row, kind, hash of the value, value); existing ones stay."""
    for kind, some in groupby(sorted(aliases, key=itemgetter(1)), key=itemgetter(1)):
        sql.execute(_ALIASES, (kind, _packed(f"{row:20}{name:20}{value}" for row, _, name, value in some)))


def insert_pool(
    sql: sqlite3.Connection, category: int, origin: int, rows: Sequence[int], queries: Sequence[str | None]
) -> None:
    """Put rows into a pool, each with its query; existing ones stay."""
    lines = (f"{row:20}{query}" for row, query in zip(rows, queries, strict=True))
    sql.execute(_POOL, (category, origin, _packed(lines)))


def _packed(lines: Iterable[str]) -> str:
    return json.dumps(list(lines), ensure_ascii=False)
