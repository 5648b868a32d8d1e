"""The quarantine of a workspace directory: images whose bytes no row referred to, as shards that can be brought back.

`thresher check --mend` moves them there, `thresher check --recover` brings them back. thresher never deletes them.
"""

import os
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from thresher.store.directory import shards
from thresher.store.directory.shards import CLOSED, INDEX, OPEN, Member
from thresher.store.files import told
from thresher.store.findings import RECOVER

FOLDER = "quarantine"


def keep(images: Path, shard_bytes: int, descriptor: int, members: Sequence[Member]) -> None:
    """Copy images of an open shard to the quarantine; they are on the disk when this returns."""
    if not members:
        return
    folder = images.parent / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise told(error, folder) from error
    with closing(shards.Writer(folder, shard_bytes=shard_bytes, resume=False)) as writer:
        for member in members:  # one at a time: all may be larger than memory
            writer.append([(member.name, os.pread(descriptor, member.bytes, member.begins))])


def set_aside(images: Path, name: str) -> None:
    """Move an open shard as it is: bytes lie in it that belong to no image that can be told."""
    folder = images.parent / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        (images / (name + OPEN)).rename(folder / (name + OPEN))
    except OSError as error:
        raise told(error, folder) from error


def note(images: Path, count: int) -> str:
    """What was moved and how it comes back, for a report."""
    folder = images.parent / FOLDER
    return f"{count:,} images that no row refers to were moved to {folder}. {RECOVER} brings them back."


def bring_back(images: Path) -> int:
    """Move the shards of the quarantine back among the others; returns the number of their images."""
    folder, count = images.parent / FOLDER, 0
    if not folder.is_dir():
        return 0
    try:
        for name in sorted(shards.names(folder)):
            path = next(path for end in (CLOSED, OPEN) if (path := folder / (name + end)).exists())
            with path.open("rb") as file:
                count += sum(1 for _ in shards.members(file.fileno()))
            with suppress(FileNotFoundError):
                (folder / (name + INDEX)).rename(images / (name + INDEX))
            path.rename(images / path.name)
        with suppress(OSError):  # something else lies in it
            folder.rmdir()
    except OSError as error:
        raise told(error, folder) from error
    return count
