"""A box of an image becomes an image: upright, with a margin, the same bytes each time, never from outside."""

import io

import numpy as np
import pytest
from PIL import Image
from tests.pictures_for_tests import corners, encode

from thresher.errors import Undecodable
from thresher.pictures.regions import Cutter, window
from thresher.records import Box

PIXELS = 10**7


def cut(data: bytes, box: Box, margin: float = 0.0) -> Image.Image:
    return Image.open(io.BytesIO(Cutter(PIXELS).cut(data, box, margin)))


def colour(image: Image.Image) -> tuple[bool, ...]:
    """Whether red, green and blue are strong in the middle."""
    shown = np.asarray(image.convert("RGB"))
    return tuple(bool(value > 128) for value in shown[shown.shape[0] // 2, shown.shape[1] // 2])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_is_in_pixels_of_the_image_as_shown(orientation: int) -> None:
    shown = Image.fromarray(corners((200, 120)))
    back = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, 1)
    turns = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }  # fmt: skip
    turn = turns[back]
    stored = shown if turn is None else shown.transpose(turn)
    data = encode(stored, orientation=orientation, quality=95)
    assert colour(cut(data, Box(10, 10, 60, 40))) == (True, False, False)
    assert colour(cut(data, Box(120, 10, 60, 40))) == (False, True, False)
    assert colour(cut(data, Box(10, 70, 60, 40))) == (False, False, True)
    assert cut(data, Box(10, 10, 60, 40)).getexif() == {}


def test_the_margin_is_a_share_of_the_longer_side_and_ends_at_the_edge() -> None:
    assert window(Box(50, 40, 80, 40), (200, 120), 0.1) == (42, 32, 138, 88)
    assert window(Box(0, 0, 80, 40), (200, 120), 0.1) == (0, 0, 88, 48)


def test_a_tiny_box_shows_enough_around_it_to_be_known() -> None:
    left, top, right, bottom = window(Box(100, 60, 4, 3), (200, 120), 0.15)
    assert (right - left, bottom - top) == (32, 32)
    assert left <= 100 < 104 <= right
    assert window(Box(196, 116, 4, 4), (200, 120), 0.0) == (168, 88, 200, 120)
    assert window(Box(0, 0, 4, 4), (20, 16), 0.0) == (0, 0, 20, 16)


@pytest.mark.parametrize(
    "box",
    [
        Box(200, 0, 10, 10),
        Box(-3, 0, 100, 50),
        Box(0, 110, 10, 40),
        Box(5, 5, 0, 10),
        Box(5, 5, 10, -1),
        Box(0, 0, 1e9, 1e9),
        Box(float("nan"), 0, 10, 10),
        Box(0.5, 0.5, 0.6, 0.2, relative=True),
    ],
)
def test_a_box_outside_its_image_is_refused(box: Box) -> None:
    with pytest.raises(Undecodable) as caught:
        cut(encode(corners((200, 120))), box)
    assert caught.value.reason == "box-outside"
    assert "200 x 120 pixels" in str(caught.value)


def test_a_box_that_reaches_a_little_beyond_the_edge_is_cut_there() -> None:
    assert cut(encode(corners((200, 120))), Box(150, 60, 51, 60.5)).size == (50, 60)


def test_the_same_box_gives_the_same_bytes() -> None:
    data = encode(corners((200, 120)))
    cutter = Cutter(PIXELS)
    first = cutter.cut(data, Box(10, 10, 60, 40), 0.1)
    assert cutter.cut(data, Box(60, 10, 60, 40), 0.1) != first
    assert Cutter(PIXELS).cut(data, Box(10, 10, 60, 40), 0.1) == first


def test_an_image_of_too_many_pixels_is_not_decoded() -> None:
    with pytest.raises(Undecodable) as caught:
        Cutter(1_000).cut(encode(corners((200, 120))), Box(0, 0, 50, 50), 0.0)
    assert caught.value.reason == "too-many-pixels"


def test_a_box_in_shares_is_that_part_of_the_image_as_shown() -> None:
    data = encode(corners((200, 120)))
    assert Cutter(PIXELS).cut(data, Box(0.5, 0.5, 0.25, 0.5, relative=True), 0.0) == Cutter(PIXELS).cut(
        data, Box(100, 60, 50, 60), 0.0
    )
