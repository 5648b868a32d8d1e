"""What an adjudicated picture costs in answers: more where people err, and where their tasks are not full."""

from dataclasses import replace

import numpy as np
import pytest

from thresher.label.adjudicate import MOST_VOTES, leads
from thresher.loop.price import answers_each, votes_each, waste
from thresher.records import Category, Purpose, Question, Says, Vote, Worker
from thresher.settings import Settings
from thresher.store.contract import Store, Tally

PICTURES = 3000


def cast(right: float, unsure: float = 0.0, seed: int = 0) -> list[Vote]:
    """Two votes on each of many pictures that are all a yes."""
    rng = np.random.default_rng(seed)
    return [
        Vote(row, f"w{number}", one_says(rng, right, unsure), Purpose.LEARN, "a", 1.0, number)
        for row in range(PICTURES)
        for number in range(2)
    ]


def one_says(rng: np.random.Generator, right: float, unsure: float) -> Says:
    if rng.random() < unsure:
        return Says.UNSURE
    return Says.YES if rng.random() < right else Says.NO


@pytest.mark.parametrize(("right", "unsure"), [(0.97, 0.0), (0.9, 0.0), (0.8, 0.0), (0.7, 0.0), (0.9, 0.1)])
def test_the_price_is_about_what_people_of_this_kind_take(right: float, unsure: float) -> None:
    rng = np.random.default_rng(1)
    taken = []
    for _ in range(4000):
        said: list[Says] = []
        while leads(said) is None and len(said) < MOST_VOTES:
            said.append(one_says(rng, right, unsure))
        taken.append(len(said))
    # the last of eleven votes go to the owner, so a poor crowd takes a little less than to a lead
    assert np.mean(taken) == pytest.approx(votes_each(cast(right, unsure)), rel=0.15)


def test_before_anybody_has_come_people_are_taken_to_be_good() -> None:
    assert 3.3 < votes_each([]) < 3.7


def test_a_crowd_that_guesses_has_a_price_too() -> None:
    assert votes_each(cast(0.5)) < 2 * MOST_VOTES


def test_gold_and_rejected_work_are_counted_as_they_came(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    category = Category("car", Question(1, "Is it?"))
    store.categories.create(category)
    monkeypatch.setattr(store.categories, "tally", lambda _: Tally(images=5000))
    assumed = waste(category, 0, store=store, settings=settings)
    assert assumed > 1 + settings.gold_images / settings.task_images  # some work is rejected too
    monkeypatch.setattr(store.categories, "tally", lambda _: Tally(images=150))
    assert waste(category, 0, store=store, settings=settings) > 1.1 * assumed  # tasks of 75 have as much gold
    monkeypatch.setattr(store.categories, "tally", lambda _: Tally(images=5000, answers=600, gold_answers=900))
    assert 1.3 * assumed < waste(category, 500, store=store, settings=settings) < 3.0  # it begins to tell
    monkeypatch.setattr(store.categories, "tally", lambda _: Tally(images=5000, answers=60_000, gold_answers=90_000))
    assert waste(category, 50_000, store=store, settings=settings) == pytest.approx(3.0, rel=0.02)
    without_gate = settings.but(gold_images=0)
    monkeypatch.setattr(store.categories, "tally", lambda _: Tally(answers=0))
    assert waste(category, 0, store=store, settings=without_gate) == 1.0


def test_audits_do_not_make_the_price_of_the_next_one(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    category = Category("car", Question(1, "Is it?"))
    store.categories.create(category)
    store.people.add(Worker("ann", "ann", False, "", 1))
    monkeypatch.setattr(store.categories, "tally", lambda _: Tally(images=5000))
    gold = waste(category, 0, store=store, settings=settings) - 1.0  # the share that the tallies below have
    early = Tally(images=5000, answers=600, gold_answers=round(600 * gold))
    late = Tally(images=5000, answers=3600, gold_answers=round(3600 * gold))
    learnt = cast(0.95)[:600]
    audited = [replace(vote, epoch=1, draw=vote.row) for vote in cast(0.95, seed=3)[:3000]]
    monkeypatch.setattr(store.labels, "votes", lambda *_: learnt)
    monkeypatch.setattr(store.categories, "tally", lambda _: early)
    before = answers_each(category, store=store, settings=settings)
    monkeypatch.setattr(store.labels, "votes", lambda *_: learnt + audited)
    monkeypatch.setattr(store.categories, "tally", lambda _: late)
    assert answers_each(category, store=store, settings=settings) == pytest.approx(before, rel=1e-3)
