"""Batches of images that arrive at once, slowly, or never whole: a row an image, a group a picture, a right count."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from bson import Binary
from pymongo import monitoring
from tests.contract.things import data, images, new_image
from tests.store.mongo.dying import killed_at_each_write

from thresher.errors import Conflict
from thresher.records import Alias, NewImage
from thresher.settings import Settings
from thresher.store.mongo import arriving, link
from thresher.store.mongo.arriving import GRACE_MS
from thresher.store.mongo.images import MongoImages
from thresher.store.mongo.link import Link
from thresher.store.mongo.store import MongoStore
from thresher.store.rules import ALIKE_MOST

pytestmark = pytest.mark.mongo

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def alike(seed: int, **changes: Any) -> NewImage:
    """One of many images with one fingerprint."""
    return new_image(seed, fingerprint="aa", **changes)


class Slow(MongoImages):
    """Stops after it has told which images are coming, and before they are stored, until it may go on."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self.go = threading.Event()

    def _insert(self, *what: Any) -> dict[bytes, int]:
        assert self.go.wait(60)
        return super()._insert(*what)


def until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def batches(store: MongoStore) -> int:
    return len(arriving.listed(store.link))


def barred(store: MongoStore) -> set[str]:
    """The SHA-256 of what was barred for processes that were taken for dead."""
    return {one["_id"].hex() for one in store.link.table("images").find({"void": {"$exists": True}}, {"_id": 1})}


def killed(store: MongoStore, *brought: NewImage) -> None:
    """As if a process had been killed just after it told what it brings."""
    prints = {bytes.fromhex(one.sha256): one.fingerprint for one in brought}
    with store.link.client.start_session() as session:
        arriving.announce(store.link, prints, session)


def make_old(store: MongoStore) -> None:
    """As if all batches had been begun long ago."""
    store.link.table("numbers").update_one({"_id": "row"}, {"$set": {"arriving.$[].at": LONG_AGO}})


@pytest.fixture
def slow(store: MongoStore, settings: Settings) -> Iterator[tuple[MongoStore, Slow]]:
    """The same workspace in another process that stops in the middle of what it stores."""
    with MongoStore(store.place, settings) as other:
        stops = other.images = Slow(other.link)
        yield other, stops
        stops.go.set()


def test_who_brings_the_same_image_as_a_slow_process_does_not_wait_for_it(
    store: MongoStore, slow: tuple[MongoStore, Slow]
) -> None:
    first, stops = slow
    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(first.images.put, [alike(0)])
        until(lambda: batches(store) == 1)
        assert store.images.put([alike(0), new_image(7, fingerprint="bb")]) == [1, 2], "its _id decides"
        assert store.images.put([alike(1, compared=1)]) == [3]
        assert batches(store) == 1, "nobody took the slow one for dead"
        stops.go.set()
        assert early.result() == [1]
    assert store.images.count() == 3
    assert store.check(mend=False).sound


def test_the_second_of_two_unlike_images_of_one_fingerprint_is_compared_with_the_first(
    store: MongoStore, slow: tuple[MongoStore, Slow]
) -> None:
    first, stops = slow
    with ThreadPoolExecutor(2) as threads:
        early = threads.submit(first.images.put, [alike(0), new_image(5, fingerprint="bb")])
        until(lambda: batches(store) == 1)
        late = threads.submit(store.images.put, [alike(1)])
        until(lambda: batches(store) == 2)
        stops.go.set()
        assert early.result() == [0, 1]
        with pytest.raises(Conflict, match="but it was compared with 0"):
            late.result()
    assert [[one.row for one in some] for some in store.images.alike(["aa"])] == [[0]]
    assert (store.images.count(), batches(store)) == (2, 0)
    store.images.put([alike(1, similar=alike(0).sha256)])
    assert store.check(mend=False).sound


def test_who_is_too_slow_begins_anew_and_does_not_stand_alone_beside_who_came_later(
    store: MongoStore, slow: tuple[MongoStore, Slow]
) -> None:
    first, stops = slow
    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(first.images.put, [alike(0), new_image(5)])
        until(lambda: batches(store) == 1)
        (late,) = store.images.put([alike(1)])  # as if the first had been killed
        assert (store.images.count(), batches(store)) == (1, 0)
        assert store.images.find([alike(0).sha256, "folder/0.jpg", alike(1).sha256]) == [None, None, late]
        stops.go.set()
        with pytest.raises(Conflict, match="but it was compared with 0"):
            early.result()
    assert [[one.row for one in some] for some in store.images.alike(["aa"])] == [[late]]
    again = store.images.put([alike(0, compared=1), new_image(5)])
    assert list(store.images.read_many(again)) == [data(0), data(5)]
    assert store.images.similar(np.array(again)).tolist() == again
    assert (store.images.count(), batches(store)) == (3, 0)
    assert store.images.page(-1, 99) == store.images.many(sorted([late, *again]))
    assert store.check(mend=False).sound


