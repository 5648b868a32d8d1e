"""Workers and their records: in one category, or over all."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from statistics import median
from typing import Annotated

from fastapi import APIRouter, Path

from thresher.label import standing
from thresher.label.independent import shared_devices
from thresher.records import Assignment, Stage, Worker
from thresher.server.console.parameters import Name
from thresher.server.desk import Desk, TheDesk
from thresher.server.wire import Exclusion, WorkerWire
from thresher.store.contract import every_assignment

router = APIRouter()

Id = Annotated[str, Path(max_length=64)]
SENT = frozenset({Stage.SENT, Stage.ACCEPTED, Stage.WEIGHTED, Stage.REJECTED})
TEMPO_OF_LAST = 20  # assignments: what a worker does now


@router.get("/categories/{name}/workers")
def category_workers(name: Name, desk: TheDesk) -> list[WorkerWire]:
    """The workers of one category, with their records in it."""

    def of_category() -> list[WorkerWire]:
        records = _records(desk, [name])
        return [one for one in _workers(desk, records) if one.id in records]

    return desk.kept.of(name, "workers", of_category)


@router.get("/workers")
def workers(desk: TheDesk) -> list[WorkerWire]:
    """Every worker, over all categories."""
    return desk.kept.of_all("workers", lambda names: _workers(desk, _records(desk, names)))


@router.post("/workers/{worker}/exclude", status_code=204)
def exclude_worker(worker: Id, body: Exclusion, desk: TheDesk) -> None:
    """Exclude a worker for a reason, which they read: what they hold ends, what they have sent stays."""
    standing.exclude(worker, body.why.strip(), store=desk.store, now_ms=desk.clock())


@router.post("/workers/{worker}/admit", status_code=204)
def admit_worker(worker: Id, desk: TheDesk) -> None:
    """Let a worker go on who was excluded, waits after rejections, or came by a closed invite."""
    standing.admit(worker, store=desk.store, now_ms=desk.clock())


@dataclass(slots=True)
class _Record:
    """A worker's record; `latest` has the id (ids sort by time) and the seconds of each of the last assignments."""

    stages: Counter[Stage] = field(default_factory=Counter)
    answers: int = 0
    gold_right: int = 0
    gold_shown: int = 0
    provisional: int = 0
    latest: list[tuple[str, list[float]]] = field(default_factory=list)

    def add(self, done: Assignment) -> None:
        """Add an assignment; only one that was sent counts."""
        if done.stage not in SENT:
            return
        self.stages[done.stage] += 1
        self.answers += len(done.answers)
        if done.review:
            self.gold_right += done.review.yes_right + done.review.no_right
            self.gold_shown += done.review.yes_shown + done.review.no_shown
            self.provisional += done.review.provisional
        keep = heappush if len(self.latest) < TEMPO_OF_LAST else heappushpop
        keep(self.latest, (done.id, [given.seconds for given in done.answers]))


def _records(desk: Desk, names: Iterable[str]) -> defaultdict[str, _Record]:
    """The record of each worker over categories, read in pages."""
    records: defaultdict[str, _Record] = defaultdict(_Record)
    for name in names:
        for done in every_assignment(name, store=desk.store):
            records[done.worker].add(done)
    return records


def _workers(desk: Desk, records: Mapping[str, _Record]) -> list[WorkerWire]:
    """Everybody with their record, and who shares a device or an address with them."""
    people = desk.store.people.all()
    stands = standing.standings(store=desk.store)
    shared = shared_devices(store=desk.store)
    users = Counter(device for own in shared.values() for device in own)
    joined = Counter(worker.address for worker in people if worker.address)
    return [
        _worker(worker, records.get(worker.id, _Record())).model_copy(
            update={
                "standing": stands[worker.id].value,
                "same_device": sum(users[device] - 1 for device in shared.get(worker.id, ())),
                "same_address": max(0, joined[worker.address] - 1),
            }
        )
        for worker in people
    ]


def _worker(worker: Worker, record: _Record) -> WorkerWire:
    seconds = [each for _, some in record.latest for each in some]
    return WorkerWire(
        id=worker.id,
        name=worker.name,
        owner=worker.owner,
        joined_ms=worker.created_ms,
        assignments=record.stages.total(),
        accepted=record.stages[Stage.ACCEPTED],
        weighted=record.stages[Stage.WEIGHTED],
        rejected=record.stages[Stage.REJECTED],
        provisional=record.provisional,
        answers=record.answers,
        gold_right=record.gold_right,
        gold_shown=record.gold_shown,
        seconds=median(seconds) if seconds else None,
        standing="free",
        excluded_why=worker.excluded_why,
        same_device=0,
        same_address=0,
    )
