"""Claim: the same guarantee on the same scores for fewer answers than any rival, and more images for the same answers.

Every method gets the same pool, the same labels of the learning phase and the same scores; answers count every image
that was labelled, the learning phase included. "Missed" counts the runs whose set has less precision or recall than
promised, of which a certificate allows delta.

    python bench/selection.py --data DIR --work DIR        DIR of --data holds the tars and their CSV files

`--work` keeps the embedded pictures between runs. Real pools: pictures embedded by the default backbone, learned
from by the product's own active rounds. Strong pools: scores drawn from beta laws, 60 random labels.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import numpy as np
from selecting import ours, rivals
from selecting.learning import Learned, learn, pilot
from selecting.outcome import Outcome
from selecting.pools import REAL, STRONG, Bools, embedded, pictures, strong
from threadpoolctl import threadpool_limits

from thresher.compute import cores
from thresher.evidence import Promise, floor

PROMISE = Promise(precision=0.95, recall=0.90, delta=0.05)
ANSWERS = 500  # of the precise sets
ANSWERS_TO_LEARN = 200  # of these
FOUND = 0.8  # a pool of which BARGAIN_P delivers more cannot show a difference
RESAMPLES = 4000
BOTH = ("thresher", "BARGAIN_PR", "SUPG 500+250", "SUPG 1000+500", "SUPG 2000+1000", "LSUN cascade", "label at random")
PRECISE = ("thresher, precise", "BARGAIN_P", "SUPG, precise")
Runs = dict[str, dict[str, list[Outcome]]]  # pool, method, one of each seed


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, help="a folder of tars of pictures; left out: strong pools only")
    options.add_argument("--work", type=Path, default=Path("selection-work"), help="where embedded pictures are kept")
    options.add_argument("--seeds", type=int, default=30)
    options.add_argument("--pools", nargs="*", default=[*REAL, *STRONG], choices=[*REAL, *STRONG])
    options.add_argument("--processes", type=int, default=cores())
    options.add_argument("--results", type=Path, help="keep every run here as JSON; runs found there are not run again")
    options.add_argument("--figure", type=Path, help="draw the answers by pool and method as FIGURE.svg and FIGURE.png")
    given = options.parse_args()
    pools = [pool for pool in given.pools if given.data or pool in STRONG]
    for name in sorted({REAL[pool].data for pool in pools if pool in REAL}):
        embedded(given.data, given.work, name)
    runs = gather(given, pools)
    tell_both(runs)
    tell_precise(runs)
    tell_ratios(runs)
    if given.figure:
        from selecting.figure import draw

        draw({pool: runs[pool] for pool in pools}, floors(pools, runs), given.figure)


def gather(given: argparse.Namespace, pools: Sequence[str]) -> Runs:
    """Every run, by pool and method; the kept ones are read, the others are made by as many processes as there are."""
    kept: dict[str, dict[str, dict[str, object]]] = {}
    if given.results and given.results.exists():
        kept = json.loads(given.results.read_text())
    wanted = [(pool, seed) for pool in pools for seed in range(given.seeds) if f"{pool} {seed}" not in kept]
    began = time.monotonic()
    with ProcessPoolExecutor(given.processes) as processes:
        running = {processes.submit(one, pool, seed, given.data, given.work): (pool, seed) for pool, seed in wanted}
        for done, future in enumerate(as_completed(running), 1):
            pool, seed = running[future]
            kept[f"{pool} {seed}"] = {method: asdict(outcome) for method, outcome in future.result().items()}
            if given.results:
                given.results.write_text(json.dumps(kept))
            print(f"{done}/{len(wanted)} {pool} {seed} ({time.monotonic() - began:,.0f} s)", flush=True)
    runs: Runs = {}
    for pool in pools:
        of_pool = [kept[f"{pool} {seed}"] for seed in range(given.seeds)]
        runs[pool] = {method: [Outcome(**run[method]) for run in of_pool] for method in of_pool[0]}  # type: ignore[arg-type]  # what JSON kept of an outcome
    return runs


def one(pool: str, seed: int, data: Path, work: Path) -> dict[str, Outcome]:
    """Every method on one pool with one seed, on one core."""
    with threadpool_limits(1):
        return _one(pool, seed, data, work)


def _one(pool: str, seed: int, data: Path, work: Path) -> dict[str, Outcome]:
    if pool in STRONG:
        yes, scores = strong(pool, seed)
        return compare(yes, pilot(yes, scores, seed), seed)
    real = pictures(data, work, pool)
    size = REAL[pool].size
    learned = learn(real, (ANSWERS_TO_LEARN, size), seed)
    found = compare(real.yes, learned[size], seed)
    return found | compare_precise(real.yes, learned[ANSWERS_TO_LEARN], seed)


def compare(yes: Bools, learned: Learned, seed: int) -> dict[str, Outcome]:
    """Precision and recall."""
    found = {
        "thresher": ours.certified(yes, learned, PROMISE, seed),
        "BARGAIN_PR": rivals.bargain_both(yes, learned, PROMISE, seed),
        "LSUN cascade": rivals.lsun(yes, learned, PROMISE),
        "label at random": rivals.label_all(yes, PROMISE),
    }
    for budget in rivals.SUPG_BUDGETS:
        found[f"SUPG {budget[0]}+{budget[1]}"] = rivals.supg_both(yes, learned, PROMISE, seed, budget)
    return found


def compare_precise(yes: Bools, learned: Learned, seed: int) -> dict[str, Outcome]:
    """Precision alone, for the same number of answers."""
    return {
        "thresher, precise": ours.precise(yes, learned, PROMISE, seed, ANSWERS),
        "BARGAIN_P": rivals.bargain_precise(yes, learned, PROMISE, seed, ANSWERS),
        "SUPG, precise": rivals.supg_precise(yes, learned, PROMISE, seed, ANSWERS),
    }


def missed(run: Outcome, *, recall: float = PROMISE.recall) -> bool:
    return run.precision < PROMISE.precision or run.recall < recall


def size_of(runs: Mapping[str, Sequence[Outcome]]) -> tuple[int, float]:
    """Images of a pool and its yes, from the runs that label it at random."""
    run = runs["label at random"][0]
    return round(run.answers / PROMISE.recall), run.delivered / PROMISE.recall


def floors(pools: Sequence[str], runs: Runs) -> dict[str, int]:
    return {pool: floor(PROMISE, *size_of(runs[pool])) for pool in pools}


def tell_both(runs: Runs) -> None:
    print(
        f"\n{'pool':26}{'method':18}{'answers':>10}{'delivered':>11}{'amplified':>11}{'precision':>11}{'recall':>9}{'missed':>9}"
    )
    for pool, methods in runs.items():
        images, yes = size_of(methods)
        print(f"{pool} ({images:,} images, {yes / images:.1%} yes; floor {floor(PROMISE, images, yes):,})")
        for method in BOTH:
            of = methods[method]
            answers, delivered = mean([run.answers for run in of]), mean([run.delivered for run in of])
            print(
                f"{'':26}{method:18}{answers:>10,.0f}{delivered:>11,.0f}{delivered / answers:>11,.2f}"
                f"{mean([run.precision for run in of]):>11.3f}{mean([run.recall for run in of]):>9.3f}"
                f"{sum(map(missed, of)):>6}/{len(of)}"
            )
        parts = {purpose for run in methods["thresher"] for purpose in run.parts}
        told = ", ".join(
            f"{part} {mean([run.parts.get(part, 0) for run in methods['thresher']]):,.0f}" for part in sorted(parts)
        )
        print(f"{'':26}thresher asked, after learning: {told}")


def tell_precise(runs: Runs) -> None:
    print(f"\nPrecision alone, {ANSWERS} answers in all, {ANSWERS_TO_LEARN} of them to learn")
    for pool, methods in runs.items():
        for method in PRECISE if PRECISE[0] in methods else ():
            of = methods[method]
            answers, delivered = mean([run.answers for run in of]), mean([run.delivered for run in of])
            print(
                f"{pool:26} {method:18}{answers:>10,.0f}{delivered:>11,.0f}"
                f"{mean([run.precision for run in of]):>11.3f}{mean([run.recall for run in of]):>9.3f}"
                f"{sum(missed(run, recall=0.0) for run in of):>6}/{len(of)}"
            )


def tell_ratios(runs: Runs) -> None:
    print()
    means = []
    for pool, methods in runs.items():
        paired = paired_ratios(methods)
        means.append(float(paired.mean()))
        images, yes = size_of(methods)
        least = floor(PROMISE, images, yes)
        print(f"RATIO labels_vs_bargain_{pool} {means[-1]:.3f}")
        print(f"RATIO labels_vs_bargain_upper_{pool} {upper(paired):.3f}")
        print(f"RATIO labels_vs_floor_{pool} {mean([run.answers for run in methods['thresher']]) / least:.3f}")
    for pool, ratio in yields(runs):
        print(f"RATIO yield_vs_bargain_p_{pool} {ratio:.3f}")
    print(f"RATIO labels_vs_bargain_geomean {math.exp(mean([math.log(value) for value in means])):.3f}")
    if "strong_2m_30" in runs:
        of = runs["strong_2m_30"]["thresher"]
        print(f"RATIO amplification_2m {mean([run.delivered for run in of]) / mean([run.answers for run in of]):.1f}")


def paired_ratios(methods: Mapping[str, Sequence[Outcome]]) -> np.ndarray:
    return np.array([a.answers / b.answers for a, b in zip(methods["thresher"], methods["BARGAIN_PR"], strict=True)])


def upper(paired: np.ndarray) -> float:
    """The mean's upper bound by the bootstrap, one-sided, at 95 %."""
    random = np.random.default_rng(0)
    means = paired[random.integers(0, len(paired), (RESAMPLES, len(paired)))].mean(axis=1)
    return float(np.quantile(means, 0.95))


def yields(runs: Runs) -> Iterator[tuple[str, float]]:
    """Images delivered against the better rival; a run that missed its precision yields nothing."""
    for pool, methods in runs.items():
        if PRECISE[0] not in methods:
            continue
        mine, bargain, supg = (
            mean([0 if missed(run, recall=0.0) else run.delivered for run in methods[m]]) for m in PRECISE
        )
        found = mean([run.precision * run.delivered for run in methods["BARGAIN_P"]])
        if found < FOUND * size_of(methods)[1]:
            yield pool, mine / max(bargain, supg, 1.0)


def valid(run: Outcome) -> int:
    return 0 if missed(run, recall=0.0) else run.delivered


def mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


if __name__ == "__main__":
    main()
