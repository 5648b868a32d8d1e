"""Simulated futures of a category, from now to its certificate: the rounds of learning to come, then freeze and audits.

Each future draws anew what is not known: how far the scores can be believed, how many rounds there will be, what people
say to the images asked about in them, and every label of the audits. Before there are scores, it draws the share of yes
and how well a classifier will tell the answers apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thresher.evidence import Doubt, Draws, Frozen, Run, rehearse
from thresher.evidence.predict import doubtful
from thresher.learn.decide import Decided
from thresher.learn.sample import SHARES
from thresher.loop.methods import PATIENCE_ROUNDS, budget_left, rounds_of
from thresher.loop.price import Prices
from thresher.loop.promises import Purse, frozen_of, pool_of
from thresher.loop.purse import purse_of
from thresher.loop.ranking import rank
from thresher.loop.snapshot import Snapshot, holds
from thresher.loop.ways import way_of
from thresher.records import Category, Label, Purpose, Says, Source
from thresher.settings import Settings
from thresher.store.contract import Store

Floats = NDArray[np.float64]

PLANS = 5  # freezes, each after so many rounds as it draws
RUNS = 4  # of the audits of each
# of bench/budget.py's runs: log-odds of the truth against those of the scores, median and deviation of its logarithm
SLOPE, SLOPE_DEVIATION = 1.25, 0.3
SCALE, SCALE_DEVIATION = 0.85, 0.5
# the same while a classifier knows nothing but gold, of which half is yes, whatever the pool's share is
GOLD_SLOPE, GOLD_SLOPE_DEVIATION = 0.95, 0.45
GOLD_SCALE, GOLD_SCALE_DEVIATION = 0.42, 0.45
MORE_ROUNDS = 0.25  # the probability of one round more, where learning might end
SHARPER = 1.15  # the log-odds of the rest grow so much in a round
SCOUTED = 12  # images, in the last round before a freeze
TOLD = 0.99  # how far the label that people gave to an image is believed
APART = (2.0, 3.0, 4.2)  # deviations between the scores of yes and no at the end of learning: weak, middling, strong


@dataclass(frozen=True, slots=True)
class Future:
    """One simulated future: images to train on, what its audits asked about, and the share of yes that it assumes."""

    learn: float
    audit: Run
    share: float | None = None

    @property
    def images(self) -> float:
        """Images that people are asked about."""
        return self.learn + self.audit.answers

    def answers(self, price: Prices) -> float:
        """Answers of people at these prices."""
        audits = price.sure * self.audit.sure + price.word * self.audit.words
        return price.learn * self.learn + audits + (price.follow_ups if self.audit.sure else 0.0)


@dataclass(frozen=True, slots=True)
class Standing:
    """The ranked images by the scores: probabilities of yes, best first, and how many at each end people called so."""

    probability: Floats
    told_yes: int = 0
    told_no: int = 0

    @property
    def free(self) -> Floats:
        """The probabilities of those in between, which only have scores."""
        return self.probability[self.told_yes : len(self.probability) - self.told_no]


def under_way(snapshot: Snapshot, labels: Sequence[Label], price: Prices) -> list[Future]:
    """The futures of audits that have begun: their labels and draws are as they are."""
    known = snapshot.state({label.row: label for label in labels})
    told = np.isin(snapshot.ranking, np.array([label.row for label in labels], np.int64))
    ends = [int(np.argmin(np.append(side, False))) for side in (told, told[::-1])]
    random = np.random.default_rng(0)
    futures = []
    for run in range(PLANS * RUNS):
        doubt = _told(_doubt(random, from_gold=False), ends[0], ends[1], price)
        futures.append(Future(0.0, rehearse(snapshot.frozen, run=run, doubt=doubt, words=price.votes, known=known)))
    return futures


def _told(doubt: Doubt, yes: int, no: int, price: Prices) -> Doubt:
    return Doubt(doubt.slope, doubt.scale, yes, no, price.votes.wrong)


def from_scores(
    category: Category, decided: Decided, price: Prices, *, store: Store, settings: Settings
) -> tuple[list[Future], float]:
    """The futures from the scores of the newest round, and the share of yes that these promise."""
    labels = {label.row: label for label in store.labels.held(category.name, category.question.version)}
    known = {row: label for row, label in labels.items() if holds(label, category.targets.truth)}
    ranking, probability = rank(decided, labels, known)
    said = {row: label.says for row, label in labels.items() if row not in known}
    says = [said.get(row) for row in ranking.tolist()] if said else []
    standing = Standing(probability, says.count(Says.YES), says.count(Says.NO))
    left = max(budget_left(category, store=store), 1)
    purse = purse_of(category, left, store=store, settings=settings)
    from_gold = not any(label.source is Source.CONSENSUS for label in labels.values())
    random = np.random.default_rng(0)
    ends = _Ends(category, tuple(known.values()), purse, price)
    futures: list[Future] = []
    for plan in range(PLANS):
        doubt = _doubt(random, from_gold=from_gold)
        more = _to_learn(category, len(standing.free), random, store=store, settings=settings, price=price)
        futures += ends.of(_learned(standing, more, doubt, random, settings), doubt, more, plan)
    yes = sum(label.says is Says.YES for label in known.values()) + float(probability.sum())
    return futures, yes / max(len(ranking) + len(known), 1)


def from_nothing(
    category: Category, images: int, shares: Sequence[float], price: Prices, *, store: Store, settings: Settings
) -> list[Future]:
    """The futures before there are scores, for each of these shares of yes and each strength of a classifier."""
    left = max(budget_left(category, store=store), 1)
    purse = purse_of(category, left, store=store, settings=settings)
    random = np.random.default_rng(0)
    held = store.labels.held(category.name, category.question.version)
    known = tuple(label for label in held if holds(label, category.targets.truth))
    ends = _Ends(category, known, purse, price)
    futures: list[Future] = []
    free = max(images - len(known), 1)
    for plan, (share, apart) in enumerate([(share, apart) for share in shares for apart in APART]):
        standing = Standing(_scores_apart(free, share, apart, random))
        first = 0 if way_of(category.targets.method).whole else min(settings.first_images, free)
        more = first + _to_learn(category, free - first, random, store=store, settings=settings, price=price)
        ended = ends.of(_learned(standing, more, Doubt(), random, settings), Doubt(), more, plan)
        futures += [replace(future, share=share) for future in ended]
    return futures


@dataclass(frozen=True)
class _Ends:
    """The audits of a category, from a standing at the freeze on."""

    category: Category
    known: tuple[Label, ...]
    purse: Purse
    price: Prices

    def of(self, standing: Standing, doubt: Doubt, learn: int, plan: int) -> list[Future]:
        """Several runs of the audits of one freeze."""
        told = _told(doubt, standing.told_yes, standing.told_no, self.price)
        pool = pool_of(standing.probability, self.known, said_no=standing.told_no)
        frozen: Frozen = frozen_of(self.category.targets, pool, self.purse, Draws(seed=f"{plan:064x}"))
        runs = range(plan * RUNS, (plan + 1) * RUNS)
        return [Future(learn, rehearse(frozen, run=run, doubt=told, words=self.price.votes)) for run in runs]


def _doubt(random: np.random.Generator, *, from_gold: bool) -> Doubt:
    slope, scale = (GOLD_SLOPE, GOLD_SCALE) if from_gold else (SLOPE, SCALE)
    deviation = (GOLD_SLOPE_DEVIATION, GOLD_SCALE_DEVIATION) if from_gold else (SLOPE_DEVIATION, SCALE_DEVIATION)
    drawn = random.normal(0.0, deviation)
    return Doubt(slope * math.exp(drawn[0]), scale * math.exp(drawn[1]))


def _to_learn(
    category: Category, free: int, random: np.random.Generator, *, store: Store, settings: Settings, price: Prices
) -> int:
    """Images that will still be labelled to train on: those asked about now, then the rounds to come (certified.py)."""
    way, targets = way_of(category.targets.method), category.targets
    if way.whole:  # it labels every image at once
        return 0
    done = len(rounds_of(category, store=store))
    votes = store.asks.open_counts(category.name, category.question.version).get(Purpose.LEARN.value, 0)
    waiting = math.ceil(votes / settings.votes)
    rounds = max(PATIENCE_ROUNDS + 1 - max(done, 1), 0) + int(random.geometric(1.0 - MORE_ROUNDS)) - 1
    asked = settings.round_images * max(rounds - (1 if waiting and rounds else 0), 0) + waiting
    more = asked + (SCOUTED if way.scouted else 0)
    if way.budgeted and targets.answers is not None:
        left = budget_left(category, store=store) - round(0.6 * targets.answers)
        more = min(more, max(int(left / price.learn), 0))
    return min(more, free)


def _learned(standing: Standing, more: int, doubt: Doubt, random: np.random.Generator, settings: Settings) -> Standing:
    """The standing after people labelled `more` images, chosen as learn/sample.py does, and the scores got sharper."""
    free = standing.free
    chosen = _chosen(free, more, random)
    yes = random.random(len(chosen)) < doubtful(free[chosen], doubt)
    rest = np.delete(free, chosen)
    rounds = more / max(settings.round_images, 1)
    odds = np.log(np.clip(rest, 1e-9, 1.0 - 1e-9) / np.clip(1.0 - rest, 1e-9, 1.0)) * SHARPER**rounds
    told_yes, told_no = standing.told_yes + int(yes.sum()), standing.told_no + int((~yes).sum())
    parts = (np.full(told_yes, TOLD), np.sort(1.0 / (1.0 + np.exp(-odds)))[::-1], np.full(told_no, 1.0 - TOLD))
    return Standing(np.concatenate(parts), told_yes, told_no)


def _chosen(free: Floats, more: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Places among the free: the top, those nearest to the boundary, the rest at random."""
    top, near = (round(share * more) for share in SHARES)
    boundary = np.argsort(np.abs(free - 0.5), kind="stable")
    rest = random.permutation(len(free))
    wanted = np.concatenate([np.arange(min(top, len(free))), boundary[: top + near], rest])
    _, first = np.unique(wanted, return_index=True)
    return np.asarray(wanted[np.sort(first)][:more], np.int64)


def _scores_apart(images: int, share: float, apart: float, random: np.random.Generator) -> Floats:
    """Probabilities, best first, of a classifier whose scores of yes and no are normal and so many deviations apart."""
    yes = random.random(images) < share
    evidence = random.normal(np.where(yes, apart, -apart) * apart / 2.0, apart)
    odds = evidence + math.log(share / (1.0 - share))
    return np.sort(1.0 / (1.0 + np.exp(-np.clip(odds, -40.0, 40.0))))[::-1]
