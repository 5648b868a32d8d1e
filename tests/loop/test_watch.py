"""Nothing new costs nothing: a loop that came to rest makes no turn until something is changed, or a time has come."""

import sqlite3
import statistics
import subprocess
import sys
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
from tests.loop.people import everybody_answers, small

from thresher import label
from thresher.label.deal import deal
from thresher.loop import autopilot, watch
from thresher.loop.autopilot import keep
from thresher.loop.lease import held
from thresher.loop.turn import Process, Turn, turn
from thresher.loop.watch import Watch
from thresher.records import Category, Given, Gold, Label, Purpose, Question, Says, Source, Targets, Worker
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.claims import keep_words
from thresher.store.contract import Store

__all__ = ["place", "replica_set"]

COUNT = 60
START_MS = 1_000_000
ANN = Worker("ann", "ann", owner=False, invite="", created_ms=1)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return small(settings, tmp_path).but(
        first_images=16, round_images=16, votes=1, votes_most=1, patience_seconds=60.0, cache=str(tmp_path / "cache")
    )


@pytest.fixture
def both(place: str, settings: Settings) -> Iterator[Store]:
    """A workspace in a directory, and one in MongoDB."""
    with closing(open_store(place, settings, create=True)) as opened:
        yield opened


class Loop:
    """The loop of one category at a clock of its own."""

    def __init__(self, store: Store, settings: Settings, name: str = NAME) -> None:
        self.store, self.settings, self.name = store, settings, name
        self.watch = Watch(store=store, settings=settings)
        self.made = 0

    def look(self, at_ms: int) -> bool:
        """Look once, and make a turn where one is due; returns whether one was."""
        mark = self.store.categories.mark(self.name)
        if not self.watch.due(self.name, mark, at_ms):
            return False
        self.made += 1
        process = Process(memory=self.watch.memory(self.name))
        came_to = turn(
            self.name, store=self.store, settings=self.settings, now_ms=at_ms, seed=self.made, process=process
        )
        self.watch.made(self.name, mark, came_to, at_ms)
        return True

    def rest(self, at_ms: int) -> int:
        """Make turns until none is due; returns how many."""
        turns = 0
        while self.look(at_ms):
            turns += 1
            assert turns < 8, "a turn that finds nothing new must write nothing"
        return turns


def resting(store: Store, settings: Settings, at_ms: int = START_MS) -> Loop:
    """A loop that has asked its first images and waits for answers to them."""
    loop = Loop(store, settings)
    assert loop.rest(at_ms)
    assert loop.watch.last(NAME).state == "asking"
    return loop


def sent(store: Store, settings: Settings, at_ms: int) -> str:
    """An assignment that an annotator was dealt and has sent."""
    store.people.add(ANN)
    work = deal(NAME, ANN, store=store, settings=settings, now_ms=at_ms, seed=1)
    assert work is not None
    store.work.send(work.id, [Given(at, Says.NO, 1.0, 1.0) for at in range(len(work.dealt))], at_ms)
    return work.id


@pytest.fixture
def _looks_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """No half second between two looks where looks are counted; a loop still rests as long as its turn took."""
    monkeypatch.setattr(autopilot, "REST_SECONDS", 0.0)


# --- what it costs ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_looks_follow_each_other")
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


def relabel(store: Store, settings: Settings) -> None:
    store.labels.hold(NAME, [Label(0, Says.YES, Source.OWNER, Purpose.LEARN, 1, 1)])


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


# --- late, twice, two servers, killed ---------------------------------------------------------------------------------


def test_what_changes_while_a_turn_is_made_makes_another_one_due(store: Store, settings: Settings) -> None:
    fill(store, COUNT)
    loop = Loop(store, settings)
    mark = store.categories.mark(NAME)
    assert loop.watch.due(NAME, mark, START_MS)
    came_to = turn(NAME, store=store, settings=settings, now_ms=START_MS, seed=1)
    work = sent(store, settings, START_MS)  # before the turn is over
    loop.watch.made(NAME, mark, came_to, START_MS)
    assert loop.look(START_MS)
    assert store.work.get(work).review is not None


def test_of_two_servers_each_takes_in_what_the_other_did_and_both_come_to_rest(
    store: Store, settings: Settings
) -> None:
    fill(store, COUNT)
    with closing(open_store(store.place, settings)) as another:
        loops = [Loop(store, settings), Loop(another, settings)]
        for _ in range(4):
            for loop in loops:
                loop.rest(START_MS)
        assert not any(loop.look(START_MS) for loop in loops)
        work = sent(another, settings, START_MS)
        assert loops[0].rest(START_MS)
        assert store.work.get(work).review is not None
        loops[1].rest(START_MS)
        assert not any(loop.look(START_MS) for loop in loops)


@pytest.mark.usefixtures("_looks_follow_each_other")
def test_a_server_whose_category_another_one_holds_makes_the_turn_when_that_one_dies(
    store: Store, settings: Settings
) -> None:
    fill(store, COUNT)
    heard: list[str] = []
    looks = 0

    def stop() -> bool:
        nonlocal looks
        looks += 1
        return looks > 6

    with held(NAME, store=store):
        keep(store=store, settings=settings, heard=lambda name, _: heard.append(name), stop=stop)
    assert heard == []  # it was not told a turn that it has not made
    looks = 0
    keep(store=store, settings=settings, heard=lambda name, _: heard.append(name), stop=stop)
    assert heard
    assert store.asks.tasks(NAME, -1, 10)


SENDS = """
import sys
from pathlib import Path
from thresher import label
from thresher.label.deal import deal
from thresher.records import Given, Says, Worker
from thresher.settings import read_settings
from thresher.store import open_store
from thresher.store.claims import keep_words
store = open_store(sys.argv[1], read_settings(Path(sys.argv[1])))
ann = Worker("ann", "ann", owner=False, invite="", created_ms=1)
store.people.add(ann)
settings = read_settings(Path(sys.argv[1])).but(gold_images=0)
work = deal("thing", ann, store=store, settings=settings, now_ms=int(sys.argv[2]), seed=1)
store.work.send(work.id, [Given(at, Says.NO, 1.0, 1.0) for at in range(len(work.dealt))], int(sys.argv[2]))
print("sent", flush=True)
"""


def test_a_real_process_that_sends_and_is_killed_has_moved_the_mark(store: Store, settings: Settings) -> None:
    fill(store, COUNT)
    loop = resting(store, settings)
    sender = subprocess.Popen(
        [sys.executable, "-c", SENDS, store.place, str(START_MS)], stdout=subprocess.PIPE, text=True
    )
    assert sender.stdout
    with sender.stdout as said:
        assert said.readline() == "sent\n"
    sender.kill()
    sender.wait()
    assert loop.look(START_MS)
    assert [one.stage.value for one in store.work.page(NAME, "", 10)] == ["accepted"]


def test_a_loop_of_several_categories_turns_only_the_one_that_moved(store: Store, settings: Settings) -> None:
    fill(store, COUNT)
    store.categories.create(Category("other", Question(1, "Is it another?", "", 1)))
    add(store, range(500, 520), name="other")
    loops = [Loop(store, settings), Loop(store, settings, "other")]
    for loop in loops:
        loop.rest(START_MS)
    sent(store, settings, START_MS)
    assert [loop.look(START_MS) for loop in loops] == [True, True]  # somebody joined, who may be asked for both
    for loop in loops:
        loop.rest(START_MS)
    relabel(store, settings)
    assert [loop.look(START_MS) for loop in loops] == [True, False]


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
