from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import PIL.Image
import pytest
from tests.contract.things import new_image
from tests.harvest import lookalikes
from tests.harvest.conftest import Harvest
from tests.pictures_for_tests import encode, picture, pixels
from tests.store.processes import ended, forked

from thresher import pictures
from thresher.harvest import Harvested, harvest
from thresher.harvest.admit import admit
from thresher.harvest.candidates import Candidate
from thresher.harvest.likeness import pixels_of, same
from thresher.harvest.similar import group_key, put_in_groups
from thresher.harvest.sources.folder import from_folder
from thresher.records import Alias, Category, Image, NewImage, Question
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store
from thresher.store.rules import ALIKE_MOST


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


def put(images: Sequence[NewImage], store: Store) -> list[int]:
    """Store images that no decoder reads: those of one fingerprint are the same."""
    return put_in_groups(images, store=store, same=lambda *_: True)


def image(seed: int, fingerprint: str, *names: str) -> NewImage:
    return new_image(seed, fingerprint=fingerprint, aliases=tuple(Alias("file", name) for name in names))


def test_a_batch_is_grouped_with_what_is_stored_and_with_what_stands_before_in_it(store: Store) -> None:
    assert put([image(0, "aa"), image(1, ""), image(2, "bb"), image(3, "aa")], store) == [0, 1, 2, 3]
    batch = [image(4, ""), image(5, "bb"), image(6, "cc"), image(6, "cc", "again"), image(7, "cc"), image(0, "aa", "b")]
    assert put(batch, store) == [4, 5, 6, 6, 7, 0]
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
    assert put([image(2, "aa")], overtaken) == [1]
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


# --- equal fingerprints prove nothing ---------------------------------------------------------------------------------


def opened(data: bytes) -> PIL.Image.Image:
    return PIL.Image.open(BytesIO(data)).convert("RGB")


def admitted(data: bytes) -> NewImage:
    """An image as harvest admits it."""
    (verdict,) = admit([Candidate(name="x", kind="file", data=data)], bytes_most=10**8, pixels=10**8, at_ms=1)
    assert isinstance(verdict, NewImage)
    return verdict


def suspected(data: Sequence[bytes], seed: int = 0) -> list[NewImage]:
    """Images as if the fingerprints of all were equal, the worst case that one can be handed."""
    return [replace(admitted(one), fingerprint=f"{seed:02x}ab" * 16) for one in data]


def merged(images: Sequence[NewImage], store: Store) -> int:
    """How many of them follow another one."""
    rows = put_in_groups(images, store=store)
    return len(rows) - len(set(store.images.similar(np.array(rows)).tolist()))


@pytest.mark.parametrize("kind", lookalikes.KINDS)
def test_pictures_of_one_fingerprint_that_differ_in_colour_or_detail_stand_alone(kind: str, store: Store) -> None:
    drawn = lookalikes.KINDS[kind]
    images = [one for seed in range(12) for one in suspected([lookalikes.jpeg(drawn(seed, n)) for n in range(3)], seed)]
    assert len(images) == 36
    assert merged(images, store) == 0


@pytest.mark.parametrize("kind", lookalikes.KINDS)
def test_of_many_pairs_that_differ_none_is_taken_for_one_picture(kind: str) -> None:
    """Every pair is compared, whatever its fingerprints; bench/similar.py does so for thousands."""
    false = 0
    for seed in range(24):
        views = [pixels_of(lookalikes.jpeg(lookalikes.KINDS[kind](seed, which), 85 + which)) for which in range(3)]
        false += sum(same(views[one], views[other]) for one, other in ((0, 1), (0, 2), (1, 2)))
    assert false == 0


@pytest.mark.parametrize("kind", sorted(lookalikes.KINDS.keys() - {"signs"}))
def test_a_copy_that_was_encoded_or_resized_anew_is_the_same_picture(kind: str) -> None:
    """In signs of 48 pixels JPEG moves the colour of a thin ring by as much as another dye would: those stand alone."""
    for seed in range(4):
        original, *others = map(pixels_of, lookalikes.copies(lookalikes.KINDS[kind](seed, seed)).values())
        assert all(same(other, original) and same(original, other) for other in others)


@pytest.mark.parametrize("quality", [75, 90])
def test_where_all_else_is_the_same_bit_for_bit_a_small_dark_thing_in_another_hue_is_another_picture(
    quality: int,
) -> None:
    """Encoding anew would have changed pixels all over, so less of a difference is enough."""
    for seed in range(10):
        pair = [lookalikes.scene(seed, (480, 320)) for _ in range(2)]
        for image, colour in zip(pair, [(30, 22, 22), (22, 27, 30)], strict=True):
            image.paste(colour, (200, 150, 208, 158))
        one, other = (pixels_of(lookalikes.jpeg(image, quality)) for image in pair)
        assert not same(one, other)
        again = lookalikes.jpeg(opened(lookalikes.jpeg(pair[0], quality)), quality)
        assert same(one, pixels_of(again))


def test_a_copy_joins_the_picture_that_was_stored_before_and_not_one_of_another_colour(store: Store) -> None:
    red, green = (lookalikes.recoloured(3, which) for which in (0, 1))
    first = suspected([lookalikes.jpeg(red, 95), lookalikes.jpeg(green, 95)])
    assert put_in_groups(first, store=store) == [0, 1]
    later = suspected([lookalikes.jpeg(green, 85), lookalikes.jpeg(red, 85)])
    assert put_in_groups(later, store=store) == [2, 3]
    assert store.images.similar(np.arange(4)).tolist() == [0, 1, 1, 0]


def test_nothing_is_grouped_with_a_picture_that_cannot_be_read(store: Store) -> None:
    """One kept by reference, one that is no picture; an earlier version may have stored either with a fingerprint."""
    red = lookalikes.recoloured(3, 0)
    reference = replace(image(0, "00ab" * 16, "u"), data=None)
    store.images.put([reference])
    store.images.put([replace(image(1, "00ab" * 16), compared=1)])
    assert put_in_groups(suspected([lookalikes.jpeg(red)]), store=store) == [2]
    assert store.images.similar(np.arange(3)).tolist() == [0, 1, 2]


def test_a_fingerprint_of_many_different_pictures_is_compared_no_more(store: Store) -> None:
    """Else each of a million forms of one template would be compared with all others."""
    compared = []

    def never(new: NewImage, other: Image | NewImage) -> bool:
        compared.append((new.sha256, other.sha256))
        return False

    batch = [image(seed, "ab" * 32) for seed in range(40)]
    rows = put_in_groups(batch, store=store, same=never)
    assert len(compared) == ALIKE_MOST * (ALIKE_MOST - 1) / 2
    assert put_in_groups([image(50, "ab" * 32), *batch], store=store, same=never) == [40, *rows]
    assert len(compared) == ALIKE_MOST * (ALIKE_MOST - 1) / 2
    assert store.images.similar(np.arange(41)).tolist() == list(range(41))
