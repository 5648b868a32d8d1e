"""Calibration: raw scores become log-odds, by Platt's sigmoid."""

import numpy as np
from numpy.typing import NDArray

from thresher.learn.heads import Scores, Yes

Numbers = NDArray[np.float64]


def platt(raw: Scores, yes: Yes) -> tuple[float, float, float]:
    """Mean log-loss, slope and offset of the sigmoid that turns raw scores into log-odds; the slope is never negative.

    The sigmoid aims at `targets`.
    """
    from scipy.optimize import minimize

    count_yes, count_no = int(yes.sum()), int((~yes).sum())
    target = targets(yes)
    centre, spread = float(raw.mean()), float(raw.std()) or 1.0
    x = (raw.astype(np.float64) - centre) / spread

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_odds = parameters[0] * x + parameters[1]
        wrong = 1 / (1 + np.exp(-log_odds)) - target
        return float(losses(log_odds, target).mean()), np.array([(wrong * x).mean(), wrong.mean()])

    start = np.array([1.0, np.log((count_yes + 1) / (count_no + 1))])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(1e-6, 50.0), (-50.0, 50.0)])
    slope = float(found.x[0]) / spread
    return float(found.fun), slope, float(found.x[1]) - slope * centre


def targets(yes: Yes) -> Numbers:
    """The probabilities [n] that stand for labels: (n_yes + 1) / (n_yes + 2) and 1 / (n_no + 2).

    Platt 1999, section 2.2: so a head which separates all labels does not become infinitely certain.
    """
    count_yes, count_no = int(yes.sum()), int((~yes).sum())
    return np.where(yes, (count_yes + 1) / (count_yes + 2), 1 / (count_no + 2))


def losses(log_odds: NDArray[np.floating], target: Numbers) -> Numbers:
    """The log-loss [n] of log-odds against probabilities."""
    return np.asarray(np.logaddexp(0, log_odds) - target * log_odds, np.float64)
