"""Work spread over the cores of this machine.

Processes are started anew ("spawn"), never forked: the caller may hold threads, database connections and locks, and a
fork would copy those in whatever state they are. Each process has its own pipe, so that if it dies this is known at
once, together with its current item; and a process whose parent was killed sees the end of its pipe and exits.
"""

import multiprocessing
import os
import pickle
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic

from thresher.compute.common import failed, name_of, packed, reported
from thresher.compute.contract import Compute, Item, Report, Result, Stop
from thresher.compute.cores import cores
from thresher.compute.inline import Inline
from thresher.errors import JobFailed, ThresherError
from thresher.settings import Settings

AT_HAND = 2
"""Items a process holds: the one it works on, and the next, so that it never waits for us."""


class Local:
    """contract.Compute on processes of this machine."""

    def __init__(self, processes: int) -> None:
        self.places = processes

    @property
    def threads(self) -> int:
        """An equal share of the cores."""
        return max(1, cores() // self.places)

    def spread(
        self,
        job: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        report: Report | None = None,
        stop: Stop | None = None,
        died: Callable[[Item], Result] | None = None,
    ) -> Iterator[Result]:
        """See contract.Compute."""
        pool = _Pool(job, packed(job), self.places, died)
        return reported(_pooled(pool, items, stop), items, report)


def open_local(_place: str, settings: Settings) -> Compute:
    """As many processes as the setting says, 0: one per core; 1: no further process."""
    return Inline() if settings.processes == 1 else Local(settings.processes or cores())


# --- the pool ---------------------------------------------------------------------------------------------------------

Died = Callable[[Item], Result]


@dataclass(eq=False)
class _Worker(Generic[Item]):
    """One process, the pipes to and from it, and the numbered items it holds; it works on the first of them."""

    process: BaseProcess
    to: Connection
    back: Connection
    holds: deque[tuple[int, Item]] = field(default_factory=deque)
    started: bool = False


class _Pool(Generic[Item, Result]):
    """The processes of one call, and the results that are ready but not yet yielded."""

    def __init__(
        self, job: Callable[[Item], Result], packed: bytes, most: int, died: Died[Item, Result] | None
    ) -> None:
        self.job = job
        self.packed = packed
        self.most = most
        self.died = died
        self.workers: list[_Worker[Item]] = []
        self.ready: dict[int, Result] = {}

    def free(self) -> _Worker[Item] | None:
        """A process that can take another item, the idlest first; a new process while more are allowed."""
        idlest = min(self.workers, key=lambda worker: len(worker.holds), default=None)
        if (idlest is None or idlest.holds) and len(self.workers) < self.most:
            return self.start()
        return idlest if idlest is not None and len(idlest.holds) < AT_HAND else None

    def start(self) -> _Worker[Item]:
        context = multiprocessing.get_context("spawn")
        theirs, to = context.Pipe(duplex=False)
        back, answers = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(self.packed, theirs, answers), daemon=True)
        with _interrupts_held():
            process.start()
        theirs.close()
        answers.close()
        self.workers.append(_Worker(process, to, back))
        return self.workers[-1]

    def hand(self, worker: _Worker[Item], numbered: tuple[int, Item]) -> None:
        """Send a process its next item; if it has died meanwhile, `gather` finds that out."""
        number, item = numbered
        try:
            packed = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            raise failed(self.job, error) from error
        worker.holds.append(numbered)
        with suppress(BrokenPipeError, ConnectionResetError):
            worker.to.send((number, packed))

    def gather(self) -> None:
        """Wait for a message or an end: a result, an error, that a process has started, or that one has died."""
        by_end = {worker.back: worker for worker in self.workers}
        for end in wait(list(by_end)):
            worker = by_end[end]  # type: ignore[index]  # `wait` answers with what it was given
            try:
                number, result, error = worker.back.recv()
            except (EOFError, ConnectionResetError):
                self.bury(worker)
                continue
            if error is not None:
                raise error
            if number is None:
                worker.started = True
            else:
                worker.holds.popleft()
                self.ready[number] = result

    def bury(self, worker: _Worker[Item]) -> None:
        """Handle a dead process: its current item fails or gets `died`'s result, its other items go to a new one."""
        worker.process.join()
        ending = _ending(worker.process.exitcode)
        self.workers.remove(worker)
        _close(worker)
        if not worker.started:
            raise JobFailed(
                f"a process could not be started ({ending}).",
                where=name_of(self.job),
                next='see the message above; a script of your own needs `if __name__ == "__main__":`',
            )
        if self.died is None and worker.holds:
            raise JobFailed(
                f"its process ended with {ending}.",
                where=name_of(self.job),
                next="check whether memory ran out, then run it again; finished items are kept",
            )
        if self.died is not None and worker.holds:
            number, item = worker.holds.popleft()
            self.ready[number] = self.died(item)
        if worker.holds:
            successor = self.start()
            for numbered in worker.holds:
                self.hand(successor, numbered)

    def end(self) -> None:
        """Stop all processes: idle ones exit when their pipe closes, busy ones are terminated; jobs are idempotent."""
        for worker in self.workers:
            worker.to.close()
            if worker.holds:
                worker.process.terminate()
        for worker in self.workers:
            worker.process.join(timeout=5)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            _close(worker)


