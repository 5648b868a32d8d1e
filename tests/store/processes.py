"""Real processes for the tests: forked, so that they start at once, and killed as a power button would."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

BEGINS_WITHIN_SECONDS = 60.0  # a machine that does much else starts slowly


def forked(work: Callable[[], None]) -> int:
    """Start work in a process of its own and answer its id."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001 -- whatever it is, it must not go on as a second test run
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(code)


def ended(process: int) -> int:
    """Wait for a process; its exit status, negative where a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def killed(work: Callable[[], None], after_seconds: float, begun: Callable[[], bool] = lambda: True) -> bool:
    """Start work, wait until it has begun, and kill it a while later; whether it was still going."""
    process = forked(work)
    waited_until = time.monotonic() + BEGINS_WITHIN_SECONDS
    while not begun() and time.monotonic() < waited_until:
        time.sleep(0.01)
    time.sleep(after_seconds)
    os.kill(process, signal.SIGKILL)
    return ended(process) == -signal.SIGKILL
