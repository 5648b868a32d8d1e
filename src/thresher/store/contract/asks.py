"""Asks (requests for human answers), and the tasks that contain them."""

from collections.abc import Collection, Sequence
from typing import Protocol

from thresher.records import Ask, NewAsk, NewTask, Purpose, Task
from thresher.store.contract.common import Rows


class Asks(Protocol):
    """Asks (requests for human answers), and the tasks that contain them."""

    def wish(self, category: str, version: int, asks: Sequence[NewAsk]) -> int:
        """Add asks; returns how many were new. One like an open ask (same row, purpose, epoch, part) is left out.

        So is one with `votes_seen` if its row has more votes by now, or an open ask (of a further part: unless that is
        the first part). This is compared in the transaction that stores it, so that of two processes which ask about
        one row at once, one does.
        """

    def waiting(self, category: str, version: int, limit: int, *, owner_only: bool = False) -> list[Ask]:
        """Asks not yet in a task, highest priority first, then by draw and id.

        `owner_only` selects those for the owner (adjudicate, mine gold); otherwise those are left out.
        """

    def open_counts(self, category: str, version: int) -> dict[str, int]:
        """The number of asks that still lack votes, by purpose, both waiting and in tasks."""

    def open_rows(self, category: str, version: int, purposes: Collection[Purpose] = tuple(Purpose)) -> Rows:
        """Rows with an open ask of these purposes."""

    def publish(self, category: str, version: int, task: NewTask) -> Task | None:
        """Put waiting asks into a task, all or none; None if another process took one of them first."""

    def withdraw(self, number: int) -> bool:
        """Empty a task that nobody holds or has finished; its asks wait again. False if somebody was quicker.

        It stays, without places and images, because its number is never given again.
        """

    def task(self, number: int) -> Task:
        """A task by its number. Raises NotFound."""

    def tasks(self, category: str, after_number: int, limit: int) -> list[Task]:
        """The next tasks by number."""

    def close(self, number: int) -> bool:
        """Take away the free places of a task. False if it has none.

        Its asks end with the votes that they have as soon as all places are done; one that is given back is free again.
        """

    def untaken(
        self, category: str, version: int, limit: int, *, owner_only: bool = False, partly: bool = False
    ) -> list[Task]:
        """Tasks that nobody holds or has finished, by number: those for annotators, or those for the owner only.

        `partly`: also those that somebody holds or has finished, and that have a free place.
        """

    def of_task(self, number: int) -> list[Ask]:
        """The asks in a task, in the order of its rows. Raises NotFound."""
