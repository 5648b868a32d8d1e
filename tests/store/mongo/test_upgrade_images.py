"""Schema 4 had a document a row, one a name and one a fingerprint, and such one opens with one document an image."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bson import Binary
from pymongo import ASCENDING
from tests.contract.things import category, data, images, new_image
from tests.mongo_for_tests import mongo_place
from tests.store.mongo.dying import killed_at_each_write

from thresher.errors import BadInput, StoreDamaged, WrongSchema
from thresher.records import Alias, Image, NewImage, Origin
from thresher.settings import Settings
from thresher.store.copy import copy_store
from thresher.store.kinds import IMAGE, KINDS
from thresher.store.mongo import schema
from thresher.store.mongo.link import Link, key
from thresher.store.mongo.names import short
from thresher.store.mongo.store import MongoStore
from thresher.store.mongo.upgrade_images import one_document_an_image

pytestmark = pytest.mark.mongo

SHARED = Alias("file", "1.jpg")


def fill(store: MongoStore) -> list[NewImage]:
    """Images of every kind: alone, alike, of a group, of one name, without bytes, and with lost ones."""
    first = new_image(0, fingerprint="aa", aliases=(SHARED, Alias("id", "0")))
    brought = [
        first,
        new_image(1, fingerprint="aa", compared=1, aliases=(SHARED,)),
        new_image(2, fingerprint="aa", similar=first.sha256),
        new_image(3, fingerprint="bb"),
        new_image(4, data=None, bytes=704, aliases=(Alias("url", "http://site/4"),)),
        *(new_image(seed) for seed in range(5, 12)),
    ]
    rows = store.images.put(brought)
    category(store)
    store.categories.pool_add("car", rows, Origin("folder"))
    store.link.table("bytes").delete_one({"_id": Binary(bytes.fromhex(new_image(11).sha256))})
    store.check(mend=True)
    return brought


def as_schema_4(link: Link) -> None:
    """Keep the images as schema 4 did."""
    names: dict[bytes, dict[str, Any]] = {}
    prints: dict[str, list[int]] = {}
    old = []
    for one in link.table("images").find({}).sort("row", 1):
        bare = {"bare": one["bare"]} if "bare" in one else {}
        names[bytes(one["_id"])] = {"row": one["row"], **bare}
        for _, value in one["aliases"]:
            there = names.setdefault(short(value), {"row": one["row"], **bare})
            if there["row"] != one["row"]:
                there["several"] = True
        if one.get("alike"):
            prints.setdefault(one["fingerprint"], []).append(one["row"])
        rest = {name: value for name, value in one.items() if name not in ("_id", "row", "names", "alike")}
        old.append({"_id": one["row"], "sha256": Binary(one["_id"]), **rest})
    link.table("images").drop()
    link.table("images").insert_many(old)
    link.table("images").create_index([("_id", ASCENDING), ("copy_of", ASCENDING)])
    link.table("names").insert_many([{"_id": Binary(name), **one} for name, one in names.items()])
    further = [{"_id": name, "row": rows[0], "further": rows[1:]} for name, rows in prints.items()]
    if further:
        link.table("fingerprints").insert_many(further)
    link.table("image_log").delete_many({})
    count = {"_id": key(category="", kind="images", which="", slot=3), "n": len(old)}
    link.table("counts").insert_one(count)
    link.table("numbers").update_one({"_id": "row"}, {"$unset": {"images": "", "arriving": ""}})
    link.table("workspace").update_one({}, {"$set": {"schema": 4}})


def seen(store: MongoStore, brought: list[NewImage]) -> tuple[list[Any], ...]:
    """All that a store answers about its images."""
    rows = [image.row for image in store.images.page(-1, 99)]
    asked = [*(one.sha256 for one in brought), "1.jpg", "0", "http://site/4", "folder/9.jpg", "folder/11.jpg"]
    alike: list[list[Image]] = store.images.alike(["aa", "bb", "cc"])
    return (
        [store.images.count(), store.images.top()],
        [store.images.get(row) for row in rows],
        store.images.find(asked),
        store.categories.find("car", asked),
        store.images.similar(np.array(rows)).tolist(),
        alike,
        store.transfer.lines(IMAGE, "", None, 99),
    )


@pytest.fixture
def brought(store: MongoStore) -> list[NewImage]:
    return fill(store)


@contextmanager
def linked(store: MongoStore) -> Iterator[Link]:
    """A connection as another process has it."""
    link = Link(store.place)
    yield link
    link.close()


def is_whole(store: MongoStore, settings: Settings, before: tuple[list[Any], ...], brought: list[NewImage]) -> None:
    with MongoStore(store.place, settings) as opened:
        assert seen(opened, brought) == before
        report = opened.check(mend=False)
        assert report.found == ("images: 1 have lost their bytes (rows 11); harvest them again",)
        assert set(opened.link.database.list_collection_names()).isdisjoint({"names", "fingerprints"})
        assert opened.images.put([new_image(11), new_image(20)]) == [11, 12]
        assert [opened.images.read(row) for row in (0, 11, 12)] == [data(0), data(11), data(20)]
        # and a lost document still gets its row back
        opened.link.table("images").delete_many({"row": {"$in": [1, 8]}})
        by_data = {data(seed): new_image(seed, aliases=()) for seed in range(30)}
        assert opened.recover(by_data.get).again == 2
        assert opened.images.find(["folder/8.jpg", brought[1].sha256]) == [8, 1]
        assert opened.categories.find("car", ["1.jpg"]) == [[0, 1]]
        assert opened.check(mend=False).sound


def test_a_workspace_of_schema_4_answers_as_before(
    store: MongoStore, brought: list[NewImage], settings: Settings
) -> None:
    before = seen(store, brought)
    as_schema_4(store.link)
    is_whole(store, settings, before, brought)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the process that is killed is a fork of this one
def test_an_upgrade_killed_before_any_of_its_writes_is_finished_by_the_next_one(
    store: MongoStore, brought: list[NewImage], settings: Settings
) -> None:
    before = seen(store, brought)
    as_schema_4(store.link)

    def upgrade(_number: int, arm: Callable[[], None]) -> None:
        arm()
        one_document_an_image(Link(store.place), at_once=1)

    assert max(killed_at_each_write(upgrade)) > 6, "each of its kinds of write was the last one once"
    is_whole(store, settings, before, brought)


def test_two_who_upgrade_at_once_do_no_harm(store: MongoStore, brought: list[NewImage], settings: Settings) -> None:
    before = seen(store, brought)
    as_schema_4(store.link)

    def upgrade(_: int) -> None:
        with linked(store) as link:
            one_document_an_image(link, at_once=5)

    with ThreadPoolExecutor(3) as threads:
        for _ in threads.map(upgrade, range(3)):
            pass
    with MongoStore(store.place, settings) as opened:  # one is through, and goes on
        assert seen(opened, brought) == before
        upgrade(0)
        assert opened.images.put([new_image(30)]) == [12]
        upgrade(0)
        assert (opened.images.count(), opened.images.find(["folder/30.jpg"])) == (13, [12])
        opened.images.put([new_image(11)])
        assert opened.check(mend=False).sound


def by_data(content: bytes) -> NewImage | None:
    """As harvest reads the facts of an image."""
    return next((new_image(seed, aliases=()) for seed in range(60) if data(seed) == content), None)


@pytest.mark.parametrize("lost", ["some", "all"])
def test_an_upgrade_keeps_the_rows_of_images_whose_documents_are_lost(
    lost: str, store: MongoStore, settings: Settings
) -> None:
    category(store, 30)
    rows = store.images.find([new_image(seed).sha256 for seed in range(30)])
    as_schema_4(store.link)
    gone = [3, 12, 13] if lost == "some" else list(range(30))
    store.link.table("images").delete_many({"_id": {"$in": gone}})
    if lost == "all":
        with pytest.raises(StoreDamaged, match="the catalog of the images is empty"):
            MongoStore(store.place, settings)
    else:
        with MongoStore(store.place, settings) as opened:
            told = "\n".join(opened.check(mend=False).found)
            assert "3 rows of pool have no image (rows 3, 12, 13)" in told
            assert opened.images.count() == 30, "how many there were is known"
    with MongoStore(store.place, settings, recover=True) as opened:
        assert opened.recover(by_data).again == len(gone)
        assert opened.images.find([new_image(seed).sha256 for seed in range(30)]) == rows
        assert opened.check(mend=False).found == ()


def test_a_workspace_of_schema_5_with_old_documents_is_upgraded_whole(
    store: MongoStore, brought: list[NewImage], settings: Settings
) -> None:
    before = seen(store, brought)
    as_schema_4(store.link)
    store.link.table("images").drop_indexes()
    store.link.table("workspace").update_one({}, {"$set": {"schema": 5}})
    is_whole(store, settings, before, brought)
    assert {"row_1", "names_1"} <= store.link.table("images").index_information().keys()


def test_an_earlier_version_does_not_open_half_an_upgraded_workspace(
    store: MongoStore, brought: list[NewImage], settings: Settings
) -> None:
    before = seen(store, brought)
    as_schema_4(store.link)

    def killed(_: Link) -> None:
        raise KeyboardInterrupt

    steps = schema.steps_of(KINDS)
    with pytest.raises(KeyboardInterrupt):
        schema.open_workspace(store.link, KINDS, create=False, steps=(*steps[:-1], killed))
    with pytest.raises(WrongSchema):
        schema.open_workspace(store.link, KINDS, create=False, steps=steps[:-1])
    is_whole(store, settings, before, brought)
    assert "upgrading" not in (store.link.table("workspace").find_one() or {})


@pytest.mark.parametrize("found_by", ["open", "check"])
def test_an_image_that_an_earlier_version_wrote_after_the_upgrade_is_taken_in(
    found_by: str, store: MongoStore, settings: Settings
) -> None:
    images(store, 3)
    late = new_image(40)
    store.images.originals.put({bytes.fromhex(late.sha256): data(40)})
    facts = {"width": 640, "height": 480, "format": "JPEG", "orientation": 1, "fingerprint": "", "bytes": 704}
    written = {"_id": 3, "sha256": Binary(bytes.fromhex(late.sha256)), "aliases": [["file", "folder/40.jpg"]], **facts}
    link = store.link
    link.table("images").insert_one(written)
    link.table("numbers").update_one({"_id": "row"}, {"$inc": {"next": 1}})
    link.table("names").insert_one({"_id": Binary(bytes.fromhex(late.sha256)), "row": 3})
    link.table("counts").insert_one({"_id": key(category="", kind="images", which="", slot=3), "n": 1})
    if found_by == "check":
        assert not store.check(mend=False).sound
        assert store.check(mend=True).sound
    with MongoStore(store.place, settings) as opened:
        assert (opened.images.count(), opened.images.find(["folder/40.jpg"])) == (4, [3])
        assert images(opened, 1, start=50) == [4]
        assert opened.check(mend=False).found == ()


def test_images_with_more_names_than_a_document_takes_are_upgraded_and_copied(
    store: MongoStore, settings: Settings, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    for seed in range(2):
        long = tuple(Alias("url", f"http://site/{seed}/{n}/" + 100_000 * "x") for n in range(90))
        store.images.put([new_image(seed, aliases=long)])
    as_schema_4(store.link)
    with MongoStore(store.place, settings) as opened:
        assert opened.images.find([f"http://site/1/7/{100_000 * 'x'}"]) == [1]
        with MongoStore(mongo_place(request, tmp_path), settings, create=True) as target:
            copied = copy_store(opened, target)
            assert copied is not None
            assert target.images.find([f"http://site/1/7/{100_000 * 'x'}"]) == [1]
        with pytest.raises(BadInput, match="no document above 16 MB"):
            opened.images.put([new_image(5, aliases=tuple(Alias("url", f"{n}" + 100_000 * "y") for n in range(170)))])
