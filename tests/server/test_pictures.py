"""Rendered pictures: made once, the same every time, and never more in memory than the bound."""

import threading
import time
from hashlib import sha256

import pytest
from tests.pictures_for_tests import picture
from tests.server.people import add_category, add_pictures, slow

from thresher.errors import NotFound
from thresher.records import NewImage
from thresher.server.pictures import Shown
from thresher.store.contract import Store


@pytest.fixture
def rows(store: Store) -> list[int]:
    add_category(store)
    return add_pictures(store, "car", 6)


def test_a_picture_is_the_same_bytes_every_time(store: Store, rows: list[int]) -> None:
    first, again = Shown(store), Shown(store)
    for row in rows:
        assert first.webp(row, long_side=48) == first.webp(row, long_side=48) == again.webp(row, long_side=48)
    assert first.webp(rows[0], long_side=48) != first.webp(rows[0], long_side=32)


def test_what_was_shown_is_not_read_again(store: Store, rows: list[int]) -> None:
    shown = Shown(store)
    made = shown.webp(rows[0], long_side=48)
    store.close()
    assert shown.webp(rows[0], long_side=48) is made


def test_no_more_is_kept_than_the_bound_and_the_longest_unused_goes_first(store: Store, rows: list[int]) -> None:
    sizes = [len(Shown(store).webp(row, long_side=48)) for row in rows]
    bound = sum(sizes[:3])
    shown = Shown(store, most_bytes=bound)
    made = [shown.webp(row, long_side=48) for row in rows[:3]]
    assert shown.webp(rows[0], long_side=48) is made[0]
    for row in rows[3:]:
        shown.webp(row, long_side=48)
        assert shown.kept_bytes <= bound
    assert shown.webp(rows[1], long_side=48) is not made[1]


def test_a_picture_larger_than_the_bound_is_shown_and_not_kept(store: Store, rows: list[int]) -> None:
    shown = Shown(store, most_bytes=10)
    assert len(shown.webp(rows[0], long_side=48)) > 10
    assert shown.kept_bytes == 0


def test_many_threads_get_the_same_picture(store: Store, rows: list[int]) -> None:
    shown = Shown(store)
    begin = threading.Barrier(6)
    made: list[bytes] = []

    def show() -> None:
        begin.wait()
        made.extend(shown.webp(row, long_side=48) for row in rows)

    threads = [threading.Thread(target=show) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 36
    assert len(set(made)) == 6
    assert shown.kept_bytes == sum(len(data) for data in set(made))


def test_a_picture_shown_before_comes_no_sooner(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gold was shown before and asked pictures were not: the difference in time would tell them apart."""
    add_category(store)
    data = picture(1, (1600, 1200))
    (row,) = store.images.put([NewImage(sha256(data).hexdigest(), data, 1600, 1200, "JPEG", bytes=len(data))])
    shown = Shown(store)
    slow(monkeypatch, 0.2)
    begun = time.perf_counter()
    made, at_once = shown.webp_and_wait(row, long_side=1024)
    seconds = time.perf_counter() - begun
    again, wait = shown.webp_and_wait(row, long_side=1024)
    assert again is made
    assert at_once == 0.0
    assert 0.2 < wait <= seconds


def test_a_row_that_nobody_has_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        Shown(store).webp(99, long_side=48)
