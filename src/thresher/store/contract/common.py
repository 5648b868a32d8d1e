"""Types and helpers that every part of a store uses: rows, chunks and progress reports."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from thresher.records import Progress

Rows = NDArray[np.int64]
Report = Callable[[Progress], None]


def chunks(rows: Rows, size: int) -> Iterable[Rows]:
    """Rows in chunks of at most `size`, the unit of work of every stage."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
