"""A small pool with scores that are right and a similar group at its end, frozen and certified for tests."""

import hashlib
from dataclasses import replace

import numpy as np
from tests.filled import NAME, fill, new_image

from thresher.evidence import Ask, Gold
from thresher.harvest.similar import put_in_groups
from thresher.loop.decision import decision
from thresher.loop.promises import Purse
from thresher.loop.snapshot import Snapshot, freeze, record_accepted, record_answers
from thresher.records import (
    Category,
    Counts,
    Label,
    NewImage,
    Origin,
    Purpose,
    Question,
    Round,
    Says,
    Source,
    Targets,
    Thresholds,
)
from thresher.store.contract import Store

SMALL, SMALL_YES_FROM = 120, 80


def label(row: int, source: Source = Source.ADJUDICATED, says: Says | None = None) -> Label:
    true = Says.YES if row >= SMALL_YES_FROM else Says.NO
    return Label(row, says or true, source, Purpose.AUDIT_RECALL, 1, 1)


def grouped(store: Store, count: int, elsewhere: int = 0) -> list[int]:
    """Put images of one similar group into the pool, without the first ones, which lie `elsewhere`."""
    alike = [replace(new_image(5_000 + seed), fingerprint="ab" * 32) for seed in range(elsewhere + count)]
    rows = put_in_groups(alike, store=store, same=lambda *_: True)[elsewhere:]
    store.categories.pool_add(NAME, rows, Origin("test", "", "", 1))
    return rows


def scored(store: Store, alike: int = 2, elsewhere: int = 0) -> list[int]:
    """A pool whose scores are right, the last images of it alike: one yes and its copies."""
    rows = fill(store, SMALL - alike) + grouped(store, alike, elsewhere)
    scores = np.where(np.arange(SMALL) < SMALL_YES_FROM, -4.0, 4.0).astype(np.float32)
    store.columns.create(f"scores/{NAME}/1", 1, "float32")
    store.columns.write(f"scores/{NAME}/1", np.array(rows), scores[:, None])
    first_round(store, Thresholds(-5.0, 5.0))
    return rows


def scored_apart(store: Store, count: int, *, yes: float, apart: float) -> None:
    """A pool whose scores of yes and no are normal, `apart` deviations from each other; the bytes are no pictures."""
    store.categories.create(Category(NAME, Question(1, "Is this a thing?", "Look closely.", 1)))
    named = [f"{number}".encode() for number in range(count)]
    images = [NewImage(hashlib.sha256(name).hexdigest(), name, 8, 8, "JPEG", bytes=len(name)) for name in named]
    rows = store.images.put(images)
    store.categories.pool_add(NAME, rows, Origin("test", "", "CC0", 1))
    middle = np.where(np.arange(count) < round(yes * count), apart, -apart) * apart / 2.0
    odds = np.random.default_rng(3).normal(middle, apart) + np.log(yes / (1.0 - yes))
    store.columns.create(f"scores/{NAME}/1", 1, "float32")
    store.columns.write(f"scores/{NAME}/1", np.array(rows), odds.astype(np.float32)[:, None])
    first_round(store, Thresholds(-5.0, 5.0))


def first_round(store: Store, thresholds: Thresholds) -> None:
    """The round whose scores a test wrote itself."""
    store.rounds.add(
        Round(
            number=1,
            category=NAME,
            version=1,
            backbone="none",
            column=f"scores/{NAME}/1",
            thresholds=thresholds,
            counts=Counts(),
            labels_yes=0,
            labels_no=0,
            measures={},
            head="",
            at_ms=1,
            seconds=0.0,
        ),
        b"head",
    )


def frozen(store: Store, targets: Targets, pictures: int = 80, gold: Gold | None = None) -> Snapshot:
    """The pool, frozen for these targets, with so many pictures that the audits of a budget may ask about."""
    store.categories.aim(NAME, targets)
    purse = Purse(pictures, gold=gold)
    return freeze(store.categories.get(NAME), decision(NAME, store=store), purse, store=store, now_ms=1)


def certify(store: Store, snapshot: Snapshot | None = None) -> None:
    """Adjudicate what the audits ask for, to the end."""
    snapshot = snapshot or frozen(store, Targets(0.8, 0.7, 0.2, method="certified"))
    while isinstance(step := snapshot.step({held.row: held for held in store.labels.held(NAME, 1)}), Ask):
        if step.begins is not None:
            snapshot = record_accepted(NAME, snapshot, step.begins, store=store, now_ms=2)
            continue
        ranks = sorted({rank for part in step.wanted for rank in part.ranks})
        store.labels.hold(NAME, [label(int(row)) for row in snapshot.ranking[ranks]])
        held_now = {held.row: held for held in store.labels.held(NAME, 1)}
        snapshot = record_answers(NAME, snapshot, held_now, store=store, now_ms=2)
