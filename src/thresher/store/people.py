"""Workers and invites as generic lines, for every store."""

from dataclasses import asdict

from thresher.errors import NotFound
from thresher.records import Invite, Worker
from thresher.store.contract import Lines, People
from thresher.store.kinds import INVITE, WORKER


class LinedPeople(People):
    """Workers and the invites they came by, a line each."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines

    def invite(self, invite: Invite) -> None:
        self.lines.add(INVITE, [asdict(invite)])

    def invites(self) -> list[Invite]:
        return [Invite(**line) for line in self.lines.page(INVITE, by=["created_ms"], descending=True)]

    def get_invite(self, invite: str) -> Invite:
        line = self.lines.get(INVITE, [invite])
        if line is None:
            raise NotFound("there is no such invite.", next="ask for another link")
        return Invite(**line)

    def revoke(self, invite: str, at_ms: int) -> None:
        self.lines.change(INVITE, [invite], {"revoked_ms": at_ms}, where={"revoked_ms": 0})

    def add(self, worker: Worker) -> None:
        self.lines.add(WORKER, [asdict(worker)])

    def get(self, worker: str) -> Worker:
        line = self.lines.get(WORKER, [worker])
        if line is None:
            raise NotFound("there is no such worker.", next="ask for another link")
        return Worker(**line)

    def all(self) -> list[Worker]:
        return [Worker(**line) for line in self.lines.page(WORKER)]

    def joined(self, invite: str) -> int:
        return self.lines.count(WORKER, where={"invite": invite})
