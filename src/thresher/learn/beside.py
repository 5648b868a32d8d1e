"""Values beside the vectors: labels and scores that somebody else made (claims), as numbers that a head can learn from.

They are distrusted: a head may find them useful or not, and nothing else reads them. A value has a deviation near 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thresher.errors import BadInput

Values = NDArray[np.float32]
FARTHEST = 5.0
"""Deviations from the mean: a value farther away counts as so far, so that one outlier does not outweigh the head."""


@dataclass(frozen=True)
class Beside:
    """Values [n, k] float32 for n images, NaN where there is none, and the name of the column of each of the k.

    Several values may come from one column: whether it says yes, and its score.
    """

    values: Values
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
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


def nothing_beside(count: int) -> Beside:
    """No values for so many images."""
    return Beside(np.empty((count, 0), np.float32))


def side_by_side(parts: Sequence[Beside], count: int) -> Beside:
    """The values of several, for the same images."""
    whole = [nothing_beside(count), *parts]
    return Beside(np.concatenate([part.values for part in whole], axis=1), sum((part.names for part in whole), ()))


def standard(scores: NDArray[np.floating]) -> Values:
    """Scores [n] on a scale on which they can be added to log-odds; NaN stays.

    What lies between 0 and 1 is taken as probabilities, and becomes log-odds. Then the mean is subtracted, and what is
    left is divided by the deviation.
    """
    values = np.asarray(scores, np.float64)
    there = np.isfinite(values)
    if not there.any():
        return np.full(len(values), np.nan, np.float32)
    low, high = values[there].min(), values[there].max()
    if low >= 0 and high <= 1:
        sure = np.clip(values, 1e-6, 1 - 1e-6)
        values = np.log(sure / (1 - sure))
    spread = float(values[there].std()) or 1.0
    found = np.clip((values - values[there].mean()) / spread, -FARTHEST, FARTHEST)
    return np.where(there, found, np.nan).astype(np.float32)
