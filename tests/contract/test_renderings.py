from tests.contract.things import images

from thresher.records import Rendering
from thresher.store.contract import Store


def test_a_picture_as_it_was_seen_comes_back_by_row_and_size(store: Store) -> None:
    first, second = images(store, 2)
    for row in (first, second):
        for size in ("256", "1024-2"):
            store.renderings.keep(row, size, Rendering(f"{row} at {size}".encode(), 0.5 * row))
    assert store.renderings.get(second, "256") == Rendering(f"{second} at 256".encode(), 0.5 * second)
    assert store.renderings.get(first, "1024-2") == Rendering(f"{first} at 1024-2".encode(), 0.0)
    assert store.renderings.get(first, "1024") is None


def test_one_kept_again_takes_the_place_of_the_first(store: Store) -> None:
    (row,) = images(store, 1)
    store.renderings.keep(row, "256", Rendering(b"first", 1.0))
    store.renderings.keep(row, "256", Rendering(b"again", 2.0))
    assert store.renderings.get(row, "256") == Rendering(b"again", 2.0)
