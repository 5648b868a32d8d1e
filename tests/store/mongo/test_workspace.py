"""What lies in the database: pictures of any size, indexes for every question, keys to shard by."""

import re
import threading
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import numpy as np
import pytest
from bson import Binary
from pymongo import HASHED
from tests.contract.things import category, finish, images, new_image, publish, take

from thresher.errors import WrongSchema
from thresher.harvest.similar import put_in_groups
from thresher.records import Gold, Job, Origin, Purpose, Refusal, Says, Source, Worker
from thresher.settings import Settings
from thresher.store import contract
from thresher.store.kinds import KINDS
from thresher.store.mongo import failures, schema
from thresher.store.mongo.lines import having
from thresher.store.mongo.link import Link
from thresher.store.mongo.names import short
from thresher.store.mongo.originals import PIECE_BYTES
from thresher.store.mongo.store import MongoStore
from thresher.store.shapes import Index, Kind, schema_of

pytestmark = pytest.mark.mongo

WRITES = {
    "put", "create", "reword", "aim", "pool_add", "refuse", "hold", "drop", "gild", "score_gold", "retire_gold", "wish",
    "publish", "withdraw", "close", "take", "set_dealt", "draft", "send", "give_back", "expire", "review",
    "judge_again", "add", "change", "write",
    "read_many",  # it answers in pieces, and reads each of them steadily itself
}  # fmt: skip


def filled(store: MongoStore) -> None:
    """A document in every collection."""
    rows = images(store, 12)
    alike = new_image(50, fingerprint="alike")
    store.images.put([alike, new_image(51, fingerprint="alike", similar=alike.sha256)])
    category(store)
    store.categories.pool_add("car", rows, Origin("folder"))
    store.categories.refuse("car", [Refusal("x", "too small", "", 5)])
    publish(store, rows[:3], places=2)
    publish(store, rows[3:5], purpose=Purpose.MINE_GOLD)
    store.labels.gild("car", [Gold(rows[5], Says.YES, 1, Source.OWNER)])
    finish(store, "w1", gold=rows[5:6])
    take(store, "w2")
    store.people.add(Worker("w1", "Ann", False, "", 5))
    store.columns.create("features/x", 2)
    store.columns.write("features/x", np.array(rows), np.ones((12, 2)))
    store.rounds.keep_evidence("car", 1, "ranking", b"x")
    store.jobs.start(Job("j", "harvest", "car", {}, "running", "h", 1, 5, 5))
    store.jobs.lease("loop/car", "me", 5, 5)


def test_every_collection_can_be_sharded_by_its_id(store: MongoStore) -> None:
    filled(store)
    for made in schema.collections(KINDS):
        table = store.link.table(made.name)
        # what sh.shardCollection does first; it fails where an _id holds what no hash is made of
        name = table.create_index([("_id", HASHED)])
        # a cluster keeps no uniqueness but that of the shard key
        assert not [index for index in table.list_indexes() if index.get("unique")], made.name
        table.drop_index(name)


def test_the_docs_name_the_command_for_every_collection() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference-mongodb.md"
    found = re.findall(
        r'^sh\.shardCollection\("thresher\.(\w+)", \{ _id: "hashed" \}\)$', page.read_text("utf-8"), re.MULTILINE
    )
    assert found == [made.name for made in schema.collections(KINDS)]


def test_an_older_workspace_is_brought_to_the_newest_schema_step_by_step(store: MongoStore) -> None:
    images(store, 2)
    made: list[str] = []
    now = schema_of(KINDS)
    steps = (*schema.steps_of(KINDS), lambda _link: made.append("next"), lambda _link: made.append("last"))
    found = schema.open_workspace(store.link, KINDS, create=False, steps=steps)
    assert made == ["next", "last"]
    assert schema.open_workspace(store.link, KINDS, create=True, steps=steps)["schema"] == now + 2
    assert made == ["next", "last"]
    assert found["secret"] == store.secret()
    with pytest.raises(WrongSchema):
        schema.open_workspace(store.link, KINDS, create=False)


def test_a_step_that_was_killed_is_made_again(store: MongoStore) -> None:
    made: list[str] = []

    def killed(_link: Link) -> None:
        made.append("once")
        if len(made) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        schema.open_workspace(store.link, KINDS, create=False, steps=(*schema.steps_of(KINDS), killed))
    assert schema.open_workspace(store.link, KINDS, create=False, steps=(*schema.steps_of(KINDS), killed))
    assert made == ["once", "once"]


def test_a_pool_that_grows_below_its_top_is_read_whole(store: MongoStore, settings: Settings) -> None:
    rows = images(store, 300)
    category(store)
    with MongoStore(store.place, settings) as slower:
        store.categories.pool_add("car", rows[100:200], Origin("folder"))
        assert store.categories.pool("car").tolist() == rows[100:200]
        slower.categories.pool_add("car", rows[250:], Origin("folder"))
        assert store.categories.pool("car").tolist() == rows[100:200] + rows[250:]
        slower.categories.pool_add("car", rows[:50], Origin("folder"))
        assert store.categories.pool("car").tolist() == rows[:50] + rows[100:200] + rows[250:]


def _grandchild(store: MongoStore, answers: SimpleQueue[list[int]]) -> None:
    answers.put(images(store, 3, start=50))
    store.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # newer Pythons warn of what is tested here
