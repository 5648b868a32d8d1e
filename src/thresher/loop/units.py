"""The units of a freeze: which image counts for each similar group, and the digests that commit to them.

A certificate counts, releases and checks one image of each group, the unit, as the groups were at the freeze. Whatever
becomes of a group since, its units stay: a copy follows its unit, or is left out by a label of its own.
"""

import hashlib
import zlib
from base64 import b85decode, b85encode
from collections.abc import Iterator, Mapping

import numpy as np

from thresher.learn.decide import Decided, look_up
from thresher.records import TRUSTED, Label
from thresher.store.contract import Rows, Store, chunks

CHUNK = 5_000


def copies_of(decided: Decided, known: Mapping[int, Label], ranking: Rows) -> Rows:
    """The images of a pool for which another one counts [k, 2]: the row of each, ascending, and its unit.

    Of each similar group the ranked row counts, or the one with the most trusted of the labels by row in `known`.
    """
    trust = {row: TRUSTED["people"].index(label.source) for row, label in known.items()}
    order = np.full(len(decided.rows), len(TRUSTED["people"]), np.int64)
    at, there = look_up(decided.rows, np.fromiter(trust, np.int64))
    order[at[there]] = np.fromiter(trust.values(), np.int64)[there]
    order[np.isin(decided.rows, ranking)] = 0
    places = np.lexsort((decided.rows, order, decided.similar))
    _, first, member = np.unique(decided.similar[places], return_index=True, return_inverse=True)
    units = np.empty_like(decided.rows)
    units[places] = decided.rows[places][first][member]
    copies = units != decided.rows
    return np.stack([decided.rows[copies], units[copies]], axis=1)


def pack(copies: Rows) -> str:
    """Rows [k, 2] as text, a few characters each."""
    return b85encode(zlib.compress(copies.astype("<i8").T.tobytes(), 6)).decode()


def unpack(text: str) -> Rows:
    """What was packed."""
    return np.frombuffer(zlib.decompress(b85decode(text)), "<i8").astype(np.int64).reshape(2, -1).T


def known_digest(known: Mapping[int, str], *, store: Store) -> str:
    """The SHA-256 of the lines "id says" of the images that were labelled at the freeze, sorted by id."""
    ids = ids_of(np.fromiter(known, np.int64, len(known)), store=store)
    return _digest(f"{name} {says}\n" for name, says in sorted(zip(ids, known.values(), strict=True)))


def copies_digest(copies: Rows, *, store: Store) -> str:
    """The SHA-256 of the lines "id unit" of the images for which another one counts, sorted by id."""
    ids, units = ids_of(copies[:, 0], store=store), ids_of(copies[:, 1], store=store)
    return _digest(f"{name} {unit}\n" for name, unit in sorted(zip(ids, units, strict=True)))


def ids_of(rows: Rows, *, store: Store) -> list[str]:
    """The ids (SHA-256) of these rows, in their order."""
    return [image.sha256 for some in chunks(rows, CHUNK) for image in store.images.many(some)]


def _digest(lines: Iterator[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode())
    return digest.hexdigest()
