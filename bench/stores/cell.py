"""One cell of the table: a fresh store, N processes that write to it, N that read from it; then it is deleted."""

import mmap
import multiprocessing
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np

from stores.contract import BATCH, KEY_BYTES, Kind, Notes
from stores.pictures import Pictures, batches, number_of

FORK = multiprocessing.get_context("fork")  # a process is ready at once, and the pictures are there already
START_SECONDS = 120.0
CGROUPS = (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup"))
LIMITS = ("memory.limit_in_bytes", "memory.max")


@dataclass(frozen=True)
class Cell:
    """Images a second: written as the calls returned, written and flushed, read; or why there is no figure."""

    kind: str
    count: int
    processes: int
    calls: float = 0.0
    write: float = 0.0
    read: float = 0.0
    failed: str = ""


def measure(
    name: str, kind: type[Kind], pictures: Pictures, *, count: int, processes: int, reads: int, place: Path | None,
    memory_bytes: int | None = None,
) -> Cell:  # fmt: skip
    """Fill a store and read from it; the store is gone after."""
    folder = Path(tempfile.mkdtemp(prefix=f"store-{name}-", dir=place))
    folder.chmod(0o755)  # PostgreSQL is another user
    notes = Notes(count)
    store = kind(folder, notes, memory_bytes)
    _warm(int(1.3 * count * len(pictures[0])))
    try:
        with _fence(memory_bytes) as confine:
            try:
                for process in store.start():
                    confine(process)
                inside = confine if not store.serves else _free
                began, called, ended = _spread(
                    processes, lambda n, at: _write(store, pictures, n, processes, at, inside)
                )
                wrote = count / (called - began), count / (ended - began)
                began, called, _ = _spread(processes, lambda n, at: _read(store, n, reads // processes, at, inside))
                read = -(-(reads // processes) // BATCH) * BATCH * processes
                return Cell(name, count, processes, *wrote, read / (called - began))
            finally:
                store.stop()
    except Failure as failure:
        return Cell(name, count, processes, failed=str(failure))
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # and with it what was not yet written out


class Failure(Exception):
    """A process of a cell that ended with an error."""


Times = tuple[float, float, float]
Work = Callable[[int, Barrier], tuple[float, float, float]]


def _spread(processes: int, work: Work) -> Times:
    """When the first began, when the last had its last answer, and when all was flushed."""
    barrier = FORK.Barrier(processes)
    pipes, children = [], []
    for number in range(processes):
        ours, theirs = FORK.Pipe(duplex=False)
        child = FORK.Process(target=_child, args=(work, number, barrier, theirs))
        child.start()
        theirs.close()
        pipes.append(ours)
        children.append(child)
    came: list[Any] = []
    for pipe in pipes:
        with suppress(EOFError):
            came.append(pipe.recv())
    for child in children:
        child.join()
    told = [each for each in came if isinstance(each, str)]
    if told or len(came) < processes:
        raise Failure(min(told, key=lambda text: "Barrier" in text) if told else "killed for want of memory")
    return min(one[0] for one in came), max(one[1] for one in came), max(one[2] for one in came)


def _child(work: Work, number: int, barrier: Barrier, answer: Connection) -> None:
    try:
        answer.send(work(number, barrier))
    except BaseException as error:  # noqa: BLE001 -- told by the parent
        barrier.abort()
        answer.send(f"{type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else ''}")
    answer.close()
    os._exit(0)  # what the parent registered to do at its end is the parent's


def _write(
    store: Kind, pictures: Pictures, process: int, processes: int, barrier: Barrier, confine: Callable[[int], None]
) -> Times:
    confine(os.getpid())
    session = store.session(process, write=True)
    count = store.notes.count
    mine = batches(range(process * count // processes, (process + 1) * count // processes))
    barrier.wait(START_SECONDS)
    began = time.monotonic()
    for numbers in mine:
        batch = pictures.named(numbers)
        joined = b"".join(key for _, key, _ in batch)
        store.notes.keys[numbers.start : numbers.stop] = np.frombuffer(joined, dtype=np.uint8).reshape(-1, KEY_BYTES)
        session.put(batch)
    called = time.monotonic()
    session.finish()
    return began, called, time.monotonic()


def _read(store: Kind, process: int, reads: int, barrier: Barrier, confine: Callable[[int], None]) -> Times:
    confine(os.getpid())
    session = store.session(process, write=False)
    chance = random.Random(process)
    wanted = [chance.sample(range(store.notes.count), BATCH) for _ in range(-(-reads // BATCH))]
    list(session.read(wanted[0][:1]))  # connections and files are open before the clock starts
    barrier.wait(START_SECONDS)
    began = time.monotonic()
    for numbers in wanted:
        found = {number_of(data) for data in session.read(numbers)}
        if found != set(numbers):
            raise ValueError("other pictures came back than were asked")
    ended = time.monotonic()
    return began, ended, ended


def _free(_process: int) -> None:
    """Let a process have all the memory there is."""


def _warm(size: int) -> None:
    """Have the machine's memory there before the clock starts.

    A virtual machine gets its memory from the host when it first touches it, at several times the price of using it;
    without this the store that comes first pays for those after it.
    """
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with mmap.mmap(-1, max(1 << 20, min(size, free * 2 // 3)), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        for start in range(0, len(memory), 4096):
            memory[start] = 1


@contextmanager
def _fence(memory_bytes: int | None):  # noqa: ANN202 -- a call that takes a process in
    """A memory cgroup, page cache included, where the machine lets us make one."""
    if not memory_bytes:
        yield _free
        return
    group = next((root / f"thresher-bench-{os.getpid()}" for root in CGROUPS if (root / "cgroup.procs").exists()), None)
    try:
        if group is None:
            raise Failure("no cgroup can be made here")
        group.mkdir()
        limit = next(group / name for name in LIMITS if (group / name).exists())
        limit.write_text(str(memory_bytes))
    except (OSError, StopIteration) as error:
        raise Failure("no cgroup can be made here") from error
    try:
        yield lambda process: (group / "cgroup.procs").write_text(str(process))
    finally:
        for _ in range(100):
            try:
                group.rmdir()
                break
            except OSError:  # its processes are still ending
                time.sleep(0.1)
