"""What a check gathers: counts, what is wrong, and what was mended. Every store's check speaks through it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from thresher.records import Progress
from thresher.store.contract import CheckReport, Report


@dataclass(slots=True)
class Findings:
    """What a check has seen so far."""

    mend: bool
    report: Report | None = None
    counted: dict[str, int] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)

    def count(self, what: str, by: int = 1) -> None:
        """Add to what was counted."""
        self.counted[what] = self.counted.get(what, 0) + by

    def wrong(self, what: str, repair: Callable[[], object] | None = None) -> None:
        """Note what is wrong; where mending is wanted, repair it. A repair that answers False could not be made."""
        self.found.append(what)
        if self.mend and repair is not None and repair() is not False:
            self.mended.append(what)

    def told(self) -> CheckReport:
        """What the contract answers."""
        return CheckReport(self.counted, tuple(self.found), tuple(self.mended))

    def progress(self, stage: str, done: int, total: int, unit: str) -> None:
        """Tell whoever waits."""
        if self.report is not None:
            self.report(Progress(stage, done, total, unit))
