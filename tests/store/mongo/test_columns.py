"""Columns lie in MongoDB; what is mapped is a copy on this machine, which may go at any time."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bson import Binary
from tests.contract.things import images

from thresher.errors import NotFound, StoreDamaged
from thresher.settings import Settings
from thresher.store.mongo.columns import PART_BYTES
from thresher.store.mongo.link import key
from thresher.store.mongo.store import MongoStore

pytestmark = pytest.mark.mongo


def elsewhere(store: MongoStore, settings: Settings, path: Path) -> MongoStore:
    """The same workspace on another machine, which has copied nothing yet."""
    return MongoStore(store.place, settings.but(cache=str(path)))


def test_another_machine_sees_what_this_one_wrote(store: MongoStore, settings: Settings, tmp_path: Path) -> None:
    rows = np.array(images(store, 6))
    store.columns.create("features/x", 3)
    store.columns.write("features/x", rows[[4, 1]], np.array([[4, 4, 4], [1, 1, 1]]))
    with elsewhere(store, settings, tmp_path / "other") as other:
        assert other.columns.missing("features/x", rows).tolist() == [0, 2, 3, 5]
        values, present = other.columns.view("features/x")
        assert present.nonzero()[0].tolist() == [1, 4]
        assert values[4].tolist() == [4, 4, 4]
        store.columns.write("features/x", rows[[4]], np.array([[9, 9, 9]]))
        assert other.columns.view("features/x")[0][4].tolist() == [9, 9, 9]
        assert not values.flags.writeable


def test_a_copy_that_was_deleted_is_made_again(store: MongoStore) -> None:
    rows = np.array(images(store, 3))
    store.columns.create("features/x", 2)
    store.columns.write("features/x", rows, np.full((3, 2), 7))
    store.columns.view("features/x")
    shutil.rmtree(store.cache)
    values, present = store.columns.view("features/x")
    assert values.tolist() == [[7, 7]] * 3
    assert present.all()


def test_a_column_larger_than_a_document_is_stored_in_parts(store: MongoStore) -> None:
    rows, width = np.array(images(store, 5)), PART_BYTES // 8  # two rows a part in float32
    store.columns.create("features/wide", width, "float32")
    values = np.repeat(np.arange(5, dtype=np.float32)[:, None], width, axis=1)
    store.columns.write("features/wide", rows, values)
    assert store.link.table("column_parts").count_documents({}) == 3
    assert np.array_equal(store.columns.view("features/wide")[0], values)


def test_a_column_made_again_under_its_name_has_nothing_of_the_old_one(
    store: MongoStore, settings: Settings, tmp_path: Path
) -> None:
    rows = np.array(images(store, 2))
    with elsewhere(store, settings, tmp_path / "other") as other:
        for value in (1, 2):
            store.columns.create("features/x", 1)
            store.columns.write("features/x", rows[value - 1 :], np.full((3 - value, 1), value))
            assert other.columns.view("features/x")[1].tolist() == [value == 1, True]
            assert other.columns.view("features/x")[0][1].tolist() == [value]
            store.columns.drop("features/x")
            assert other.columns.names() == []
        with pytest.raises(NotFound):
            other.columns.view("features/x")
    assert store.link.table("blobs").count_documents({}) == 0


def test_writers_and_readers_of_one_column_do_not_wait_for_each_other(store: MongoStore) -> None:
    rows = np.array(images(store, 120))
    store.columns.create("features/x", 4)
    wrong: list[str] = []

    def write(worker: int) -> None:
        for start in range(worker * 10, 120, 40):
            part = rows[start : start + 10]
            store.columns.write("features/x", part, np.repeat(part[:, None], 4, axis=1))

    def read() -> None:
        for _ in range(10):
            values, present = store.columns.view("features/x")
            seen = np.flatnonzero(present)
            if not np.array_equal(values[seen, 0], seen):
                wrong.append(f"{values[seen, 0]} {seen}")

    started: list[threading.Thread] = []
    jobs: list[Callable[[], None]] = [read, read, *(lambda worker=worker: write(worker) for worker in range(4))]
    for job in jobs:
        started.append(threading.Thread(target=job))
        started[-1].start()
    for each in started:
        each.join()
    assert wrong == []
    assert store.columns.view("features/x")[1].all()


def damaged_parts(store: MongoStore) -> list[str]:
    return list(store.check(mend=False, every_byte=True).found)


@pytest.mark.parametrize("name", ["features/x", "scores/car/1"])
@pytest.mark.parametrize("how", ["a value", "a row", "a checksum", "half of the values"])
def test_a_part_that_changed_is_found_and_its_rows_are_computed_again(name: str, how: str, store: MongoStore) -> None:
    rows = np.array(images(store, 6))
    width = 3 if name == "features/x" else 1
    store.columns.create(name, width, "float32")
    for some in (rows[:3], rows[3:]):
        store.columns.write(name, some, np.repeat(some[:, None], width, axis=1))
    assert damaged_parts(store) == []
    part = store.link.table("column_parts").find_one({"_id.number": 2}) or {}
    wanted = {"_id": key(of=part["_id"]["generation"], number=part["values"])}
    piece = (store.link.table("blobs").find_one(wanted) or {})["piece"]
    if how == "a value":
        store.link.table("blobs").update_one(wanted, {"$set": {"piece": Binary(bytes([7]) + piece[1:])}})
    elif how == "half of the values":
        store.link.table("blobs").update_one(wanted, {"$set": {"piece": Binary(piece[: len(piece) // 2])}})
    else:
        field = {"a row": "rows", "a checksum": "sums"}[how]
        size = 8 if field == "rows" else 4  # the first two change places
        changed = part[field][size : 2 * size] + part[field][:size] + part[field][2 * size :]
        store.link.table("column_parts").update_one({"_id": part["_id"]}, {"$set": {field: Binary(changed)}})
    with pytest.raises(StoreDamaged) as told:
        store.columns.view(name)
    assert told.value.next == "thresher check --mend"
    assert f"column {name}: the values of" in "\n".join(damaged_parts(store))
    assert store.check(mend=True, every_byte=True).sound
    assert damaged_parts(store) == []
    again = store.columns.missing(name, rows)
    assert set(again.tolist()) >= {3, 4}
    store.columns.write(name, again, np.repeat(again[:, None], width, axis=1))
    assert store.columns.view(name)[0].tolist() == [[row] * width for row in range(6)]


def test_a_part_of_an_earlier_version_has_no_checksums_until_a_repair_gives_it_some(store: MongoStore) -> None:
    rows = np.array(images(store, 3))
    store.columns.create("features/x", 2)
    store.columns.write("features/x", rows, np.full((3, 2), 7))
    store.link.table("column_parts").update_many({}, {"$unset": {"sums": ""}})
    assert damaged_parts(store) == []
    assert store.columns.view("features/x")[0].tolist() == [[7, 7]] * 3
    assert "has checksums now" in store.check(mend=True).notes[0]
    store.link.table("blobs").update_many({}, {"$set": {"piece": Binary(bytes(12))}})
    assert damaged_parts(store)


def test_a_copy_on_this_machine_that_changed_is_found_and_made_again(store: MongoStore) -> None:
    rows = np.array(images(store, 3))
    store.columns.create("features/x", 2)
    store.columns.write("features/x", rows, np.full((3, 2), 7))
    store.columns.view("features/x")
    (values,) = store.cache.glob("*/values")
    values.write_bytes(bytes(len(values.read_bytes())))
    assert "the copy on this machine does not match" in damaged_parts(store)[0]
    assert store.check(mend=True, every_byte=True).sound
    assert store.columns.view("features/x")[0].tolist() == [[7, 7]] * 3
