import contextlib
import hashlib
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.contract.things import data, images, new_image

from thresher.errors import BadInput, Conflict, NotFound, NotReady
from thresher.records import Alias, Image, NewImage
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store
from thresher.store.rules import ALIKE_MOST


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


def alike(seed: int, **changes: Any) -> NewImage:
    """One of many images with one fingerprint."""
    return new_image(seed, fingerprint="aa", **changes)


def groups(store: Store) -> list[int]:
    """For each image, by row, which of them stands for its group; rows may have gaps where a put was refused."""
    rows = [image.row for image in store.images.page(-1, 1000)]
    return [rows.index(row) for row in store.images.similar(np.array(rows)).tolist()]


def test_an_image_joins_the_similar_group_it_comes_with(store: Store) -> None:
    first = alike(0)
    assert store.images.put([first, new_image(1), alike(2, similar=first.sha256)]) == [0, 1, 2]
    other = new_image(3, fingerprint="bb", similar=new_image(1).sha256)
    assert store.images.put([other, new_image(4, similar=alike(2).sha256), new_image(5, similar=other.sha256)]) == [
        3,
        4,
        5,
    ]
    assert groups(store) == [0, 1, 0, 1, 0, 1]  # who names a member is in its group
    assert store.images.similar(np.array([4, 1])).dtype == np.int64
    store.images.put([alike(2, similar=new_image(1).sha256), new_image(1, similar=first.sha256)])
    assert groups(store) == [0, 1, 0, 1, 0, 1]  # one that is known stays where it is


def test_a_group_of_an_image_that_is_not_stored_is_refused(store: Store) -> None:
    images(store, 1)
    with pytest.raises(BadInput, match="similar"):
        store.images.put([new_image(1), new_image(2, similar="f" * 64)])
    assert store.images.count() == 1


def test_with_the_setting_off_each_image_stands_for_itself_and_no_group_is_lost(
    store: Store, settings: Settings
) -> None:
    first = new_image(0)
    store.images.put([first, new_image(1, similar=first.sha256)])
    with open_store(store.place, settings.but(similar_groups=False)) as off:  # type: ignore[attr-defined]  # each closes itself
        assert off.images.similar(np.array([1, 0])).tolist() == [1, 0]
        assert off.images.put([new_image(2, similar=first.sha256)]) == [2]
        with pytest.raises(NotFound):
            off.images.similar(np.array([7]))
    assert store.images.similar(np.arange(3)).tolist() == [0, 0, 0]


def test_those_that_stand_for_a_group_are_found_by_their_fingerprint(store: Store) -> None:
    first = alike(0)
    batch = [first, alike(1, similar=first.sha256), alike(2, compared=1), new_image(3, fingerprint="bb"), new_image(4)]
    store.images.put(batch)
    found = store.images.alike(["bb", "cc", "aa", "bb"])
    assert [[image.row for image in some] for some in found] == [[3], [], [0, 2], [3]]
    assert found[2][1] == store.images.many([2])[0]
    assert store.images.alike([]) == []


def test_one_who_stands_alone_was_compared_with_all_of_its_fingerprint(store: Store) -> None:
    store.images.put([alike(0)])
    with pytest.raises(Conflict, match="but it was compared with 0"):
        store.images.put([new_image(1), alike(2)])
    store.images.put([alike(2, compared=1), alike(3, compared=2), new_image(4, fingerprint="bb")])
    with pytest.raises(Conflict):
        store.images.put([alike(5, compared=3), alike(6, compared=3)])  # not with each other
    assert groups(store) == [0, 1, 2, 3]
    store.images.put([alike(0), alike(3)])  # they are there
    assert store.check(mend=False).sound


def test_more_of_one_fingerprint_than_anybody_compares_stand_alone(store: Store) -> None:
    store.images.put([alike(seed, compared=seed) for seed in range(ALIKE_MOST)])
    assert [image.row for image in store.images.alike(["aa"])[0]] == list(range(ALIKE_MOST))
    store.images.put([alike(seed, compared=ALIKE_MOST) for seed in range(100, 103)])
    assert groups(store) == list(range(ALIKE_MOST + 3))
    assert [image.row for image in store.images.alike(["aa"])[0]] == list(range(ALIKE_MOST))


def test_two_who_bring_copies_at_once_do_not_both_stand_alone(store: Store, another: Store) -> None:
    assert store.images.alike(["aa"]) == another.images.alike(["aa"]) == [[]]
    store.images.put([alike(0)])
    with pytest.raises(Conflict):
        another.images.put([alike(1)])
    (first,) = another.images.alike(["aa"])[0]
    another.images.put([alike(1, similar=first.sha256)])
    assert groups(store) == [0, 0]


def test_copies_that_others_bring_are_seen_whatever_was_asked_before(store: Store, another: Store) -> None:
    first, second = new_image(0), new_image(1)
    store.images.put([first, new_image(2, similar=first.sha256)])
    assert store.images.similar(np.array([1, 0, 1])).tolist() == [0, 0, 0]
    another.images.put([second, new_image(3, similar=second.sha256), new_image(4, similar=first.sha256)])
    assert another.images.similar(np.arange(5)).tolist() == [0, 0, 2, 2, 0]
    assert store.images.similar(np.array([4, 3, 2, 3])).tolist() == [0, 2, 2, 2]
    answer = store.images.similar(np.arange(5))
    answer[:] = 7  # the answer is the caller's own
    assert store.images.similar(np.arange(5)).tolist() == [0, 0, 2, 2, 0]
    with pytest.raises(NotFound):
        store.images.similar(np.array([0, -1]))


def test_threads_that_bring_copies_at_once_end_in_one_group(store: Store) -> None:
    def put(turn: int) -> None:
        for seed in range(turn, 40, 4):
            image, done = new_image(seed, fingerprint=f"{seed // 8}"), False
            while not done:
                (others,) = store.images.alike([image.fingerprint])
                with contextlib.suppress(Conflict):
                    store.images.put([replace(image, similar=others[0].sha256 if others else "")])
                    done = True

    threads = [threading.Thread(target=put, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = [row or 0 for row in store.images.find([new_image(seed).sha256 for seed in range(40)])]
    found = store.images.similar(np.array(rows)).reshape(5, 8)
    assert all(len(set(some)) == 1 for some in found.tolist())
    assert len(set(found[:, 0].tolist())) == 5


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


def test_an_image_kept_by_reference_gets_the_bytes_that_come_with_it_later(store: Store) -> None:
    (row,) = store.images.put([new_image(2, **reference(2))])
    assert store.images.put([new_image(2)]) == [row]
    assert store.images.read(row) == data(2)
    assert not store.images.get(row).reference


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
