"""A logistic head whose scores are propagated among images that resemble each other.

Labels then influence images without a label nearby, over a graph of ten nearest neighbours each (Zhou et al., "Learning
with Local and Global Consistency", 2004, started from a head's scores instead of the labels). An image's score depends
on its neighbours, so this head belongs to the pool it was trained for: other vectors are propagated among themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.learn.graph import NEIGHBOURS, Graph, neighbour_graph
from thresher.learn.heads import Candidate, Known, Scores, Setting
from thresher.learn.heads.logistic import Linear, Logistic, unscaled
from thresher.learn.vectors import Matrix, Vectors

STRENGTHS = (10.0, 30.0, 100.0)
REACHES = (0.4, 0.6)  # share of an image's score that comes from its neighbours
STEPS = 10  # after which less than a hundredth is left to spread
SUREST = 8.0  # raw scores are clipped to it; larger ones would outweigh all neighbours
SMALLEST, LARGEST = 4 * NEIGHBOURS, 40_000  # images: too few resemble each other; the graph of more takes minutes


@dataclass(frozen=True, slots=True)
class Spread:
    """A linear head, and how far its scores are propagated."""

    linear: Linear
    reach: float
    kind: str = "propagation"

    def scores(self, vectors: Vectors) -> Scores:
        """Propagated scores of the vectors; of too few or too many of them the scores of the linear head."""
        plain = np.clip(self.linear.scores(vectors), -SUREST, SUREST)
        return spread(plain, neighbour_graph(vectors), self.reach) if offered(vectors) else plain

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The arrays of the linear head, and the reach."""
        return {**self.linear.arrays(), "reach": np.array(self.reach)}


class Propagation:
    """The family of logistic heads with propagated scores."""

    kind = "propagation"

    def held_out(self, known: Known) -> Sequence[Candidate]:
        """For each strength and reach the held-out scores of all labels, propagated over the pool."""
        if not offered(known.pool) or (known.places < 0).all():
            return []
        _, back = known.compact
        fits = {
            (strength, fold): unscaled(known, weights if back is None else back @ weights, bias)
            for strength in STRENGTHS
            for fold, weights, bias in known.fits_without_a_fold(strength)
        }
        biases = np.array([fit.bias for fit in fits.values()], np.float32)
        plain = np.clip(
            known.pool.times(np.stack([fit.weights for fit in fits.values()], axis=1)) + biases, -SUREST, SUREST
        )
        found, graph = [], neighbour_graph(known.pool)
        for reach in REACHES:
            of_fit = dict(zip(fits, spread(plain, graph, reach).T, strict=True))
            for strength in STRENGTHS:
                out = np.empty(len(known.yes), np.float32)
                for fold in np.unique(known.folds):
                    held = known.folds == fold
                    out[held] = self._read(known, held, fits[strength, fold], of_fit[strength, fold])
                found.append(Candidate(self.kind, {"strength": strength, "reach": reach}, out))
        return found

    def fit(self, known: Known, setting: Setting) -> Spread:
        """Train on all labels with one strength; the reach is applied when scores are computed."""
        return Spread(Logistic().fit(known, setting), setting["reach"])

    def revive(self, arrays: Mapping[str, NDArray[Any]]) -> Spread:
        """A head from its arrays."""
        return Spread(Logistic().revive(arrays), float(arrays["reach"]))

    def _read(self, known: Known, held: NDArray[np.bool_], fit: Linear, spread_scores: Scores) -> Scores:
        """The propagated scores of held-out labels; the plain score of one that is not in the pool."""
        plain = np.clip(fit.scores(Vectors([known.features[held]])), -SUREST, SUREST)
        places = known.places[held]
        return np.where(places >= 0, spread_scores[places], plain)


def offered(vectors: Vectors) -> bool:
    """Whether the pool's size makes the graph affordable and useful."""
    return SMALLEST <= len(vectors) <= LARGEST


def spread(plain: Matrix, graph: Graph, reach: float) -> Matrix:
    """Propagated scores [N] or [N, k]: a share `reach` of each comes from the mean of its neighbours."""
    scores = plain
    for _ in range(STEPS):
        scores = (1 - reach) * plain + reach * (graph @ scores)
    return np.asarray(scores, np.float32)
