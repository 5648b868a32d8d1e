"""Assigning tasks (dealing): a worker leases a task's images with hidden gold among them, in an order of their own."""

import hmac
import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from thresher.label.adjudicate import LEAD
from thresher.label.asks import recompose_for
from thresher.label.cap import answers_left, cut_to_fit, nearly_spent, owners_asks, spent_says
from thresher.label.gate import SHOWN_LEAST, known_to_be_good
from thresher.label.gold import AUDITS
from thresher.label.standing import annotators, bounds_of
from thresher.label.unaided import Record
from thresher.records import Assignment, Category, Dealt, Gold, Says, Stage, Task, Worker
from thresher.settings import Settings
from thresher.store.contract import Bounds, Rows, Store
from thresher.store.contract.work import no_gold

LEAST_EACH = 1  # gold of each answer in the smallest task
KNOWN_EACH = SHOWN_LEAST - 1  # in a full task of a worker with a good record
NEW_EACH = SHOWN_LEAST  # in a small task of a new worker: enough to reject guesses, and nobody who looks (gate.py)
DOUBTED_EACH = 15  # in a small task of who was wrong too often: rejects by the whole rule of the gate
ENOUGH_ACCEPTED = LEAD + 2  # assignments, before there are people with a good record for every vote of a small task


def expire(store: Store, now_ms: int) -> int:
    """End every lease that has run out; returns how many. Drafts are deleted and counted, the places are free again.

    It is called before each assignment, so no separate timer is needed.
    """
    return store.work.expire(now_ms)


def deal(
    category: str, worker: Worker, *, store: Store, settings: Settings, now_ms: int, seed: int | None = None
) -> Assignment | None:
    """Lease an assignment to a worker, or return their unfinished one; None when no task is available to them.

    A full task comes with `settings.gold_images` gold images, half yes and half no, a smaller one with fewer for
    workers with a good record (`gold_each`), as far as there is gold; small tasks are left to those for a while. Gold
    that this worker has not seen comes first, then what they saw longest ago; never an image, nor one like it, that
    they were asked about or that an audit waits for. The owner gets no gold. Two simultaneous calls return the same
    assignment.

    It reserves the most answers that it can bring. Where the answers of the category are limited and fewer are left
    than the next task takes, a task is cut to what fits (cap.py); at the limit there is no task for anybody.

    A task uses the same gold for all workers where possible, and a worker who gave it back gets the same gold again:
    otherwise a comparison of two assignments of one task would tell gold (which differs) from asked (which recurs).
    """
    expire(store, now_ms)
    there = store.categories.get(category)
    bounds = _bounds(there, worker, store=store, settings=settings, now_ms=now_ms)
    take = partial(
        store.work.take,
        category,
        there.question.version,
        worker.id,
        owner=worker.owner,
        now_ms=now_ms,
        lease_ms=round(settings.lease_minutes * 60_000),
        bounds=bounds,
    )
    if worker.owner:  # a part of their own task comes before a task of others that fits
        cut_to_fit(category, worker, bounds=bounds, store=store, settings=settings, now_ms=now_ms)
    assignment = take()
    if assignment is None and _recompose(category, worker, bounds, store=store, settings=settings, now_ms=now_ms):
        assignment = take()
    if assignment is None and cut_to_fit(
        category, worker, bounds=bounds, store=store, settings=settings, now_ms=now_ms
    ):
        assignment = take()
    if assignment is None or assignment.dealt:
        return assignment
    asked = [Dealt(ask.row, ask.id) for ask in store.asks.of_task(assignment.task)]
    gold = [] if worker.owner else _gold_for(assignment, asked, seed, store=store, settings=settings)
    places = asked + [Dealt(piece.row, None) for piece in gold]
    # an order of this assignment alone: the same when it is dealt again, and not to be guessed by its worker
    order = np.random.default_rng(np.frombuffer(_key(f"order/{assignment.id}", store, seed), np.uint32))
    return store.work.set_dealt(assignment.id, [places[place] for place in order.permutation(len(places))])


