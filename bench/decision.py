"""Claim: what is decided of a million images is asked for again at the price of reading the labels.

Makes a pool of pictures kept by reference with scores and labels, freezes it, and answers its audits until it is
certified. Then asks as the console does, by thresholds and labels and by the certificate: at first, again, after a
label moved, and for a page of the gallery. The processor's milliseconds are printed: they say what the code costs on a
busy machine too.

    python bench/decision.py --images 1000000
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thresher.evidence import Ask
from thresher.loop.decision import Decisions, decision
from thresher.loop.promises import Purse
from thresher.loop.snapshot import freeze, record_answers
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
from thresher.settings import read_settings
from thresher.store import open_store
from thresher.store.contract import Store

Bools = NDArray[np.bool_]
NAME, COLUMN = "bench", "scores/bench/1"
BATCH = 50_000
PAGE = 60
TIMES = 5


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--images", type=int, default=1_000_000)
    options.add_argument("--labels", type=int, default=10_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        store = open_store(place / "workspace", read_settings(place, {}), create=True)
        yes = fill(store, given.images, given.labels)
        certify(store, yes)
        measure(store)
        store.close()


def fill(store: Store, images: int, labels: int) -> Bools:
    """A pool a tenth of which is yes, scored well, with labels of people on some of it; what is true of each row."""
    random = np.random.default_rng(1)
    yes = random.random(images) < 0.1
    store.categories.create(Category(NAME, Question(1, "Is it?")))
    for start in range(0, images, BATCH):
        names = [hashlib.sha256(str(row).encode()).hexdigest() for row in range(start, min(start + BATCH, images))]
        rows = store.images.put([NewImage(name, None, 500, 375, "JPEG", bytes=1) for name in names])
        store.categories.pool_add(NAME, rows, Origin("bench"))
    scores = np.where(yes, 4, -4) + random.normal(0, 1.5, images)
    store.columns.create(COLUMN, 1, "float32")
    store.columns.write(COLUMN, np.arange(images), scores.astype(np.float32)[:, None])
    store.rounds.add(
        Round(
            number=1,
            category=NAME,
            version=1,
            backbone="",
            column=COLUMN,
            thresholds=Thresholds(-1.0, 1.0),
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
    some = random.choice(images, min(labels, images // 4), replace=False)
    store.labels.hold(NAME, [label(row, yes, Source.CONSENSUS) for row in some.tolist()])
    return yes


def label(row: int, yes: Bools, source: Source) -> Label:
    return Label(row, Says.YES if yes[row] else Says.NO, source, Purpose.LEARN, 1, time.time_ns() // 1_000_000)


def certify(store: Store, yes: Bools) -> None:
    """Freeze the pool and answer what the audits ask for."""
    store.categories.aim(NAME, Targets(0.9, 0.9, 0.05, method="certified"))
    snapshot = freeze(store.categories.get(NAME), decision(NAME, store=store), Purse(), store=store, now_ms=1)
    while isinstance(step := snapshot.step({held.row: held for held in store.labels.held(NAME, 1)}), Ask):
        ranks = sorted({rank for part in step.wanted for rank in part.ranks})
        asked = snapshot.ranking[ranks].tolist()
        store.labels.hold(NAME, [label(row, yes, Source.ADJUDICATED) for row in asked])
        held_now = {held.row: held for held in store.labels.held(NAME, 1)}
        snapshot = record_answers(NAME, snapshot, held_now, store=store, now_ms=2)


def measure(store: Store) -> None:
    rows = store.categories.pool(NAME)
    page = rows[len(rows) // 2 :][:PAGE]
    reading = processor_ms(lambda: store.labels.held(NAME, 1))
    print(f"{len(rows):,} images; reading {len(store.labels.held(NAME, 1)):,} labels takes {reading:.1f} ms")
    print("decided by    at first ms   again ms   a label moved ms   a page at first ms   a page again ms")
    for method in ("cascade", "certified"):
        store.categories.aim(NAME, Targets(0.9, 0.9, 0.05, method=method))
        decisions, pages = Decisions(store), Decisions(store)
        first, again = (processor_ms(partial(count, decisions), times) for times in (1, TIMES))
        moved = float(np.median([after_a_label(store, decisions, len(rows) // 2 + place) for place in range(TIMES)]))
        page_first, page_again = (processor_ms(partial(pages.of, NAME, page), times) for times in (1, TIMES))
        print(f"{method:<12}{first:13.1f}{again:11.1f}{moved:19.1f}{page_first:21.1f}{page_again:18.1f}")
        print(f"RATIO {method}_again_vs_reading_labels {again / reading:.2f}")
        print(f"RATIO {method}_page_vs_reading_labels {page_again / reading:.2f}")


def count(decisions: Decisions) -> Counts:
    return decisions.of(NAME).counts


def after_a_label(store: Store, decisions: Decisions, row: int) -> float:
    store.labels.hold(NAME, [Label(row, Says.NO, Source.CONSENSUS, Purpose.LEARN, 1, time.time_ns() // 1_000_000)])
    return processor_ms(partial(count, decisions), 1)


def processor_ms(call: Callable[[], object], times: int = TIMES) -> float:
    """The least of so many calls."""
    took = []
    for _ in range(times):
        start = time.process_time()
        call()
        took.append((time.process_time() - start) * 1000)
    return min(took)


if __name__ == "__main__":
    main()
