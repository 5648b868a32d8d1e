"""Workers, the invites they came by, and the devices they use."""

from collections.abc import Mapping
from typing import Protocol

from thresher.records import Invite, Worker


class People(Protocol):
    """Workers, the invites they came by, and the devices they use."""

    def invite(self, invite: Invite) -> None:
        """Add an invite."""

    def invites(self) -> list[Invite]:
        """Every invite, newest first."""

    def get_invite(self, invite: str) -> Invite:
        """An invite by its id. Raises NotFound."""

    def revoke(self, invite: str, at_ms: int) -> None:
        """Revoke an invite, once; the first time holds."""

    def add(self, worker: Worker) -> None:
        """Add a worker; adding the same id again changes nothing."""

    def get(self, worker: str) -> Worker:
        """A worker by id. Raises NotFound."""

    def all(self) -> list[Worker]:
        """Every worker, by id."""

    def joined(self, invite: str) -> int:
        """How many workers have joined by an invite."""

    def came(self, limit: int, *, invite: str | None = None, address: str | None = None) -> list[Worker]:
        """The last workers who joined by an invite or from an address, newest first."""

    def wait(self, worker: Worker, at_ms: int) -> None:
        """Let a worker wait for the owner. It changes nothing if the owner has let them go on since they were read."""

    def exclude(self, worker: str, why: str, at_ms: int) -> None:
        """Exclude a worker, once; the first reason holds. Raises NotFound."""

    def admit(self, worker: str, at_ms: int) -> None:
        """Let a worker go on, whatever stood against it. Raises NotFound."""

    def seen(self, worker: str, device: str, at_ms: int) -> None:
        """Note that a worker uses a device; of one worker a bounded number of devices is kept, the first ones."""

    def devices(self) -> Mapping[str, frozenset[str]]:
        """The devices of each worker who has any."""

    def alike(self, worker: str) -> tuple[str, ...]:
        """The other workers who use a device of this one, by id."""
