"""The forecast of a certificate's cost, before anyone is paid: answers, hours and money, each with an interval.

The method's own procedure is run on simulated futures (outlook.py): rounds of learning, a freeze, and audits on truths
that differ from the scores as they were seen to differ. Images are turned into answers by what they are asked for, at
the prices of this crowd (price.py). What the futures do not hold is a spread around them, measured by bench/budget.py
at the same moments: before there are scores, while it learns, and while audits are under way.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from thresher.errors import NotReady
from thresher.evidence import Ask, Certified, Promise, floor, spend
from thresher.evidence.check import answers_if_clean
from thresher.evidence.methods import CHECK_SHARE
from thresher.evidence.predict import advice
from thresher.label.adjudicate import LEAD
from thresher.loop.checking import is_checked
from thresher.loop.decision import Decision, decision
from thresher.loop.everything import Left, can_label_all, left_to_label, why_not_all
from thresher.loop.methods import budget_left
from thresher.loop.outlook import Future, from_nothing, from_scores, under_way
from thresher.loop.price import Prices, prices
from thresher.loop.promises import promise_of
from thresher.loop.snapshot import Snapshot, in_force
from thresher.loop.ways import PROVEN, way_of
from thresher.records import Category, Purpose, Says, Targets
from thresher.settings import Settings
from thresher.store.contract import Store, every_assignment

ASSUMED_YES = 0.1
ASSUMED_FROM_TO = (0.05, 0.15, 0.35)  # shares of yes that are planned for where nobody knows one
GUESSED = 0.8  # a guess of the owner may be so much too high or, the other way, too low
ENOUGH_LABELS = 20
ENOUGH_ANSWERS = 50
EXPLAIN_SECONDS = 28.0  # reading the question and sending, once a task
# answers taken / answers foreseen in the runs of bench/budget.py: median, and deviation of the logarithm
NOTHING, SCORES, AUDITS = (0.85, 0.25), (1.0, 0.15), (0.95, 0.2)
DEVIATIONS = (-1.645, -1.036, -0.674, -0.385, -0.126, 0.126, 0.385, 0.674, 1.036, 1.645)  # of ten equal parts
CHECK_TAKES = (1.0, 1.25, 2.5)  # times the answers that a check without a no takes, in the runs of bench/trust.py
LIKELY = 0.5  # a budget that fewer simulated futures end with a certificate is too small


@dataclass(frozen=True, slots=True)
class Range:
    """An expected number, with an 80 % interval."""

    low: float
    expected: float
    high: float

    def times(self, factor: float) -> "Range":
        """The range in another unit."""
        return Range(self.low * factor, self.expected * factor, self.high * factor)

    def plus(self, more: "Range") -> "Range":
        """The range with what comes on top of it."""
        return Range(self.low + more.low, self.expected + more.expected, self.high + more.high)

    def at_most(self, most: float) -> "Range":
        """The range, where no more is possible."""
        return Range(min(self.low, most), min(self.expected, most), min(self.high, most))


@dataclass(frozen=True, slots=True)
class Plan:
    """The expected cost of a certificate from here on.

    `pictures` is the number of images that people must be asked about, `answers` those of all people with gold
    included, `hours` their time, `dollars` with the fee. `floor` is the minimum number of images for any method;
    `certified` the share of simulated futures that ended in a certificate, `delivered` the images then released (both
    None before there are scores). `prevalence` is the assumed share of yes, and `from_` where it comes from.
    `everything` are the answers that labelling all images would take instead, `check` those of the owner that a check
    of what is released adds, if it is `checked` (None: there is none to add). `short` says that the budget is too
    small, and what it would take; it and `advice` may be empty. `not_all` says why labelling every image may not take
    the place of audits, as the end of a sentence; empty if it may.
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
    everything: Range
    check: Range | None = None
    checked: bool = False
    short: str = ""
    not_all: str = ""

    @property
    def label_all(self) -> bool:
        """Whether labelling every image would keep the promise too."""
        return not self.not_all


