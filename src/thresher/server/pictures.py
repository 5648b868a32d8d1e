"""Pictures as people see them: rendered once, kept in memory up to a bound, the same bytes every time."""

import threading
from collections import OrderedDict

from fastapi.responses import Response

from thresher import pictures
from thresher.store.contract import Store

MEMORY_BYTES = 128_000_000
THUMBNAIL_PIXELS = 256


class Shown:
    """Rendered pictures by row and size, the longest unused let go first. Safe from any thread."""

    def __init__(self, store: Store, *, most_bytes: int = MEMORY_BYTES) -> None:
        self._store = store
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def kept_bytes(self) -> int:
        """How much memory the pictures take."""
        return self._bytes

    def webp(self, row: int, *, long_side: int) -> bytes:
        """The picture of a row, oriented, without metadata, at most `long_side` pixels long. Raises NotFound."""
        key = (row, long_side)
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept
        # outside the lock: two requests may render the same picture, which is cheaper than one waiting for all
        made = pictures.render(self._store.images.read(row), long_side=long_side)
        with self._lock:
            if key not in self._kept and len(made) <= self._most_bytes:
                self._kept[key] = made
                self._bytes += len(made)
            while self._bytes > self._most_bytes:
                _, let_go = self._kept.popitem(last=False)
                self._bytes -= len(let_go)
        return made


def webp_response(data: bytes) -> Response:
    """A rendered picture on its way: its address names it for ever, so it is asked for once."""
    return Response(data, media_type="image/webp", headers={"Cache-Control": "private, max-age=31536000, immutable"})
