"""Logistic regression as the families use it: scikit-learn's, in as few dimensions and threads as are enough."""

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from thresher.compute import cores
from thresher.learn.threads import one_thread, without_stray_flags

Matrix = NDArray[np.float32]
Yes = NDArray[np.bool_]
STEPS = 300


def fit_logistic(points: Matrix, yes: Yes, strength: float) -> tuple[Matrix, float]:
    """Weights [d] and bias of a logistic regression with an L2 penalty."""
    from sklearn.linear_model import LogisticRegression

    with without_stray_flags():
        model = LogisticRegression(C=strength, max_iter=STEPS).fit(points, yes)
    return np.asarray(model.coef_[0], np.float32), float(model.intercept_[0])


def held_out_weights(
    points: Matrix, yes: Yes, folds: NDArray[np.int64], strength: float
) -> list[tuple[int, Matrix, float]]:
    """For each fold the weights and the bias of a fit without it; one fit per core."""

    def without(fold: int) -> tuple[int, Matrix, float]:
        kept = folds != fold
        return (fold, *fit_logistic(points[kept], yes[kept], strength))

    with quietly(), ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(without, np.unique(folds).tolist()))


@contextmanager
def quietly() -> Iterator[None]:
    """Run each matrix product in the calling thread only, and silence warnings of fits that have not converged.

    More threads are slower for small products, and many times slower on a busy machine. Cross-validation judges a fit
    that has not converged as it judges any other.
    """
    from sklearn.exceptions import ConvergenceWarning

    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def compact(points: Matrix) -> tuple[Matrix, Matrix | None]:
    """The n points in at most n dimensions with the same inner products, and the map that turns weights back.

    An L2-penalised fit depends only on the inner products of its points, and a Cholesky factor of these has the same
    ones: the fit stays the same and takes less time.
    """
    from scipy.linalg import cholesky, solve_triangular

    count, width = points.shape
    if count >= width:
        return points, None
    products = points.astype(np.float64) @ points.T.astype(np.float64)
    products[np.diag_indices(count)] += 1e-6 * max(np.trace(products) / count, 1e-12)  # equal points would be singular
    factor = cholesky(products, lower=True)
    return factor.astype(np.float32), np.asarray(solve_triangular(factor, points, lower=True).T, np.float32)