def plan(
    category: Category, targets: Targets, *, store: Store, settings: Settings, prevalence: float | None = None
) -> Plan:
    """The expected cost of `targets` from here on; `prevalence` is the owner's estimate, used instead of the scores.

    Raises BadInput for a method without a certificate, NotReady for a pool without images.
    """
    way = way_of(targets.method, PROVEN)
    decided = decision(category.name, store=store)
    images = len(np.unique(decided.similar))
    if not images:
        raise NotReady(
            f"{category.name} has no images yet, so nothing can be planned.",
            next=f"thresher harvest {category.name} --folder DIR",
        )
    aimed = Category(category.name, category.question, targets)
    price = prices(aimed, store=store, settings=settings)
    seen = _foreseen(aimed, decided, images, price, prevalence, store=store, settings=settings)
    least = _floor(targets, images, seen.share)

    def all_labelled(share: float | None) -> Left:
        assumed = seen.share if share is None else share
        return _every_image(aimed, decided, images, assumed, price, store=store)

    every = all_labelled(seen.share)
    most = {share: _most(aimed, all_labelled(share), store, settings) for share in {f.share for f in seen.futures}}
    answers = seen.range_of(lambda future: min(future.answers(price), most[future.share]), price.doubt)
    check = _check(targets, seen.delivered or round(seen.share * images))
    checked = is_checked(aimed, store=store, settings=settings)
    if targets.truth == "owner":  # one answer for each image that is asked about
        answers = answers.at_most(images)
    short = ""
    if targets.answers is not None:
        left = max(budget_left(aimed, store=store), 0)
        short = _short(targets, left, (answers, check if checked else None), least, seen)
        if way.budgeted:  # it stops there, with what is proven then
            answers = answers.at_most(left)
    hours = answers.times(seconds_an_answer(store=store, settings=settings) / 3600)
    paid = settings.pay_hour_cents / 100 * (1.0 + settings.pay_fee)
    return Plan(
        targets.method,
        promise_of(targets),
        seen.range_of(lambda future: future.images).at_most(images),
        answers,
        hours,
        hours.times(paid),
        least,
        seen.share,
        seen.told_from,
        seen.certified,
        seen.delivered,
        " ".join(filter(None, (seen.standing, advice(promise_of(targets), images, seen.share * images)))),
        everything=seen.range_of(lambda _: every.answers, price.doubt),
        check=check,
        checked=checked,
        short=short,
        not_all=why_not_all(aimed, every, store=store, settings=settings),
    )


def short_of(category: Category, *, store: Store, settings: Settings) -> str:
    """That the budget of a category is too small for its promise, and what it would take; empty if it is not."""
    targets = category.targets
    if targets.answers is None or not way_of(targets.method).planned or not len(store.categories.pool(category.name)):
        return ""
    return plan(category, targets, store=store, settings=settings).short


@dataclass(frozen=True, slots=True)
class _Seen:
    """The simulated futures, where they come from, and the state of audits that are under way, as a sentence."""

    futures: Sequence[Future]
    share: float
    told_from: str
    spread: tuple[float, float]
    standing: str = ""

    def range_of(self, value: Callable[[Future], float], doubt: float = 0.0) -> Range:
        """The range of a value of the futures, each of them in `doubt` by so much (a deviation of its logarithm)."""
        middle, deviation = self.spread
        return _spread([value(future) for future in self.futures], (middle, float(np.hypot(deviation, doubt))))

    @property
    def proven(self) -> float:
        return float(np.mean([future.audit.certified for future in self.futures]))

    @property
    def certified(self) -> float | None:
        return None if self.spread is NOTHING else self.proven

    @property
    def delivered(self) -> int | None:
        return None if self.spread is NOTHING else int(np.median([future.audit.delivered for future in self.futures]))


def _spread(values: Sequence[float], by: tuple[float, float]) -> Range:
    """The median and the 80 % interval of the values, each spread by what it was seen to differ from the truth."""
    middle, deviation = by
    spread = middle * np.exp(deviation * np.array(DEVIATIONS))
    low, expected, high = np.quantile(np.outer(values, spread), (0.1, 0.5, 0.9))
    return Range(float(low), float(expected), float(high))


def _foreseen(
    category: Category,
    decided: Decision,
    images: int,
    price: Prices,
    prevalence: float | None,
    *,
    store: Store,
    settings: Settings,
) -> _Seen:
    if decided.round is None or prevalence is not None:
        share, told, shares = _share_of_yes(category, prevalence, store=store)
        futures = from_nothing(category, images, shares, price, store=store, settings=settings)
        return _Seen(futures, share, told, NOTHING)
    futures, share = from_scores(category, decided, price, store=store, settings=settings)
    told = f"the scores of round {decided.round.number}"
    snapshot = in_force(category, len(decided.rows), store=store)
    if snapshot is None:
        return _Seen(futures, share, told, SCORES)
    return _of_audits(snapshot, _Seen(futures, share, told, SCORES), decided, price)


def _of_audits(snapshot: Snapshot, again: _Seen, decided: Decision, price: Prices) -> _Seen:
    """The audits that are under way with the planned targets; those done `again` if they have ended."""
    step = snapshot.step({label.row: label for label in decided.basis.held})
    if isinstance(step, Certified):
        said = "It is certified already, and needs no more answers; the numbers are for certifying it once more."
        return replace(again, standing=said)
    if not isinstance(step, Ask):
        return replace(again, standing=f"Its audits ended without a certificate: {step.why}.")
    futures = under_way(snapshot, decided.basis.held, price)
    said = f"Its audits are under way: about {step.ahead:,} images to go."
    return replace(again, futures=futures, spread=AUDITS, standing=said)


