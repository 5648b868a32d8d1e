"""The budget of answers in the loop: what is left of it for new asks, how they are sized, and when it has ended.

The store keeps the limit (store/contract/work.py), whatever is asked. Here no more is asked than is likely to be
answered, so that what is asked gets all of its votes, and an audit ends when nobody could answer it any more.
"""

from collections.abc import Iterable
from typing import Final

from thresher.label.asks import still_wanted
from thresher.label.cap import answers_left, owners_asks
from thresher.label.deal import gold_with
from thresher.label.independent import were_shown
from thresher.label.standing import annotators
from thresher.records import Category, Worker
from thresher.settings import Settings
from thresher.store.contract import Store

NO_LIMIT: Final = 2**31
ENOUGH_HALVES: Final = 1.6  # tasks' worth of images, from which on the tasks of each part, cut in halves, are large
FEW: Final = 5
NOBODY_YET: Final = Worker("", "", owner=False, invite="", created_ms=0)


def spare(category: Category, *, store: Store, settings: Settings) -> int:
    """The answers for new asks: those left, without what the open asks are still going to take, gold included."""
    left = answers_left(category, store=store)
    if left is None:
        return NO_LIMIT
    wanted = still_wanted(category.name, category.question.version, store=store)
    return left - round(wanted * with_gold(settings))


def with_gold(settings: Settings) -> float:
    """Answers for each vote, in full tasks of people whose work is not known yet."""
    return 1.0 + settings.gold_images / settings.task_images


def is_short(category: Category, *, store: Store, settings: Settings) -> bool:
    """Whether so few answers are left that not every assignment fits."""
    left = answers_left(category, store=store)
    return left is not None and left < settings.task_images + settings.gold_images


def images_for(answers: int, most: int, settings: Settings) -> int:
    """How many images may be asked about for so many answers, gold included; at most `most`, at least one.

    From one task's worth of images on, each vote goes into a task of its own, of halves while there are few (asks.py).
    Halves are half gold, so a little less than a task's worth is asked then.
    """
    images = min(most, int(answers / (settings.votes * with_gold(settings))))
    if settings.votes > 1 and settings.task_images <= images < ENOUGH_HALVES * settings.task_images:
        images = settings.task_images - 1
    return max(images, 1)


def nobody_can_answer(
    category: Category, rows: Iterable[int] | None = None, *, store: Store, settings: Settings
) -> bool:
    """Whether the budget has ended: nobody could answer one of the rows (any image, for None) with what is left of it.

    Not while assignments are open, nor while the owner has something to answer alone; but the loop does not wait for
    the owner to use the last few answers, where they are too few for all of it.
    """
    left = answers_left(category, store=store)
    tally = store.categories.tally(category.name)
    if left is None or tally.reserved:
        return False
    people = annotators(store=store)
    if not people or category.targets.truth == "owner":
        return left < 1
    if of_the_owner := owners_asks(tally):
        return left < min(of_the_owner, FEW)

    def cheapest(worker: Worker) -> int:
        return 1 + gold_with(category, worker, store=store, settings=settings)(1)

    if left >= cheapest(NOBODY_YET):  # somebody may join, who has seen nothing yet
        return False
    wanted = None if rows is None else set(rows)
    return not any(
        left >= cheapest(store.people.get(one))
        and (wanted is None or wanted - were_shown(category.name, one, store=store))
        for one in people
    )
