"""Labels, gold, and the votes they come from."""

from collections.abc import Sequence
from functools import cached_property
from operator import attrgetter
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from thresher.records import Gold, Label, Says, Vote
from thresher.store.contract.common import Rows

LABELS_AT_ONCE: Final = 500
"""Labels that `hold` and `drop` write in one commit."""


class Held(list[Label]):
    """The labels that hold, one per row, by row; with what they say as arrays. Not to be changed."""

    @cached_property
    def rows(self) -> Rows:
        """Their rows [n], ascending."""
        return np.fromiter(map(attrgetter("row"), self), np.int64, len(self))

    @cached_property
    def yes(self) -> NDArray[np.bool_]:
        """Which of them [n] say yes."""
        return np.fromiter((says is Says.YES for says in map(attrgetter("says"), self)), np.bool_, len(self))

    @cached_property
    def unsure(self) -> NDArray[np.bool_]:
        """Which of them [n] say unsure."""
        return np.fromiter((says is Says.UNSURE for says in map(attrgetter("says"), self)), np.bool_, len(self))

    def again(self) -> "Held":
        """The same, for another caller: only the list is copied."""
        copy = Held(self)
        copy.__dict__ |= {"rows": self.rows, "yes": self.yes, "unsure": self.unsure}
        return copy


def as_held(labels: Sequence[Label]) -> Held:
    """Labels, one per row, as Held; those of a store are Held already."""
    return labels if isinstance(labels, Held) else Held(labels)


class Labels(Protocol):
    """Labels with their source and purpose; gold; and the votes they come from."""

    def hold(self, category: str, labels: Sequence[Label]) -> int:
        """Store labels; a label of the same row, version and source replaces the earlier one.

        Returns how often this moved the change mark's part `labels`: once for each commit that changed anything.
        """

    def drop(self, category: str, version: int, source: str, rows: Sequence[int]) -> int:
        """Delete labels of one source, for example when their votes were rejected; returns the same as `hold`."""

    def held(self, category: str, version: int) -> Held:
        """One label per row, that of the most trusted source, by row."""

    def all_of(self, category: str, version: int) -> list[Label]:
        """Every label of every source, by row and source."""

    def of(self, category: str, version: int, rows: Sequence[int] | Rows) -> dict[int, Label]:
        """The most trusted label of each of these rows that has one."""

    def gild(self, category: str, gold: Sequence[Gold]) -> None:
        """Make images gold, or replace their gold."""

    def gold(self, category: str, version: int, *, retired: bool = False) -> list[Gold]:
        """The gold in use by row, or with `retired` all of it."""

    def score_gold(self, category: str, version: int, right: Sequence[int], wrong: Sequence[int]) -> None:
        """Count good workers' answers on gold rows."""

    def retire_gold(self, category: str, version: int, row: int, why: str) -> None:
        """Stop checking workers with an image."""

    def votes(self, category: str, version: int, rows: Sequence[int] | None = None) -> list[Vote]:
        """Valid answers on asked images (from accepted and weighted assignments), by row, then time."""

    def voted(self, category: str, version: int) -> Rows:
        """Rows with valid answers."""

    def voters(self, category: str, version: int) -> frozenset[str]:
        """The workers with valid answers on asked images."""

    def gold_record(self, category: str, version: int, worker: str) -> tuple[int, int, int, int]:
        """A worker's gold over all reviewed assignments: yes right, yes shown, no right, no shown."""

    def gold_answers(
        self, category: str, version: int, rows: Sequence[int] | None = None
    ) -> list[tuple[int, str, str]]:
        """Reviewed answers on gold as (row, worker, says), by row; rejected assignments left out."""
