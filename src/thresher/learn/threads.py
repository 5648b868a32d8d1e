"""Limits the threads of the matrix libraries, which start one per core even for the smallest product, and busy-wait."""

import sys
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import numpy as np

from thresher.compute import cores

MANY = 1000  # vectors: products of fewer are done before other threads have woken
BRINGS_ITS_OWN = frozenset({"numpy", "scipy.linalg", "sklearn", "torch"})


def one_thread() -> AbstractContextManager[object]:
    """Compute each product in the calling thread. The limit is that of the whole process: the libraries have one."""
    return _at_most(1)


def one_thread_for_few(vectors: int) -> AbstractContextManager[object]:
    """Use one thread if so few vectors are multiplied that more threads would only cost time, else one per core.

    Left to themselves the libraries start one per core of the machine, in a container that may use only two as well.
    """
    return _at_most(1 if vectors < MANY else cores())


def without_stray_flags() -> AbstractContextManager[object]:
    """Tell nobody of invalid values in products of finite numbers.

    Kernels of the matrix libraries compute on the padding beside a small matrix too, whatever lies there, and leave the
    flag of it set (seen with OpenBLAS in numpy 2, products of float32 with five columns). The product itself is right.
    """
    return np.errstate(invalid="ignore")


def _at_most(threads: int) -> AbstractContextManager[object]:
    controller = _controller(BRINGS_ITS_OWN.intersection(sys.modules))
    if all(library.num_threads <= threads for library in controller.lib_controllers):
        return nullcontext()
    limited: AbstractContextManager[object] = controller.limit(limits=threads)
    return limited


@cache
def _controller(_loaded: frozenset[str]) -> Any:  # noqa: ANN401 -- threadpoolctl ships no types
    """The object that sets the limit; made once, as finding a process's libraries takes longer than a small fit."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
