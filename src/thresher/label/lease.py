"""Leases: an assignment is held for as long as its worker shows signs of life, and no longer."""

from thresher.store.contract import Store


def expire(store: Store, now_ms: int) -> int:
    """End every lease that is over and answer how many: drafts are erased and counted, the places are free again.

    Whoever deals calls it first, so that nothing needs a clock of its own.
    """
    return store.work.expire(now_ms)
