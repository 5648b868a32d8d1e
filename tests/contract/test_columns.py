import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.contract.things import category, images

from thresher.errors import BadInput, Conflict, NotFound
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store
from thresher.store.mongo import columns as mongo_columns
from thresher.store.opened import OpenedStore
from thresher.store.sqlite import counters

NAME = "features/efficientnet-lite0"


def rows(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, dtype=np.int64)


def test_values_come_back_at_their_rows(store: Store) -> None:
    images(store, 6)
    store.columns.create(NAME, 3)
    store.columns.write(NAME, rows(4, 1, 2), np.arange(9, dtype=np.float32).reshape(3, 3))
    matrix, present = store.columns.view(NAME)
    assert matrix.shape == (6, 3)
    assert matrix.dtype == np.float16
    assert present.tolist() == [False, True, True, False, True, False]
    assert matrix[[1, 2, 4]].tolist() == [[3, 4, 5], [6, 7, 8], [0, 1, 2]]
    assert store.columns.missing(NAME, rows(0, 1, 4, 5)).tolist() == [0, 5]


def test_a_view_cannot_be_written(store: Store) -> None:
    images(store, 2)
    store.columns.create(NAME, 3)
    matrix, _ = store.columns.view(NAME)
    with pytest.raises(ValueError, match="read-only"):
        matrix[0, 0] = 1


def test_a_view_grows_with_the_images(store: Store) -> None:
    store.columns.create("scores/car/1", 1, "float32")
    assert store.columns.view("scores/car/1")[0].shape == (0, 1)
    images(store, 3)
    store.columns.write("scores/car/1", rows(0, 1, 2), np.array([[1.5], [-2.5], [0.0]]))
    images(store, 2, start=10)
    matrix, present = store.columns.view("scores/car/1")
    assert matrix.shape == (5, 1)
    assert matrix.dtype == np.float32
    assert matrix[:3, 0].tolist() == [1.5, -2.5, 0.0]
    assert present.tolist() == [True, True, True, False, False]


def test_values_may_be_written_over(store: Store) -> None:
    images(store, 3)
    store.columns.create(NAME, 2)
    store.columns.write(NAME, rows(0, 1, 2), np.zeros((3, 2)))
    store.columns.write(NAME, rows(1), np.ones((1, 2)))
    assert store.columns.view(NAME)[0].tolist() == [[0, 0], [1, 1], [0, 0]]


def test_scattered_rows_in_any_order_land_where_they_belong(store: Store) -> None:
    images(store, 500)
    store.columns.create(NAME, 2, "float32")
    order = np.random.default_rng(5).permutation(500)[:300]
    store.columns.write(NAME, order, np.stack([order, order * 2], axis=1).astype(np.float32))
    matrix, present = store.columns.view(NAME)
    assert np.flatnonzero(present).tolist() == sorted(order.tolist())
    assert (matrix[order, 0] == order).all()
    assert (matrix[order, 1] == order * 2).all()


def test_a_column_keeps_its_width_and_type(store: Store) -> None:
    store.columns.create(NAME, 3)
    store.columns.create(NAME, 3, "float16")
    for width, dtype in ((4, "float16"), (3, "float32")):
        with pytest.raises(Conflict):
            store.columns.create(NAME, width, dtype)
    with pytest.raises(BadInput):
        store.columns.write(NAME, rows(0, 1), np.zeros((2, 4)))
    with pytest.raises(BadInput):
        store.columns.write(NAME, rows(0, 1), np.zeros((3, 3)))


@pytest.mark.parametrize("name", ["", "/x", "x/", "../up", "a//b", "A", "a b", "a/..", "."])
def test_a_name_that_is_none_is_refused(store: Store, name: str) -> None:
    with pytest.raises(BadInput):
        store.columns.create(name, 1)


def test_a_column_nobody_made_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.columns.view(NAME)
    with pytest.raises(NotFound):
        store.columns.write(NAME, rows(0), np.zeros((1, 1)))
    with pytest.raises(NotFound):
        store.columns.missing(NAME, rows(0))


def test_columns_are_listed_and_dropped(store: Store) -> None:
    images(store, 2)
    for name in ("scores/car/1", NAME, "scores/car/10"):
        store.columns.create(name, 1)
    store.columns.write("scores/car/1", rows(0), np.ones((1, 1)))
    assert store.columns.names() == [NAME, "scores/car/1", "scores/car/10"]
    store.columns.drop("scores/car/1")
    store.columns.drop("scores/car/1")
    assert store.columns.names() == [NAME, "scores/car/10"]
    store.columns.create("scores/car/1", 2)
    assert not store.columns.view("scores/car/1")[1].any()


@pytest.fixture
def elsewhere(store: Store, settings: Settings, tmp_path: Path) -> Iterator[Store]:
    """The same workspace, as another machine would open it."""
    opened = open_store(store.place, settings.but(cache=str(tmp_path / "elsewhere")))
    yield opened
    opened.close()


def test_rows_that_another_process_makes_count_as_missing_are_missing_for_all(store: Store, elsewhere: Store) -> None:
    assert isinstance(elsewhere, OpenedStore)
    images(store, 6)
    store.columns.create(NAME, 3)
    for some, value in ((rows(0, 1, 2, 3, 4, 5), 0.0), (rows(2, 3), 1.0)):
        store.columns.write(NAME, some, np.full((len(some), 3), value))
    assert store.columns.missing(NAME, rows(0, 2, 5)).tolist() == []
    assert store.columns.view(NAME)[1].all()
    elsewhere.columns.forget(NAME, rows(2))
    lost = elsewhere.columns.missing(NAME, np.arange(6)).tolist()
    assert 2 in lost
    assert store.columns.missing(NAME, np.arange(6)).tolist() == lost
    assert np.flatnonzero(~store.columns.view(NAME)[1]).tolist() == lost
    store.columns.write(NAME, np.array(lost), np.full((len(lost), 3), 7.0))
    for opened in (store, elsewhere):
        assert opened.columns.missing(NAME, np.arange(6)).tolist() == []
        assert opened.columns.view(NAME)[0][lost].tolist() == [[7.0] * 3] * len(lost)


@pytest.mark.parametrize("name", [NAME, "scores/car/1"])
def test_a_drop_that_fails_half_way_has_moved_the_mark_when_it_was_repeated(
    store: Store, another: Store, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    category(store, 2)
    store.columns.create(name, 1)
    store.columns.write(name, rows(0), np.ones((1, 1)))
    before = another.categories.mark("car").columns

    def fails(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        for module in (counters, mongo_columns):
            broken.setattr(module, "move", fails)
        with pytest.raises(OSError, match="full"):
            store.columns.drop(name)
    store.columns.drop(name)
    assert another.categories.mark("car").columns > before
    assert another.columns.names() == []


def test_two_who_write_different_rows_at_once_disturb_nobody(store: Store, another: Store) -> None:
    images(store, 400)
    store.columns.create(NAME, 8, "float32")

    def write(opened: Store, offset: int) -> None:
        for start in range(offset * 20, 400, 80):
            part = np.arange(start, start + 20)
            opened.columns.write(NAME, part, np.repeat(part[:, None], 8, axis=1))

    threads = [threading.Thread(target=write, args=((store, another)[n % 2], n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    matrix, present = store.columns.view(NAME)
    assert present.all()
    assert (matrix == np.arange(400)[:, None]).all()
    assert another.columns.missing(NAME, np.arange(400)).tolist() == []
