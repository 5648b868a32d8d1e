"""Claim: a cheaper arithmetic of the embeddings decides like float32, or it stays off.

Each real pool is embedded in float32 and in each cheaper arithmetic that this machine has, by the product, into columns
of one workspace. On each question the product's active rounds then spend 400 answers on each column, from the same
random first answers: a logistic head, trained again after each batch. What counts is the average precision of the last
scores on the whole pool, as the difference to float32 with the same seed.

    python bench/arithmetic.py --data DIR --work DIR        DIR of --data holds the tars and their CSV files

`--work` keeps the embedded pictures between runs; it may be that of bench/selection.py. The last line tells the largest
fall over all questions of the arithmetic that the setting `fastest` takes here, whether or not it is the default.
"""

import argparse
import json
import logging
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from selecting.learning import BATCHES, FIRST, LEARNERS, LEAST
from selecting.pools import NAME, REAL, Pictures, embedded, pictures
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits

from thresher.compute import cores
from thresher.learn.backbone.fastest import FASTEST
from thresher.learn.backbone.runtimes import ARITHMETICS, FLOAT32
from thresher.learn.embed import column_when_new, embed
from thresher.learn.head import train
from thresher.learn.sample import Scored, choose
from thresher.learn.vectors import Vectors
from thresher.settings import Settings, read_settings
from thresher.store import open_store

MOST = 0.003  # that average precision may fall
Found = dict[str, list[float]]  # arithmetic: average precision, one of each seed


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="a folder of tars of pictures and their CSV files")
    options.add_argument("--work", type=Path, default=Path("selection-work"), help="where embedded pictures are kept")
    options.add_argument("--seeds", type=int, default=30)
    options.add_argument("--answers", type=int, default=400)
    options.add_argument("--questions", nargs="*", default=list(REAL), choices=list(REAL))
    options.add_argument("--processes", type=int, default=cores())
    given = options.parse_args()
    logging.basicConfig(level=logging.WARNING)
    there: dict[str, str] = {}
    for name in sorted({REAL[question].data for question in given.questions}):
        embedded(given.data, given.work, name)
        there = embed_in_each(given.work / name)
    print(f"{'question':28}{'arithmetic':22}{'float32':>9}{'difference':>12}{'error':>8}{'seeds':>7}")
    falls: dict[str, list[float]] = {arithmetic: [] for arithmetic in there if arithmetic not in (FLOAT32, FASTEST)}
    for question in given.questions:
        with ProcessPoolExecutor(given.processes) as processes:
            job = partial(one, given.data, given.work, question, there, given.answers)
            found = list(processes.map(job, range(given.seeds)))
        for arithmetic, fell in falls.items():
            differences = np.array([run[arithmetic] - run[FLOAT32] for run in found])
            fell.append(-float(differences.mean()))
            tell(question, there[arithmetic], [run[FLOAT32] for run in found], differences)
    print()
    for arithmetic, fell in falls.items():
        verdict = "decides alike" if max(fell) <= MOST else "stays off"
        print(f"{arithmetic}: the largest fall is {max(fell):+.4f}, the mean {np.mean(fell):+.4f}: {verdict}")
        print(f"RATIO ap_difference_{arithmetic} {max(max(fell), 0):.4f}")
    taken = next((arithmetic for arithmetic in falls if there[arithmetic] == there.get(FASTEST)), FLOAT32)
    print(f"RATIO ap_difference_fastest {max(max(falls.get(taken, [0.0])), 0):.4f}")


def embed_in_each(place: Path) -> dict[str, str]:
    """Embed a workspace in each arithmetic of this machine; the column of each, and that of `fastest`."""
    settings = read_settings(place, {})
    store = open_store(place, settings)
    found: dict[str, str] = {}
    for arithmetic in ARITHMETICS:
        name = column_when_new(settings.but(arithmetic=arithmetic))
        if name not in found.values():  # this machine has it
            embed(store.categories.pool(NAME), store=store, settings=settings.but(arithmetic=arithmetic))
            found[arithmetic] = name
    store.close()
    print(json.dumps({"place": place.name, **found}), flush=True)
    return found | {FASTEST: column_when_new(Settings().but(arithmetic=FASTEST))}


def one(data: Path, work: Path, question: str, there: dict[str, str], answers: int, seed: int) -> dict[str, float]:
    """Average precision after all answers with one seed, by arithmetic, on one core."""
    with threadpool_limits(1):
        pool = pictures(data, work, question)
        store = open_store(work / REAL[question].data, read_settings(work / REAL[question].data, {}))
        views = {name: store.columns.view(at)[0] for name, at in there.items() if name != FASTEST}
        store.close()
        return {
            name: learned(Pictures(pool.yes, Vectors([matrix], pool.vectors.rows)), answers, seed)
            for name, matrix in views.items()
        }


def learned(pool: Pictures, answers: int, seed: int) -> float:
    random = np.random.default_rng(seed)
    rows = np.arange(len(pool.yes))
    known = random.choice(rows, FIRST, replace=False)
    while min(pool.yes[known].sum(), (~pool.yes[known]).sum()) < LEAST:
        known = np.union1d(known, random.choice(rows, 20, replace=False))
    for batch in (*BATCHES, BATCHES[-1]):
        head = train(pool.vectors.take(known), pool.yes[known], seed=seed, pool=pool.vectors, families=LEARNERS)
        scores = head.scores(pool.vectors)
        if len(known) >= answers:
            break
        more = choose(Scored(rows, scores), known, size=min(batch, answers - len(known)), seed=seed + len(known))
        known = np.concatenate([known, np.array([row for row, _ in more], np.int64)])
    return float(average_precision_score(pool.yes, scores))


def tell(question: str, name: str, exact: Sequence[float], differences: np.ndarray) -> None:
    error = differences.std(ddof=1) / np.sqrt(len(differences)) if len(differences) > 1 else float("nan")
    print(
        f"{question:28}{name.partition('.')[2] or FLOAT32:22}{np.mean(exact):>9.4f}{differences.mean():>+12.4f}"
        f"{error:>8.4f}{len(differences):>7}",
        flush=True,
    )


if __name__ == "__main__":
    main()