def test_a_name_barred_for_a_slow_process_is_free_again_after_a_check(
    store: MongoStore, slow: tuple[MongoStore, Slow]
) -> None:
    first, stops = slow
    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(first.images.put, [new_image(0)])
        until(lambda: batches(store) == 1)
        table = store.link.table("images")
        make_old(store)
        assert store.check(mend=False).sound
        assert batches(store) == 1, "without mending nothing is changed"
        assert store.check(mend=True).sound
        assert (batches(store), table.count_documents({"void": {"$exists": True}})) == (0, 1)
        stops.go.set()
        assert early.result() == [1], "it was only slow, and begins anew"
    killed(store, new_image(9))
    make_old(store)
    arriving.clear_old(store.link)
    assert table.count_documents({"void": {"$exists": True}}) == 1
    table.update_many({"void": {"$exists": True}}, {"$set": {"at": LONG_AGO}})
    arriving.clear_old(store.link)
    assert table.count_documents({}) == store.images.count() == 1


def test_a_batch_that_a_killed_process_left_long_ago_is_ended_by_the_next_one(store: MongoStore) -> None:
    images(store, 3)
    killed(store, new_image(9))
    make_old(store)
    assert images(store, 1, start=20) == [4]
    assert (store.images.count(), batches(store)) == (4, 0)
    assert store.images.put([new_image(9)]) == [5]
    assert store.check(mend=False).sound


def test_who_waits_for_a_killed_process_is_not_taken_for_dead_by_who_waits_for_it(
    store: MongoStore, slow: tuple[MongoStore, Slow]
) -> None:
    first, stops = slow
    killed(store, alike(9))
    with ThreadPoolExecutor(2) as threads:
        early = threads.submit(first.images.put, [alike(0), new_image(5, fingerprint="bb")])
        until(lambda: batches(store) == 2)
        late = threads.submit(store.images.put, [new_image(6, fingerprint="bb")])
        until(lambda: bool(barred(store)))
        time.sleep(0.6)  # it needs a while for itself, now that it has waited as long as one that is dead
        stops.go.set()
        assert early.result() == [1, 2]
        with pytest.raises(Conflict, match="but it was compared with 0"):
            late.result()
    assert barred(store) == {alike(9).sha256}, "no living one was taken for dead"
    assert (store.images.count(), batches(store)) == (2, 0)
    assert store.check(mend=False).sound


def test_a_killed_batch_that_is_brought_again_waits_for_nobody(store: MongoStore) -> None:
    brought = [alike(0), alike(1, compared=1), new_image(2)]
    killed(store, *brought)
    began = time.monotonic()
    assert store.images.put(brought) == [3, 4, 5]
    assert time.monotonic() - began < GRACE_MS / 1000
    assert (barred(store), batches(store)) == (set(), 1)


class Updates(monitoring.CommandListener):
    """Counts the messages that change documents of images."""

    def __init__(self) -> None:
        self.sent = 0

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.sent += event.command_name == "update" and event.command["update"] == "images"

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


