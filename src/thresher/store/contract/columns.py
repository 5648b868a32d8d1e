"""Columns: embeddings and scores, a value for each row."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from thresher.store.contract.common import Rows


class Columns(Protocol):
    """Embeddings and scores: one matrix per name, indexed by row, memory-mapped, written in chunks.

    Names are like "features/efficientnet-lite0" and "scores/car/3": parts of [a-z0-9.+_-], joined by "/".
    """

    def create(self, name: str, width: int, dtype: str = "float16") -> None:
        """Make a column; if it exists, check its width and dtype. Raises Conflict."""

    def write(self, name: str, rows: Rows, values: NDArray[Any]) -> None:
        """Write values [n, width]; a row counts as present only once its values are complete."""

    def missing(self, name: str, rows: Rows) -> Rows:
        """The rows that are not present."""

    def damaged(self, name: str, rows: Rows) -> Rows:
        """Those of some rows that are present and whose values do not match their checksums.

        Values that an earlier version wrote have none until `check` or the next write gives them theirs.
        """

    def view(self, name: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The whole matrix [top, width], memory-mapped and read-only, and which rows are present. Raises NotFound."""

    def names(self) -> list[str]:
        """The names of all columns."""

    def drop(self, name: str) -> None:
        """Remove a column; does nothing if there is no such column."""
