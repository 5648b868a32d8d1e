"""A question reworded at any moment of a turn: the turn goes by one version of it, and the next by the new one."""

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from tests.counting import PARTS
from tests.filled import NAME
from tests.loop.people import everybody_answers, pool, small

from thresher.loop.mending import mend_first
from thresher.loop.turn import CHANGED, turn
from thresher.records import OWNER, Says, Targets
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.claims import AUDITED, ClaimedLabels, store_claim
from thresher.store.contract import Store

COUNT, YES_FROM = 40, 26
AT_MS = 1_000_000


class Meddled:
    """A store whose question somebody rewords at one of its calls; it notes the versions that writes are about."""

    def __init__(self, inner: Any, state: "State", name: str = "") -> None:
        self._own = (inner, state, name)

    def __getattr__(self, name: str) -> Any:
        inner, state, own = self._own
        found = getattr(inner, name)
        if name in PARTS and not own:
            return Meddled(found, state, f"{name}.")
        if not callable(found):
            return found

        def call(*given: Any, **named: Any) -> Any:
            state.before_a_call()
            state.note(f"{own}{name}", given)
            return found(*given, **named)

        return call


class State:
    """How many calls were made, when to reword, and the versions of what was written."""

    def __init__(self, reword_at: int, reword: Callable[[], object]) -> None:
        self.calls, self.reword_at, self.reword = 0, reword_at, reword
        self.versions: dict[int, str] = {}

    def before_a_call(self) -> None:
        self.calls += 1
        if self.calls == self.reword_at:
            self.reword()

    def note(self, name: str, given: tuple[Any, ...]) -> None:
        if name in ("asks.wish", "asks.publish", "labels.drop"):
            self.versions.setdefault(given[1], name)
        if name in ("labels.hold", "labels.gild"):
            for one in given[1]:
                self.versions.setdefault(one.version, name)
        if name == "rounds.add":
            self.versions.setdefault(given[0].version, name)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return small(settings, tmp_path).but(first_images=16, round_images=12, votes=2, votes_most=2)


def begun(store: Store, settings: Settings, method: str) -> set[int]:
    """A category in the middle of its work, with answers that are not taken in yet; the rows whose answer is yes."""
    rows = pool(store, YES_FROM, COUNT)
    yes = set(rows[YES_FROM:])
    store.categories.aim(NAME, Targets(precision=0.8, recall=0.5, delta=0.2, method=method))
    for number in range(3):
        turn(NAME, store=store, settings=settings, now_ms=AT_MS + number, seed=number)
    everybody_answers(store, settings, lambda row: Says.YES if row in yes else Says.NO, AT_MS, ("ann", "bob", OWNER))
    return yes


@pytest.mark.parametrize(("method", "every"), [("cascade", 23), ("certified", 31)])
def test_a_turn_writes_about_one_version_whenever_the_question_is_reworded(
    store: Store, settings: Settings, tmp_path: Path, method: str, every: int
) -> None:
    begun(store, settings, method)
    wrote, reword_at, over = 0, 2, False  # the first call reads which version the turn goes by
    while not over:
        place = shutil.copytree(store.place, tmp_path / f"at-{reword_at}")
        with closing(open_store(place, settings)) as here, closing(open_store(place, settings)) as another:
            state = State(reword_at, lambda: another.categories.reword(NAME, "Another thing?", "", AT_MS))
            meddled = cast("Store", Meddled(here, state))
            turn(NAME, store=meddled, settings=settings, now_ms=AT_MS + 100, seed=5)
            assert len(state.versions) <= 1, (reword_at, state.versions)
            assert not state.versions or state.versions.keys() == {1}
            wrote, over = wrote + bool(state.versions), state.calls < reword_at
            # the next turn goes by the new one
            state = State(0, lambda: None)
            turn(NAME, store=cast("Store", Meddled(here, state)), settings=settings, now_ms=AT_MS + 200, seed=6)
            assert not state.versions or state.versions.keys() == {1 if over else 2}
        reword_at += every
    assert wrote > 1


class Interrupted(State):
    """Somebody changes the category at the first call of a name."""

    def __init__(self, at: str, change: Callable[[], object]) -> None:
        super().__init__(0, change)
        self.at = at

    def note(self, name: str, given: tuple[Any, ...]) -> None:
        if name == self.at:
            self.at = ""
            self.reword()
        super().note(name, given)


CHANGES: dict[str, Callable[[Store], object]] = {
    "question": lambda store: store.categories.reword(NAME, "Another thing?", "", AT_MS),
    "targets": lambda store: store.categories.aim(NAME, replace(store.categories.get(NAME).targets, precision=0.99)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("method", "at"),
    [("cascade", "labels.votes"), ("labels", "labels.votes"), ("labels", "columns.write")],  # settling, and a freeze
)
def test_nothing_is_asked_or_frozen_by_what_a_turn_could_have_seen_change(
    store: Store, settings: Settings, method: str, at: str, change: str
) -> None:
    rows = np.array(pool(store, YES_FROM, COUNT))
    store.categories.aim(NAME, Targets(0.8, 0.0, 0.1, None, method, "owner"))
    labels = ClaimedLabels(AUDITED, rows, np.ones(COUNT, np.bool_), None, "ab" * 32, "csv", 1)
    store_claim(NAME, labels, store=store)
    state = Interrupted(at, lambda: CHANGES[change](store))
    came_to = turn(NAME, store=cast("Store", Meddled(store, state)), settings=settings, now_ms=AT_MS, seed=5)
    assert (came_to.state, came_to.says, state.at) == ("asking", CHANGED, "")
    assert store.rounds.epochs(NAME) == []
    assert not len(store.asks.open_rows(NAME, 1))
    assert turn(NAME, store=store, settings=settings, now_ms=AT_MS + 1, seed=6).state == "asking"
    assert len(store.asks.open_rows(NAME, store.categories.get(NAME).question.version))


def test_the_owner_is_shown_no_doubtful_label_by_a_question_that_was_reworded_meanwhile(
    store: Store, settings: Settings
) -> None:
    pool(store, YES_FROM, COUNT)
    category = store.categories.get(NAME)
    CHANGES["question"](store)
    shown = mend_first(category, [0, 1], store=store, settings=settings, now_ms=AT_MS)
    assert shown is not None
    assert shown.says == CHANGED
    assert not len(store.asks.open_rows(NAME, 1))
