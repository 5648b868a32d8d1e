"""Finding and opening the workspace of a command, and stopping on Ctrl-C."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TypedDict, Unpack

import typer

from thresher.settings import FILE, Settings, read_settings

if TYPE_CHECKING:  # the store is imported when a command needs it: `--help` stays quick
    from thresher.store.contract import Store


class Flags(TypedDict, total=False):
    """The settings that a command accepts as flags; None if the flag is not given."""

    host: str | None
    port: int | None
    processes: int | None
    seed: int | None


def settings_of(context: typer.Context, **flags: Unpack[Flags]) -> tuple[str, Settings]:
    """The place of the workspace, and its settings."""
    given = str(context.obj or "")
    directory = settings_directory(context)
    settings = read_settings(directory).given(flags)
    return place_of(given if "://" in given else str(directory), settings), settings


def place_of(given: str, settings: Settings) -> str:
    """Where the workspace lies: at an address that is given, else where the settings say, else in the directory."""
    return given if "://" in given else settings.store or given


def settings_directory(context: typer.Context) -> Path:
    """The directory whose thresher.toml counts for a command: of its workspace, or for a database of the caller."""
    given = str(context.obj or "")
    return _containing(Path.cwd() if "://" in given or not given else Path(given))


def _containing(directory: Path) -> Path:
    """The nearest directory upwards that contains a workspace, as git finds its own."""
    for candidate in (directory.absolute(), *directory.absolute().parents):
        if (candidate / FILE).exists():
            return candidate
    return directory


@contextmanager
def opened(context: typer.Context, **flags: Unpack[Flags]) -> Iterator[tuple["Store", Settings]]:
    """Open the workspace of a command and close it after."""
    from thresher.store import open_store

    place, settings = settings_of(context, **flags)
    store = open_store(place, settings)
    try:
        yield store, settings
    finally:
        store.close()


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Yield a `stop` function: it returns True after the first Ctrl-C; the second one interrupts at once."""
    asked = False

    def ask(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            # asyncio would print the trace of every task that this falls into
            logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)
            raise KeyboardInterrupt
        asked = True
        # in the middle of anything, an import of `say`'s or a write to a stream included: only this is safe here
        os.write(sys.stderr.fileno(), b"\nstopping after the current step; press Ctrl-C again to stop at once\n")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt
