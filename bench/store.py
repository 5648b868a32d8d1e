"""Claim: the store writes as fast as the disk takes it, from any number of processes, and reads as fast as memory.

Images a second written (hashed, stored, flushed in the end) and read at random, for our two stores, for LMDB, MongoDB,
Redis, PostgreSQL and plain files, and for the limit of a bare loop that hashes and appends. One store at a time,
deleted after; the order is rotated over repeats, so that noise hits all alike.

    python bench/store.py --figures docs    1K and 10K images; 100K with the most processes, where the disk allows
    python bench/store.py --quick           under a minute, with what is at hand
"""

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import catalog
from stores import KINDS
from stores.cell import Cell, measure
from stores.contract import BATCH
from stores.pictures import Pictures

from thresher.compute import cores

LARGE = 100_000
READS_MOST = 20_000
READS_LEAST = 4_096
SPARE = 3.0
"""Room on the disk that a cell needs, in times of its pictures: MongoDB writes each twice."""
TARGETS = {
    "write_vs_lmdb_8p": ("directory", "lmdb", "write", 2.0),
    "read_vs_lmdb_8p": ("directory", "lmdb", "read", 1.0),
    "write_vs_raw_append": ("directory", "append", "write", 0.85),
    "read_vs_raw_pread": ("directory", "append", "read", 0.85),
    "mongo_store_vs_raw_mongo_write": ("mongodb", "rawmongo", "write", 0.9),
}


