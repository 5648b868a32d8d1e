"""Categories and their state: what is decided, the next step, and the cost so far."""

from dataclasses import asdict
from typing import Literal, cast

from fastapi import APIRouter

from thresher.label.gold import gold_standing
from thresher.loop.aims import Aims, aimed
from thresher.loop.next_step import next_step
from thresher.loop.reword import Change, reword
from thresher.loop.ways import WITHOUT_LABELS
from thresher.records import Category, Question, Says, Targets
from thresher.server.console.parameters import Name
from thresher.server.desk import Desk, TheDesk
from thresher.server.wire import CategoryWire, GateWire, GroundsWire, NewCategory, Reword, TargetsWire, WordingWire
from thresher.store.contract import Mark

router = APIRouter()


@router.get("/categories")
def categories(desk: TheDesk) -> list[CategoryWire]:
    """Every category with its state."""
    return [_shown(desk, name, mark) for name, mark in desk.store.categories.marks().items()]


@router.post("/categories", status_code=201)
def add_category(body: NewCategory, desk: TheDesk) -> CategoryWire:
    """Add a category."""
    desk.store.categories.create(
        Category(
            name=body.name,
            question=Question(version=1, text=body.question, instructions=body.instructions, at_ms=desk.clock()),
            targets=_new(body.targets),
            created_ms=desk.clock(),
        )
    )
    return _shown(desk, body.name)


@router.get("/categories/{name}")
def category(name: Name, desk: TheDesk) -> CategoryWire:
    """One category with its state."""
    return _shown(desk, name)


@router.get("/categories/{name}/questions")
def questions(name: Name, desk: TheDesk) -> list[WordingWire]:
    """Every wording of the question, oldest first; the last one is asked now."""
    desk.store.categories.get(name)
    return [WordingWire(**asdict(question)) for question in desk.store.categories.questions(name)]


@router.post("/categories/{name}/questions")
def reword_question(name: Name, body: Reword, desk: TheDesk) -> CategoryWire:
    """Change the question or its instructions, or go back to an earlier version.

    Without `confirmed`, a change after which paid answers do not count is refused, with what it costs.
    """
    change = Change(body.question, body.instructions, body.keep_answers, body.version, body.confirmed)
    reword(name, change, store=desk.store, settings=desk.settings, now_ms=desk.clock())
    return _shown(desk, name)


def _shown(desk: Desk, name: str, mark: Mark | None = None) -> CategoryWire:
    """A category's state, made anew only if something of it has changed."""
    running = desk.loop_runs(name)  # no change of the store tells it
    return desk.kept.of(
        name, ("category", running), lambda: _category(desk, desk.store.categories.get(name), running), mark=mark
    )


def _category(desk: Desk, category: Category, running: bool) -> CategoryWire:
    """A category's state: its counts, what it waits for, and its answers so far."""
    name, version = category.name, category.question.version
    tally = desk.store.categories.tally(name)
    gold = gold_standing(desk.store.labels.gold(name, version), desk.settings)
    decided = desk.decisions.of(name)
    return CategoryWire(
        name=name,
        question=category.question.text,
        version=version,
        instructions=category.question.instructions,
        targets=_targets(category.targets),
        images=tally.images,
        refused=tally.refused,
        yes=decided.counts.yes,
        no=decided.counts.no,
        unknown=decided.counts.unknown,
        yes_by=GroundsWire(**asdict(decided.yes_by)),
        certified=decided.basis.certified is not None,
        labels=dict(tally.labels),
        gold_yes=gold.yes,
        gold_no=gold.no,
        gate=GateWire(
            provisional=gold.provisional,
            says=gold.says,
            missing_yes=gold.missing.get(Says.YES, 0),
            missing_no=gold.missing.get(Says.NO, 0),
        ),
        asks_open=dict(tally.asks_open),
        answers=tally.answers,
        gold_answers=tally.gold_answers,
        owner_answers=tally.owner_answers,
        reserved_answers=tally.reserved,
        tasks_open=tally.tasks_open,
        assignments=dict(tally.assignments),
        rounds=len(desk.store.rounds.all(name)),
        waits_for=next_step(decided, store=desk.store, settings=desk.settings, running=running).waits_for,
        loop_running=running,
    )


def _new(given: TargetsWire) -> Targets:
    """The targets of a new category, as they are given; why a method was chosen is nobody's to say but the loop's."""
    named = Targets(**given.model_dump(exclude={"method", "chosen"}))
    return aimed(named, Aims(method=given.method), methods=WITHOUT_LABELS)


def _targets(targets: Targets) -> TargetsWire:
    """The targets on the wire."""
    return TargetsWire(
        precision=targets.precision,
        recall=targets.recall,
        delta=targets.delta,
        answers=targets.answers,
        method=targets.method,
        truth=cast("Literal['people', 'owner']", targets.truth),
        check=targets.check,
        chosen=targets.chosen,
    )
