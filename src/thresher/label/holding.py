"""The labels of a category as an array, by row and then by trust."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from thresher.label.ballots import PURPOSE_CODE, PURPOSES, SAYS, SAYS_CODE, Table, among
from thresher.records import TRUSTED, Label, Says, Source

SOURCES: Final = tuple(Source)
TRUST: Final = {source: trust for trust, source in enumerate(SOURCES)}
OF_PEOPLE: Final = tuple(TRUST[source] for source in TRUSTED["people"])

LABELS: Final = np.dtype(
    [
        *(("row", np.int64), ("trust", np.int8), ("says", np.int8), ("purpose", np.int8), ("at_ms", np.int64)),
        *(("posterior", np.float64), ("votes", np.int64), ("epoch", np.int64), ("draw", np.int64)),
    ]
)


@dataclass
class LabelTable:
    """The labels of every source."""

    version: int = 0
    lines: Table = field(default_factory=lambda: np.empty(0, LABELS))

    def put_all(self, labels: Sequence[Label]) -> None:
        """Take these labels for all that there are; they are by row and trust."""
        self.lines = _lines(labels)

    def put(self, labels: Sequence[Label]) -> None:
        """Add labels; one of the same row and source replaces the earlier one."""
        made = _lines(labels)
        made = made[np.argsort(_keys(made), kind="stable")]
        gone = among(_keys(self.lines), _keys(made).tolist())
        kept = self.lines[~gone] if gone.any() else self.lines
        self.lines = np.insert(kept, np.searchsorted(_keys(kept), _keys(made)), made)

    def drop(self, source: Source, rows: Collection[int]) -> None:
        """Take away the labels of one source on some rows."""
        if rows:
            of_source = self.lines["trust"] == TRUST[source]
            self.lines = self.lines[~(of_source & np.isin(self.lines["row"], list(rows)))]

    def of(self, *sources: Source) -> Table:
        """The lines of some sources."""
        return self.lines[np.isin(self.lines["trust"], [TRUST[source] for source in sources])]

    def final(self) -> Mapping[int, Says]:
        """The answers that people gave and that hold whatever others vote, by row."""
        lines = self.lines[np.isin(self.lines["trust"], OF_PEOPLE)]
        return {row: SAYS[says] for row, says in zip(lines["row"].tolist(), lines["says"].tolist(), strict=True)}

    def records(self, some: Table) -> list[Label]:
        """Some of the lines as records."""
        return [
            Label(
                row, SAYS[says], SOURCES[trust], PURPOSES[purpose], self.version, at_ms, posterior, votes, epoch, draw
            )
            for row, trust, says, purpose, at_ms, posterior, votes, epoch, draw in some.tolist()
        ]

    def most_trusted(self) -> Table:
        """One line a row, that of the most trusted source."""
        rows = self.lines["row"]
        first = np.ones(len(rows), np.bool_)
        first[1:] = rows[1:] != rows[:-1]
        return self.lines[first]


def _lines(labels: Sequence[Label]) -> Table:
    made = np.empty(len(labels), LABELS)
    made["row"] = [label.row for label in labels]
    made["trust"] = [TRUST[label.source] for label in labels]
    made["says"] = [SAYS_CODE[label.says] for label in labels]
    made["purpose"] = [PURPOSE_CODE[label.purpose] for label in labels]
    made["at_ms"] = [label.at_ms for label in labels]
    made["posterior"] = [label.posterior for label in labels]
    made["votes"] = [label.votes for label in labels]
    made["epoch"] = [label.epoch for label in labels]
    made["draw"] = [label.draw for label in labels]
    return made


def _keys(lines: Table) -> NDArray[Any]:
    keys: NDArray[Any] = lines["row"] * len(SOURCES) + lines["trust"]
    return keys
