"""Exploratory asks (scouts) before the freeze: a few answers where the plan is least certain.

The labels from learning are mostly near probability 0.5, and few are where the accepted part will end; a wrong plan
would be frozen. Scouts are asked about there; they train the head like all other labels, and are never used as random
evidence. More are sent as long as the planned end keeps moving.
"""

import json
from collections import Counter
from dataclasses import asdict, dataclass

import numpy as np

from thresher.evidence import points_of, scouts, sketch, spend
from thresher.evidence.curve import Curve
from thresher.label.asks import fresh, wish
from thresher.learn.decide import Decided
from thresher.loop.promises import promise_of
from thresher.loop.ranking import rank
from thresher.loop.ways import way_of
from thresher.records import Category, Purpose, Says
from thresher.settings import Settings
from thresher.store.contract import Store

SCOUTINGS = 4  # at most
LEAP = 1.4  # more scouts are sent if the planned accepted part changed by this factor
WIDE = 60  # ranks of the planned middle, from which on the scouts have covered all of it
SCOUTING = "scouting of round"


@dataclass(frozen=True, slots=True)
class Sent:
    """The scouts sent after a round, and the plan at that time: its accepted ranks and its middle."""

    rows: list[int]
    accepted: int
    middle: int


def scouting(category: Category, decided: Decided, *, store: Store, settings: Settings) -> int:
    """Ask about images where the plan is least certain; how many wait for answers, 0 when the pool may be frozen.

    The asks are recorded by round, so a turn that repeats them (after a kill, or before the answers) asks the same.
    """
    if not way_of(category.targets.method).scouted or decided.round is None:
        return 0
    name, version = category.name, category.question.version
    rounds = [done.number for done in store.rounds.all(name) if done.version == version]
    kept = {number: store.rounds.evidence(name, 0, f"{SCOUTING} {number}") for number in rounds}
    before = [Sent(**json.loads(data)) for data in kept.values() if data is not None]
    now = decided.round.number
    if kept.get(now) is None:
        sent = _sent(category, decided, before, store=store)
        if sent is None:
            return 0
        store.rounds.keep_evidence(name, 0, f"{SCOUTING} {now}", json.dumps(asdict(sent)).encode())
        before.append(sent)
    return _waiting(category, before[-1].rows, store=store, settings=settings)


def _waiting(category: Category, rows: list[int], *, store: Store, settings: Settings) -> int:
    """How many of these images still lack answers; those that nobody was asked about are asked about now."""
    name, version = category.name, category.question.version
    labelled = {label.row for label in store.labels.held(name, version)}
    votes = Counter(vote.row for vote in store.labels.votes(name, version, rows))
    lacking = [row for row in rows if row not in labelled and votes[row] < settings.votes]
    asked = set(store.asks.open_rows(name, version).tolist())
    unasked = [(row, 1.0) for row in lacking if not votes[row] and row not in asked]
    wish(category, unasked, Purpose.LEARN, store=store, settings=settings)
    return len(set(lacking) & set(store.asks.open_rows(name, version).tolist()))


def _sent(category: Category, decided: Decided, before: list[Sent], *, store: Store) -> Sent | None:
    """The scouts to send now; None when the plan is stable, or everything uncertain was covered."""
    labels = {label.row: label for label in store.labels.held(category.name, category.question.version)}
    ranking, probability = rank(decided, labels, labels)
    if not len(ranking) or len(before) >= SCOUTINGS or (before and before[-1].middle >= WIDE):
        return None
    promise = promise_of(category.targets)
    epoch = max(store.rounds.epochs(category.name), default=0)
    yes = sum(label.says is Says.YES for label in labels.values())
    plan = sketch(Curve(points_of(np.asarray(probability))), yes, promise, delta=spend(promise.delta, epoch))
    if before and plan.accepted < LEAP * before[-1].accepted and before[-1].accepted < LEAP * plan.accepted:
        return None
    rows = fresh(category, ranking[scouts(plan, len(ranking))], store=store).tolist()
    return Sent(rows, plan.accepted, plan.rejected - plan.accepted) if rows else None
