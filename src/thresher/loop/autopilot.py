"""The autopilot: repeats the loop of a category until it ends; a lease in the store allows one process per category.

Between turns it compares the category's change mark: while nothing has changed, no turn is made (watch.py).
"""

import os
import time
from collections.abc import Callable

from thresher.errors import Busy, StoreDamaged
from thresher.loop.lease import held
from thresher.loop.sound import must_be_sound
from thresher.loop.turn import Process, Turn, turn
from thresher.loop.watch import Watch
from thresher.records import now_ms
from thresher.settings import Settings
from thresher.store.contract import Mark, Report, Store

REST_SECONDS = 0.5  # between looks at the store while people answer
LONGEST_REST_SECONDS = 3.0
FINAL = ("done", "spent", "refused", "empty")

Heard = Callable[[str, Turn], None]


def run(
    name: str,
    *,
    store: Store,
    settings: Settings,
    heard: Heard = lambda _name, _turn: None,
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Turn:
    """Repeat the loop of one category until it is done, the budget is spent, or `stop` returns True.

    Raises StoreDamaged if answers, labels or frozen evidence do not match their checksums.
    """
    with held(name, store=store, stop=stop) as ends:
        must_be_sound(name, store=store)
        return _repeat(name, store=store, settings=settings, heard=heard, report=report, stop=ends)


def _repeat(
    name: str, *, store: Store, settings: Settings, heard: Heard, report: Report | None, stop: Callable[[], bool]
) -> Turn:
    number, watch = 0, Watch(store=store, settings=settings)
    while True:
        started, at_ms = time.monotonic(), now_ms()
        mark = store.categories.mark(name)
        due = watch.due(name, mark, at_ms)
        if not due:
            came_to = watch.last(name)
        else:
            came_to = turn(
                name,
                store=store,
                settings=settings,
                now_ms=at_ms,
                seed=_seed(settings, number),
                report=report,
                process=Process(stop, watch.memory(name)),
            )
            watch.made(name, mark, came_to, at_ms)
            number += 1
        heard(name, came_to)
        if came_to.state in FINAL or stop():
            return came_to
        if came_to.state == "asking" or not due:
            time.sleep(rest_seconds(time.monotonic() - started))


def rest_seconds(turn_seconds: float) -> float:
    """How long to rest after a turn that found people busy: as long as the turn took, so it uses at most half a core.

    At most a few seconds, because a turn may have taken long to embed a whole pool.
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
    """Repeat the loops of all categories, one turn each; `thresher serve` runs this beside the server.

    A category whose loop another process runs is skipped, and one whose answers or evidence are damaged.
    """
    number, sound, watch = 0, set[str](), Watch(store=store, settings=settings)

    def take(name: str, at_ms: int) -> tuple[Mark, Turn]:
        """A turn under the lease, which ends early once that is lost; with the mark as it was before."""
        with held(name, store=store, stop=stop) as ends:
            if name not in sound:  # once: damage comes from outside
                must_be_sound(name, store=store)
                sound.add(name)
            mark = store.categories.mark(name)  # as of now: the turn of another category may have taken long
            process = Process(ends, watch.memory(name))
            seed = _seed(settings, number)
            return mark, turn(name, store=store, settings=settings, now_ms=at_ms, seed=seed, process=process)

    while not stop():
        rested, started = True, time.monotonic()
        for name, mark in store.categories.marks().items():
            if stop():
                return
            at_ms, before = now_ms(), mark
            try:
                due = watch.due(name, mark, at_ms)  # needs no lease, and may read what is damaged
                if due:
                    before, came_to = take(name, at_ms)
            except Busy:
                continue
            except StoreDamaged as error:
                due, came_to = True, Turn("damaged", str(error))
            if not due:
                heard(name, watch.last(name))
                continue
            heard(name, watch.made(name, before, came_to, at_ms))
            rested = rested and came_to.state != "learned"
        number += 1
        if rested:
            time.sleep(rest_seconds(time.monotonic() - started))
