"""Jobs, leases that let only one process do a thing, and running servers."""

from typing import Protocol

from thresher.records import Job, RunningServer


class Jobs(Protocol):
    """Records of separate processes, and leases that let only one process do a thing."""

    def start(self, job: Job) -> None:
        """Record a job; recording the same id again changes nothing."""

    def get(self, job: str) -> Job:
        """A job by id. Raises NotFound."""

    def all(self, limit: int = 100) -> list[Job]:
        """The newest jobs first."""

    def beat(self, job: str, now_ms: int, *, done: int, total: int, message: str) -> bool:
        """Record progress; returns whether the job was asked to stop."""

    def finish(self, job: str, state: str, message: str, now_ms: int) -> None:
        """Record how a job ended: "done", "failed" or "cancelled"."""

    def cancel(self, job: str) -> None:
        """Ask a job to stop at its next heartbeat."""

    def lease(self, name: str, owner: str, now_ms: int, lease_ms: int) -> bool:
        """Take or renew a named lease; False while another owner's lease has not expired."""

    def release(self, name: str, owner: str) -> None:
        """Give up a named lease."""

    def leased(self, name: str, now_ms: int) -> bool:
        """Whether a named lease is held and has not expired."""


class Servers(Protocol):
    """The servers of the workspace; a killed one leaves its record, so readers compare heartbeats."""

    def keep(self, server: RunningServer) -> None:
        """Record a server, or that it still runs."""

    def all(self) -> list[RunningServer]:
        """Every recorded server, the one started last first."""

    def drop(self, server: str) -> None:
        """Forget a server by id; an unknown id changes nothing."""
