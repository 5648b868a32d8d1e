"""Votes and answers on gold as arrays, ordered by row: what 200,000 records would take seconds to go through."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from thresher.records import Purpose, Says, Vote

Table = NDArray[Any]
"""An array of records (numpy's structured arrays), ordered by its field `row`."""
Rows = NDArray[np.int64]

SAYS: Final = tuple(Says)
PURPOSES: Final = tuple(Purpose)
SAYS_CODE: Final[Mapping[str, int]] = {says: code for code, says in enumerate(SAYS)}
PURPOSE_CODE: Final = {purpose: code for code, purpose in enumerate(PURPOSES)}
YES, NO, UNSURE = (SAYS_CODE[says] for says in (Says.YES, Says.NO, Says.UNSURE))

FEW: Final = 1000  # rows, up to which looking each of them up is quicker than comparing all

VOTES: Final = np.dtype(
    [
        *(("row", np.int64), ("at_ms", np.int64), ("assignment", np.int32), ("worker", np.int32), ("says", np.int8)),
        *(("purpose", np.int8), ("epoch", np.int64), ("draw", np.int64), ("weight", np.float64)),
    ]
)
GOLD: Final = np.dtype([("row", np.int64), ("worker", np.int32), ("says", np.int8)])


@dataclass
class Names:
    """Texts that occur often, each with a number of its own."""

    texts: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def numbered(self, texts: Sequence[str]) -> list[int]:
        """The number of each text; a new one gets the next."""
        new = [text for text in set(texts) if text not in self.numbers]
        self.numbers |= zip(new, range(len(self.texts), len(self.texts) + len(new)), strict=True)
        self.texts += new
        return [self.numbers[text] for text in texts]


@dataclass
class Ballots:
    """The votes of a category and its annotators' answers on gold, by row and then as the store orders them."""

    votes: Table = field(default_factory=lambda: np.empty(0, VOTES))
    rows: Rows = field(default_factory=lambda: np.empty(0, np.int64))  # of the votes
    gold: Table = field(default_factory=lambda: np.empty(0, GOLD))
    workers: Names = field(default_factory=Names)
    assignments: Names = field(default_factory=Names)

    def put_votes(self, votes: Sequence[Vote], rows: Collection[int] | None = None) -> None:
        """Take these votes for those of the rows, or of all rows; they are in the store's order."""
        made = np.empty(len(votes), VOTES)
        made["row"] = [vote.row for vote in votes]
        made["at_ms"] = [vote.at_ms for vote in votes]
        made["assignment"] = self.assignments.numbered([vote.assignment for vote in votes])
        made["worker"] = self.workers.numbered([vote.worker for vote in votes])
        made["says"] = [SAYS_CODE[vote.says] for vote in votes]
        made["purpose"] = [PURPOSE_CODE[vote.purpose] for vote in votes]
        made["epoch"] = [vote.epoch for vote in votes]
        made["draw"] = [vote.draw for vote in votes]
        made["weight"] = [vote.weight for vote in votes]
        self.votes = replaced(self.votes, made, rows)
        self.rows = rows_of(self.votes)

    def put_gold(self, answers: Sequence[tuple[int, str, str]], rows: Collection[int] | None = None) -> None:
        """Take these answers on gold (row, worker, says) for those of the rows, or of all rows."""
        made = np.empty(len(answers), GOLD)
        made["row"] = [row for row, _, _ in answers]
        made["worker"] = self.workers.numbered([worker for _, worker, _ in answers])
        made["says"] = [SAYS_CODE[says] for _, _, says in answers]
        self.gold = replaced(self.gold, made, rows)

    def asked_for(self, purpose: Purpose) -> list[Vote]:
        """The votes that were asked for with a purpose."""
        return self.records(self.votes[self.votes["purpose"] == PURPOSE_CODE[purpose]])

    def records(self, some: Table) -> list[Vote]:
        """Some of the votes as records."""
        return list(self._records(some))

    def _records(self, some: Table) -> Iterator[Vote]:
        workers, assignments = self.workers.texts, self.assignments.texts
        for row, at_ms, assignment, worker, says, purpose, epoch, draw, weight in some.tolist():
            yield Vote(
                row, workers[worker], SAYS[says], PURPOSES[purpose], assignments[assignment], weight, at_ms, epoch, draw
            )

    def numbers_of(self, people: Collection[str]) -> NDArray[np.int64]:
        """The numbers of those of the people who have answered anything."""
        known = (self.workers.numbers.get(person, -1) for person in people)
        return np.array([number for number in known if number >= 0], np.int64)


def replaced(table: Table, made: Table, rows: Collection[int] | None) -> Table:
    """The table with other lines for some rows, or for all of them; both are ordered by row."""
    if rows is None:
        return made
    gone = among(table["row"], rows)
    kept = table[~gone] if gone.any() else table
    joined: Table = np.insert(kept, np.searchsorted(kept["row"], made["row"]), made)
    return joined


def among(rows: Rows, some: Collection[int]) -> NDArray[np.bool_]:
    """Which of the rows, in ascending order, are among some others."""
    wanted = np.unique(np.fromiter(some, np.int64, len(some)))
    if len(wanted) > FEW:
        return np.isin(rows, wanted)
    found = np.zeros(len(rows), np.bool_)
    for first, last in zip(np.searchsorted(rows, wanted), np.searchsorted(rows, wanted, "right"), strict=True):
        found[first:last] = True
    return found


def rows_of(table: Table) -> Rows:
    """The rows of the lines, side by side in memory: a look into a field of a table copies it each time."""
    return np.ascontiguousarray(table["row"])


def distinct(rows: Rows) -> Rows:
    """The rows, each once, of rows in ascending order."""
    first = np.ones(len(rows), np.bool_)
    first[1:] = rows[1:] != rows[:-1]
    return rows[first]


def either(some: Rows, others: Rows) -> Rows:
    """The rows that are in either of two lists, ascending and each once."""
    return distinct(np.sort(np.concatenate([some, others]), kind="stable"))


def of_row(table: Table, rows: Rows, row: int) -> Table:
    """The lines of a row, by the rows of all lines."""
    first, last = np.searchsorted(rows, [row, row + 1])
    return table[first:last]