def offer(category: str, worker: Worker, *, store: Store, settings: Settings, now_ms: int) -> Task | None:
    """The task that `deal` would lease to a worker now, or their unfinished one; nothing is leased."""
    there = store.categories.get(category)
    bounds = _bounds(there, worker, store=store, settings=settings, now_ms=now_ms)
    look = partial(store.work.offer, category, there.question.version, worker.id, owner=worker.owner, bounds=bounds)
    if worker.owner:
        cut_to_fit(category, worker, bounds=bounds, store=store, settings=settings, now_ms=now_ms)
    found = look()
    if found is None and _recompose(category, worker, bounds, store=store, settings=settings, now_ms=now_ms):
        found = look()
    if found is None and cut_to_fit(category, worker, bounds=bounds, store=store, settings=settings, now_ms=now_ms):
        found = look()
    return found


def _recompose(category: str, worker: Worker, bounds: Bounds, *, store: Store, settings: Settings, now_ms: int) -> bool:
    # what others have finished ends with the votes it has where a budget is nearly spent (cap.py)
    partly = not nearly_spent(category, bounds, store=store)
    return recompose_for(category, worker, partly=partly, store=store, settings=settings, now_ms=now_ms)


def _bounds(category: Category, worker: Worker, *, store: Store, settings: Settings, now_ms: int) -> Bounds:
    """Small tasks are left to people whose record is good, who get little gold with them, as long as there are some.

    Nobody waits for them longer than `settings.patience_seconds`.
    """
    bounds = bounds_of(worker, store=store, settings=settings)
    bounds = replace(bounds, gold_with=gold_with(category, worker, store=store, settings=settings))
    if worker.owner or known_to_be_good(store.labels.gold_record(category.name, category.question.version, worker.id)):
        return bounds
    accepted = store.categories.tally(category.name).assignments.get(Stage.ACCEPTED.value, 0)
    gold = Counter(piece.says for piece in store.labels.gold(category.name, category.question.version))
    if accepted < ENOUGH_ACCEPTED or min(gold[Says.YES], gold[Says.NO]) < SHOWN_LEAST:  # else nobody is known
        return bounds
    small_until_ms = now_ms - round(settings.patience_seconds * 1000)
    return replace(bounds, least=math.ceil(settings.task_images / 2), small_until_ms=small_until_ms)


def gold_with(category: Category, worker: Worker, *, store: Store, settings: Settings) -> Callable[[int], int]:
    """How much gold, at most, an assignment of this worker hides among so many asked images."""
    if worker.owner:
        return no_gold
    version = category.question.version
    there = Counter(piece.says for piece in store.labels.gold(category.name, version))
    record = store.labels.gold_record(category.name, version, worker.id)
    left = answers_left(category, store=store)
    short = left is not None and left < settings.task_images + settings.gold_images

    def most(asked: int) -> int:
        each = gold_each(record, asked, settings, short=short)
        return min(there[Says.YES], each) + min(there[Says.NO], each)

    return most


def out_of_answers(category: Category, *, store: Store, settings: Settings) -> str:
    """That no assignment fits into the answers that are left, as a phrase; empty while one does.

    It fits if an annotator is asked about an image together with its gold, or the owner, if nobody has joined or the
    owner alone is to answer, about an image.
    """
    left = answers_left(category, store=store)
    if left is None or left > settings.gold_images:
        return ""
    tally = store.categories.tally(category.name)
    says = spent_says(category.targets.answers or 0, tally)
    if left <= 0:
        return says
    people = [store.people.get(one) for one in sorted(annotators(store=store))]
    if not people or owners_asks(tally):
        return ""
    gold = (gold_with(category, one, store=store, settings=settings)(1) for one in people)
    return "" if any(1 + hidden <= left for hidden in gold) else says


