"""The forecast of a certificate's cost, before anyone is paid: answers, hours and money, each with an interval.

With scores, the method's own procedure is run on truths simulated from them (`evidence/predict.py`). Before there are
scores only the minimum of any method (the floor) is known; the rest is estimated from the runs of `bench/selection.py`:
learning, audits of some multiples of the floor, and with a weak classifier a middle that people label.
"""

from dataclasses import dataclass
from statistics import median

import numpy as np

from thresher.errors import NotReady
from thresher.evidence import Ask, Certified, Draws, Prediction, Promise, floor, predict
from thresher.evidence.predict import advice
from thresher.learn.decide import Decided
from thresher.loop.certified import purse_of
from thresher.loop.decision import Decision, decision
from thresher.loop.methods import budget_left
from thresher.loop.price import answers_each
from thresher.loop.promises import frozen_of, pool_of, promise_of
from thresher.loop.snapshot import holds, in_force, rank
from thresher.loop.ways import PROVEN, way_of
from thresher.records import Category, Says, Targets
from thresher.settings import Settings
from thresher.store.contract import Store, every_assignment

# in the runs of bench/selection.py, from a strong head to a weak one
ABOVE_FLOOR = (1.4, 1.8, 2.7)  # answers of the audits, as multiples of the floor
TO_LEARN = (150, 400, 1600)  # images labelled for learning
MIDDLE = (0.0, 0.05, 0.18)  # of the pool
ASSUMED_YES = 0.1
ENOUGH_LABELS = 20
ENOUGH_ANSWERS = 50
EXPLAIN_SECONDS = 28.0  # reading the question and sending, once a task
RUNS = 15


