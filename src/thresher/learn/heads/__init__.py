"""The family of heads: each turns vectors into raw scores, and cross-validation chooses between them every round."""

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
    """What a head trains on: labelled vectors [n, d], whether each is a yes, and the pool that they are part of.

    `places` are the positions of the labelled in the pool, -1 for one that is not in it. `folds` [n] part the labels
    for cross-validation.
    """

    features: Matrix
    yes: Yes
    places: NDArray[np.int64]
    folds: NDArray[np.int64]
    pool: Vectors
    _fits: dict[float, list[tuple[int, Matrix, float]]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def standard(self) -> Matrix:
        """The labelled vectors, standardised as the pool is."""
        return self.pool.scale.apply(self.features)

    @cached_property
    def compact(self) -> tuple[Matrix, Matrix | None]:
        """The labelled vectors in as few numbers as tell them apart, and what turns weights for them back."""
        return compact(self.standard)

    def fits_without_a_fold(self, strength: float) -> list[tuple[int, Matrix, float]]:
        """Per fold the weights and the bias of a logistic fit to the compact vectors of the others; fitted once."""
        if strength not in self._fits:
            self._fits[strength] = held_out_weights(self.compact[0], self.yes, self.folds, strength)
        return self._fits[strength]


class Scorer(Protocol):
    """A trained head before calibration: `kind` names its family, `arrays` are all it knows."""

    @property
    def kind(self) -> str:
        """The name of its family."""

    def scores(self, vectors: Vectors) -> Scores:
        """Raw scores [N], the higher the more a yes."""

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """What `revive` of its family makes it from again."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One member of the family with one setting: its held-out scores [n]."""

    kind: str
    setting: Setting
    held_out: Scores


class Family(Protocol):
    """One kind of head, over a path of settings."""

    @property
    def kind(self) -> str:
        """Its name."""

    def held_out(self, known: Known) -> Sequence[Candidate]:
        """For each setting the raw score that every label gets from a head trained without its fold.

        Empty when this family has nothing to offer: a pool too small or too large for it.
        """

    def fit(self, known: Known, setting: Setting) -> Scorer:
        """Train on all labels with one setting."""

    def revive(self, arrays: Mapping[str, NDArray[Any]]) -> Scorer:
        """A scorer from its arrays."""
