"""Claims: a loop that finds nothing new asks its store one thing, in a millisecond; a turn hardly grows with the pool.

Builds two workspaces as bench/turning/workspace.py does: pools of 3,000 and of 1,000,000 images, each with the votes of
a simulated crowd (600 and 200,000) and vectors of every image. In each, the loop takes turns until it rests. Then

- it looks and finds nothing new: how many calls of the store that takes, and how long;
- one after the other, people do an assignment each, and a turn takes it in: it is checked against gold, the crowd is
  estimated, labels and further asks follow. Where people have little left to do, the turn also trains, decides on the
  whole pool and asks about new images. Training and scoring are timed apart, and trained on 2,000 of the labels.

The most anonymous memory of this process is told (pages of mapped columns are the system's, not the loop's), and that
of turns in a pool of --sparse images, whose vectors are a file of holes.

    python bench/turn.py --images 1000000
"""

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import numpy as np
from turning.workspace import NAME, Crowd, build

import thresher.learn.round as rounds
from thresher.label.deal import deal
from thresher.learn.embed import columns
from thresher.learn.known import known_answers
from thresher.loop.turn import Process, Turn, turn
from thresher.loop.watch import Watch
from thresher.records import Category, Given, Label, Says, now_ms
from thresher.settings import Settings, read_settings
from thresher.store.contract import Store

WIDTH = 1280
SMALL, SMALL_VOTES = 3_000, 600
ROWS_AT_ONCE = 20_000
LOOKS = 20  # at nothing new
TRAIN_LABELS = 2_000
MOST_TURNS = 10  # until a loop rests
TRAININGS = 3
SPARSE_VOTES = 3_000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--images", type=int, default=1_000_000)
    options.add_argument("--votes", type=int, default=200_000)
    options.add_argument(
        "--assignments", type=int, default=30, help="done at most, one a turn, until it trained thrice"
    )
    options.add_argument("--sparse", type=int, default=10_000_000, help="images of the pool of holes; 0 leaves it out")
    options.add_argument("--folder", type=Path, help="where workspaces are made: 3 GB for a million images")
    options.add_argument("--only-sparse", action="store_true", help="only the pool of holes, in a process of its own")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        if given.only_sparse:
            print(f"RATIO loop_anonymous_gigabytes {sparse(Path(place), given.sparse):.2f}")
            return
        small = measure(Path(place) / "small", SMALL, SMALL_VOTES, given.assignments)
        large = measure(Path(place) / "large", given.images, given.votes, given.assignments)
    print(f"\nRATIO idle_turn_store_calls {max(small.idle_calls, large.idle_calls)}")
    print(f"RATIO idle_turn_ms {1000 * max(small.idle, large.idle):.2f}")
    print(f"RATIO turn_1m_seconds {large.turn:.3f}")
    print(f"RATIO turn_1m_processor_seconds {large.turn_processor:.3f}")
    print(f"RATIO turn_1m_vs_3k {large.turn / small.turn:.1f}")
    print(f"RATIO turn_1m_that_asks_seconds {large.asks:.3f}")
    print(f"RATIO train_and_score_1m_seconds {large.trains:.2f}")
    if given.sparse:
        flags = ["--only-sparse", "--sparse", str(given.sparse)]
        flags += ["--folder", str(given.folder)] if given.folder else []
        subprocess.run([sys.executable, __file__, *flags], check=True)


@dataclass(frozen=True)
class Found:
    """What was measured in one workspace, in seconds: medians."""

    idle_calls: int
    idle: float
    turn: float
    turn_processor: float
    asks: float
    trains: float


