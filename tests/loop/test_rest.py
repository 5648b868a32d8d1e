"""Every method comes to rest: a turn that finds nothing new writes nothing, whatever stage the category is in."""

from pathlib import Path

import pytest
from tests.filled import NAME
from tests.loop.people import everybody_answers, pool, small
from tests.loop.watched import Loop

from thresher.loop.turn import turn
from thresher.records import OWNER, Says, Targets
from thresher.settings import Settings
from thresher.store.contract import Store

COUNT, YES_FROM = 48, 32
ROUNDS = 6


@pytest.mark.parametrize("method", ["cascade", "uncertainty", "certified", "everything", "precision"])
def test_a_loop_comes_to_rest_after_each_answer_and_at_its_end(
    store: Store, settings: Settings, tmp_path: Path, method: str
) -> None:
    settings = small(settings, tmp_path).but(first_images=16, round_images=16, gold_images=4, patience_seconds=5.0)
    rows = pool(store, YES_FROM, COUNT)
    yes = set(rows[YES_FROM:])
    store.categories.aim(NAME, Targets(precision=0.8, recall=0.5, delta=0.2, method=method, answers=900))
    loop, seed = Loop(store, settings), 70
    for number in range(ROUNDS):
        at_ms = 1_000_000 + number * 60_000
        for later_ms in (0, 2_500, 5_000, 30_000):  # the patience of what is asked ends in between
            loop.rest(at_ms + later_ms)
            before, seed = store.categories.mark(NAME), seed + 1
            # a turn that is made all the same, as by another process with another seed, writes nothing
            turn(NAME, store=store, settings=settings, now_ms=at_ms + later_ms, seed=seed)
            assert store.categories.mark(NAME).turn == before.turn
        people = ("ann", "bob", "cat", OWNER)[: 1 + number % 4]
        everybody_answers(store, settings, lambda row: Says.YES if row in yes else Says.NO, at_ms + 40_000, people)
    assert loop.made > 3
