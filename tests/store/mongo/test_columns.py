"""Columns lie in MongoDB; what is mapped is a copy on this machine, which may go at any time."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.contract.things import images

from thresher.errors import NotFound
from thresher.settings import Settings
from thresher.store.mongo.columns import PART_BYTES
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
