"""Which process this is, and whether another one is gone: for leases and jobs whose holder was killed."""

import os
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path

PROC = Path("/proc")
SEPARATOR = "|"
ENDED = "ZX"  # states of a process that only its parent has still to hear of


def this_process() -> str:
    """A name for this process that no other has, on any machine and after any restart; `is_gone` reads it."""
    return SEPARATOR.join((*_place(), str(os.getpid()), _started(os.getpid())))


def is_gone(process: str) -> bool:
    """Whether the named process has surely ended; False if it lives, or where that cannot be seen from here.

    It can be seen where the process would have a number of its own: on this machine since its start, in this
    container. A number that was given to a later process is told by the time at which that one was started.
    """
    *place, number, started = ("", *process.split(SEPARATOR))
    if tuple(place[1:]) != _place() or not number.isdigit():
        return False
    if _started(int(number), unknown=started) != started:
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it lives, and is somebody else's
        return False
    return False


@cache
def _place() -> tuple[str, str, str]:
    """Host, start of the machine, and space of process numbers: containers may share a host's name and not the last."""
    boot = space = ""
    with suppress(OSError):
        boot = (PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        space = (PROC / "self/ns/pid").readlink().name
    return socket.gethostname().replace(SEPARATOR, "-"), boot, space


def _started(number: int, unknown: str = "") -> str:
    """When a process was started, in clock ticks since the machine's start (proc(5), field 22 of `stat`).

    "gone" where there is none of this number; `unknown` without a /proc, as on macOS.
    """
    if not (PROC / "self").exists():
        return unknown
    try:
        # the second field is a name in brackets, which may hold blanks and brackets; after it comes the state
        state, *fields = (PROC / str(number) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return "gone" if state in ENDED else fields[18]
    except (OSError, ValueError, IndexError):
        return "gone"
