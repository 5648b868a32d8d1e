"""The pictures: a thousand distinct ones of about 100 KB, each copy with 16 bytes of its own at the end."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from stores.contract import BATCH, Named

DISTINCT = 1000
OWN_BYTES = 16


class Pictures:
    """Bytes by number. They do not compress, as JPEG does not."""

    def __init__(self, mean_bytes: int = 100_000, distinct: int = DISTINCT) -> None:
        chance = np.random.default_rng(1)
        sizes = chance.integers(mean_bytes // 2, mean_bytes * 3 // 2, distinct)
        self.base = [chance.bytes(int(size)) for size in sizes]

    def __getitem__(self, number: int) -> bytes:
        return self.base[number % len(self.base)] + number.to_bytes(OWN_BYTES, "big")

    def named(self, numbers: Sequence[int]) -> list[Named]:
        """Pictures with their SHA-256."""
        found = ((number, self[number]) for number in numbers)
        return [(number, sha256(data).digest(), data) for number, data in found]


def number_of(data: bytes) -> int:
    """Which picture these bytes are."""
    return int.from_bytes(data[-OWN_BYTES:], "big")


def batches(numbers: range) -> list[range]:
    return [numbers[start : start + BATCH] for start in range(0, len(numbers), BATCH)]
