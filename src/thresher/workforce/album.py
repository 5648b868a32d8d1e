"""Recognising images: a simulated worker gets images under opaque addresses, and must know which ones they are.

The worker API reveals nothing about an image except its bytes. So a served image is compared with thumbnails of the
originals: eight by eight pixels find the nearest one; if several originals are nearly alike, the one whose rendering
equals the served bytes is taken.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from thresher import pictures
from thresher.errors import NotFound
from thresher.records import Progress

SIDE = 8
# Root mean square over 192 values of 0 to 255, measured on 25,000 pictures of 32 pixels and 800 photos: a served
# picture is at most 12.8 from its own original, and in one case of a hundred less than 11.5 from another.
REACH = 14.0
FAR = 28.0
CLEAR = 1.5  # what is this many times as far as the nearest, and out of reach, is another picture
CLOSE_ONES = 8
AT_ONCE = 128
REPORT_EVERY = 500

Report = Callable[[Progress], None]


class Album:
    """Recognises images as served. `read(name)` returns an original; `long_side` is the size the server renders."""

    def __init__(
        self, names: Sequence[str], read: Callable[[str], bytes], *, long_side: int, report: Report | None = None
    ) -> None:
        self._names, self._read, self._long_side = list(names), read, long_side
        self._known: dict[bytes, str] = {}
        self._table = np.empty((len(self._names), SIDE * SIDE * 3), np.float32)
        for place, name in enumerate(self._names):
            self._table[place] = _small(read(name))
            if report and (place + 1) % REPORT_EVERY == 0:
                report(Progress("reading the images", place + 1, len(self._names)))
        self._lengths = np.square(self._table).sum(axis=1)

    def names_of(self, served: Sequence[bytes]) -> list[str]:
        """The names of served images. Raises NotFound for one that is none of the originals."""
        digests = [hashlib.sha256(data).digest() for data in served]
        new = {digest: data for digest, data in zip(digests, served, strict=True) if digest not in self._known}
        for digest, name in zip(new, self._recognise(list(new.values())), strict=True):
            self._known[digest] = name
        return [self._known[digest] for digest in digests]

    def _recognise(self, served: Sequence[bytes]) -> Iterator[str]:
        for start in range(0, len(served), AT_ONCE):
            some = served[start : start + AT_ONCE]
            small = np.stack([_small(data) for data in some])
            squares = (-2.0 * small) @ self._table.T
            squares += self._lengths
            squares += np.square(small).sum(axis=1)[:, None]
            for data, distances in zip(some, squares / small.shape[1], strict=True):
                yield self._names[self._nearest(data, distances)]

    def _nearest(self, served: bytes, squares: NDArray[np.float32]) -> int:
        """The index of the original of a served image, by mean squared differences."""
        nearest = int(squares.argmin()) if len(squares) else -1
        if nearest < 0 or squares[nearest] > FAR**2:
            raise NotFound(
                "the server shows an image that is not in the truth file.",
                next="name every image of the pool in the truth file",
            )
        (alike,) = np.nonzero(squares <= max(REACH**2, CLEAR**2 * squares[nearest]))
        if len(alike) > 1:
            for place in alike[np.argsort(squares[alike], kind="stable")][:CLOSE_ONES].tolist():
                if pictures.render(self._read(self._names[place]), long_side=self._long_side) == served:
                    return int(place)
        return nearest


def _small(data: bytes) -> NDArray[np.float32]:
    return pictures.model_pixels(data, side=SIDE).reshape(-1).astype(np.float32)
