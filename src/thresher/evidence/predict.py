"""The cost of a certificate before anyone is paid: its procedure is run on truths simulated from the scores."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from thresher.evidence.curve import Curve
from thresher.evidence.state import Certified, Code, Codes, Frozen, Procedure, Promise, Ranks, Refused
from thresher.evidence.urns import Known

SCALES = 6.0  # shape of the gamma distribution of (true yes) / (yes expected from the scores)
BETTER = (0.1, 0.3)  # shares of yes that better queries might reach


@dataclass(frozen=True, slots=True)
class Prediction:
    """Answers needed after the freeze: median and 80 % interval of the runs; `floor` is the minimum of any method.

    `delivered` is the median size of the released set, `certified` the share of runs that ended in a certificate.
    `advice` says if better queries cost less than more answers.
    """

    answers: int
    answers_low: int
    answers_high: int
    delivered: int
    certified: float
    floor: int
    advice: str


def floor(promise: Promise, images: float, yes: float) -> int:
    """The number of answers that any method needs to certify precision and recall, however good its scores are.

    Suppose that (1-recall) yes + 1 of the rejected images are yes: a sample of them without a yes must have probability
    at most delta; likewise a sample of the accepted images without a no. Yes images could be wherever fewer are drawn,
    so importance sampling does not help.
    """
    rejected = max(images - yes, 0.0)
    hidden = (1.0 - promise.recall) * yes + 1.0
    surprise = -math.log(promise.delta)
    recall = rejected if hidden >= rejected else surprise / -math.log1p(-hidden / rejected)
    precision = surprise / -math.log(promise.precision) if promise.precision < 1.0 else yes
    return math.ceil(min(recall, rejected) - 1e-9) + math.ceil(min(precision, yes) - 1e-9)


@dataclass(frozen=True, slots=True)
class Run:
    """The result of one simulated run: answers, size of the released set, whether it was certified."""

    answers: int
    delivered: int
    certified: bool


def simulate(frozen: Frozen, procedure: Callable[[Frozen], Procedure], *, run: int) -> Run:
    """Run a procedure on a truth drawn from the curve; its random draws are never part of a certificate.

    Each run draws how much its pool differs from the curve; a rank's label is drawn when it is asked for.
    """
    steps = procedure(replace(frozen, seed=f"{run:064x}"))
    rng = np.random.default_rng(run)
    curve = Curve(frozen.curve)
    scale = float(rng.gamma(SCALES, 1.0 / SCALES))
    truth = Known()

    def label(ranks: Ranks) -> Codes:
        share = curve.share_near(ranks)
        odds = np.clip(scale * share / np.maximum(1.0 - share, 1e-9), 0.0, 1e9)
        truth.take(ranks, (rng.random(len(ranks)) < odds / (1.0 + odds)).astype(np.int8))
        return np.isin(ranks, truth.ranks(Code.YES)).astype(np.int8)

    try:
        wants, _ = next(steps)
        while True:
            wants, _ = steps.send(tuple(label(want.ranks) for want in wants))
    except StopIteration as end:
        step: Certified | Refused = end.value
        certified = isinstance(step, Certified)
        return Run(step.asked, step.delivered if isinstance(step, Certified) else 0, certified)


def summary(frozen: Frozen, runs: Sequence[Run], *, images: int) -> Prediction:
    """The runs in numbers, with minimum and advice; `images` is the size of the whole pool, labelled ones included."""
    answers = [run.answers for run in runs]
    yes = frozen.known_yes + Curve(frozen.curve).total
    return Prediction(
        answers=int(np.median(answers)),
        answers_low=int(np.quantile(answers, 0.1)),
        answers_high=int(np.quantile(answers, 0.9)),
        delivered=int(np.median([run.delivered for run in runs])),
        certified=float(np.mean([run.certified for run in runs])),
        floor=floor(frozen.promise, images, yes),
        advice=advice(frozen.promise, images, yes),
    )


def advice(promise: Promise, images: float, yes: float) -> str:
    """What better queries would save, if yes is so rare that the audit of recall is expensive; empty otherwise."""
    share = yes / max(images, 1.0)
    better = next((level for level in BETTER if share < level / 2.0), None)
    if better is None:
        return ""
    now, then = floor(promise, images, yes), floor(promise, images, better * images)
    return (
        f"About {share:.1%} of the pool is yes: no method certifies it with fewer than {now:,} answers. "
        f"If {better:.0%} of it were yes, {then:,} could be enough. Better queries cost less than answers here."
    )
