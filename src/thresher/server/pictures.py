"""Images as people see them: rendered once, cached in memory up to a limit, always the same bytes.

Renderings of images kept by reference are also stored: the next viewer does not wait for a remote site, and the image
that people judged remains available when that site is gone.
"""

import threading
import time
from collections import OrderedDict
from contextlib import suppress

from fastapi.responses import Response

from thresher import pictures
from thresher.compute import cores
from thresher.errors import StoreFull, StoreUnavailable
from thresher.records import Rendering
from thresher.store.contract import Store

MEMORY_BYTES = 128_000_000
THUMBNAIL_PIXELS = 256
RENDERED_AT_ONCE = max(2, cores())  # more would not be faster, and each may take hundreds of megabytes


class Shown:
    """A cache of rendered images by row and size; the least recently used are dropped first. Safe from any thread."""

    def __init__(self, store: Store, *, most_bytes: int = MEMORY_BYTES) -> None:
        self._store = store
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[int, int], tuple[bytes, float]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._rendering = threading.BoundedSemaphore(RENDERED_AT_ONCE)

    @property
    def kept_bytes(self) -> int:
        """The memory that the cached images take."""
        return self._bytes

    def webp(self, row: int, *, long_side: int) -> bytes:
        """The rendered image of a row, oriented, without metadata, at most `long_side` pixels long. Raises NotFound."""
        return self.webp_and_wait(row, long_side=long_side)[0]

    def webp_and_wait(self, row: int, *, long_side: int) -> tuple[bytes, float]:
        """The rendered image, and the seconds to wait before it is sent: as long as rendering it took originally.

        An image that comes at once was shown to somebody before. Gold is shown to everyone and asked images to few, so
        a worker who could tell the difference would know most of the gold.
        """
        key = (row, long_side)
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept
        # outside the lock: two requests may render the same picture, which is cheaper than one waiting for all
        (image,) = self._store.images.many([row])
        found = self._rendered(row, long_side) if image.reference else None
        if found is not None:
            self._keep(key, found.data, found.seconds)
            return found.data, found.seconds
        begun = time.perf_counter()
        fetched = self._store.images.read(row) if image.reference else None  # nobody else waits for a far site
        with self._rendering:
            made = pictures.render(fetched or self._store.images.read(row), long_side=long_side)
        seconds = time.perf_counter() - begun
        self._keep(key, made, seconds)
        if image.reference:
            with suppress(StoreFull, StoreUnavailable):  # the picture is here, and can be shown
                self._store.renderings.keep(row, long_side, Rendering(made, seconds))
        return made, 0.0

    def _rendered(self, row: int, long_side: int) -> Rendering | None:
        try:
            return self._store.renderings.get(row, long_side)
        except StoreUnavailable:  # the picture itself may be there
            return None

    def _keep(self, key: tuple[int, int], made: bytes, seconds: float) -> None:
        with self._lock:
            if key not in self._kept and len(made) <= self._most_bytes:
                self._kept[key] = (made, seconds)
                self._bytes += len(made)
            while self._bytes > self._most_bytes:
                _, (let_go, _) = self._kept.popitem(last=False)
                self._bytes -= len(let_go)


def webp_response(data: bytes) -> Response:
    """A rendered image as a response; its address always names the same bytes, so browsers may cache it for ever."""
    return Response(data, media_type="image/webp", headers={"Cache-Control": "private, max-age=31536000, immutable"})
