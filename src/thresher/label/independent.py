"""Votes of different people: of two votes on an image from one device, the first one counts.

Two personal links used in one browser are one person as far as anybody can tell, and one person must not be both of
those who agree. A shared network address says nothing: families and laboratories have one.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import TypeVar

from thresher.records import Vote
from thresher.store.contract import Store

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
    people = (person, *store.people.alike(person))
    return {row for one in people for row in store.work.asked(category, one).tolist()}
