"""Labelling every image (evidence/everything.py): what it takes, and whether it is cheaper than audits."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from thresher.label.adjudicate import LEAD
from thresher.label.standing import annotators
from thresher.learn.decide import Decided, look_up
from thresher.loop.checking import is_checked, kept_for_check
from thresher.loop.price import Prices, each_of, prices
from thresher.loop.ranking import rank
from thresher.loop.snapshot import holds
from thresher.loop.ways import WAYS, way_of
from thresher.records import Category, Says, Targets, Vote
from thresher.settings import Settings
from thresher.store.contract import Store

NAME = next(name for name, way in WAYS.items() if way.whole)
WORDS_OF = 2  # people who agree on an image, at least
MAY_FIT = 1.25  # audits are begun that are expected to take so many times the answers left
NO_VOTES = np.empty(0, np.int64), np.empty(0, np.int64)
ERRORS_MOST = 0.5  # of the errors that the targets allow, so many may be expected on which people agree


def of_everything(category: Category) -> Category:
    """The category as if every image were to be labelled."""
    return replace(category, targets=replace(category.targets, method=NAME))


@dataclass(frozen=True, slots=True)
class Left:
    """What labelling every image takes from here on.

    `answers` of people, gold included; and how many of the images may be labelled wrongly because people agree on an
    error: of the `yes` images expected in the pool, `missed`, and `false` of the others.
    """

    answers: float
    yes: float
    missed: float
    false: float

    def beyond(self, targets: Targets) -> str:
        """The errors on which people agree, if these use up most of what the targets allow; else empty."""
        for wrong, errors, name, target in (
            ("yes", self.false, "precision", targets.precision),
            ("no", self.missed, "recall", targets.recall),
        ):
            most = ERRORS_MOST * (1.0 - target) * self.yes
            if errors > most:
                may = f"at most {most:.1f} may be, {ERRORS_MOST:.0%} of what the {name} allows"
                return f"a wrong {wrong} for {errors:.1f} images, which nothing audits: {may}"
        return ""


def left_to_label(
    category: Category, decided: Decided, price: Prices, *, store: Store, votes: Sequence[Vote] | None = None
) -> Left:
    """What it takes to label every image left, at these prices: votes that agree, else an adjudicated label.

    Votes that were cast to learn or for an audit count; they are read unless they are given, all of them.
    """
    name, version = category.name, category.question.version
    labels = {label.row: label for label in store.labels.held(name, version)}
    known = {row: label for row, label in labels.items() if holds(label, category.targets.truth)}
    people = annotators(store=store)
    every = store.labels.votes(name, version) if votes is None else votes
    votes = [vote for vote in every if vote.worker in people]
    voted, cast = np.unique([vote.row for vote in votes], return_counts=True) if votes else NO_VOTES
    said = {(vote.row, vote.says) for vote in votes}
    rows, probability = rank(decided, labels, known)
    at, there = look_up(voted, rows)
    parts = np.ones(len(rows))
    parts[there] = np.maximum(WORDS_OF - cast[at[there]], 0) / WORDS_OF
    differ = sum(count > 1 for row, count in Counter(row for row, _ in said).items() if row not in known)
    words, open_ = float(parts.sum()) * price.word, int((parts > 0).sum()) * price.votes.apart + differ
    likely, wrong = float(probability.sum()), price.votes.wrong
    yes = likely + sum(label.says is Says.YES for label in known.values())
    return Left(
        words + open_ * price.sure + (price.follow_ups if words + open_ else 0.0),
        yes,
        wrong * likely,
        wrong * (len(rows) - likely),
    )


def instead_of_audits(
    category: Category, decided: Decided, audits: tuple[float, int], *, store: Store, settings: Settings
) -> str:
    """Why every image is labelled, as a sentence; empty while audits of so many images are the cheaper way.

    `audits`: their images, and the answers left for them. Only where people's answers are the ground truth, where
    enough of them have joined to vote and to adjudicate, where the owner is to check no part of them, and where they
    agree on so few errors that the targets are kept: nothing audits these.
    """
    if way_of(category.targets.method).whole:
        return "labels every image of the pool."
    if len(annotators(store=store)) < WORDS_OF + LEAD:
        return ""
    votes = store.labels.votes(category.name, category.question.version)
    price = prices(category, store=store, settings=settings, votes=votes)
    takes = audits[0] * each_of(category, price)
    whole = left_to_label(category, decided, price, store=store, votes=votes)
    may = can_label_all(category, whole, store=store, settings=settings)
    if whole.answers > min(takes, MAY_FIT * audits[1]) or not may:
        return ""
    return f"labels every image of the pool, for about {whole.answers:,.0f} answers; audits take about {takes:,.0f}."


def can_label_all(category: Category, left: Left, *, store: Store, settings: Settings) -> bool:
    """Whether labelling every image that is `left` may take the place of the audits of a category."""
    return not why_not_all(category, left, store=store, settings=settings)


def why_not_all(category: Category, left: Left, *, store: Store, settings: Settings) -> str:
    """Why it may not, as the end of a sentence that begins with "Labelling every image"; empty if it may.

    It may only where people's answers are the ground truth and the owner checks no part of them, where enough people
    have joined if any have, and where they agree on so few errors that the targets are kept: nothing audits these.
    """
    targets, people = category.targets, len(annotators(store=store))
    way, take = way_of(targets.method), WORDS_OF + LEAD
    if not settings.label_all:
        return "is switched off by the setting label_all"
    if not (way.planned and way.precision and way.recall):
        return f"is no part of the method {way.name}"
    if targets.truth != "people":
        return "would not prove these targets: people vote on it, and the owner's answers are the ground truth"
    if is_checked(category, store=store, settings=settings):
        return "would leave the owner nothing to check: there are no audits"
    if people and people < take:
        have = "has" if people == 1 else "have"
        return f"would not prove these targets yet: it takes {take} people, and {people} {have} joined"
    wrong = left.beyond(targets)
    return wrong and f"would not prove these targets: people are expected to agree on {wrong}"


def too_small(
    category: Category, decided: Decided, audits: tuple[float, int], *, store: Store, settings: Settings
) -> str:
    """That audits (as above) take more than the answers left, as does labelling all; empty if one of them fits.

    A quarter more than is left may still fit, as nobody knows better.
    """
    images, left = audits
    kept = kept_for_check(category.targets) if is_checked(category, store=store, settings=settings) else 0
    left -= kept
    votes = store.labels.votes(category.name, category.question.version)
    price = prices(category, store=store, settings=settings, votes=votes)
    takes = images * each_of(category, price)
    whole = left_to_label(category, decided, price, store=store, votes=votes)
    if can_label_all(category, whole, store=store, settings=settings):
        takes = min(takes, whole.answers)
    if takes <= MAY_FIT * left:
        return ""
    most = category.targets.answers or 0
    return (
        f"the audits would take about {takes:,.0f} answers, and {max(left, 0):,} of {most:,} are left"
        f"{f', beside {kept:,} for the check by the owner' if kept else ''}; "
        f"`thresher category aim {category.name} --answers {math.ceil(most - left + takes)}` raises the budget."
    )
