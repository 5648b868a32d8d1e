"""A temporary server that runs for the length of a block, for demos, simulations and benchmarks."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO

from thresher.errors import NotReady
from thresher.settings import child_at

LINK_MARK = "/?token="
PATIENCE_SECONDS = 20.0
CROWD = "1000000"  # simulated people who may join in a minute, even if several simulations follow each other


@dataclass(frozen=True, slots=True)
class Local:
    """A running `thresher serve`: its address, the console's token, and its process."""

    url: str
    token: str
    process: "subprocess.Popen[str]"

    @property
    def link(self) -> str:
        """The link that opens the console."""
        return f"{self.url}{LINK_MARK}{self.token}"


@contextmanager
def local_server(
    place: str, *, loop: bool = True, crowd: bool = False, patience_seconds: float | None = None
) -> Iterator[Local]:
    """Run `thresher serve` for a workspace on a free port of this machine. Raises NotReady when it does not start.

    It ends with the block, and with this process if that is killed. For a `crowd`, simulated people who all come from
    one address, as many as like can join at once. `patience_seconds` is taken instead of the setting of that name.
    """
    environment: dict[str, str] = {}
    if patience_seconds is not None:
        environment |= {"THRESHER_PATIENCE_SECONDS": str(patience_seconds)}
    if crowd:
        environment |= {"THRESHER_JOINS_ADDRESS": CROWD, "THRESHER_JOINS_MINUTE": CROWD}
    with starting_server(place, loop=loop, environment=environment) as started:
        yield started()


@contextmanager
def starting_server(
    place: str, *, loop: bool, port: int = 0, environment: Mapping[str, str] | None = None
) -> Iterator[Callable[[], Local]]:
    """As `local_server`, but the block begins while the server starts; the function that it gets waits for that."""
    flags, inherited = child_at(place)
    command = ["serve", "--port", str(port), "--loop" if loop else "--no-loop", "--while-pid", str(os.getpid())]
    # Ctrl-C reaches the whole process group, but this server stays for those who still talk to it and ends by SIGTERM
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter and our own command
            [sys.executable, "-m", "thresher", *flags, *command],
            env={**inherited, **(environment or {})},
            stdout=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        yield partial(_started, process)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def _started(process: "subprocess.Popen[str]") -> Local:
    out: IO[str] | None = process.stdout
    for line in out or ():
        if LINK_MARK in line:
            url, _, token = line.split()[-1].partition(LINK_MARK)
            return Local(url, token, process)
    raise NotReady("the server did not start.", next="thresher serve says why")
