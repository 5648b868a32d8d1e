"""The draws from an urn and the labels by rank, with the counts that the procedures use."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thresher.evidence.draws import Permutation
from thresher.evidence.martingale import Prior
from thresher.evidence.state import Code, Codes, Ranks

Counts = NDArray[np.int64]


class Urn:
    """The ranks first, first + 1, ..., drawn in a random order from a seed; it remembers the ranks of the bad draws."""

    def __init__(self, seed: str, stage: str, first: int, size: int, prior: Prior) -> None:
        self.first = first
        self.size = size
        self.prior = prior
        self.drawn = 0
        self.bad: Ranks = np.zeros(0, np.int64)
        self._order = Permutation(seed, stage, first, size)

    @property
    def left(self) -> int:
        """How many ranks are not drawn yet."""
        return self.size - self.drawn

    def next(self, count: int) -> Ranks:
        """The ranks of the next `count` draws, in order."""
        return self._order.between(self.drawn, self.drawn + count)

    def take(self, count: int, bad: Ranks) -> None:
        """Count the next `count` draws as answered; `bad` are the places of the bad ones among them."""
        self.drawn += count
        self.bad = np.sort(np.concatenate([self.bad, bad]))

    def bad_below(self, cut: ArrayLike) -> Counts:
        """Bad draws at places below `cut`."""
        return np.searchsorted(self.bad, np.asarray(cut))

    def bad_from(self, cut: ArrayLike) -> Counts:
        """Bad draws at `cut` or beyond."""
        return len(self.bad) - np.searchsorted(self.bad, np.asarray(cut))


class Known:
    """The ranks with a label, sorted, so that counting between two cuts takes one binary search."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._all: Ranks = np.zeros(0, np.int64)
        self._codes: Codes = np.zeros(0, np.int8)
        self._sorted: dict[Code | None, Ranks] = {}

    def take(self, ranks: Ranks, codes: Codes) -> None:
        """Add the labels of ranks; a rank that has a label already keeps it."""
        fresh = np.array([rank not in self._seen for rank in ranks.tolist()], np.bool_)
        self._seen.update(ranks.tolist())
        self._all = np.concatenate([self._all, ranks[fresh]])
        self._codes = np.concatenate([self._codes, codes[fresh]])
        self._sorted = {}

    def __len__(self) -> int:
        return len(self._all)

    def ranks(self, code: Code | None = None) -> Ranks:
        """The ranks with this label (with any label, for None), ascending."""
        if code not in self._sorted:
            self._sorted[code] = np.sort(self._all if code is None else self._all[self._codes == code])
        return self._sorted[code]

    def between(self, low: ArrayLike, high: ArrayLike, code: Code | None = None) -> Counts:
        """How many ranks from `low` up to but not including `high` have this label; 0 if `high` is not above `low`."""
        ranks = self.ranks(code)
        count = np.searchsorted(ranks, np.asarray(high)) - np.searchsorted(ranks, np.asarray(low))
        return np.asarray(np.maximum(count, 0), np.int64)

    def unknown(self, low: int, high: int) -> Ranks:
        """The ranks from `low` up to but not including `high` that have no label."""
        return np.setdiff1d(np.arange(low, high, dtype=np.int64), self.ranks(), assume_unique=True)
