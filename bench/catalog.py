"""Claim: a million rows are imported at 50,000 rows a second, and a task is dealt from them in 25 ms.

Writes a list of pictures kept by reference, a bad line in every thousand, and imports it as `thresher harvest` does.
Then deals tasks from a large and a small pool in turns, and opens both categories. The processor's seconds are printed
beside the clock's: on a busy machine only they say what the code costs.

    python bench/catalog.py --rows 1000000
"""

import argparse
import hashlib
import random
import tempfile
import time
from pathlib import Path

import numpy as np

from thresher.harvest.references import harvest_references
from thresher.records import Category, Dealt, Given, NewAsk, NewTask, Purpose, Question, Review, Says, Stage
from thresher.settings import read_settings
from thresher.store import open_store
from thresher.store.contract import Store

NAME = "bench"
SMALL_POOL = 10_000
SMALL_CATEGORY = 1_000
TASK_IMAGES = 110
WORKERS = 20
HOUR_MS = 3_600_000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--takes", type=int, default=1_000, help="assignments dealt from each pool")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), given.rows, given.takes)


def measure(place: Path, rows: int, takes: int) -> None:
    stores = {size: open_store(place / str(size), read_settings(place, {}), create=True) for size in (SMALL_POOL, rows)}
    rate = 0.0
    for size, store in stores.items():
        store.categories.create(Category(NAME, Question(1, "Is it?")))
        rate = import_list(store, place / f"{size}.csv", size)
        publish(store, tasks=takes // 5)
    dealt = deal(stores, takes)
    print("pool         dealt: median ms   99th ms   most ms   processor's median ms")
    for size, (clock, processor) in dealt.items():
        print(
            f"{size:>9,}  {np.median(clock):16.2f}  {np.percentile(clock, 99):8.2f}  {clock.max():8.2f}"
            f"  {np.median(processor):22.2f}"
        )
    stores[SMALL_CATEGORY] = open_store(place / str(SMALL_CATEGORY), read_settings(place, {}), create=True)
    stores[SMALL_CATEGORY].categories.create(Category(NAME, Question(1, "Is it?")))
    import_list(stores[SMALL_CATEGORY], place / "small.csv", SMALL_CATEGORY)
    opened = {size: open_category(stores[size]) for size in (SMALL_CATEGORY, rows)}
    for size, milliseconds in opened.items():
        print(f"a category of {size:>9,} images is opened in {milliseconds:.2f} ms")
    for store in stores.values():
        store.close()
    print(f"RATIO import_rows_per_second {rate:.0f}")
    print(f"RATIO lease_1m_p99_ms {np.percentile(dealt[rows][0], 99):.2f}")
    print(f"RATIO lease_1m_vs_10k {np.median(dealt[rows][0]) / np.median(dealt[SMALL_POOL][0]):.2f}")
    print(f"RATIO open_1m_vs_1k {opened[rows] / opened[SMALL_CATEGORY]:.2f}")


def lease(place: Path, rows: int, takes: int = 300) -> float:
    """Time to deal a task from a pool of `rows` over that from a pool of 10,000: medians, the pools in turns."""
    stores = {size: open_store(place / str(size), read_settings(place, {}), create=True) for size in (SMALL_POOL, rows)}
    for size, store in stores.items():
        store.categories.create(Category(NAME, Question(1, "Is it?")))
        import_list(store, place / f"{size}.csv", size)
        publish(store, tasks=takes // 5)
    dealt = deal(stores, takes)
    for store in stores.values():
        store.close()
    return float(np.median(dealt[rows][0]) / np.median(dealt[SMALL_POOL][0]))


def import_list(store: Store, path: Path, rows: int) -> float:
    """Rows a second on the clock."""
    with path.open("w", encoding="ascii") as file:
        file.write("sha256,url,width,height,format,bytes\n")
        for number in range(rows):
            key = hashlib.sha256(b"%d" % number).hexdigest()
            wide = "wide" if number % 1000 == 7 else 640
            file.write(f"{key},https://images.example.org/photos/2019/{number}/large.jpg,{wide},480,JPEG,100000\n")
    clock, processor = time.perf_counter(), time.process_time()
    came = harvest_references(NAME, path, store=store, now_ms=1)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    _, first = store.categories.refusals(NAME, 0, 1)[0]
    print(
        f"{rows:>9,} lines: {came.new:,} rows, {came.refused:,} refused (the first: {first.name}), {clock:.1f} s, "
        f"{rows / clock:,.0f} lines/s; {rows / processor:,.0f} a second of the processor"
    )
    return rows / clock


def publish(store: Store, tasks: int) -> None:
    """Tasks over the first rows of the pool, as many as it holds, each with a place for every worker."""
    pool = store.categories.pool(NAME)[: tasks * TASK_IMAGES].tolist()
    store.asks.wish(NAME, 1, [NewAsk(row, Purpose.LEARN, votes_wanted=WORKERS) for row in pool])
    while asks := [ask.id for ask in store.asks.waiting(NAME, 1, TASK_IMAGES)]:
        store.asks.publish(NAME, 1, NewTask("task", asks, 1, places=WORKERS))


def deal(stores: dict[int, Store], takes: int) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Milliseconds of each dealing on the clock and of the processor, the pools in turns; each task is then done."""
    chance = random.Random(1)
    clocks: dict[int, list[float]] = {size: [] for size in stores}
    processors: dict[int, list[float]] = {size: [] for size in stores}
    for _ in range(takes):
        worker = f"w{chance.randrange(WORKERS)}"
        for size, store in stores.items():
            clock, processor = time.perf_counter(), time.process_time()
            taken = store.work.take(NAME, 1, worker, owner=False, now_ms=10, lease_ms=HOUR_MS)
            clocks[size].append(1e3 * (time.perf_counter() - clock))
            processors[size].append(1e3 * (time.process_time() - processor))
            if taken is None:
                raise SystemExit(f"nothing was left to deal from {size}")
            asks = store.asks.of_task(taken.task)
            store.work.set_dealt(taken.id, [Dealt(ask.row, ask.id) for ask in asks])
            store.work.send(taken.id, [Given(place, Says.YES, 1.0, 1.0) for place in range(len(asks))], 20)
            store.work.review(taken.id, Review(Stage.ACCEPTED, "", 30))
    return {size: (np.array(clocks[size]), np.array(processors[size])) for size in stores}


def open_category(store: Store) -> float:
    """Milliseconds for what a page of a category asks: its counters, its first images and their aliases; the median."""
    took = []
    for _ in range(21):
        started = time.perf_counter()
        store.categories.get(NAME)
        store.categories.tally(NAME)
        rows = store.categories.pool_page(NAME, -1, 100)
        store.images.many(rows)
        store.images.aliases(rows)
        took.append(1e3 * (time.perf_counter() - started))
    return float(np.median(took))


if __name__ == "__main__":
    main()
