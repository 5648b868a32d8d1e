"""Which asks form a task: the same number of votes in each, purposes mixed, and people left who may take it."""

import hmac
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, zip_longest

from thresher.records import Ask, Purpose

ASSIGNMENT_COSTS = 4  # answers: the gold of the smallest assignment (deal.py), and reading the question once more


def together(asks: Sequence[Ask]) -> list[Ask]:
    """The asks; those of a few images want as many votes as more images do, where that costs less than their gold.

    All images of a task get the same number of votes, and every assignment of a small task has gold: three further
    votes on one image are fewer answers than two assignments of that image alone.
    """
    rows: dict[int, set[int]] = defaultdict(set)
    for ask in asks:
        rows[ask.votes_wanted].add(ask.row)
    raised = {votes: votes for votes in rows}
    for votes, more in pairwise(sorted(rows)):
        if len(rows[votes]) * (more - votes) <= votes * ASSIGNMENT_COSTS:
            raised = {wanted: more if now == votes else now for wanted, now in raised.items()}
            rows[more] |= rows[votes]
    return [replace(ask, votes_wanted=raised[ask.votes_wanted]) for ask in asks]


def compose(asks: Sequence[Ask], size: int, before: "Before", key: bytes) -> list[list[list[Ask]]]:
    """Batches of the asks, for each part apart: the first in order of priority, others each in an order of its own.

    Two parts should share no more than half of a batch: less than two tasks' worth of each is cut in halves, and the
    images of each batch are spread evenly over the batches of further parts, as chance alone would not.
    """
    parts: dict[int, list[Ask]] = defaultdict(list)
    for ask in asks:
        parts[ask.part].append(ask)
    composed: list[list[list[Ask]]] = []
    together: dict[int, tuple[int, ...]] = defaultdict(tuple)  # for each row its batch in each part so far
    for part, some in sorted(parts.items()):
        halves = len(parts) > 1 and size <= len(some) < 2 * size
        largest = math.ceil(len(some) / 2) if halves else size
        composed.append(split(_spread(some, together, part, key) if part else some, largest, before))
        for number, batch in enumerate(composed[-1]):
            together.update({ask.row: (*together[ask.row], number) for ask in batch})
    return composed


def _spread(asks: Sequence[Ask], together: Mapping[int, tuple[int, ...]], part: int, key: bytes) -> list[Ask]:
    """The asks in a random order in which those of rows that are together elsewhere come at even distances.

    The order is the same whenever they are composed.
    """
    shuffled = sorted(asks, key=lambda ask: hmac.digest(key, f"part {part}/{ask.row}".encode(), "sha256"))
    groups: dict[tuple[int, ...], list[Ask]] = defaultdict(list)
    for ask in shuffled:
        groups[together.get(ask.row, ())].append(ask)
    placed = [((place + 0.5) / len(group), ask) for group in groups.values() for place, ask in enumerate(group)]
    return [ask for _, ask in sorted(placed, key=lambda spot: spot[0])]


def alternating(parts: Sequence[Sequence[list[Ask]]]) -> list[list[Ask]]:
    """The batches of all parts in turn.

    Whoever answers one of a part can take no task of another part that shows the same images. Tasks are taken in order,
    so that those who come first take different parts, and each part finds people.
    """
    return [batch for batches in zip_longest(*parts) for batch in batches if batch is not None]


@dataclass(frozen=True, slots=True)
class Before:
    """Who has answered which image already, and how many people there are."""

    voters: Mapping[int, frozenset[str]] = field(default_factory=dict)
    people: int = 0


def split(asks: Sequence[Ask], size: int, before: Before | None = None) -> list[list[Ask]]:
    """Batches of at most `size` asks: the same number of votes and no image twice in each, purposes mixed evenly.

    `before` says who answered which image already. Those people cannot get a task that shows it again, so the images of
    a batch are chosen such that at least a third of the people, and as many as are wanted, can take it.
    """
    before = before or Before()
    batches: list[_Batch] = []
    filling: list[_Batch] = []
    for ask in mixed(asks):
        most = before.people - max(ask.votes_wanted, math.ceil(before.people / 3))
        voters = before.voters.get(ask.row, frozenset())
        batch = next((some for some in filling if some.takes(ask, voters, most)), None)
        if batch is None:
            batch = _Batch()
            batches.append(batch)
            filling.append(batch)
        batch.asks[ask.row] = ask
        batch.voters |= voters
        if len(batch.asks) == size:
            filling.remove(batch)
    return [list(batch.asks.values()) for batch in batches]


@dataclass
class _Batch:
    """A task under construction, and the people who could not take it."""

    asks: dict[int, Ask] = field(default_factory=dict)
    voters: frozenset[str] = frozenset()

    def takes(self, ask: Ask, voters: frozenset[str], most: int) -> bool:
        """Whether an ask may join: same number of votes, another image, and enough people left to take the task."""
        alike = next(iter(self.asks.values())).votes_wanted == ask.votes_wanted and ask.row not in self.asks
        return alike and (voters <= self.voters or len(self.voters | voters) <= most)


def mixed(asks: Sequence[Ask]) -> list[Ask]:
    """Asks with their purposes interleaved evenly; each purpose keeps its order, which is the order of its draws."""
    by_purpose: dict[Purpose, list[Ask]] = defaultdict(list)
    for ask in asks:
        by_purpose[ask.purpose].append(ask)
    placed = [
        ((place + 0.5) / len(group), ask.id, ask) for group in by_purpose.values() for place, ask in enumerate(group)
    ]
    return [ask for _, _, ask in sorted(placed, key=lambda spot: spot[:2])]
