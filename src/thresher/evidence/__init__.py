"""The mathematics of certificates, without I/O.

    frozen = freeze("certified", promise, Pool(...), Draws(seed))         once, before the first draw
    step = next_step(State(frozen, answers))                              whenever labels have arrived
    step is an Ask (more labels, by rank), Certified, or Refused (why, and what it would take)

`methods.py` is the table of methods. `certify.py` proves the theorem of the joint certificate (precision and recall);
`precision.py`, `recall.py` and `adjudicated.py` prove the theorems of the other methods; `martingale.py` is the
statistical test that all of them use. docs/how-it-decides.md explains all of it, and `thresher.verify` checks it.
"""

from thresher.evidence.curve import Curve, calibrate, points_of
from thresher.evidence.methods import METHODS, Method, freeze, next_step, predict, rehearse
from thresher.evidence.plan import scouts, sketch, spend
from thresher.evidence.predict import Doubt, Prediction, Run, Words, floor
from thresher.evidence.releasing import released
from thresher.evidence.state import (
    Ask,
    Certified,
    Code,
    Frozen,
    Gold,
    Promise,
    Refused,
    State,
    Step,
    Wanted,
)
from thresher.evidence.terms import Draws, Means, Pool

__all__ = [
    "METHODS",
    "Ask",
    "Certified",
    "Code",
    "Curve",
    "Doubt",
    "Draws",
    "Frozen",
    "Gold",
    "Means",
    "Method",
    "Pool",
    "Prediction",
    "Promise",
    "Refused",
    "Run",
    "State",
    "Step",
    "Wanted",
    "Words",
    "calibrate",
    "floor",
    "freeze",
    "next_step",
    "points_of",
    "predict",
    "rehearse",
    "released",
    "scouts",
    "sketch",
    "spend",
]
