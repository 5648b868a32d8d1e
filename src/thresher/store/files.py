"""Files of every store: errors of the disk, locks, and files that readers see whole or not at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from thresher.errors import StoreFull, StoreUnavailable, ThresherError
from thresher.store.locks import lock

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def told(error: OSError, where: Path | str) -> ThresherError:
    """Turn an error of the operating system into one of ours."""
    if error.errno in _FULL:
        return StoreFull(
            "the disk is full; stored data is kept.", where=str(where), next="free some space and run it again"
        )
    return StoreUnavailable(f"{error.strerror or error}.", where=str(where), next="make the workspace writable")


@contextmanager
def alone(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> Iterator[None]:
    """Let one thread of one process of this machine in at a time, by the lock of a file that is made if need be.

    A folder that is there is locked with the `flags` os.O_RDONLY.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise told(error, path) from error
    try:
        lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def flush_data(descriptor: int) -> None:
    """Wait until the bytes of a file are on disk."""
    getattr(os, "fdatasync", os.fsync)(descriptor)  # macOS has only fsync, which writes its times too


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that readers see whole or not at all; it is not flushed, for it can be made again."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise told(error, path) from error
