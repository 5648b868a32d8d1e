"""Claim: vectors are scored at 0.6 of memory's speed or more.

It makes 1,000,000 x 1,280 float16 (2.56 GB; fewer with --vectors) and scores them with every kernel that is
installed, in turns with plain reads of the same bytes by as many threads: the largest number among them, which leaves a
core nothing to do but wait for memory.

The same column is then written to a file and scored from the disk, once, with nothing of it in memory: what a round of
learning costs in a pool that no memory holds. 10,000,000 vectors take ten times as long.

    python bench/rescore.py
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thresher.compute import cores
from thresher.learn.scoring import KERNELS, product

WIDTH = 1280


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--vectors", type=int, default=1_000_000)
    options.add_argument("--turns", type=int, default=5)
    given = options.parse_args()
    rescore = score_against_memory(given.vectors, given.turns)
    with tempfile.TemporaryDirectory() as place:
        from_disk = score_from_disk(Path(place) / "column", given.vectors)
    print(f"\nRATIO rescore_vs_memory_bandwidth {rescore:.3f}")
    print(f"RATIO rescore_10m_from_disk_seconds {from_disk * 1e7 / given.vectors:.1f}")


def in_turns(jobs: dict[str, Callable[[], object]], turns: int) -> dict[str, float]:
    """The least seconds of each job, the jobs taking turns so that what else the machine does falls on all alike."""
    least = dict.fromkeys(jobs, float("inf"))
    for job in jobs.values():
        job()
    for _ in range(turns):
        for name, job in jobs.items():
            started = time.perf_counter()
            job()
            least[name] = min(least[name], time.perf_counter() - started)
    return least


# --- scoring ----------------------------------------------------------------------------------------------------------


def score_against_memory(count: int, turns: int) -> float:
    random = np.random.default_rng(0)
    some = random.normal(size=(4096, WIDTH)).astype(np.float16)
    matrix = np.empty((count, WIDTH), np.float16)
    for start in range(0, count, len(some)):
        matrix[start : start + len(some)] = some[: count - start]
    weights = random.normal(size=WIDTH).astype(np.float32)
    jobs: dict[str, Callable[[], object]] = {"plain read": partial(read, matrix)}
    for kernel in KERNELS:
        try:
            KERNELS[kernel]()
        except ImportError:
            print(f"{kernel} is not installed")
            continue
        jobs[kernel] = partial(product, matrix, weights, kernel=kernel)
    seconds = in_turns(jobs, turns)
    print(f"{count:,} x {WIDTH:,} float16 on {cores()} cores      seconds      GB/s   of a plain read")
    for name, took in seconds.items():
        rate = matrix.nbytes / took / 1e9
        print(f"{name:<42} {took:9.3f} {rate:9.1f} {seconds['plain read'] / took:17.2f}")
    return seconds["plain read"] / min(took for name, took in seconds.items() if name != "plain read")


def score_from_disk(path: Path, count: int) -> float:
    """Seconds to score a mapped column of which nothing is in memory."""
    random = np.random.default_rng(0)
    some = random.normal(size=(4096, WIDTH)).astype(np.float16)
    with path.open("wb") as file:
        for start in range(0, count, len(some)):
            file.write(some[: count - start].data)
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    matrix = np.memmap(path, np.float16, "r", shape=(count, WIDTH))
    started = time.perf_counter()
    product(matrix, random.normal(size=WIDTH).astype(np.float32))
    took = time.perf_counter() - started
    print(f"{count:,} x {WIDTH:,} from the disk: {took:.1f} s, {matrix.nbytes / took / 1e9:.2f} GB/s")
    path.unlink()
    return took


def read(matrix: NDArray[np.float16]) -> None:
    """Read every byte once: the largest of the numbers, one part a core."""
    parts = np.array_split(matrix.reshape(-1).view(np.float32), cores())
    threads = [threading.Thread(target=np.max, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
