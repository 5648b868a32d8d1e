"""The audit of labels from elsewhere: the loops of their categories in turn, until each has come to a verdict."""

import time
from collections.abc import Callable, Mapping

from thresher.errors import Busy
from thresher.loop.autopilot import FINAL, rest_seconds
from thresher.loop.lease import held
from thresher.loop.mending import mend_first
from thresher.loop.sound import must_be_sound
from thresher.loop.turn import Process, Turn, turn
from thresher.loop.watch import Watch
from thresher.records import now_ms
from thresher.settings import Settings
from thresher.store.contract import Rows, Store

RETRY_SECONDS = 0.2


def audit(
    first: Mapping[str, Rows],
    *,
    store: Store,
    settings: Settings,
    heard: Callable[[str, Turn], None] = lambda _name, _turn: None,
    stop: Callable[[], bool] = lambda: False,
    turns: int | None = None,
) -> dict[str, Turn]:
    """Repeat the loops of these categories until each has ended, `stop` returns True, or `turns` were made.

    Returns the last turn of each. The values of `first` are the rows that the owner is shown before the audit
    (mending.py). Where another process runs a loop, this one waits. Raises StoreDamaged if answers, labels or frozen
    evidence do not match their checksums.
    """
    came_to: dict[str, Turn] = {}
    for name in first:
        must_be_sound(name, store=store)
    number, watch = 0, Watch(store=store, settings=settings)
    while not stop() and number != turns:
        number += 1
        started, moved = time.monotonic(), False
        for name, rows in first.items():
            if stop():
                break
            if name in came_to and came_to[name].state in FINAL:
                continue
            at_ms = now_ms()
            mark = store.categories.mark(name)
            if not watch.due(name, mark, at_ms):  # no lease either: looking at a mark needs none
                heard(name, came_to[name])
                continue
            try:
                with held(name, store=store, stop=stop) as ends:
                    process = Process(ends, watch.memory(name))
                    came_to[name] = one_turn(name, rows, store=store, settings=settings, process=process)
            except Busy:
                time.sleep(RETRY_SECONDS)
                continue
            heard(name, watch.made(name, mark, came_to[name], at_ms))
            moved = moved or came_to[name].state != "asking"
        if len(came_to) == len(first) and all(one.state in FINAL for one in came_to.values()):
            break
        if not moved and number != turns:
            time.sleep(rest_seconds(time.monotonic() - started))
    return came_to


def one_turn(name: str, first: Rows, *, store: Store, settings: Settings, process: Process) -> Turn:
    """One turn: the owner's first look while nothing is frozen, and then the audit."""
    category = store.categories.get(name)
    if len(first) and not store.rounds.epochs(name):
        shown = mend_first(category, first.tolist(), store=store, settings=settings, now_ms=now_ms())
        if shown is not None:
            return shown
    seed = settings.seed or 1
    return turn(name, store=store, settings=settings, now_ms=now_ms(), seed=seed, process=process)
