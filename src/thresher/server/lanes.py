"""Threads for slow work of pages, apart from those that answer every other route.

Whatever waits for a far site or for the processor waits here: bounded in number, and no longer than its request may.
"""

import asyncio
import queue
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from thresher.errors import TryLater

T = TypeVar("T")
RETRY_SECONDS = 2.0


class Lane:
    """A bounded pool of threads: at most `at_once` calls run and `waiting` wait; later ones are refused at once.

    At most half of the running calls may have the same `by`, so that one slow site does not keep the others waiting.
    """

    def __init__(self, name: str, *, at_once: int, waiting: int) -> None:
        self._name = name
        self._most = at_once + waiting
        self._each = max(1, at_once // 2)
        self._inside = 0
        self._slots = asyncio.Semaphore(at_once)
        self._by: dict[str, asyncio.Semaphore] = {}
        self._users: Counter[str] = Counter()
        self._threads = self._working = 0
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()

    async def run(self, call: Callable[[], T], *, seconds: float, by: str = "") -> T:
        """The result of a call in a thread of the lane. Raises TryLater if the lane is full or the time is over.

        A call that has begun keeps its place until it ends, though nobody waits for it any more.
        """
        if self._inside >= self._most:
            raise TryLater(
                "the server is showing as many images as it can.", after_seconds=RETRY_SECONDS, next="try again later"
            )
        self._inside += 1
        begun = asyncio.Event()
        task = asyncio.create_task(self._in_turn(call, by, begun))
        task.add_done_callback(self._left)
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                return await asyncio.shield(task)
        except TimeoutError as error:
            what = "the image could not be shown in the time allowed."
            raise TryLater(what, after_seconds=RETRY_SECONDS, next="try again later") from error
        finally:
            if not begun.is_set():
                task.cancel()

    async def _in_turn(self, call: Callable[[], T], by: str, begun: asyncio.Event) -> T:
        async with AsyncExitStack() as held:
            if by:
                self._users[by] += 1
                held.callback(self._forget, by)
                await held.enter_async_context(self._by.setdefault(by, asyncio.Semaphore(self._each)))
            await held.enter_async_context(self._slots)
            begun.set()
            self._working += 1
            held.callback(self._ended)
            return await asyncio.wrap_future(self._start(call))

    def close(self) -> None:
        """End the threads that wait for a call; one that works ends after it."""
        for _ in range(self._threads):
            self._calls.put(None)
        self._threads = 0

    def _start(self, call: Callable[[], T]) -> "Future[T]":
        future: Future[T] = Future()
        self._calls.put((future, call))
        if self._threads < self._working:
            self._threads += 1
            # daemons: a site that never answers must not keep the server from ending
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        return future

    def _work(self) -> None:
        while (called := self._calls.get()) is not None:
            future, call = called
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 -- it belongs to whoever waits for the call
                future.set_exception(error)
            del called, future, call  # the thread waits for the next call, and must not hold an image until then

    def _ended(self) -> None:
        self._working -= 1

    def _forget(self, by: str) -> None:
        self._users[by] -= 1
        if not self._users[by]:
            del self._users[by], self._by[by]

    def _left(self, task: "asyncio.Task[Any]") -> None:
        self._inside -= 1
        if not task.cancelled():
            task.exception()  # told already, or nobody waits for it any more
