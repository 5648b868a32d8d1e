"""Plain JPEGs are decoded by simplejpeg to the pixels of Pillow; everything else is left to Pillow."""

import io

import numpy as np
import pytest
from PIL import Image
from tests.pictures_for_tests import encode, pixels

from thresher import pictures
from thresher.errors import Undecodable
from thresher.pictures.jpeg import plain_pixels
from thresher.pictures.reading import opened

PHOTO = pixels(5, (333, 251))


def of_pillow(data: bytes, least: int) -> np.ndarray:
    image = Image.open(io.BytesIO(data))
    image.draft(None, (least, least))
    return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("least", [8, 31, 32, 62, 125, 251, 900])  # at 1/8 to the whole size
@pytest.mark.parametrize(
    "options",
    [{}, {"subsampling": 0}, {"subsampling": 1}, {"progressive": True}, {"quality": 30}, {"restart_marker_rows": 1}],
    ids=str,
)
def test_pixels_are_those_of_pillow_at_the_same_scale(options: dict[str, object], least: int) -> None:
    data = encode(PHOTO, "JPEG", 1, **options)
    found = plain_pixels(opened(data), data, least=least)
    assert found is not None
    assert (found == of_pillow(data, least)).all()


def test_what_is_not_plain_is_left_to_pillow() -> None:
    cmyk = encode(Image.fromarray(PHOTO).convert("CMYK"), "JPEG")
    grey = encode(Image.fromarray(PHOTO).convert("L"), "JPEG")
    for data in (cmyk, grey, encode(PHOTO, "PNG")):
        assert plain_pixels(opened(data), data, least=32) is None
        assert pictures.model_pixels(data, side=32).std() > 10


def test_a_jpeg_with_a_fault_comes_to_what_pillow_says_of_it() -> None:
    data = encode(PHOTO, "JPEG", restart_marker_rows=1)
    cut = data[: len(data) // 2]
    assert plain_pixels(opened(cut), cut, least=32) is None
    with pytest.raises(Undecodable, match="its end is missing"):
        pictures.model_pixels(cut, side=32)
    middle = len(data) // 2
    scratched = data[:middle] + b"\x00" * 40 + data[middle + 40 :]  # libjpeg warns, and goes on at the next marker
    assert plain_pixels(opened(scratched), scratched, least=32) is None
    assert pictures.model_pixels(scratched, side=32).std() > 10


def test_a_picture_is_not_seen_in_the_next_one() -> None:
    large, small = encode(PHOTO), encode(pixels(9, (40, 30)))
    alone = pictures.model_pixels(small, side=32)
    pictures.model_pixels(large, side=32)
    assert (pictures.model_pixels(small, side=32) == alone).all()
