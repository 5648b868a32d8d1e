"""Workers and their records: in one category, or over all."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from statistics import median

from fastapi import APIRouter

from thresher.records import Assignment, Stage, Worker
from thresher.server.console.parameters import Name
from thresher.server.desk import Desk, TheDesk
from thresher.server.wire import WorkerWire
from thresher.store.contract import every_assignment

router = APIRouter()

SENT = frozenset({Stage.SENT, Stage.ACCEPTED, Stage.WEIGHTED, Stage.REJECTED})
TEMPO_OF_LAST = 20  # assignments: what a worker does now


@router.get("/categories/{name}/workers")
def category_workers(name: Name, desk: TheDesk) -> list[WorkerWire]:
    """The workers of one category, with their records in it."""
    desk.store.categories.get(name)
    records = _records(desk, [name])
    return [_worker(worker, records[worker.id]) for worker in desk.store.people.all() if worker.id in records]


@router.get("/workers")
def workers(desk: TheDesk) -> list[WorkerWire]:
    """Every worker, over all categories."""
    records = _records(desk, [category.name for category in desk.store.categories.all()])
    return [_worker(worker, records[worker.id]) for worker in desk.store.people.all()]


@dataclass(slots=True)
class _Record:
    """A worker's record; `latest` has the id (ids sort by time) and the seconds of each of the last assignments."""

    stages: Counter[Stage] = field(default_factory=Counter)
    answers: int = 0
    gold_right: int = 0
    gold_shown: int = 0
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
        keep = heappush if len(self.latest) < TEMPO_OF_LAST else heappushpop
        keep(self.latest, (done.id, [given.seconds for given in done.answers]))


def _records(desk: Desk, names: Iterable[str]) -> defaultdict[str, _Record]:
    """The record of each worker over categories, read in pages."""
    records: defaultdict[str, _Record] = defaultdict(_Record)
    for name in names:
        for done in every_assignment(name, store=desk.store):
            records[done.worker].add(done)
    return records


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
        answers=record.answers,
        gold_right=record.gold_right,
        gold_shown=record.gold_shown,
        seconds=median(seconds) if seconds else None,
    )
