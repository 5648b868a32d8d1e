"""The results of a check: counts, problems, and repairs. Every store's check uses it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from thresher.records import Progress
from thresher.store.contract import Categories, CheckReport, Columns, Report, Rounds


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
