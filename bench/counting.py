"""Which calls of a store a piece of work makes: a store that counts, one count for each method of each part."""

from collections import Counter
from typing import Any, cast

from thresher.store.contract import Store


def counted(store: Store) -> tuple[Store, "Counter[str]"]:
    """The same store, and how often each method was called through it, as `images.read`."""
    calls: Counter[str] = Counter()
    return cast("Store", _Counted(store, "", calls)), calls


class _Counted:
    """A store or one of its parts."""

    def __init__(self, inner: object, name: str, calls: "Counter[str]") -> None:
        self._inner, self._name, self._calls = inner, name, calls

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the store has there
        found = getattr(self._inner, name)
        full = f"{self._name}.{name}".lstrip(".")
        if callable(found):

            def called(*given: object, **named: object) -> object:
                self._calls[full] += 1
                return found(*given, **named)

            return called
        if isinstance(found, str | int | float | bytes):
            return found
        return _Counted(found, full, self._calls)
