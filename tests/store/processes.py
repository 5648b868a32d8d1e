"""Real processes for the tests: forked, so that they start at once, and killed as a power button would."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable


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


def killed(work: Callable[[], None], after_seconds: float) -> bool:
    """Start work and kill it after a while; whether it was still going."""
    process = forked(work)
    time.sleep(after_seconds)
    os.kill(process, signal.SIGKILL)
    return ended(process) == -signal.SIGKILL
