"""The table of methods: how a category decides what to ask and when it is done."""

from collections.abc import Callable
from typing import Any

from thresher.loop.methods import Wish, cascade

Method = Callable[..., Wish]


def certified(*category: Any, **uses: Any) -> Wish:  # noqa: ANN401 -- handed on as they are
    """Precision and recall, both proven: `loop/certified.py`."""
    # here, for its mathematics is slow to import, and a server that starts needs only the names of this table
    from thresher.loop.certified import certified as wish

    return wish(*category, **uses)


METHODS: dict[str, Method] = {"cascade": cascade, "certified": certified}
