from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from tests.contract.things import new_image
from tests.harvest.conftest import Harvest
from tests.pictures_for_tests import encode, picture, pixels
from tests.store.processes import ended, forked

from thresher import pictures
from thresher.harvest import Harvested, harvest
from thresher.harvest.similar import group_key, put_in_groups
from thresher.harvest.sources.folder import from_folder
from thresher.records import Alias, Category, Image, NewImage, Question
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store


def key(data: bytes) -> str:
    return group_key(pictures.inspect(data, pixels=10**8).fingerprint)


def test_pictures_that_look_alike_share_a_key_and_others_do_not() -> None:
    drawn = pixels(4, (400, 300))
    assert key(encode(drawn, "PNG")) == key(encode(drawn, "WEBP", lossless=True)) != ""
    assert key(picture(4)) != key(picture(5))


def test_blank_and_smooth_pictures_stand_alone() -> None:
    ramp = np.repeat(np.linspace(0, 255, 320, dtype=np.uint8)[None, :, None], 200, 0).repeat(3, 2)
    for drawn in (np.zeros((200, 320, 3), np.uint8), ramp, ramp[:, ::-1]):
        assert key(encode(np.ascontiguousarray(drawn), "PNG")) == ""


def test_copies_are_grouped_under_the_first_of_them(take: Harvest, store: Store, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    drawn = pixels(4, (400, 300))
    (photos / "a.png").write_bytes(encode(drawn, "PNG"))
    (photos / "b.jpg").write_bytes(picture(9))
    (photos / "c.bmp").write_bytes(encode(drawn, "BMP"))
    assert take(from_folder(photos)) == Harvested(new=3, known=0, refused=0, seen=3)
    rows = store.categories.pool("car")
    assert store.images.similar(rows).tolist() == [rows[0], rows[1], rows[0]]


def image(seed: int, fingerprint: str, *names: str) -> NewImage:
    return new_image(seed, fingerprint=fingerprint, aliases=tuple(Alias("file", name) for name in names))


def test_a_batch_is_grouped_with_what_is_stored_and_with_what_stands_before_in_it(store: Store) -> None:
    assert put_in_groups([image(0, "aa"), image(1, ""), image(2, "bb"), image(3, "aa")], store=store) == [0, 1, 2, 3]
    batch = [image(4, ""), image(5, "bb"), image(6, "cc"), image(6, "cc", "again"), image(7, "cc"), image(0, "aa", "b")]
    assert put_in_groups(batch, store=store) == [4, 5, 6, 6, 7, 0]
    assert store.images.similar(np.arange(8)).tolist() == [0, 1, 2, 0, 4, 2, 6, 6]
    assert [alias.value for alias in store.images.get(6).aliases] == ["again"]
    assert [alias.value for alias in store.images.get(0).aliases] == ["b"]


def test_one_who_was_overtaken_looks_again_and_joins(store: Store, settings: Settings) -> None:
    """Another process stores a copy after the look-up and before the write."""
    other = open_store(store.place, settings)

    class Overtaken:
        def alike(self, fingerprints: Sequence[str]) -> list[list[Image]]:
            found = store.images.alike(fingerprints)
            other.images.put([image(1, "aa")])
            return found

        def put(self, batch: Sequence[NewImage]) -> list[int]:
            return store.images.put(batch)

    overtaken = cast("Store", SimpleNamespace(images=Overtaken()))
    assert put_in_groups([image(2, "aa")], store=overtaken) == [1]
    assert store.images.similar(np.array([0, 1])).tolist() == [0, 0]
    other.close()


def harvest_into(place: str, settings: Settings, folder: Path) -> None:
    store = open_store(place, settings)
    harvest("car", from_folder(folder), store=store, settings=settings, now_ms=1)
    store.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # two processes at once are what this test is about
def test_two_processes_that_harvest_copies_at_once_end_in_one_group_each(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    store.categories.create(Category("car", Question(1, "Is this a car?", at_ms=1), created_ms=1))
    folders = [tmp_path / kind for kind in ("PNG", "BMP", "TIFF")]
    for folder in folders:
        folder.mkdir()
        for seed in range(40):
            (folder / f"{seed}.{folder.name.lower()}").write_bytes(encode(pixels(seed, (64, 48)), folder.name))
    work = [forked(partial(harvest_into, store.place, settings.but(processes=1), folder)) for folder in folders]
    assert [ended(process) for process in work] == [0, 0, 0]
    rows = store.categories.pool("car")
    assert len(rows) == 120
    seeds = [Path(names[0].value).stem for names in store.images.aliases(rows).values()]
    groups = dict(zip(seeds, store.images.similar(rows).tolist(), strict=True))
    assert store.images.similar(rows).tolist() == [groups[seed] for seed in seeds]
    assert len(set(groups.values())) == 40
