"""The expected number of yes before each rank, from calibrated scores. For planning: no certificate depends on it."""

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

STEPS_NEAR = 250
STEPS_FAR = 250
LEVELS = (0.995, 0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
CHUNK = 4_000_000
PULL = 0.002
MOST_LOGIT = 40.0


class Curve:
    """The expected number of yes before a rank, interpolated linearly between the ranks of a grid."""

    def __init__(self, points: tuple[tuple[int, float], ...]) -> None:
        self.ranks: Floats = np.array([rank for rank, _ in points], np.float64)
        self.yes: Floats = np.array([yes for _, yes in points], np.float64)

    @property
    def total(self) -> float:
        """The expected number of yes in all ranks."""
        return float(self.yes[-1])

    def before(self, rank: ArrayLike) -> Floats:
        """The expected number of yes among the ranks below `rank`."""
        return np.asarray(np.interp(np.asarray(rank, np.float64), self.ranks, self.yes), np.float64)

    def share_near(self, rank: ArrayLike) -> Floats:
        """The expected share of yes around `rank`."""
        place = np.asarray(rank, np.float64)
        reach = max(0.002 * float(self.ranks[-1]), 2.0)
        share = (self.before(place + reach) - self.before(place - reach)) / (2.0 * reach)
        return np.asarray(np.clip(share, 1e-12, 1.0), np.float64)


def points_of(probabilities: ArrayLike) -> tuple[tuple[int, float], ...]:
    """Points of the curve from the probabilities [n] of being a yes, in the order of the ranking; reads them in chunks.

    The grid is even up to three times the expected yes, geometric beyond it, and includes the ranks where the
    probability crosses fixed levels: on a coarse grid people would label images between two grid ranks without need.
    """
    probability = np.asarray(probabilities)
    count = len(probability)
    total = sum(float(part.sum(dtype=np.float64)) for part in _chunks(probability))
    turn = min(3.0 * total + 50.0, count)
    near = np.linspace(0, turn, STEPS_NEAR + 1)
    far = np.geomspace(max(turn, 1.0), max(count, 2), STEPS_FAR)
    levels = [bisect_left(range(count), -level, key=lambda rank: -float(probability[rank])) for level in LEVELS]
    grid = np.unique(np.clip(np.concatenate([near, far, levels, [0, count]]).astype(np.int64), 0, count))
    yes = np.zeros(len(grid))
    start = 0
    for part in _chunks(probability):
        running = np.concatenate([[0.0], np.cumsum(part, dtype=np.float64)])
        yes += running[np.clip(grid - start, 0, len(part))]
        start += len(part)
    return tuple((rank, round(value, 6)) for rank, value in zip(grid.tolist(), yes.tolist(), strict=True))


def _chunks(values: NDArray[np.floating]) -> Iterator[NDArray[np.floating]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def calibrate(known_scores: ArrayLike, known_yes: ArrayLike, scores: ArrayLike) -> Floats:
    """Probabilities of yes for `scores` from labelled scores (Platt, "Probabilistic outputs for SVMs", 1999).

    Nearly unpenalised, unlike Platt's own: a head that separates its labels is believed, and the audits correct it.
    `known_scores` must be out of fold, or no labels of the head's own training.
    """
    known = np.asarray(known_scores, np.float64)
    yes = np.asarray(known_yes, np.float64)
    middle, spread = float(np.median(known)), float(known.std()) or 1.0
    x = np.stack([(known - middle) / spread, np.ones_like(known)], axis=1)
    pull = np.array([PULL, PULL / 2.0])
    weights = np.array([1.0, 0.0])
    for _ in range(200):
        fitted = _logistic(x @ weights)
        slope = x.T @ (fitted - yes) + pull * weights
        curvature = (x * (fitted * (1.0 - fitted) + 1e-9)[:, None]).T @ x + np.diag(pull)
        step = np.clip(
            np.linalg.solve(curvature, slope), -2.0, 2.0
        )  # larger steps diverge when the classes are separable
        weights -= step
        if float(np.abs(step).max()) < 1e-8:
            break
    return _logistic(weights[0] * (np.asarray(scores, np.float64) - middle) / spread + weights[1])


def _logistic(value: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(value, -MOST_LOGIT, MOST_LOGIT))), np.float64)
