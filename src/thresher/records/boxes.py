"""Boxes: rectangles in images, and how far one may reach over the edge of its image."""

from dataclasses import dataclass
from typing import Final

OUTSIDE_PIXELS: Final = 1.0
OUTSIDE_SHARE: Final = 0.002
"""How far a box may reach over the edge of its image, for rounding; it is cut at the edge."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in an image as it is shown (oriented), in pixels; `relative`: in shares of its width and height.

    A file of labels may have boxes without area, as tools write them; only those who use boxes refuse them.
    """

    left: float
    top: float
    width: float
    height: float
    relative: bool = False

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """Left, top, width and height."""
        return self.left, self.top, self.width, self.height
