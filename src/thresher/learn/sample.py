"""Which images to ask about, to train on or among the unknown. One of each similar group; the same for the same seed.

The mix is that of active learning for rare classes: the top scores find more of the rare class, those nearest the
boundary improve the boundary, and random ones find what the head does not know about.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thresher.learn.decide import UNKNOWN, Decided, sharing
from thresher.records import Thresholds
from thresher.store.contract import Rows

SHARES = (0.4, 0.4)  # the top scores, the nearest to the boundary; the rest is drawn at random
Picked = list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Scored:
    """A pool to choose from: `rows` [n], and their `scores` [n] as log-odds, NaN where there is none.

    Without scores, or with nothing but NaN, nothing tells the rows apart. `similar` [n] is the row that represents each
    one's similar group; without it each stands alone. `thresholds` are those of the round that the scores come from.
    """

    rows: Rows
    scores: NDArray[np.floating] | None = None
    similar: Rows | None = None
    thresholds: Thresholds | None = None

    @property
    def boundary(self) -> float:
        """Log-odds 0 (probability 0.5), or the nearest end of the unknown range if 0 is outside it."""
        if self.thresholds is None:
            return 0.0
        boundary = float(np.clip(0.0, self.thresholds.lower, self.thresholds.upper))
        return boundary if np.isfinite(boundary) else 0.0


def choose(
    pool: Scored,
    known_rows: Rows | set[int] | list[int],
    *,
    size: int,
    seed: int,
    shares: tuple[float, float] = SHARES,
) -> Picked:
    """Up to `size` images to train on, as (row, priority), the highest priority first.

    With scores, `shares` of the images are the top and the nearest to the boundary, the rest uniform; without, all are
    drawn uniformly. `known_rows` and their groups are left out. Any beginning of the result has the same mix as the
    whole. O(n).
    """
    rows, scores = pool.rows, pool.scores
    free = _one_a_group(rows, _mask(rows, known_rows), pool.similar)
    if scores is not None and np.isfinite(scores).any():
        free &= np.isfinite(scores)
    places = np.flatnonzero(free)
    size = min(size, len(places))
    random = np.random.default_rng(seed)
    if scores is None or not np.isfinite(scores).any():
        return _in_order(rows, [random.choice(places, size, replace=False)] if size else [])
    taken: list[NDArray[np.int64]] = []
    for share, usefulness in zip(shares, (scores, -np.abs(np.asarray(scores) - pool.boundary)), strict=True):
        best = _highest(usefulness, places, round(share * size))
        taken.append(best)
        free[best] = False
        places = np.flatnonzero(free)
    taken.append(random.choice(places, size - sum(map(len, taken)), replace=False))
    return _in_order(rows, taken)


def middle(decided: Decided, size: int) -> Picked:
    """Up to `size` of the unknown, as (row, priority), the likeliest yes first: each one found is one more to release.

    Images without a score come last. One of each similar group, and none of a group that has an answer.
    """
    unknown = np.flatnonzero(decided.codes == UNKNOWN)
    rows, similar = decided.rows[unknown], decided.similar[unknown]
    # a group with an answer has none unknown: its members inherit it
    free = np.flatnonzero(_one_a_group(rows, np.zeros(len(rows), bool), similar))
    scores = np.nan_to_num(decided.scores[unknown], nan=-np.inf)
    return _in_order(rows, [_highest(scores, free, min(size, len(free)))])


def _mask(rows: Rows, known_rows: Rows | set[int] | list[int]) -> NDArray[np.bool_]:
    known = known_rows if isinstance(known_rows, np.ndarray) else np.fromiter(known_rows, np.int64, len(known_rows))
    return np.isin(rows, known)


def _one_a_group(rows: Rows, known: NDArray[np.bool_], similar: Rows | None) -> NDArray[np.bool_]:
    """Which rows may be asked about: not known, in no group with a known one, and one per group."""
    free = ~known
    if similar is None:
        return free
    shared = sharing(rows, similar)
    free[shared] = _one_a_shared_group(rows[shared], known[shared], similar[shared])
    return free


def _one_a_shared_group(rows: Rows, known: NDArray[np.bool_], similar: Rows) -> NDArray[np.bool_]:
    free = ~known & ~np.isin(similar, np.unique(similar[known]))
    stands_for_itself = similar == rows
    # the image that represents a group may be in another pool only: then the first one here does
    orphans = np.flatnonzero(free & ~stands_for_itself & ~np.isin(similar, rows))
    free &= stands_for_itself
    free[orphans[np.unique(similar[orphans], return_index=True)[1]]] = True
    return free


def _highest(usefulness: NDArray[np.floating], places: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The places with the highest usefulness, in descending order; among equals the earlier row."""
    if count <= 0:
        return places[:0]
    values = -np.asarray(usefulness)[places]
    best = np.argpartition(values, count - 1)[:count] if count < len(places) else np.arange(len(places))
    return places[best[np.lexsort((places[best], values[best]))]]


def _in_order(rows: Rows, parts: list[NDArray[np.int64]]) -> Picked:
    """Parts interleaved evenly, so that a task made of the first of them has the same mix as the whole."""
    picked = [(int(rows[place]), 1 - (i + 0.5) / len(part)) for part in parts for i, place in enumerate(part.tolist())]
    return sorted(picked, key=lambda one: (-one[1], one[0]))
