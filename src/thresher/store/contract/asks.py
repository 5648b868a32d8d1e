"""Asks, and the tasks that carry them."""

from collections.abc import Sequence
from typing import Protocol

from thresher.records import Ask, NewAsk, NewTask, Purpose, Task
from thresher.store.contract.common import Rows


class Asks(Protocol):
    """Wishes for human answers, and the tasks that carry them."""

    def wish(self, category: str, version: int, asks: Sequence[NewAsk]) -> int:
        """Add wishes and answer how many were new; one like an open ask (row, purpose, epoch) is left out."""

    def waiting(self, category: str, version: int, limit: int, *, owner_only: bool = False) -> list[Ask]:
        """Asks not yet in a task, highest priority first, then by draw and id.

        `owner_only` picks those for the owner (adjudicate, mine gold); otherwise those are left out.
        """

    def withdraw(self, category: str, version: int, purposes: Sequence[Purpose]) -> int:
        """Drop asks that no task carries yet and answer how many."""

    def open_counts(self, category: str, version: int) -> dict[str, int]:
        """Asks whose votes are not all in, by purpose: waiting and in tasks alike."""

    def open_rows(self, category: str, version: int) -> Rows:
        """Rows with an open ask."""

    def publish(self, category: str, version: int, task: NewTask) -> Task | None:
        """Bind waiting asks into a task, all or none: None when another process took one of them first."""

    def task(self, number: int) -> Task:
        """A task by its number. Raises NotFound."""

    def tasks(self, category: str, after_number: int, limit: int) -> list[Task]:
        """The next tasks by number."""

    def of_task(self, number: int) -> list[Ask]:
        """The asks a task carries, in the order of its rows. Raises NotFound."""
