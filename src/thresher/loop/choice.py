"""The choice of a method by its price: the cheapest that keeps a category's promise, labelling every image included.

It is made when targets are set without a method, and again after each round until the pool is frozen, as the scores and
the crowd become known: a method that needs more people than have joined is left out, and each is priced by what this
crowd has taken. What is frozen keeps its method. Each choice of the loop is stored with the prices that it went by.
"""

import hashlib
import json
import math
from dataclasses import dataclass, replace

from thresher.label.adjudicate import LEAD
from thresher.label.standing import annotators
from thresher.loop.forecast import LIKELY, Plan, plan
from thresher.loop.methods import rounds_of, words_of
from thresher.loop.snapshot import is_frozen
from thresher.loop.ways import CANDIDATES, START, TO_BE_CHOSEN, WAYS
from thresher.records import Category, Targets
from thresher.settings import Settings
from thresher.store.contract import Store

ALIKE = 1.02  # prices that differ by less are the same
KEPT = 1.1  # a method is kept while no other costs so much less, since forecasts are no better
CHOSEN = "choice"


@dataclass(frozen=True, slots=True)
class Choice:
    """The targets with the chosen method, why in `targets.chosen`, and the plan of each method that was compared."""

    targets: Targets
    offers: dict[str, Plan]

    @property
    def plan(self) -> Plan:
        """The plan of the chosen method."""
        return self.offers[self.targets.method]


def choose(
    category: Category, targets: Targets, *, store: Store, settings: Settings, prevalence: float | None = None
) -> Choice:
    """The method that is expected to keep the promise of `targets` for the fewest answers.

    If none is likely to, or the budget pays for none, the cheapest all the same. Raises NotReady for a pool without
    images.
    """
    lacking = _lacking(targets, store=store, settings=settings)
    votes = targets.truth == "people" and not lacking

    def planned_by(method: str) -> Plan:
        wanted = replace(targets, method=method)
        return plan(category, wanted, store=store, settings=settings, prevalence=prevalence)

    audited = [name for name in CANDIDATES if not WAYS[name].whole and (votes or not WAYS[name].words)]
    offers = {name: planned_by(name) for name in audited}
    whole = offers[START].everything.expected if votes and offers[START].label_all else math.inf
    if whole <= KEPT * min(_price(made) for made in offers.values()):  # else its plan is not worth its time
        offers |= {name: planned_by(name) for name in CANDIDATES if name not in offers}
    likely = {name: made for name, made in offers.items() if _keeps(made)} or offers
    least = min(_price(made) for made in likely.values())
    present = targets.method if targets.chosen not in ("", TO_BE_CHOSEN) else ""
    if present in likely and _price(likely[present]) <= KEPT * least:
        best = present
    else:
        best = next(name for name in CANDIDATES if name in likely and _price(likely[name]) <= ALIKE * least)
    return Choice(replace(targets, method=best, chosen=_why(best, offers) + lacking), offers)


def planned(
    category: Category, targets: Targets, *, store: Store, settings: Settings, prevalence: float | None = None
) -> tuple[Targets, Plan]:
    """The plan of the targets, and the targets with the method that was planned for: chosen, if it is to be chosen.

    A freeze in force has its method. Raises as `plan`.
    """
    if not targets.chosen or is_frozen(replace(category, targets=targets), store=store):
        return targets, plan(category, targets, store=store, settings=settings, prevalence=prevalence)
    made = choose(category, targets, store=store, settings=settings, prevalence=prevalence)
    return made.targets, made.plan


def chosen_now(name: str, *, store: Store, settings: Settings) -> Targets:
    """The targets of a category, whose method is chosen now if it is to be, there are images, and nothing is frozen."""
    category = store.categories.get(name)
    if category.targets.chosen and len(store.categories.pool(name)) and not is_frozen(category, store=store):
        _put(category, choose(category, category.targets, store=store, settings=settings), store=store)
    return store.categories.get(name).targets


def chosen_again(category: Category, *, store: Store, settings: Settings) -> Category:
    """The category with the method chosen anew, if it is to be chosen and there was a round, or people came, since."""
    name, rounds = category.name, rounds_of(category, store=store)
    if not category.targets.chosen or not rounds:  # the first asks are the same, whatever the method
        return category
    people = min(len(annotators(store=store)), _people(settings))
    promise = mark_of(replace(category.targets, method=""))
    mark = f"{CHOSEN} {rounds[-1].number}, {people} people, targets {promise}"
    if store.rounds.evidence(name, 0, mark) is not None:
        return category
    made = choose(category, category.targets, store=store, settings=settings)
    if not _put(category, made, store=store):
        return store.categories.get(name)
    prices = {method: round(offer.answers.expected) for method, offer in made.offers.items()}
    kept = {"method": made.targets.method, "answers": prices, "says": made.targets.chosen}
    store.rounds.keep_evidence(name, 0, mark, json.dumps(kept, sort_keys=True).encode())
    return store.categories.get(name)


def mark_of(targets: Targets) -> str:
    """A short hash of targets, whatever says why their method was chosen: what is kept by it is for them alone."""
    return hashlib.sha256(repr(replace(targets, chosen="")).encode()).hexdigest()[:16]


def _put(category: Category, made: Choice, *, store: Store) -> bool:
    """Store a choice, unless the category was changed or frozen since it was read, by its owner or another loop."""
    frozen = is_frozen(category, store=store)
    # the comparison is the last step before the write: reading a freeze takes longer
    if frozen or store.categories.get(category.name) != category:
        return False
    if made.targets != category.targets:
        store.categories.aim(category.name, made.targets)
    return True


def _lacking(targets: Targets, *, store: Store, settings: Settings) -> str:
    """That too few people have joined for the methods that build on votes; empty if enough have, or none."""
    people, take = len(annotators(store=store)), _people(settings)
    if targets.truth != "people" or people >= take or not store.people.all():
        return ""
    names = " and ".join(name for name in CANDIDATES if WAYS[name].words)
    return f"; {names} need {take} people, and {people} {'has' if people == 1 else 'have'} joined"


def _people(settings: Settings) -> int:
    """How many people a method needs that builds on votes: those who vote on an image, and others who adjudicate it."""
    return words_of(settings) + LEAD


def _keeps(made: Plan) -> bool:
    """Whether a method is likely to keep the promise within the budget."""
    return not made.short and (made.certified is None or made.certified >= LIKELY)


def _price(made: Plan) -> float:
    """Answers of people, and of the owner who checks what is released."""
    return made.answers.expected + (made.check.expected if made.check and made.checked else 0.0)


def _why(best: str, offers: dict[str, Plan]) -> str:
    """The sentence about a choice: each price, the chosen one first."""

    def said(name: str) -> str:
        what = "labelling every image" if WAYS[name].whole else name
        return f"about {_price(offers[name]):,.0f} answers by {what}"

    others = [said(name) for name in offers if name != best]
    if offers[START].label_all and not any(WAYS[name].whole for name in offers):
        others.append(f"about {offers[START].everything.expected:,.0f} by labelling every image")
    dollars = f"{said(best)} (${offers[best].dollars.expected:,.2f})"
    return f"the cheapest that keeps the promise: {', '.join([dollars, *others])}"
