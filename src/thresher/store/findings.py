"""The results of a check: counts, problems, and repairs. Every store's check uses it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from thresher.errors import ThresherError
from thresher.records import Progress
from thresher.store.contract import Categories, CheckReport, Columns, Report, Rounds

ROWS_NAMED: Final = 5
# What one interrupted run leaves is less than this; more at once means that the catalog is not the one of these bytes.
FEW: Final = 20
FEW_SHARE: Final = 0.1
MOST: Final = 5_000
MEND: Final = "thresher check --mend"
RECOVER: Final = "thresher check --recover"
Repair = Callable[[], object]
"""Makes a repair; returns False if it could not be made."""
Name = TypeVar("Name", bound=tuple[Any, ...])


@dataclass(slots=True)
class Findings:
    """The results of a check so far.

    `images` is the number of images in the catalog; `force` allows a repair to move the bytes of many images, or to
    mark many as lost. `held` is the reason why no bytes may be moved in this check, or empty.
    """

    mend: bool
    report: Report | None = None
    every_byte: bool = False
    force: bool = False
    images: int = 0
    held: str = ""
    counted: dict[str, int] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    mendable: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, what: str, by: int = 1) -> None:
        """Add to a count."""
        self.counted[what] = self.counted.get(what, 0) + by

    def wrong(self, what: str, repair: Repair | None = None) -> None:
        """Note a problem; if repairs are wanted, make one. A repair that returns False could not be made."""
        self.found.append(what)
        if repair is None:
            return
        if not self.mend:
            self.mendable.append(what)
        elif repair() is not False:
            self.mended.append(what)

    def hold(self, why: str) -> None:
        """Move no bytes and mark no image as lost in this check, for this reason; a second reason is not needed."""
        self.held = self.held or why

    def may_move(self, count: int) -> bool:
        """Whether `mend` may move so many images to the quarantine; if not, the reason and the next command are noted.

        It may not if the catalog is damaged, or if they are more than an interrupted run leaves.
        """
        then = f"{RECOVER} makes rows for them; {MEND} --force moves them to the quarantine"
        return self._may(count, "are not moved", "the catalog may be older than its images, or of elsewhere", then)

    def may_give_up(self, count: int) -> bool:
        """Whether `mend` may mark so many images as lost; if not, the reason and the next command are noted."""
        then = f"bring their shards back; {MEND} --force marks them, so that the next harvest stores them again"
        return self._may(count, "are not marked as lost", "their files may be on a disk that is not there now", then)

    def _may(self, count: int, what: str, suspicion: str, then: str) -> bool:
        few = count <= min(MOST, max(FEW, FEW_SHARE * self.images))
        if not count or (not self.held and (few or self.force)):
            return True
        why = self.held or f"with {self.images:,} images in the catalog, {suspicion}. Next: {then}"
        self.refused.append(f"{count:,} images {what}: {why}")
        return False

    def miscounted(self, owner: str, name: str, kept: int, counted: int, repair: Repair) -> None:
        """Note a wrong counter; `owner` is its category, or empty for the whole workspace."""
        told = f"catalog: the counter {name!r} of {owner or 'the workspace'} is {kept}, and should be {counted}"
        if name.startswith("labels:") and kept > counted:
            told = f"{told}: labels are missing; the next turn makes anew those that follow from answers"
        self.wrong(told, repair)

    def lost_bytes(self, rows: Sequence[int]) -> None:
        """Note the images without bytes, if any: the next harvest of them brings the bytes back."""
        if rows:
            self.count("images without bytes", len(rows))
            self.wrong(f"images: {len(rows)} have lost their bytes ({named(rows)}); harvest them again")

    def lost_rows(self, rows: Sequence[int], tables: Sequence[str]) -> None:
        """Note rows that others name and that have no image, if any; their bytes may be among those of no row."""
        if rows:
            what = f"catalog: {len(rows)} rows of {', '.join(tables)} have no image ({named(rows)})"
            self.wrong(f"{what}; {RECOVER} makes them anew if their bytes are there")
            self.hold(f"{len(rows):,} rows have no image, and these bytes may be theirs. Next: {RECOVER}")

    def hold_if_fewer(self, kept: int, counted: int) -> None:
        """Move no bytes if the catalog has fewer rows of images than were counted when they were stored."""
        if kept > counted:
            self.hold(f"the catalog has lost {kept - counted:,} rows, and these bytes may be theirs. Next: {RECOVER}")

    def miscounted_images(self, kept: int, counted: int, spare: int, repair: Repair) -> None:
        """Note a wrong number of images: the counter is wrong, or with `spare` bytes of no row, rows are lost."""
        if kept > counted and spare:
            self.wrong(f"catalog: {kept - counted} of {kept} rows of images are lost; {RECOVER} makes them anew")
        else:
            self.miscounted("", "images", kept, counted, repair)

    def told(self) -> CheckReport:
        """The report that the contract returns."""
        lists = (self.found, self.mended, self.mendable, self.refused, self.notes)
        return CheckReport(self.counted, *map(tuple, lists))

    def progress(self, stage: str, done: int, total: int, unit: str) -> None:
        """Report progress."""
        if self.report is not None:
            self.report(Progress(stage, done, total, unit))


def named(rows: Sequence[int]) -> str:
    """The first of some rows, for a message."""
    return f"rows {', '.join(map(str, rows[:ROWS_NAMED]))}" + (", ..." if len(rows) > ROWS_NAMED else "")


def tell_lost_scores(categories: Categories, rounds: Rounds, columns: Columns, findings: Findings) -> None:
    """Check that the newest round of each current question has its column of scores."""
    there = columns.names()
    for category in categories.all():
        try:
            newest = rounds.latest(category.name, category.question.version)
        except ThresherError as error:
            findings.wrong(f"rounds of {category.name}: {error.what}")
            continue
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
