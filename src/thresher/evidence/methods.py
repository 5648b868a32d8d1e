"""The table of methods that prove something: what each fixes at the freeze, and its procedure."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from thresher.errors import BadInput
from thresher.evidence.adjudicated import bears_by_word, certify_adjudicated, fix_adjudicated
from thresher.evidence.certify import bears, certify, fix, refuted_late
from thresher.evidence.check import checked
from thresher.evidence.curve import Curve, points_of
from thresher.evidence.everything import certify_everything, fix_everything
from thresher.evidence.labels import certify_labels, fix_labels
from thresher.evidence.noise import audit_delta
from thresher.evidence.plan import spend
from thresher.evidence.precision import certify_precision, fix_precision
from thresher.evidence.predict import TRUE, Doubt, Prediction, Run, Words, simulate, summary
from thresher.evidence.recall import certify_recall, fix_recall
from thresher.evidence.replay import replay
from thresher.evidence.state import Certified, Frozen, Procedure, Promise, State, Step
from thresher.evidence.terms import Draws, Fixed, Given, Means, Pool
from thresher.records import DELTA_BELOW


@dataclass(frozen=True, slots=True)
class Method:
    """One method: what is fixed at the freeze, and the procedure that decides which labels it needs.

    Adjudication may err, so gold and the number of adjudicated labels count; not for a plan that `bears` does not hold
    for. `budgeted`: it stops when its budget of answers is used up. `words`: unadjudicated votes of people are part of
    it. `checked`: its audits prove precision, so the owner may check what it releases.
    """

    fix: Callable[[Given], Fixed]
    procedure: Callable[[Frozen], Procedure]
    bears: Callable[[Given], bool] = lambda _: True
    budgeted: bool = False
    words: bool = False
    checked: bool = True


METHODS: dict[str, Method] = {
    "certified": Method(fix, certify, bears=bears),
    "adjudicated": Method(fix_adjudicated, certify_adjudicated, bears=bears_by_word, words=True),
    "everything": Method(fix_everything, certify_everything, bears=lambda _: False, words=True, checked=False),
    "precision": Method(fix_precision, certify_precision, budgeted=True),
    "recall": Method(fix_recall, certify_recall, budgeted=True, checked=False),
    "labels": Method(fix_labels, certify_labels, bears=lambda _: False, checked=False),
}


CHECK_SHARE = 0.2  # of a freeze's delta, for the owner's check


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
    points = points_of(pool.probabilities)
    spent = spend(promise.delta, draws.epoch)
    check_delta = CHECK_SHARE * spent if means.check and chosen.checked else 0.0
    delta = spent - check_delta
    given = Given(promise, pool, means, Curve(points), audit_delta(delta, means.gold), delta)
    if means.gold is not None and not chosen.bears(given):
        means = replace(means, gold=None)
        given = replace(given, means=means, delta=delta)
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
        adjudicated=0 if means.gold is None else pool.adjudicated,
        gold=means.gold,
        check_delta=check_delta,
    )


def next_step(state: State) -> Step:
    """The next step to a certificate, from what was frozen and the labels so far; equal states give equal steps."""
    step = replay(method_of(state.frozen.method).procedure(state.corrected), state)
    if not isinstance(step, Certified):
        return step
    if why := refuted_late(step, state):
        return replace(why, asked=step.asked)
    return checked(step, state) if state.frozen.check_delta else step


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
