"""`next_step`: run a procedure from what was frozen through the labels so far, until it needs a label that is missing.

No state of a procedure is stored: its draws follow from the seed, its decisions from the draws and the labels. So
after a crash it continues to the same certificate, and nothing is drawn twice. A procedure gets the labels of an ask
only when all of them are there, in the order of the draws: the order in which people answer cannot influence it.

When no more answers can come (`State.closed`), it gets the labels of the first draws, as far as each of them has one,
and ends with what these prove; a procedure that needs all of them ends without a certificate. Any such beginning is a
sample that the procedure might have stopped at, and its proof holds wherever it stops.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile

import numpy as np

from thresher.evidence.figures import figures_of
from thresher.evidence.releasing import refuted, released, withheld
from thresher.evidence.state import (
    NO_WORD,
    Ask,
    Begun,
    Certified,
    Code,
    Codes,
    Procedure,
    Refused,
    State,
    Step,
    Want,
    Wanted,
)


def replay(procedure: Procedure, state: State) -> Step:
    """Run a procedure as far as there are labels: what to ask next, or the result."""
    asked: set[tuple[int, bool]] = set()
    short = False
    try:
        wants, ahead = next(procedure)
        while True:
            missing = tuple(part for part in (_missing(want, _labels(state, want)) for want in wants) if part.ranks)
            if missing and not state.closed:
                return Ask(missing, asked=len(asked), ahead=ahead, further=_further(wants, state))
            if missing and not all(want.partial for want in wants):
                return _spent(missing, len(asked), ahead)
            if begun := next((want.begins for want in wants if want.begins and _is_new(want.begins, state)), None):
                return Ask((), asked=len(asked), ahead=ahead, begins=begun)
            short = short or bool(missing)
            got = tuple(_codes(want, _labels(state, want), state) for want in wants)
            for want, codes in zip(wants, got, strict=True):
                asked.update((rank, want.sure) for rank in want.ranks[: len(codes)].tolist())
            wants, ahead = procedure.send(got)
    except StopIteration as end:
        ended: Certified | Refused = end.value
        return counted(ended, state) if isinstance(ended, Certified) else replace(ended, spent=short)


def _spent(missing: tuple[Wanted, ...], asked: int, ahead: int) -> Refused:
    images = len({rank for part in missing for rank in part.ranks})
    return Refused(
        why=f"the budget of answers is spent, and the audits lack the labels of {images:,} images",
        take=f"a larger budget: the audits need about {max(ahead, images):,} more images",
        ahead=max(ahead, images),
        asked=asked,
        spent=True,
    )


def _further(wants: tuple[Want, ...], state: State) -> tuple[Wanted, ...]:
    """The draws that may be asked for in advance, without those that have a label or are asked for now."""
    now = {rank: 0 for want in wants for rank in want.ranks.tolist()}
    found = (
        _missing(
            replace(want, ranks=want.further, first_draw=want.first_draw + len(want.ranks)),
            {**now, **_labels(state, want)},
        )
        for want in wants
        if len(want.further)
    )
    return tuple(part for part in found if part.ranks)


def counted(certified: Certified, state: State) -> Certified:
    """The certificate over all labels there are, including those that the procedure did not ask for.

    Such labels arrived late or were asked for to learn. A no among the accepted images is removed and a yes elsewhere
    is added: neither lowers the precision or the recall of the set.
    """
    known = state.frozen.known_yes - state.corrections.known_lost + state.corrections.known_found
    known -= len(refuted(state)[refuted(state) >= state.frozen.ranks])
    delivered = known + len(released(certified, state))
    counts = figures_of(certified, state, delivered)
    if state.frozen.gold is not None:
        counts["withheld"] = len(withheld(certified, state))
    return replace(certified, delivered=delivered, counts=counts)


def _labels(state: State, want: Want) -> Mapping[int, int]:
    if want.sure:
        return state.answers
    ranks = (*want.ranks.tolist(), *want.further.tolist())
    return {rank: state.said.get(rank, NO_WORD) for rank in ranks if rank in state.said or rank in state.answers}


def _is_new(begun: Begun, state: State) -> bool:
    return state.accepted is not None and begun.attempt not in state.accepted


def _codes(want: Want, labels: Mapping[int, int], state: State) -> Codes:
    """The labels of the first ranks, as far as each of them has one: of all of them unless the budget is spent."""
    if want.begins and state.accepted is not None and state.accepted[want.begins.attempt] != want.begins.sha256:
        return np.array([Code.UNANSWERABLE], np.int8)
    there = takewhile(lambda rank: rank in labels, want.ranks.tolist())
    return np.array([labels[rank] for rank in there], np.int8)


def _missing(want: Want, labels: Mapping[int, int]) -> Wanted:
    places = [(place, rank) for place, rank in enumerate(want.ranks.tolist()) if rank not in labels]
    draws = tuple(want.first_draw + place if want.first_draw >= 0 else -1 for place, _ in places)
    return Wanted(want.purpose, tuple(rank for _, rank in places), draws, want.sure)
