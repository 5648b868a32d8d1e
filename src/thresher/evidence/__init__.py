"""The mathematics of certificates, pure: no I/O.

    frozen = freeze(promise, probabilities, known_yes=..., seed=...)      once, before the first draw
    step = next_step(State(frozen, answers))                              whenever labels came in
    step is an Ask (more labels, by rank), Certified, or Refused (why, and what it would take)

`certify.py` has the theorem of the joint certificate; `martingale.py` the evidence all rest on; `precision.py`,
`recall.py` and `adjudicated.py` the other promises; `verify.py` checks a certificate from its log alone.
docs/how-it-decides.md tells it to a researcher.
"""

from collections.abc import Callable
from dataclasses import dataclass

from thresher.evidence.adjudicated import certify_adjudicated, freeze_adjudicated
from thresher.evidence.certify import certify as certify_both
from thresher.evidence.certify import freeze
from thresher.evidence.curve import Curve, calibrate, points_of
from thresher.evidence.plan import scouts, sketch, spend
from thresher.evidence.precision import certify_precision, freeze_precision
from thresher.evidence.predict import Prediction, floor, simulate, summary
from thresher.evidence.recall import certify_recall, freeze_recall
from thresher.evidence.replay import released, replay
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
    "Curve",
    "Frozen",
    "Gold",
    "Method",
    "Prediction",
    "Promise",
    "Refused",
    "State",
    "Step",
    "Wanted",
    "calibrate",
    "floor",
    "freeze",
    "freeze_adjudicated",
    "freeze_precision",
    "freeze_recall",
    "next_step",
    "points_of",
    "predict",
    "released",
    "scouts",
    "sketch",
    "spend",
]


@dataclass(frozen=True, slots=True)
class Method:
    """A way to decide: what it promises, whether that is certified, and the procedure that says what it needs."""

    promises: str
    procedure: Callable[[Frozen], Procedure]
    certificate: bool = True


def cascade_only(_: Frozen) -> Procedure:
    """The cascade ends at once: thresholds fitted to the labels that they are judged by prove nothing."""
    yield from ()
    return Refused(why="cascade thresholds carry no certificate", take='set method = "certified"')


METHODS: dict[str, Method] = {
    "certified": Method("precision and recall; the labels it is given are the truth", certify_both),
    "adjudicated": Method("precision and recall; people err, adjudication is the truth", certify_adjudicated),
    "precision": Method("precision of the largest set that a budget buys", certify_precision),
    "recall": Method("recall of the smallest set that a budget buys", certify_recall),
    "cascade": Method("nothing", cascade_only, certificate=False),
}


def next_step(state: State) -> Step:
    """What a certificate needs next, from what was frozen and the labels so far; the same state, the same step."""
    return replay(METHODS[state.frozen.method].procedure(state.frozen), state)


def predict(frozen: Frozen, *, images: int, runs: int = 20) -> Prediction:
    """What a certificate will cost, by running its procedure on truths that its curve promises.

    `images` counts the whole pool, labelled ones included. Takes about a tenth of a second a run.
    """
    made = [simulate(frozen, METHODS[frozen.method].procedure, run=run) for run in range(runs)]
    return summary(frozen, made, images=images)
