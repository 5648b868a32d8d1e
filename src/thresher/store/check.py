"""`thresher check`: catalog, shards and columns compared, and what an interrupted run left mended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from thresher.store.contract import CheckReport, Report

if TYPE_CHECKING:
    from thresher.store.directory import DirectoryStore


@dataclass(slots=True)
class Findings:
    """What a check has seen so far."""

    mend: bool
    report: Report | None = None
    counted: dict[str, int] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)

    def wrong(self, what: str, repair: Callable[[], None] | None = None) -> None:
        """Note what is wrong; where mending is wanted and possible, repair it."""
        self.found.append(what)
        if self.mend and repair is not None:
            repair()
            self.mended.append(what)


def check(store: "DirectoryStore", *, mend: bool, report: Report | None) -> CheckReport:
    """Compare catalog, image bytes and columns; with `mend` repair what an interrupted run left."""
    findings = Findings(mend, report)
    findings.counted["images"] = store.images.count()
    return CheckReport(findings.counted, tuple(findings.found), tuple(findings.mended))
