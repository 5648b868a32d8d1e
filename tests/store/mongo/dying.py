"""A process that is killed just before it sends one of its writes to MongoDB: any of them, one after the other."""

import os
from collections.abc import Callable, Iterator
from itertools import count
from multiprocessing import get_context

from pymongo import monitoring

FORK = get_context("fork")
KILLED = 9
WRITES = {"insert", "update", "delete", "findAndModify", "aggregate", "drop", "dropIndexes", "createIndexes", "create"}


class DyingAt(monitoring.CommandListener):
    """Ends its process before the write of a number, counted from when it is armed."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.armed = False

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self.armed and event.command_name in WRITES:
            if not self.left:
                os._exit(KILLED)
            self.left -= 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


def killed_at_each_write(work: Callable[[int, Callable[[], None]], None]) -> Iterator[int]:
    """Run `work` in processes that are killed at their first write, at their second and so on, until one ends.

    Each gets its number and a call that arms it. Answers the number after each that was killed.
    """
    for number in count():
        child = FORK.Process(target=_run, args=(work, number))
        child.start()
        child.join()
        assert child.exitcode in (0, KILLED)
        if child.exitcode == 0:
            return
        yield number


def _run(work: Callable[[int, Callable[[], None]], None], number: int) -> None:
    dying = DyingAt(number)
    monitoring.register(dying)  # before the process makes a client of its own

    def arm() -> None:
        dying.armed = True

    work(number, arm)
    os._exit(0)
