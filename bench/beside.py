"""Claim: labels from elsewhere make a better head at once where they are good, and do no harm where they are noise.

    python bench/beside.py --data DIR --work DIR        DIR of --data holds clothing.tar and clothing.csv
    python bench/beside.py                              vectors that were drawn at random, with a weak direction

Each row is one kind of column beside the vectors of real pictures, embedded by the default backbone: the average
precision on the pictures without a label, and the difference that the column makes to the same head without it (mean
over the seeds, and its standard error). `random` labels are drawn at random; `active` are chosen by the product's own
rounds, each by the head that it then has, so that the two heads ask about different pictures. `used` is the share of
the heads that took the column.
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from selecting.learning import FIRST, LEARNERS, LEAST
from selecting.pools import REAL, Bools, Pictures, embedded, pictures
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits

from thresher.learn.beside import Beside, standard
from thresher.learn.head import train
from thresher.learn.sample import Scored, choose
from thresher.learn.vectors import Vectors

SIZES = (10, 20, 40, 80, 160, 320)
ACTIVE = (100, 150, 200, 300)
Column = Callable[[Bools, np.random.Generator], np.ndarray]


def said(wrong: float) -> Column:
    """Labels of which a share is wrong."""
    return lambda yes, random: np.where(yes ^ (random.random(len(yes)) < wrong), 1.0, -1.0)


def part(column: Column, share: float) -> Column:
    """A column that a share of the pictures has."""
    return lambda yes, random: np.where(random.random(len(yes)) < share, column(yes, random), np.nan)


COLUMNS: Mapping[str, Column] = {
    "labels, all right": said(0.0),
    "labels, 5 % wrong": said(0.05),
    "labels, 15 % wrong": said(0.15),
    "labels, all right, of half": part(said(0.0), 0.5),
    "scores, 2 deviations apart": lambda yes, random: standard(yes * 2.0 + random.normal(size=len(yes))),
    "scores, noise": lambda yes, random: standard(random.normal(size=len(yes))),
    "labels, noise": lambda yes, random: np.where(random.random(len(yes)) < yes.mean(), 1.0, -1.0),
    "labels, noise, of half": part(lambda yes, random: np.where(random.random(len(yes)) < yes.mean(), 1.0, -1.0), 0.5),
}


def column_of(name: str, pool: Pictures, seed: int) -> Beside:
    """One column beside the pool."""
    values = COLUMNS[name](pool.yes, np.random.default_rng([seed, 7]))
    return Beside(values[:, None].astype(np.float32), (name,))


def ask_at_random(pool: Pictures, size: int, seed: int) -> np.ndarray:
    """So many places, with two of each answer at least."""
    random = np.random.default_rng([seed, size])
    while True:
        known = random.choice(len(pool.yes), size, replace=False)
        if min(pool.yes[known].sum(), (~pool.yes[known]).sum()) >= 2:
            return known


def ask_actively(pool: Pictures, size: int, seed: int, beside: Beside | None) -> np.ndarray:
    """So many places, chosen by the product's rounds: the first at random, 25 a round from there on."""
    random = np.random.default_rng(seed)
    rows = np.arange(len(pool.yes))
    known = random.choice(rows, FIRST // 2, replace=False)
    while min(pool.yes[known].sum(), (~pool.yes[known]).sum()) < LEAST:
        known = np.union1d(known, random.choice(rows, 20, replace=False))
    while len(known) < size:
        some = None if beside is None else beside.take(known)
        head = train(
            pool.vectors.take(known), pool.yes[known], seed=seed, pool=pool.vectors, families=LEARNERS, beside=some
        )
        scores = head.scores(pool.vectors, beside)
        picked = choose(Scored(rows, scores), known, size=min(25, size - len(known)), seed=seed + len(known))
        known = np.concatenate([known, np.array([row for row, _ in picked], np.int64)])
    return known


def judged(pool: Pictures, known: np.ndarray, seed: int, beside: Beside | None) -> tuple[float, bool]:
    """The average precision on what is not known, and whether the column was used."""
    some = None if beside is None else beside.take(known)
    head = train(pool.vectors.take(known), pool.yes[known], seed=seed, pool=pool.vectors, places=known, beside=some)
    rest = np.setdiff1d(np.arange(len(pool.yes)), known)
    scores = head.scores(pool.vectors, beside)[rest]
    return float(average_precision_score(pool.yes[rest], scores)), head.stack is not None


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument(
        "--data", type=Path, help="a folder with clothing.tar and clothing.csv; default: drawn vectors"
    )
    options.add_argument("--work", type=Path, default=Path("selection-work"), help="where embedded pictures are kept")
    options.add_argument("--seeds", type=int, default=10)
    options.add_argument("--pools", nargs="*", choices=[*REAL], help="default: tshirt and hat")
    options.add_argument("--sizes", nargs="*", type=int, default=SIZES)
    options.add_argument("--active", nargs="*", type=int, default=ACTIVE)
    given = options.parse_args()
    falls: list[float] = []
    gains: list[float] = []
    for name in (given.pools or ["tshirt", "hat"]) if given.data else ["drawn"]:
        pool = pool_of(name, given.data, given.work)
        for way, sizes in (("random", given.sizes), ("active", given.active)):
            for size in sizes:
                for column, (before, change, error, used) in measured(pool, way, size, given.seeds):
                    what = f"| {name} | {way} | {size} | {column} | {before:.3f} |"
                    print(f"{what} {change:+.3f} ± {error:.3f} | {used:.0%} |", flush=True)
                    if "noise" in column:
                        falls.append(change)
                    elif column == "labels, all right" and size >= 20:
                        gains.append(change / (1 - before))
    print(f"RATIO average_precision_change_with_noise {np.mean(falls):.4f}")
    print(f"RATIO average_precision_worst_change_with_noise {min(falls):.4f}")
    print(f"RATIO error_removed_by_right_labels_from_20 {min(gains):.3f}")


def pool_of(name: str, data: Path | None, work: Path) -> Pictures:
    """A real pool, or one whose vectors are drawn: a fifth is yes, 2.5 deviations along one of 24 directions."""
    if data is None:
        random = np.random.default_rng(1)
        yes = random.random(2000) < 0.2
        vectors = random.normal(size=(2000, 24)) + 2.5 * np.outer(yes, np.eye(24)[0])
        return Pictures(yes, Vectors([vectors.astype(np.float16)]))
    embedded(data, work, REAL[name].data)
    return pictures(data, work, name)


def measured(pool: Pictures, way: str, size: int, seeds: int) -> list[tuple[str, tuple[float, float, float, float]]]:
    """For each column the average precision without it, the change with it and its error, and how often it was used."""
    found: dict[str, list[tuple[float, float, bool]]] = {column: [] for column in COLUMNS}
    with threadpool_limits(1):
        for seed in range(seeds):
            plain = ask_at_random(pool, size, seed) if way == "random" else ask_actively(pool, size, seed, None)
            before, _ = judged(pool, plain, seed, None)
            for column, runs in found.items():
                beside = column_of(column, pool, seed)
                known = plain if way == "random" else ask_actively(pool, size, seed, beside)
                after, used = judged(pool, known, seed, beside)
                runs.append((before, after - before, used))
    told = []
    for column, runs in found.items():
        before, change, used = (np.array(values, float) for values in zip(*runs, strict=True))
        error = float(change.std(ddof=1) / np.sqrt(len(change))) if len(change) > 1 else 0.0
        told.append((column, (float(before.mean()), float(change.mean()), error, float(used.mean()))))
    return told


if __name__ == "__main__":
    main()
