"""A budget of answers ends a loop, whatever the method: never one answer more, and what is proven by then stands."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.filled import NAME
from tests.loop.people import everybody_answers, one_turn, pool, small

from thresher.evidence import Certified
from thresher.label.gold import gold_of
from thresher.loop.budget import images_for
from thresher.loop.ship import ship
from thresher.loop.snapshot import latest, record_closed
from thresher.loop.turn import Turn
from thresher.loop.ways import WAYS
from thresher.records import OWNER, Label, Purpose, Says, Source, Targets
from thresher.settings import Settings
from thresher.store.claims import AUDITED, ClaimedLabels, store_claim
from thresher.store.contract import Store
from thresher.verify import verify

COUNT, YES_FROM = 150, 90
PEOPLE = ("ann", "bob", "cyd", "dan", "eve", "fay", OWNER)
FINAL = ("done", "spent", "refused")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return small(settings, tmp_path).but(votes=2, votes_most=3, gold_images=6, task_images=20, label_all=True)


def begun(store: Store, method: str, answers: int) -> None:
    """A pool with gold of the owner, and a budget."""
    rows = pool(store, YES_FROM, COUNT)
    known = [*rows[:8], *rows[-8:]]
    labels = [Label(row, says(row), Source.OWNER, Purpose.MINE_GOLD, 1, 0) for row in known]
    store.labels.hold(NAME, labels)
    store.labels.gild(NAME, [piece for label in labels if (piece := gold_of(label, (), None)) is not None])
    called = np.array([row for row in rows if says(row) is Says.YES], np.int64)
    store_claim(NAME, ClaimedLabels(AUDITED, called, np.ones(len(called), np.bool_)), store=store)
    store.categories.aim(NAME, Targets(0.85, 0.8, 0.1, answers, method))


def says(row: int) -> Says:
    return Says.YES if row >= YES_FROM else Says.NO


def to_the_end(store: Store, settings: Settings, *, seed: int, wrong: float) -> Turn:
    """Turns and answers until the loop ends; people err, and at no moment is there an answer above the budget."""
    chance, came_to = random.Random(seed), Turn("asking", "")

    def answer(row: int) -> Says:
        right = says(row)
        return right if chance.random() >= wrong else (Says.NO if right is Says.YES else Says.YES)

    most = store.categories.get(NAME).targets.answers
    assert most is not None
    for number in range(120):
        came_to = one_turn(store, settings, number)
        if came_to.state in FINAL:
            break
        everybody_answers(store, settings, answer, 1_000 * number + 1_500, PEOPLE)
        tally = store.categories.tally(NAME)
        assert tally.answered + tally.reserved <= most
    return came_to


@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize(("answers", "wrong"), [(90, 0.0), (330, 0.1)])
def test_no_method_takes_one_answer_more_than_it_has_and_each_comes_to_an_end(
    store: Store, settings: Settings, method: str, answers: int, wrong: float
) -> None:
    begun(store, method, answers)
    came_to = to_the_end(store, settings, seed=answers, wrong=wrong)
    assert came_to.state in FINAL
    tally = store.categories.tally(NAME)
    assert tally.answered <= answers
    assert tally.reserved == 0


@pytest.mark.parametrize("method", ["precision", "recall"])
def test_what_is_proven_when_a_budget_ends_is_released_and_verified(
    store: Store, settings: Settings, tmp_path: Path, method: str
) -> None:
    """It ends as soon as something is proven, while draws that were asked for have no label yet."""
    begun(store, method, 900)
    category = store.categories.get(NAME)
    for number in range(60):
        one_turn(store, settings, number)
        snapshot = latest(category, store=store)
        labels = {label.row: label for label in store.labels.held(NAME, 1)}
        if snapshot is not None and isinstance(replace(snapshot, closed=True).step(labels), Certified):
            break
        everybody_answers(store, settings, says, 1_000 * number + 1_500, PEOPLE)
    assert snapshot is not None
    record_closed(category, snapshot, store=store, now_ms=9)
    made = ship(NAME, tmp_path / "out", store=store, now_ms=9)
    assert verify(tmp_path / "out").wrong == ()
    assert made.images > 0
    assert '"kind":"closed"' in (tmp_path / "out" / "audit-log.jsonl").read_text()


def test_an_audit_that_ended_for_its_budget_goes_on_when_that_is_raised(store: Store, settings: Settings) -> None:
    here = settings.but(label_all=False)
    begun(store, "certified", 5_000)
    category = store.categories.get(NAME)
    for number in range(40):
        one_turn(store, here, number)
        if latest(category, store=store) is not None:
            break
        everybody_answers(store, here, says, 1_000 * number + 1_500, PEOPLE)
    most = store.categories.tally(NAME).answered + 30
    store.categories.aim(NAME, replace(category.targets, answers=most))
    assert to_the_end(store, here, seed=3, wrong=0.0).state == "spent"
    before = latest(category, store=store)
    assert before is not None
    assert before.log.closed == most
    store.categories.aim(NAME, category.targets)
    assert to_the_end(store, here, seed=3, wrong=0.0).state == "done"
    after = latest(category, store=store)
    assert after is not None
    assert (after.epoch, after.log.closed) == (before.epoch, most)
    assert after.log.first.items() >= before.log.first.items()


def test_learning_asks_for_no_more_than_its_answers_pay_with_their_gold(settings: Settings) -> None:
    here = settings.but(votes=2, gold_images=40, task_images=110)
    assert images_for(300, 220, here) == 109  # a task for two people, rather than four half full ones
    assert images_for(700, 220, here) == 220
    assert images_for(60, 220, here) == 21
    assert images_for(1, 220, here) == 1
