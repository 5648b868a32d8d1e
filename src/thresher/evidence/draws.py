"""Random draws that anyone can repeat: a keyed permutation of an urn, made one draw at a time.

The words of the stream `stage` are the 8-byte pieces of HMAC-SHA-256(seed, "stage|0"), HMAC-SHA-256(seed, "stage|1"),
... read as big-endian numbers. A number below n is a word modulo n, where words that would favour small numbers are
passed over. The draws are those of a Fisher-Yates shuffle (Knuth, The Art of Computer Programming, volume 2, section
3.4.2, algorithm P) run from the front on a table that holds only what has moved: time and memory grow with the draws,
not with the urn, and every machine draws the same.
"""

import hmac
import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_BLOCK = struct.Struct(">4Q")
_WORDS = 1 << 64


def words(seed: str, stage: str) -> Iterator[int]:
    """The endless stream of 64-bit numbers of a stage; `seed` is hexadecimal."""
    key = bytes.fromhex(seed)
    counter = 0
    while True:
        block = hmac.digest(key, b"%s|%d" % (stage.encode(), counter), "sha256")
        yield from _BLOCK.unpack(block)
        counter += 1


class Permutation:
    """A uniform random order of the ranks first, first + 1, ..., first + size - 1, drawn as far as it is needed."""

    def __init__(self, seed: str, stage: str, first: int, size: int) -> None:
        self.first = first
        self.size = size
        self._words = words(seed, stage)
        self._moved: dict[int, int] = {}
        self._drawn: list[int] = []

    def upto(self, count: int) -> NDArray[np.int64]:
        """The ranks of the first `count` draws, in order; all of them when there are fewer."""
        return self.between(0, count)

    def between(self, start: int, stop: int) -> NDArray[np.int64]:
        """The ranks of the draws with numbers from `start` up to but not including `stop`, counted from 0."""
        stop = min(stop, self.size)
        moved, drawn, stream = self._moved, self._drawn, self._words
        for place in range(len(drawn), stop):
            limit = self.size - place
            fair = _WORDS - _WORDS % limit
            while (word := next(stream)) >= fair:
                pass
            chosen = place + word % limit
            rank = held = moved.pop(place, place)
            if chosen != place:
                rank = moved.get(chosen, chosen)
                moved[chosen] = held
            drawn.append(self.first + rank)
        return np.array(drawn[start:stop], np.int64)
