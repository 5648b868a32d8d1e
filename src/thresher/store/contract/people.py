"""Workers and invites."""

from typing import Protocol

from thresher.records import Invite, Worker


class People(Protocol):
    """Workers and the invites they came by."""

    def invite(self, invite: Invite) -> None:
        """Add an invite."""

    def invites(self) -> list[Invite]:
        """Every invite, newest first."""

    def get_invite(self, invite: str) -> Invite:
        """An invite by its id. Raises NotFound."""

    def revoke(self, invite: str, at_ms: int) -> None:
        """Revoke an invite; the personal links it gave stay valid."""

    def add(self, worker: Worker) -> None:
        """Add a worker; adding the same id again changes nothing."""

    def get(self, worker: str) -> Worker:
        """A worker by id. Raises NotFound."""

    def all(self) -> list[Worker]:
        """Every worker, by id."""

    def joined(self, invite: str) -> int:
        """How many workers have joined by an invite."""
