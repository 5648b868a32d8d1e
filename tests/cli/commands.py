"""`thresher` for tests of the command line: in this process, or in one of its own where a process is the point.

A process takes half a second to load its libraries. What a command prints and which code it ends with is the same in
this one; how soon it starts, what a signal does to it, and that it needs nothing which another test has loaded, is not:
each verb runs in a process of its own somewhere in the suite.
"""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from thresher.__main__ import main
from thresher.errors import Busy
from thresher.server.listening import listening

Run = subprocess.CompletedProcess[str]
OTHERS_SECONDS = 30.0  # for which a test has a port


def thresher(*arguments: str | Path, at: Path | None = None, **environment: str) -> Run:
    """Run a command here; `environment` is added to this process's own."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
        for name, value in environment.items():
            patched.setenv(name, value)
        patched.setattr(sys, "argv", ["thresher", *_given(arguments, at)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert isinstance(ended.value.code, int)
    return Run(arguments, ended.value.code, out.getvalue(), err.getvalue())


def process(*arguments: str | Path, at: Path | None = None, **environment: str) -> Run:
    """Run a command in a process of its own."""
    command = [sys.executable, "-m", "thresher", *_given(arguments, at)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **environment}
    )


@contextmanager
def taken(port: int) -> Iterator[None]:
    """A port of this machine on which another program listens: this one, unless some other does all the time."""
    until = time.monotonic() + OTHERS_SECONDS
    with ExitStack() as block:
        while True:
            try:
                block.enter_context(listening("127.0.0.1", port))
                break
            except Busy:  # a test beside this one may have it, and would leave it in the middle of this one
                if time.monotonic() > until:
                    break
                time.sleep(0.1)
        yield


def is_one_clear_line(run: Run, *words: str) -> bool:
    lines = run.stderr.strip().splitlines()
    return run.returncode == 2 and len(lines) == 1 and all(word in lines[0] for word in words)


def _given(arguments: tuple[str | Path, ...], at: Path | None) -> list[str]:
    return [*(["--workspace", str(at)] if at else []), *map(str, arguments)]
