"""Jobs, leases and servers as generic lines, for every store."""

from dataclasses import asdict
from typing import Any

from thresher.errors import NotFound
from thresher.records import Job, RunningServer
from thresher.store.contract import Jobs, Lines, Servers
from thresher.store.kinds import JOB, LEASE, SERVER


class LinedJobs(Jobs):
    """Records of separate processes, and leases that let only one process do a thing, a line each."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines

    def start(self, job: Job) -> None:
        self.lines.add(JOB, [asdict(job)])

    def get(self, job: str) -> Job:
        line = self.lines.get(JOB, [job])
        if line is None:
            raise _no_such(job)
        return Job(**line)

    def all(self, limit: int = 100) -> list[Job]:
        return [Job(**line) for line in self.lines.page(JOB, descending=True, limit=limit)]

    def beat(self, job: str, now_ms: int, *, done: int, total: int, message: str) -> bool:
        return bool(self._set(job, heartbeat_ms=now_ms, done=done, total=total, message=message)["cancel"])

    def began(self, job: str, process: str, now_ms: int) -> None:
        self._set(job, process=process, heartbeat_ms=now_ms)

    def finish(self, job: str, state: str, message: str, now_ms: int) -> None:
        self._set(job, state=state, message=message, heartbeat_ms=now_ms)

    def cancel(self, job: str) -> None:
        self._set(job, cancel=True)

    def _set(self, job: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- fields of the kind
        line = self.lines.change(JOB, [job], changes)
        if line is None:
            raise _no_such(job)
        return line

    def lease(self, name: str, owner: str, now_ms: int, lease_ms: int) -> bool:
        wanted = {"owner": owner, "until_ms": now_ms + lease_ms}
        while True:  # again where another was quicker: then it is theirs, or given back
            there = self.lines.get(LEASE, [name])
            if there is None:
                if self.lines.add(LEASE, [{"name": name, **wanted}]):
                    return True
            elif there["owner"] != owner and there["until_ms"] > now_ms:
                return False
            elif self.lines.change(LEASE, [name], wanted, where=there):
                return True

    def release(self, name: str, owner: str) -> None:
        self.lines.drop(LEASE, [name], where={"owner": owner})

    def holder(self, name: str, now_ms: int) -> str:
        there = self.lines.get(LEASE, [name])
        return str(there["owner"]) if there is not None and there["until_ms"] > now_ms else ""


class LinedServers(Servers):
    """The servers of the workspace, a line each."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines

    def keep(self, server: RunningServer) -> None:
        fresh = {"url": server.url, "heartbeat_ms": server.heartbeat_ms}
        if self.lines.change(SERVER, [server.id], fresh) is None:
            self.lines.add(SERVER, [asdict(server)])

    def all(self) -> list[RunningServer]:
        found = [RunningServer(**line) for line in self.lines.page(SERVER)]
        return sorted(found, key=lambda server: (server.started_ms, server.id), reverse=True)

    def drop(self, server: str) -> None:
        self.lines.drop(SERVER, [server])


def _no_such(job: str) -> NotFound:
    return NotFound(f"no job has the id {job!r}.")
