"""Claim: pictures are embedded faster than by the build before, and at 0.9 of the bare session's speed.

Three builds embed the same pictures from workspaces of their own, in turns, on all cores: the commit before, today's in
float32, and today's in the fastest arithmetic of this machine. Beside them the graph alone runs on the same pictures,
already decoded and in memory, in the runtime that today's build has chosen: one session a core, which nothing in Python
can beat. The pictures are those of a tar (--data; drawn ones of 500 x 375 without it), and the same enlarged to photos
of 1,024 pixels and 100 KB.

Images a second are of the clock, so they want a quiet machine; processor milliseconds hold on a busy one too.
`..._processor` compares these.

    python bench/embed.py --data clothing.tar               the source of the commit before is taken from git
    python bench/embed.py --before ../before --before-python ../before/.venv/bin/python
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from checkout import ROOT, source_of
from embedding.photos import enlarged, mean_kilobytes, pixels_of, some_of

from thresher.compute import cores
from thresher.learn.backbone import Backbone, kept_in, open_backbone
from thresher.learn.backbone.fastest import FASTEST, fastest
from thresher.learn.backbone.runtimes import FLOAT32
from thresher.settings import Settings, read_settings

COMMIT = "e095853"  # the one before embedding was made faster
BEFORE, NOW, NOW_FASTEST, BARE = "before", "now, float32", "now, fastest", "bare session"
SETS: Mapping[str, Callable[[Path, Path], Path]] = {"pictures": lambda small, _: small, "photos": enlarged}


@dataclass(frozen=True)
class Took:
    """What embedding once took."""

    images: int
    seconds: float
    processor_seconds: float

    @property
    def clock_ms(self) -> float:
        """Milliseconds an image."""
        return 1000 * self.seconds / self.images

    @property
    def processor_ms(self) -> float:
        """Milliseconds of all processors an image."""
        return 1000 * self.processor_seconds / self.images


Way = Callable[[], Took]


def main() -> None:
    given = options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = given.before or source_of(COMMIT, folder / "before")
        small = some_of(given.data, given.pictures, folder / "some.tar")
        for what in given.of:
            tar, place = SETS[what](small, folder / f"{what}.tar"), folder / what
            builds = {
                BEFORE: Build(before, given.before_python, place / "before", tar, FLOAT32),
                NOW: Build(ROOT, sys.executable, place / "now", tar, FLOAT32),
                NOW_FASTEST: Build(ROOT, sys.executable, place / "fastest", tar, FASTEST),
            }
            settings = read_settings(place / "now", {})
            bare = dict(bare_sessions(settings, tar))
            ways: dict[str, Way] = {**{name: build.embed for name, build in builds.items()}, **bare}
            found = in_turns(ways, given.turns)
            print(f"\n{what}: {given.pictures:,} of {mean_kilobytes(tar):.1f} KB, {settings.backbone}, {cores()} cores")
            table(found, {name: build.column for name, build in builds.items()})
            vectors = {name: build.end() for name, build in builds.items()}
            ratios(found, vectors, "" if what == "pictures" else f"{what}_")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a tar of pictures; default: drawn ones")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--of", nargs="+", choices=[*SETS], default=[*SETS])
    parser.add_argument("--before", type=Path, help=f"a checkout to compare with; default: commit {COMMIT}")
    parser.add_argument("--before-python", default=sys.executable, help="a Python with its dependencies")
    return parser.parse_args()


class Build:
    """A process with one build of thresher, which embeds whenever it is told to."""

    def __init__(self, checkout: Path, python: str, place: Path, tar: Path, arithmetic: str) -> None:
        place.mkdir(parents=True)
        self.place = place
        self.process = subprocess.Popen(
            [python, ROOT / "bench/embedding/build.py", place, tar, arithmetic],
            env={**os.environ, "PYTHONPATH": str(checkout.resolve() / "src")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.column = str(self._answer()["column"])

    def embed(self) -> Took:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return Took(**self._answer())

    def end(self) -> np.ndarray:
        """End it; returns the vectors, in the order of the hashes of the images."""
        self.process.communicate()
        with np.load(self.place / "vectors.npz") as found:
            return np.asarray(found["vectors"][np.argsort(found["names"])])

    def _answer(self) -> dict[str, float]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"The build in {self.place} ended: see the message above.")
        return dict(json.loads(line))


def bare_sessions(settings: Settings, tar: Path) -> Iterator[tuple[str, Way]]:
    """The graph alone, in the runtime of each arithmetic, on pictures that are decoded already."""
    for arithmetic in (FLOAT32, FASTEST):
        how = fastest(settings.backbone, settings.but(arithmetic=arithmetic))
        chosen = open_backbone(settings.backbone, cache=kept_in(settings), how=replace(how, threads=1))
        pixels = pixels_of(tar, chosen.side)
        yield f"{BARE}, {arithmetic} ({how.runtime})", partial(run_bare, chosen, pixels)


def run_bare(backbone: Backbone, pixels: np.ndarray) -> Took:
    """A thread a core calls the session, which has one thread: runtimes let go of the GIL while they work."""
    batch = backbone.how.batch
    processor, began = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(backbone.embed, (pixels[at : at + batch] for at in range(0, len(pixels), batch))))
    return Took(len(pixels), time.perf_counter() - began, time.process_time() - processor)


def in_turns(ways: Mapping[str, Way], turns: int) -> dict[str, list[Took]]:
    """What each took each time, one after the other, so that what else the machine does falls on all alike."""
    found: dict[str, list[Took]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, way in ways.items():
            found[name].append(way())
    return found


def table(found: Mapping[str, list[Took]], columns: Mapping[str, str]) -> None:
    print(f"{'':42} {'img/s':>9} {'processor ms/img':>17}")
    for name, took in found.items():
        quickest = 1000 / min(one.clock_ms for one in took)
        least = min(one.processor_ms for one in took)
        print(f"{name:42} {quickest:9.1f} {least:17.2f}  {columns.get(name, '')}")


def ratios(found: Mapping[str, list[Took]], vectors: Mapping[str, np.ndarray], kind: str) -> None:
    """Each is the median over the turns, of what was measured in the same turn."""
    exact, cheap = (
        next(name for name in found if name.startswith(f"bare session, {one}")) for one in (FLOAT32, FASTEST)
    )
    for name, ours, other in (
        ("embed_vs_before", NOW, BEFORE),
        ("embed_vs_before_fastest", NOW_FASTEST, BEFORE),
        ("embed_vs_bare_session", NOW, exact),
        ("embed_vs_bare_session_fastest", NOW_FASTEST, cheap),
    ):
        pairs = list(zip(found[ours], found[other], strict=True))
        clock = statistics.median(theirs.clock_ms / mine.clock_ms for mine, theirs in pairs)
        processor = statistics.median(theirs.processor_ms / mine.processor_ms for mine, theirs in pairs)
        print(f"RATIO {kind}{name} {clock:.2f}")
        print(f"RATIO {kind}{name}_processor {processor:.2f}")
    print(f"RATIO {kind}least_cosine_to_before {least_cosine(vectors[NOW], vectors[BEFORE]):.6f}")


def least_cosine(ours: np.ndarray, theirs: np.ndarray) -> float:
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return float(((ours * theirs).sum(axis=1) / lengths).min())


if __name__ == "__main__":
    main()
