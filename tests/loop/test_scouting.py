"""Before a freeze people are asked where the plan is least sure; nothing is frozen until they have answered."""

import json
from pathlib import Path

import pytest
from tests.filled import NAME
from tests.loop.people import everybody_answers, one_turn, pool
from tests.loop.promised import COUNT, PEOPLE, YES_FROM, aim, frozen_now, rounds_of_two, run, says

from thresher.loop import scouting as about
from thresher.loop.scouting import SCOUTING, SCOUTINGS
from thresher.loop.snapshot import latest
from thresher.loop.ways import PROVEN, WAYS
from thresher.records import Purpose
from thresher.settings import Settings
from thresher.store.contract import Store


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return rounds_of_two(settings, tmp_path)


@pytest.fixture
def rows(store: Store) -> list[int]:
    return pool(store, YES_FROM, COUNT)


def sent(store: Store) -> list[about.Sent]:
    kept = (store.rounds.evidence(NAME, 0, f"{SCOUTING} {done.number}") for done in store.rounds.all(NAME))
    return [about.Sent(**json.loads(data)) for data in kept if data is not None]


def to_the_scouts(store: Store, settings: Settings) -> int:
    """Turns and answers until the scouts are asked; the number of that turn."""
    for number in range(40):
        came_to = one_turn(store, settings, number)
        if "least certain" in came_to.says:
            return number
        everybody_answers(store, settings, says, 1_000 * number + 1_500, PEOPLE)
    raise AssertionError("no scouts were sent")


@pytest.mark.parametrize("method", PROVEN)
def test_scouts_teach_and_are_no_evidence(method: str, store: Store, settings: Settings, rows: list[int]) -> None:
    aim(store, method)
    assert run(store, settings).state == "done"
    scouted = sent(store)
    assert (len(scouted) > 0) is WAYS[method].scouted
    assert len(scouted) <= SCOUTINGS
    asked = {row for one in scouted for row in one.rows}
    labels = {label.row: label for label in store.labels.held(NAME, 1)}
    assert asked <= labels.keys()
    early = [row for row in asked if labels[row].purpose is Purpose.LEARN]
    assert len(early) >= len(asked) / 2  # of the others an audit has asked again
    last = max((done.number for done in store.rounds.all(NAME)), default=0)
    assert frozen_now(store).round == last  # which has learnt from them


def test_nothing_is_frozen_before_they_have_answered(store: Store, settings: Settings, rows: list[int]) -> None:
    aim(store, "certified")
    number = to_the_scouts(store, settings)
    for later in range(1, 4):
        assert one_turn(store, settings, number + later).state in ("asking", "learned")
    assert latest(store.categories.get(NAME), store=store) is None
    asked = sent(store)[-1].rows
    assert set(asked) <= set(store.asks.open_rows(NAME, 1).tolist())


def test_a_turn_that_was_killed_before_it_asked_asks_the_same(
    store: Store, settings: Settings, rows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> int:
        raise Killed

    aim(store, "certified")
    monkeypatch.setattr(about, "wish", killed)
    with pytest.raises(Killed):
        to_the_scouts(store, settings)
    (before,) = sent(store)
    monkeypatch.undo()
    to_the_scouts(store, settings)
    assert sent(store) == [before]
    assert set(before.rows) <= set(store.asks.open_rows(NAME, 1).tolist())
