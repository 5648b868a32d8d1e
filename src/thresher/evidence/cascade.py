"""LSUN's cascade: two thresholds chosen on held-out labels; people label the images between them.

Yu et al., "LSUN: Construction of a Large-Scale Image Dataset using Deep Learning with Humans in the Loop" (2015),
section 3. The same labels choose the thresholds and evaluate them, so the pool may miss the targets, and in
simulations half of all runs or more did: this method gives no certificate.
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
    """The thresholds that decide as many images as the held-out labels allow: yes from `upper` on, no below `lower`.

    `upper` is the lowest held-out score such that at least `precision` of the labels at or above it are yes; infinite
    if there is none. At most `1 - recall` of the yes labels are below `lower`; it is minus infinite if no label is yes,
    and never above `upper`. All arrays are [n]; `weights` say how many images of the pool each label stands for, by
    default one each. `found_yes` images are known to be yes whatever their scores: they count towards recall, and
    cannot be missed. Images with equal scores are always decided alike. Raises ValueError when lengths differ.
    """
    scores = np.asarray(held_out_scores, np.float64)
    yes = np.asarray(held_out_yes, bool)
    stands_for = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64)
    if not len(scores) == len(yes) == len(stands_for):
        raise ValueError("scores, labels and weights differ in length")
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
    """The lowest yes score that must be kept: losing all yes below it still keeps the recall."""
    order = np.argsort(scores[yes], kind="stable")
    ascending = scores[yes][order]
    lost = np.cumsum(weights[yes][order])
    there_are = found_yes + (lost[-1] if len(lost) else 0.0)
    if there_are <= 0:
        return -math.inf
    kept_first = np.flatnonzero(lost > (1 - recall + SLACK) * there_are)
    return float(ascending[kept_first[0]]) if len(kept_first) else math.inf
