"""`thresher check` on MongoDB finds what an interrupted run left, and mends what can be mended."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bson import Binary
from tests.contract.things import category, data, deal, finish, images, new_image, publish

from thresher.errors import NotReady, StoreDamaged
from thresher.records import Gold, Label, NewImage, Origin, Progress, Purpose, Says, Source, new_id, now_ms
from thresher.settings import Settings
from thresher.store.mongo import arriving, image_log
from thresher.store.mongo.arriving import SETTLED_MS
from thresher.store.mongo.images import MongoImages
from thresher.store.mongo.link import key
from thresher.store.mongo.store import MongoStore

pytestmark = pytest.mark.mongo


def found_and_mended(store: MongoStore) -> str:
    """What a check finds; mending it leaves a sound workspace."""
    before = store.check(mend=False)
    assert not before.sound
    assert store.check(mend=True).sound
    after = store.check(mend=False)
    assert (after.found, after.sound) == ((), True)
    return "\n".join(before.found)


def test_a_workspace_that_was_worked_in_is_sound(store: MongoStore) -> None:
    rows = images(store, 12)
    category(store)
    store.categories.pool_add("car", rows, Origin("folder"))
    publish(store, rows[:3], places=2)
    store.labels.gild("car", [Gold(rows[5], Says.YES, 1, Source.OWNER)])
    finish(store, "w1", gold=rows[5:6])
    deal(store, "w2")
    store.columns.create("features/x", 2)
    store.columns.write("features/x", np.array(rows), np.ones((12, 2)))
    report = store.check(mend=False)
    assert (report.found, report.counted["images"], report.counted["columns"]) == ((), 12, 1)


def test_counters_that_are_off_are_set_right(store: MongoStore) -> None:
    category(store, 5)
    publish(store, store.categories.pool("car").tolist()[:2])
    deal(store)
    store.link.table("counts").delete_many({"_id.kind": {"$in": ["images", "asks:1", "assignments"]}})
    store.link.table("counts").insert_one({"_id": key(category="car", kind="labels:1", which="yes", slot=0), "n": 7})
    told = found_and_mended(store)
    assert "the counter 'images' of car is 0, and should be 5" in told
    assert "'labels:1:yes' of car is 7, and should be 0" in told
    assert store.images.count() == 5
    tally = store.categories.tally("car")
    assert (tally.images, dict(tally.labels), dict(tally.assignments)) == (5, {}, {"leased": 1})
    assert dict(tally.asks_open) == {"learn": 2}


def test_bytes_that_no_row_uses_are_reclaimed_once_they_are_old(store: MongoStore) -> None:
    images(store, 3)
    table, spare = store.link.table("bytes"), hashlib.sha256(b"spare").digest()
    table.insert_one({"_id": Binary(spare), "at_ms": now_ms(), "data": Binary(b"spare")})
    assert store.check(mend=True).found == ()  # a harvest may be about to make a row of it
    table.update_one({"_id": Binary(spare)}, {"$set": {"at_ms": now_ms() - SETTLED_MS - 1000}})
    assert "no row refers to the bytes of 1 images" in found_and_mended(store)
    assert table.count_documents({}) == 3
    assert [one["data"] for one in store.link.table("quarantine").find()] == [b"spare"]


def test_a_harvest_takes_up_old_bytes_that_no_row_used(store: MongoStore) -> None:
    one = new_image(1)
    table = store.link.table("bytes")
    table.insert_one({"_id": Binary(bytes.fromhex(one.sha256)), "at_ms": 5, "data": Binary(data(1))})
    (row,) = store.images.put([one])
    assert store.images.read(row) == data(1)
    assert (table.find_one() or {})["at_ms"] > 5  # from now on a check leaves it alone, whatever else it saw


def test_bytes_that_changed_are_found_where_every_byte_is_read_and_come_back(store: MongoStore) -> None:
    rows = images(store, 4)
    large = bytes(range(256)) * 130_000  # in three pieces
    name = hashlib.sha256(large).digest()
    (huge,) = store.images.put([NewImage(name.hex(), large, 10, 10, "JPEG", bytes=len(large))])
    table = store.link.table("bytes")
    table.update_one({"_id": Binary(bytes.fromhex(new_image(2).sha256))}, {"$set": {"data": Binary(b"another")}})
    table.update_one({"_id": Binary(name + (1).to_bytes(2, "big"))}, {"$set": {"data": Binary(b"cut")}})
    assert store.check(mend=False).sound
    report = store.check(mend=True, every_byte=True)
    assert f"2 have lost their bytes (rows 2, {huge})" in report.found[0]
    assert table.count_documents({}) == 3
    assert store.link.table("quarantine").count_documents({}) == 4  # what is left of both, for whoever can use it
    assert [store.images.read(row) for row in (rows[0], rows[1], rows[3])] == [data(0), data(1), data(3)]
    assert images(store, 4) == rows
    assert store.images.put([NewImage(name.hex(), large, 10, 10, "JPEG", bytes=len(large))]) == [huge]
    assert store.images.read(huge) == large
    assert store.check(mend=True, every_byte=True).sound


def test_an_image_whose_bytes_are_lost_gets_them_back_at_the_next_harvest(store: MongoStore) -> None:
    rows = images(store, 4)
    store.link.table("bytes").delete_one({"_id": Binary(bytes.fromhex(new_image(2).sha256))})
    with pytest.raises(StoreDamaged, match="image 2"):
        store.images.read(rows[2])
    report = store.check(mend=True)
    assert not report.sound
    assert "1 have lost their bytes (rows 2)" in report.found[0]
    assert store.images.find([new_image(2).sha256, "folder/2.jpg", "folder/3.jpg"]) == [None, None, 3]
    with pytest.raises(StoreDamaged) as told:
        store.images.read(rows[2])
    assert told.value.next == "harvest it again"
    assert store.images.put([new_image(2)]) == [rows[2]]
    assert store.images.read(rows[2]) == data(2)
    assert store.images.find([new_image(2).sha256, "folder/2.jpg"]) == [2, 2]
    assert store.check(mend=False).sound


def test_an_image_that_is_not_found_by_an_alias_is_found_again(store: MongoStore) -> None:
    images(store, 3)
    store.link.table("images").update_one({"row": 1}, {"$unset": {"names": ""}})
    assert store.images.find(["folder/1.jpg", new_image(1).sha256]) == [None, 1]
    assert "1 are not found by their names" in found_and_mended(store)
    assert store.images.find(["folder/1.jpg"]) == [1]


def test_a_reference_is_not_a_loss(store: MongoStore) -> None:
    store.images.put([new_image(1, data=None)])
    assert store.check(mend=True).found == ()
    with pytest.raises(NotReady):
        store.images.read(0)


def test_values_that_are_lost_count_as_missing_after_mending(store: MongoStore) -> None:
    rows = np.array(images(store, 6))
    store.columns.create("features/x", 2)
    store.columns.write("features/x", rows[:3], np.ones((3, 2)))
    store.columns.write("features/x", rows[3:], np.ones((3, 2)))
    first = store.link.table("column_parts").find_one({"_id.number": 1}) or {}
    store.link.table("blobs").delete_one({"_id": key(of=first["_id"]["generation"], number=first["values"])})
    with pytest.raises(StoreDamaged, match="values of the column are missing"):
        store.columns.view("features/x")
    assert "1 parts have lost their values" in found_and_mended(store)
    assert store.columns.view("features/x")[1].tolist() == [False] * 3 + [True] * 3


def test_what_a_killed_writer_of_columns_left_is_reclaimed(store: MongoStore) -> None:
    images(store, 2)
    store.columns.create("features/x", 2)
    column = store.link.table("columns").find_one() or {}
    old = "0" * 8 + new_id()[8:]  # made in 1970
    left = [
        key(of=column["generation"], number=old),
        key(of=column["generation"], number=new_id()),
        key(of=old, number=old),
    ]
    store.link.table("blobs").insert_many([{"_id": one, "piece": Binary(b"x")} for one in left])
    store.link.table("column_parts").insert_one(
        {"_id": key(generation=old, number=1), "values": old, "rows": Binary(b"")}
    )
    told = found_and_mended(store)
    assert "1 values belong to no part" in told
    assert "column_parts of 1 deleted columns" in told
    assert store.link.table("blobs").count_documents({}) == 1  # too young to be anybody's leaving


def test_a_check_tells_how_far_it_is(store: MongoStore, tmp_path: Path) -> None:
    images(store, 3)
    told: list[Progress] = []
    store.check(mend=False, report=told.append)
    assert {progress.stage for progress in told} >= {"check the catalog", "check images"}
    assert all(progress.done <= progress.total for progress in told)


BY_DATA = {data(seed): seed for seed in range(200)}


def admit(content: bytes) -> NewImage | None:
    """As harvest reads the facts of an image; any bytes are one here."""
    return new_image(BY_DATA[content], aliases=(), bytes=len(content)) if content in BY_DATA else None


def let_settle(store: MongoStore) -> None:
    """As if all bytes had come a while ago."""
    store.link.table("bytes").update_many({}, {"$set": {"at_ms": now_ms() - SETTLED_MS - 1000}})


def test_a_picture_whose_own_document_is_lost_gets_its_row_and_its_labels_back(store: MongoStore) -> None:
    category(store, 10)
    store.labels.hold("car", [Label(row, Says.YES, Source.OWNER, Purpose.LEARN, 1, 1) for row in range(10)])
    let_settle(store)
    store.link.table("images").delete_many({"row": {"$in": [3, 7, 9]}})
    shown = "\n".join(store.check(mend=False).found)
    assert "3 rows of pool, labels have no image (rows 3, 7, 9)" in shown
    store.check(mend=True)
    assert store.link.table("bytes").count_documents({}) == 10
    made = store.recover(admit)
    assert (made.new, made.again) == (3, 3)
    assert [store.images.read(row) for row in range(10)] == [data(seed) for seed in range(10)]
    assert store.images.find([f"folder/{row}.jpg" for row in range(10)]) == list(range(10))
    assert store.images.get(7).aliases == new_image(7).aliases
    assert store.check(mend=False, every_byte=True).found == ()


def test_a_picture_that_is_barred_after_a_killed_harvest_is_made_anew(store: MongoStore) -> None:
    images(store, 3)
    late = new_image(9)
    key = bytes.fromhex(late.sha256)
    with store.link.client.start_session() as session:
        store.images.originals.put({key: data(9)}, session)
        batch, _ = arriving.announce(store.link, {key: ""}, session)
        image_log.note(store.link, {key: batch.first}, {key: late.aliases})
        arriving.end_abandoned(store.link, batch, session)  # it was killed here, and another one ended it
    made = store.recover(admit)
    assert (made.new, made.again) == (1, 1)
    assert store.images.find([late.sha256, "folder/9.jpg"]) == [3, 3]
    assert store.images.count() == 4
    assert store.check(mend=False).found == ()


def test_of_two_rows_that_a_picture_may_have_had_it_gets_back_the_one_that_is_named(store: MongoStore) -> None:
    category(store)
    brought = new_image(1)
    key = bytes.fromhex(brought.sha256)
    with store.link.client.start_session() as session:
        batch, _ = arriving.announce(store.link, {key: ""}, session)
        rows = store.images.put([brought])  # another one is quicker
        image_log.note(store.link, {key: batch.first}, {key: brought.aliases})  # and this one is killed here
    assert (batch.first, rows) == (0, [1])
    store.categories.pool_add("car", rows, Origin("folder"))
    store.link.table("images").delete_one({"row": 1})
    assert store.recover(admit).again == 1
    assert store.images.find([brought.sha256]) == [1]
    assert store.check(mend=False).found == ()


def test_the_log_of_images_outlives_an_election_that_took_it_away(store: MongoStore) -> None:
    class Losing(MongoImages):
        def _insert_new(self, *what: Any) -> Any:
            left = super()._insert_new(*what)
            self.link.table("image_log").delete_many({})  # as if only a primary that left had had it
            return left

    store.images = Losing(store.link)
    rows = images(store, 4)
    let_settle(store)
    store.link.table("images").delete_many({"row": {"$in": [1, 2]}})
    assert store.recover(admit).again == 2
    assert store.images.find([f"folder/{seed}.jpg" for seed in range(4)]) == rows


def test_an_older_catalog_costs_no_picture(store: MongoStore) -> None:
    images(store, 30)
    (early,) = [one["_id"] for one in store.link.table("image_log").find()]
    images(store, 30, start=30)
    let_settle(store)
    # as a dump that was made before the second half came
    store.link.table("images").delete_many({"row": {"$gte": 30}})
    store.link.table("image_log").delete_many({"_id": {"$ne": early}})
    report = store.check(mend=True)
    assert report.refused
    assert store.link.table("bytes").count_documents({}) == 60
    assert store.recover(admit).new == 30
    assert sorted(store.images.read(one.row) for one in store.images.page(-1, 99)) == sorted(map(data, range(60)))
    assert store.check(mend=False).found == ()


def test_what_was_moved_aside_comes_back(store: MongoStore) -> None:
    images(store, 3)
    table = store.link.table("bytes")
    table.insert_one({"_id": Binary(hashlib.sha256(data(90)).digest()), "at_ms": 5, "data": Binary(data(90))})
    report = store.check(mend=True)
    assert "thresher check --recover" in report.notes[0]
    made = store.recover(admit)
    assert (made.restored, made.new) == (1, 1)
    assert store.link.table("quarantine").count_documents({}) == 0
    assert data(90) in [store.images.read(one.row) for one in store.images.page(-1, 99)]


@pytest.mark.parametrize("gone", [("workspace",), ("images",), ("images", "image_log", "workspace")])
def test_a_database_that_was_emptied_is_never_opened_as_new(
    gone: tuple[str, ...], store: MongoStore, opened: Callable[..., MongoStore], settings: Settings
) -> None:
    images(store, 60)
    for table in gone:
        store.link.table(table).delete_many({})
    for create in (False, True):
        with pytest.raises(StoreDamaged, match="stored images") as told:
            opened(store.place, create=create)
        assert "thresher check --recover" in told.value.next
    with MongoStore(store.place, settings, recover=True) as again:
        again.recover(admit)
        assert again.images.count() == 60
        assert sorted(again.images.read(one.row) for one in again.images.page(-1, 99)) == sorted(map(data, range(60)))


def test_the_document_of_another_workspace_is_not_taken(store: MongoStore, opened: Callable[..., MongoStore]) -> None:
    store.link.table("workspace").update_one({"_id": "workspace"}, {"$set": {"identity": new_id()}})
    with pytest.raises(StoreDamaged, match="different workspaces"):
        opened(store.place, create=False)
