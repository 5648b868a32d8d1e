"""The crowd as a process last estimated it, and when it is estimated anew.

The whole crowd is estimated after each round, and whenever so many answers came that the rates may have moved. In
between only the images of the new answers are computed, by the rates of before: so a label on one image does not change
because somebody answered about another, and one assignment costs the same among 2,000 votes and among 200,000.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thresher.label.ballots import Rows, Table, of_row, rows_of
from thresher.label.consensus import estimate, estimate_some
from thresher.label.independent import Devices
from thresher.label.remembered import Memory
from thresher.records import Says
from thresher.store.contract import Store


@dataclass(frozen=True, slots=True)
class Counted:
    """The votes that count: of people, one a device on each image; and the rows where another did not."""

    votes: Table
    rows: Rows
    doubled: Rows


def counted(memory: Memory) -> Counted:
    """The votes of annotators, without those by somebody who shares a device with an earlier voter."""
    ballots, people = memory.ballots, memory.people
    votes = ballots.votes
    if people.owners:
        votes = votes[~np.isin(votes["worker"], ballots.numbers_of(people.owners))]
    sharing = ballots.numbers_of(people.shared.keys())
    doubtful = np.flatnonzero(np.isin(votes["worker"], sharing)) if len(sharing) else np.empty(0, np.intp)
    if not len(doubtful):
        return Counted(votes, rows_of(votes), np.empty(0, np.int64))
    kept = np.ones(len(votes), np.bool_)
    kept[doubtful] = _first_of_a_device(votes[doubtful], ballots.workers.texts, people.shared)
    votes, doubled = votes[kept], np.unique(votes["row"][~kept])
    return Counted(votes, rows_of(votes), doubled)


def _first_of_a_device(votes: Table, names: list[str], shared: Devices) -> list[bool]:
    """Whether each vote is by somebody who shares no device with an earlier voter on the image."""
    used: dict[int, set[str]] = {}
    first = []
    for row, worker in zip(votes["row"].tolist(), votes["worker"].tolist(), strict=True):
        own, there = shared[names[worker]], used.setdefault(row, set())
        first.append(there.isdisjoint(own))
        if first[-1]:
            there |= own
    return first


def bring_up_to_date(category: str, memory: Memory, here: Counted, final: Mapping[int, Says], *, store: Store) -> None:
    """Estimate the crowd anew if it is time, and otherwise the images whose votes or certain answers changed."""
    known = dict(memory.gold)
    known |= {row: says is Says.YES for row, says in final.items() if says is not Says.UNSURE}
    moved = {row for row, _ in known.items() ^ memory.known.items()}
    memory.known = known
    if memory.estimate is not None and moved:
        of_gold = rows_of(memory.ballots.gold)
        memory.drift += sum(len(of_row(here.votes, here.rows, row)) for row in moved)
        memory.drift += sum(len(of_row(memory.ballots.gold, of_gold, row)) for row in moved)
    memory.changed |= moved
    round_now = _round(category, memory, store)
    if memory.estimate is None or memory.round != round_now or memory.drift * memory.often > len(here.votes):
        memory.estimate = estimate(memory.ballots, here.votes, known)
        memory.since, memory.drift, memory.round, memory.whole = {}, 0, round_now, True
    elif memory.changed:
        rows, likely = estimate_some(memory.ballots, here.votes, sorted(memory.changed), known, memory.estimate)
        memory.since |= dict(zip(rows.tolist(), likely.tolist(), strict=True))


def _round(category: str, memory: Memory, store: Store) -> int:
    """The number of the last round; 0 before the first."""
    if memory.rounds_mark == memory.mark.rounds and memory.estimate is not None:
        return memory.round
    memory.rounds_mark = memory.mark.rounds
    latest = store.rounds.latest(category, memory.version)
    return latest.number if latest else 0


def posterior_of(memory: Memory, rows: Rows) -> NDArray[np.float64]:
    """The probability of a yes for each of the rows; 0.5 for one without votes."""
    found = np.full(len(rows), 0.5)
    if memory.estimate is not None and len(memory.estimate.rows):
        at = np.minimum(np.searchsorted(memory.estimate.rows, rows), len(memory.estimate.rows) - 1)
        there = memory.estimate.rows[at] == rows
        found[there] = memory.estimate.likely[at[there]]
    if memory.since:
        newer = np.fromiter(memory.since, np.int64, len(memory.since))
        for place in np.flatnonzero(np.isin(rows, newer)).tolist():
            found[place] = memory.since[int(rows[place])]
    return found
