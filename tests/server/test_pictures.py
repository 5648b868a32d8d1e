"""Rendered pictures: made once, the same every time, and never more in memory than the bound."""

import asyncio
import time
from hashlib import sha256

import pytest
from tests.pictures_for_tests import picture
from tests.server.people import add_category, add_pictures, slow

from thresher.errors import NotFound
from thresher.records import NewImage
from thresher.server.pictures import Shown
from thresher.settings import Settings
from thresher.store.contract import Store


@pytest.fixture
def rows(store: Store) -> list[int]:
    add_category(store)
    return add_pictures(store, "car", 6)


def webp(shown: Shown, row: int, *, long_side: int = 48) -> bytes:
    return asyncio.run(shown.webp(row, long_side=long_side))


def test_a_picture_is_the_same_bytes_every_time(store: Store, settings: Settings, rows: list[int]) -> None:
    first, again = Shown(store, settings), Shown(store, settings)
    for row in rows:
        assert webp(first, row) == webp(first, row) == webp(again, row)
    assert webp(first, rows[0]) != webp(first, rows[0], long_side=32)


def test_what_was_shown_is_not_read_again(store: Store, settings: Settings, rows: list[int]) -> None:
    shown = Shown(store, settings)
    made = webp(shown, rows[0])
    store.close()
    assert webp(shown, rows[0]) is made


def test_no_more_is_kept_than_the_bound_and_the_longest_unused_goes_first(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    sizes = [len(webp(Shown(store, settings), row)) for row in rows]
    bound = sum(sizes[:3])
    shown = Shown(store, settings, most_bytes=bound)
    made = [webp(shown, row) for row in rows[:3]]
    assert webp(shown, rows[0]) is made[0]
    for row in rows[3:]:
        webp(shown, row)
        assert shown.kept_bytes <= bound
    assert webp(shown, rows[1]) is not made[1]


def test_a_picture_larger_than_the_bound_is_shown_and_not_kept(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    shown = Shown(store, settings, most_bytes=10)
    assert len(webp(shown, rows[0])) > 10
    assert shown.kept_bytes == 0


def test_many_requests_get_the_same_picture(store: Store, settings: Settings, rows: list[int]) -> None:
    shown = Shown(store, settings)

    async def show() -> list[bytes]:
        return await asyncio.gather(*(shown.webp(row, long_side=48) for row in rows * 6))

    made = asyncio.run(show())
    assert len(made) == 36
    assert len(set(made)) == 6
    assert shown.kept_bytes == sum(len(data) for data in set(made))


def test_a_picture_shown_before_comes_no_sooner(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gold was shown before and asked pictures were not: the difference in time would tell them apart."""
    add_category(store)
    data = picture(1, (1600, 1200))
    (row,) = store.images.put([NewImage(sha256(data).hexdigest(), data, 1600, 1200, "JPEG", bytes=len(data))])
    shown = Shown(store, settings)
    slow(monkeypatch, 0.2)
    begun = time.perf_counter()
    made, at_once = asyncio.run(shown.webp_and_wait(row, long_side=1024))
    seconds = time.perf_counter() - begun
    again, wait = asyncio.run(shown.webp_and_wait(row, long_side=1024))
    assert again is made
    assert at_once == 0.0
    assert 0.2 < wait <= seconds


def test_pictures_whose_shards_are_on_an_object_store_are_shown_too(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    away = Shown(store, settings.but(shards="memory://somewhere"))
    assert webp(away, rows[0]) == webp(Shown(store, settings), rows[0])


def test_a_row_that_nobody_has_is_not_found(store: Store, settings: Settings) -> None:
    with pytest.raises(NotFound):
        webp(Shown(store, settings), 99)
