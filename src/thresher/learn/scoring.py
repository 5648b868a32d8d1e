"""The product of many float16 vectors with a few float32 weights, at the speed at which memory delivers the vectors.

There are two kernels; the first that can be imported is used. With numba a vector is widened in the processor's
registers and never written back, which reads memory at full speed. Without it, blocks that fit a core's cache are
widened with integer operations and passed to the matrix library, at about a sixth of that speed.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.compute import cores
from thresher.learn.threads import one_thread

Matrix = NDArray[np.float32]
Halves = NDArray[np.float16]
Product = Callable[[Halves, Matrix, Matrix], None]

BLOCK_BYTES = 1 << 18  # of float32: with its halves and the weights a block stays in a core's own cache
WORTH_COMPILING_BYTES = 1 << 29  # numba takes a second and a half, in which blocks would have read this much and more
PIECE_BYTES = 1 << 22  # of float16: below this a thread costs more than it saves
SIGN_AND_REST = np.int32(-0x70002000)  # bits 31 and 27 to 13
BIAS = np.float32(2.0**112)  # between the exponents of float16 and float32


def product(matrix: Halves, weights: Matrix, *, kernel: str = "", threads: int = 0) -> Matrix:
    """matrix [N, d] float16 times weights [d] or [d, k] float32: float32 [N] or [N, k]. Numbers must be finite.

    `kernel` is one of KERNELS, the best installed one when empty; `threads` 0 uses one per core.
    """
    weights = np.ascontiguousarray(weights, np.float32)
    out = np.empty((len(matrix), *weights.shape[1:]), np.float32)
    if not len(matrix):
        return out
    multiply = KERNELS[kernel]() if kernel else _best(matrix, weights)
    pieces = min(threads or cores(), max(1, matrix.nbytes // PIECE_BYTES))
    cuts = np.linspace(0, len(matrix), pieces + 1).astype(np.int64)
    with one_thread(), ThreadPoolExecutor(pieces) as pool:
        begun = [pool.submit(multiply, matrix[start:stop], weights, out[start:stop]) for start, stop in pairwise(cuts)]
        for piece in begun:
            piece.result()
    return out


def widen(halves: Halves, out: Matrix) -> None:
    """float16 as float32, exactly, for finite numbers: on whole arrays, whereas numpy's cast converts number by number.

    A float16 has the bits of a float32, 13 places lower and with an exponent that is 112 less.
    """
    bits = out.view(np.int32)
    np.copyto(bits, halves.view(np.int16))  # spreads the sign upwards
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, SIGN_AND_REST, out=bits)
    np.multiply(out, BIAS, out=out)


def _blocked() -> Product:
    def multiply(matrix: Halves, weights: Matrix, out: Matrix) -> None:
        size = max(16, BLOCK_BYTES // (4 * matrix.shape[1]))
        buffer = np.empty((size, matrix.shape[1]), np.float32)
        for start in range(0, len(matrix), size):
            block = buffer[: min(size, len(matrix) - start)]
            widen(matrix[start : start + size], block)
            np.dot(block, weights, out=out[start : start + size])

    return multiply


@lru_cache(maxsize=1)
def _compiled() -> Product:
    """The kernel that numba compiles, once per process."""
    import numba
    from numba.extending import intrinsic

    # numba has no float16 of its own on a processor, LLVM has: one instruction where the processor has it
    def as_float32(_: Any, bits: Any) -> Any:  # noqa: ANN401, ARG001 -- numba's -- numba's own signature
        from llvmlite import ir

        def widened(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401, ARG001 -- numba's
            return builder.fpext(builder.bitcast(arguments[0], ir.HalfType()), ir.FloatType())

        return numba.types.float32(numba.types.uint16), widened

    convert: Any = intrinsic(as_float32)

    def rows_times(bits: Any, weights: Any, out: Any) -> None:  # noqa: ANN401 -- compiled for arrays
        for row in range(bits.shape[0]):
            total = np.float32(0)
            for place in range(bits.shape[1]):
                total += convert(bits[row, place]) * weights[place]
            out[row] = total

    # rows that lie one after another in memory mapped to be read only: the layout lets LLVM take eight numbers at once
    bits = numba.types.Array(numba.types.uint16, 2, "C", readonly=True)
    numbers = numba.types.float32[::1]
    compiled = numba.njit((bits, numbers, numbers), fastmath=True, nogil=True)(rows_times)

    def multiply(matrix: Halves, weights: Matrix, out: Matrix) -> None:
        compiled(np.ascontiguousarray(matrix).view(np.uint16), weights, out)

    return multiply


KERNELS: dict[str, Callable[[], Product]] = {"numba": _compiled, "blocked": _blocked}


def _best(matrix: Halves, weights: Matrix) -> Product:
    """numba's where it is installed and worth compiling; for several weights the matrix library is as fast."""
    if weights.ndim == 1 and matrix.nbytes >= WORTH_COMPILING_BYTES:
        try:
            return _compiled()
        except ImportError:  # the extra "fast" is not installed, or does not fit this Python
            pass
    return _blocked()
