"""The bytes of images kept by reference: fetched when they are needed, and compared with their hash."""

import os
import threading
import weakref
from collections import defaultdict
from collections.abc import Coroutine
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import urlsplit

from thresher.errors import Blocked, NotFetched, NotReady
from thresher.records import Image
from thresher.settings import Settings, without_password

WEB = ("http", "https")
OBJECT_STORES = ("s3", "gs", "gcs", "az", "abfs", "abfss")
SCHEMES = (*WEB, *OBJECT_STORES)
"""Where a picture may stay: whatever else an address names is no place that bytes are fetched from."""

T = TypeVar("T")

_turn = threading.Lock()


def _renew_turn() -> None:
    # one lock a process: that of a fork's parent may be held by a thread it has not
    global _turn
    _turn = threading.Lock()


os.register_at_fork(after_in_child=_renew_turn)


class References:
    """Fetches an image from the first of its addresses that works. Safe from any thread, and after a fork.

    Web addresses go through the guard, object stores through fsspec with the machine's own credentials.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._line: _Line | None = None

    def __call__(self, image: Image) -> bytes:
        """The bytes of an image with its aliases. Raises NotReady if no address gives bytes with its SHA-256."""
        told = "none of its addresses can be fetched."
        for address in (alias.value for alias in image.aliases if alias.kind == "url"):
            scheme = address.partition("://")[0].lower()
            if scheme not in SCHEMES:
                continue
            try:
                data = self._web(address) if scheme in WEB else self._object(address)
            except (Blocked, NotFetched) as error:
                told = f"{without_password(address)}: {error.what}"
                continue
            if sha256(data).hexdigest() == image.sha256:
                return data
            told = f"{without_password(address)}: the bytes there now have another hash."
        raise NotReady(
            f"image {image.row} is kept by reference, and cannot be fetched: {told}",
            next="harvest it with its bytes, or make its address available again",
        )

    def _web(self, address: str) -> bytes:
        with _turn:
            line = self._line
            if line is None or line.pid != os.getpid():  # a fork has not the thread that answers
                self._line = line = _Line(self._settings)
                weakref.finalize(self, line.close)
        return line.fetch(address)

    def _object(self, address: str) -> bytes:
        try:
            import fsspec  # an extra, and only here

            # fsspec.open would take "::" in a key for a chain of file systems
            kind = fsspec.get_filesystem_class(address.partition("://")[0].lower())
            with kind(**kind._get_kwargs_from_urls(address)).open(address, "rb") as file:
                data: bytes = file.read(self._settings.fetch_bytes + 1)
        except ImportError as error:
            raise NotFetched("fsspec or its driver is not installed.", reason="fetch-failed", where=address) from error
        except Exception as error:  # each driver has errors of its own
            what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            raise NotFetched(f"{what}.", reason="fetch-failed", where=address) from error
        if len(data) > self._settings.fetch_bytes:
            raise NotFetched("it is larger than the setting fetch_bytes.", reason="fetch-too-large", where=address)
        return data


class _Line:
    """A guarded fetcher with persistent connections, on an event loop in its own thread.

    The caller may be in an event loop already, and several threads may read at once.
    """

    def __init__(self, settings: Settings) -> None:
        # here, for they are slow to import: every command opens a store, and few workspaces have references
        import asyncio

        from thresher.guard import PER_HOST, GuardedFetcher

        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="references", daemon=True)
        self._thread.start()
        self._fetcher = GuardedFetcher(settings)
        self._slots = asyncio.Semaphore(settings.fetch_at_once)
        self._hosts: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(PER_HOST))
        self._wait(self._fetcher.__aenter__())

    def fetch(self, address: str) -> bytes:
        """The bytes behind a URL. Raises Blocked, NotFetched."""
        return self._wait(self._fetch(address))

    async def _fetch(self, address: str) -> bytes:
        # the time that is allowed begins when a connection is free, for a slow site has many readers
        async with self._hosts[urlsplit(address).netloc], self._slots:
            return await self._fetcher.fetch(address)

    def close(self) -> None:
        """Close the connections; in a forked process there is nothing to do."""
        if self.pid != os.getpid():
            return
        self._wait(self._fetcher.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        import asyncio

        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
