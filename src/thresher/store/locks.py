"""Locks of open files, which the kernel releases when their process ends, however it ends. Linux and macOS have them.

A lock belongs to the open descriptor: another opening of the file waits for it, in the same process too.
"""

import sys

from thresher.errors import StoreUnavailable

if sys.platform == "win32":
    # beside flock there are no pread, no fork hooks, and no renaming of open files, on which whole stores rest
    raise StoreUnavailable(
        "stores need a system with POSIX files, so on Windows thresher runs inside WSL2.",
        next="wsl --install, and then pip install thresher in its terminal",
    )
else:
    import fcntl


def lock(descriptor: int) -> None:
    """Wait until nobody else holds the file's lock, and hold it until the descriptor is closed."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def lock_if_free(descriptor: int) -> bool:
    """Hold the file's lock as above; False, without waiting, if somebody else does."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(descriptor: int) -> None:
    """Let others hold the lock before the descriptor is closed."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
