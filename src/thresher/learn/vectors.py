"""The embeddings that a head trains on and scores: rows of one column, or of several side by side, read as needed."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.compute import cores
from thresher.learn.embed import columns
from thresher.learn.scoring import product, widen
from thresher.learn.threads import one_thread
from thresher.settings import Settings
from thresher.store.contract import Rows, Store

Matrix = NDArray[np.float32]
SCALE_SAMPLE = 4096  # vectors that tell the pool's mean and deviation
BLOCK_BYTES = 1 << 19  # of float32: a block stays in the cache of a core between being widened and being used


class Vectors:
    """`len` vectors of `width` numbers. They stay memory-mapped as float16 until a block of them is read."""

    def __init__(
        self, matrices: Sequence[NDArray[Any]], rows: Rows | None = None, *, graph_file: Path | None = None
    ) -> None:
        """`matrices` are [top, width_i], joined side by side; `rows` selects from them, None takes all in order.

        `graph_file` is where the graph of their neighbours is cached (graph.py), if that is wanted.
        """
        self.graph_file = graph_file
        self.matrices = tuple(matrices)
        self.rows = rows
        self.width = sum(matrix.shape[1] for matrix in self.matrices)

    def __len__(self) -> int:
        return len(self.matrices[0]) if self.rows is None else len(self.rows)

    @cached_property
    def scale(self) -> "Scale":
        """The standardisation of these vectors."""
        return Scale.of(self)

    def take(self, places: NDArray[np.int64]) -> Matrix:
        """The vectors at these places, float32 [n, width]."""
        rows = places if self.rows is None else self.rows[places]
        return np.concatenate([np.asarray(matrix[rows], np.float32) for matrix in self.matrices], axis=1)

    def blocks(self, size: int = 0, within: slice = slice(None)) -> Iterator[tuple[slice, Matrix]]:
        """The vectors of some places in order, in blocks of `size` (0: as many as fit a cache), with its places.

        A block is overwritten by the next one. Numbers must be finite.
        """
        size = size or max(16, BLOCK_BYTES // (4 * self.width))
        first, stop, _ = within.indices(len(self))
        buffer = np.empty((min(size, stop - first), self.width), np.float32)
        for start in range(first, stop, size):
            places = slice(start, min(start + size, stop))
            block = buffer[: places.stop - start]
            rows = places if self.rows is None else self.rows[places]
            at = 0
            for matrix in self.matrices:
                into, at = block[:, at : at + matrix.shape[1]], at + matrix.shape[1]
                if matrix.dtype == np.float16:
                    widen(matrix[rows], into)
                else:
                    into[...] = matrix[rows]
            yield places, block

    def of_each_block(self, work: Callable[[Matrix], Matrix], size: int = 0) -> Matrix:
        """What `work` makes of each block [m, width], a number a vector: float32 [n]; a thread a core.

        The blocks are the worker's to overwrite.
        """
        out = np.empty(len(self), np.float32)

        def of(within: slice) -> None:
            for places, block in self.blocks(size, within):
                out[places] = work(block)

        cuts = np.linspace(0, len(self), cores() + 1).astype(np.int64).tolist()
        with one_thread(), ThreadPoolExecutor(cores()) as pool:
            for done in [pool.submit(partial(of, slice(start, stop))) for start, stop in pairwise(cuts)]:
                done.result()
        return out

    def times(self, weights: NDArray[np.floating]) -> Matrix:
        """The product with weights [width] or [width, k]: float32 [n] or [n, k]."""
        weights = np.asarray(weights, np.float32)
        if all(matrix.dtype == np.float16 for matrix in self.matrices) and self._mostly_all():
            cuts = np.cumsum([matrix.shape[1] for matrix in self.matrices])[:-1]
            shares = [product(m, w) for m, w in zip(self.matrices, np.split(weights, cuts), strict=True)]
            whole: Matrix = np.add.reduce(shares)
            return whole if self.rows is None else whole[self.rows]
        out = np.empty((len(self), *weights.shape[1:]), np.float32)
        for places, block in self.blocks():
            out[places] = block @ weights
        return out

    def _mostly_all(self) -> bool:
        """Whether reading all rows in order costs less than selecting these."""
        return self.rows is None or 2 * len(self.rows) > len(self.matrices[0])


@dataclass(frozen=True, slots=True)
class Scale:
    """A standardisation of vectors: minus `mean`, times `factor`, both [width].

    It gives every feature the same deviation, and vectors a length near 1 at any width, so that one path of strengths
    fits every backbone.
    """

    mean: Matrix
    factor: Matrix

    @staticmethod
    def of(pool: Vectors) -> "Scale":
        """The standardisation of a pool, from an even sample of it; the pool has more vectors than there are labels."""
        sample = pool.take(np.unique(np.linspace(0, len(pool) - 1, min(SCALE_SAMPLE, len(pool))).astype(np.int64)))
        deviation = sample.std(axis=0)
        # a constant feature carries no information, and dividing by a tiny deviation would make it dominate
        usual = float(np.median(deviation)) or 1.0
        factor = 1 / (np.maximum(deviation, 1e-3 * usual) * np.sqrt(pool.width))
        return Scale(sample.mean(axis=0), np.where(deviation > 0, factor, 0).astype(np.float32))

    def apply(self, features: Matrix) -> Matrix:
        """Standardised vectors."""
        return (features - self.mean) * self.factor


def as_vectors(features: "Vectors | NDArray[Any]") -> Vectors:
    """An array [n, width] as Vectors."""
    return features if isinstance(features, Vectors) else Vectors([features])


def embedded(settings: Settings, rows: Rows, *, store: Store) -> Vectors:
    """The vectors of the rows that every backbone of the setting has embedded; `.rows` are those rows.

    Raises NotFound before anything was embedded.
    """
    return vectors_in(columns(settings, store), rows, store=store)


def vectors_in(names: Sequence[str], rows: Rows, *, store: Store, graph_file: Path | None = None) -> Vectors:
    """The vectors of the rows that all of these columns have; `.rows` are those rows.

    A step that reads vectors twice names their columns once: which ones the setting means may change in between, when
    another process makes a column. Raises NotFound for a column that is not there.
    """
    views = [store.columns.view(name) for name in names]
    top = min(len(matrix) for matrix, _ in views)
    rows = rows[rows < top]
    whole = np.logical_and.reduce([present[rows] for _, present in views])
    return Vectors([matrix for matrix, _ in views], rows[whole], graph_file=graph_file)
