from pathlib import Path

import numpy as np
from tests.harvest.conftest import Harvest
from tests.pictures_for_tests import encode, picture, pixels

from thresher import pictures
from thresher.harvest import Harvested
from thresher.harvest.similar import group_key
from thresher.harvest.sources.folder import from_folder
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


def test_the_store_groups_copies_under_the_first_of_them(take: Harvest, store: Store, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    drawn = pixels(4, (400, 300))
    (photos / "a.png").write_bytes(encode(drawn, "PNG"))
    (photos / "b.jpg").write_bytes(picture(9))
    (photos / "c.bmp").write_bytes(encode(drawn, "BMP"))
    assert take(from_folder(photos)) == Harvested(new=3, known=0, refused=0, seen=3)
    rows = store.categories.pool("car")
    assert store.images.similar(rows).tolist() == [rows[0], rows[1], rows[0]]
