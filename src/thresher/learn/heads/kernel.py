"""A non-linear head: logistic regression on a Gaussian kernel, approximated by the Nystroem method.

Williams and Seeger, "Using the Nystroem Method to Speed Up Kernel Machines" (2001): the kernel between any vector and a
few landmarks approximates the whole kernel. The landmarks are labelled vectors, up to a fixed number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.learn.heads import Candidate, Known, Scores, Setting, Yes
from thresher.learn.heads.fit import fit_logistic, held_out_weights, quietly
from thresher.learn.threads import one_thread
from thresher.learn.vectors import Matrix, Scale, Vectors

STRENGTHS = (10.0, 100.0)
SHARPNESS = 0.5  # of the kernel exp(-sharpness * squared distance); standardised vectors have a length near 1
LANDMARKS = 512
JITTER = 1e-6
BLOCK = 256  # vectors, which with their kernel values stay in a core's own cache
MOST_NUMBERS = 250_000 * 1280  # of a pool: 20 times the work of a weighted sum, here about 2 s on two cores


@dataclass(frozen=True, slots=True)
class Kernel:
    """A weighted sum of kernel values with the landmarks."""

    landmarks: Matrix
    weights: Matrix
    bias: float
    scale: Scale
    kind: str = "kernel"

    def scores(self, vectors: Vectors) -> Scores:
        """The weighted sum for every vector, block by block."""
        squares = (self.landmarks**2).sum(axis=1)
        turned = np.ascontiguousarray(self.landmarks.T)

        def of(block: Matrix) -> Matrix:
            block -= self.scale.mean
            block *= self.scale.factor
            values = _likeness(block, turned, squares)
            return np.asarray(values @ self.weights + np.float32(self.bias), np.float32)

        return vectors.of_each_block(of, BLOCK)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Landmarks, weights, bias and scale."""
        return {
            "landmarks": self.landmarks,
            "weights": self.weights,
            "bias": np.array(self.bias),
            "mean": self.scale.mean,
            "factor": self.scale.factor,
        }


class Nystroem:
    """The family of kernel heads."""

    kind = "kernel"

    def held_out(self, known: Known) -> Sequence[Candidate]:
        """For each strength the held-out raw scores of all labels, from heads trained without their fold.

        Landmarks are vectors without their answers, so they may be the same in every fold.
        """
        if not offered(known.pool):
            return []
        _, points, _ = _mapped(known)
        found = []
        for strength in STRENGTHS:
            out = np.empty(len(known.yes), np.float32)
            for fold, weights, bias in held_out_weights(points, known.yes, known.folds, strength):
                out[known.folds == fold] = points[known.folds == fold] @ weights + bias
            found.append(Candidate(self.kind, {"strength": strength}, out))
        return found

    def fit(self, known: Known, setting: Setting) -> Kernel:
        """Train on all labels with one strength."""
        landmarks, points, back = _mapped(known)
        with quietly():
            weights, bias = fit_logistic(points, known.yes, setting["strength"])
        return Kernel(landmarks, (back @ weights).astype(np.float32), bias, known.pool.scale)

    def revive(self, arrays: Mapping[str, NDArray[Any]]) -> Kernel:
        """A head from its arrays."""
        scale = Scale(arrays["mean"], arrays["factor"])
        return Kernel(arrays["landmarks"], arrays["weights"], float(arrays["bias"]), scale)


def offered(pool: Vectors) -> bool:
    """Whether the pool is small enough to be scored by kernels in a few seconds."""
    return bool(len(pool) * pool.width <= MOST_NUMBERS)


def likeness(points: Matrix, landmarks: Matrix) -> Matrix:
    """The Gaussian kernel [n, m] between standardised points and landmarks."""
    return _likeness(points, landmarks.T, (landmarks**2).sum(axis=1))


def _likeness(points: Matrix, turned: Matrix, squares: Matrix) -> Matrix:
    """The same, of landmarks whose columns and squared lengths are known already; each step in the same array."""
    values = np.asarray(points @ turned, np.float32)
    values *= 2
    values -= squares
    values -= np.einsum("nd,nd->n", points, points)[:, None]
    values *= np.float32(SHARPNESS)
    np.minimum(values, 0, out=values)
    return np.exp(values, out=values)


def _mapped(known: Known) -> tuple[Matrix, Matrix, Matrix]:
    """Landmarks [m, d]; the labelled as points [n, m] with the kernel's inner products; and the map between, [m, m]."""
    landmarks = known.standard[_chosen(known.yes)]
    with one_thread():  # several wait for each other: on a busy machine they take ten times as long
        squares, turn = np.linalg.eigh(likeness(landmarks, landmarks).astype(np.float64))
    back = (turn / np.sqrt(np.maximum(squares, JITTER))).astype(np.float32)
    return landmarks, likeness(known.standard, landmarks) @ back, back


def _chosen(yes: Yes) -> NDArray[np.int64]:
    """Up to LANDMARKS labels, half of each answer where there are enough of both, evenly spaced."""
    found = [np.flatnonzero(yes), np.flatnonzero(~yes)]
    rarer = min(len(places) for places in found)
    share = [min(len(places), max(LANDMARKS // 2, LANDMARKS - rarer)) for places in found]
    return np.concatenate(
        [
            places[np.linspace(0, len(places) - 1, count).astype(np.int64)]
            for places, count in zip(found, share, strict=True)
        ]
    )
