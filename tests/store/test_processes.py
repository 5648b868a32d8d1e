import os
import random
import sqlite3
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.contract.things import HOUR_MS, answers, category, data, images, new_image, publish, wishes
from tests.store.processes import ended, forked, killed

from thresher.records import Dealt, NewTask, Origin, Stage, Targets
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Bounds, Store

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # forking is what these tests are about
COLUMN = "features/x"
LIMIT = 187


def put_range(place: str, settings: Settings, start: int, stop: int, step: int = 7) -> None:
    store = open_store(place, settings)
    for seed in range(start, stop, step):
        rows = store.images.put([new_image(each) for each in range(seed, min(seed + step, stop))])
        store.categories.pool_add("car", rows, Origin("folder"))
    store.close()


def seeds_of(store: Store) -> list[int]:
    """Which images are stored, each read and compared with what was put."""
    seeds = []
    for image in store.images.page(-1, 100_000):
        (alias,) = store.images.get(image.row).aliases
        seed = int(Path(alias.value).stem)
        assert store.images.read(image.row) == data(seed)
        seeds.append(seed)
    return seeds


def test_eight_processes_write_at_once_and_every_image_is_stored_once(store: Store, settings: Settings) -> None:
    category(store)
    small = settings.but(shard_bytes=60_000)
    parts = [(start, start + 80) for start in range(0, 240, 40) for _ in range(2)][:8]
    processes = [forked(partial(put_range, store.place, small, *part)) for part in parts]
    assert [ended(process) for process in processes] == [0] * len(parts)
    wanted = set().union(*(range(*part) for part in parts))
    assert sorted(seeds_of(store)) == sorted(wanted)
    assert store.categories.tally("car").images == len(wanted)
    assert store.images.top() == len(wanted)


def test_an_import_killed_anywhere_loses_nothing_and_doubles_nothing(store: Store, settings: Settings) -> None:
    category(store)
    small = settings.but(shard_bytes=100_000)
    chance = random.Random(7)
    kills = 0
    for _ in range(12):
        kills += killed(partial(put_range, store.place, small, 0, 4000), chance.uniform(0.0, 0.15))
        seeds = seeds_of(store)
        assert sorted(seeds) == list(range(len(seeds)))
        assert len(store.categories.pool("car")) <= len(seeds)
    assert kills >= 6
    put_range(store.place, small, 0, 4000, 100)
    assert sorted(seeds_of(store)) == list(range(4000))
    assert store.categories.pool("car").tolist() == list(range(4000))
    report = store.check(mend=True)
    assert report.sound
    assert store.check(mend=False).found == ()
    assert not list(Path(store.place).glob("images/*.open.tar"))


def write_column(place: str, settings: Settings, rows: range) -> None:
    store = open_store(place, settings)
    for start in range(rows.start, rows.stop, 10):
        part = np.arange(start, min(start + 10, rows.stop))
        store.columns.write(COLUMN, part, np.repeat(part[:, None] + 1, 32, axis=1))
    store.close()


def test_a_row_that_is_present_is_whole_whenever_its_writer_was_killed(store: Store, settings: Settings) -> None:
    images(store, 2000)
    store.columns.create(COLUMN, 32, "float32")
    chance = random.Random(3)
    for turn in range(10):
        writers = [forked(partial(write_column, store.place, settings, range(n * 500, n * 500 + 500))) for n in (0, 1)]
        killed(partial(write_column, store.place, settings, range(1000, 2000)), chance.uniform(0.0, 0.1))
        assert [ended(writer) for writer in writers] == [0, 0]
        matrix, present = store.columns.view(COLUMN)
        rows = np.flatnonzero(present)
        assert (matrix[rows] == rows[:, None] + 1).all(), turn
        assert present[:1000].all()
    write_column(store.place, settings, range(1000, 2000))
    assert store.columns.missing(COLUMN, np.arange(2000)).tolist() == []
    assert store.check(mend=False).sound


def work_through(place: str, settings: Settings, worker: str) -> None:
    store = open_store(place, settings)
    while taken := store.work.take("car", 1, worker, owner=False, now_ms=100, lease_ms=HOUR_MS):
        asks = store.asks.of_task(taken.task)
        dealt = store.work.set_dealt(taken.id, [Dealt(ask.row, ask.id) for ask in asks])
        store.work.draft(dealt.id, answers(dealt)[:1], sequence=1, now_ms=110, lease_ms=HOUR_MS)
        store.work.send(dealt.id, answers(dealt), 120)
    store.close()


