"""Pixels of more than eight bits: which range of numbers is shown from black to white.

A 16-bit file often holds 10 or 12 bits (X-rays, microscopes, thermal and machine cameras). Shown over the range of the
file, its brightest pixel would be 4 or 16 of 255: black, and nobody could answer. So the range is

1. the one the file declares, if it is narrower than the file's own and holds every pixel;
2. else the bit depth of the brightest pixel: the least 2^k - 1 that is not below it, and never fewer than eight bits.
   One pixel in ten thousand does not count: the hot pixels of a sensor, or a mark at the file's highest number, would
   make all else black. They are shown white.

The second rule shows a picture that is dark by nature too bright, by as many bits as it leaves unused. That is the
cheaper mistake: a picture that is too bright can still be judged, one shown black cannot, and hardly a photograph over
all sixteen bits has no pixel in the upper half. The range is a power of two and not the brightest pixel itself, so that
the pictures of one camera mostly share a range, and a lens cap stays black: noise of less than eight bits is not drawn
out. Within the range brightness is kept: no picture is stretched from its darkest to its brightest pixel, unless it has
negative numbers, whose black nobody knows.
"""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LEAST_BITS = 8
"""No file keeps fewer in a number of sixteen."""

STRAY: Final = 10_000
"""One number in so many may lie above the range that is shown."""

Numbers = NDArray[Any]


def eight_bits(numbers: Numbers, declared: float = 0.0) -> NDArray[np.uint8]:
    """Numbers of any type and shape as 0 to 255; `declared` is the highest that the file says may occur, 0 for none."""
    if numbers.dtype.kind == "u" and numbers.dtype.itemsize == 2:  # a table, as eight bytes a pixel would be many
        top = white(float(numbers.max(initial=0)), declared, most=_most(numbers))
        scaled = np.arange(1 << 16) * (255.0 / top)
        shades = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
        return np.asarray(shades[numbers], np.uint8)
    values = np.nan_to_num(numbers.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low >= 0:
        low, high = 0.0, white(high, declared, whole=numbers.dtype.kind in "iub", most=_most(values))
    scaled = (values - low) * (255.0 / max(high - low, 1e-9))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _most(numbers: Numbers) -> float:
    """The number that all but the stray ones do not exceed."""
    flat = numbers.ravel()
    place = len(flat) - 1 - len(flat) // STRAY
    return float(np.partition(flat, place)[place]) if len(flat) else 0.0


def white(highest: float, declared: float = 0.0, *, whole: bool = True, most: float | None = None) -> float:
    """The number that is shown white, for the highest of a picture, which a declared range must hold.

    `most` is the highest without stray ones, the highest itself if it is not given. Of fractions, those up to 1 count
    as shares.
    """
    if 0 < highest <= declared:
        return declared
    highest = highest if most is None else most
    if not whole and highest <= 1.0:
        share, power = math.frexp(highest)  # exactly, where a logarithm is rounded
        return 2.0 ** max(power - (share == 0.5), -LEAST_BITS) if highest > 0 else 1.0
    least = LEAST_BITS if whole else 1
    return 2.0 ** max(math.ceil(highest).bit_length(), least) - 1
