"""How often a store is asked: each call of a part, by its name in the contract ("images.many")."""

import functools
from collections import Counter
from typing import Any, cast, get_type_hints

from thresher.store.contract import Store

PARTS = frozenset(name for name in get_type_hints(Store) if not name.startswith("_"))


def counted(store: Store) -> tuple[Store, Counter[str]]:
    """The same store, and a counter of the calls made of it through what is answered here; its own calls are not.

    Calls of the store itself ("secret", "check") count under their own names. A call that answers an iterator counts
    once, and so does one that fails.
    """
    calls: Counter[str] = Counter()
    return cast("Store", _Counted(store, calls, "", PARTS)), calls


class _Counted:
    """A store, or a part of one, whose calls are counted."""

    def __init__(self, inner: Any, calls: Counter[str], name: str, parts: frozenset[str] = frozenset()) -> None:
        object.__setattr__(self, "_own", (inner, calls, name, parts))

    def __getattr__(self, name: str) -> Any:
        inner, calls, own, parts = self._own
        found = getattr(inner, name)
        if name in parts:
            return _Counted(found, calls, f"{name}.")
        if not callable(found) or name.startswith("_"):
            return found

        @functools.wraps(found)
        def call(*given: Any, **named: Any) -> Any:
            calls[f"{own}{name}"] += 1
            return found(*given, **named)

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._own[0], name, value)
