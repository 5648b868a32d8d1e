"""Boxes cut out of images: each becomes an image of its own, upright, in sRGB, with a margin, and without metadata."""

import math
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image

from thresher.errors import Undecodable
from thresher.pictures import upright

Box = tuple[float, float, float, float]
"""Left, top, width and height, in pixels of the image as shown (after its orientation is applied)."""

INSIDE_LEAST = 0.5
"""Share of a box that must lie inside its image: detectors let boxes of cut-off things reach beyond the edge."""

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

        The same bytes, box and margin give the same JPEG. Raises Undecodable, with the reason "box-outside" if less
        than half of the box lies inside the image.
        """
        if self._shown is None or self._data != data:
            self._data, self._shown = data, upright(data, pixels=self.pixels)
        out = BytesIO()
        self._shown.crop(window(box, self._shown.size, margin)).save(out, "JPEG", quality=QUALITY, subsampling=0)
        return out.getvalue()


def window(box: Box, size: tuple[int, int], margin: float) -> tuple[int, int, int, int]:
    """The pixels (left, top, right, bottom) that the crop of a box shows, of an image of this size. As `Cutter.cut`."""
    left, top, width, height = box
    wide, high = size
    inside = _within(left, width, wide) * _within(top, height, high)
    if not (width > 0 and height > 0) or not inside >= INSIDE_LEAST * width * height:
        told = ", ".join(f"{number:g}" for number in box)
        raise Undecodable(
            "box-outside", f"the box {told} (left, top, width, height) is outside of the {wide} x {high} pixels."
        )
    around = margin * max(width, height)
    first_column, last_column = _grown(left - around, left + width + around, wide)
    first_row, last_row = _grown(top - around, top + height + around, high)
    return first_column, first_row, last_column, last_row


def _within(start: float, length: float, most: int) -> float:
    return max(0.0, min(start + length, most) - max(start, 0.0))


def _grown(start: float, end: float, most: int) -> tuple[int, int]:
    """Whole pixels from `start` to `end` inside the image, and more on both sides until they are enough."""
    first, last = max(0, math.floor(start)), min(most, math.ceil(end))
    lacks = SHORTEST_SIDE - (last - first)
    if lacks > 0:
        first = max(0, min(first - lacks // 2, most - SHORTEST_SIDE))
        last = min(most, first + SHORTEST_SIDE)
    return first, last