def measure(place: Path, images: int, votes: int, assignments: int) -> Found:
    began = time.perf_counter()
    place.mkdir()
    store, crowd = build(place, images, votes)
    settings = read_settings(place, {})
    fill_columns(store, settings)
    gc.collect()
    print(f"\n{images:,} images and {votes:,} votes, made in {time.perf_counter() - began:.0f} s")
    with on_few_labels(), anonymous() as memory:
        loop = Loop(store, settings, Watch(store=store, settings=settings))
        rest(loop)
        idle_calls, idle = look_in_vain(loop)
        print(f"an idle look: {idle_calls} calls of the store, {1000 * idle:.2f} ms")
        turns = take_in(loop, crowd, assignments)
    print(f"most anonymous memory: {memory.most / 1e9:.2f} GB")
    store.close()
    some = [one for one in turns if not one.training] or turns
    anew = [one for one in turns if one.training] or turns
    return Found(
        idle_calls,
        idle,
        median(one.seconds for one in some),
        median(one.processor for one in some),
        median(one.seconds for one in anew),
        median(one.training for one in anew),
    )


def fill_columns(store: Store, settings: Settings) -> None:
    """Vectors that tell nothing, as scores of any quality cost the same."""
    some = np.maximum(np.random.default_rng(0).normal(size=(ROWS_AT_ONCE, WIDTH)), 0).astype(np.float16)
    for name in columns(settings, store):
        store.columns.create(name, WIDTH)
        for start in range(0, top := store.images.top(), ROWS_AT_ONCE):
            rows = np.arange(start, min(start + ROWS_AT_ONCE, top))
            store.columns.write(name, rows, np.roll(some, start, axis=0)[: len(rows)])


# --- the loop ---------------------------------------------------------------------------------------------------------


@dataclass
class Loop:
    """What the autopilot does between two rests. Its clock is moved on by hand, so that patience ends at once."""

    store: Store
    settings: Settings
    watch: Watch
    number: int = 0
    at_ms: int = field(default_factory=now_ms)

    def look(self) -> Turn | None:
        """A turn if one is due, and None if not."""
        mark = self.store.categories.mark(NAME)
        if not self.watch.due(NAME, mark, self.at_ms):
            return None
        self.number += 1
        of = Process(memory=self.watch.memory(NAME))
        made = turn(NAME, store=self.store, settings=self.settings, now_ms=self.at_ms, seed=self.number, process=of)
        return self.watch.made(NAME, mark, made, self.at_ms)

    def wait(self) -> None:
        """Let the patience with people end, and the loop come to rest."""
        self.at_ms += 1000 * self.settings.patience_seconds + 1000
        rest(self)


def rest(loop: Loop) -> None:
    for _ in range(MOST_TURNS):
        if loop.look() is None:
            return
    sys.exit(f"the loop does not rest after {MOST_TURNS} turns in which nothing new came")


def look_in_vain(loop: Loop) -> tuple[int, float]:
    """The calls of the store that a look makes which finds nothing new, and the median seconds."""
    took = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        came_to = loop.look()
        took.append(time.perf_counter() - began)
        if came_to is not None:
            sys.exit("a turn is made although nothing changed")
    counting = Counting(loop.store)
    replace(loop, store=counting).look()
    return counting.calls.total(), median(took)


@dataclass(frozen=True)
class Took:
    """Seconds of a turn without training, of training and scoring, and of the processor for all of it."""

    seconds: float
    training: float
    processor: float


def take_in(loop: Loop, crowd: Crowd, assignments: int) -> list[Took]:
    """Each turn with a new assignment."""
    turns: list[Took] = []
    for number in range(assignments):
        person = number % len(crowd.names)
        if not answer(crowd, person, loop):
            loop.wait()
            continue
        known = loop.store.rounds.latest(NAME, 1)
        began, busy = time.perf_counter(), time.process_time()
        came_to = loop.look()
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
        if came_to is None:
            sys.exit("no turn is made although somebody has sent an assignment")
        training = came_to.round.seconds if came_to.round and came_to.round != known else 0.0
        turns.append(Took(seconds - training, training, busy))
        print(
            f"a turn: {1000 * (seconds - training):7.1f} ms, training {1000 * training:7.1f} ms,"
            f" of the processor {1000 * busy:7.1f} ms in all; {came_to.state}: {came_to.says}"
        )
        rest(loop)
        if sum(one.training > 0 for one in turns) == TRAININGS:
            break
    return turns


