"""The random draws, repeated from the seed: docs/certificate-format.md, "The draws"."""

import hashlib
import hmac
from collections.abc import Iterator

WORD_LIMIT = 2**64


def stream(seed: str, stage: str) -> Iterator[int]:
    """The 64-bit words of a stage; `seed` is hexadecimal."""
    key, counter = bytes.fromhex(seed), 0
    while True:
        block = hmac.new(key, f"{stage}|{counter}".encode(), hashlib.sha256).digest()
        yield from (int.from_bytes(block[at : at + 8], "big") for at in range(0, 32, 8))
        counter += 1


def shuffled(seed: str, stage: str, size: int) -> Iterator[int]:
    """The items 0, ..., size - 1 in their random order, one draw after the other; memory grows with the draws."""
    words = stream(seed, stage)
    table: dict[int, int] = {}  # where it differs from the item at its own place
    for place in range(size):
        left = size - place
        word = next(words)
        while word >= WORD_LIMIT - WORD_LIMIT % left:
            word = next(words)
        other = place + word % left
        drawn, here = table.get(other, other), table.get(place, place)
        table[other] = here
        table.pop(place, None)
        yield drawn