def draw_gold(
    gold: Sequence[Gold],
    seen: Sequence[int],
    each: int,
    key: bytes,
    again: Collection[int] = (),
    listed: Collection[int] = (),
) -> list[Gold]:
    """`each` gold images of each answer, or as many as there are.

    First come those of `again` and of `listed`, then what this worker has not seen, then what they saw longest ago.
    What the owner confirmed comes before other gold, except that unseen gold comes before seen gold as soon as there is
    enough of the confirmed to judge by. Ties are ordered by `key`, so that adding gold does not change the order.
    """
    when = {row: place for place, row in enumerate(seen)}
    in_turn = sorted(gold, key=lambda piece: (when.get(piece.row, -1), _rank(key, piece.row)))
    drawn = []
    for says in (Says.YES, Says.NO):
        of_class = [piece for piece in in_turn if piece.says is says]
        first = [p for p in of_class if p.row in again] + [p for p in of_class if p.row in listed]
        sure = [piece for piece in of_class if piece.confirmed]
        new = [piece for piece in sure if piece.row not in when]
        enough_to_judge = sure[: max(SHOWN_LEAST, len(new))]
        grown = [piece for piece in of_class if not piece.confirmed and piece.row not in when]
        ordered = dict.fromkeys([*first, *enough_to_judge, *grown, *sure, *of_class])
        drawn += list(ordered)[:each]
    return drawn


def _gold_for(
    assignment: Assignment, asked: Sequence[Dealt], seed: int | None, *, store: Store, settings: Settings
) -> list[Gold]:
    category, version = assignment.category, assignment.version
    away = np.concatenate(
        [
            np.array([place.row for place in asked], np.int64),
            store.work.asked(category, assignment.worker),
            # a draw that an audit waits for must not be shown again and again; any other ask takes no gold out of use
            store.asks.open_rows(category, version, AUDITS),
        ]
    )
    key = _key(f"gold/{category}/{assignment.task}", store, seed)
    earlier = store.work.of_worker(assignment.worker, assignment.task)
    again = {place.row for ended in earlier for place in ended.dealt if place.ask is None}
    listed = set(store.asks.task(assignment.task).gold)
    usable = _one_a_group(store.labels.gold(category, version), away, key, again | listed, store)
    seen = store.work.seen_gold(category, assignment.worker).tolist()
    record = store.labels.gold_record(category, version, assignment.worker)
    # as many as are reserved, which are fewer where few answers were left
    for each in range(gold_each(record, len(asked), settings), 0, -1):
        drawn = draw_gold(usable, seen, each, key, again, listed)
        if len(asked) + len(drawn) <= assignment.reserved:
            return drawn
    return []


def gold_each(record: Record, asked: int, settings: Settings, *, short: bool = False) -> int:
    """How many gold images of each answer come with `asked` images to a worker with this record.

    New workers are judged by this assignment alone: they get half of `settings.gold_images` with a full task, and with
    a smaller one their share of it, but no fewer than tell chance from care. Who was wrong too often gets more of it.
    With a good record, a full task has one less than the gate judges by alone, so that it counts the record too
    (gate.py), and a smaller task its share of these. So nobody who is right on 95 of 100 is rejected by chance, and who
    stops looking has no good record after one full task. Where the answers left are `short`, nobody gets more than
    their share, but those without a good record never less than they can be judged by.
    """
    whole, full = settings.gold_images // 2, min(asked / settings.task_images, 1.0)
    if known_to_be_good(record):
        return min(whole, max(LEAST_EACH, math.ceil(KNOWN_EACH * full)))
    new = min(record[1], record[3]) < SHOWN_LEAST
    return min(whole, max(NEW_EACH if new or short else DOUBTED_EACH, math.ceil(whole * full)))


def _one_a_group(gold: Sequence[Gold], away: Rows, key: bytes, again: Collection[int], store: Store) -> list[Gold]:
    """Gold outside the similar groups of `away`, one per group."""
    forbidden = set(store.images.similar(np.unique(away)).tolist())
    groups = store.images.similar(np.array([piece.row for piece in gold], np.int64)).tolist()
    free = [(group, piece) for group, piece in zip(groups, gold, strict=True) if group not in forbidden]
    # the last of a group stays
    free.sort(key=lambda pair: (pair[1].row in again, _rank(key, pair[1].row)))
    return list(dict(free).values())


def _key(about: str, store: Store, seed: int | None) -> bytes:
    """32 bytes of pseudo-randomness for one purpose: always the same, and not guessable by a worker."""
    secret = store.secret() if seed is None else seed.to_bytes(16, "big", signed=True)
    return hmac.digest(secret, about.encode("utf-8"), "sha256")


def _rank(key: bytes, row: int) -> bytes:
    """The sort key of a row in the random order of `key`, independent of which other rows there are."""
    return hmac.digest(key, row.to_bytes(8, "big"), "sha256")
