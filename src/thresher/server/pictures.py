"""Images as people see them: rendered once, cached in memory up to a limit, always the same bytes.

Renderings of images kept by reference are also stored: the next viewer does not wait for a remote site, and the image
that people judged remains available when that site is gone. Reading far sites and rendering have threads of their own
(lanes.py), and a time limit that begins with the request: no other route waits for them.
"""

import time
from collections import OrderedDict
from contextlib import suppress
from functools import partial

from fastapi.responses import Response

from thresher import pictures
from thresher.compute import cores
from thresher.errors import StoreFull, StoreUnavailable, ThresherError, TryLater
from thresher.records import Image, Rendering
from thresher.server.lanes import Lane
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.store.references import Failures, References, addresses_of, site_of

MEMORY_BYTES = 128_000_000
THUMBNAIL_PIXELS = 256
LARGE_PIXELS = 4096  # for a closer look: most pictures of cameras as they are
RENDERING = 2  # counts up when pictures are rendered otherwise than before, so that what was stored is made anew
RENDERED_AT_ONCE = max(2, cores())  # more would not be faster, and each may take hundreds of megabytes
RENDERED_WAITING = 256
FETCHED_AT_ONCE = 16
FETCHED_WAITING = 48

WEBP_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    # opened in a window of its own, it is laid out by the browser, with styles of the browser's own
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}


class Shown:
    """A cache of rendered images by row and size; the least recently used are dropped first. For one event loop."""

    def __init__(self, store: Store, settings: Settings, *, most_bytes: int = MEMORY_BYTES) -> None:
        self._store = store
        self._seconds = settings.shown_seconds
        self._references = References(settings, Failures())
        self._shards = settings.shards  # on an object store, which may be as slow as any far site
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[int, int], tuple[bytes, float]] = OrderedDict()
        self._bytes = 0
        self._near = Lane("render", at_once=RENDERED_AT_ONCE, waiting=RENDERED_WAITING)
        self._far = Lane("fetch for pages", at_once=FETCHED_AT_ONCE, waiting=FETCHED_WAITING)

    def close(self) -> None:
        """End the threads that have nothing to do."""
        self._near.close()
        self._far.close()

    @property
    def kept_bytes(self) -> int:
        """The memory that the cached images take."""
        return self._bytes

    async def webp(self, row: int, *, long_side: int) -> bytes:
        """The rendered image of a row, oriented, without metadata; see `pictures.render`.

        Raises NotFound; TryLater if that would take longer than `shown_seconds`, or too many images are asked for.
        """
        return (await self.webp_and_wait(row, long_side=long_side))[0]

    def deadline(self) -> float:
        """When a request that came now has waited long enough, by time.monotonic()."""
        return time.monotonic() + self._seconds

    async def webp_and_wait(self, row: int, *, long_side: int, until: float | None = None) -> tuple[bytes, float]:
        """The rendered image, and the seconds to wait before it is sent: as long as rendering it took originally.

        `until` is the deadline of a request that has waited already.

        An image that comes at once was shown to somebody before. Gold is shown to everyone and asked images to few, so
        a worker who could tell the difference would know most of the gold.
        """
        until = self.deadline() if until is None else until
        key = (row, long_side)
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return kept
        # two requests may render the same picture, which is cheaper than one waiting for all
        image, found = await self._near.run(partial(self._known, row, long_side), seconds=until - time.monotonic())
        if found is not None:
            self._keep(key, found.data, found.seconds)
            return found.data, found.seconds
        begun = time.perf_counter()
        try:
            data = await self._fetched(image, until)
        except ThresherError:
            # the site is gone: the picture as people judged it, rendered by an earlier version
            if not image.reference:
                raise
            found = await self._near.run(partial(self._rendered, row, str(long_side)), seconds=self._seconds)
            if found is None:
                raise
            return found.data, found.seconds
        render = partial(self._render, image, data, long_side)
        made = await self._near.run(render, seconds=until - time.monotonic())
        seconds = time.perf_counter() - begun
        self._keep(key, made, seconds)
        if image.reference:
            keep = partial(self._store.renderings.keep, row, f"{long_side}-{RENDERING}", Rendering(made, seconds))
            with suppress(StoreFull, StoreUnavailable, TryLater):  # the picture is here, and can be shown
                await self._near.run(keep, seconds=self._seconds)
        return made, 0.0

    def _known(self, row: int, long_side: int) -> tuple[Image, Rendering | None]:
        """An image, and its rendering where one is stored."""
        image = self._store.images.get(row)
        return image, self._rendered(row, f"{long_side}-{RENDERING}") if image.reference else None

    def _rendered(self, row: int, size: str) -> Rendering | None:
        try:
            return self._store.renderings.get(row, size)
        except StoreUnavailable:  # the picture itself may be there
            return None

    async def _fetched(self, image: Image, until: float) -> bytes | None:
        """The bytes of an image that may be far away; None: they are here."""
        left = until - time.monotonic()
        if image.reference:
            site = next((site_of(address) for address in addresses_of(image)), "")
            return await self._far.run(partial(self._references, image, until), seconds=left, by=site)
        if "://" in self._shards:
            return await self._far.run(partial(self._store.images.read, image.row), seconds=left, by=self._shards)
        return None

    def _render(self, image: Image, data: bytes | None, long_side: int) -> bytes:
        return pictures.render(self._store.images.read(image.row) if data is None else data, long_side=long_side)

    def _keep(self, key: tuple[int, int], made: bytes, seconds: float) -> None:
        if key not in self._kept and len(made) <= self._most_bytes:
            self._kept[key] = (made, seconds)
            self._bytes += len(made)
        while self._bytes > self._most_bytes:
            _, (let_go, _) = self._kept.popitem(last=False)
            self._bytes -= len(let_go)


def webp_response(data: bytes) -> Response:
    """A rendered image as a response; its address always names the same bytes, so browsers may cache it for ever."""
    return Response(data, media_type="image/webp", headers=WEBP_HEADERS)
