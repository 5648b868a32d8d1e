"""`evidence.parquet`: every label a certificate used and every draw, by rank, including images not released."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thresher.evidence.log import NONE, Row
from thresher.evidence.state import Code
from thresher.records import Label
from thresher.store.contract import Store

NOT_RANKED = -1
SAYS = {int(Code.YES): "yes", int(Code.NO): "no", int(Code.UNANSWERABLE): "unsure"}


@dataclass(frozen=True, slots=True)
class Piece:
    """One image of the evidence: its rank and draws, and its label if it has one.

    An image that was labelled before the freeze has rank -1. `log.said` is the vote of people before adjudication.
    """

    row: int
    log: Row
    label: Label | None


def evidence_table(pieces: Sequence[Piece], *, store: Store) -> bytes:
    """The evidence as a Parquet file: id, rank, stratum, draws, label, source, votes, and what people said."""
    import pyarrow as pa  # here: a heavy library, and few commands release
    import pyarrow.parquet as pq

    images = store.images.many(np.array([piece.row for piece in pieces], np.int64))
    labels = [piece.label for piece in pieces]
    logs = [piece.log for piece in pieces]
    table = pa.table(
        {
            "id": pa.array([image.sha256 for image in images], pa.string()),
            "rank": pa.array([log.rank for log in logs], pa.int64()),
            "stratum": pa.array([log.stratum or "known" for log in logs], pa.string()),
            "accept_draw": pa.array([log.accept_draw for log in logs], pa.int64()),
            "reject_draw": pa.array([log.reject_draw for log in logs], pa.int64()),
            "says": pa.array([label.says.value if label else None for label in labels], pa.string()),
            "source": pa.array([label.source.value if label else None for label in labels], pa.string()),
            "purpose": pa.array([label.purpose.value if label else None for label in labels], pa.string()),
            "votes": pa.array([label.votes if label else None for label in labels], pa.int32()),
            "people_said": pa.array([None if log.said == NONE else SAYS[log.said] for log in logs], pa.string()),
        }
    )
    out = pa.BufferOutputStream()
    pq.write_table(table, out, compression="zstd")
    data: bytes = out.getvalue().to_pybytes()
    return data
