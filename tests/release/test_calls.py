"""A release asks the store for many images at once, never for each."""

from pathlib import Path

import numpy as np
from tests.contract.things import category, images
from tests.counting import counted

from thresher.loop.ship import ship
from thresher.records import Counts, Label, Origin, Purpose, Round, Says, Source, Thresholds
from thresher.store.contract import Store

COUNT = 3_000
MOST_CALLS = 60


def test_a_release_of_3000_images_takes_at_most_60_calls_of_the_store(store: Store, tmp_path: Path) -> None:
    category(store)
    rows = images(store, COUNT)
    store.categories.pool_add("car", rows, Origin("urls", at_ms=6), [f"https://a.example/{row}" for row in rows])
    store.labels.hold("car", [Label(row, Says.YES, Source.OWNER, Purpose.LEARN, 1, 1) for row in rows[::3]])
    store.columns.create("scores/car/1", 1, "float32")
    store.columns.write("scores/car/1", np.array(rows), np.linspace(-1, 1, COUNT, dtype=np.float32)[:, None])
    made = Round(
        1, "car", 1, "x", "scores/car/1", Thresholds(-0.5, 0.0), Counts(), COUNT // 3, 0, {}, "logistic", 9, 0.1
    )
    store.rounds.add(made, b"head")
    watched, calls = counted(store)
    released = ship("car", tmp_path / "out", store=watched, now_ms=9)
    assert released.images > COUNT / 2
    assert sum(calls.values()) <= MOST_CALLS, calls
