"""Values beside the vectors: labels and scores that somebody else made (claims), as numbers that a head can learn from.

They are distrusted: a head may find them useful or not, and no label, no gold and no evidence comes of them. A value
has a deviation near 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thresher.errors import BadInput
from thresher.learn.decide import look_up
from thresher.store.claims import TEXT, claim_of, claims_of
from thresher.store.contract import Rows, Store

Values = NDArray[np.float32]
FARTHEST, CLIPPINGS = 5.0, 20
"""Deviations from the mean: a score farther away counts as so far for mean and deviation, so many times over."""
SUREST = 1e-9
"""A probability below it, or above 1 less it, is taken as this."""


@dataclass(frozen=True)
class Beside:
    """Values [n, k] float32 for n images, NaN where there is none, and the name of the column of each of the k.

    Several values may come from one column: whether it says yes, and its score.
    """

    values: Values
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises BadInput for other shapes."""
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise BadInput(f"values are {self.values.shape}, with {len(self.names)} names.")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, each once."""
        return tuple(dict.fromkeys(self.names))

    def take(self, places: NDArray[np.int64]) -> "Beside":
        """The values of these images."""
        return Beside(self.values[places], self.names)

    def encoded(self, columns: Sequence[str]) -> NDArray[np.float64]:
        """The values of some columns [n, m], 0 where there is none, each beside whether it is missing (1 or 0)."""
        chosen = self.values[:, [name in columns for name in self.names]].astype(np.float64)
        missing = np.isnan(chosen)
        return np.concatenate([np.where(missing, 0.0, chosen), missing.astype(np.float64)], axis=1)


@dataclass(frozen=True)
class Column:
    """What one source says of some rows, ascending: values [n, k], NaN where it says nothing."""

    name: str
    rows: Rows
    values: Values

    def of(self, rows: Rows, similar: Callable[[Rows], Rows]) -> Values:
        """The values [m, k] of rows; of one that the source does not name, those of another of its similar group.

        `similar` gives the rows that represent the groups of some rows.
        """
        at, there = look_up(self.rows, rows)
        found = np.full((len(rows), self.values.shape[1]), np.nan, np.float32)
        found[there] = self.values[at[there]]
        lacking = np.flatnonzero(~there)
        if len(lacking) and len(self.rows):
            groups, first = np.unique(similar(self.rows), return_index=True)
            at, there = look_up(groups, similar(rows[lacking]))
            found[lacking[there]] = self.values[first[at[there]]]
        return found


def beside(columns: Sequence[Column], rows: Rows, *, store: Store) -> Beside:
    """The values of some columns for rows."""
    parts = [np.empty((len(rows), 0), np.float32), *(column.of(rows, store.images.similar) for column in columns)]
    names = [column.name for column in columns for _ in range(column.values.shape[1])]
    return Beside(np.concatenate(parts, axis=1), tuple(names))


def claimed_columns(category: str, *, store: Store) -> list[Column]:
    """The claims in force of a category: whether each says yes (1 or -1), and its scores where it has them.

    Raises StoreDamaged for changed ones.
    """
    found = []
    for name in claims_of(category, store=store):
        claim = claim_of(category, name, store=store)
        if claim is None or not len(claim.rows):
            continue
        says = np.where(claim.yes, np.float32(1), np.float32(-1))
        values = [says] if claim.scores is None else [says, standard(claim.scores)]
        if name == TEXT and claim.scores is not None:  # how well an image fits words: it says neither yes nor no
            values = [standard(claim.scores, may_be_probabilities=False)]
        found.append(Column(name, claim.rows, np.column_stack(values)))
    return found


def standard(scores: NDArray[np.floating], *, may_be_probabilities: bool = True) -> Values:
    """Scores [n] in ascending order as before, on a scale on which they can be added to log-odds; NaN stays.

    What lies between 0 and 1 is taken as probabilities where it may be, and becomes log-odds. Then come the mean and
    the deviation of all but outliers, and the inverse hyperbolic sine, so that rare high scores keep their order and
    outweigh nothing.
    """
    values = np.asarray(scores, np.float64)
    there = np.isfinite(values)
    if not there.any():
        return np.full(len(values), np.nan, np.float32)
    usual = values[there]
    if may_be_probabilities and usual.min() >= 0 and usual.max() <= 1:
        sure = np.clip(values, SUREST, 1 - SUREST)
        values = np.log(sure / (1 - sure))
        usual = values[there]
    for _ in range(CLIPPINGS):
        reach = FARTHEST * float(usual.std())
        usual = np.clip(usual, usual.mean() - reach, usual.mean() + reach)
    found = np.arcsinh((values - usual.mean()) / (float(usual.std()) or 1.0))
    return np.where(there, found, np.nan).astype(np.float32)
