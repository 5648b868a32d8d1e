"""The loop, repeated until it is done: one process a category at a time, by a lease in the store."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from thresher.errors import Busy
from thresher.loop.turn import Turn, turn
from thresher.records import new_id, now_ms
from thresher.settings import Settings
from thresher.store.contract import Report, Store

LEASE_MS = 15_000
REST_SECONDS = 0.5  # between looks at the store while people answer
LONGEST_REST_SECONDS = 3.0
FINAL = ("done", "spent", "refused", "empty")

Heard = Callable[[str, Turn], None]


@contextmanager
def held(name: str, *, store: Store) -> Iterator[Callable[[], bool]]:
    """Hold the loop of a category; yields a function that says whether it was lost to somebody else.

    Raises Busy when another process holds it. A heartbeat renews the lease while a long stage runs.
    """
    lease, owner = f"loop/{name}", f"{socket.gethostname()}:{os.getpid()}:{new_id()}"
    if not store.jobs.lease(lease, owner, now_ms(), LEASE_MS):
        raise Busy(
            f"the loop of {name} is run by another process.",
            next="wait for it, or stop `thresher serve` or `thresher run`",
        )
    ended, lost = threading.Event(), threading.Event()

    def renew() -> None:
        while not ended.wait(LEASE_MS / 3000):
            if not store.jobs.lease(lease, owner, now_ms(), LEASE_MS):
                lost.set()
                return

    heart = threading.Thread(target=renew, name=f"heartbeat of {lease}", daemon=True)
    heart.start()
    try:
        yield lost.is_set
    finally:
        ended.set()
        heart.join()
        store.jobs.release(lease, owner)


def run(
    name: str,
    *,
    store: Store,
    settings: Settings,
    heard: Heard = lambda _name, _turn: None,
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Turn:
    """Turn the loop of one category until it is done, the budget is spent, or `stop` says so."""
    with held(name, store=store) as lost:
        return _repeat(name, store=store, settings=settings, heard=heard, report=report, stop=lambda: stop() or lost())


def _repeat(
    name: str, *, store: Store, settings: Settings, heard: Heard, report: Report | None, stop: Callable[[], bool]
) -> Turn:
    number = 0
    while True:
        started = time.monotonic()
        came_to = turn(
            name,
            store=store,
            settings=settings,
            now_ms=now_ms(),
            seed=_seed(settings, number),
            report=report,
            stop=stop,
        )
        heard(name, came_to)
        if came_to.state in FINAL or stop():
            return came_to
        number += 1
        if came_to.state == "asking":
            time.sleep(rest_seconds(time.monotonic() - started))


def rest_seconds(turn_seconds: float) -> float:
    """How long to rest after a turn that found people busy: as long as it looked, so that it takes half a core at most.

    Never long: the turn may have embedded a whole pool before it looked.
    """
    return min(max(REST_SECONDS, turn_seconds), LONGEST_REST_SECONDS)


def _seed(settings: Settings, number: int) -> int:
    base = settings.seed or int.from_bytes(os.urandom(6), "big")
    return int(base) + number


def keep(
    *,
    store: Store,
    settings: Settings,
    heard: Heard = lambda _name, _turn: None,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Turn the loops of all categories, one turn each, for ever: what `thresher serve` keeps going beside itself.

    A category whose loop another process holds is left to it.
    """
    number = 0
    while not stop():
        rested, started = True, time.monotonic()
        for category in store.categories.all():
            if stop():
                return
            try:
                with held(category.name, store=store):
                    came_to = turn(
                        category.name,
                        store=store,
                        settings=settings,
                        now_ms=now_ms(),
                        seed=_seed(settings, number),
                        stop=stop,
                    )
            except Busy:
                continue
            heard(category.name, came_to)
            rested = rested and came_to.state != "learned"
        number += 1
        if rested:
            time.sleep(rest_seconds(time.monotonic() - started))
