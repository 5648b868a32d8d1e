"""LSUN's cascade: two thresholds chosen on held-out labels; what lies between them goes back to people.

Yu et al., "LSUN: Construction of a Large-Scale Image Dataset using Deep Learning with Humans in the Loop" (2015),
section 3. The thresholds fit the very labels that they are judged by, so the pool may miss the targets, and in
re-enactments half of all runs and more did: no certificate comes of it.
"""

import math

import numpy as np
from numpy.typing import NDArray

from thresher.records import Thresholds

SLACK = 1e-9  # sums of weights differ in their last digits from the shares they stand for


def cascade(
    held_out_scores: NDArray[np.floating],
    held_out_yes: NDArray[np.bool_],
    *,
    precision: float,
    recall: float,
    weights: NDArray[np.floating] | None = None,
    found_yes: float = 0.0,
) -> Thresholds:
    """The widest decisions that the held-out labels allow: at or above `upper` yes, below `lower` no.

    `upper` is the lowest held-out score at or above which at least `precision` of the labels say yes, and infinite when
    there is none. Below `lower` lie at most `1 - recall` of those that say yes; it is minus infinite when none says
    yes, and never above `upper`. All arrays are [n]; `weights` tell how many images of the pool each label stands for,
    all alike when left out. `found_yes` images are a yes already whatever their scores: they count towards recall, and
    cannot be lost. Equal scores are never told apart. Raises ValueError when lengths differ.
    """
    scores = np.asarray(held_out_scores, np.float64)
    yes = np.asarray(held_out_yes, bool)
    stands_for = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64)
    if not len(scores) == len(yes) == len(stands_for):
        raise ValueError("scores, labels and weights are not of one length")
    upper = _upper(scores, yes, stands_for, precision)
    return Thresholds(lower=min(_lower(scores, yes, stands_for, recall, found_yes), upper), upper=upper)


def _upper(
    scores: NDArray[np.float64], yes: NDArray[np.bool_], weights: NDArray[np.float64], precision: float
) -> float:
    order = np.argsort(-scores, kind="stable")
    descending = scores[order]
    found = np.cumsum((weights * yes)[order])
    taken = np.cumsum(weights[order])
    ends_a_tie = np.append(descending[1:] != descending[:-1], True)[: len(scores)]
    enough = ends_a_tie & (found >= precision * taken - SLACK * taken) & (found > 0)
    return float(descending[np.flatnonzero(enough)[-1]]) if enough.any() else math.inf


def _lower(
    scores: NDArray[np.float64], yes: NDArray[np.bool_], weights: NDArray[np.float64], recall: float, found_yes: float
) -> float:
    """The score of the first yes, from below, that may not be lost: those strictly below it may all be."""
    order = np.argsort(scores[yes], kind="stable")
    ascending = scores[yes][order]
    lost = np.cumsum(weights[yes][order])
    there_are = found_yes + (lost[-1] if len(lost) else 0.0)
    if there_are <= 0:
        return -math.inf
    kept_first = np.flatnonzero(lost > (1 - recall + SLACK) * there_are)
    return float(ascending[kept_first[0]]) if len(kept_first) else math.inf
