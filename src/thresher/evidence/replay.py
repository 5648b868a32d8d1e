"""`next_step`: replay a procedure from what was frozen, through the labels there are, to the first that is missing.

Nothing of a procedure is stored: its draws follow from the seed, its decisions from the draws and the labels. So a
crash at any moment resumes to the same certificate, and nothing is drawn twice. A procedure sees an ask's labels only
when all are there, in the order of the draws: neither who answers first nor what comes back late can steer it.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from thresher.evidence.martingale import cut_down
from thresher.evidence.state import (
    Ask,
    Certified,
    Code,
    Codes,
    Procedure,
    Ranks,
    Refused,
    State,
    Step,
    Want,
    Wanted,
)


def replay(procedure: Procedure, state: State) -> Step:
    """Run a procedure as far as the labels reach: what to ask next, or how it ended."""
    asked: set[tuple[int, bool]] = set()
    try:
        wants, ahead = next(procedure)
        while True:
            missing = tuple(part for part in (_missing(want, _labels(state, want)) for want in wants) if part.ranks)
            if missing:
                return Ask(missing, asked=len(asked), ahead=ahead)
            asked.update((rank, want.sure) for want in wants for rank in want.ranks.tolist())
            wants, ahead = procedure.send(tuple(_codes(want, _labels(state, want)) for want in wants))
    except StopIteration as end:
        ended: Certified | Refused = end.value
        return counted(ended, state) if isinstance(ended, Certified) else ended


def counted(certified: Certified, state: State) -> Certified:
    """The certificate of all labels there are, of which its procedure saw those it asked for.

    Others came late, asked about to learn. A no among the accepted is taken out and a yes elsewhere joins: neither
    makes more of the set false, nor more of the yes missed.
    """
    delivered = state.frozen.known_yes + len(released(certified, state))
    counts = dict(certified.counts)
    if "sure_yes" in counts:
        counts["precision_at_least"] = cut_down(min(max(counts["sure_yes"], 0.0) / max(delivered, 1), 1.0))
    claim = certified.claim.format(delivered=delivered, **counts)
    if not delivered:
        claim = f"With confidence {1 - certified.delta:.10g} this pool holds no yes: the empty set misses nothing."
    return replace(certified, delivered=delivered, counts=counts, claim=claim)


def _labels(state: State, want: Want) -> Mapping[int, int]:
    return state.answers if want.sure else state.said


def _codes(want: Want, labels: Mapping[int, int]) -> Codes:
    return np.array([labels[rank] for rank in want.ranks.tolist()], np.int8)


def _missing(want: Want, labels: Mapping[int, int]) -> Wanted:
    places = [(place, rank) for place, rank in enumerate(want.ranks.tolist()) if rank not in labels]
    draws = tuple(want.first_draw + place if want.first_draw >= 0 else -1 for place, _ in places)
    return Wanted(want.purpose, tuple(rank for _, rank in places), draws, want.sure)


def released(certified: Certified, state: State) -> Ranks:
    """The ranks of the released set, ascending; the images known to be yes before the freeze belong to it too.

    Ranks below `accepted`, the middle that people call yes, and the yes found elsewhere; without what labels refute.
    """
    found = [rank for rank, code in state.answers.items() if code == Code.YES and _joins(rank, certified, state)]
    refuted = [rank for rank, code in state.answers.items() if code != Code.YES]
    middle = [
        rank
        for rank, code in state.said.items()
        if code == Code.YES and certified.accepted <= rank < certified.rejected
    ]
    inside = np.concatenate([np.arange(certified.accepted, dtype=np.int64), np.array(middle, np.int64)])
    return np.asarray(
        np.union1d(np.setdiff1d(inside, np.array(refuted, np.int64)), np.array(found, np.int64)), np.int64
    )


def _joins(rank: int, certified: Certified, state: State) -> bool:
    """Whether a yes found outside the accepted set is released.

    Where adjudication is known to slip, among many no that an audit draws it calls some yes: only ranks adjudicated in
    place of a word are counted by the bounds (adjudicated.py), so only they join.
    """
    frozen = state.frozen
    if frozen.gold is None or frozen.method == "recall" or rank < certified.accepted:
        return True
    if frozen.method != "adjudicated" or rank >= certified.rejected:
        return False
    return rank < frozen.reject_from or state.said.get(rank, Code.UNANSWERABLE) == Code.UNANSWERABLE
