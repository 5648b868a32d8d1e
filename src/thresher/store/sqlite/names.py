"""Names in the catalog: images are found by their SHA-256 and by a hash of each alias's value."""

import json
import sqlite3
from collections.abc import Sequence
from hashlib import blake2b

from thresher.store.rules import is_hash, spellings


def alias_hash(value: str) -> int:
    """The 64-bit hash under which an alias is looked up."""
    return int.from_bytes(blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True)


def rows_by_key(sql: sqlite3.Connection, keys: list[bytes]) -> dict[bytes, int]:
    """The rows of known hashes; one statement takes all keys in one value, because there are thousands."""
    found = sql.execute(
        """WITH RECURSIVE asked (place) AS (VALUES (0) UNION ALL SELECT place + 1 FROM asked WHERE place + 1 < ?2)
           SELECT place, image.row FROM asked CROSS JOIN image ON image.sha256 = substr(?1, 1 + 32 * place, 32)""",
        (b"".join(keys), len(keys)),
    )
    return {keys[place]: row for place, row in found}


def rows_in_pool(sql: sqlite3.Connection, category: int, names: Sequence[str]) -> list[set[int]]:
    """The rows of a pool for each name, without those whose bytes are lost."""
    rows = _by_alias(sql, category, names)
    hashes = {place: bytes.fromhex(name) for place, name in enumerate(names) if is_hash(name.lower())}
    if hashes:
        found = rows_by_key(sql, list(hashes.values()))
        there = _there(sql, category, list(found.values()))
        for place, key in hashes.items():
            if found.get(key) in there:
                rows[place].add(found[key])
    return rows


def _by_alias(sql: sqlite3.Connection, category: int, names: Sequence[str]) -> list[set[int]]:
    spelt = [spellings(name) for name in names]
    asked = [(place, alias_hash(text)) for place, texts in enumerate(spelt) for text in texts]
    found = sql.execute(
        """SELECT wanted.key, alias.value, alias.row FROM json_each(?) AS wanted
           CROSS JOIN alias ON alias.name = wanted.value
           CROSS JOIN pool ON pool.category = ? AND pool.row = alias.row
           WHERE alias.row NOT IN (SELECT row FROM image WHERE begins = -1)""",
        (json.dumps([name for _, name in asked]), category),
    )
    rows: list[set[int]] = [set() for _ in names]
    for place, value, row in found:
        if value in spelt[asked[place][0]]:  # another value may have the same hash
            rows[asked[place][0]].add(row)
    return rows


def _there(sql: sqlite3.Connection, category: int, rows: list[int]) -> set[int]:
    found = sql.execute(
        """SELECT row FROM json_each(?) AS wanted CROSS JOIN pool ON category = ? AND row = wanted.value
           WHERE row NOT IN (SELECT row FROM image WHERE begins = -1)""",
        (json.dumps(rows), category),
    )
    return {row for (row,) in found}
