"""The lines that image libraries print while they read a file, kept for a refusal instead of shown on the screen.

Pillow logs, and libtiff prints to the standard error of the process: neither names the file. They are listened to from
the import of this package on, in every process that decodes.
"""

import ctypes
import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from PIL import _imaging

MOST_LINES = 3  # libtiff has one for each line of a damaged fax
MOST_LETTERS = 300
CLIENT = "tempfile.tif"  # what Pillow tells libtiff the file is called

_kept = threading.local()  # a library speaks on the thread that called it


def forget() -> None:
    """Begin a new file on this thread."""
    _kept.lines = []


def lines() -> list[str]:
    """The first lines that were said of this thread's file, without repeats."""
    return list(getattr(_kept, "lines", ()))


def _keep(line: str) -> None:
    said = getattr(_kept, "lines", None)
    line = " ".join(line.split())
    if said is not None and line and line not in said and len(said) < MOST_LINES:
        said.append(line)


class _Listener(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            _keep(record.getMessage())


def _listen_to_pillow() -> None:
    logger = logging.getLogger("PIL")
    logger.addHandler(_Listener())
    logger.propagate = False  # to a root logger that somebody else has pointed at the screen


def _listen_to_libtiff() -> Callable[..., None] | None:
    """Replace the handlers that print; the answer must be kept as long as libtiff may call it."""
    kind = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)

    def handle(module: bytes | None, form: bytes | None, values: int | None) -> None:
        said = ctypes.create_string_buffer(MOST_LETTERS)
        # a va_list, which every platform with a libtiff of its own file hands on as a pointer
        c.vsnprintf(said, MOST_LETTERS, form, ctypes.c_void_p(values))
        place = (module or b"").decode("utf-8", "replace")
        text = said.value.decode("utf-8", "replace")
        _keep(f"{place}: {text}" if place not in ("", CLIENT) else text)

    # where libtiff is linked into Pillow's own file, as on Windows, its handlers cannot be reached, and it prints
    with suppress(OSError, AttributeError, TypeError):
        c = ctypes.CDLL(None)
        libtiff = ctypes.CDLL(_imaging.__file__)  # symbols are looked for in what it was linked with, too
        handler = kind(handle)
        for setter in (libtiff.TIFFSetErrorHandler, libtiff.TIFFSetWarningHandler):
            setter.argtypes, setter.restype = (kind,), ctypes.c_void_p
            setter(handler)
        return handler
    return None


_listen_to_pillow()
_handler = _listen_to_libtiff()
