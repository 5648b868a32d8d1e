"""Claims: vectors are scored at 0.6 of memory's speed or more, pictures embedded at 0.9 of the bare graph's.

The first part makes 1,000,000 x 1,280 float16 (2.56 GB; fewer with --vectors) and scores them with every kernel that is
installed, in turns with plain reads of the same bytes by as many threads: the largest number among them, which leaves a
core nothing to do but wait for memory.

The same column is then written to a file and scored from the disk, once, with nothing of it in memory: what a round of
learning costs in a pool that no memory holds. 10,000,000 vectors take ten times as long.

The second part embeds the pictures of a tar (--data; drawn photographs of 500 x 375 without it) from a workspace, in
turns with the same graph on the same pictures already decoded, in memory: one session on all cores, as a user of ONNX
Runtime would open it, and one session a core, which nothing in Python can beat. The ratio is to the better of the two.

    python bench/rescore.py --data photos.tar
"""

import argparse
import io
import os
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thresher.compute import cores
from thresher.errors import Undecodable
from thresher.harvest import harvest
from thresher.harvest.sources.tar import from_tar
from thresher.learn.backbone import How, open_backbone
from thresher.learn.embed import BATCH, column, embed
from thresher.learn.scoring import KERNELS, product
from thresher.pictures import model_pixels
from thresher.records import Category, Question
from thresher.settings import Settings, cache_directory, read_settings
from thresher.store import open_store
from thresher.store.contract import Store

NAME = "bench"
WIDTH = 1280
BARE_BATCHES = (BATCH, 32)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--vectors", type=int, default=1_000_000)
    options.add_argument("--pictures", type=int, default=2000)
    options.add_argument("--data", type=Path, help="a tar of pictures")
    options.add_argument("--turns", type=int, default=5)
    given = options.parse_args()
    rescore = score_against_memory(given.vectors, given.turns)
    with tempfile.TemporaryDirectory() as place:
        from_disk = score_from_disk(Path(place) / "column", given.vectors)
        whole, best = embed_against_session(Path(place), given.data, given.pictures, given.turns)
    print(f"\nRATIO rescore_vs_memory_bandwidth {rescore:.3f}")
    print(f"RATIO rescore_10m_from_disk_seconds {from_disk * 1e7 / given.vectors:.1f}")
    print(f"RATIO embed_vs_one_session_on_all_cores {whole:.3f}")
    print(f"RATIO embed_vs_bare_session {best:.3f}")


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


# --- embedding --------------------------------------------------------------------------------------------------------


def embed_against_session(place: Path, data: Path | None, count: int, turns: int) -> tuple[float, float]:
    settings = read_settings(place, {})
    store = open_store(place / "workspace", settings, create=True)
    store.categories.create(Category(NAME, Question(1, "Is it?")))
    tar = some_of(data, place, count) if data else draw(place, count)
    harvest(NAME, from_tar(tar), store=store, settings=settings, now_ms=1)
    rows = store.categories.pool(NAME)
    cache = cache_directory(settings) / "backbones"
    whole = open_backbone(settings.backbone, cache=cache)
    single = open_backbone(settings.backbone, cache=cache, how=How(threads=1))
    pixels = np.stack([model_pixels(data, side=whole.side) for data in store.images.read_many(rows)])
    jobs: dict[str, Callable[[], object]] = {"thresher, from the workspace": partial(embed_afresh, store, settings)}
    for batch in BARE_BATCHES:
        jobs[f"one bare session on all cores, batches of {batch}"] = partial(run_whole, whole.embed, pixels, batch)
        jobs[f"a bare session a core, batches of {batch}"] = partial(run_each, single.embed, pixels, batch)
    seconds = in_turns(jobs, turns)
    mean_kb = sum(len(data) for data in store.images.read_many(rows)) / len(rows) / 1000
    print(f"\n{len(rows):,} pictures of {mean_kb:.1f} KB, {settings.backbone}            seconds     img/s")
    for name, took in seconds.items():
        print(f"{name:<50} {took:11.2f} {len(rows) / took:9.1f}")
    store.close()
    ours = seconds.pop("thresher, from the workspace")
    on_all = min(took for name, took in seconds.items() if name.startswith("one"))
    return on_all / ours, min(seconds.values()) / ours


def embed_afresh(store: Store, settings: Settings) -> None:
    store.columns.drop(column(settings, store))
    embed(store.categories.pool(NAME), store=store, settings=settings)


Embed = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def run_whole(graph: Embed, pixels: NDArray[np.uint8], batch: int) -> None:
    for start in range(0, len(pixels), batch):
        graph(pixels[start : start + batch])


def run_each(graph: Embed, pixels: NDArray[np.uint8], batch: int) -> None:
    """A thread a core calls the one-threaded session: ONNX Runtime lets go of Python while it works."""
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(graph, (pixels[start : start + batch] for start in range(0, len(pixels), batch))))


def some_of(data: Path, place: Path, count: int) -> Path:
    """The first pictures of a tar that can be decoded."""
    found = 0
    with tarfile.open(data) as source, tarfile.open(place / "some.tar", "w") as chosen:
        for member in source:
            file = source.extractfile(member)
            if file is None or found == count:
                continue
            content = file.read()
            try:
                model_pixels(content, side=8)
            except Undecodable:
                continue
            chosen.addfile(member, io.BytesIO(content))
            found += 1
    return place / "some.tar"


def draw(place: Path, count: int) -> Path:
    """JPEGs of 500 x 375 with edges and grain, about 100 KB each, as photographs on the web have."""
    random = np.random.default_rng(0)
    with tarfile.open(place / "drawn.tar", "w") as chosen:
        for number in range(count):
            coarse = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((500, 375), 3)
            grain = random.normal(0, 14, (375, 500, 1))
            drawn = np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)
            out = io.BytesIO()
            Image.fromarray(drawn).save(out, "JPEG", quality=90)
            member = tarfile.TarInfo(f"{number:05}.jpg")
            member.size = out.tell()
            out.seek(0)
            chosen.addfile(member, out)
    return place / "drawn.tar"


if __name__ == "__main__":
    main()
