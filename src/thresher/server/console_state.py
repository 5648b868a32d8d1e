"""How a category and a worker stand, from counters that cost the same at a thousand images and at a million."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from math import isfinite
from statistics import median
from typing import Literal, cast

from thresher.label.waits import waits_for
from thresher.loop.table import BUDGETED
from thresher.records import Assignment, Category, Round, Says, Stage, Targets, Worker
from thresher.server.desk import Desk
from thresher.server.wire import CategoryWire, RoundWire, TargetsWire, WorkerWire

SENT = frozenset({Stage.SENT, Stage.ACCEPTED, Stage.WEIGHTED, Stage.REJECTED})
TEMPO_OF_LAST = 20  # assignments: what a worker does now, at a cost that does not grow with what they did before


def category_wire(desk: Desk, category: Category) -> CategoryWire:
    """A category's state: what is, what it waits for, what it has cost."""
    name, version = category.name, category.question.version
    tally = desk.store.categories.tally(name)
    gold = Counter(gold.says for gold in desk.store.labels.gold(name, version))
    latest = desk.store.rounds.latest(name, version)
    yes, no = (latest.counts.yes, latest.counts.no) if latest else (0, 0)
    # pictures harvested after the round are unknown too
    unknown = max(tally.images - yes - no, 0)
    running = desk.loop_runs(name)
    return CategoryWire(
        name=name,
        question=category.question.text,
        version=version,
        instructions=category.question.instructions,
        targets=targets_wire(category.targets),
        images=tally.images,
        refused=tally.refused,
        yes=yes,
        no=no,
        unknown=unknown,
        labels=dict(tally.labels),
        gold_yes=gold[Says.YES],
        gold_no=gold[Says.NO],
        asks_open=dict(tally.asks_open),
        answers=tally.answers,
        gold_answers=tally.gold_answers,
        owner_answers=tally.owner_answers,
        tasks_open=tally.tasks_open,
        assignments=dict(tally.assignments),
        rounds=len(desk.store.rounds.all(name)),
        waits_for=waits_for(
            name,
            tally,
            gold,
            unknown=unknown,
            least=desk.settings.gold_least,
            learned=bool(latest),
            running=running,
            # an audit that has begun ends what its budget was divided for, and another budget would begin it anew
            answers_most=None if _audit_begun(desk, category) else category.targets.answers,
        ),
        loop_running=running,
    )


def _audit_begun(desk: Desk, category: Category) -> bool:
    return category.targets.method in BUDGETED and any(desk.store.rounds.epochs(category.name))


def targets_wire(targets: Targets) -> TargetsWire:
    """The targets on the wire."""
    return TargetsWire(
        precision=targets.precision,
        recall=targets.recall,
        delta=targets.delta,
        answers=targets.answers,
        method=targets.method,
        truth=cast("Literal['people', 'owner']", targets.truth),
    )


def round_wire(done: Round) -> RoundWire:
    """A round on the wire."""
    return RoundWire(
        number=done.number,
        at_ms=done.at_ms,
        seconds=done.seconds,
        backbone=done.backbone,
        labels_yes=done.labels_yes,
        labels_no=done.labels_no,
        yes=done.counts.yes,
        no=done.counts.no,
        unknown=done.counts.unknown,
        lower=_finite(done.thresholds.lower),
        upper=_finite(done.thresholds.upper),
        measures={name: value for name, value in done.measures.items() if isfinite(value)},
    )


def worker_wire(worker: Worker, assignments: Iterable[Assignment]) -> WorkerWire:
    """A worker over assignments, which come newest first."""
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


def _finite(number: float) -> float | None:
    """JSON has no word for infinity, which is the threshold that nothing reaches."""
    return number if isfinite(number) else None
