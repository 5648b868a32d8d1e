"""The lease of a category's loop: one process runs it, and when that one is killed the next need not wait."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from thresher.compute.process import SEPARATOR, is_gone, this_process
from thresher.errors import Busy
from thresher.records import new_id, now_ms
from thresher.store.contract import Store

LEASE_MS = 15_000


@contextmanager
def held(name: str, *, store: Store, stop: Callable[[], bool] = lambda: False) -> Iterator[Callable[[], bool]]:
    """Hold the lease of a category's loop; yields a function that says whether to end what is done under it.

    It says so when `stop` does, and once the lease was lost to another process.

    Raises Busy when another process holds it. A heartbeat renews the lease during long stages. The lease of a process
    that has ended is taken over: at once where that can be seen, as on the same machine, and else when it runs out.
    """
    lease, owner = f"loop/{name}", f"{this_process()}{SEPARATOR}{new_id()}"
    if not _taken(lease, owner, store):
        raise Busy(
            f"another process runs the loop of {name}.",
            next="wait for it, or stop that `thresher serve` or `thresher run`",
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
        yield lambda: stop() or lost.is_set()
    finally:
        ended.set()
        heart.join()
        store.jobs.release(lease, owner)


def runs(name: str, at_ms: int, *, store: Store) -> bool:
    """Whether a process runs the loop of a category now."""
    holder = store.jobs.holder(f"loop/{name}", at_ms)
    return bool(holder) and not _is_gone(holder)


def _taken(lease: str, owner: str, store: Store) -> bool:
    if store.jobs.lease(lease, owner, now_ms(), LEASE_MS):
        return True
    holder = store.jobs.holder(lease, now_ms())
    if not holder or not _is_gone(holder):
        return False
    store.jobs.release(lease, holder)  # only if it is still theirs: of two who see this, one gets it
    return store.jobs.lease(lease, owner, now_ms(), LEASE_MS)


def _is_gone(owner: str) -> bool:
    return is_gone(owner.rpartition(SEPARATOR)[0])
