"""The parts of a workspace that every store shares: people, rounds, jobs, servers as lines, and the end of a check."""

from abc import abstractmethod
from collections.abc import Collection, Iterator
from typing import Any, Self

from thresher.store.check_answers import changed_answers
from thresher.store.check_columns import tell_damaged_columns
from thresher.store.check_seals import Changed, changed_claims, changed_evidence, changed_labels, changed_rounds, tell
from thresher.store.columns import CheckedColumns
from thresher.store.contract import PARTS, CheckReport, Lines, Part, Report, Store
from thresher.store.findings import Findings, tell_lost_scores
from thresher.store.frozen import changed_rankings
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
        try:
            for category in self.categories.all():  # before the counters, which count what is made anew
                for one in self._changed(category.name):
                    tell(one, findings)
            self._compare(findings)
            tell_damaged_columns(self.columns, findings)
            tell_lost_scores(self.categories, self.rounds, self.columns, findings)
            findings.counted["images"] = self.images.count()
        except BaseException:
            if findings.mended:
                self._move(PARTS)
            raise
        if mend:  # also with nothing to mend: an earlier one may have been killed
            self._move(PARTS)
        return findings.told()

    def changed(self, category: str) -> tuple[str, ...]:
        return tuple(one.what for one in self._changed(category))

    def _changed(self, category: str) -> Iterator[Changed]:
        yield from changed_answers(self.transfer, category)
        audited: set[int] = set()
        yield from changed_labels(self.labels, self.transfer, category, audited)
        yield from changed_rounds(self.lines, category)
        yield from changed_claims(self.lines, category)
        yield from changed_evidence(self.lines, self.rounds, category, audited)
        yield from changed_rankings(category, self.images, self.columns, self.lines, self.rounds)

    @abstractmethod
    def _compare(self, findings: Findings) -> None:
        """Compare catalog, image bytes and columns; with `mend`, repair what an interrupted run left behind."""

    @abstractmethod
    def _move(self, parts: Collection[Part]) -> None:
        """Move parts of the change marks of all categories."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
