"""The results of a check: counts, problems, and repairs. Every store's check uses it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from thresher.records import Progress
from thresher.store.contract import Categories, CheckReport, Columns, Report, Rounds

ROWS_NAMED: Final = 5
Name = TypeVar("Name", bound=tuple[Any, ...])


@dataclass(slots=True)
class Findings:
    """The results of a check so far."""

    mend: bool
    report: Report | None = None
    every_byte: bool = False
    counted: dict[str, int] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)

    def count(self, what: str, by: int = 1) -> None:
        """Add to a count."""
        self.counted[what] = self.counted.get(what, 0) + by

    def wrong(self, what: str, repair: Callable[[], object] | None = None) -> None:
        """Note a problem; if repairs are wanted, make one. A repair that returns False could not be made."""
        self.found.append(what)
        if self.mend and repair is not None and repair() is not False:
            self.mended.append(what)

    def miscounted(self, owner: str, name: str, kept: int, counted: int, repair: Callable[[], object]) -> None:
        """Note a wrong counter; `owner` is its category, or empty for the whole workspace."""
        told = f"catalog: the counter {name!r} of {owner or 'the workspace'} is {kept}, and should be {counted}"
        self.wrong(told, repair)

    def lost_bytes(self, rows: Sequence[int]) -> None:
        """Note the images without bytes, if any: the next harvest of them brings the bytes back."""
        if rows:
            named = ", ".join(map(str, rows[:ROWS_NAMED])) + (", ..." if len(rows) > ROWS_NAMED else "")
            self.count("images without bytes", len(rows))
            self.wrong(f"images: {len(rows)} have lost their bytes (rows {named}); harvest them again")

    def told(self) -> CheckReport:
        """The report that the contract returns."""
        return CheckReport(self.counted, tuple(self.found), tuple(self.mended))

    def progress(self, stage: str, done: int, total: int, unit: str) -> None:
        """Report progress."""
        if self.report is not None:
            self.report(Progress(stage, done, total, unit))


def tell_lost_scores(categories: Categories, rounds: Rounds, columns: Columns, findings: Findings) -> None:
    """Check that the newest round of each current question has its column of scores."""
    there = columns.names()
    for category in categories.all():
        newest = rounds.latest(category.name, category.question.version)
        if newest is not None and newest.column not in there:
            findings.wrong(
                f"column {newest.column}: the scores of the newest round are missing; the next turn makes them again",
                partial(columns.create, newest.column, 1, "float32"),
            )


def miscounted(kept: Mapping[Name, int], counted: Mapping[Name, int]) -> list[tuple[Name, int, int]]:
    """The wrong counters, with the stored and the counted value; one that is not stored is 0."""
    names = sorted(kept.keys() | counted.keys())
    numbers = ((name, kept.get(name, 0), counted.get(name, 0)) for name in names)
    return [(name, says, there) for name, says, there in numbers if says != there]
