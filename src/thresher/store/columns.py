"""Columns of every store: their names and shapes, and the values they accept."""

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from thresher.errors import BadInput, Conflict, NotFound
from thresher.store.contract import Columns, Rows

DTYPES: Final = ("float16", "float32", "float64", "int8", "uint8", "int32", "int64")
OF_CATEGORY: Final = ("scores", "ranking")
"""The first parts of the names of columns that belong to a category, which is the second part."""
_PART: Final = re.compile(r"[a-z0-9+_-][a-z0-9.+_-]*")


@dataclass(frozen=True, slots=True)
class Shape:
    """The width and the type of a column. Raises BadInput for those that no column has."""

    name: str
    width: int
    dtype: str

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES or self.width < 1:
            raise BadInput(f"a column has a width from 1 and a dtype of {', '.join(DTYPES)}.", where=self.name)

    @property
    def row_bytes(self) -> int:
        """The bytes that one row takes."""
        return self.width * np.dtype(self.dtype).itemsize


Found = TypeVar("Found", bound=Shape)


class CheckedColumns(Columns, Generic[Found]):
    """Columns whose calls are checked before anything is stored; a store makes, finds and writes a column its way."""

    def create(self, name: str, width: int, dtype: str = "float16") -> None:
        parts_of(name)
        self._make(Shape(name, width, dtype))
        there = self._found(name)
        if (there.width, there.dtype) != (width, dtype):
            raise Conflict(
                f"the column is {there.dtype} of width {there.width}, not {dtype} of width {width}.", where=name
            )

    def write(self, name: str, rows: Rows, values: NDArray[Any]) -> None:
        column = self._found(name)
        if values.ndim == 1 and column.width == 1:
            values = values[:, None]
        if values.shape != (len(rows), column.width):
            raise BadInput(f"values are {values.shape}, not ({len(rows)}, {column.width}).", where=name)
        if not len(rows):
            return
        rows = np.asarray(rows, dtype=np.int64)
        if rows.min() < 0:
            raise BadInput("rows start at 0.", where=name)
        self._write(column, rows, np.ascontiguousarray(values, dtype=column.dtype))

    def damaged(self, name: str, rows: Rows) -> Rows:
        rows = np.asarray(rows, dtype=np.int64)
        return self._damaged(self._found(name), rows) if len(rows) else rows

    def width(self, name: str) -> int:
        """The number of values of a row."""
        return self._found(name).width

    def missing(self, name: str, rows: Rows) -> Rows:
        rows = np.asarray(rows, dtype=np.int64)
        present = self._present(name, int(rows.max(initial=-1)) + 1)
        return rows[~present[rows]]

    @abstractmethod
    def present_rows(self, name: str) -> Rows:
        """The rows that are present, also those beyond the last image."""

    @abstractmethod
    def forget(self, name: str, rows: Rows) -> None:
        """Make rows, and perhaps others, count as missing, so that their values are computed again."""

    @abstractmethod
    def seal(self, name: str) -> bool:
        """Give values of an earlier version their checksums, as they are now; returns whether there were any."""

    @abstractmethod
    def _make(self, shape: Shape) -> None:
        """Make a column where there is none."""

    @abstractmethod
    def _found(self, name: str) -> Found:
        """The column of a name. Raises NotFound."""

    @abstractmethod
    def _write(self, column: Found, rows: Rows, values: NDArray[Any]) -> None:
        """Store values [n, width] of the column's dtype; there is one at least."""

    @abstractmethod
    def _damaged(self, column: Found, rows: Rows) -> Rows:
        """Those of some rows that are present and whose values do not match their checksums."""

    @abstractmethod
    def _present(self, name: str, top: int) -> NDArray[np.bool_]:
        """Which rows have values; of `top` rows at least. Raises NotFound."""


def parts_of(name: str) -> list[str]:
    """The parts of a column's name. Raises BadInput."""
    parts = name.split("/")
    if not all(_PART.fullmatch(part) for part in parts):
        raise BadInput("a column's name has parts of a-z 0-9 . + _ -, joined by /.", where=repr(name))
    return parts


def whose(name: str) -> str:
    """The category whose column it is; "" for a column that all categories share, as embeddings."""
    parts = name.split("/")
    return parts[1] if parts[0] in OF_CATEGORY and len(parts) > 1 else ""


def no_such_column(name: str) -> NotFound:
    """The error for an unknown column."""
    return NotFound(f"unknown column {name!r}.", next="thresher run, which makes columns of embeddings and scores")
