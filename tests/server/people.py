"""A small workspace with work in it, and workers who know the truth."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from tests.pictures_for_tests import picture

from thresher import pictures
from thresher.client import WorkerClient
from thresher.label import asks
from thresher.records import (
    Alias,
    Category,
    Counts,
    Gold,
    NewImage,
    Origin,
    Purpose,
    Question,
    Round,
    Says,
    Source,
    Stage,
    Thresholds,
    now_ms,
)
from thresher.server.wire import Entry, Sent, Work
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.workforce.links import Links

GOLD_EACH = 6


@dataclass(frozen=True)
class Pool:
    """A category's rows: yes is every even one."""

    name: str
    rows: list[int]
    gold: list[int]
    asked: list[int]

    def truth(self, row: int) -> Says:
        return Says.YES if self.rows.index(row) % 2 == 0 else Says.NO


def add_category(store: Store, name: str = "car") -> None:
    store.categories.create(Category(name, Question(1, f"Is this a {name}?", "Look closely.", 1), created_ms=1))


def add_pictures(store: Store, name: str, count: int, *, first_seed: int = 0) -> list[int]:
    """Put small real pictures into a pool; two categories may share them."""
    batch = []
    for seed in range(first_seed, first_seed + count):
        data = picture(seed)
        seen = pictures.inspect(data, pixels=10**8)
        batch.append(
            NewImage(
                sha256=_sha256(data),
                data=data,
                width=seen.width,
                height=seen.height,
                format=seen.format,
                bytes=len(data),
                aliases=(Alias("file", f"{name}/{seed:04}.jpg"),),
            )
        )
    rows = store.images.put(batch)
    store.categories.pool_add(name, rows, Origin("folder", at_ms=1))
    return rows


def add_pool(store: Store, settings: Settings, name: str = "car", *, asked: int = 20, votes: int = 1) -> Pool:
    """A category with gold and published tasks."""
    add_category(store, name)
    rows = add_pictures(store, name, 2 * GOLD_EACH + asked)
    pool = Pool(name, rows, rows[: 2 * GOLD_EACH], rows[2 * GOLD_EACH :])
    store.labels.gild(name, [Gold(row, pool.truth(row), 1, Source.OWNER) for row in pool.gold])
    ask(store, settings, name, pool.asked, votes=votes)
    return pool


def ask(store: Store, settings: Settings, name: str, rows: Sequence[int], *, votes: int = 1) -> None:
    wanted = [(row, 1.0) for row in rows]
    asks.wish(name, wanted, Purpose.LEARN, store=store, settings=settings, votes_wanted=votes)
    asks.fill_tasks(name, store=store, settings=settings, now_ms=now_ms())


def dealt(worker: WorkerClient) -> Work:
    """A task of the category "car", dealt to a worker."""
    work = worker.deal("car")
    assert work is not None
    return work


def entries(work: Work, says: Callable[[int], Says] = lambda _position: Says.YES) -> list[Entry]:
    """A whole assignment's answers, by position."""
    return [
        Entry(position=position, says=says(position), first_seconds=1.0, seconds=1.5)
        for position in range(len(work.pictures))
    ]


def rows_of(work: Work, store: Store) -> list[int]:
    """Which rows an assignment shows, read behind the server's back."""
    assignment = store.work.get(Links(store.secret()).read_assignment(work.token))
    return [place.row for place in assignment.dealt]


def answer(worker: WorkerClient, work: Work, store: Store, pool: Pool) -> Sent:
    """Send the truth."""
    rows = rows_of(work, store)
    return worker.send(work.token, entries(work, lambda position: pool.truth(rows[position])))


def stage_of(work: Work, store: Store) -> Stage:
    return store.work.get(Links(store.secret()).read_assignment(work.token)).stage


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def slow(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let rendering a picture take so much longer, which no load of the machine can take away."""
    render = pictures.render

    def slowly(*arguments: Any, **named: Any) -> bytes:
        time.sleep(seconds)
        return render(*arguments, **named)

    monkeypatch.setattr(pictures, "render", slowly)


def add_round(store: Store, pool: Pool) -> None:
    """A round whose scores go up by row: a quarter no, a half unknown, a quarter yes."""
    rows = np.array(pool.rows)
    column = f"scores/{pool.name}/1"
    store.columns.create(column, 1, "float32")
    store.columns.write(column, rows, np.arange(len(rows), dtype=np.float32)[:, None])
    quarter = len(rows) // 4
    store.rounds.add(
        Round(
            number=1,
            category=pool.name,
            version=1,
            backbone="efficientnet-lite0",
            column=column,
            thresholds=Thresholds(lower=quarter, upper=3 * quarter),
            counts=Counts(yes=quarter, no=quarter, unknown=2 * quarter),
            labels_yes=6,
            labels_no=6,
            measures={"average_precision": 0.9},
            head="",
            at_ms=5,
            seconds=0.5,
        ),
        b"head",
    )