def _check(targets: Targets, delivered: int) -> Range | None:
    """The owner's answers that a check of so many released images takes; None if it could prove nothing more."""
    way = way_of(targets.method)
    if targets.truth == "owner" or not way.precision or way.whole or delivered <= 0:
        return None
    promise = promise_of(targets)
    clean = answers_if_clean(promise, delivered, CHECK_SHARE * spend(promise.delta, 0))
    return Range(*(clean * factor for factor in CHECK_TAKES))


def _short(targets: Targets, left: int, wanted: tuple[Range, Range | None], least: int, seen: _Seen) -> str:
    """The sentence about a budget that is too small; empty if it should do.

    `wanted` are the answers that the audits take, and those of the owner's check if there is one.
    """
    there = f"The budget of {targets.answers:,} answers is too small: {left:,} are left"
    fewest = f"every method needs at least {least:,} images, so {LEAD * least:,} answers"
    if way_of(targets.method).budgeted:
        if seen.proven >= LIKELY and left >= LEAD * least:
            return ""
        return f"{there}, with which {targets.method} proves little or nothing; {fewest}."
    audits, check = wanted
    answers, with_check = (audits.plus(check), ", the owner's check included") if check else (audits, "")
    if left >= answers.low:
        return ""
    span = f"{answers.expected:,.0f} ({answers.low:,.0f} to {answers.high:,.0f})"
    takes = f"{targets.method} takes about {span}{with_check}"
    return f"{there}, and {takes}; {fewest}."


def _most(category: Category, every: Left, store: Store, settings: Settings) -> float:
    """The answers that a future takes at most: the loop labels every image as soon as that takes less."""
    return every.answers if can_label_all(category, every, store=store, settings=settings) else math.inf


def _every_image(
    category: Category,
    decided: Decision,
    images: int,
    share: float,
    price: Prices,
    *,
    store: Store,
) -> Left:
    """What it takes to label every image left, by two people each, or adjudicated where they differ."""
    if decided.round is not None:
        return left_to_label(category, decided, price, store=store)
    yes, wrong = share * images, price.votes.wrong
    images -= len({label.row for label in decided.basis.held})
    return Left(images * (price.word + price.votes.apart * price.sure), yes, wrong * yes, wrong * (images - yes))


def _share_of_yes(
    category: Category, prevalence: float | None, *, store: Store
) -> tuple[float, str, tuple[float, ...]]:
    """The share of yes to plan with, where it comes from in words, and the shares that it may be."""
    if prevalence is not None:
        odds = prevalence / (1.0 - prevalence)
        near = [one / (1.0 + one) for one in (GUESSED * odds, odds, odds / GUESSED)]
        return prevalence, "your guess of the share of yes", tuple(near)
    held = store.labels.held(category.name, category.question.version)
    # gold is half yes, whatever the pool's share is
    says = [label.says for label in held if label.purpose is Purpose.LEARN and label.says is not Says.UNSURE]
    if len(says) >= ENOUGH_LABELS:
        share = (says.count(Says.YES) + 0.5) / (len(says) + 1.0)
        reach = 1.2 * float(np.sqrt(share * (1.0 - share) / len(says)))
        shares = tuple(min(max(one, 0.2 * share), 0.99) for one in (share - reach, share, share + reach))
        return share, f"the {len(says):,} labels so far, most of them drawn at random", shares
    told = f"the assumption that {ASSUMED_YES:.0%} of the pool is yes (change it with --prevalence)"
    return ASSUMED_YES, told, ASSUMED_FROM_TO


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

    lines = [made.short] if made.short else []
    lines += [
        f"images to ask about: {span(made.pictures)}; every method needs at least {made.floor:,} in all",
        f"answers, gold included: {span(made.answers)}",
        f"hours of work: {span(made.hours, digits=1)}",
        f"cost: {span(made.dollars, '$', 2)}",
        f"Based on {made.from_}. Share of yes used: {made.prevalence:.1%}.",
    ]
    if made.label_all and not way_of(made.method).whole:
        lines.insert(-1, f"labelling every image instead: {span(made.everything)} answers")
    if made.check is not None:
        on = "" if made.checked else ", if you choose it with aim --check"
        lines.insert(-1, f"the owner's check of what is released: {span(made.check)} answers of the owner{on}")
    if made.certified is not None:
        lines.append(f"{made.certified:.0%} of simulated runs were certified, with about {made.delivered:,} images.")
    if made.not_all and not way_of(made.method).whole:
        lines.append(f"Labelling every image (about {made.everything.expected:,.0f} answers) {made.not_all}.")
    return [*lines, made.advice] if made.advice else lines
