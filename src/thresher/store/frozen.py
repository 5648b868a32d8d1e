"""Frozen rankings: a column with the row at each rank, a digest in the frozen state, and a copy to make it anew from.

The column is mapped into memory. The copy is a piece of evidence, which has a checksum: the order of a frozen pool
cannot be computed again, and without it every answer of the audits would be lost.
"""

import hashlib
import json
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from thresher.errors import NotFound, StoreDamaged, StoreUnavailable
from thresher.store.check_seals import Changed, give_up
from thresher.store.contract import Columns, Images, Lines, Rounds, Rows, chunks
from thresher.store.kinds import EVIDENCE
from thresher.store.rounds import COPY, FROZEN

HASH_CHUNK: Final = 5_000
DTYPE: Final = np.dtype("<i8")


def ranking_column(category: str, epoch: int) -> str:
    """The column with the ranking of a freeze: the row at each rank."""
    return f"ranking/{category}/{epoch}"


def digest_of(ranking: Rows) -> str:
    """The digest of a ranking, as the frozen state has it."""
    return hashlib.blake2b(ranking.astype(DTYPE).tobytes(), digest_size=16).hexdigest()


def hash_of(ranking: Rows, images: Images) -> str:
    """SHA-256 over the images' own SHA-256 in the order of the ranking."""
    digest = hashlib.sha256()
    for rows in chunks(ranking, HASH_CHUNK):
        for image in images.many(rows):
            digest.update(bytes.fromhex(image.sha256))
    return digest.hexdigest()


def keep_copy(category: str, epoch: int, ranking: Rows, rounds: Rounds) -> None:
    """Keep a copy of a ranking as a piece of evidence."""
    rounds.keep_evidence(category, epoch, COPY, zlib.compress(ranking.astype(DTYPE).tobytes(), 1))


def read_ranking(category: str, epoch: int, ranks: int, columns: Columns) -> Rows | None:
    """The ranking of a freeze from its column; None if some rank is missing."""
    try:
        matrix, present = columns.view(ranking_column(category, epoch))
    except (NotFound, StoreDamaged, StoreUnavailable):
        return None
    whole = len(matrix) >= ranks and bool(present[:ranks].all())
    return np.array(matrix[:ranks, 0], np.int64) if whole else None


def changed_rankings(
    category: str, images: Images, columns: Columns, lines: Lines, rounds: Rounds
) -> Iterator[Changed]:
    """Rankings that are not as they were frozen: made anew from the copy, or given up where there is none."""
    for line in lines.page(EVIDENCE, category, where={"name": FROZEN}):
        epoch = line["epoch"]
        try:
            kept = json.loads(rounds.evidence(category, epoch, FROZEN) or b"{}")
            ranks, copy = int(kept["frozen"]["ranks"]), rounds.evidence(category, epoch, COPY)
        except (StoreDamaged, ValueError, KeyError, TypeError):
            continue  # told with the other evidence
        ranking, name = read_ranking(category, epoch, ranks, columns), ranking_column(category, epoch)
        if ranking is not None and _as_frozen(ranking, kept, images):
            if len(columns.damaged(name, np.arange(ranks, dtype=np.int64))):
                what = f"column {name}: its checksums have changed; --mend makes them anew"
                yield Changed(what, partial(_restore, category, epoch, ranking, columns))
            continue
        what = f"column {name}: it is not the ranking that was frozen"
        if copy is not None:
            there = np.frombuffer(zlib.decompress(copy), DTYPE).astype(np.int64)
            yield Changed(f"{what}; --mend takes it from its copy", partial(_restore, category, epoch, there, columns))
        else:
            what = f"{what}, and there is no copy; --mend gives the epoch up: the next run freezes anew"
            yield Changed(what, partial(give_up, lines, category, epoch, FROZEN))


def _as_frozen(ranking: Rows, kept: dict[str, object], images: Images) -> bool:
    """Whether a ranking has the digest of its freeze; one of an earlier version has only that of its images."""
    if "ranking_digest" in kept:
        return kept["ranking_digest"] == digest_of(ranking)
    frozen = kept["frozen"]
    return isinstance(frozen, dict) and same_images(ranking, str(frozen["ranking"]), images)


def same_images(ranking: Rows, expected: str, images: Images) -> bool:
    """Whether a ranking is of the images that were frozen, in their order."""
    try:
        return hash_of(ranking, images) == expected
    except NotFound:
        return False


def _restore(category: str, epoch: int, ranking: Rows, columns: Columns) -> None:
    name = ranking_column(category, epoch)
    columns.drop(name)
    columns.create(name, 1, "int64")
    columns.write(name, np.arange(len(ranking), dtype=np.int64), ranking[:, None])