@dataclass(frozen=True, slots=True)
class Range:
    """An expected number, with an 80 % interval."""

    low: float
    expected: float
    high: float

    def times(self, factor: float) -> "Range":
        """The range in another unit."""
        return Range(self.low * factor, self.expected * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Plan:
    """The expected cost of a certificate from here on.

    `pictures` is the number of images that people must be asked about, `answers` those of all people with gold
    included, `hours` their time, `dollars` with the fee. `floor` is the minimum number of images for any method;
    `certified` the share of simulated runs that ended in a certificate (None before there are scores), `delivered` the
    images then released. `prevalence` is the assumed share of yes, and `from_` where it comes from. `advice` may be
    empty.
    """

    method: str
    promise: Promise
    pictures: Range
    answers: Range
    hours: Range
    dollars: Range
    floor: int
    prevalence: float
    from_: str
    certified: float | None
    delivered: int | None
    advice: str


def plan(
    category: Category, targets: Targets, *, store: Store, settings: Settings, prevalence: float | None = None
) -> Plan:
    """The expected cost of `targets` from here on; `prevalence` is the owner's estimate, used instead of the scores.

    Raises BadInput for a method without a certificate, NotReady for a pool without images.
    """
    way = way_of(targets.method, PROVEN)
    decided = decision(category.name, store=store)
    promise = promise_of(targets)
    images = len(np.unique(decided.similar))
    if not images:
        raise NotReady(
            f"{category.name} has no images yet, so nothing can be planned.",
            next=f"thresher harvest {category.name} --folder DIR",
        )
    told: tuple[str, float | None, int | None, str]
    if decided.round is not None and prevalence is None:
        found, share = _from_scores(category, targets, decided, store=store, settings=settings)
        pictures = Range(found.answers_low, found.answers, found.answers_high)
        told = (f"the scores of round {decided.round.number}", found.certified, found.delivered, found.advice)
        least = _floor(targets, images, share)
    else:
        share, told_from = _share_of_yes(category, prevalence, store=store)
        least = _floor(targets, images, share)
        learning = [min(more, images) for more in TO_LEARN]
        low, expected, high = (
            min(times * least + more + (middle * images if way.middle else 0.0), images)
            for times, more, middle in zip(ABOVE_FLOOR, learning, MIDDLE, strict=True)
        )
        pictures = Range(low, expected, high)
        told = (told_from, None, None, advice(promise, images, share * images))
    aimed = Category(category.name, category.question, targets)
    standing = _standing(aimed, decided, store=store)
    told = (*told[:3], " ".join(filter(None, (standing, told[3]))))
    each = answers_each(aimed, store=store, settings=settings)
    if decided.round is None and way.budgeted and targets.answers is not None:
        bought = targets.answers / each
        pictures = Range(*(min(one, bought) for one in (pictures.low, pictures.expected, pictures.high)))
    answers = pictures.times(each)
    hours = answers.times(seconds_an_answer(store=store, settings=settings) / 3600)
    paid = settings.pay_hour_cents / 100 * (1.0 + settings.pay_fee)
    return Plan(targets.method, promise, pictures, answers, hours, hours.times(paid), least, share, *told)


def _standing(category: Category, decided: Decision, *, store: Store) -> str:
    """The state of the audits if the planned targets are frozen already; "" otherwise."""
    snapshot = in_force(category, len(decided.rows), store=store)
    if snapshot is None:
        return ""
    step = snapshot.step({label.row: label for label in decided.basis.held})
    if isinstance(step, Certified):
        return "It is certified already, and needs no more answers; the numbers are for certifying it once more."
    if isinstance(step, Ask):
        return f"Its audits are under way: about {step.ahead:,} images to go."
    return f"Its audits ended without a certificate: {step.why}."


def _from_scores(
    category: Category, targets: Targets, decided: Decided, *, store: Store, settings: Settings
) -> tuple[Prediction, float]:
    """The forecast from truths simulated from the scores, and the share of yes that the scores predict."""
    labels = {label.row: label for label in store.labels.held(category.name, category.question.version)}
    known = {row: label for row, label in labels.items() if holds(label, targets.truth)}
    ranking, probability = rank(decided, labels, known)
    says_no = np.array([row for row, label in labels.items() if label.says is Says.NO], np.int64)
    aimed = Category(category.name, category.question, targets)
    pool = pool_of(probability, list(known.values()), said_no=int(np.isin(ranking, says_no).sum()))
    purse = purse_of(aimed, max(budget_left(aimed, store=store), 1), store=store, settings=settings)
    frozen = frozen_of(targets, pool, purse, Draws(seed=f"{0:064x}"))
    images = len(ranking) + len(known)
    yes = frozen.known_yes + frozen.curve[-1][1]
    return predict(frozen, images=images, runs=RUNS), yes / max(images, 1)


def _share_of_yes(category: Category, prevalence: float | None, *, store: Store) -> tuple[float, str]:
    """The share of yes to plan with, and where it comes from, in words."""
    if prevalence is not None:
        return prevalence, "your guess of the share of yes"
    held = store.labels.held(category.name, category.question.version)
    says = [label.says for label in held if label.says is not Says.UNSURE]
    if len(says) >= ENOUGH_LABELS:
        share = (says.count(Says.YES) + 0.5) / (len(says) + 1.0)
        return share, f"the {len(says):,} labels so far, most of them drawn at random"
    return ASSUMED_YES, f"the assumption that {ASSUMED_YES:.0%} of the pool is yes (change it with --prevalence)"


def _floor(targets: Targets, images: int, share: float) -> int:
    """The minimum number of images that any method needs for these targets."""
    yes = share * images
    both = floor(promise_of(targets), images, yes)
    precision = both - floor(Promise(1e-12, targets.recall, targets.delta), images, yes) + 1
    way = way_of(targets.method)
    return (precision if way.precision else 0) + (both - precision if way.recall else 0)


def seconds_an_answer(*, store: Store, settings: Settings) -> float:
    """Seconds per answer, including the time once per task: as measured here, or the setting."""
    seen = [
        given.seconds
        for category in store.categories.all()
        for assignment in every_assignment(category.name, store=store)
        for given in assignment.answers
    ]
    each = median(seen) if len(seen) >= ENOUGH_ANSWERS else settings.answer_seconds
    return each + EXPLAIN_SECONDS / (settings.task_images + settings.gold_images)


def in_words(made: Plan) -> list[str]:
    """The plan as sentences."""

    def span(found: Range, unit: str = "", digits: int = 0) -> str:
        return f"{unit}{found.expected:,.{digits}f} ({unit}{found.low:,.{digits}f} to {unit}{found.high:,.{digits}f})"

    lines = [
        f"images to ask about: {span(made.pictures)}; every method needs at least {made.floor:,} in all",
        f"answers, gold included: {span(made.answers)}",
        f"hours of work: {span(made.hours, digits=1)}",
        f"cost: {span(made.dollars, '$', 2)}",
        f"Based on {made.from_}. Share of yes used: {made.prevalence:.1%}.",
    ]
    if made.certified is not None:
        lines.append(f"{made.certified:.0%} of simulated runs were certified, with about {made.delivered:,} images.")
    return [*lines, made.advice] if made.advice else lines
