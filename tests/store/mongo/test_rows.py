"""No two images have one row, even where the number of the next row is older than the images, or is lost."""

from pathlib import Path

import pytest
from tests.contract.things import data, images, new_image
from tests.mongo_for_tests import mongo_place, replica_set

from thresher.errors import Conflict
from thresher.settings import Settings
from thresher.store.copy import copy_store
from thresher.store.mongo.store import MongoStore

__all__ = ["replica_set"]

pytestmark = pytest.mark.mongo


def rows_are_unique(store: MongoStore, images_there: int) -> None:
    rows = [one["row"] for one in store.link.table("images").find({"row": {"$gte": 0}})]
    assert (len(rows), len(set(rows))) == (images_there, images_there)


def test_a_restored_number_that_is_older_than_the_images_gives_no_row_twice(store: MongoStore) -> None:
    images(store, 5)
    numbers = store.link.table("numbers")
    older = numbers.find_one({"_id": "row"})
    assert older is not None
    rows = images(store, 5, start=100)
    numbers.replace_one({"_id": "row"}, older)  # as a dump has it that was made during a harvest
    assert images(store, 3, start=200) == [10, 11, 12]
    assert [store.images.read(row) for row in rows] == [data(seed) for seed in range(100, 105)]
    rows_are_unique(store, 13)


def test_where_the_numbers_are_lost_new_images_come_after_those_that_are_there(
    store: MongoStore, settings: Settings
) -> None:
    images(store, 5)
    store.link.database.drop_collection("numbers")
    with MongoStore(store.place, settings) as opened:
        assert images(opened, 3, start=200) == [5, 6, 7]
        rows_are_unique(opened, 8)


def test_a_harvest_into_a_copy_that_was_cut_short_gets_rows_of_its_own(
    store: MongoStore, settings: Settings, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    images(store, 5)
    with MongoStore(mongo_place(request, tmp_path / "copy"), settings, create=True) as target:
        assert copy_store(store, target, stop=lambda: target.images.top() == 5) is None
        assert images(target, 3, start=200) == [5, 6, 7]
        rows_are_unique(target, 8)
        images(store, 2, start=300)
        with pytest.raises(Conflict, match=r"other images in 2 of the rows that come \(rows 5, 6\)"):
            copy_store(store, target)
        rows_are_unique(target, 8)


def test_rows_of_several_images_are_found_and_nothing_is_moved(store: MongoStore) -> None:
    images(store, 8)
    table = store.link.table("images")
    for row, also in ((5, 3), (7, 6)):
        table.update_one({"row": row}, {"$set": {"row": also}})
    assert store.images.find([new_image(5).sha256]) == [3]
    report = store.check(mend=True)
    assert not report.sound
    assert any("2 rows are those of several images (rows 3, 6)" in told for told in report.found), report.found
