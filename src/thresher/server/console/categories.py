"""Categories and their state, from counters that cost the same at a thousand images and at a million."""

from collections import Counter
from typing import Literal, cast

from fastapi import APIRouter

from thresher.label.waits import waits_for
from thresher.loop.aims import Aims, aimed
from thresher.loop.ways import way_of
from thresher.records import Category, Question, Says, Targets
from thresher.server.console.parameters import Name
from thresher.server.desk import Desk, TheDesk
from thresher.server.wire import CategoryWire, NewCategory, TargetsWire

router = APIRouter()


@router.get("/categories")
def categories(desk: TheDesk) -> list[CategoryWire]:
    """Every category with its state."""
    return [_category(desk, category) for category in desk.store.categories.all()]


@router.post("/categories", status_code=201)
def add_category(body: NewCategory, desk: TheDesk) -> CategoryWire:
    """Add a category."""
    desk.store.categories.create(
        Category(
            name=body.name,
            question=Question(version=1, text=body.question, instructions=body.instructions, at_ms=desk.clock()),
            targets=aimed(Targets(**body.targets.model_dump()), Aims()),
            created_ms=desk.clock(),
        )
    )
    return _category(desk, desk.store.categories.get(body.name))


@router.get("/categories/{name}")
def category(name: Name, desk: TheDesk) -> CategoryWire:
    """One category with its state."""
    return _category(desk, desk.store.categories.get(name))


def _category(desk: Desk, category: Category) -> CategoryWire:
    """A category's state: its counts, what it waits for, and its answers so far."""
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
        targets=_targets(category.targets),
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
    return way_of(category.targets.method).budgeted and any(desk.store.rounds.epochs(category.name))


def _targets(targets: Targets) -> TargetsWire:
    """The targets on the wire."""
    return TargetsWire(
        precision=targets.precision,
        recall=targets.recall,
        delta=targets.delta,
        answers=targets.answers,
        method=targets.method,
        truth=cast("Literal['people', 'owner']", targets.truth),
    )
