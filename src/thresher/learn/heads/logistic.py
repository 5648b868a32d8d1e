"""Logistic heads over a path of strengths; the simplest family, and the baseline for the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.learn.heads import Candidate, Known, Scores, Setting
from thresher.learn.heads.fit import fit_logistic, quietly
from thresher.learn.vectors import Matrix, Vectors

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0)  # scikit-learn's C: how much the labels weigh against small weights


@dataclass(frozen=True, slots=True)
class Linear:
    """A weighted sum; the standardisation is folded into the weights, so scoring is one product."""

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
        """For each strength the held-out raw scores of all labels, from heads trained without their fold."""
        points, _ = known.compact
        found = []
        for strength in STRENGTHS:
            out = np.empty(len(known.yes), np.float32)
            for fold, weights, bias in known.fits_without_a_fold(strength):
                out[known.folds == fold] = points[known.folds == fold] @ weights + bias
            found.append(Candidate(self.kind, {"strength": strength}, out))
        return found

    def fit(self, known: Known, setting: Setting) -> Linear:
        """Train on all labels with one strength."""
        points, back = known.compact
        with quietly():
            weights, bias = fit_logistic(points, known.yes, setting["strength"])
        return unscaled(known, weights if back is None else back @ weights, bias)

    def revive(self, arrays: Mapping[str, NDArray[Any]]) -> Linear:
        """A head from its arrays."""
        return Linear(arrays["weights"], float(arrays["bias"]))


def unscaled(known: Known, weights: Matrix, bias: float) -> Linear:
    """Turn weights for standardised vectors into weights for raw vectors."""
    plain = (weights * known.pool.scale.factor).astype(np.float32)
    return Linear(plain, float(bias - known.pool.scale.mean @ plain))
