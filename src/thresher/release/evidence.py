"""The tables of a certificate: `pool.parquet`, the pool as it was frozen, and `evidence.parquet`, labels and draws.

docs/certificate-format.md describes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thresher.records import Label, Says
from thresher.store.contract import Rows, Store, chunks

CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Piece:
    """The evidence on one image: its first label after the freeze, its label of today, its vote (word) and its draws.

    An image without a rank was labelled before the freeze, which is then its `first`, or is a copy that has a label.
    """

    row: int
    stratum: str
    rank: int | None = None
    first: Says | None = None
    now: Label | None = None
    word: Says | None = None
    accept_draw: int | None = None
    reject_draw: int | None = None


def evidence_table(pieces: Sequence[Piece], *, store: Store) -> bytes:
    """`evidence.parquet`: the pieces with a rank by rank, then the others by id."""
    import pyarrow as pa  # here: a heavy library, and few commands release

    ids = _ids(np.array([piece.row for piece in pieces], np.int64), store)
    found = sorted(zip(ids, pieces, strict=True), key=lambda one: (one[1].rank is None, one[1].rank or 0, one[0]))
    ids, pieces = [one for one, _ in found], [piece for _, piece in found]
    labels = [piece.now for piece in pieces]
    return _parquet(
        {
            "id": pa.array(ids, pa.string()),
            "rank": pa.array([piece.rank for piece in pieces], pa.int64()),
            "stratum": pa.array([piece.stratum for piece in pieces], pa.string()),
            "first": pa.array([_said(piece.first) for piece in pieces], pa.string()),
            "now": pa.array([label.says.value if label else None for label in labels], pa.string()),
            "source": pa.array([label.source.value if label else None for label in labels], pa.string()),
            "purpose": pa.array([label.purpose.value if label else None for label in labels], pa.string()),
            "votes": pa.array([label.votes if label else None for label in labels], pa.int32()),
            "word": pa.array([_said(piece.word) for piece in pieces], pa.string()),
            "accept_draw": pa.array([piece.accept_draw for piece in pieces], pa.int64()),
            "reject_draw": pa.array([piece.reject_draw for piece in pieces], pa.int64()),
        }
    )


def pool_table(rows: Rows, *, ranking: Rows, copies: Rows, known: Mapping[int, Says], store: Store) -> bytes:
    """`pool.parquet`: the `rows` [n] of the frozen pool, those of the `ranking` first, then the others by id.

    `copies` [c, 2] gives each row for which another one counts, and that one; `known` the labels at the freeze by row.
    """
    import pyarrow as pa  # as above

    others = np.setdiff1d(rows, ranking)
    names = _ids(others, store)
    order = sorted(range(len(others)), key=names.__getitem__)
    unit_of = dict(zip(copies[:, 0].tolist(), _ids(copies[:, 1], store), strict=True))
    ordered, ids = [*ranking.tolist(), *others[order].tolist()], [*_ids(ranking, store), *(names[at] for at in order)]
    ranks = [*range(len(ranking)), *([None] * len(others))]
    return _parquet(
        {
            "id": pa.array(ids, pa.string()),
            "rank": pa.array(ranks, pa.int64()),
            "unit": pa.array([unit_of.get(row, own) for row, own in zip(ordered, ids, strict=True)], pa.string()),
            "known": pa.array([_said(known.get(row)) for row in ordered], pa.string()),
        }
    )


def _said(says: Says | None) -> str | None:
    return None if says is None else says.value


def _ids(rows: Rows, store: Store) -> list[str]:
    return [image.sha256 for some in chunks(rows, CHUNK) for image in store.images.many(some)]


def _parquet(columns: Mapping[str, object]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = pa.BufferOutputStream()
    pq.write_table(pa.table(dict(columns)), out, compression="zstd")
    data: bytes = out.getvalue().to_pybytes()
    return data
