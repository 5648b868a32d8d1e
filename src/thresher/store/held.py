"""Labels as a process last read them: read again only if another one has changed them since.

The change mark says whether one has. What this process writes itself is put into them, as it knows both the mark that
it found and the one that it made. So a turn that changes thirty labels of a million does not read a million again.
They are kept as records, not as arrays, as most stages go through records: making a million takes longer than a turn
may. A label takes about 230 bytes, so there is a limit over all categories: those used last stay.
"""

import threading
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from thresher.records import Label
from thresher.store.contract import Held
from thresher.store.rules import TRUST, most_trusted

MOST_LABELS: Final = 500_000
"""Labels that are kept, 115 MB; those of one category are kept however many they are, while it is the last used."""


@dataclass(frozen=True)
class _Read:
    """Every label of a question's version, by row and trust, and the mark of which they are."""

    version: int
    mark: int
    labels: list[Label]

    @cached_property
    def held(self) -> Held:
        return Held(most_trusted(self.labels))


class KnownLabels:
    """The labels of some categories that were read last, of one version of its question. Safe from any thread."""

    def __init__(self, most: int = MOST_LABELS) -> None:
        self._most = most
        self._read: dict[str, _Read] = {}  # the one used last is the last
        self._turn = threading.Lock()

    def all_of(self, category: str, version: int, mark: int) -> list[Label] | None:
        """Every label, if they are known as they are at this mark."""
        with self._turn:
            known = self._at(category, version, mark)
        return None if known is None else list(known.labels)

    def held(self, category: str, version: int, mark: int) -> Held | None:
        """Those that hold, if they are known as they are at this mark."""
        with self._turn:
            known = self._at(category, version, mark)
        return None if known is None else known.held.again()

    def keep(self, category: str, version: int, mark: int, labels: Sequence[Label]) -> None:
        """Know what was just read, with or after this mark."""
        with self._turn:
            self._use(category, _Read(version, mark, list(labels)))

    def put(self, category: str, version: int, found: int, labels: Sequence[Label]) -> None:
        """Know what this process wrote, where the mark was `found` before and moved by one."""
        with self._turn:
            if (known := self._at(category, version, found)) is None:
                return
            changed = list(known.labels)
            for label in labels:
                at = bisect_left(changed, _order(label), key=_order)
                there = at < len(changed) and _order(changed[at]) == _order(label)
                changed[at : at + there] = [label]
            self._use(category, _Read(version, found + 1, changed))

    def take_out(self, category: str, version: int, found: int, dropped: tuple[int, Collection[int]]) -> None:
        """Know that this process deleted labels, given by their trust and rows, where the mark moved as above."""
        with self._turn:
            if (known := self._at(category, version, found)) is None:
                return
            trust, rows = dropped[0], set(dropped[1])
            left = [label for label in known.labels if label.row not in rows or TRUST[label.source] != trust]
            self._use(category, _Read(version, found + 1, left))

    def _at(self, category: str, version: int, mark: int) -> _Read | None:
        known = self._read.get(category)
        if known is None or (known.version, known.mark) != (version, mark):
            return None
        self._use(category, known)
        return known

    def _use(self, category: str, known: _Read) -> None:
        """Keep labels as those used last, and forget those used longest ago while there are too many."""
        self._read.pop(category, None)
        self._read[category] = known
        there = sum(len(one.labels) for one in self._read.values())
        for name in list(self._read)[:-1]:
            if there <= self._most:
                break
            there -= len(self._read.pop(name).labels)


def _order(label: Label) -> tuple[int, int]:
    return label.row, TRUST[label.source]
