"""Workers and their records: in one category, or over all."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from statistics import median

from fastapi import APIRouter

from thresher.records import Assignment, Stage, Worker
from thresher.server.console.parameters import Name
from thresher.server.desk import TheDesk
from thresher.server.wire import WorkerWire

router = APIRouter()

SENT = frozenset({Stage.SENT, Stage.ACCEPTED, Stage.WEIGHTED, Stage.REJECTED})
TEMPO_OF_LAST = 20  # assignments: what a worker does now, at a cost that does not grow with what they did before


@router.get("/categories/{name}/workers")
def category_workers(name: Name, desk: TheDesk) -> list[WorkerWire]:
    """The workers of one category, with their records in it."""
    desk.store.categories.get(name)
    found = []
    for worker in desk.store.people.all():
        here = [done for done in desk.store.work.of_worker(worker.id) if done.category == name]
        if here:
            found.append(_worker(worker, here))
    return found


@router.get("/workers")
def workers(desk: TheDesk) -> list[WorkerWire]:
    """Every worker, over all categories."""
    return [_worker(worker, desk.store.work.of_worker(worker.id)) for worker in desk.store.people.all()]


def _worker(worker: Worker, assignments: Iterable[Assignment]) -> WorkerWire:
    """A worker's record over assignments, which are given newest first."""
    sent = [done for done in assignments if done.stage in SENT]
    stages = Counter(done.stage for done in sent)
    reviews = [done.review for done in sent if done.review]
    seconds = [given.seconds for done in islice(sent, TEMPO_OF_LAST) for given in done.answers]
    return WorkerWire(
        id=worker.id,
        name=worker.name,
        owner=worker.owner,
        joined_ms=worker.created_ms,
        assignments=len(sent),
        accepted=stages[Stage.ACCEPTED],
        weighted=stages[Stage.WEIGHTED],
        rejected=stages[Stage.REJECTED],
        answers=sum(len(done.answers) for done in sent),
        gold_right=sum(review.yes_right + review.no_right for review in reviews),
        gold_shown=sum(review.yes_shown + review.no_shown for review in reviews),
        seconds=median(seconds) if seconds else None,
    )