def test_servers_in_several_processes_never_give_one_place_twice(store: Store, settings: Settings) -> None:
    category(store, 40)
    for start in range(0, 40, 2):
        store.asks.wish("car", 1, wishes(range(start, start + 2)))
        asks = [ask.id for ask in store.asks.waiting("car", 1, 2)]
        assert store.asks.publish("car", 1, NewTask("t", asks, 1, places=3))
    processes = [forked(partial(work_through, store.place, settings, f"w{number}")) for number in range(5)]
    assert [ended(process) for process in processes] == [0] * 5
    made = store.work.page("car", "", 1000)
    assert len(made) == 60
    assert len({(each.task, each.worker) for each in made}) == 60
    assert {each.stage for each in made} == {Stage.SENT}
    assert store.categories.tally("car").answers == 120


def spend(place: str, settings: Settings, worker: str) -> None:
    """Work as long as there is work, and give back every fourth assignment."""
    store, bounds = open_store(place, settings), Bounds(gold_with=lambda _: 2)
    turn = 0
    while taken := store.work.take("car", 1, worker, owner=False, now_ms=100, lease_ms=HOUR_MS, bounds=bounds):
        turn += 1
        tally = store.categories.tally("car")
        assert tally.answered + tally.reserved <= LIMIT
        asked = [Dealt(ask.row, ask.id) for ask in store.asks.of_task(taken.task)]
        dealt = store.work.set_dealt(taken.id, [*asked, Dealt(199, None)])
        if turn % 4:
            store.work.send(dealt.id, answers(dealt), 120)
        else:
            store.work.give_back(dealt.id, 120)
    store.close()


def test_servers_in_several_processes_never_deal_above_the_limit_of_answers(store: Store, settings: Settings) -> None:
    category(store, 200)
    for row in range(0, 180, 3):
        publish(store, range(row, row + 3), places=2)
    store.categories.aim("car", Targets(answers=LIMIT))
    processes = [forked(partial(spend, store.place, settings, f"w{number}")) for number in range(5)]
    assert [ended(process) for process in processes] == [0] * 5
    tally = store.categories.tally("car")
    assert tally.reserved == 0
    assert LIMIT - 5 < tally.answered <= LIMIT  # a task takes five, of which four are dealt
    assert store.check(mend=False).sound


def test_labelling_killed_anywhere_keeps_every_sent_answer(store: Store, settings: Settings) -> None:
    category(store, 200)
    for row in range(200):
        store.asks.wish("car", 1, wishes([row]))
        (ask,) = store.asks.waiting("car", 1, 2)
        assert store.asks.publish("car", 1, NewTask("t", [ask.id], 1))
    chance = random.Random(5)
    for _ in range(10):
        killed(partial(work_through, store.place, settings, "w1"), chance.uniform(0.0, 0.12))
        made = store.work.page("car", "", 1000)
        assert [each.task for each in made] == list(range(1, len(made) + 1))
        assert all(each.stage is Stage.SENT and len(each.answers) == 1 for each in made[:-1])
    work_through(store.place, settings, "w1")
    assert store.categories.tally("car").assignments == {"sent": 200}
    assert store.check(mend=False).sound


def use(store: Store, seed: int) -> None:
    (row,) = images(store, 1, start=seed)
    assert store.images.read(row) == data(seed)
    assert store.images.read(0) == data(0)


def test_a_fork_uses_the_store_of_its_parent_without_harm(store: Store) -> None:
    images(store, 3)
    processes = [forked(partial(use, store, seed)) for seed in (10, 11, 12)]
    use(store, 13)
    assert [ended(process) for process in processes] == [0, 0, 0]
    assert sorted(seeds_of(store)) == [0, 1, 2, 10, 11, 12, 13]
    assert len(list(Path(store.place).glob("images/*.tar"))) > 1  # a shard of the parent's is never shared


def test_a_writer_that_hangs_is_told_instead_of_waited_for(store: Store) -> None:
    def hold() -> None:
        other = sqlite3.connect(Path(store.place) / "catalog.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        (Path(store.place) / "held").touch()
        time.sleep(30)

    process = forked(hold)
    while not (Path(store.place) / "held").exists():
        time.sleep(0.01)
    os.kill(process, 9)  # the kernel lets its lock go with it
    ended(process)
    images(store, 1)
    assert store.images.count() == 1
