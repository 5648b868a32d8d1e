"""Dealing: a worker gets a task's images with gold hidden among them, in an order of their own, under a lease."""

import hashlib
import hmac
from collections.abc import Sequence

import numpy as np

from thresher.label.lease import expire
from thresher.records import Assignment, Dealt, Gold, Says, Worker
from thresher.settings import Settings
from thresher.store.contract import Rows, Store


def deal(
    category: str, worker: Worker, *, store: Store, settings: Settings, now_ms: int, seed: int | None = None
) -> Assignment | None:
    """Lease an assignment to a worker, or answer the one they have not finished; None when nothing fits them.

    A task's images come with `settings.gold_images` gold, half yes and half no, as far as there is gold: what this
    worker has not seen first, then what they saw longest ago; never an image, nor one like it, that they were asked
    about or that anybody is being asked about. The owner gets no gold. Two calls at once deal the same.
    """
    expire(store, now_ms)
    version = store.categories.get(category).question.version
    lease_ms = round(settings.lease_minutes * 60_000)
    assignment = store.work.take(category, version, worker.id, owner=worker.owner, now_ms=now_ms, lease_ms=lease_ms)
    if assignment is None or assignment.dealt:
        return assignment
    chance = _chance(assignment, store, seed)
    asked = [Dealt(ask.row, ask.id) for ask in store.asks.of_task(assignment.task)]
    gold = [] if worker.owner else _gold_for(assignment, asked, chance, store=store, settings=settings)
    places = asked + [Dealt(piece.row, None) for piece in gold]
    return store.work.set_dealt(assignment.id, [places[place] for place in chance.permutation(len(places))])


def draw_gold(gold: Sequence[Gold], seen: Sequence[int], each: int, chance: np.random.Generator) -> list[Gold]:
    """`each` gold of each answer, or as many as there are: unseen ones at random, then by `seen`, longest ago first."""
    when = {row: place for place, row in enumerate(seen)}
    shuffled = [gold[place] for place in chance.permutation(len(gold))]
    in_turn = sorted(shuffled, key=lambda piece: when.get(piece.row, -1))
    return [piece for says in (Says.YES, Says.NO) for piece in [p for p in in_turn if p.says is says][:each]]


def _gold_for(
    assignment: Assignment, asked: Sequence[Dealt], chance: np.random.Generator, *, store: Store, settings: Settings
) -> list[Gold]:
    category, version = assignment.category, assignment.version
    gold = store.labels.gold(category, version)
    away = np.concatenate(
        [
            np.array([place.row for place in asked], np.int64),
            store.work.asked(category, assignment.worker),
            store.asks.open_rows(category, version),
        ]
    )
    usable = _one_a_group(gold, away, chance, store)
    seen = store.work.seen_gold(category, assignment.worker).tolist()
    return draw_gold(usable, seen, settings.gold_images // 2, chance)


def _one_a_group(gold: Sequence[Gold], away: Rows, chance: np.random.Generator, store: Store) -> list[Gold]:
    """Gold outside the groups of `away`, one of each similar group."""
    rows = np.array([piece.row for piece in gold], np.int64)
    forbidden = set(store.images.similar(np.unique(away)).tolist())
    groups = store.images.similar(rows).tolist()
    order = chance.permutation(len(gold)).tolist()
    one = {groups[place]: gold[place] for place in order if groups[place] not in forbidden}
    return list(one.values())


def _chance(assignment: Assignment, store: Store, seed: int | None) -> np.random.Generator:
    """Randomness of this assignment alone: the same when it is dealt again, and not to be guessed by its worker."""
    key = store.secret() if seed is None else seed.to_bytes(16, "big", signed=True)
    digest = hmac.new(key, assignment.id.encode("utf-8"), hashlib.sha256).digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32))
