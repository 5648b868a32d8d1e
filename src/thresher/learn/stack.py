"""Stacking: a logistic regression of a head's held-out log-odds and of values beside the vectors (beside.py).

Wolpert, "Stacked Generalization" (1992): the second level learns from what the first says of labels that it was not
trained on, and is itself judged on labels that it was not trained on. It is taken only if that lowers the log-loss by
more than one standard error (Breiman et al. 1984): columns that say nothing are left out, and those that say much are
used after a few labels.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.learn.beside import Beside
from thresher.learn.calibration import Numbers, losses, targets
from thresher.learn.heads import Scores, Yes

SPREADS = (1.0, 3.0)
"""How large the weights of values are expected to be: the deviation of a normal prior around 0."""
OWN_SPREAD = 0.5
"""The same of the weight of the head's own log-odds, around 1: they are calibrated already."""
OFFSET_SPREAD = 100.0


@dataclass(frozen=True)
class Stack:
    """The second level of a head: log-odds from the head's, and from the values of some columns.

    `names` are those of the values that it knows, several of which may come from one column; `weights` [2 k] are of the
    values, and then of whether each is missing.
    """

    names: tuple[str, ...]
    own: float
    weights: Numbers
    offset: float

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it uses, each once."""
        return tuple(dict.fromkeys(self.names))

    def log_odds(self, own: NDArray[np.floating], beside: Beside | None = None) -> Scores:
        """Log-odds [n]; a column that `beside` does not have is missing for each image."""
        values = np.full((len(own), len(self.names)), np.nan, np.float32)
        for column in self.columns if beside is not None else ():
            assert beside is not None  # noqa: S101 -- tells the type checker
            mine = [place for place, name in enumerate(self.names) if name == column]
            theirs = [place for place, name in enumerate(beside.names) if name == column]
            if len(mine) == len(theirs):
                values[:, mine] = beside.values[:, theirs]
        beyond = Beside(values, self.names).encoded(self.columns) @ self.weights
        return np.asarray(own * self.own + beyond + self.offset, np.float32)

    def calibrated(self, slope: float, offset: float) -> "Stack":
        """The same, with log-odds that are multiplied and moved."""
        return replace(self, own=self.own * slope, weights=self.weights * slope, offset=self.offset * slope + offset)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Its whole state as arrays, from which `revive` restores it."""
        return {
            "names": np.array(self.names, np.str_),
            "weights": self.weights,
            "numbers": np.array([self.own, self.offset]),
        }

    @staticmethod
    def revive(arrays: Mapping[str, NDArray[Any]]) -> "Stack":
        """A stack from its arrays."""
        own, offset = (float(number) for number in arrays["numbers"])
        return Stack(tuple(str(name) for name in arrays["names"]), own, arrays["weights"], offset)


@dataclass(frozen=True)
class Stacked:
    """A way to stack, with the log-odds [n] of all labels, each from a stack that was not trained on it."""

    columns: tuple[str, ...]
    spread: float
    held_out: Scores


def ways_to_stack(own: Scores, beside: Beside, yes: Yes, folds: NDArray[np.int64]) -> Iterator[Stacked]:
    """Each column alone, and all of them, with each spread. `own` are held-out log-odds [n] of the labels."""
    sets = [(column,) for column in beside.columns]
    for columns in [*sets, beside.columns] if len(sets) > 1 else sets:
        values = beside.encoded(columns)
        for spread in SPREADS:
            out = np.empty(len(yes), np.float32)
            for fold in np.unique(folds):
                held = folds == fold
                weights = _fit(own[~held], values[~held], yes[~held], spread)
                out[held] = own[held] * weights[0] + values[held] @ weights[1:-1] + weights[-1]
            yield Stacked(columns, spread, out)


def stacked(own: Scores, beside: Beside, yes: Yes, way: Stacked) -> Stack:
    """The second level in one of these ways, trained on all labels."""
    weights = _fit(own, beside.encoded(way.columns), yes, way.spread)
    names = tuple(name for name in beside.names if name in way.columns)
    return Stack(names, float(weights[0]), weights[1:-1], float(weights[-1]))


def is_better(now: Numbers, before: Numbers) -> bool:
    """Whether the mean of losses [n] is lower than before by more than one standard error of the difference."""
    gain = before - now
    return bool(gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)))


def _fit(own: Scores, values: Numbers, yes: Yes, spread: float) -> Numbers:
    """Weight of the own log-odds (never negative), weights of the values, offset: the likeliest a posteriori."""
    from scipy.optimize import minimize

    points = np.column_stack([own.astype(np.float64), values, np.ones(len(yes))])
    target = targets(yes)
    middle = np.zeros(points.shape[1])
    middle[0] = 1.0
    spreads = np.array([OWN_SPREAD, *np.full(values.shape[1], spread), OFFSET_SPREAD])

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        log_odds, away = points @ weights, (weights - middle) / spreads
        wrong = 1 / (1 + np.exp(-log_odds)) - target
        return float(losses(log_odds, target).sum() + 0.5 * away @ away), wrong @ points + away / spreads

    bounds = [(0.0, None), *[(None, None)] * (points.shape[1] - 1)]
    return np.asarray(minimize(loss, middle, jac=True, method="L-BFGS-B", bounds=bounds).x, np.float64)
