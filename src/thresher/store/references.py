"""The bytes of images kept by reference: fetched when they are needed, and compared with their hash."""

import os
import threading
import time
import weakref
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import urlsplit

from thresher.errors import Blocked, NotFetched, NotReady, TryLater
from thresher.records import Image
from thresher.settings import Settings, without_password

WEB = ("http", "https")
OBJECT_STORES = ("s3", "gs", "gcs", "az", "abfs", "abfss")
SCHEMES = (*WEB, *OBJECT_STORES)
"""Where a picture may stay: whatever else an address names is no place that bytes are fetched from."""

TIMEOUT = "fetch-timeout"
CROWDED = "fetch-crowded"
PASSING = frozenset({TIMEOUT, CROWDED, "fetch-failed", "fetch-name", "fetch-status-429"})
FORGET_SECONDS = 30.0
STRIKES = 2
"""Time-outs of one site, with no answer in between, after which none of its addresses is asked for a while."""

REMEMBERED_MOST = 10_000
T = TypeVar("T")

_turn = threading.Lock()


def _renew_turn() -> None:
    # one lock a process: that of a fork's parent may be held by a thread it has not
    global _turn
    _turn = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no forks
    os.register_at_fork(after_in_child=_renew_turn)


def addresses_of(image: Image) -> list[str]:
    """The addresses of an image that its bytes may be fetched from."""
    return [alias.value for alias in image.aliases if alias.kind == "url" and _scheme(alias.value) in SCHEMES]


def site_of(address: str) -> str:
    """The site of an address: all its images wait for the same connections."""
    return urlsplit(address).netloc.rpartition("@")[2].lower()


class Failures:
    """The addresses that failed a moment ago, and the sites that do not answer. Safe from any thread.

    Sixty thumbnails of a site that never answers must not wait for it sixty times.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: OrderedDict[str, float] = OrderedDict()
        self._strikes: Counter[str] = Counter()
        self._turn = threading.Lock()

    def seconds_left(self, address: str) -> float:
        """In how many seconds an address may be asked again; 0: now."""
        with self._turn:
            until = max(self._until.get(address, 0.0), self._until.get(site_of(address), 0.0))
        return max(0.0, until - self._clock())

    def add(self, address: str, reason: str) -> float:
        """Remember a failure; returns in how many seconds the address may be asked again."""
        if reason == CROWDED:  # the site itself was not asked
            return 1.0
        with self._turn:
            self._remember(address)
            self._strikes[site_of(address)] += reason == TIMEOUT
            if self._strikes[site_of(address)] >= STRIKES:
                self._remember(site_of(address))
            while len(self._strikes) > REMEMBERED_MOST:
                del self._strikes[next(iter(self._strikes))]
        return FORGET_SECONDS

    def clear(self, address: str) -> None:
        """Forget the time-outs of a site: it has answered."""
        with self._turn:
            self._strikes.pop(site_of(address), None)
            self._until.pop(site_of(address), None)

    def _remember(self, key: str) -> None:
        self._until[key] = self._clock() + FORGET_SECONDS
        self._until.move_to_end(key)
        while len(self._until) > REMEMBERED_MOST:
            self._until.popitem(last=False)


def _passes(reason: str) -> bool:
    """Whether a failure may be over in a moment."""
    return reason in PASSING or reason.startswith("fetch-status-5")


def _scheme(address: str) -> str:
    return address.partition("://")[0].lower()


class References:
    """Fetches an image from the first of its addresses that works. Safe from any thread, and after a fork.

    Web addresses go through the guard, object stores through fsspec with the machine's own credentials.
    """

    def __init__(self, settings: Settings, failures: Failures | None = None) -> None:
        self._settings = settings
        self._failures = failures
        self._line: _Line | None = None

    def __call__(self, image: Image, until: float | None = None) -> bytes:
        """The bytes of an image with its aliases. Raises NotReady if no address gives bytes with its SHA-256.

        At `until`, by time.monotonic(), fetching ends. An address that has failed lately is not asked again where
        `failures` remembers that; if that is all that is wrong, TryLater is raised.
        """
        told = "none of its addresses can be fetched."
        again: list[float] = []  # in how many seconds an address is worth another try
        for address in addresses_of(image):
            if self._failures and (waits := self._failures.seconds_left(address)):
                told, again = f"{without_password(address)} has just failed.", [*again, waits]
                continue
            try:
                data = self._bytes(address, until)
            except (Blocked, NotFetched) as error:
                told = f"{without_password(address)}: {error.what}"
                if self._failures and _passes(error.reason):
                    again.append(self._failures.add(address, error.reason))
                continue
            if self._failures:
                self._failures.clear(address)
            if sha256(data).hexdigest() == image.sha256:
                return data
            told = f"{without_password(address)}: the bytes there now have another hash."
        if again:
            what = f"image {image.row} is kept by reference, and cannot be fetched now: {told}"
            raise TryLater(what, after_seconds=min(again), next="try again later")
        raise NotReady(
            f"image {image.row} is kept by reference, and cannot be fetched: {told}",
            next="harvest it with its bytes, or make its address available again",
        )

    def _bytes(self, address: str, until: float | None) -> bytes:
        return self._web(address, until) if _scheme(address) in WEB else self._object(address)

    def _web(self, address: str, until: float | None) -> bytes:
        with _turn:
            line = self._line
            if line is None or line.pid != os.getpid():  # a fork has not the thread that answers
                self._line = line = _Line(self._settings)
                weakref.finalize(self, line.close)
        return line.fetch(address, until)

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

    def fetch(self, address: str, until: float | None = None) -> bytes:
        """The bytes behind a URL. Raises Blocked, NotFetched."""
        return self._wait(self._fetch(address, until))

    async def _fetch(self, address: str, until: float | None) -> bytes:
        import asyncio

        begun = False
        try:
            async with asyncio.timeout(None if until is None else until - time.monotonic()):
                # the time that a site is allowed begins when a connection is free, for a slow site has many readers
                async with self._hosts[urlsplit(address).netloc], self._slots:
                    begun = True
                    return await self._fetcher.fetch(address)
        except TimeoutError as error:
            what = "it did not answer in time." if begun else "other images of the same site were waited for too long."
            raise NotFetched(what, reason=TIMEOUT if begun else CROWDED, where=without_password(address)) from error

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
