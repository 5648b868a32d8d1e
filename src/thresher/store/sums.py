"""Checksums of columns: one of 32 bits for each row, over the column's name and shape, the row's number and its values.

It is a multilinear hash (Carter and Wegman 1979; Lemire and Kaser 2014), because it is a matrix-vector product: a
million embeddings take less than a second. A changed value, an exchanged row and a file of another column are found
but for one in four thousand million. It is no defence against somebody who computes it too.
"""

from functools import cache
from hashlib import blake2b, shake_128
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from thresher.store.columns import Shape
from thresher.store.contract import Rows

Sums = NDArray[np.uint32]
NONE: Final = 0
"""Where there is no row; the checksum of no row is 0."""
SUM: Final = np.dtype("<u4")
_WORD: Final = np.dtype("<u8")
_SHORT: Final = np.dtype("<u4")
_HALF: Final = np.uint64(32)
BLOCK_BYTES: Final = 1 << 22
BLOCK_ROWS: Final = 1 << 14  # what is computed of a block stays in the cache of a core


def sums_of(shape: Shape, rows: Rows, values: NDArray[Any]) -> Sums:
    """The checksums [n] of values [n, width] of the column's dtype at rows [n]."""
    found = np.empty(len(rows), np.uint32)
    at_once = max(1, min(BLOCK_ROWS, BLOCK_BYTES // shape.row_bytes))
    for start in range(0, len(rows), at_once):
        part = slice(start, start + at_once)
        found[part] = _block(shape, rows[part], values[part])
    return found


def _block(shape: Shape, rows: Rows, values: NDArray[Any]) -> Sums:
    little = np.ascontiguousarray(values, dtype=np.dtype(shape.dtype).newbyteorder("<"))
    raw = little.view(np.uint8).reshape(len(rows), shape.row_bytes)
    words = _words(raw)
    factors = _factors(words.shape[1] + 2)
    mixed = words[:, 0] * factors[2] if words.shape[1] == 1 else words @ factors[2:]
    mixed += rows.astype(np.uint64) * factors[0]
    mixed += _seed(shape.name, shape.width, shape.dtype)
    mixed ^= mixed >> _HALF  # so that every bit of a word reaches the upper half
    mixed *= factors[1]
    mixed >>= _HALF
    sums: Sums = mixed.astype(np.uint32)
    sums[sums == NONE] = NONE + 1
    return sums


def _words(raw: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Rows of bytes as numbers of eight bytes each, with zeros at the end of a row."""
    size = raw.shape[1]
    if size % _WORD.itemsize == 0:
        return raw.view(_WORD)
    if size == _SHORT.itemsize:
        return raw.view(_SHORT).astype(np.uint64)
    words = np.zeros((len(raw), -(-size // _WORD.itemsize)), _WORD)
    words.view(np.uint8)[:, :size] = raw
    return words


@cache
def _factors(count: int) -> NDArray[np.uint64]:
    """Fixed odd numbers: the same on every machine, and a longer list begins with the shorter one."""
    return np.frombuffer(shake_128(b"thresher columns 1").digest(8 * count), _WORD).astype(np.uint64) | np.uint64(1)


@cache
def _seed(name: str, width: int, dtype: str) -> np.uint64:
    return np.uint64(int.from_bytes(blake2b(f"{name} {width} {dtype}".encode(), digest_size=8).digest(), "little"))
