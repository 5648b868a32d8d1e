"""Claim: the checksum of each row costs a column little, beside the same bytes written and read without one.

Writes and reads embeddings (1,280 float16 a row, 256 rows at once, as embedding does) and scores (one float32 a row,
all at once) through DirectoryColumns, in turns with the bare files that a column had before: values and a byte a row,
each flushed. Then it compares every row with its checksum, as `thresher check --every-byte` does.

    python bench/columns.py                 a million scores, 20,480 embeddings
    python bench/columns.py --rows 20000    a short form
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.store.directory.columns import DirectoryColumns

WIDTH, A_JOB, MOST_EMBEDDINGS = 1280, 256, 20_480
FEATURES, SCORES = "features/bench", "scores/bench/1"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--turns", type=int, default=5)
    given = options.parse_args()
    seconds: dict[str, list[float]] = {}
    draw = np.random.default_rng(1)
    scores = draw.standard_normal((given.rows, 1)).astype(np.float32)
    embeddings = draw.standard_normal((A_JOB, WIDTH)).astype(np.float16)
    for _ in range(given.turns):
        with tempfile.TemporaryDirectory() as folder:
            for name, each in one_turn(Path(folder), scores, embeddings).items():
                seconds.setdefault(name, []).append(each)
    middle = {name: statistics.median(each) for name, each in seconds.items()}
    for name, each in middle.items():
        print(f"{name:32} {1000 * each:10.2f} ms")
    print()
    for what in ("write_embeddings", "write_scores", "read_scores"):
        paired = [ours / bare for ours, bare in zip(seconds[what], seconds[f"bare_{what}"], strict=True)]
        print(f"RATIO {what}_vs_bare_files {statistics.median(paired):.2f}")
    checked = min(given.rows, MOST_EMBEDDINGS) // A_JOB * A_JOB * WIDTH * 2
    print(f"RATIO check_gigabytes_per_second {checked / middle['check_embeddings'] / 1e9:.2f}")


def one_turn(folder: Path, scores: NDArray[np.float32], embeddings: NDArray[np.float16]) -> dict[str, float]:
    """The seconds of each part, ours and the bare files one after the other."""
    columns, rows = DirectoryColumns(folder / "ours", lambda: len(scores)), np.arange(len(scores))
    columns.create(FEATURES, WIDTH)
    columns.create(SCORES, 1, "float32")
    starts = range(0, min(len(scores), MOST_EMBEDDINGS) // A_JOB * A_JOB, A_JOB)
    marks = np.ones(len(scores), np.uint8)

    def bare(name: str, start: int, values: NDArray[Any]) -> None:
        put(folder / f"{name}.values", start * values[0].nbytes, values)
        put(folder / f"{name}.present", start, marks[: len(values)])

    def bare_read() -> None:
        there = np.fromfile(folder / "scores.present", np.uint8) != 0
        np.memmap(folder / "scores.values", np.float32, mode="r")[there].sum()

    def read() -> None:
        matrix, present = columns.view(SCORES)
        matrix[:, 0][present].sum()

    return {
        "write_embeddings": taken(
            lambda: [columns.write(FEATURES, rows[at : at + A_JOB], embeddings) for at in starts]
        ),
        "bare_write_embeddings": taken(lambda: [bare("features", at, embeddings) for at in starts]),
        "write_scores": taken(lambda: columns.write(SCORES, rows, scores)),
        "bare_write_scores": taken(lambda: bare("scores", 0, scores)),
        "read_scores": taken(read),
        "bare_read_scores": taken(bare_read),
        "check_scores": taken(lambda: columns.damaged(SCORES, rows)),
        "check_embeddings": taken(lambda: columns.damaged(FEATURES, rows[: starts.stop])),
    }


def put(path: Path, at: int, values: NDArray[Any]) -> None:
    """Write bytes at their place and wait until they are on the disk."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        os.pwrite(descriptor, values.reshape(-1).view(np.uint8).data, at)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def taken(work: Callable[[], object]) -> float:
    """How many seconds something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
