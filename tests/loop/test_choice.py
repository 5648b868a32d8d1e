"""Without a method the loop chooses the cheapest that keeps the promise, anew as it learns, until the freeze."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.filled import NAME
from tests.loop.people import everybody_answers, one_turn, pool, to_the_end
from tests.loop.promised import COUNT, PEOPLE, YES_FROM, rounds_of_two, says

from thresher.loop import choice
from thresher.loop.aims import Aims, aim, aimed
from thresher.loop.choice import Choice, choose, chosen_again, chosen_now, mark_of
from thresher.loop.decision import decision
from thresher.loop.promises import Purse
from thresher.loop.snapshot import freeze, in_force
from thresher.loop.turn import Turn
from thresher.loop.ways import CANDIDATES, TO_BE_CHOSEN
from thresher.records import Category, Says, Targets, Worker
from thresher.settings import Settings
from thresher.store.contract import Store

PROMISE = Targets(0.85, 0.8, 0.1, method="certified", chosen=TO_BE_CHOSEN)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return rounds_of_two(settings, tmp_path).but(label_all=True)


@pytest.fixture
def rows(store: Store) -> list[int]:
    found = pool(store, YES_FROM, COUNT)
    store.categories.aim(NAME, PROMISE)
    return found


def targets(store: Store) -> Targets:
    return store.categories.get(NAME).targets


def frozen(store: Store) -> str:
    """The method of the freeze in force; empty if there is none."""
    snapshot = in_force(store.categories.get(NAME), COUNT, store=store)
    return snapshot.frozen.method if snapshot else ""


def answer_until_a_round(store: Store, settings: Settings, people: tuple[str, ...], first: int = 0) -> int:
    """Turns and answers until there is one more round; the number of the next turn."""
    before, number = len(store.rounds.all(NAME)), first
    while len(store.rounds.all(NAME)) == before:
        one_turn(store, settings, number)
        everybody_answers(store, settings, says, 1_000 * number + 1_500, people)
        number += 1
        assert number < 40
    return number


def test_targets_without_a_method_let_it_be_chosen() -> None:
    chosen = aimed(Targets(), Aims(precision=0.97))
    assert (chosen.method, chosen.chosen) == ("certified", TO_BE_CHOSEN)
    assert aimed(chosen, Aims(answers=900)).chosen
    assert aimed(Targets(), Aims(method="cheapest")).chosen


@pytest.mark.parametrize("method", ["cascade", "uncertainty", "certified", "precision"])
def test_a_method_that_is_named_stays_named(method: str) -> None:
    named = aimed(Targets(chosen="for a price"), Aims(method=method))
    assert (named.method, named.chosen) == (method, "")
    assert aimed(named, Aims(answers=900, delta=0.1)).method == method
    if method in ("certified", "precision"):
        assert aimed(named, Aims(precision=0.97)).method == method


def test_what_no_chosen_method_may_be_is_left_at_once() -> None:
    assert aimed(Targets(method="adjudicated", chosen="for a price"), Aims(truth="owner")).method == "certified"
    assert aimed(Targets(method="everything", chosen="for a price"), Aims(check=True)).method == "certified"


def test_the_cheapest_is_chosen_and_each_price_is_said(store: Store, settings: Settings, rows: list[int]) -> None:
    made = choose(store.categories.get(NAME), targets(store), store=store, settings=settings)
    price = {name: offer.answers.expected for name, offer in made.offers.items()}
    assert price[made.targets.method] <= 1.02 * min(price.values())
    assert set(price) <= set(CANDIDATES)
    for name, answers in price.items():
        assert f"about {answers:,.0f} answers by {'labelling' if name == 'everything' else name}" in made.targets.chosen
    assert chosen_now(NAME, store=store, settings=settings) == made.targets == targets(store)


def test_the_owner_s_answers_as_ground_truth_leave_no_method_of_votes(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    wanted = aimed(targets(store), Aims(truth="owner"))
    made = choose(store.categories.get(NAME), wanted, store=store, settings=settings)
    assert (made.targets.method, set(made.offers)) == ("certified", {"certified"})


def test_no_method_is_chosen_that_waits_for_people_who_have_not_come(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    number = answer_until_a_round(store, settings, ("ann", "bob"))
    one_turn(store, settings, number)
    assert targets(store).chosen != TO_BE_CHOSEN
    assert targets(store).method == "certified"
    assert "everything and adjudicated need 5 people, and 2 have joined" in targets(store).chosen
    for name in PEOPLE:
        store.people.add(Worker(name, name, False, "", 1))
    everybody_answers(store, settings, says, 1_000 * number + 1_500, PEOPLE)
    assert not frozen(store)
    one_turn(store, settings, number + 1)
    assert "answers by adjudicated" in targets(store).chosen


def test_each_choice_of_the_loop_is_stored_with_its_prices(store: Store, settings: Settings, rows: list[int]) -> None:
    assert targets(store).chosen == TO_BE_CHOSEN
    number = answer_until_a_round(store, settings, PEOPLE)
    if not frozen(store):
        one_turn(store, settings, number)
    last = store.rounds.all(NAME)[0].number
    data = store.rounds.evidence(
        NAME, 0, f"choice {last}, 5 people, targets {mark_of(replace(targets(store), method=''))}"
    )
    assert data is not None
    kept = json.loads(data)
    assert kept["says"] == targets(store).chosen != TO_BE_CHOSEN
    assert kept["method"] == targets(store).method
    assert kept["answers"][kept["method"]] > 0


def test_after_the_freeze_the_choice_stays_and_the_promise_is_kept(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    seen: set[tuple[str, str, str]] = set()

    def take(number: int) -> Turn:
        came_to = one_turn(store, settings, number)
        if frozen(store):
            seen.add((frozen(store), targets(store).method, targets(store).chosen))
            if len(seen) == 1:  # nor does a change that ends no freeze choose anew
                aim(NAME, Aims(answers=9_000), store=store)
                assert chosen_now(NAME, store=store, settings=settings).answers == 9_000
        return came_to

    came_to = to_the_end(store, settings, says, PEOPLE, take)
    assert came_to.state == "done", came_to.says
    assert len(seen) == 1
    decided = decision(NAME, store=store)
    assert decided.basis.certified is not None
    yes = {int(row) for row in decided.rows[decided.codes == 1]}
    right = sum(says(row) is Says.YES for row in yes)
    assert right >= PROMISE.precision * len(yes)
    assert right >= PROMISE.recall * (COUNT - YES_FROM)


@pytest.mark.parametrize("again", [False, True])
def test_targets_that_are_changed_while_the_methods_are_planned_stay(
    store: Store, settings: Settings, rows: list[int], monkeypatch: pytest.MonkeyPatch, *, again: bool
) -> None:
    answer_until_a_round(store, settings, PEOPLE[:2])
    others = replace(targets(store), precision=0.9, chosen=TO_BE_CHOSEN)
    store.categories.aim(NAME, replace(targets(store), chosen=TO_BE_CHOSEN))
    store.people.add(Worker("fay", "fay", False, "", 1))  # so that the loop chooses again

    def interrupted(category: Category, wanted: Targets, *, store: Store, settings: Settings) -> Choice:
        made = choose(category, wanted, store=store, settings=settings)
        store.categories.aim(NAME, others)
        return made

    monkeypatch.setattr(choice, "choose", interrupted)
    if again:
        came_to = chosen_again(store.categories.get(NAME), store=store, settings=settings).targets
    else:
        came_to = chosen_now(NAME, store=store, settings=settings)
    assert came_to == targets(store) == others


def test_a_freeze_that_is_made_while_the_methods_are_planned_keeps_its_targets(
    store: Store, settings: Settings, rows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(category: Category, wanted: Targets, *, store: Store, settings: Settings) -> Choice:
        made = choose(category, wanted, store=store, settings=settings)
        freeze(category, decision(NAME, store=store), Purse(), store=store, now_ms=9)
        return made

    answer_until_a_round(store, settings, PEOPLE[:2])
    before = replace(targets(store), chosen=TO_BE_CHOSEN)
    store.categories.aim(NAME, before)
    monkeypatch.setattr(choice, "choose", interrupted)
    assert not frozen(store)
    assert chosen_now(NAME, store=store, settings=settings) == before
    assert frozen(store) == before.method