def answer(crowd: Crowd, person: int, loop: Loop) -> bool:
    """Let somebody of the crowd do an assignment; False where there is no task for them."""
    store = loop.store
    dealt = deal(NAME, store.people.get(crowd.names[person]), store=store, settings=loop.settings, now_ms=loop.at_ms)
    if dealt is None:
        return False
    rows = np.array([place.row for place in dealt.dealt])
    says = crowd.says(person, rows, np.random.default_rng(person)).tolist()
    given = [Given(place, Says.YES if yes else Says.NO, 0.8, 1.2) for place, yes in enumerate(says)]
    store.work.send(dealt.id, given, loop.at_ms)
    return True


@contextmanager
def on_few_labels() -> Iterator[None]:
    """Train on no more labels than the claim speaks of: on the 65,000 of such votes it takes a minute."""

    def some(entry: Category, held: list[Label], *, store: Store) -> dict[int, bool]:
        known = known_answers(entry, held, store=store)
        chosen = np.random.default_rng(1).permutation(np.fromiter(known, np.int64))[:TRAIN_LABELS]
        return {row: known[row] for row in np.sort(chosen).tolist()}

    with mock.patch.object(rounds, "known_answers", some):
        yield


# --- counting calls ---------------------------------------------------------------------------------------------------


@dataclass
class Counting:
    """A store that counts the calls of its parts."""

    store: Any
    calls: Counter[str] = field(default_factory=Counter)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- a part of the store
        part = getattr(self.store, name)
        return _Counted(part, name, self.calls) if name in Store.__annotations__ else part


@dataclass
class _Counted:
    part: Any
    name: str
    calls: Counter[str]

    def __getattr__(self, call: str) -> Any:  # noqa: ANN401 -- a call of a part
        made = getattr(self.part, call)

        def counted(*given: Any, **named: Any) -> Any:  # noqa: ANN401 -- as above
            self.calls[f"{self.name}.{call}"] += 1
            return made(*given, **named)

        return counted if callable(made) else made


# --- memory -----------------------------------------------------------------------------------------------------------


@dataclass
class Memory:
    """The most anonymous memory in bytes that was seen."""

    most: int = 0


@contextmanager
def anonymous() -> Iterator[Memory]:
    """Watch the anonymous memory of this process."""
    seen, over = Memory(), threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            seen.most = max(seen.most, anonymous_bytes())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def anonymous_bytes() -> int:
    status = Path(f"/proc/{os.getpid()}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)


def sparse(place: Path, images: int) -> float:
    """The most anonymous memory of turns in a pool of holes, in gigabytes."""
    store, crowd = build(place, images, SPARSE_VOTES)
    settings = read_settings(place, {})
    fill_with_holes(store, settings)
    gc.collect()
    with on_few_labels(), anonymous() as memory:
        loop = Loop(store, settings, Watch(store=store, settings=settings))
        rest(loop)
        take_in(loop, crowd, 4)
    store.close()
    print(f"{images:,} images: most anonymous memory of a loop {memory.most / 1e9:.2f} GB")
    return memory.most / 1e9


def fill_with_holes(store: Store, settings: Settings) -> None:
    """Columns that count as complete, and whose values take no disk: only the vectors of the asked rows are written."""
    for name in columns(settings, store):
        store.columns.create(name, WIDTH)
        random = np.random.default_rng(0)
        rows = np.append(np.arange(min(ROWS_AT_ONCE, store.images.top())), store.images.top() - 1)
        store.columns.write(name, rows, random.normal(size=(len(rows), WIDTH)).astype(np.float16))
        sums = Path(store.place) / "columns" / name.replace("/", "@") / "sums"
        marks = np.fromfile(sums, np.uint32)
        marks[marks == 0] = 1  # present; what it should be is not compared here
        marks.tofile(sums)


if __name__ == "__main__":
    main()
