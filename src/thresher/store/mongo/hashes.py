"""A cache of the SHA-256 of rows: it never changes, and without it reading an image takes two queries."""

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from thresher.store.mongo.link import Link

BLOCK: Final = 256
BYTES: Final = 32
Value = TypeVar("Value", np.uint8, np.bool_)


class Hashes:
    """A table of 32 bytes per row, filled a block of neighbours at a time. Rows without bytes are left out."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._hashes: NDArray[np.uint8] = np.zeros((0, BYTES), dtype=np.uint8)

    def of(self, rows: Sequence[int]) -> dict[int, bytes]:
        """The SHA-256 of those rows that have bytes."""
        found = _known(self._hashes, rows)
        if missing := sorted({row // BLOCK for row in rows if row not in found and row >= 0}):
            # if two threads extend it at once, one reads its block again later
            self._hashes = hashes = grown(self._hashes, (missing[-1] + 1) * BLOCK)
            blocks = [{"row": {"$gte": block * BLOCK, "$lt": (block + 1) * BLOCK}} for block in missing]
            wanted = {"$or": blocks, "bare": {"$exists": False}}
            table = self.link.table("images")
            for one in table.find(wanted, {"row": 1}, batch_size=len(missing) * BLOCK + 1):
                hashes[one["row"]] = np.frombuffer(one["_id"], dtype=np.uint8)
            found |= _known(hashes, rows)  # another thread may have put a longer table in its place
        return found


def _known(hashes: NDArray[np.uint8], rows: Sequence[int]) -> dict[int, bytes]:
    # no picture hashes to zeros: nobody has ever found one that does
    known = ((row, hashes[row].tobytes()) for row in rows if 0 <= row < len(hashes))
    return {row: name for row, name in known if any(name)}


def grown(table: NDArray[Value], length: int) -> NDArray[Value]:
    """A table of at least a length, zeros at its end, with room for as many again, so that growing is rare."""
    if len(table) >= length:
        return table
    longer = np.zeros((max(length, 2 * len(table)), *table.shape[1:]), dtype=table.dtype)
    longer[: len(table)] = table
    return longer
