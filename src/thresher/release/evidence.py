"""`evidence.parquet`: every label a certificate used, in the order of the ranking, the omitted negatives included."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thresher.records import Label
from thresher.store.contract import Store


@dataclass(frozen=True, slots=True)
class Piece:
    """One label of the evidence. `rank` is -1 for what was known at the freeze; `stage` is what it was asked for."""

    row: int
    rank: int
    stage: str
    label: Label


def evidence_table(pieces: Sequence[Piece], *, store: Store) -> bytes:
    """The pieces as a Parquet file: id, rank, stage, draw, says, source, votes."""
    import pyarrow as pa  # here: a heavy library, and few commands release
    import pyarrow.parquet as pq

    images = store.images.many(np.array([piece.row for piece in pieces], np.int64))
    table = pa.table(
        {
            "id": pa.array([image.sha256 for image in images], pa.string()),
            "rank": pa.array([piece.rank for piece in pieces], pa.int64()),
            "stage": pa.array([piece.stage for piece in pieces], pa.string()),
            "draw": pa.array([piece.label.draw if piece.rank >= 0 else -1 for piece in pieces], pa.int64()),
            "says": pa.array([piece.label.says.value for piece in pieces], pa.string()),
            "source": pa.array([piece.label.source.value for piece in pieces], pa.string()),
            "votes": pa.array([piece.label.votes for piece in pieces], pa.int32()),
        }
    )
    out = pa.BufferOutputStream()
    pq.write_table(table, out, compression="zstd")
    data: bytes = out.getvalue().to_pybytes()
    return data