def main() -> None:
    given = options()
    place = Path(tempfile.mkdtemp(prefix="thresher-bench-", dir=given.folder))
    place.chmod(0o755)
    try:
        told = run(given, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if given.figures:
        from store_figures import draw

        draw(told, given.figures)
    ratios(told, given)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 10_000, LARGE])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 8])
    parser.add_argument("--stores", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--large-stores", nargs="+", choices=KINDS, default=list(KINDS), help="those at 100K")
    parser.add_argument("--repeats", type=int, nargs="+", default=[2, 2, 1], help="for each of --counts")
    parser.add_argument("--bytes", type=int, default=100_000, help="mean size of a picture")
    parser.add_argument("--folder", type=Path, help="where the stores are made; a temporary folder when left out")
    parser.add_argument("--figures", type=Path, help="folder for the figures")
    parser.add_argument(
        "--memory", type=int, default=400_000_000, help="bytes allowed in the run beyond memory; 0: no run"
    )
    parser.add_argument(
        "--lease-rows", type=int, default=1_000_000, help="rows of the pool tasks are dealt from; 0: none"
    )
    parser.add_argument("--quick", action="store_true", help="a look in under a minute")
    given = parser.parse_args()
    if given.quick:
        given.counts, given.processes, given.repeats, given.bytes = [256], [1, 2], [1], 20_000
        given.memory, given.lease_rows = 0, 0
    given.repeats = [*given.repeats, *given.repeats[-1:] * len(given.counts)][: len(given.counts)]
    return given


def run(given: argparse.Namespace, place: Path) -> list[Cell]:
    """Every cell, printed as it comes."""
    load = os.getloadavg()[0]
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {cores()} cores, load {load:.1f}, {platform.platform()}")
    here = {name: KINDS[name] for name in given.stores if not KINDS[name].missing()}
    for name in given.stores:
        if name not in here:
            print(f"{KINDS[name].label} is not here: {KINDS[name].missing()}")
    pictures = Pictures(given.bytes)
    found: list[Cell] = []
    for count, processes, names in plan(given, list(here)):
        for name in names:
            if shutil.disk_usage(place).free < SPARE * count * given.bytes:
                found.append(Cell(name, count, processes, failed="the disk has no room"))
                continue
            reads = max(READS_LEAST, min(count, READS_MOST))
            if given.quick:
                reads = 4 * BATCH
            found.append(
                measure(name, here[name], pictures, count=count, processes=processes, reads=reads, place=place)
            )
            say(found[-1])
    if given.memory:
        beyond(given, list(here), pictures, place)
    table(found, given)
    return found


def plan(given: argparse.Namespace, names: list[str]) -> Iterator[tuple[int, int, list[str]]]:
    """Repeats outermost, so that a cell's repeats are far apart; the order is rotated with each."""
    turn = 0
    for repeat in range(max(given.repeats)):
        for count, repeats in zip(given.counts, given.repeats, strict=True):
            for processes in given.processes if count < LARGE else given.processes[-1:]:
                if repeat < repeats:
                    turn += 1
                    here = [name for name in names if count < LARGE or name in given.large_stores]
                    yield count, processes, here[turn % len(here) :] + here[: turn % len(here)]


def beyond(given: argparse.Namespace, names: list[str], pictures: Pictures, place: Path) -> None:
    """One run larger than the memory allowed to it: a cgroup, page cache included, around whoever keeps the bytes."""
    count = max(min(max(given.counts), 10_000), int(2.5 * given.memory / given.bytes))
    print(f"\nBeyond memory: {count:,} pictures, {given.memory / 1e6:,.0f} MB allowed, 2 processes")
    for name in names:
        say(
            measure(
                name, KINDS[name], pictures, count=count, processes=2, reads=4_096, place=place,
                memory_bytes=given.memory,
            )
        )  # fmt: skip


def say(cell: Cell) -> None:
    what = cell.failed or f"write {cell.write:8,.0f} ({cell.calls:,.0f} before the flush)  read {cell.read:8,.0f} img/s"
    print(
        f"{time.strftime('%H:%M:%S')} {KINDS[cell.kind].label:20} {cell.count:7,} x {cell.processes}  {what}",
        flush=True,
    )


def middle(cells: list[Cell], kind: str, count: int, processes: int, what: str) -> float:
    """The median of a figure over the repeats; 0 where there is none."""
    values = [
        getattr(cell, what) for cell in cells if (cell.kind, cell.count, cell.processes) == (kind, count, processes)
    ]
    return statistics.median(value for value in values) if values else 0.0


def table(found: list[Cell], given: argparse.Namespace) -> None:
    for what in ("write", "read"):
        print(f"\n{what}, images/s, median")
        heads = [(count, processes) for count in given.counts for processes in given.processes]
        print(f"| {'':20} | " + " | ".join(f"{count:,} x {processes}" for count, processes in heads) + " |")
        print("|---|" + "---:|" * len(heads))
        for name in dict.fromkeys(cell.kind for cell in found):
            values = [middle(found, name, *head, what) for head in heads]
            print(f"| {KINDS[name].label:20} | " + " | ".join(f"{v:,.0f}" if v else "-" for v in values) + " |")
    print("\n| what survives | kill -9 | a power cut before the end |\n|---|---|---|")
    for name in dict.fromkeys(cell.kind for cell in found):
        print(f"| {KINDS[name].label} | {KINDS[name].kill} | {KINDS[name].power} |")


def ratios(found: list[Cell], given: argparse.Namespace) -> None:
    """Medians over repeats of the ratios made in one repeat, with the most processes, at the count most often run."""
    processes = max(given.processes)
    count = max(zip(given.repeats, given.counts, strict=True))[1]
    print(f"\nRatios at {count:,} images and {processes} processes; wanted: ", end="")
    print(", ".join(f"{name} {least:g}" for name, (*_, least) in TARGETS.items()))
    lines = []
    for name, (ours, theirs, what, _) in TARGETS.items():
        pairs = [
            [getattr(c, what) for c in found if (c.kind, c.count, c.processes) == (kind, count, processes)]
            for kind in (ours, theirs)
        ]
        each = [one / other for one, other in zip(*pairs, strict=False) if one and other]
        if each:
            lines.append(f"RATIO {name} {statistics.median(each):.2f}")
    if given.lease_rows:
        with tempfile.TemporaryDirectory() as folder:
            lines.append(f"RATIO lease_1m_vs_10k {catalog.lease(Path(folder), given.lease_rows):.2f}")
    print("\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
