"""The kinds of heads (families): each turns embeddings into raw scores; cross-validation chooses one every round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from thresher.learn.heads.fit import compact, held_out_weights
from thresher.learn.vectors import Matrix, Vectors

Setting = Mapping[str, float]  # what cross-validation chooses: the strength, and what else a family has
Yes = NDArray[np.bool_]
Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Known:
    """The training data of a head: labelled vectors [n, d], whether each is a yes, and the pool that they belong to.

    `places` are the positions of the labelled in the pool, -1 for one that is not in it. `folds` [n] are the fold
    numbers for cross-validation.
    """

    features: Matrix
    yes: Yes
    places: NDArray[np.int64]
    folds: NDArray[np.int64]
    pool: Vectors
    _fits: dict[float, list[tuple[int, Matrix, float]]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def standard(self) -> Matrix:
        """The labelled vectors, standardised with the pool's mean and deviation."""
        return self.pool.scale.apply(self.features)

    @cached_property
    def compact(self) -> tuple[Matrix, Matrix | None]:
        """The labelled vectors in fewer dimensions with the same products, and the map that turns weights back."""
        return compact(self.standard)

    def fits_without_a_fold(self, strength: float) -> list[tuple[int, Matrix, float]]:
        """Per fold the weights and the bias of a logistic fit to the compact vectors of the others; fitted once."""
        if strength not in self._fits:
            self._fits[strength] = held_out_weights(self.compact[0], self.yes, self.folds, strength)
        return self._fits[strength]


class Scorer(Protocol):
    """A trained head before calibration: `kind` is its family, `arrays` its whole state."""

    @property
    def kind(self) -> str:
        """The name of its family."""

    def scores(self, vectors: Vectors) -> Scores:
        """Raw scores [N]; a higher score means a likelier yes."""

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The arrays from which `revive` of its family restores it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One family with one setting, and its held-out scores [n]."""

    kind: str
    setting: Setting
    held_out: Scores


class Family(Protocol):
    """One kind of head, over a path of settings."""

    @property
    def kind(self) -> str:
        """Its name."""

    def held_out(self, known: Known) -> Sequence[Candidate]:
        """For each setting the held-out raw scores of all labels, from heads trained without their fold.

        Empty when the pool is too small or too large for this family.
        """

    def fit(self, known: Known, setting: Setting) -> Scorer:
        """Train on all labels with one setting."""

    def revive(self, arrays: Mapping[str, NDArray[Any]]) -> Scorer:
        """A scorer, restored from its arrays."""
