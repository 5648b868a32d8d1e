"""Random draws that anyone can repeat: a keyed permutation of an urn, made one draw at a time.

The words of the stream `stage` are the 8-byte pieces of HMAC-SHA-256(seed, "stage|0"), HMAC-SHA-256(seed, "stage|1"),
... read as big-endian numbers. A number below n is a word modulo n, where words that would favour small numbers are
passed over. The draws are those of a Fisher-Yates shuffle (Knuth, The Art of Computer Programming, volume 2, section
3.4.2, algorithm P) run from the front on a table that holds only what has moved: time and memory grow with the draws,
not with the urn, and every machine draws the same.
"""

import hmac
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_WORD_BYTES = 8
_WORDS = 1 << (8 * _WORD_BYTES)


def words(seed: str, stage: str) -> Iterator[int]:
    """The endless stream of 64-bit words of a stage; `seed` is hexadecimal."""
    key = bytes.fromhex(seed)
    counter = 0
    while True:
        block = hmac.digest(key, b"%s|%d" % (stage.encode(), counter), "sha256")
        for start in range(0, len(block), _WORD_BYTES):
            yield int.from_bytes(block[start : start + _WORD_BYTES], "big")
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
        count = min(count, self.size)
        while len(self._drawn) < count:
            self._drawn.append(self.first + self._next(len(self._drawn)))
        return np.asarray(self._drawn[:count], np.int64)

    def _next(self, place: int) -> int:
        chosen = place + self._below(self.size - place)
        held = self._moved.pop(place, place)
        if chosen == place:
            return held
        drawn = self._moved.get(chosen, chosen)
        self._moved[chosen] = held
        return drawn

    def _below(self, limit: int) -> int:
        fair = _WORDS - _WORDS % limit
        for word in self._words:
            if word < fair:
                return word % limit
        raise AssertionError("the stream of words has no end")
