"""How many threads the matrix libraries may use: they wake one a core for the smallest product, and let it spin."""

import sys
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

MANY = 1000  # vectors: products of fewer are done before other threads have woken
BRINGS_ITS_OWN = frozenset({"numpy", "scipy.linalg", "sklearn", "torch"})


def one_thread() -> AbstractContextManager[object]:
    """Keep each product in the thread that asks for it. The number is the whole process's, as the libraries have it."""
    limited: AbstractContextManager[object] = _controller(BRINGS_ITS_OWN.intersection(sys.modules)).limit(limits=1)
    return limited


def one_thread_for_few(vectors: int) -> AbstractContextManager[object]:
    """One thread where so few vectors are multiplied that more of them only cost."""
    return one_thread() if vectors < MANY else nullcontext()


@cache
def _controller(_loaded: frozenset[str]) -> Any:  # noqa: ANN401 -- threadpoolctl ships no types
    """What sets the number; the search for the libraries of a process takes longer than a small fit, so once a set."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