def test_barred_images_are_stored_in_one_message(
    store: MongoStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = [new_image(seed, aliases=()) for seed in range(300)]
    killed(store, *brought)
    make_old(store)
    arriving.clear_old(store.link)
    assert len(barred(store)) == 300
    updates = Updates()
    monkeypatch.setattr(link, "OPTIONS", {**link.OPTIONS, "event_listeners": [updates]})
    with MongoStore(store.place, settings) as other:
        assert other.images.put(brought) == list(range(300, 600))
    assert updates.sent == 1
    assert barred(store) == set()


def test_one_that_is_compared_with_as_many_as_there_may_be_waits_for_nobody(
    store: MongoStore, slow: tuple[MongoStore, Slow]
) -> None:
    first, stops = slow
    store.images.put([alike(seed, compared=seed) for seed in range(ALIKE_MOST)])
    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(first.images.put, [alike(50, compared=ALIKE_MOST)])
        until(lambda: batches(store) == 1)
        began = time.monotonic()
        store.images.put([alike(60, compared=ALIKE_MOST)])
        assert time.monotonic() - began < GRACE_MS / 1000
        assert (barred(store), batches(store)) == (set(), 1)
        stops.go.set()
        early.result()
    assert len(store.images.alike(["aa"])[0]) == ALIKE_MOST


def test_no_clock_but_the_servers_says_how_old_a_batch_is(
    store: MongoStore, slow: tuple[MongoStore, Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, stops = slow
    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(first.images.put, [alike(0)])
        until(lambda: batches(store) == 1)
        now = time.time_ns
        with monkeypatch.context() as ahead:
            ahead.setattr(time, "time_ns", lambda: now() + 16 * 60 * 10**9)
            ahead.setattr(time, "time", lambda: now() / 1e9 + 16 * 60)
            images(store, 1, start=20)
            store.check(mend=True)
        assert (barred(store), batches(store)) == (set(), 1)
        stops.go.set()
        assert early.result() == [0]


def test_a_list_that_killed_processes_have_filled_gets_room_again(store: MongoStore) -> None:
    images(store, 2)
    # at the largest size of a document, as some 800 batches of 500 are
    left = [
        {"first": 10 + n, "many": 1, "at": LONG_AGO, "hashes": bytes([n]) * 32, "marks": bytes(8), "at_ms": 5}
        for n in range(9)
    ]
    numbers = store.link.table("numbers")
    full = {"arriving": [{**one, "room": bytes(1_864_000)} for one in left], "next": 20}
    numbers.update_one({"_id": "row"}, {"$set": full})
    rows = store.images.put([new_image(seed) for seed in range(50, 350)])
    assert rows == list(range(20, 320))
    assert (store.images.count(), batches(store)) == (302, 1)
    images(store, 1, start=400)
    assert (store.images.count(), batches(store)) == (303, 0)
    assert store.check(mend=False).sound


def batch_of(turn: int) -> list[NewImage]:
    """All that a batch can bring: alone, alike, of a group, known with a new name, and bytes of a reference."""
    at, prints = turn * 10, f"{turn}"
    first = new_image(at, fingerprint=prints)
    return [
        first,
        new_image(at + 1, fingerprint=prints, compared=1),
        new_image(at + 2, fingerprint=prints, similar=first.sha256),
        new_image(at + 3, aliases=(Alias("url", f"http://site/{at}"),)),
        new_image(at + 4),
        new_image(at + 5),
    ]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the process that is killed is a fork of this one
def test_killed_before_any_of_its_writes_and_run_again_everything_is_there_once(
    store: MongoStore, settings: Settings
) -> None:
    def known(turn: int) -> None:
        store.images.put([new_image(turn * 10 + 3), new_image(turn * 10 + 4, data=None, aliases=())])

    def put(turn: int, arm: Callable[[], None]) -> None:
        with MongoStore(store.place, settings) as opened:
            arm()
            opened.images.put(batch_of(turn))

    turns = 0
    known(0)
    for turn in killed_at_each_write(put):
        turns = turn + 1
        there = store.images.page(-1, 10_000)
        assert store.images.count() == len(there)
        whole = [image.row for image in there if not image.reference]
        assert {hash(one) for one in store.images.read_many(whole)} <= {hash(data(seed)) for seed in range(turns * 10)}
        report = store.check(mend=False)
        assert report.sound, report.found
        known(turns)
    assert turns >= 8, "each of its writes was the last one once"
    for turn in range(turns + 1):
        batch = batch_of(turn)
        rows = store.images.put(batch)
        assert store.images.find([one.sha256 for one in batch]) == rows
        assert store.images.find([f"http://site/{turn * 10}", f"folder/{turn * 10 + 5}.jpg"]) == [rows[3], rows[5]]
        assert list(store.images.read_many(rows)) == [one.data for one in batch]
        assert store.images.similar(np.array(rows)).tolist() == [rows[0], rows[1], rows[0], *rows[3:]]
        assert [[one.row for one in some] for some in store.images.alike([f"{turn}"])] == [[rows[0], rows[1]]]
    assert store.images.count() == len(store.images.page(-1, 10_000)) == 6 * (turns + 1)
    make_old(store)
    store.check(mend=True)
    report = store.check(mend=False)
    assert (report.sound, batches(store), store.images.count()) == (True, 0, 6 * (turns + 1)), report.found
    assert store.link.table("images").count_documents({"_id": {"$lt": Binary(b"")}}) == 0
