"""Votes of different people: of two votes on an image from one device, the first one counts.

Two personal links used in one browser are one person as far as anybody can tell, and one person must not be both of
those who agree. A shared network address says nothing: families and laboratories have one.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TypeVar

from thresher.label.adjudicate import MOST_VOTES
from thresher.records import Vote
from thresher.store.contract import Store

# Where more than so many have not voted, somebody was not asked yet: it saves reading what each of them was shown.
MANY = 2 * MOST_VOTES
Devices = Mapping[str, frozenset[str]]
Said = TypeVar("Said")


def votes_of_people(category: str, version: int, *, store: Store, rows: Sequence[int] | None = None) -> list[Vote]:
    """The votes on a category's images, by row and then time, one a device on each image."""
    return once_a_device(store.labels.votes(category, version, rows), shared_devices(store=store))


def shared_devices(*, store: Store) -> Devices:
    """The devices that several people use, by each of these people; whoever uses none of them is left out."""
    devices = store.people.devices()
    users = Counter(device for own in devices.values() for device in own)
    shared = {person: frozenset(one for one in own if users[one] > 1) for person, own in devices.items()}
    return {person: own for person, own in shared.items() if own}


def once_a_device(votes: Sequence[Vote], shared: Devices) -> list[Vote]:
    """The votes, given in order of time, without those by somebody who shares a device with an earlier voter."""
    used: dict[int, set[str]] = defaultdict(set)
    kept = []
    for vote in votes:
        own = shared.get(vote.worker, frozenset())
        if used[vote.row].isdisjoint(own):
            kept.append(vote)
            used[vote.row] |= own
    return kept


def left_alone(said: Sequence[tuple[str, Said]], shared: Devices) -> list[tuple[str, Said]]:
    """What people said of one thing, in order of time, one a person and device."""
    used: set[str] = set()
    kept = []
    for person, what in said:
        own = shared.get(person, frozenset()) | {f"person {person}"}
        if used.isdisjoint(own):
            kept.append((person, what))
            used |= own
    return kept


def left_to_ask(people: Set[str], voters: Set[str], shared: Devices) -> int:
    """How many people are neither among the voters on an image nor share a device with one of them."""
    used = frozenset[str]().union(*(shared.get(voter, frozenset()) for voter in voters))
    alike = {person for person, own in shared.items() if not used.isdisjoint(own)} if used else set()
    return len(people) - len(people & (voters | alike))


def were_shown(category: str, person: str, *, store: Store) -> set[int]:
    """The rows that a person, or somebody at their devices, was asked about, whatever became of the answers."""
    return set(store.work.asked(category, person, *store.people.alike(person)).tolist())


@dataclass
class LeftToAsk:
    """Who may still be asked about an image: people who were not shown it, at a device of nobody who was."""

    category: str
    people: Set[str]
    shared: Devices
    store: Store
    _shown: dict[str, set[int]] = field(default_factory=dict)

    def count(self, row: int, voters: Set[str], among: Set[str] | None = None) -> int:
        """How many may be asked, of all or `among` some of them; `voters` are the people who have a vote on it."""
        people = self.people if among is None else among
        left = left_to_ask(people, voters, self.shared)
        return left if left > MANY else left_to_ask(people, voters | self._saw(row, people), self.shared)

    def _saw(self, row: int, people: Set[str]) -> set[str]:
        """Those who were asked about an image: the answers of some of them were rejected."""
        for person in people - self._shown.keys():
            self._shown[person] = were_shown(self.category, person, store=self.store)
        return {person for person in people if row in self._shown[person]}
