"""Which images have a verdict that is not written yet: the looks at all images of a category, as arrays.

Of 66,000 images with votes nearly all are as they were, or agreed on. Only the others are gone through one by one
(votes.py).
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from thresher.label.ballots import NO, PURPOSES, SAYS, YES, Rows, Table, either
from thresher.label.estimated import Counted, posterior_of
from thresher.label.remembered import Memory
from thresher.records import Label, Says, Source

Flags = NDArray[np.bool_]

MOVED: Final = 0.02  # a posterior that moved less is not worth a write
NOBODY: Final = -1


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of the votes on an image: an answer, or None; and its probability (that of a yes, where None)."""

    says: Says | None
    posterior: float


def verdict_of(posterior: float, held: Label | None, sure: float) -> Verdict:
    """The verdict for a posterior probability of a yes.

    An answer needs `sure`; an existing label stays until its doubt is twice that, so that an image near the limit is
    not asked about again whenever the estimates of the crowd change a little.
    """
    before = np.array([NOBODY if held is None else SAYS.index(held.says)])
    says, likely = _verdicts(np.array([posterior]), before, sure)
    return Verdict(None, posterior) if says[0] == NOBODY else Verdict(SAYS[says[0]], float(likely[0]))


def _verdicts(
    likely: NDArray[np.float64], held: NDArray[np.int64], sure: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The answer to each image, or NOBODY, and its probability, by the posteriors and the answers of its labels."""
    kept = 1.0 - 2.0 * (1.0 - sure)
    yes = likely >= np.where(held == YES, kept, sure)
    no = ~yes & (1.0 - likely >= np.where(held == NO, kept, sure))
    return np.where(yes, YES, np.where(no, NO, NOBODY)), np.where(no, 1.0 - likely, likely)


@dataclass(frozen=True, slots=True)
class Images:
    """The images to look at, by row, and for each: its votes, its label of the people's consensus, and the verdict."""

    rows: Rows
    votes: Table  # those that count, of all images
    begin: NDArray[np.int64]  # where the votes on each image begin
    count: NDArray[np.int64]  # and how many there are
    held: Flags  # whether there is a label of the consensus
    says: NDArray[np.int64]  # the verdict's answer, or NOBODY
    likely: NDArray[np.float64]  # and its probability
    waits: Flags  # whether an ask is open
    same: Flags  # whether the label says the same, from the same votes
    simple: Flags  # whether no audit asked for it, and each of its voters counts

    def quiet(self) -> Flags:
        """Which of them are as they should be."""
        answered = self.says != NOBODY
        waiting = self.waits & (answered | ~self.held)
        quiet: Flags = self.simple & (self.count > 0) & (waiting | (~self.waits & answered & self.same))
        return quiet

    def agreed(self) -> Flags:
        """Which of them get the label of their verdict."""
        agreed: Flags = self.simple & (self.count > 0) & ~self.waits & (self.says != NOBODY) & ~self.same
        return agreed

    def labels(self, version: int, now_ms: int) -> Iterator[Label]:
        """The labels of those that are agreed on."""
        wanted = np.flatnonzero(self.agreed())
        if not len(wanted):
            return
        newest = self.votes[self.begin[wanted] + self.count[wanted] - 1]
        columns = (self.rows, self.says, self.likely, self.count)
        of_votes = (newest[name].tolist() for name in ("purpose", "epoch", "draw"))
        for row, says, likely, count, purpose, epoch, draw in zip(
            *(column[wanted].tolist() for column in columns), *of_votes, strict=True
        ):
            yield Label(
                row, SAYS[says], Source.CONSENSUS, PURPOSES[purpose], version, now_ms, likely, count, epoch, draw
            )


def images_of(memory: Memory, here: Counted, final: Set[int], open_rows: Rows, sure: float) -> Images:
    """The images whose votes, label or asks changed since the last settling, or all, without those that are `final`."""
    votes, consensus = here.votes, memory.held.of(Source.CONSENSUS)
    rows = either(here.rows, consensus["row"]) if memory.whole else _changed(memory, open_rows)
    if final:
        rows = rows[~np.isin(rows, np.fromiter(final, np.int64, len(final)))]
    begin, end = np.searchsorted(here.rows, rows), np.searchsorted(here.rows, rows, "right")
    label = _at(consensus, np.searchsorted(consensus["row"], rows))
    held = label["row"] == rows
    there = held | (end > begin)
    rows, begin, end, label, held = (values[there] for values in (rows, begin, end, label, held))
    says, likely = _verdicts(posterior_of(memory, rows), np.where(held, label["says"], NOBODY), sure)
    newest = _at(votes, end - 1)
    same = held & (label["says"] == says) & (np.abs(label["posterior"] - likely) <= MOVED)
    same &= (
        (label["votes"] == end - begin) & (label["purpose"] == newest["purpose"]) & (label["draw"] == newest["draw"])
    )
    audits = np.concatenate([[0], np.cumsum(votes["epoch"] > 0)])
    return Images(
        rows=rows,
        votes=votes,
        begin=begin,
        count=end - begin,
        held=held,
        says=says,
        likely=likely,
        waits=np.isin(rows, open_rows),
        same=same,
        simple=(audits[end] == audits[begin]) & ~np.isin(rows, here.doubled),
    )


def _at(lines: Table, places: NDArray[np.int64]) -> Table:
    """The lines at some places; any lines where there are none."""
    if not len(lines):
        nothing: Table = np.full(len(places), NOBODY).astype(lines.dtype)
        return nothing
    return lines[np.clip(places, 0, len(lines) - 1)]


def _changed(memory: Memory, open_rows: Rows) -> Rows:
    """The rows whose votes changed since the last settling, or whose ask has ended."""
    ended = np.setdiff1d(memory.watched, open_rows, assume_unique=True)
    return np.union1d(np.fromiter(memory.changed, np.int64, len(memory.changed)), ended)