def _pooled(pool: _Pool[Item, Result], items: Iterable[Item], stop: Stop | None) -> Iterator[Result]:
    """Send items to the processes and yield results in order; all processes are ended in any case.

    An error raised by `items` is raised here after everything before it is finished.
    """
    feed = enumerate(items)
    begun = yielded = 0
    more, wrong = True, None
    try:
        while more or yielded < begun:
            # not further ahead than this: behind a slow item the results must not pile up
            while more and begun - yielded < 2 * AT_HAND * pool.most and (worker := pool.free()):
                try:
                    numbered = None if stop is not None and stop() else next(feed, None)
                except Exception as error:  # noqa: BLE001 -- raised below, in its turn
                    numbered, wrong = None, error
                if numbered is None:
                    more = False
                else:
                    begun += 1
                    pool.hand(worker, numbered)
            if yielded < begun and yielded not in pool.ready:
                pool.gather()
            while yielded in pool.ready:
                yield pool.ready.pop(yielded)
                yielded += 1
        if wrong is not None:
            raise wrong
    finally:
        pool.end()


def _close(worker: _Worker[Item]) -> None:
    worker.to.close()
    worker.back.close()
    worker.process.close()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Block Ctrl-C for processes started inside: it reaches the whole process group, but only the parent handles it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # started by the first process otherwise, and its start lets the interrupts through again
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


# --- in the process ---------------------------------------------------------------------------------------------------


def _work(packed: bytes, items: Connection, answers: Connection) -> None:
    """Report the start, then run the job on each item that arrives, until the pipe ends."""
    job: Callable[[Any], Any] = pickle.loads(packed)  # noqa: S301 -- our own bytes, from our own parent
    at_hand: queue.SimpleQueue[tuple[int, bytes] | None] = queue.SimpleQueue()
    threading.Thread(target=_take, args=(items, at_hand), daemon=True).start()
    with suppress(BrokenPipeError, ConnectionResetError):
        answers.send((None, None, None))
        while (numbered := at_hand.get()) is not None:
            number, item = numbered
            answers.send_bytes(_answer(job, number, item))


def _answer(job: Callable[[Any], Any], number: int, item: bytes) -> bytes:
    """The result or the error, pickled: a result that cannot be pickled counts as a failure of the job."""
    try:
        return pickle.dumps((number, job(pickle.loads(item)), None), pickle.HIGHEST_PROTOCOL)  # noqa: S301 -- as above
    except ThresherError as error:
        return pickle.dumps((number, None, error))
    except Exception as error:  # noqa: BLE001 -- it travels to the parent, which raises it
        return pickle.dumps((number, None, failed(job, error)))


def _take(items: Connection, at_hand: "queue.SimpleQueue[tuple[int, bytes] | None]") -> None:
    """Receive items at once, so that the parent never waits at a full pipe; exit at once when the parent is dead."""
    with suppress(EOFError, OSError):
        while True:
            at_hand.put(items.recv())
    at_hand.put(None)
    parent = multiprocessing.parent_process()
    if parent is not None and wait([parent.sentinel], timeout=1):
        os._exit(1)
