"""Pictures are resampled for models as Pillow does it: vectors that were embedded before stay comparable."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.pictures_for_tests import encode, pixels

from thresher import pictures
from thresher.pictures import resampling
from thresher.pictures.resampling import BICUBIC, BILINEAR, Filter, resample

PILLOWS = {BICUBIC: Image.Resampling.BICUBIC, BILINEAR: Image.Resampling.BILINEAR}
SIZES = st.integers(1, 300)


def grained(size: tuple[int, int], seed: int) -> np.ndarray:
    """A smooth picture with grain and hard edges, uint8 [height, width, 3]."""
    grain = np.random.default_rng(seed).normal(0, 20, (size[1], size[0], 3))
    drawn = np.clip(pixels(seed, size) + grain, 0, 255).astype(np.uint8)
    drawn[: size[1] // 3, : size[0] // 3] = 255
    drawn[size[1] // 2 :, size[0] // 2 :: 2] = 0
    return drawn


@settings(max_examples=60, deadline=None)
@given(wide=SIZES, high=SIZES, side=st.integers(1, 240), stretch=st.booleans(), by=st.sampled_from([*PILLOWS]))
@example(wide=1, high=1, side=224, stretch=False, by=BICUBIC)
@example(wide=256, high=341, side=224, stretch=False, by=BICUBIC)  # Pillow begins with the rows
@example(wide=341, high=256, side=224, stretch=False, by=BICUBIC)
@example(wide=300, high=7, side=5, stretch=True, by=BICUBIC)
def test_pixels_are_those_of_pillow(wide: int, high: int, side: int, stretch: bool, by: Filter) -> None:
    drawn = grained((wide, high), wide + high)
    square = min(wide, high)
    left, top = (wide - square) / 2, (high - square) / 2
    box = (0.0, 0.0, float(wide), float(high)) if stretch else (left, top, left + square, top + square)
    ours = np.full((side, side, 3), 77, np.uint8)
    resample(drawn, box=box, out=ours, by=by)
    theirs = np.asarray(Image.fromarray(drawn).resize((side, side), PILLOWS[by], box=box))
    off = np.abs(ours.astype(int) - theirs)
    # a half is rounded up by one and down by the other: seldom, and at most once in each of the two passes
    assert off.max() <= 2
    assert off.mean() <= 0.1


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (256, 256), (100, 30), (1500, 1400)])
def test_a_photo_for_a_model_is_what_pillow_makes_of_it(size: tuple[int, int]) -> None:
    data = encode(grained(size, 5), "PNG")
    side, square = 224, min(size)
    left, top = (size[0] - square) / 2, (size[1] - square) / 2
    whole = Image.fromarray(grained(size, 5))
    box = (left, top, left + square, top + square)
    theirs = np.asarray(whole.resize((side, side), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0))
    ours = pictures.model_pixels(data, side=side)
    assert np.abs(ours.astype(int) - theirs).mean() <= 0.01


def test_pixels_are_written_where_they_are_wanted() -> None:
    batch = np.zeros((3, 32, 32, 3), np.uint8)
    for orientation, place in ((1, 0), (6, 2)):
        data = encode(pixels(3, (80, 60)), orientation=orientation)
        made = pictures.model_pixels(data, side=32, out=batch[place])
        assert np.shares_memory(made, batch)
        assert (batch[place] == pictures.model_pixels(data, side=32)).all()
        assert batch[place].any()
    assert not batch[1].any()


def test_a_picture_is_not_seen_in_the_next_one() -> None:
    large, small = encode(grained((333, 251), 5)), encode(pixels(9, (40, 30)))
    alone = pictures.model_pixels(small, side=32)
    pictures.model_pixels(large, side=32)
    assert (pictures.model_pixels(small, side=32) == alone).all()


def test_what_is_kept_of_pictures_of_all_sizes_is_bounded() -> None:
    drawn, out = grained((700, 700), 1), np.empty((224, 224, 3), np.uint8)
    again = np.empty_like(out)
    resample(drawn, box=(0, 0, 640, 640), out=out)
    for side in range(300, 700, 4):
        resample(drawn, box=(0, 0, side, side), out=again)
    kept = sum(part.weights.nbytes for plan, _ in resampling._plans._kept.values() for part in plan)
    assert 0 < kept == resampling._plans.kept_bytes <= resampling.MOST_KEPT_BYTES
    resample(drawn, box=(0, 0, 640, 640), out=again)
    assert (again == out).all()
