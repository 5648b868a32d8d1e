"""The certified way: learn while it pays, freeze, then ask what the evidence asks for until it holds.

`evidence/certify.py` has the procedure and its proof. Here its asks become tasks and labels come back by rank. Nothing
of the procedure is stored beyond what was frozen and the labels, so a crash anywhere resumes to the same certificate.
Every answer the evidence rests on is adjudicated: by a lead of three among fresh votes, or by the owner.
"""

from dataclasses import replace

import numpy as np

from thresher.evidence import Ask, Certified, Promise, Refused, Step, next_step
from thresher.evidence.curve import Curve, points_of
from thresher.evidence.plan import sketch
from thresher.label.adjudicate import LEAD
from thresher.learn.decide import Decided, decide
from thresher.loop.methods import Wish, budget_left, first_asks, learning_asks, level
from thresher.loop.snapshot import Snapshot, freeze, latest, rank
from thresher.records import Category, NewAsk, Purpose
from thresher.settings import Settings
from thresher.store.contract import Store

PATIENCE_ROUNDS = 2  # rounds in which the planner's total has not fallen, after which learning no longer pays
FORECAST = "forecast of round"


def certified(category: Category, *, store: Store, settings: Settings, seed: int, now_ms: int) -> Wish:
    """Precision and recall, both proven: what to ask next, or that it is done."""
    decided = decide(category.name, store=store)
    snapshot = latest(category, store=store)
    if snapshot is not None and snapshot.pool == len(decided.rows):
        return _audit(category, snapshot, store=store)
    left = budget_left(category, store=store)
    if left <= 0:
        return Wish("spent", f"the budget of {category.targets.answers:,} answers is spent.")
    if decided.round is None:
        return first_asks(category, left, store=store, settings=settings, seed=seed, now_ms=now_ms)
    if not _learned_enough(category, decided, store=store):
        asked = learning_asks(category, decided, left, store=store, settings=settings, seed=seed)
        if asked:
            return Wish("asking", f"asks about {asked:,} pictures to learn.")
    return _audit(category, freeze(category, decided, store=store), store=store)


def step_of(category: Category, snapshot: Snapshot, *, store: Store) -> Step:
    """Where an epoch stands: what is still asked, or how it ended."""
    labels = {label.row: label for label in store.labels.held(category.name, snapshot.version)}
    return next_step(snapshot.state(labels))


def _audit(category: Category, snapshot: Snapshot, *, store: Store) -> Wish:
    step = step_of(category, snapshot, store=store)
    if isinstance(step, Certified):
        return Wish("done", step.claim)
    if isinstance(step, Refused):
        return Wish("refused", f"not certified: {step.why}. It would take {step.take}.")
    left = budget_left(category, store=store)
    wanted = len({rank_ for part in step.wanted for rank_ in part.ranks})
    if wanted > left:
        return Wish("spent", f"the audit asks about {wanted:,} more pictures and {max(left, 0):,} answers are left.")
    store.asks.wish(category.name, snapshot.version, _asks(category, snapshot, step, store=store))
    return Wish("asking", _sentence(step))


def _asks(category: Category, snapshot: Snapshot, step: Ask, *, store: Store) -> list[NewAsk]:
    """An ask for each image wanted, once, though two audits may have drawn it; of people who have not seen it yet."""
    asks: dict[int, NewAsk] = {}
    for part in step.wanted:
        for place, (rank_, draw) in enumerate(zip(part.ranks, part.draws, strict=True)):
            row = int(snapshot.ranking[rank_])
            first = 1.0 - place / len(part.ranks)  # in the order of the draws, as the evidence takes them so
            asks.setdefault(row, NewAsk(row, part.purpose, LEAD, first, snapshot.epoch, draw))
    seen: dict[int, set[str]] = {}
    for vote in store.labels.votes(category.name, snapshot.version, list(asks)):
        seen.setdefault(vote.row, set()).add(vote.worker)
    people = {worker.id for worker in store.people.all() if not worker.owner}
    pending = set(store.asks.open_rows(category.name, snapshot.version).tolist())
    return [_of_people(ask, len(people - seen.get(row, set()))) for row, ask in asks.items() if row not in pending]


def _of_people(ask: NewAsk, left: int) -> NewAsk:
    """Ask as many as a lead takes, as far as there are people who were not asked before; else the owner."""
    if left:
        return replace(ask, votes_wanted=min(LEAD, left))
    return replace(ask, purpose=Purpose.ADJUDICATE, votes_wanted=1)


def _sentence(step: Ask) -> str:
    parts = ", ".join(f"{len(part.ranks):,} {part.purpose.value}" for part in step.wanted)
    return f"audits: asks about {parts}; about {step.ahead:,} pictures to go."


def _learned_enough(category: Category, decided: Decided, *, store: Store) -> bool:
    """Whether the planner's total, labels so far and answers ahead, has stopped falling; or the head getting better."""
    rounds = [r for r in store.rounds.all(category.name) if r.version == category.question.version]
    assert decided.round is not None  # noqa: S101 -- asked after a round only
    name = f"{FORECAST} {decided.round.number}"
    if store.rounds.evidence(category.name, 0, name) is None:
        store.rounds.keep_evidence(category.name, 0, name, str(forecast(category, decided, store=store)).encode())
    kept = [store.rounds.evidence(category.name, 0, f"{FORECAST} {r.number}") for r in rounds]
    totals = [float(total) for total in kept if total is not None]
    fallen = len(totals) <= PATIENCE_ROUNDS or min(totals[-PATIENCE_ROUNDS:]) < min(totals[:-PATIENCE_ROUNDS])
    return not fallen or level(category, store=store)


def forecast(category: Category, decided: Decided, *, store: Store) -> float:
    """Pictures that people will have answered when it is certified, were learning to stop now."""
    labels = {label.row: label for label in store.labels.held(category.name, category.question.version)}
    _, probability = rank(decided, labels, {})
    if not len(probability):
        return float(len(labels))
    targets = category.targets
    promise = Promise(targets.precision, targets.recall, targets.delta)
    plan = sketch(Curve(points_of(np.asarray(probability))), 0, promise, delta=targets.delta)
    return len(labels) + plan.ahead
