"""Nothing new costs nothing: a loop that came to rest makes no turn until something is changed, or a time has come."""

import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from tests.contract.conftest import place, replica_set
from tests.counting import counted
from tests.filled import NAME, add, fill
from tests.loop.people import everybody_answers
from tests.loop.watched import ANN, COUNT, START_MS, Loop, looks_follow_each_other, relabel, resting, sent, settings

from thresher import label
from thresher.label.deal import deal
from thresher.loop import autopilot, watch
from thresher.loop.autopilot import keep
from thresher.loop.turn import Turn
from thresher.records import Given, Gold, Says, Source, Targets, Worker
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.claims import keep_words
from thresher.store.contract import Store

__all__ = ["looks_follow_each_other", "place", "replica_set", "settings"]


@pytest.fixture
def both(place: str, settings: Settings) -> Iterator[Store]:
    """A workspace in a directory, and one in MongoDB."""
    with closing(open_store(place, settings, create=True)) as opened:
        yield opened


# --- what it costs ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("looks_follow_each_other")
def test_a_look_that_finds_nothing_moved_makes_at_most_three_store_calls(both: Store, settings: Settings) -> None:
    fill(both, COUNT)
    store, calls = counted(both)
    looks: list[Counter[str]] = []

    def heard(_name: str, came_to: Turn) -> None:
        assert came_to.state == "asking"
        looks.append(Counter(calls))
        calls.clear()

    keep(store=store, settings=settings, heard=heard, stop=lambda: len(looks) > 7)
    idle = looks[-3:]
    assert all(look.total() <= 3 for look in idle), idle
    assert not any(name.startswith(("jobs.lease", "labels.", "work.")) for look in idle for name in look)
    assert sum(look.total() > 3 for look in looks) < 6  # the first turns, and the one look that asks when to look again


def test_a_look_that_finds_nothing_moved_takes_less_than_a_millisecond(store: Store, settings: Settings) -> None:
    fill(store, COUNT)
    loop = resting(store, settings)
    took = []
    for _ in range(50):
        begun = time.process_time()
        assert not loop.look(START_MS)
        took.append(time.process_time() - begun)
    assert statistics.median(took) < 0.001


# --- what makes a turn due --------------------------------------------------------------------------------------------


def embed(store: Store, _settings: Settings) -> None:
    store.columns.create("features/another", 1)
    store.columns.write("features/another", store.categories.pool(NAME)[:1], np.ones((1, 1)))


