"""A primary steps down in the middle of the work: nothing answered is lost, and nothing is there twice."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from bson import Binary
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from tests.contract.things import HOUR_MS, category, data, images, new_image, publish
from tests.store.mongo.conftest import Servers

from thresher.records import Dealt, Given, Origin, Review, Says, Stage
from thresher.store.mongo.images import MongoImages
from thresher.store.mongo.link import Session
from thresher.store.mongo.originals import BytesLost, Originals
from thresher.store.mongo.store import MongoStore

pytestmark = pytest.mark.mongo
Open = Callable[..., MongoStore]

STEPS_DOWN = 3


def step_down(servers: Servers) -> None:
    """Have the primary leave, as it does for maintenance."""
    with MongoClient[dict[str, object]](servers.address) as client:
        deadline = time.monotonic() + 30
        while True:
            try:
                # not before a secondary has everything: that is what makes the handing over orderly
                client.admin.command("replSetStepDown", 2, secondaryCatchUpPeriodSecs=1)
                return
            except PyMongoError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.1)


class Elections:
    """The primary steps down again and again, until it has done so often enough."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.held = 0
        self._stepping = threading.Thread(target=self._step)

    @property
    def over(self) -> bool:
        return self.held >= STEPS_DOWN or not self._stepping.is_alive()

    def _step(self) -> None:
        while self.held < STEPS_DOWN:
            time.sleep(0.3)
            step_down(self.servers)
            self.held += 1

    def __enter__(self) -> "Elections":
        self._stepping.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stepping.join()


def test_a_harvest_goes_on_through_elections_and_loses_nothing(three: Servers, opened: Open) -> None:
    store = opened(three.place("harvest"))
    category(store)
    answered: dict[int, int] = {}

    def harvest(worker: int) -> None:
        # two and two bring the same pictures: whoever is second gets the row that the first was given
        start = worker // 2 * 10_000
        order = list(range(start, start + 300))
        random.Random(worker).shuffle(order)
        while order or not elections.over:
            seeds, order = order[:10] or random.sample(range(start, start + 300), 10), order[10:]
            rows = store.images.put([new_image(seed) for seed in seeds])
            store.categories.pool_add("car", rows, Origin("folder"))
            for seed, row in zip(seeds, rows, strict=True):
                assert answered.setdefault(seed, row) == row

    with Elections(three) as elections, ThreadPoolExecutor(4) as harvesters:
        for _ in harvesters.map(harvest, range(4)):
            pass
    assert elections.held == STEPS_DOWN
    assert (len(answered), len(set(answered.values()))) == (600, 600)
    assert (store.images.count(), store.categories.tally("car").images) == (600, 600)
    assert set(store.categories.pool("car").tolist()) == set(answered.values())
    assert list(store.images.read_many(list(answered.values()))) == [data(seed) for seed in answered]
    report = store.check(mend=False)
    assert report.sound, report.found


