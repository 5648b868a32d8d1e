"""A logistic head over a path of strengths: the plain one, and the one that the others are measured against."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.compute.local import cores
from thresher.learn.heads import Candidate, Known, Scores, Yes
from thresher.learn.vectors import Matrix, Vectors

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0)  # scikit-learn's C: how much the labels weigh against small weights
STEPS = 300


@dataclass(frozen=True, slots=True)
class Linear:
    """A weighted sum; the scale is folded into the weights, so that scoring is one product."""

    weights: Matrix
    bias: float
    kind: str = "logistic"

    def scores(self, vectors: Vectors) -> Scores:
        """The weighted sum of every vector."""
        return vectors.times(self.weights) + np.float32(self.bias)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Weights and bias."""
        return {"weights": self.weights, "bias": np.array(self.bias)}


class Logistic:
    """The family of logistic heads."""

    kind = "logistic"

    def held_out(self, known: Known) -> Sequence[Candidate]:
        """For each strength the raw score that every label gets from a head trained without its fold."""
        points = compact(known.standard)[0]
        return [Candidate(self.kind, s, held_out_of(points, known.yes, known.folds, s)) for s in STRENGTHS]

    def fit(self, known: Known, strength: float) -> Linear:
        """Train on all labels with one strength."""
        points, back = compact(known.standard)
        with one_thread_each():
            turned, bias = fit_logistic(points, known.yes, strength)
        weights = (turned if back is None else back @ turned) * known.scale.factor
        return Linear(weights.astype(np.float32), float(bias - known.scale.mean @ weights))

    def revive(self, arrays: Mapping[str, NDArray[Any]]) -> Linear:
        """A head from its arrays."""
        return Linear(arrays["weights"], float(arrays["bias"]))


def held_out_of(points: Matrix, yes: Yes, folds: NDArray[np.int64], strength: float) -> Scores:
    """The raw score [n] that every label gets from a logistic regression without its fold, one fold a core."""
    out = np.empty(len(yes), np.float32)

    def leave_out(fold: int) -> None:
        held = folds == fold
        weights, bias = fit_logistic(points[~held], yes[~held], strength)
        out[held] = points[held] @ weights + bias

    with one_thread_each(), ThreadPoolExecutor(cores()) as pool:
        list(pool.map(leave_out, np.unique(folds).tolist()))
    return out


def fit_logistic(points: Matrix, yes: Yes, strength: float) -> tuple[Matrix, float]:
    """Weights [d] and bias of a logistic regression with an L2 penalty."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=STEPS).fit(points, yes)
    return np.asarray(model.coef_[0], np.float32), float(model.intercept_[0])


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let products of matrices run in the thread that asks: for small ones more threads are slower, on a busy machine
    many times so. A fit that has not settled passes without a word: cross-validation judges it like any other.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def compact(points: Matrix) -> tuple[Matrix, Matrix | None]:
    """As many numbers a point as there are points, where those are fewer, and what turns weights for them back.

    An L2-penalised fit depends on the products between its points alone, and a Cholesky factor of these has the same
    ones: the fit stays what it was and takes less time.
    """
    from scipy.linalg import cholesky, solve_triangular

    count, width = points.shape
    if count >= width:
        return points, None
    products = points.astype(np.float64) @ points.T.astype(np.float64)
    products[np.diag_indices(count)] += 1e-6 * max(np.trace(products) / count, 1e-12)  # equal points would be singular
    factor = cholesky(products, lower=True)
    return factor.astype(np.float32), np.asarray(solve_triangular(factor, points, lower=True).T, np.float32)
