"""What a promise will take is said before it is paid for, and more is known the more people have answered."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.filled import NAME
from tests.loop.people import everybody_answers, one_turn, pool
from tests.loop.promised import COUNT, PEOPLE, YES_FROM, aim, rounds_of_two, run, says

from thresher.loop.aims import warned
from thresher.loop.forecast import Plan, in_words, plan
from thresher.loop.snapshot import in_force
from thresher.records import Says, Worker
from thresher.settings import Settings
from thresher.store.contract import Store


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return rounds_of_two(settings, tmp_path)


@pytest.fixture
def rows(store: Store) -> list[int]:
    return pool(store, YES_FROM, COUNT)


def planned(store: Store, settings: Settings, prevalence: float | None = None) -> Plan:
    category = store.categories.get(NAME)
    return plan(category, category.targets, store=store, settings=settings, prevalence=prevalence)


def frozen(store: Store) -> bool:
    return in_force(store.categories.get(NAME), COUNT, store=store) is not None


def until_frozen(store: Store, settings: Settings) -> int:
    """Turns and answers until the audits have begun; the number of the turn."""
    number = 0
    one_turn(store, settings, number)
    while not frozen(store):
        everybody_answers(store, settings, says, 1_000 * number + 1_500, PEOPLE)
        number += 1
        one_turn(store, settings, number)
    return number


def test_the_range_grows_narrower_as_more_is_known(store: Store, settings: Settings, rows: list[int]) -> None:
    aim(store, "certified")
    before = planned(store, settings)
    assert before.certified is None
    assert "assumption" in before.from_
    until_frozen(store, settings)
    after = planned(store, settings)
    assert after.certified is not None
    assert "scores of round" in after.from_
    assert after.answers.high - after.answers.low < 0.7 * (before.answers.high - before.answers.low)


def test_what_audits_under_way_have_is_not_planned_again(store: Store, settings: Settings, rows: list[int]) -> None:
    aim(store, "certified")
    number = until_frozen(store, settings)
    whole = planned(store, settings)
    everybody_answers(store, settings, says, 1_000 * number + 1_500, PEOPLE)
    one_turn(store, settings, number + 1)
    left = planned(store, settings)
    answered = sum(label.epoch > 0 for label in store.labels.held(NAME, 1))
    assert answered > 10
    assert left.pictures.expected < whole.pictures.expected
    assert whole.pictures.low <= answered + left.pictures.expected <= whole.pictures.high


@pytest.mark.parametrize("method", ["certified", "precision"])
def test_a_budget_too_small_for_the_promise_is_said_with_what_it_takes(
    store: Store, settings: Settings, rows: list[int], method: str
) -> None:
    aim(store, method, answers=20)
    made = planned(store, settings, prevalence=0.35)
    assert "The budget of 20 answers is too small" in made.short
    assert f"at least {made.floor:,} images" in made.short
    assert in_words(made)[0] == made.short
    assert "too small" in warned(NAME, store=store, settings=settings)
    aim(store, method, answers=20_000)
    assert not planned(store, settings, prevalence=0.35).short
    assert not warned(NAME, store=store, settings=settings)


def test_without_a_budget_or_a_promise_nobody_is_warned(store: Store, settings: Settings, rows: list[int]) -> None:
    for method, answers in (("certified", None), ("cascade", 20)):
        aim(store, method, answers=answers)
        assert not warned(NAME, store=store, settings=settings)


def test_the_plan_says_what_labelling_everything_takes_instead(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    aim(store, "certified")
    made = planned(store, settings.but(label_all=True), prevalence=0.3)
    assert made.everything.low <= 2 * COUNT <= made.everything.high
    assert "labelling every image instead" in "\n".join(in_words(made))
    assert "Labelling every image" not in "\n".join(in_words(made))


@pytest.mark.parametrize(
    ("changed", "people", "why"),
    [
        (
            {"precision": 0.97},
            0,
            r"would not prove .*: people are expected to agree on a wrong yes for 1\.8 images, .*",
        ),
        ({"recall": 0.99}, 0, r"would not prove .*: people are expected to agree on a wrong no for 0\.8 images, .*"),
        ({"truth": "owner"}, 0, "would not prove .*: .* the owner's answers are the ground truth"),
        ({"check": True}, 0, "would leave the owner nothing to check.*"),
        ({}, 2, "would not prove .* yet: it takes 5 people, and 2 have joined"),
        ({"method": "precision", "answers": 200}, 0, "is no part of the method precision"),
        (None, 0, "is switched off by the setting label_all"),
    ],
)
def test_labelling_everything_has_no_price_in_the_plan_where_it_is_refused_and_the_plan_says_why(
    store: Store, settings: Settings, rows: list[int], changed: dict[str, Any] | None, people: int, why: str
) -> None:
    aim(store, "certified")
    store.categories.aim(NAME, replace(store.categories.get(NAME).targets, **changed or {}))
    for name in PEOPLE[:people]:
        store.people.add(Worker(name, name, False, "", 1))
    made = planned(store, settings.but(label_all=changed is not None), prevalence=0.3)
    assert not made.label_all
    lines = in_words(made)
    assert "instead" not in "\n".join(lines)
    (said,) = [line for line in lines if line.startswith("Labelling every image")]
    answers = f"{made.everything.expected:,.0f}"
    assert re.fullmatch(rf"Labelling every image \(about {answers} answers\) {why}\.", said), said


def test_where_the_owner_checks_the_plan_does_not_count_on_labelling_everything(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    aim(store, "certified")
    targets, plans = store.categories.get(NAME).targets, []
    for check in (False, True):
        store.categories.aim(NAME, replace(targets, check=check))
        plans.append(planned(store, settings.but(label_all=True), prevalence=0.3))
    without, checked = plans
    assert checked.answers == planned(store, settings, prevalence=0.3).answers
    assert checked.answers.high > 1.05 * without.answers.high


def test_a_budget_has_to_pay_the_owner_s_check_too(store: Store, settings: Settings, rows: list[int]) -> None:
    aim(store, "certified")
    low = planned(store, settings, prevalence=0.3).answers.low
    aim(store, "certified", answers=round(low) + 1)
    assert not planned(store, settings, prevalence=0.3).short
    store.categories.aim(NAME, replace(store.categories.get(NAME).targets, check=True))
    assert "the owner's check included" in planned(store, settings, prevalence=0.3).short


def test_a_plan_of_labelling_everything_names_no_other_way(store: Store, settings: Settings, rows: list[int]) -> None:
    aim(store, "everything")
    assert "instead" not in "\n".join(in_words(planned(store, settings)))


def test_a_certificate_that_is_there_needs_no_more_answers(store: Store, settings: Settings, rows: list[int]) -> None:
    aim(store, "certified")
    assert run(store, settings).state == "done"
    assert "certified already" in planned(store, settings).advice


def errs(row: int) -> Says:
    return says(row) if row % 2 else {Says.YES: Says.NO, Says.NO: Says.YES}[says(row)]


def test_a_crowd_that_errs_makes_the_same_promise_dearer(store: Store, settings: Settings, rows: list[int]) -> None:
    aim(store, "certified")
    one_turn(store, settings, 0)
    before = planned(store, settings, prevalence=0.35)
    for name in PEOPLE:
        everybody_answers(store, settings, says if name == "ann" else errs, 1_500, (name,))
    after = planned(store, settings, prevalence=0.35)
    assert after.answers.expected / after.pictures.expected > 1.1 * before.answers.expected / before.pictures.expected


def test_the_owner_s_guess_of_the_share_of_yes_moves_the_plan(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    aim(store, "certified")
    rare, common = (planned(store, settings, prevalence=share) for share in (0.02, 0.4))
    assert rare.floor > common.floor
    assert rare.prevalence == 0.02
