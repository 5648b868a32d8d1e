"""A worker learns nothing that tells gold from asked images, and opens nothing that was not dealt to them."""

import re
import time
from hashlib import sha256

import pytest
from tests.pictures_for_tests import picture
from tests.server.people import Pool, add_category, add_pictures, ask, dealt, rows_of, slow
from tests.serving import Served

from thresher.client import WorkerClient
from thresher.errors import Denied, NotFound
from thresher.records import Label, NewImage, Origin, Purpose, Source
from thresher.server.wire import Work
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.workforce.links import Links

SIGNATURE = re.compile(r"\.[\w-]{43}(?![\w-])")


def test_nothing_that_a_worker_is_told_tells_gold_from_asked(
    worker: WorkerClient, server: Served, store: Store, pool: Pool
) -> None:
    work = dealt(worker)
    rows = rows_of(work, store)
    gold = [position for position, row in enumerate(rows) if row in pool.gold]
    asked = [position for position, row in enumerate(rows) if row not in pool.gold]
    assert (len(gold), len(asked)) == (8, 10)
    assert gold != list(range(8)) != list(range(10, 18))

    answers = [server.http.get(address) for address in work.pictures]

    def told(position: int) -> tuple[object, ...]:
        address = work.pictures[position]
        headers = {name: value for name, value in answers[position].headers.items() if name != "content-length"}
        headers.pop("date")
        # signatures are as random as hashes are; the readable part of a key is the assignment and the position
        assert address.rpartition(".")[0].endswith(f".{position}")
        return len(address) - len(str(position)), answers[position].status_code, tuple(sorted(headers.items()))

    assert len({told(position) for position in gold + asked}) == 1
    as_sent = server.http.get("/api/work/assignment", headers={"Authorization": f"Bearer {work.token}"}).text
    as_sent = SIGNATURE.sub(".", as_sent).lower()  # in a signature any word may stand by chance
    assert [f"{address.rpartition('.')[0]}." in as_sent for address in work.pictures] == [True] * 18
    assert not [word for word in ("gold", "purpose", "learn", "audit", "row", "sha256") if word in as_sent]
    assert set(Work.model_fields) == {
        "token", "category", "question", "instructions", "examples", "pictures", "entries", "sequence",
        "lease_until_ms", "now_ms", "device",
    }  # fmt: skip


def test_two_workers_see_one_task_in_different_orders_under_different_keys(
    server: Served, store: Store, small: Settings
) -> None:
    add_category(store, "dog")
    ask(store, small, "dog", add_pictures(store, "dog", 9, first_seed=500), votes=2)
    link = server.console.add_invite().link
    first, second = (WorkerClient.join(link).deal("dog") for _ in range(2))
    assert first is not None
    assert second is not None
    assert not set(first.pictures) & set(second.pictures)
    assert sorted(rows_of(first, store)) == sorted(rows_of(second, store))
    assert rows_of(first, store) != rows_of(second, store)


def test_a_picture_that_others_saw_takes_as_long_as_one_that_nobody_saw(
    server: Served, store: Store, small: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gold was shown to others before: what comes at once would be gold."""
    slow(monkeypatch, 0.2)
    add_category(store, "big")
    data = [picture(seed, (1600, 1200)) for seed in range(600, 603)]
    rows = store.images.put(
        [NewImage(sha256(one).hexdigest(), one, 1600, 1200, "JPEG", bytes=len(one)) for one in data]
    )
    store.categories.pool_add("big", rows, Origin("folder", at_ms=1))
    ask(store, small, "big", rows, votes=2)
    link = server.console.add_invite("big").link

    def seconds() -> float:
        work = WorkerClient.join(link).deal("big")
        assert work is not None
        begun = time.perf_counter()
        for address in work.pictures:
            assert server.http.get(address).status_code == 200
        return time.perf_counter() - begun

    for _ in range(2):
        assert seconds() > 0.2 * len(data)


def test_an_invite_for_one_category_gives_no_tasks_of_another(server: Served, store: Store, small: Settings) -> None:
    add_category(store, "dog")
    ask(store, small, "dog", add_pictures(store, "dog", 4, first_seed=500))
    worker = WorkerClient.join(server.console.add_invite("dog").link)
    assert [offer.category for offer in worker.me().offers] == ["dog"]
    with pytest.raises(NotFound, match=r"has no tasks of .car."):
        worker.deal("car")
    with pytest.raises(NotFound):
        worker.deal("nobody")


def test_a_forged_or_foreign_picture_key_opens_nothing(worker: WorkerClient, server: Served, store: Store) -> None:
    work = dealt(worker)
    key = work.pictures[0].rpartition("/")[2]
    foreign = Links(b"another workspace's secret, 32 b").picture(Links(store.secret()).read_picture(key)[0], 0)
    value, _, signature = key.rpartition(".")
    other_place = f"{value[:-1]}1.{signature}"
    thumbnail = Links(store.secret()).thumbnail(0, 2**50)
    for wrong in (key[:-1], foreign, other_place, thumbnail, work.token, "x", "%00", "x" * 600):
        assert server.http.get(f"/api/work/pictures/{wrong}").status_code in (401, 422), wrong
    for wrong in ("../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/catalog.sqlite"):
        assert server.http.get(f"/api/work/pictures/{wrong}").status_code in (401, 404), wrong


def test_the_known_pictures_that_explain_are_never_gold_nor_in_the_assignment(
    worker: WorkerClient, server: Served, store: Store, pool: Pool
) -> None:
    assert dealt(worker).examples == []  # all that is known is gold
    known = [Label(row, pool.truth(row), Source.OWNER, Purpose.LEARN, 1, 1) for row in pool.rows]
    store.labels.hold("car", known)
    work = dealt(worker)
    links = Links(store.secret())
    shown = [-1 - links.read_picture(example.picture.rpartition("/")[2])[1] for example in work.examples]
    assert shown
    assert not set(shown) & (set(pool.gold) | set(rows_of(work, store)))
    assert [example.says for example in work.examples] == [pool.truth(row) for row in shown]
    assert server.http.get(work.examples[0].picture).headers["content-type"] == "image/webp"


def test_a_personal_link_of_nobody_is_refused(server: Served, store: Store) -> None:
    for token in ("", "x", Links(store.secret()).worker("nobody")):
        with pytest.raises(Denied):
            WorkerClient(server.url, token).me()
