"""The loop labels every image where that is the cheaper way, says so, and its release is verified."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.filled import NAME
from tests.loop.people import one_turn, pool
from tests.loop.promised import COUNT, PEOPLE, YES_FROM, aim, frozen_now, rounds_of_two, run
from tests.loop.scored import scored_apart

from thresher import loop
from thresher.loop.budget import NO_LIMIT
from thresher.loop.certified import certified, forecast
from thresher.loop.decision import decision
from thresher.loop.everything import instead_of_audits
from thresher.loop.forecast import Plan, plan
from thresher.loop.ship import ship
from thresher.loop.snapshot import in_force
from thresher.loop.turn import Turn
from thresher.records import Category, Targets, Worker
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.verify import verify


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return rounds_of_two(settings, tmp_path).but(label_all=True)


@pytest.mark.parametrize("method", ["everything", "certified", "adjudicated"])
def test_a_small_pool_is_labelled_whole_for_two_votes_on_each_image(
    store: Store, settings: Settings, tmp_path: Path, method: str
) -> None:
    pool(store, YES_FROM, COUNT)
    aim(store, method)
    said: list[str] = []

    def take(number: int) -> Turn:
        came_to = one_turn(store, settings, number)
        said.append(came_to.says)
        return came_to

    came_to = run(store, settings, take=take)
    assert came_to.state == "done"
    assert frozen_now(store).frozen.method == "everything"
    assert any(says.startswith("labels every image of the pool") for says in said)
    assert f"Every image of this pool of {COUNT} images" in came_to.says
    assert f"by these answers the {COUNT - YES_FROM} released images are all of its yes" in came_to.says
    tally = store.categories.tally(NAME)
    assert tally.answered < 2.4 * COUNT
    made = ship(NAME, tmp_path / "out", store=store, now_ms=9)
    verdict = verify(tmp_path / "out")
    assert verdict.wrong == ()
    assert verdict.holds
    assert "confidence" not in str(made.certificate["words"])
    whole = pq.read_table(tmp_path / "out" / "evidence.parquet").to_pylist()
    assert len(whole) == COUNT


@pytest.mark.parametrize(("count", "apart", "learns_on"), [(600, 2.0, True), (300, 1.2, False)])
def test_all_is_labelled_instead_of_learning_on_only_where_audits_after_the_rounds_to_come_cost_more(
    store: Store, settings: Settings, count: int, apart: float, learns_on: bool
) -> None:
    """After one round audits would take more answers in both pools; in one of them a few rounds will change that."""
    scored_apart(store, count, yes=0.4, apart=apart)
    for name in PEOPLE:
        store.people.add(Worker(name, name, False, "", 1))
    store.categories.aim(NAME, Targets(0.95, 0.9, 0.05, None, "certified"))
    category, decided = store.categories.get(NAME), decision(NAME, store=store)
    ahead = round(forecast(category, decided, store=store))
    assert instead_of_audits(category, decided, (ahead, NO_LIMIT), store=store, settings=settings)
    planned = plan(category, category.targets, store=store, settings=settings)
    assert (planned.answers.expected < 0.98 * planned.everything.expected) == learns_on
    wish = certified(category, store=store, settings=settings, seed=1, now_ms=1)
    assert ("images to train on" in wish.says) == learns_on
    assert wish.says.startswith("labels every image of the pool") != learns_on
    assert (in_force(category, count, store=store) is None) == learns_on


def test_the_rounds_to_come_are_planned_once_for_each_round_and_its_targets(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored_apart(store, 600, yes=0.4, apart=2.0)
    for name in PEOPLE:
        store.people.add(Worker(name, name, False, "", 1))
    planned: list[float] = []

    def counted(category: Category, wanted: Targets, *, store: Store, settings: Settings) -> Plan:
        planned.append(wanted.recall)
        return plan(category, wanted, store=store, settings=settings)

    monkeypatch.setattr(loop.certified, "plan", counted)
    for recall in (0.9, 0.9, 0.9, 0.91, 0.91, 0.9):
        store.categories.aim(NAME, Targets(0.95, recall, 0.05, None, "certified"))
        wish = certified(store.categories.get(NAME), store=store, settings=settings, seed=1, now_ms=1)
        assert "images to train on" in wish.says
    assert planned == [0.9, 0.91]


def test_a_check_that_an_earlier_version_took_does_not_end_the_freeze_of_each_turn(
    store: Store, settings: Settings
) -> None:
    pool(store, YES_FROM, COUNT)
    store.categories.aim(NAME, Targets(0.85, 0.8, 0.1, None, "everything", "people", True))
    assert run(store, settings).state == "done"
    assert list(store.rounds.epochs(NAME)) == [1]
    assert frozen_now(store).frozen.check_delta == 0.0


def test_the_owner_s_truth_is_not_replaced_by_what_people_agree_on(store: Store, settings: Settings) -> None:
    pool(store, YES_FROM, COUNT)
    aim(store, "certified", truth="owner")
    run(store, settings)
    assert frozen_now(store).frozen.method == "certified"
