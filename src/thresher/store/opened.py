"""The parts of a workspace that every store shares: people, rounds, jobs, servers as lines, and the end of a check."""

from abc import abstractmethod
from typing import Any, Self

from thresher.store.check_columns import tell_damaged_columns
from thresher.store.columns import CheckedColumns
from thresher.store.contract import CheckReport, Lines, Report, Store
from thresher.store.findings import Findings, tell_lost_scores
from thresher.store.jobs import LinedJobs, LinedServers
from thresher.store.people import LinedPeople
from thresher.store.rounds import LinedRounds


class OpenedStore(Store):
    """A workspace whose generic lines are one part; a store adds the other parts and the comparison for `check`."""

    columns: CheckedColumns[Any]

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.people = LinedPeople(lines)
        self.rounds = LinedRounds(lines)
        self.jobs = LinedJobs(lines)
        self.servers = LinedServers(lines)

    def check(
        self, *, mend: bool, every_byte: bool = False, force: bool = False, report: Report | None = None
    ) -> CheckReport:
        findings = Findings(mend, report, every_byte, force, self.images.count())
        self._compare(findings)
        tell_damaged_columns(self.columns, findings)
        tell_lost_scores(self.categories, self.rounds, self.columns, findings)
        findings.counted["images"] = self.images.count()
        return findings.told()

    @abstractmethod
    def _compare(self, findings: Findings) -> None:
        """Compare catalog, image bytes and columns; with `mend`, repair what an interrupted run left behind."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
