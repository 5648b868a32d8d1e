"""Whether two images of equal fingerprint are the same one: compared by detail and by colour, pixel by pixel.

A fingerprint sees 16 x 16 grey cells, so equal ones prove nothing: forms that differ in a ticked box, garments that
differ in their dye, frames of one video. The limits below are a little above what JPEG at quality 85 and a resize to
90 % change in photos, drawings and text (`bench/similar.py` measures both sides).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from thresher import pictures

COMPARED_PIXELS: Final = 2048
"""Longest side at which images are compared: twice what people are shown, so that what they can see is seen here."""

LEAST_SCALE: Final = 0.5
"""A copy smaller than this share of the other's size may lack the detail that tells the two apart."""

LIGHT: Final = 6.0  # of 255, the mean of 3 x 3 pixels
COLOUR: Final = 4.5  # of 255, the mean of about 9 x 9 pixels, as JPEG halves the resolution of colour
COARSE: Final = 24.0  # of 255, the mean of 4 x 4 pixels: more in luma is another image, and is quickly found
# how much more may differ per contrast around a pixel: encoding moves edges a little, resizing moves those of luma more
EDGES, EDGES_RESIZED = 0.1, 0.2

ONE_PLACE: Final = 0.05
"""Encoding anew changes pixels all over. Where all but this share of an image is the same bit for bit, something was
drawn there, so that the colour of a small dark or greyish thing may differ by DRAWN at most."""
DRAWN: Final = 1.0  # of 255, the mean of about 9 x 9 pixels

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]


def pixels_of(data: bytes) -> Pixels:
    """What is compared of an image, uint8 [height, width, 3] in YCbCr. Raises Undecodable."""
    return pictures.shown_pixels(data, long_side=COMPARED_PIXELS)


def same(one: Pixels, other: Pixels) -> bool:
    """Whether two images show the same, but for what encoding and resizing change."""
    if one.shape[1] < other.shape[1]:
        one, other = other, one
    height, width = other.shape[:2]
    scale = width / one.shape[1]
    if scale < LEAST_SCALE or abs(one.shape[0] * scale - height) > 1:
        return False
    resized = one.shape != other.shape
    if resized:
        one = pictures.reduced(one, width=width, height=height)
    drawn = not resized and _differs_in_one_place(one, other)
    return _same_light(one[..., 0], other[..., 0], EDGES_RESIZED if resized else EDGES) and all(
        _same_colour(one[..., channel], other[..., channel], drawn=drawn) for channel in (1, 2)
    )


def _differs_in_one_place(one: Pixels, other: Pixels) -> bool:
    """Whether a small rectangle contains every pixel that is not the same bit for bit."""
    differs = (one != other).any(axis=2)
    sides = [np.flatnonzero(differs.any(axis=axis)) for axis in (0, 1)]
    return not len(sides[0]) or bool(np.prod([side[-1] - side[0] + 1 for side in sides]) < ONE_PLACE * differs.size)


def _same_light(one: Pixels, other: Pixels, edges: float) -> bool:
    first, second = one.astype(np.float32), other.astype(np.float32)
    if (np.abs(_cells(first - second)) > COARSE).any():
        return False
    first, second = _smooth(first), _smooth(second)
    allowed = LIGHT + edges * np.minimum(_contrast(first), _contrast(second))
    return not (np.abs(first - second) > allowed).any()


def _same_colour(one: Pixels, other: Pixels, *, drawn: bool) -> bool:
    first, second = one.astype(np.float32), other.astype(np.float32)
    for _ in range(4):
        first, second = _smooth(first), _smooth(second)
    allowed = DRAWN if drawn else COLOUR + EDGES * np.minimum(_contrast(first), _contrast(second))
    return not (np.abs(first - second) > allowed).any()


def _cells(plane: Plane) -> Plane:
    """Means [h // 4, w // 4] of 4 x 4 pixels."""
    height, width = plane.shape[0] // 4, plane.shape[1] // 4
    cells: Plane = plane[: 4 * height, : 4 * width].reshape(height, 4, width, 4).mean(axis=(1, 3))
    return cells


def _smooth(plane: Plane) -> Plane:
    """The mean of 3 x 3 pixels around each."""
    grown = np.pad(plane, 1, mode="edge")
    rows = grown[:-2] + grown[1:-1] + grown[2:]
    smooth: Plane = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9)
    return smooth


def _contrast(plane: Plane) -> Plane:
    """The highest less the lowest value of 5 x 5 pixels around each."""
    highest = lowest = np.pad(plane, 2, mode="edge")
    for axis in (0, 1):
        slices = [_slice(axis, start, highest.shape[axis] - 4 + start) for start in range(5)]
        highest = np.maximum.reduce([highest[part] for part in slices])
        lowest = np.minimum.reduce([lowest[part] for part in slices])
    return highest - lowest


def _slice(axis: int, start: int, end: int) -> tuple[slice, ...]:
    return (slice(start, end),) if axis == 0 else (slice(None), slice(start, end))
