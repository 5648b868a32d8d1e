"""What a process remembers of a category's votes, labels and annotators between two turns.

The change mark (`Categories.mark`) says which of them moved. Of the votes only those on the images of new reviews are
read then: every change of votes is a line in the list of reviews, which only grows. If the list and the mark do not
agree (a repair, a copy), or a label was written by somebody else, all of that kind are read again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Final

import numpy as np

from thresher.label.ballots import Ballots, Rows
from thresher.label.consensus import Estimate
from thresher.label.holding import LabelTable
from thresher.label.independent import Devices, shared_devices
from thresher.label.standing import annotators
from thresher.records import Says
from thresher.settings import Settings
from thresher.store.contract import Mark, Store
from thresher.store.kinds import REVIEW
from thresher.store.shapes import Named

NEWEST: Final = 20  # reviews that are read beyond the number of new ones: clocks of servers differ a little
LOOKS: Final = 5  # at the mark and the number of reviews, until nobody reviewed in between
MANY: Final = 20  # reviews, from which on reading all votes is quicker than those on their images
OFTEN: Final = 50
NEVER: Final = -1


@dataclass(frozen=True, slots=True)
class People:
    """The owners of a workspace, the annotators who may be asked, and the devices that several people use."""

    owners: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    shared: Devices = field(default_factory=dict)


@dataclass
class Memory:
    """A category's votes, labels and estimates as a process last read them; empty at first, and then read whole.

    One for each category and process, handed to each function of this package that takes one. Without it they read
    everything, and come to the same. `changed` are the rows whose votes changed since the last settling, or `whole` is
    True: then any may have. The whole crowd is estimated anew when one in `often` of all answers is new (estimated.py).
    """

    often: int = OFTEN
    version: int = 0
    mark: Mark = field(default_factory=Mark)
    ballots: Ballots = field(default_factory=Ballots)
    held: LabelTable = field(default_factory=LabelTable)
    gold: Mapping[int, bool] = field(default_factory=dict)
    people: People = field(default_factory=People)
    changed: set[int] = field(default_factory=set)
    whole: bool = True
    rules: tuple[float, ...] = ()
    read: set[str] = field(default_factory=set)  # the parts of the mark that are as remembered
    reviews: dict[tuple[str, int], tuple[int, str]] = field(default_factory=dict)  # the version and worker of each
    reviewed: Counter[tuple[int, str]] = field(default_factory=Counter)  # assignments, by version and worker
    sent: dict[str, tuple[str, Rows]] = field(default_factory=dict)  # worker and asked images of some assignments
    unlisted: int = 0  # moves of the mark's votes without a line in the list of reviews
    # of the last estimate of the whole crowd:
    estimate: Estimate | None = None
    since: dict[int, float] = field(default_factory=dict)  # posteriors that changed since
    known: Mapping[int, bool] = field(default_factory=dict)  # the answers taken for certain, of the last settling
    drift: int = 0  # answers that changed since
    round: int = NEVER
    rounds_mark: int = NEVER
    watched: Rows = field(default_factory=lambda: np.empty(0, np.int64))  # asked about, at the end of the last settling

    def forget(self) -> None:
        """Empty it: everything is read again."""
        fresh = Memory(self.often)
        for one in fields(self):
            setattr(self, one.name, getattr(fresh, one.name))

    @contextmanager
    def trusted(self) -> Iterator[None]:
        """A use of it; if that fails half-way, everything is forgotten."""
        try:
            yield
        except BaseException:
            self.forget()
            raise

    def refresh(self, category: str, version: int, *, store: Store) -> None:
        """Read what has moved since the last time."""
        if version != self.version:
            self.forget()
            self.version = self.held.version = version
        mark = store.categories.mark(category)
        if mark.repairs != self.mark.repairs:  # of which neither the list of reviews nor anything else tells
            self.forget()
            self.version = self.held.version = version
        if self._moved("people", mark):
            self._read_people(store)
        if self._moved("votes", mark):
            # of the later mark only the votes: the people may have moved since they were read
            mark = replace(mark, votes=self._read_votes(category, mark.votes, store))
        if self._moved("labels", mark):
            self.read_labels(category, store=store)
        if self._moved("gold", mark):
            gold = store.labels.gold(category, version)
            self.gold = {piece.row: piece.says is Says.YES for piece in gold}
        self.mark = mark
        self.read = {"people", "votes", "labels", "gold"}

    def _moved(self, part: str, mark: Mark) -> bool:
        return part not in self.read or getattr(mark, part) != getattr(self.mark, part)

    def _read_people(self, store: Store) -> None:
        owners = frozenset(worker.id for worker in store.people.all() if worker.owner)
        people = People(owners, frozenset(annotators(store=store)), shared_devices(store=store))
        if (people.owners, people.shared) != (self.people.owners, self.people.shared):
            self.whole, self.estimate = True, None  # other votes count
        self.people = people

    def _read_votes(self, category: str, votes: int, store: Store) -> int:
        """Read the votes of new reviews, or all; returns the mark of votes that belongs to them."""
        for _ in range(LOOKS):
            listed = self._listed(category, store)
            votes, before = store.categories.mark(category).votes, votes
            if votes == before:  # nobody reviewed while the list was read
                break
        new, unlisted = listed.keys() - self.reviews.keys(), votes - len(listed)
        known = "votes" in self.read and self.reviews.keys() <= listed.keys() and unlisted == self.unlisted
        if known and len(new) < MANY + len(self.reviews) // MANY:
            self._read_reviewed(category, {assignment for assignment, _ in new}, store)
        else:
            self.ballots.put_votes(store.labels.votes(category, self.version))
            self.ballots.put_gold(store.labels.gold_answers(category, self.version))
            self.whole, self.estimate = True, None
        self.reviews, self.unlisted = listed, unlisted
        self.reviewed = Counter(by for (_, number), by in listed.items() if number == 1)
        return votes

    def _listed(self, category: str, store: Store) -> dict[tuple[str, int], tuple[int, str]]:
        """The name of each review: those remembered and the newest, if that is all, or else read whole."""
        there = store.lines.count(REVIEW, category)
        some = max(there - len(self.reviews), 0) + NEWEST
        newest = store.lines.page(REVIEW, category, by=("at_ms",), descending=True, limit=some)
        listed = self.reviews | _named(newest)
        return listed if len(listed) == there else _named(store.lines.page(REVIEW, category))

    def _read_reviewed(self, category: str, assignments: Set[str], store: Store) -> None:
        """Read the votes and answers on gold of the images of some assignments."""
        asked, hidden = set[int](), set[int]()
        for name in assignments:
            there = store.work.get(name)
            if there.version == self.version:
                asked |= {place.row for place in there.dealt if place.ask is not None}
                hidden |= {place.row for place in there.dealt if place.ask is None}
                self.drift += len(there.dealt)
        if asked:
            self.ballots.put_votes(store.labels.votes(category, self.version, sorted(asked)), asked)
            self.changed |= asked
        if hidden:
            self.ballots.put_gold(store.labels.gold_answers(category, self.version, sorted(hidden)), hidden)

    def read_labels(self, category: str, *, store: Store) -> None:
        """Read all labels."""
        self.held.put_all(store.labels.all_of(category, self.version))
        self.whole = True

    def go_by(self, settings: Settings) -> None:
        """Look at every image if the settings that decide about them are others than the last time."""
        rules = (settings.votes, settings.votes_most, settings.sure)
        self.whole |= rules != self.rules
        self.rules = rules

    def settled(self, watched: Rows) -> None:
        """Note that all that changed was settled, and the rows whose asks are open, so that their end is seen."""
        self.changed, self.whole, self.watched = set(), False, watched

    def wrote_labels(self, category: str, moves: int, *, store: Store) -> None:
        """Note labels that were written, moving the mark so often: they are as remembered if nobody else wrote any."""
        labels = store.categories.mark(category).labels
        if labels == self.mark.labels + moves:
            self.mark = replace(self.mark, labels=labels)
        else:
            self.read.discard("labels")


def _named(reviews: Sequence[Named]) -> dict[tuple[str, int], tuple[int, str]]:
    """The version and the worker of each review, by its key."""
    return {(one["assignment"], one["number"]): (one["version"], one["worker"]) for one in reviews}
