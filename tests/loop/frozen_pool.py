"""A small pool with scores that are nearly right, frozen, and its labels as a test gives them, without a crowd."""

from collections.abc import Callable, Collection

import numpy as np
from tests.filled import NAME, fill
from tests.loop.scored import first_round

from thresher.evidence import Ask, Step
from thresher.evidence.audit_log import WORDS, Log
from thresher.loop.audit_log import append
from thresher.loop.decision import decision
from thresher.loop.promises import Purse
from thresher.loop.snapshot import Snapshot, freeze, in_force, record_accepted, record_answers
from thresher.loop.words import CODES
from thresher.records import Label, Purpose, Says, Source, Targets, Thresholds
from thresher.store.contract import Store

COUNT, YES_FROM, KNOWN_YES = 200, 130, 12
"""Rows from YES_FROM on are yes; the last KNOWN_YES of them, and the first rows, were known before the freeze."""

BUDGET = 50


def truth(row: int) -> Says:
    return Says.YES if row >= YES_FROM else Says.NO


def owners(row: int, says: Says, purpose: Purpose = Purpose.LEARN, at_ms: int = 5) -> Label:
    return Label(row, says, Source.OWNER, purpose, 1, at_ms)


def frozen(store: Store, method: str, *, seed: str = "ab" * 32, targets: Targets | None = None) -> Snapshot:
    """A pool of COUNT images, a few of each answer known, frozen for a promise that its scores can keep."""
    rows = fill(store, COUNT)
    rng = np.random.default_rng(3)
    scores = np.where(np.arange(COUNT) < YES_FROM, -3.0, 3.0) + rng.normal(0.0, 1.3, COUNT)
    store.columns.create(f"scores/{NAME}/1", 1, "float32")
    store.columns.write(f"scores/{NAME}/1", np.array(rows), scores.astype(np.float32)[:, None])
    thresholds = Thresholds(-5.0, 5.0)
    first_round(store, thresholds)
    hold(store, {row: truth(row) for row in (*rows[:8], *rows[-KNOWN_YES:])})
    store.categories.aim(NAME, targets or Targets(0.85, 0.75, 0.1, None, method, "people"))
    purse = Purse(BUDGET)
    return freeze(store.categories.get(NAME), decision(NAME, store=store), purse, store=store, now_ms=2, seed=seed)


def hold(store: Store, says: dict[int, Says], *, purpose: Purpose = Purpose.LEARN) -> None:
    store.labels.hold(NAME, [owners(row, one, purpose) for row, one in says.items()])


def held(store: Store) -> dict[int, Label]:
    return {label.row: label for label in store.labels.held(NAME, 1)}


def now(store: Store) -> Snapshot:
    snapshot = in_force(store.categories.get(NAME), COUNT, store=store)
    assert snapshot is not None
    return snapshot


def log(store: Store) -> Snapshot:
    """Log what a turn would log."""
    snapshot = record_answers(NAME, now(store), held(store), store=store, now_ms=3)
    while isinstance(step := snapshot.step(held(store)), Ask) and step.begins is not None:
        snapshot = record_accepted(NAME, snapshot, step.begins, store=store, now_ms=3)
    return snapshot


def step(store: Store) -> Step:
    return log(store).step(held(store))


def answered(store: Store, *, but: Collection[int] = ()) -> bool:
    """Answer one ask truly, all of it but some rows; whether there was one."""
    snapshot = log(store)
    asked = snapshot.step(held(store))
    if not isinstance(asked, Ask):
        return False
    sure = {int(snapshot.ranking[rank]) for part in asked.wanted if part.sure for rank in part.ranks}
    hold(store, {row: truth(row) for row in sure if row not in but}, purpose=Purpose.MIDDLE)
    cheap = [rank for part in asked.wanted if not part.sure for rank in part.ranks]
    if cheap:
        codes = {str(rank): int(CODES[truth(int(snapshot.ranking[rank]))]) for rank in cheap}
        append(NAME, snapshot.epoch, snapshot.log, WORDS, _once({"codes": codes}), store=store, at_ms=3)
    return True


def _once(fields: dict[str, object]) -> Callable[[Log], dict[str, object]]:
    """What `append` asks for: these fields the first time, and nothing the second."""
    left = [fields]
    return lambda _log: left.pop() if left else {}


def to_the_end(store: Store) -> Step:
    """Answer all that is asked; how the audits end."""
    while answered(store):
        pass
    return step(store)
