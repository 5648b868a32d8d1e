"""Workers, invites and devices as generic lines, for every store."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from thresher.errors import NotFound
from thresher.records import Invite, Worker
from thresher.store.contract import Lines, People
from thresher.store.kinds import DEVICE, INVITE, WORKER

DEVICES_MOST: Final = 20
"""Devices kept of one worker: whoever empties the storage of a browser at each visit does not fill the disk."""


class LinedPeople(People):
    """Workers, the invites they came by and the devices they use, a line each."""

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

    def came(self, limit: int, *, invite: str | None = None, address: str | None = None) -> list[Worker]:
        by = {"invite": invite, "address": address}
        where = {name: value for name, value in by.items() if value is not None}
        found = self.lines.page(WORKER, where=where, by=["created_ms"], descending=True, limit=limit)
        return [Worker(**line) for line in found]

    def wait(self, worker: Worker, at_ms: int) -> None:
        # a gate that is late must not undo what the owner has decided since
        before = {"waits_ms": 0, "cleared_ms": worker.cleared_ms}
        self.lines.change(WORKER, [worker.id], {"waits_ms": at_ms}, where=before)

    def exclude(self, worker: str, why: str, at_ms: int) -> None:
        self._change(worker, {"excluded_ms": at_ms, "excluded_why": why}, where={"excluded_ms": 0})

    def admit(self, worker: str, at_ms: int) -> None:
        self._change(worker, {"waits_ms": 0, "cleared_ms": at_ms, "excluded_ms": 0, "excluded_why": ""}, where={})

    def _change(self, worker: str, changes: Mapping[str, Any], where: Mapping[str, Any]) -> None:
        if self.lines.change(WORKER, [worker], changes, where=where) is None:
            self.get(worker)

    def seen(self, worker: str, device: str, at_ms: int) -> None:
        if self.lines.get(DEVICE, [device, worker]) is None and (
            self.lines.count(DEVICE, where={"worker": worker}) < DEVICES_MOST
        ):
            self.lines.add(DEVICE, [{"device": device, "worker": worker, "at_ms": at_ms}])

    def devices(self) -> Mapping[str, frozenset[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for line in self.lines.page(DEVICE):
            found[line["worker"]].add(line["device"])
        return {worker: frozenset(devices) for worker, devices in found.items()}

    def alike(self, worker: str) -> tuple[str, ...]:
        own = [line["device"] for line in self.lines.page(DEVICE, where={"worker": worker})]
        lines = (line for device in own for line in self.lines.page(DEVICE, where={"device": device}))
        return tuple(sorted({line["worker"] for line in lines} - {worker}))
