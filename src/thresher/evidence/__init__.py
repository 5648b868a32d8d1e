"""The mathematics of certificates, pure: no I/O.

    frozen = freeze(promise, probabilities, known_yes=..., seed=...)      once, before the first draw
    step = next_step(State(frozen, answers))                              whenever labels came in
    step is an Ask (more labels, by rank), Certified, or Refused (why, and what it would take)

`certify.py` has the theorem; `martingale.py` the evidence it rests on. docs/how-it-decides.md tells it to a researcher.
"""

from collections.abc import Callable

from thresher.evidence.certify import certify as certify_both
from thresher.evidence.certify import freeze
from thresher.evidence.replay import replay
from thresher.evidence.state import (
    Ask,
    Certified,
    Code,
    Frozen,
    Gold,
    Procedure,
    Promise,
    Refused,
    State,
    Step,
    Wanted,
)

__all__ = [
    "METHODS",
    "Ask",
    "Certified",
    "Code",
    "Frozen",
    "Gold",
    "Promise",
    "Refused",
    "State",
    "Step",
    "Wanted",
    "freeze",
    "next_step",
]

METHODS: dict[str, Callable[[Frozen], Procedure]] = {"certified": certify_both}


def next_step(state: State) -> Step:
    """What a certificate needs next, from what was frozen and the labels so far; the same state, the same step."""
    return replay(METHODS[state.frozen.method](state.frozen), state)
