"""Small workspaces for the tests of the contract. A store does not decode pictures, so any bytes are one."""

import hashlib
from collections.abc import Sequence
from typing import Any

from thresher.records import (
    Alias,
    Assignment,
    Category,
    Dealt,
    Given,
    NewAsk,
    NewImage,
    NewTask,
    Origin,
    Purpose,
    Question,
    Review,
    Says,
    Stage,
    Task,
)
from thresher.store.contract import Bounds, Store
from thresher.store.kinds import KINDS
from thresher.store.mongo import recount as mongo_recount
from thresher.store.mongo import reviews as mongo_reviews
from thresher.store.mongo.assignments import load
from thresher.store.sqlite import assignments as sqlite_assignments
from thresher.store.sqlite import recount as sqlite_recount
from thresher.store.sqlite import reviews as sqlite_reviews
from thresher.store.sqlite.counters import category_id

HOUR_MS = 3_600_000
GOLD_MOST = 10


def data(seed: int, size: int = 700) -> bytes:
    """Bytes that no other seed has."""
    return hashlib.sha256(str(seed).encode()).digest() * (size // 32 + 1)


def new_image(seed: int, **changes: Any) -> NewImage:
    """An image on its way in."""
    content = changes.get("data") or data(seed)
    fields = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "data": content,
        "width": 640,
        "height": 480,
        "format": "JPEG",
        "aliases": (Alias("file", f"folder/{seed}.jpg"),),
    }
    return NewImage(**{**fields, **changes})


def images(store: Store, count: int, start: int = 0) -> list[int]:
    """Rows of so many new images."""
    return store.images.put([new_image(seed) for seed in range(start, start + count)])


def category(store: Store, count: int = 0, name: str = "car") -> str:
    """A category with a pool of so many images."""
    store.categories.create(Category(name, Question(1, f"Is this a {name}?", "Look.", 5), created_ms=5))
    if count:
        store.categories.pool_add(name, images(store, count), Origin("folder", at_ms=6))
    return name


def wishes(rows: Sequence[int], purpose: Purpose = Purpose.LEARN, **changes: Any) -> list[NewAsk]:
    """One ask a row, the first of the highest priority."""
    return [NewAsk(row, purpose, priority=float(-place), **changes) for place, row in enumerate(rows)]


def publish(
    store: Store, rows: Sequence[int], *, places: int = 1, purpose: Purpose = Purpose.LEARN, name: str = "car"
) -> Task:
    """A task of these rows."""
    owner_only = purpose in (Purpose.ADJUDICATE, Purpose.MINE_GOLD)
    store.asks.wish(name, 1, wishes(rows, purpose))
    wanted = set(rows)
    asks = [ask.id for ask in store.asks.waiting(name, 1, 10_000, owner_only=owner_only) if ask.row in wanted]
    task = store.asks.publish(name, 1, NewTask("named", asks, 10, places=places, owner_only=owner_only))
    assert task is not None
    return task


def take(store: Store, worker: str = "w1", *, now_ms: int = 100, owner: bool = False) -> Assignment | None:
    """What a worker is dealt."""
    bounds = Bounds(gold_with=lambda _: GOLD_MOST)
    return store.work.take("car", 1, worker, owner=owner, now_ms=now_ms, lease_ms=HOUR_MS, bounds=bounds)


def deal(
    store: Store, worker: str = "w1", *, gold: Sequence[int] = (), now_ms: int = 100, owner: bool = False
) -> Assignment:
    """A leased assignment with its images fixed, the gold last."""
    taken = take(store, worker, now_ms=now_ms, owner=owner)
    assert taken is not None
    asked = [Dealt(ask.row, ask.id) for ask in store.asks.of_task(taken.task)]
    return store.work.set_dealt(taken.id, [*asked, *(Dealt(row, None) for row in gold)])


def answers(assignment: Assignment, says: Says = Says.YES) -> list[Given]:
    """The same answer at every position."""
    return [Given(place, says, 0.5, 1.5 + place / 7) for place in range(len(assignment.dealt))]


def given(position: int, says: Says, at_ms: int = 0) -> Given:
    """One answer, as a page posts it."""
    return Given(position, says, 0.5, 2.0, at_ms=at_ms)


def miscounted(store: Any) -> list[Any]:
    """The counters that are not what they count."""
    if hasattr(store, "catalog"):
        with store.catalog.reading() as sql:
            return sqlite_recount.differences(sql, KINDS)
    return mongo_recount.differences(store.link, KINDS)


def append_review(store: Any, assignment: str, review: Review) -> None:
    """A later decision, put in force as a store does it: for whatever else it changes, a part of its own must see."""
    if hasattr(store, "catalog"):
        with store.catalog.writing() as sql:
            there = sqlite_assignments.load(sql, assignment)
            sqlite_reviews.append(sql, category_id(store.catalog, sql, there.category), there, review)
    else:
        link = store.link
        link.transact(lambda session: mongo_reviews.append(link, load(link, assignment, session), review, session))


def reviewed(store: Store, worker: str = "w1", weight: float = 0.25) -> Assignment:
    """A sent assignment with a first, provisional review."""
    dealt = deal(store, worker, gold=[4])
    store.work.send(dealt.id, answers(dealt), 300)
    return store.work.review(dealt.id, Review(Stage.WEIGHTED, "first", 400, weight=weight, provisional=True))


def finish(
    store: Store,
    worker: str = "w1",
    *,
    verdict: Stage = Stage.ACCEPTED,
    says: Says = Says.YES,
    gold: Sequence[int] = (),
    now_ms: int = 100,
    owner: bool = False,
    **review: Any,
) -> Assignment:
    """One assignment from lease to review."""
    dealt = deal(store, worker, gold=gold, now_ms=now_ms, owner=owner)
    store.work.send(dealt.id, answers(dealt, says), now_ms + 50)
    return store.work.review(dealt.id, Review(verdict, "because", now_ms + 60, **review))
