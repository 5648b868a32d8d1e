"""The table of methods that prove something: what each fixes at the freeze, and its procedure."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from thresher.errors import BadInput
from thresher.evidence.adjudicated import certify_adjudicated, fix_adjudicated
from thresher.evidence.certify import certify, fix
from thresher.evidence.curve import Curve, points_of
from thresher.evidence.everything import certify_everything, fix_everything
from thresher.evidence.noise import audit_delta
from thresher.evidence.plan import spend
from thresher.evidence.precision import certify_precision, fix_precision
from thresher.evidence.predict import TRUE, Doubt, Prediction, Run, Words, simulate, summary
from thresher.evidence.recall import certify_recall, fix_recall
from thresher.evidence.replay import replay
from thresher.evidence.state import Frozen, Procedure, Promise, State, Step
from thresher.evidence.terms import Draws, Fixed, Given, Means, Pool
from thresher.records import DELTA_BELOW


@dataclass(frozen=True, slots=True)
class Method:
    """One method: what is fixed at the freeze, and the procedure that decides which labels it needs.

    `doubts`: adjudication may err, so gold and the number of adjudicated labels count. `budgeted`: it stops when its
    budget of answers is used up. `words`: unadjudicated votes of people are part of it.
    """

    fix: Callable[[Given], Fixed]
    procedure: Callable[[Frozen], Procedure]
    doubts: bool = True
    budgeted: bool = False
    words: bool = False


METHODS: dict[str, Method] = {
    "certified": Method(fix, certify, doubts=False),
    "adjudicated": Method(fix_adjudicated, certify_adjudicated, words=True),
    "everything": Method(fix_everything, certify_everything, doubts=False, words=True),
    "precision": Method(fix_precision, certify_precision, budgeted=True),
    "recall": Method(fix_recall, certify_recall, budgeted=True),
}


def method_of(name: str) -> Method:
    """The method of this name. Raises BadInput for an unknown one."""
    if name not in METHODS:
        raise BadInput(f"unknown method {name!r}.", next=f"choose from {', '.join(METHODS)}")
    return METHODS[name]


def freeze(method: str, promise: Promise, pool: Pool, draws: Draws, means: Means | None = None) -> Frozen:
    """Fix everything that a certificate depends on, before the first draw.

    Raises BadInput for an unknown method, and for a delta that the proof does not cover (martingale.py, fact 3).
    """
    chosen, means = method_of(method), means or Means()
    if not 0 < promise.delta < DELTA_BELOW:
        raise BadInput(
            f"delta {promise.delta:g} is not between 0 and {DELTA_BELOW:g}.", next="aim at 0.05, for example"
        )
    if not chosen.doubts:
        means = replace(means, gold=None)
    points = points_of(pool.probabilities)
    given = Given(promise, pool, means, Curve(points), delta=audit_delta(spend(promise.delta, draws.epoch), means.gold))
    fixed = chosen.fix(given)
    return Frozen(
        method=method,
        promise=promise,
        epoch=draws.epoch,
        seed=draws.seed,
        ranking=draws.ranking,
        ranks=given.ranks,
        known_yes=pool.known_yes,
        known_unanswerable=pool.known_unanswerable,
        curve=points,
        ladder=fixed.ladder,
        reject_from=fixed.reject_from,
        accept_prior=fixed.accept_prior,
        reject_prior=fixed.reject_prior,
        batch=draws.batch,
        answers=means.answers if chosen.budgeted else 0,
        recall_answers=means.recall_answers if chosen.budgeted else 0,
        looks=fixed.looks,
        said_no=pool.said_no if chosen.words else 0,
        adjudicated=pool.adjudicated if chosen.doubts else 0,
        gold=means.gold,
    )


def next_step(state: State) -> Step:
    """The next step to a certificate, from what was frozen and the labels so far; equal states give equal steps."""
    return replay(method_of(state.frozen.method).procedure(state.corrected), state)


def predict(frozen: Frozen, *, images: int, runs: int = 20) -> Prediction:
    """Forecast the cost of a certificate by running its procedure on truths simulated from the calibrated scores.

    `images` is the size of the whole pool, labelled images included. Takes about a tenth of a second a run.
    """
    made = [simulate(frozen, method_of(frozen.method).procedure, run=run) for run in range(runs)]
    return summary(frozen, made, images=images)


def rehearse(
    frozen: Frozen, *, run: int, doubt: Doubt | None = None, words: Words = TRUE, known: State | None = None
) -> Run:
    """One simulated run of the audits of a freeze (predict.py); with `known`, from the labels that there are."""
    procedure = method_of(frozen.method).procedure
    return simulate(frozen, procedure, run=run, doubt=doubt, words=words, known=known)
