"""A logistic head whose scores spread among images that resemble each other.

What the labels say reaches images that no label is near, over a graph of ten neighbours each (Zhou et al., "Learning
with Local and Global Consistency", 2004, started from a head's scores instead of the labels). An image's score then
depends on its company, so this head is of the pool it was trained for: scores of other vectors spread among those.
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
SUREST = 8.0  # raw scores beyond it would drown the neighbours
SMALLEST, LARGEST = 4 * NEIGHBOURS, 40_000  # images: too few resemble each other; the graph of more takes minutes


@dataclass(frozen=True, slots=True)
class Spread:
    """A linear head and how far its scores spread."""

    linear: Linear
    reach: float
    kind: str = "propagation"

    def scores(self, vectors: Vectors) -> Scores:
        """Scores spread among the vectors; of too few or too many of them the linear head's own."""
        plain = np.clip(self.linear.scores(vectors), -SUREST, SUREST)
        return spread(plain, neighbour_graph(vectors), self.reach) if offered(vectors) else plain

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The linear head's, and the reach."""
        return {**self.linear.arrays(), "reach": np.array(self.reach)}


class Propagation:
    """The family of logistic heads that spread."""

    kind = "propagation"

    def held_out(self, known: Known) -> Sequence[Candidate]:
        """For each strength and reach the score of every label from a head, spread over the pool, without its fold."""
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
        """Train on all labels with one strength; the reach is applied when scores are made."""
        return Spread(Logistic().fit(known, setting), setting["reach"])

    def revive(self, arrays: Mapping[str, NDArray[Any]]) -> Spread:
        """A head from its arrays."""
        return Spread(Logistic().revive(arrays), float(arrays["reach"]))

    def _read(self, known: Known, held: NDArray[np.bool_], fit: Linear, spread_scores: Scores) -> Scores:
        """The spread scores of held-out labels; one that is not in the pool has its plain score."""
        plain = np.clip(fit.scores(Vectors([known.features[held]])), -SUREST, SUREST)
        places = known.places[held]
        return np.where(places >= 0, spread_scores[places], plain)


def offered(vectors: Vectors) -> bool:
    """Whether a graph of these vectors is worth its time."""
    return SMALLEST <= len(vectors) <= LARGEST


def spread(plain: Matrix, graph: Graph, reach: float) -> Matrix:
    """Scores [N] or [N, k] once they have spread: each is its own, and for `reach` of it its neighbours' mean."""
    scores = plain
    for _ in range(STEPS):
        scores = (1 - reach) * plain + reach * (graph @ scores)
    return np.asarray(scores, np.float32)
