"""Loops at rest where others write: several processes, servers and categories; late, twice, or killed."""

import subprocess
import sys
from contextlib import closing

import pytest
from tests.filled import NAME, add, fill
from tests.loop.watched import COUNT, START_MS, Loop, looks_follow_each_other, relabel, resting, sent, settings

from thresher.loop.autopilot import keep
from thresher.loop.lease import held
from thresher.loop.turn import turn
from thresher.records import Category, Question
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store

__all__ = ["looks_follow_each_other", "settings"]


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


@pytest.mark.usefixtures("looks_follow_each_other")
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
from thresher.label.deal import deal
from thresher.records import Given, Says, Worker
from thresher.settings import read_settings
from thresher.store import open_store
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
