"""The cost of a certificate before anyone is paid: its procedure is run on truths simulated from the scores."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thresher.evidence.curve import Curve
from thresher.evidence.state import (
    NO_WORD,
    Certified,
    Code,
    Codes,
    Frozen,
    Procedure,
    Promise,
    Ranks,
    Refused,
    State,
    Want,
)

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
class Doubt:
    """How a simulated truth differs from the scores: their log-odds times `slope`, then the odds times `scale`.

    The first `told_yes` and the last `told_no` ranks are images that people have called so; of these at least the share
    `told_wrong` is wrong, because people err together.
    """

    slope: float = 1.0
    scale: float = 1.0
    told_yes: int = 0
    told_no: int = 0
    told_wrong: float = 0.0


@dataclass(frozen=True, slots=True)
class Words:
    """How unadjudicated votes come out: the probability that all on an image are `wrong`, and that they differ."""

    wrong: float = 0.0
    apart: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """One simulated run: the images asked about (`answers`), the size of the released set, whether it was certified.

    `sure` of the images were adjudicated and `words` voted on; both if an image was drawn that people had voted on.
    """

    answers: int
    delivered: int
    certified: bool
    sure: int = 0
    words: int = 0


TRUE = Words()


def simulate(
    frozen: Frozen,
    procedure: Callable[[Frozen], Procedure],
    *,
    run: int,
    doubt: Doubt | None = None,
    words: Words = TRUE,
    known: State | None = None,
) -> Run:
    """Run a procedure on a truth drawn from the curve; its random draws are never part of a certificate.

    Without a `doubt` each run draws its own scale. A rank's label is drawn when it is asked for. With `known`, the
    audits are under way: its labels and votes are as they are, and only further ones are counted.
    """
    rng = np.random.default_rng(run)
    own = doubt or Doubt(scale=float(rng.gamma(SCALES, 1.0 / SCALES)))
    people = _People(frozen, own, words, known or State(frozen), rng)
    steps = procedure(known.corrected if known else replace(frozen, seed=f"{run:064x}"))
    try:
        wants, _ = next(steps)
        while True:
            wants, _ = steps.send(tuple(people.answer(want) for want in wants))
    except StopIteration as end:
        step: Certified | Refused = end.value
        delivered = step.delivered if isinstance(step, Certified) else 0
        asked = len(people.sure | people.heard)
        return Run(asked, delivered, isinstance(step, Certified), len(people.sure), len(people.heard))


class _People:
    """Simulated annotators: a truth that is drawn as it is asked for, votes on it, and what they were asked."""

    def __init__(self, frozen: Frozen, doubt: Doubt, words: Words, known: State, rng: np.random.Generator) -> None:
        self.frozen, self.doubt, self.words, self.known, self.rng = frozen, doubt, words, known, rng
        self.curve = Curve(frozen.curve)
        self.truth: dict[int, int] = dict(known.answers)
        self.said: dict[int, int] = dict(known.said)
        self.sure: set[int] = set()
        self.heard: set[int] = set()

    def answer(self, want: Want) -> Codes:
        """The labels or votes of these ranks, each as it was answered first."""
        ranks = want.ranks.tolist()
        self._draw([rank for rank in ranks if rank not in self.truth])
        if want.sure:
            self.sure.update(rank for rank in ranks if rank not in self.known.answers)
            return np.array([self.truth[rank] for rank in ranks], np.int8)
        labelled = self.known.answers.keys() | self.sure
        unheard = [rank for rank in ranks if rank not in self.said and rank not in labelled]
        self.heard.update(unheard)
        for rank, chance in zip(unheard, self.rng.random(len(unheard)).tolist(), strict=True):
            self.said[rank] = self._vote(self.truth[rank], chance)
        return np.array([self.said.get(rank, NO_WORD) for rank in ranks], np.int8)

    def _vote(self, truth: int, chance: float) -> int:
        if truth == Code.UNANSWERABLE or chance < self.words.apart:
            return Code.UNANSWERABLE
        turned = Code.NO if truth == Code.YES else Code.YES
        return turned if chance < self.words.apart + self.words.wrong else truth

    def _draw(self, ranks: Sequence[int]) -> None:
        if not ranks:
            return
        places = np.array(ranks, np.int64)
        drawn = self.rng.random(len(ranks)) < self._share(places)
        self.truth.update(zip(ranks, drawn.astype(int).tolist(), strict=True))

    def _share(self, ranks: Ranks) -> NDArray[np.float64]:
        share, doubt = self.curve.share_near(ranks), self.doubt
        doubted = doubtful(share, doubt)
        told = (ranks < doubt.told_yes) | (ranks >= self.frozen.ranks - doubt.told_no)
        return np.where(told, np.clip(share, doubt.told_wrong, 1.0 - doubt.told_wrong), doubted)


def doubtful(share: NDArray[np.float64], doubt: Doubt) -> NDArray[np.float64]:
    """Shares of yes as they may be where the scores promise `share`."""
    sure = np.clip(share, 1e-9, 1.0 - 1e-9)
    odds = doubt.scale * np.exp(doubt.slope * np.log(sure / (1.0 - sure)))
    return np.asarray(odds / (1.0 + odds), np.float64)


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
