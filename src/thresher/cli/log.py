"""What `serve` and its jobs log: bounded, whatever happens how often, and without a secret.

One error that came with every request once filled 406 MB. Here lines of one place in the code are written while they
are few. When they are many, most are counted instead, and the next line says how many were left out.
"""

import logging
import os
import stat
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from thresher.errors import without_secrets

FULL_AT_ONCE, FULL_EVERY_SECONDS = 10, 360.0  # with traceback
LINES_AT_ONCE, LINE_EVERY_SECONDS = 10, 60.0  # one line each
PLACES_MOST = 1000
FILE_BYTES = 10_000_000
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def start_log(*, own_file: bool = False) -> None:
    """Send the warnings and errors of all libraries to stderr, folded.

    With `own_file`, stderr is a file of ours that is appended to: it is emptied when it grows too large.
    """
    folded = Folded(sys.stderr, file_bytes=FILE_BYTES if own_file else 0)
    folded.setFormatter(Plain(FORMAT))
    root = logging.getLogger()
    root.handlers = [folded]
    root.setLevel(logging.WARNING)


class Plain(logging.Formatter):
    """A formatter that shows no password, user or signature of an address."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback where there is one."""
        return without_secrets(super().format(record))


@dataclass(slots=True)
class _Bucket:
    """A token bucket: so many at once, and one more after each `every_seconds`."""

    most: float
    every_seconds: float
    left: float
    at: float

    def take(self, now: float) -> bool:
        self.left = min(self.most, self.left + (now - self.at) / self.every_seconds)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(slots=True)
class _Place:
    full: _Bucket
    lines: _Bucket
    left_out: int = 0


class Folded(logging.StreamHandler[TextIO]):
    """Writes what is new, and counts what repeats: by place in the code and class of error, for texts carry ids."""

    def __init__(self, stream: TextIO, *, file_bytes: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._file_bytes = file_bytes
        self._clock = clock
        self._places: OrderedDict[tuple[object, ...], _Place] = OrderedDict()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record whole, or as one line, or count it."""
        now = self._clock()
        place = self._place(record, now)
        whole = place.full.take(now)
        if not whole and not place.lines.take(now):
            place.left_out += 1
            return
        shown = logging.makeLogRecord(vars(record))
        if not whole:
            shown.exc_info = shown.exc_text = shown.stack_info = None
        if place.left_out:
            shown.msg, shown.args = f"{record.getMessage()} ({place.left_out:,} more like it are left out here)", None
            place.left_out = 0
        self._make_room()
        super().emit(shown)

    def _place(self, record: logging.LogRecord, now: float) -> _Place:
        kind = record.exc_info[0] if record.exc_info else None
        key = (record.name, record.pathname, record.lineno, kind)
        if key not in self._places:
            self._places[key] = _Place(
                _Bucket(FULL_AT_ONCE, FULL_EVERY_SECONDS, FULL_AT_ONCE, now),
                _Bucket(LINES_AT_ONCE, LINE_EVERY_SECONDS, LINES_AT_ONCE, now),
            )
            while len(self._places) > PLACES_MOST:
                self._places.popitem(last=False)
        self._places.move_to_end(key)
        return self._places[key]

    def _make_room(self) -> None:
        """Empty the file if it is ours and too large: whatever else writes to it is not folded."""
        if not self._file_bytes:
            return
        here = os.fstat(self.stream.fileno())
        if stat.S_ISREG(here.st_mode) and here.st_size > self._file_bytes:
            os.ftruncate(self.stream.fileno(), 0)
            self.stream.write(f"(the log had {here.st_size:,} bytes and was begun anew)\n")
