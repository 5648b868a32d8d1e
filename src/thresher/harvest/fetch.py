"""Fetching many URLs at once: few connections per host, one retry, and a limit on the bytes held in memory."""

import asyncio
import queue
import threading
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from thresher.errors import Blocked, NotFetched
from thresher.guard import PER_HOST, GuardedFetcher
from thresher.harvest.candidates import CHUNK_BYTES, CHUNK_IMAGES, Candidate
from thresher.settings import Settings

AHEAD = 4
"""URLs begun for each one fetched at once, so that one slow host does not hold up the others."""

HELD_BYTES = 256_000_000
"""Fetched and not yet taken: beyond it no fetch begins."""

BACKOFF_SECONDS = 1.0
AGAIN = frozenset({"fetch-timeout", "fetch-failed", "fetch-name", "fetch-status-429"})
"""Reasons that may pass by themselves; so may every status from 500 on."""

POLL_SECONDS = 0.2


def fetched(
    candidates: Iterator[Candidate],
    *,
    settings: Settings,
    stop: Callable[[], bool] | None = None,
    backoff_seconds: float = BACKOFF_SECONDS,
) -> Iterator[list[Candidate]]:
    """Candidates with their bytes or their problem, in lists as they arrive, not in their original order.

    An error of `candidates` is raised after everything before it has arrived. Fetches under way when the caller stops
    are dropped; the next run repeats them.
    """
    wrong: Exception | None = None
    window = AHEAD * settings.fetch_at_once
    with _Fetching(settings, backoff_seconds) as fetching:
        while wrong is None:
            try:
                candidate = next(candidates, None)
            except Exception as error:  # noqa: BLE001 -- raised below: what came before it must not be lost
                wrong = error
                break
            if candidate is None:
                break
            fetching.begin(candidate)
            while fetching.begun >= window or fetching.waiting:
                if stop is not None and stop():
                    return
                if some := fetching.some():
                    yield some
        while fetching.begun:
            if stop is not None and stop():
                return
            if some := fetching.some():
                yield some
    if wrong is not None:
        raise wrong


class _Fetching:
    """An event loop in its own thread, the fetches started on it, and their results."""

    def __init__(self, settings: Settings, backoff_seconds: float) -> None:
        self._backoff_seconds = backoff_seconds
        self._fetcher = GuardedFetcher(settings)
        self._slots = asyncio.Semaphore(settings.fetch_at_once)
        self._hosts: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(PER_HOST))
        self._users: Counter[str] = Counter()
        self._done: queue.SimpleQueue[Future[Candidate]] = queue.SimpleQueue()
        self._held_bytes = 0
        self._room = asyncio.Event()
        self._room.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fetch", daemon=True)
        self.begun = 0
        """Fetches begun and not yet handed on."""

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._fetcher.__aenter__(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def waiting(self) -> bool:
        """Whether there are enough results for a whole list."""
        return self._done.qsize() >= CHUNK_IMAGES or self._held_bytes >= CHUNK_BYTES

    def begin(self, candidate: Candidate) -> None:
        """Start a fetch, unless the candidate is refused already."""
        self.begun += 1
        future = asyncio.run_coroutine_threadsafe(self._one(candidate), self._loop)
        future.add_done_callback(self._done.put)

    def some(self) -> list[Candidate]:
        """The results so far, at least one, at most a list; empty if none arrives within a moment."""
        found: list[Candidate] = []
        size = 0
        try:
            while len(found) < CHUNK_IMAGES and size < CHUNK_BYTES:
                future = self._done.get(timeout=POLL_SECONDS) if not found else self._done.get_nowait()
                self.begun -= 1
                candidate = future.result()
                found.append(candidate)
                size += len(candidate.data or b"")
        except queue.Empty:
            pass
        self._loop.call_soon_threadsafe(self._hold, -size)
        return found

    def _hold(self, size: int) -> None:
        """Add to (or, if negative, subtract from) the bytes in memory; no fetch starts while there are too many."""
        self._held_bytes += size
        if self._held_bytes > HELD_BYTES:
            self._room.clear()
        else:
            self._room.set()

    async def _one(self, candidate: Candidate) -> Candidate:
        if candidate.problem:
            return candidate
        async with self._host(candidate.name):
            try:
                return await self._get(candidate)
            except NotFetched as error:
                if error.reason not in AGAIN and not error.reason.startswith("fetch-status-5"):
                    return replace(candidate, problem=(error.reason, error.what))
                await asyncio.sleep(max(self._backoff_seconds, error.after_seconds))
            except Blocked as error:
                return replace(candidate, problem=(error.reason, error.what))
            try:
                return await self._get(candidate)
            except (Blocked, NotFetched) as error:
                return replace(candidate, problem=(error.reason, f"{error.what[:-1]}, twice."))

    async def _get(self, candidate: Candidate) -> Candidate:
        async with self._slots:
            await self._room.wait()
            data = await self._fetcher.fetch(candidate.name)
            self._hold(len(data))
            return replace(candidate, data=data)

    @asynccontextmanager
    async def _host(self, url: str) -> AsyncIterator[None]:
        """One of the few connection slots of a host; idle hosts are forgotten, because lists name millions."""
        name = urlsplit(url).netloc.rpartition("@")[2].lower()
        self._users[name] += 1
        try:
            async with self._hosts[name]:
                yield
        finally:
            self._users[name] -= 1
            if not self._users[name]:
                del self._users[name], self._hosts[name]

    async def _leave(self) -> None:
        """Drop unfinished fetches, and close every connection."""
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._fetcher.__aexit__(None, None, None)
        await asyncio.get_running_loop().shutdown_default_executor()