def test_a_forked_process_opens_connections_of_its_own(store: MongoStore) -> None:
    images(store, 2)
    fork = get_context("fork")
    answers: SimpleQueue[list[int]] = fork.SimpleQueue()
    child = fork.Process(target=_grandchild, args=(store, answers))  # as it is, not by its place
    child.start()
    assert answers.get() == [2, 3, 4]
    child.join()
    assert child.exitcode == 0
    assert images(store, 1, start=60) == [5]


def test_pictures_are_not_compressed_again(store: MongoStore) -> None:
    options = store.link.table("bytes").options()
    assert options["storageEngine"]["wiredTiger"]["configString"] == "block_compressor=none"


@pytest.mark.parametrize("size", [PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES + 5])
def test_a_picture_larger_than_a_document_is_stored_whole(size: int, store: MongoStore) -> None:
    whole = np.random.default_rng(size).bytes(size)
    (row, small) = store.images.put([new_image(1, data=whole), new_image(2)])
    assert store.images.read(row) == whole
    assert store.images.get(row).bytes == size
    assert [len(one) for one in store.images.read_many([small, row])] == [704, size]
    assert store.check(mend=False).sound


def test_many_who_bring_the_same_pictures_at_once_get_the_same_rows(store: MongoStore) -> None:
    batch = [new_image(seed, fingerprint=f"{seed % 7}") for seed in range(60)]
    answered: list[list[int]] = []

    def put(turn: int) -> None:
        order = batch[turn * 7 :] + batch[: turn * 7]
        rows = dict(
            zip((one.sha256 for one in order), put_in_groups(order, store=store, same=lambda *_: True), strict=True)
        )
        answered.append([rows[one.sha256] for one in batch])

    threads = [threading.Thread(target=put, args=[turn]) for turn in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(answered) == 6
    assert all(rows == answered[0] for rows in answered)
    assert (store.images.count(), len(set(answered[0]))) == (60, 60)
    assert len(set(store.images.similar(np.array(sorted(answered[0]))).tolist())) == 7
    assert store.check(mend=False).sound


def test_every_call_of_the_contract_is_known_to_read_or_to_write() -> None:
    parts = (
        contract.Images, contract.Categories, contract.Labels, contract.Asks, contract.Work, contract.Columns,
        contract.Lines,
    )  # fmt: skip
    calls = {name for part in parts for name, what in vars(part).items() if callable(what) and not name.startswith("_")}
    assert calls - {"fetch_reference"} == failures.READS | WRITES
    assert set() == failures.READS & WRITES


def plan_of(store: MongoStore, table: str, wanted: dict[str, object], order: list[tuple[str, int]]) -> str:
    explained = store.link.table(table).find(wanted).sort(order).explain()
    return str(explained["queryPlanner"]["winningPlan"])


def test_dealing_and_paging_walk_an_index_and_sort_nothing(store: MongoStore) -> None:
    filled(store)
    of = {"category": "car", "version": 1, "owner_only": False}
    asked: list[tuple[str, dict[str, object], list[tuple[str, int]]]] = [
        ("tasks", {**of, "free": {"$gt": 0}}, [("_id", 1)]),
        ("tasks", {"category": "car", "_id": {"$gt": 5}}, [("_id", 1)]),
        ("asks", {**of, "waiting": True}, [("priority", -1), ("draw", 1), ("number", 1)]),
        ("assignments", {"stage": "leased", "lease_until_ms": {"$lte": 5}}, []),
        ("assignments", {"category": "car", "stage": "sent"}, [("sent_ms", 1), ("_id", 1)]),
        ("assignments", {"category": "car", "_id": {"$gt": ""}}, [("_id", 1)]),
        ("assignments", {"worker": "w1"}, [("_id", -1)]),
        ("refusals", {"category": "car", "number": {"$gt": 0}}, [("number", 1)]),
        ("images", {"row": {"$gt": 3}}, [("row", 1)]),
        ("images", {"row": {"$gte": 3, "$lte": 9}, "copy_of": {"$gte": 0}}, [("row", 1)]),
    ]
    for table, wanted, order in asked:
        plan = plan_of(store, table, wanted, order or [("lease_until_ms", 1)])
        assert "IXSCAN" in plan, (table, wanted)
        assert "'SORT'" not in plan, (table, wanted)
        assert "COLLSCAN" not in plan, (table, wanted)


def test_an_image_is_found_by_an_index_whatever_it_is_found_by(store: MongoStore) -> None:
    filled(store)
    asked: list[dict[str, object]] = [
        {"names": {"$in": [Binary(short("folder/3.jpg"))]}},
        {"fingerprint": {"$in": ["alike"]}, "alike": True},
        {"row": {"$in": [3, 4]}},
    ]
    for wanted in asked:
        plan = plan_of(store, "images", wanted, [("row", 1)])
        assert "IXSCAN" in plan, wanted
        assert "COLLSCAN" not in plan, wanted


@pytest.mark.parametrize(
    ("kind", "index"),
    [
        pytest.param(kind, index, id=f"{kind.name} {index.name}")
        for kind in KINDS
        if kind.generic
        for index in kind.indexes
    ],
)
def test_a_page_by_an_index_reads_and_sorts_nothing_else(kind: Kind, index: Index, store: MongoStore) -> None:
    category(store)
    plan = plan_of(store, kind.collection, having(kind, "car", dict.fromkeys(index.fields, 1)), [("_id", -1)])
    assert index.fields[0] in plan
    assert "'SORT'" not in plan
    assert "COLLSCAN" not in plan
