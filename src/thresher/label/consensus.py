"""The posterior probability that an image is a yes, given the votes on it and the estimated quality of each annotator.

The model is Dawid and Skene's (Applied Statistics 28, 1979, section 3) with two rates per annotator: `sensitivity`, how
often a yes is called yes, and `specificity`, how often a no is called no. Both have a Beta prior centred on the crowd's
average, so an annotator with few answers is taken to be like the crowd, and votes without an annotator count as the
crowd's. Images with a known answer (gold, the owner's) anchor the model; the share of yes is estimated.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from thresher.label.ballots import UNSURE, YES, Ballots, Table, among, either, rows_of
from thresher.records import Vote

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Rows = NDArray[np.int64]

# A priori a person is right on 85 of 100; ten answers' worth of belief for the crowd, four for a person in it.
# Measured on the votes of Welinder 2010, Snow 2008 and Wang 2012: anything from 2 to 16 changes less than one in 100.
RIGHT = 0.85
CROWD_WEIGHT = 10.0
WORKER_WEIGHT = 4.0
ROUNDS_MOST = 200
CLOSE = 1e-4  # posteriors that move less have settled
SURELY = 1e-4  # no person is believed to be always right or always wrong


@dataclass(frozen=True, slots=True)
class Crowd:
    """The estimates: for each image the probability of a yes, for each annotator sensitivity and specificity."""

    posterior: Mapping[int, float]
    sensitivity: Mapping[str, float]
    specificity: Mapping[str, float]
    prevalence: float


@dataclass(frozen=True, slots=True)
class Rates:
    """How often annotators are right on a yes and on a no ([n, 2], by their number; nan where not estimated).

    `average` is the crowd's; `prevalence` is the share of yes among the images asked about.
    """

    right: Floats
    average: tuple[float, float]
    prevalence: float

    def of(self, workers: Places) -> Floats:
        """The rates of some annotators [n, 2]."""
        found = np.full((len(workers), 2), np.nan)
        known = workers < len(self.right)
        found[known] = self.right[workers[known]]
        return found


@dataclass(frozen=True, slots=True)
class Estimate:
    """The probability of a yes for each image voted on, by ascending row, and the rates that it follows from."""

    rows: Rows
    likely: Floats
    rates: Rates


@dataclass(frozen=True, slots=True)
class _Answers:
    """The answers as arrays: index of image and annotator, yes or no, and the weight of the answer."""

    image: Places
    worker: Places
    yes: NDArray[np.bool_]
    weight: Floats
    images: int
    workers: int
    known: Floats  # 1 yes, 0 no, nan unknown; one an image
    asked: NDArray[np.bool_]  # images that were asked about; the others only check workers
    said: Places = field(init=False)  # which annotator gave which answer, as one number

    def __post_init__(self) -> None:
        object.__setattr__(self, "said", 2 * self.worker + self.yes)

    def by_said(self, values: Floats) -> Floats:
        """The sum of values [answers] for each annotator and answer: [workers, 2]."""
        return np.bincount(self.said, values, 2 * self.workers).reshape(-1, 2).astype(np.float64)

    def by_image(self, values: Floats) -> Floats:
        """The sum of values [answers] for each image."""
        return np.bincount(self.image, values, self.images).astype(np.float64)


def posteriors(
    votes: Sequence[Vote], known: Mapping[int, bool], gold_answers: Iterable[tuple[int, str, str]] = ()
) -> dict[int, float]:
    """The probability that each image voted on is a yes; see `crowd_of`."""
    return dict(crowd_of(votes, known, gold_answers).posterior)


def crowd_of(
    votes: Sequence[Vote], known: Mapping[int, bool], gold_answers: Iterable[tuple[int, str, str]] = ()
) -> Crowd:
    """The posteriors of the images voted on, and the quality of the annotators, by expectation maximisation.

    `known` are rows with a certain answer: their posterior is 1 or 0. `gold_answers` are (row, worker, says) on known
    rows; they only inform about annotators. Votes whose worker is "" share one pair of rates. An "unsure" counts for
    neither answer.
    """
    ballots = Ballots()
    ballots.put_votes(sorted(votes, key=lambda vote: vote.row))
    ballots.put_gold(sorted(gold_answers, key=lambda one: one[0]))
    found = estimate(ballots, ballots.votes, known)
    names, right = ballots.workers.texts, found.rates.right.tolist()
    rated = {name: pair for name, pair in zip(names, right, strict=True) if not math.isnan(pair[0])}
    return Crowd(
        posterior=dict(zip(found.rows.tolist(), found.likely.tolist(), strict=True)),
        sensitivity={name: pair[0] for name, pair in rated.items()},
        specificity={name: pair[1] for name, pair in rated.items()},
        prevalence=found.rates.prevalence,
    )


def estimate(ballots: Ballots, votes: Table, known: Mapping[int, bool]) -> Estimate:
    """Estimate images and annotators from all of these votes and the answers on gold; takes 0.1 s for 200,000 votes."""
    gold = ballots.gold
    gold = gold[(gold["says"] != UNSURE) & among(gold["row"], known)]
    answers, rows, workers = _answers(ballots, votes, gold, known)
    if not len(rows):
        return Estimate(rows, np.empty(0), Rates(np.empty((0, 2)), (RIGHT, RIGHT), 0.5))
    likely, right, average, prevalence = _maximise(answers)
    all_right = np.full((len(ballots.workers.texts), 2), np.nan)
    all_right[workers] = right
    asked = answers.asked
    return Estimate(rows[asked], likely[asked], Rates(all_right, average, prevalence))


def estimate_some(
    ballots: Ballots, votes: Table, some: Collection[int], known: Mapping[int, bool], before: Estimate
) -> tuple[Rows, Floats]:
    """The posteriors of some images by the rates of `before`; those of annotators who are new since are estimated too.

    A new annotator's rates follow from all their answers, on gold and on images; an image that is not among `some`
    keeps the posterior of `before`. Returns the rows that have votes, ascending, with their posteriors.
    """
    unrated = np.isnan(before.rates.of(np.arange(len(ballots.workers.texts)))[:, 0])
    fresh = unrated[votes["worker"]] & (votes["says"] != UNSURE)
    here = among(votes["row"], some)
    newcomers = np.unique(votes["worker"][fresh & here])
    taken = votes[here | (fresh & np.isin(votes["worker"], newcomers))]
    gold = ballots.gold[np.isin(ballots.gold["worker"], newcomers)] if len(newcomers) else ballots.gold[:0]
    gold = gold[(gold["says"] != UNSURE) & among(gold["row"], known)]
    answers, rows, workers = _answers(ballots, taken, gold, known)
    wanted = among(rows, some) & answers.asked
    others = np.isnan(answers.known) & ~wanted
    at = np.minimum(np.searchsorted(before.rows, rows), max(len(before.rows) - 1, 0))
    if len(before.rows):
        remembered = others & (before.rows[at] == rows)
        answers.known[remembered] = before.likely[at[remembered]]
    likely, _, _, _ = _maximise(answers, before.rates, before.rates.of(workers.astype(np.intp)))
    return rows[wanted], likely[wanted]


def _answers(
    ballots: Ballots, votes: Table, gold: Table, known: Mapping[int, bool]
) -> tuple[_Answers, Rows, NDArray[np.int64]]:
    """The answers that say yes or no, with the rows of the images and the numbers of the annotators, by name."""
    clear = votes[votes["says"] != UNSURE]
    rows = either(rows_of(votes), rows_of(gold))
    answered = np.bincount(np.concatenate([clear["worker"], gold["worker"]]), minlength=1)
    numbers = np.flatnonzero(answered)
    # in the order of their names: sums must not depend on who was met first
    names = [ballots.workers.texts[number] for number in numbers.tolist()]
    workers = numbers[sorted(range(len(names)), key=names.__getitem__)]
    place = np.zeros(len(ballots.workers.texts), np.intp)
    place[workers] = np.arange(len(workers))
    certain = np.full(len(rows), np.nan)
    if known:
        there = np.flatnonzero(among(rows, known))
        certain[there] = [float(known[row]) for row in rows[there].tolist()]
    asked = np.zeros(len(rows), np.bool_)
    asked[np.searchsorted(rows, votes["row"])] = True
    answers = _Answers(
        image=np.searchsorted(rows, np.concatenate([clear["row"], gold["row"]])),
        worker=place[np.concatenate([clear["worker"], gold["worker"]])],
        yes=np.concatenate([clear["says"], gold["says"]]) == YES,
        weight=np.concatenate([clear["weight"], np.ones(len(gold))]),
        images=len(rows),
        workers=len(workers),
        known=certain,
        asked=asked,
    )
    return answers, rows, workers


def _maximise(
    answers: _Answers, rates: Rates | None = None, given: Floats | None = None
) -> tuple[Floats, Floats, tuple[float, float], float]:
    """Alternate between estimating the images and the annotators until neither changes.

    With `rates`, those of the crowd stay, and those of the annotators that are `given` [workers, 2] and not nan.
    """
    total = answers.by_said(answers.weight)
    said = answers.by_image(answers.weight)
    likely = _hold((answers.by_image(answers.yes * answers.weight) + 0.5) / (said + 1.0), answers.known)
    average, prevalence = (RIGHT, RIGHT), 0.5
    right = np.empty((answers.workers, 2))
    for _ in range(ROUNDS_MOST):
        of_yes = answers.by_said(answers.weight * likely[answers.image])
        of_no = total - of_yes
        shown = np.stack([of_yes.sum(axis=1), of_no.sum(axis=1)], axis=1)
        hit = np.stack([of_yes[:, 1], of_no[:, 0]], axis=1)
        if rates is None:
            average = _average(hit[:, 0], shown[:, 0]), _average(hit[:, 1], shown[:, 1])
            prevalence = float((1.0 + likely[answers.asked].sum()) / (2.0 + answers.asked.sum()))
        else:
            average, prevalence = rates.average, rates.prevalence
        right = (WORKER_WEIGHT * np.array(average) + hit) / (WORKER_WEIGHT + shown)
        right = np.clip(right, SURELY, 1.0 - SURELY)
        if given is not None:
            right = np.where(np.isnan(given), right, given)
        sensitivity, specificity = right[:, 0], right[:, 1]
        says_yes = np.log(sensitivity) - np.log1p(-specificity)
        says_no = np.log1p(-sensitivity) - np.log(specificity)
        evidence = answers.by_image(answers.weight * np.stack([says_no, says_yes], axis=1).ravel()[answers.said])
        before = likely
        odds = np.clip(evidence + np.log(prevalence) - np.log1p(-prevalence), -500.0, 500.0)
        likely = _hold(1.0 / (1.0 + np.exp(-odds)), answers.known)
        if not len(likely) or float(np.abs(likely - before).max()) < CLOSE:
            break
    return likely, right, average, prevalence


def _average(hit: Floats, shown: Floats) -> float:
    """How often the crowd is right on one class."""
    return float((CROWD_WEIGHT * RIGHT + hit.sum()) / (CROWD_WEIGHT + shown.sum()))


def _hold(likely: Floats, known: Floats) -> Floats:
    return np.where(np.isnan(known), likely, known)
