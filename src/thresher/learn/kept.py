"""Files of a cache: complete or absent, even if several processes write them or one is killed."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from thresher.errors import StoreFull, StoreUnavailable

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def whole_file(path: Path, *, first_wins: bool = False) -> Iterator[BinaryIO]:
    """Write a file that appears in one step when the block ends without error; of two writers the later one wins.

    With `first_wins` a file that is there stays. Raises StoreFull and StoreUnavailable naming the folder.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")  # threads write too
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if first_wins:
            _appear(part, path)
        else:
            part.replace(path)
    except OSError as error:
        cause = StoreFull if error.errno in FULL else StoreUnavailable
        raise cause(
            f"the cache cannot be written: {error.strerror}.",
            where=str(path.parent),
            next="free some space, or set `cache` to another directory",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _appear(part: Path, path: Path) -> None:
    """Give a file its name unless another has it."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        part.replace(path)
