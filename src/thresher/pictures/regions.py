"""Boxes cut out of images: each becomes an image of its own, upright, in sRGB, with a margin, and without metadata."""

import math
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image

from thresher.errors import Undecodable
from thresher.pictures import upright
from thresher.records.boxes import OUTSIDE_PIXELS, OUTSIDE_SHARE, Box

SHORTEST_SIDE = 32
"""Pixels of the image that a crop shows at least, as far as there are so many: alone, a smaller thing is not known."""

QUALITY = 95


@dataclass
class Cutter:
    """Cuts boxes out of images; boxes of one image that follow each other decode it once."""

    pixels: int
    _data: bytes = field(default=b"", repr=False)
    _shown: Image.Image | None = field(default=None, repr=False)

    def cut(self, data: bytes, box: Box, margin: float) -> bytes:
        """The box as a JPEG, with a `margin` on each side that is a share of the longer side of the box.

        The same bytes, box and margin give the same JPEG. Raises Undecodable, with the reason "box-outside" for a box
        that has no area or reaches over the edge of the image by more than a pixel.
        """
        if self._shown is None or self._data != data:
            self._data, self._shown = data, upright(data, pixels=self.pixels)
        out = BytesIO()
        self._shown.crop(window(box, self._shown.size, margin)).save(out, "JPEG", quality=QUALITY, subsampling=0)
        return out.getvalue()


def window(box: Box, size: tuple[int, int], margin: float) -> tuple[int, int, int, int]:
    """The pixels (left, top, right, bottom) that the crop of a box shows, of an image of this size. As `Cutter.cut`."""
    wide, high = size
    across, down = size if box.relative else (1, 1)
    left, right = box.left * across, (box.left + box.width) * across
    top, bottom = box.top * down, (box.top + box.height) * down
    over = max(-left - _most(wide), right - wide - _most(wide), -top - _most(high), bottom - high - _most(high))
    if not (over <= 0 and min(right, wide) > max(left, 0) and min(bottom, high) > max(top, 0)):
        told = ", ".join(f"{number:g}" for number in box.sides)
        raise Undecodable(
            "box-outside", f"the box {told} (left, top, width, height) is outside of its {wide} x {high} pixels."
        )
    around = margin * max(right - left, bottom - top)
    first_column, last_column = _grown(left - around, right + around, wide)
    first_row, last_row = _grown(top - around, bottom + around, high)
    return first_column, first_row, last_column, last_row


def _most(side: int) -> float:
    return max(OUTSIDE_PIXELS, OUTSIDE_SHARE * side)


def _grown(start: float, end: float, most: int) -> tuple[int, int]:
    """Whole pixels from `start` to `end` inside the image, and more on both sides until they are enough."""
    first, last = max(0, math.floor(start)), min(most, math.ceil(end))
    lacks = SHORTEST_SIDE - (last - first)
    if lacks > 0:
        first = max(0, min(first - lacks // 2, most - SHORTEST_SIDE))
        last = min(most, first + SHORTEST_SIDE)
    return first, last