CHANGES: dict[str, Callable[[Store, Settings], object]] = {
    "an assignment was sent": lambda store, settings: sent(store, settings, START_MS),
    "a label was imported": relabel,
    "gold was made": lambda store, _: store.labels.gild(NAME, [Gold(0, Says.YES, 1, Source.OWNER)]),
    "images came": lambda store, _: add(store, [900, 901]),
    "the targets changed": lambda store, _: store.categories.aim(NAME, Targets(answers=5_000)),
    "the question was reworded": lambda store, _: store.categories.reword(NAME, "Is it?", "", 9),
    "words were given": lambda store, _: keep_words(NAME, "a red thing", store=store, now_ms=9),
    "embeddings were written": embed,
    "somebody joined": lambda store, _: store.people.add(ANN),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_by_another_process_makes_a_turn_due_once(
    store: Store, settings: Settings, tmp_path: Path, change: str
) -> None:
    fill(store, COUNT)
    loop = resting(store, settings)
    with closing(open_store(store.place, settings)) as another:
        CHANGES[change](another, settings)
    assert loop.rest(START_MS)
    assert not loop.look(START_MS)


def test_drafts_and_what_pages_read_make_no_turn_due(store: Store, settings: Settings) -> None:
    fill(store, COUNT)
    loop = resting(store, settings)
    store.people.add(ANN)
    work = deal(NAME, ANN, store=store, settings=settings, now_ms=START_MS, seed=1)
    assert work is not None
    loop.rest(START_MS)
    store.work.draft(work.id, [Given(0, Says.NO, 1.0, 1.0)], sequence=1, now_ms=START_MS, lease_ms=10**6)
    store.renderings.get(0, "600")
    assert not loop.look(START_MS)


def test_the_end_of_a_lease_makes_a_turn_due_although_nobody_writes(store: Store, settings: Settings) -> None:
    fill(store, COUNT)
    settings = settings.but(lease_minutes=10)  # less than a loop remembers
    loop = resting(store, settings)
    store.people.add(ANN)
    work = deal(NAME, ANN, store=store, settings=settings, now_ms=START_MS, seed=1)
    assert work is not None
    loop.rest(START_MS)
    assert loop.rest(START_MS + 120_000) <= 1  # the task's patience
    assert not loop.look(work.lease_until_ms - 1)
    assert loop.rest(work.lease_until_ms) >= 1
    assert store.work.get(work.id).stage.value == "expired"
    assert store.categories.mark(NAME).wakes_ms == 0


def test_a_lease_that_was_renewed_is_waited_for(store: Store, settings: Settings) -> None:
    fill(store, COUNT)
    loop = resting(store, settings)
    store.people.add(ANN)
    work = deal(NAME, ANN, store=store, settings=settings, now_ms=START_MS, seed=1)
    assert work is not None
    loop.rest(work.lease_until_ms - 1)
    later = store.work.draft(
        work.id,
        [Given(0, Says.NO, 1.0, 1.0)],
        sequence=1,
        now_ms=work.lease_until_ms - 1,
        lease_ms=round(settings.lease_minutes * 60_000),
    )
    assert later.lease_until_ms > work.lease_until_ms
    assert not loop.look(work.lease_until_ms)
    assert loop.look(later.lease_until_ms)


def test_the_end_of_patience_makes_a_turn_due_that_ends_what_nobody_may_take(store: Store, settings: Settings) -> None:
    fill(store, COUNT)
    settings = settings.but(votes=2, votes_most=3)
    loop = resting(store, settings)
    sent(store, settings, START_MS)  # one vote on each image, and nobody else has joined
    loop.rest(START_MS + 1)
    patience_ms = round(settings.patience_seconds * 1000)
    newest = max(task.published_ms for task in store.asks.tasks(NAME, -1, 100))
    assert not loop.look(newest + patience_ms - 1)
    assert loop.look(newest + patience_ms)
    assert not loop.look(newest + patience_ms)


def test_images_that_could_not_be_read_are_tried_again_after_minutes_and_not_at_each_look(
    store: Store, settings: Settings
) -> None:
    rows = fill(store, COUNT)
    settings = settings.but(patience_seconds=0.0)
    loop = resting(store, settings)
    everybody_answers(store, settings, lambda row: Says.YES if row % 2 else Says.NO, START_MS, names=("ann",))
    loop.rest(START_MS)
    column = next(name for name in store.columns.names() if name.startswith("features/"))
    store.columns.forget(column, store.categories.pool(NAME)[:1])  # type: ignore[attr-defined]  # of both stores
    mark = store.categories.mark(NAME)
    assert loop.watch.due(NAME, mark, START_MS)
    loop.watch.made(NAME, mark, loop.watch.last(NAME), START_MS)  # as after a turn that could not read it
    assert not loop.look(START_MS + watch.UNREAD_MS - 1)
    assert loop.look(START_MS + watch.UNREAD_MS)
    assert len(rows) == COUNT
    assert not len(store.columns.missing(column, store.categories.pool(NAME)))


def test_images_are_tried_again_where_the_vectors_of_a_workspace_are_of_another_arithmetic_than_a_new_one_would_have(
    store: Store, settings: Settings
) -> None:
    rows = fill(store, COUNT)
    settings = settings.but(backbone="efficientnet-lite0", arithmetic="alike")
    store.columns.create("features/efficientnet-lite0", 4)
    store.columns.write("features/efficientnet-lite0", np.array(rows[1:]), np.ones((COUNT - 1, 4), np.float16))
    loop, mark = Loop(store, settings), store.categories.mark(NAME)
    loop.watch.made(NAME, mark, Turn("asking", ""), START_MS)
    assert not loop.watch.due(NAME, mark, START_MS + watch.UNREAD_MS - 1)
    assert loop.watch.due(NAME, mark, START_MS + watch.UNREAD_MS)


def test_a_change_that_moved_no_mark_is_seen_after_a_quarter_of_an_hour(store: Store, settings: Settings) -> None:
    """However many turns are made in between: they go by what is remembered."""
    fill(store, COUNT)
    loop = resting(store, settings)
    work = store.work.get(sent(store, settings, START_MS))
    row, last_ms = next(one.row for one in work.dealt if one.ask is not None), START_MS + watch.WHOLE_MS - 1
    loop.rest(START_MS)

    def held_of() -> Says:
        return store.labels.of(NAME, 1, [row])[row].says

    with closing(sqlite3.connect(Path(store.place) / "catalog.sqlite")) as catalog, catalog:
        changed = catalog.execute("UPDATE vote SET says = 'yes' WHERE row = ?", (row,)).rowcount
    loop.rest(last_ms)
    store.people.add(Worker("bob", "bob", owner=False, invite="", created_ms=1))
    assert loop.rest(last_ms)
    assert (changed, held_of()) == (1, Says.NO)
    assert loop.rest(last_ms + 1)
    assert held_of() is Says.YES
    assert not loop.look(last_ms + watch.WHOLE_MS - watch.UNREAD_MS)


def test_a_damaged_category_is_looked_at_again_after_a_minute(store: Store, settings: Settings) -> None:
    fill(store, COUNT)
    loop = Loop(store, settings)
    mark = store.categories.mark(NAME)
    assert loop.watch.due(NAME, mark, START_MS)
    loop.watch.made(NAME, mark, Turn("damaged", "..."), START_MS)
    assert not loop.look(START_MS + watch.DAMAGED_MS - 1)
    assert loop.look(START_MS + watch.DAMAGED_MS)


def test_whatever_waits_for_a_time_is_known_to_the_watch() -> None:
    src = Path(label.__file__).parents[1]
    waits = {
        path.relative_to(src).as_posix()
        for room in ("label", "loop", "learn")
        for path in (src / room).rglob("*.py")
        if "patience_seconds *" in path.read_text("utf-8")
    }
    # asks.py and out_of_people.py wait in a turn, for times that patience.py knows; the others when work is dealt
    assert waits == {f"label/{name}.py" for name in ("asks", "cap", "deal", "out_of_people", "patience")}


def test_the_loop_rests_between_looks_as_it_does_between_turns() -> None:
    assert autopilot.rest_seconds(0.0) == autopilot.REST_SECONDS