def test_a_labelling_run_goes_on_through_elections_and_keeps_every_answer_once(three: Servers, opened: Open) -> None:
    store = opened(three.place("label"))
    rows = images(store, 240)
    category(store)
    store.categories.pool_add("car", rows, Origin("folder"))
    tasks = [publish(store, rows[start : start + 8], places=2) for start in range(0, 240, 8)]
    sent: dict[str, list[Given]] = {}

    def work(worker: int) -> None:
        finished = False
        while not finished or not elections.over:
            now_ms = 1000
            taken = store.work.take("car", 1, f"w{worker}", owner=False, now_ms=now_ms, lease_ms=HOUR_MS)
            if taken is None:
                finished = True
                time.sleep(0.02)
                continue
            asks = store.asks.of_task(taken.task)
            dealt = store.work.set_dealt(taken.id, [Dealt(ask.row, ask.id) for ask in asks]).dealt
            says = [Given(place, random.choice(list(Says)), 0.5, 1.5) for place in range(len(dealt))]
            store.work.draft(taken.id, says[:3], sequence=1, now_ms=now_ms, lease_ms=HOUR_MS)
            store.work.send(taken.id, says, now_ms)
            assert taken.id not in sent
            sent[taken.id] = says
            store.work.review(taken.id, Review(Stage.ACCEPTED, "", now_ms))

    with Elections(three) as elections, ThreadPoolExecutor(6) as workers:
        for _ in workers.map(work, range(6)):
            pass
    assert elections.held == STEPS_DOWN
    assert len(sent) == 60
    votes = store.labels.votes("car", 1)
    assert Counter(vote.row for vote in votes) == dict.fromkeys(rows, 2)
    for assignment, says in sent.items():
        kept = store.work.get(assignment)
        assert kept.answers == tuple(says)
        said = {vote.row: vote.says for vote in votes if vote.assignment == assignment}
        assert said == {kept.dealt[one.position].row: one.says for one in says}
    assert [store.asks.task(task.number).done for task in tasks] == [2] * len(tasks)
    mark = store.categories.mark("car")
    # in the commit of each write: taken, dealt, sent and reviewed
    assert mark.votes >= len(sent)
    assert mark.asks >= 4 * len(sent)
    tally = store.categories.tally("car")
    assert (tally.answers, tally.tasks_open, dict(tally.asks_open)) == (480, 0, {})
    assert dict(tally.assignments) == {"accepted": 60}
    report = store.check(mend=False)
    assert report.sound, report.found


def test_columns_written_through_elections_are_whole(three: Servers, opened: Open) -> None:
    store = opened(three.place("columns"))
    rows = np.array(images(store, 400))
    store.columns.create("features/x", 3)

    def embed(worker: int) -> None:
        for start in range(worker * 10, 400, 40):
            part = rows[start : start + 10]
            store.columns.write("features/x", part, np.repeat(part[:, None], 3, axis=1))
            time.sleep(0.05)

    with Elections(three) as elections, ThreadPoolExecutor(4) as writers:
        for _ in writers.map(embed, range(4)):
            pass
    assert elections.held == STEPS_DOWN
    values, present = store.columns.view("features/x")
    assert present.all()
    assert np.array_equal(values[:, 2], np.arange(400))
    assert store.check(mend=False).sound


class Losing(Originals):
    """Loses what it was sent, once: as an election does with bytes that only the old primary had."""

    def __init__(self, lossless: Originals) -> None:
        super().__init__(lossless.link)
        self.lost = 0

    def put(self, data: Mapping[bytes, bytes], session: Session | None = None) -> list[bytes]:
        there = super().put(data, session)
        if not self.lost:
            names = [Binary(name) for name in list(data)[:2]]
            self.lost = self.link.table("bytes").delete_many({"_id": {"$in": names}}).deleted_count
        return there


def test_bytes_that_an_election_took_away_are_sent_again(store: MongoStore) -> None:
    pictures = store.images
    assert isinstance(pictures, MongoImages)
    losing = pictures.originals = Losing(pictures.originals)
    rows = images(store, 5)
    assert losing.lost == 2
    assert list(store.images.read_many(rows)) == [data(seed) for seed in range(5)]
    assert store.check(mend=False).sound


def test_bytes_that_only_a_lost_primary_had_are_never_vouched_for(three: Servers, opened: Open) -> None:
    store = opened(three.place("rollback"))
    originals, sent = Originals(store.link), {bytes([seed]) * 32: data(seed) for seed in range(3)}
    with MongoClient[dict[str, object]](three.address) as client:
        client.admin.command("ping")
        assert client.primary is not None
        primary = client.primary[1]
    others = [port for port in three.members if port != primary]
    for port in others:
        three.kill(port)
    session = store.link.client.start_session()
    originals.put(sent, session)  # the primary alone takes it, and is lost before anybody hears of it
    three.kill(primary)
    for port in others:
        three.start(port)
    with pytest.raises(BytesLost):
        originals.vouch(sent, [], session)
    three.start(primary)
    originals.put(sent, session)
    originals.vouch(sent, [], session)
    session.end_session()
