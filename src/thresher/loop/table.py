"""The table of methods: how a category decides what to ask and when it is done."""

from collections.abc import Callable
from typing import Any

from thresher.loop.methods import Wish, cascade, uncertainty
from thresher.records import Category
from thresher.store.contract import Store

Method = Callable[..., Wish]


def proven(*category: Any, **uses: Any) -> Wish:  # noqa: ANN401 -- handed on as they are
    """A promise that is proven: `loop/certified.py`."""
    # here, for its mathematics is slow to import, and a server that starts needs only the names of this table
    from thresher.loop.certified import certified as wish

    return wish(*category, **uses)


METHODS: dict[str, Method] = {
    "cascade": cascade,
    "uncertainty": uncertainty,
    "certified": proven,
    "adjudicated": proven,
    "precision": proven,
    "recall": proven,
}
WITHOUT_CERTIFICATE = ("cascade", "uncertainty")
BUDGETED = frozenset({"precision", "recall"})
"""Whose answers are divided at the freeze, so that an audit that has begun ends what they were divided for."""


def is_frozen(category: Category, images: int, *, store: Store) -> bool:
    """Whether an epoch is in force, so that nothing may be trained: its ranking is what the audits are about."""
    if category.targets.method in WITHOUT_CERTIFICATE:
        return False
    from thresher.loop.snapshot import in_force

    return in_force(category, images, store=store) is not None
