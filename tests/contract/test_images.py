import hashlib
import threading

import numpy as np
import pytest
from tests.contract.things import data, images, new_image

from thresher.errors import BadInput, NotFound, NotReady
from thresher.records import Alias, Image
from thresher.store.contract import Store


def test_bytes_come_back_untouched(store: Store) -> None:
    rows = images(store, 30)
    assert [store.images.read(row) for row in rows] == [data(seed) for seed in range(30)]


def test_many_are_read_in_the_order_asked(store: Store) -> None:
    rows = images(store, 10)
    wanted = [rows[7], rows[2], rows[7], rows[0]]
    assert list(store.images.read_many(wanted)) == [data(7), data(2), data(7), data(0)]
    assert [image.row for image in store.images.many(np.array(wanted))] == wanted


def test_rows_are_given_from_zero_without_gaps(store: Store) -> None:
    assert images(store, 3) == [0, 1, 2]
    assert images(store, 2, start=10) == [3, 4]
    assert (store.images.count(), store.images.top()) == (5, 5)


def test_a_known_image_keeps_its_row(store: Store) -> None:
    rows = images(store, 3)
    again = store.images.put([new_image(2), new_image(50), new_image(0), new_image(50)])
    assert again == [rows[2], 3, rows[0], 3]
    assert store.images.count() == 4


def test_a_known_image_gains_the_aliases_it_came_with(store: Store) -> None:
    (row,) = store.images.put([new_image(1)])
    store.images.put([new_image(1, aliases=(Alias("url", "http://site/1.jpg"), Alias("file", "folder/1.jpg")))])
    assert store.images.get(row).aliases == (Alias("file", "folder/1.jpg"), Alias("url", "http://site/1.jpg"))


def test_an_image_is_described_as_it_was_put(store: Store) -> None:
    (row,) = store.images.put([new_image(1, width=20, height=30, format="PNG", orientation=6)])
    sha256 = hashlib.sha256(data(1)).hexdigest()
    wanted = Image(row, sha256, 20, 30, "PNG", 6, len(data(1)), row, False, (Alias("file", "folder/1.jpg"),))
    assert store.images.get(row) == wanted


def test_an_image_is_found_by_its_hash_and_by_each_alias(store: Store) -> None:
    names = (Alias("file", "a/ü 1.jpg"), Alias("url", "http://site/x?y=1"), Alias("id", "0042"))
    (row,) = store.images.put([new_image(1, aliases=names)])
    asked = [new_image(1).sha256, "a/ü 1.jpg", "nobody", "http://site/x?y=1", "0042", "A/ü 1.jpg", "f" * 64]
    assert store.images.find(asked) == [row, row, None, row, row, None, None]


def test_a_name_of_several_images_finds_the_lowest_row(store: Store) -> None:
    shared = (Alias("file", "1.jpg"),)
    rows = store.images.put([new_image(seed, aliases=shared) for seed in range(3)])
    assert store.images.find(["1.jpg"]) == [rows[0]]
    assert store.images.aliases(rows) == dict.fromkeys(rows, shared)


def test_pages_go_on_behind_the_row_they_are_given(store: Store) -> None:
    rows = images(store, 7)
    assert [image.row for image in store.images.page(-1, 3)] == rows[:3]
    assert [image.row for image in store.images.page(rows[2], 3)] == rows[3:6]
    assert [image.row for image in store.images.page(rows[6], 3)] == []


def test_the_same_fingerprint_joins_a_similar_group(store: Store) -> None:
    prints = ["aa", "", "bb", "aa", "", "aa"]
    rows = store.images.put([new_image(seed, fingerprint=fingerprint) for seed, fingerprint in enumerate(prints)])
    later = store.images.put([new_image(20, fingerprint="bb")])
    found = store.images.similar(np.array(rows + later))
    assert found.tolist() == [rows[0], rows[1], rows[2], rows[0], rows[4], rows[0], rows[2]]
    assert found.dtype == np.int64


def test_a_row_nobody_has_is_not_found(store: Store) -> None:
    images(store, 2)
    for ask in (
        lambda: store.images.get(9),
        lambda: store.images.read(9),
        lambda: store.images.many([1, 9]),
        lambda: list(store.images.read_many([0, 9])),
    ):
        with pytest.raises(NotFound):
            ask()


def test_a_hash_that_is_none_is_refused_and_nothing_of_its_batch_is_kept(store: Store) -> None:
    with pytest.raises(BadInput):
        store.images.put([new_image(1), new_image(2, sha256="not a hash")])
    assert store.images.count() == 0


def test_an_empty_batch_is_no_work(store: Store) -> None:
    assert store.images.put([]) == []
    assert (store.images.count(), store.images.top(), store.images.page(-1, 5)) == (0, 0, [])


def reference(seed: int) -> dict[str, object]:
    return {"data": None, "bytes": 704, "aliases": (Alias("url", f"http://site/{seed}.jpg"),)}


def test_an_image_kept_by_reference_has_a_row_and_no_bytes(store: Store) -> None:
    rows = store.images.put([new_image(1), new_image(2, **reference(2))])
    image = store.images.get(rows[1])
    assert (image.reference, image.bytes) == (True, 704)
    assert not store.images.get(rows[0]).reference
    with pytest.raises(NotReady, match="reference"):
        store.images.read(rows[1])


def test_a_reference_is_read_by_whoever_was_handed_in(store: Store) -> None:
    (row,) = store.images.put([new_image(2, **reference(2))])
    asked: list[Image] = []

    def fetch(image: Image) -> bytes:
        asked.append(image)
        return data(2)

    store.images.fetch_reference = fetch
    assert store.images.read(row) == data(2)
    assert asked == [store.images.get(row)]


def test_what_one_process_stored_another_one_reads(store: Store, another: Store) -> None:
    rows = images(store, 5)
    assert list(another.images.read_many(rows)) == [data(seed) for seed in range(5)]
    more = images(another, 5, start=3)
    assert more[:2] == rows[3:]
    assert store.images.read(more[-1]) == data(7)


def test_threads_that_store_the_same_images_agree_on_their_rows(store: Store) -> None:
    found: list[list[int]] = []

    def put() -> None:
        found.append([row for part in range(6) for row in images(store, 10, start=part * 10)])

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(rows == found[0] for rows in found)
    assert store.images.count() == 60
    assert list(store.images.read_many(found[0])) == [data(seed) for seed in range(60)]
