"""One turn of the loop. Every stage reads and writes the store; only this file knows their order."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from thresher.errors import AlreadyThere, Conflict, NotReady
from thresher.label.again import judge_again
from thresher.label.asks import fill_tasks, unsettled
from thresher.label.deal import expire, out_of_answers
from thresher.label.gate import review_all
from thresher.label.gold import gild_audits
from thresher.label.out_of_people import end_out_of_people
from thresher.label.remembered import Memory
from thresher.label.votes import settle
from thresher.learn.embed import embed, with_vectors
from thresher.learn.known import has_learnt
from thresher.learn.round import beside_marks, train_round
from thresher.learn.text import keep_scored
from thresher.loop.budget import is_short, nobody_can_answer
from thresher.loop.certified import certified
from thresher.loop.checking import keep_checked
from thresher.loop.choice import chosen_again
from thresher.loop.methods import Wish, cascade, on_their_way, uncertainty
from thresher.loop.snapshot import is_frozen
from thresher.loop.ways import Asking, way_of
from thresher.records import OWNER_ONLY, Category, Purpose, Round, Task
from thresher.settings import Settings
from thresher.store.contract import Report, Store

ASKING: Final[dict[Asking, Callable[..., Wish]]] = {
    "cascade": cascade,
    "uncertainty": uncertainty,
    "audits": certified,
}
"""The functions that say what to ask next, by the name in `Way.asks` (ways.py)."""
CHANGED: Final = "the question or the targets changed during this turn; the next turn goes by them."
CAME_IN: Final = "answers came in during this turn; the next turn processes them."


@dataclass(frozen=True, slots=True)
class Turn:
    """The result of a turn.

    `state` is "asking" (people have work), "learned" (a round was added), "done" (nothing is unknown any more, or it is
    certified), "spent" (the budget of answers is used up), "refused" (no certificate is possible), "empty" (the pool
    has no images) or "damaged" (answers or evidence do not match their checksums). `says` is a sentence for the user.
    """

    state: str
    says: str
    round: Round | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """The process that takes turns of one category: whether it is to stop, and what it remembers between them.

    Without its memory a turn reads everything, and comes to the same.
    """

    stop: Callable[[], bool] = lambda: False
    memory: Memory = field(default_factory=Memory)


def turn(
    name: str,
    *,
    store: Store,
    settings: Settings,
    now_ms: int,
    seed: int,
    report: Report | None = None,
    process: Process | None = None,
) -> Turn:
    """Process the new answers, train, decide, and ask people about more images."""
    process = process or Process()
    stop, memory = process.stop, process.memory
    category = store.categories.get(name)
    pool = store.categories.pool(name)
    if not len(pool):
        return Turn("empty", f"the pool of {name} is empty. Next: thresher harvest {name} --folder ...")
    hear = partial(listen, category, store=store, settings=settings, now_ms=now_ms, memory=memory)
    if not hear():
        return Turn("asking", CHANGED, None)
    end_out_of_people(category, store=store, settings=settings, now_ms=now_ms)
    way = way_of(category.targets.method)
    if not way.given and not _nothing_to_learn_from(category, store=store):
        made = embed(pool, store=store, settings=settings, report=report, stop=stop)
        keep_scored(name, store=store, settings=settings, now_ms=now_ms)
        if made and not hear():  # people answer while a pool is embedded, for minutes or hours
            return Turn("asking", CHANGED, None)
    busy = people_are_busy(category, store=store, settings=settings)
    if busy:
        _publish(category, store=store, settings=settings, now_ms=now_ms)
        return Turn("asking", busy, store.rounds.latest(name, category.question.version))
    before = store.rounds.latest(name, category.question.version)
    # its ranking, or the labels that are given, are what is audited
    if way.given or is_frozen(category, store=store):
        learned = before
    else:
        learned = learn(category, store=store, settings=settings, seed=seed, now_ms=now_ms, report=report)
        if learned != before and not hear():  # what was learnt is not about what is asked now
            return Turn("asking", CHANGED, None)
        chosen = chosen_again(category, store=store, settings=settings)
        if chosen.question != category.question:
            return Turn("asking", CHANGED, None)
        category, way = chosen, way_of(chosen.targets.method)
    try:
        wish = ASKING[way.asks](category, store=store, settings=settings, seed=seed, now_ms=now_ms)
    except Conflict:  # nothing is frozen by targets of before
        if store.categories.get(name) == category:
            raise
        return Turn("asking", CHANGED, None)
    came_to = ask(category, wish, learned, store=store, settings=settings, now_ms=now_ms)
    if came_to.state == "learned" and learned == before:
        return replace(came_to, state="asking")  # nothing new: the loop rests, while the owner is asked for example
    return came_to


def listen(category: Category, *, store: Store, settings: Settings, now_ms: int, memory: Memory | None = None) -> bool:
    """End expired leases, check what was sent against gold, and turn votes into labels or further asks.

    Called before a turn asks for anything, and again after each long step: an answer that came meanwhile must not be
    asked for again. Returns whether question and targets are still those of this category: a turn goes by one version
    of them from its beginning to its end.
    """
    name = category.name
    expire(store, now_ms)
    review_all(name, store=store, settings=settings, now_ms=now_ms, memory=memory)

    def frozen() -> bool:
        return is_frozen(category, store=store)

    judge_again(category, store=store, settings=settings, now_ms=now_ms, frozen=frozen, memory=memory)
    if store.rounds.epochs(name) and not frozen():
        keep_checked(category, store=store, memory=memory)
        gild_audits(category, store=store, memory=memory)
    settle(category, store=store, settings=settings, now_ms=now_ms, memory=memory)
    # full tasks only: the few images that need further votes go into tasks with what this turn asks
    fill_tasks(category, store=store, settings=settings, now_ms=now_ms, flush=False)
    return store.categories.get(name) == category


def _nothing_to_learn_from(category: Category, *, store: Store) -> bool:
    """Whether nothing was asked and nothing is known yet: the first asks are random, and people need not wait for them
    while a large pool is embedded. The next turn embeds it while they answer.
    """
    name, version = category.name, category.question.version
    by_purpose = store.asks.open_counts(name, version)
    asked = any(count for purpose, count in by_purpose.items() if purpose not in OWNER_ONLY)
    return not (asked or store.labels.held(name, version) or store.labels.gold(name, version))


def people_are_busy(category: Category, *, store: Store, settings: Settings) -> str:
    """A sentence while people have enough to do; empty when the loop should continue.

    A few open asks are no reason to wait: otherwise the last workers of a round would keep all others idle. Asks that
    only the owner can answer do not count, because the owner may be away.
    """
    of_people = [purpose for purpose in Purpose if purpose not in OWNER_ONLY]
    waiting = store.asks.open_rows(category.name, category.question.version, of_people)
    if len(waiting) == 0 or len(waiting) < few(settings, store.categories.tally(category.name).images):
        return ""
    if says := out_of_answers(category, store=store, settings=settings):
        return f"{says}." if on_their_way(category, store=store) else ""
    if nobody_can_answer(category, waiting.tolist(), store=store, settings=settings):
        return ""  # the budget pays nobody who has not seen them
    return f"{len(waiting):,} images wait for people's answers."


def few(settings: Settings, images: int) -> int:
    """The number of open asks below which the next round need not wait: a third of a task, less for a small pool."""
    return min(settings.task_images // 3, images // 50)


def learn(
    category: Category, *, store: Store, settings: Settings, seed: int, now_ms: int, report: Report | None
) -> Round | None:
    """Train and score if the last round did not have all labels and columns; the newest round in any case."""
    latest = store.rounds.latest(category.name, category.question.version)
    if latest and _knows_all(category, latest, store=store, settings=settings):
        return latest
    try:
        return train_round(category, store=store, settings=settings, seed=seed, now_ms=now_ms, report=report)
    except NotReady:  # fewer than two labels of each answer: more random images are asked about
        return None
    except AlreadyThere:  # another loop, whose lease this process has lost, was faster
        return store.rounds.latest(category.name, category.question.version)


def _knows_all(category: Category, latest: Round, *, store: Store, settings: Settings) -> bool:
    """Whether a round has learnt from the labels and columns of now, and scored every image that can be scored."""
    if not has_learnt(latest, store.labels.held(category.name, category.question.version)):
        return False
    if latest.beside != beside_marks(category.name, store=store):
        return False
    unscored = store.columns.missing(latest.column, store.categories.pool(category.name))
    return not len(with_vectors(unscored, store=store, settings=settings))  # the others could not be read


def ask(
    category: Category, wish: Wish, learned: Round | None, *, store: Store, settings: Settings, now_ms: int
) -> Turn:
    """Put what the method asks for into tasks, and what is left of earlier asks, also where it has ended."""
    tasks = _publish(category, store=store, settings=settings, now_ms=now_ms)
    if wish.state == "waiting":
        return Turn("asking", wish.says, learned)
    if wish.state != "asking":
        return Turn(wish.state, wish.says, learned)
    name, version = category.name, category.question.version
    nothing_open = not tasks and not len(store.asks.open_rows(name, version))
    # a method with a certificate reports its own end; here the asks were answered during this turn
    if nothing_open and (way_of(category.targets.method).proves or len(unsettled(name, version, store=store))):
        return Turn("asking", CAME_IN, learned)
    if nothing_open:
        return Turn("done", "nothing is left to ask about.", learned)
    return Turn("learned" if learned else "asking", wish.says, learned)


def _publish(category: Category, *, store: Store, settings: Settings, now_ms: int) -> list[Task]:
    """Put what is asked into tasks; the last ones of a budget wait for nothing."""
    last = is_short(category, store=store, settings=settings)
    return fill_tasks(category, store=store, settings=settings, now_ms=now_ms, last=last)
