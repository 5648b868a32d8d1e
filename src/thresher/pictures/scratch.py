"""Memory for what lies between the bytes and the pixels of a picture, used again by the next picture of a thread.

Fresh memory of such a size comes from the operating system page by page, and goes back at once: 480 faults and half of
the time of a picture.
"""

import threading
from math import prod

import numpy as np
from numpy.typing import NDArray

LARGEST_KEPT_BYTES = 1 << 25  # a huge picture's is not kept


class _Kept(threading.local):
    def __init__(self) -> None:
        self.blocks: dict[str, NDArray[np.uint8]] = {}


_kept = _Kept()


def floats(use: str, *shape: int) -> NDArray[np.float32]:
    """An array with any values in it, float32, for one use; the next call for that use overwrites it."""
    return block(use, 4 * prod(shape)).view(np.float32).reshape(shape)


def block(use: str, size: int) -> NDArray[np.uint8]:
    """So many bytes with any values in them, for one use; the next call for that use overwrites them."""
    found = _kept.blocks.get(use)
    if found is None or found.nbytes < size:
        found = np.empty(size, np.uint8)
        if size <= LARGEST_KEPT_BYTES:
            _kept.blocks[use] = found
    return found[:size]
