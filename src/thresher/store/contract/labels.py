"""Labels, gold, and the votes they come from."""

from collections.abc import Sequence
from typing import Final, Protocol

from thresher.records import Gold, Label, Vote
from thresher.store.contract.common import Rows

LABELS_AT_ONCE: Final = 500
"""Labels that `hold` and `drop` write in one commit, which moves the change mark's part `labels` by one."""


class Labels(Protocol):
    """Labels with their source and purpose; gold; and the votes they come from."""

    def hold(self, category: str, labels: Sequence[Label]) -> None:
        """Store labels; a label of the same row, version and source replaces the earlier one."""

    def drop(self, category: str, version: int, source: str, rows: Sequence[int]) -> None:
        """Delete labels of one source, for example when their votes were rejected."""

    def held(self, category: str, version: int) -> list[Label]:
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

    def gold_record(self, category: str, version: int, worker: str) -> tuple[int, int, int, int]:
        """A worker's gold over all reviewed assignments: yes right, yes shown, no right, no shown."""

    def gold_answers(
        self, category: str, version: int, rows: Sequence[int] | None = None
    ) -> list[tuple[int, str, str]]:
        """Reviewed answers on gold as (row, worker, says), by row; rejected assignments left out."""
