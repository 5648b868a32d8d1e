"""Candidates: names of possible images, and how to get their bytes. Sources yield them."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from thresher.records import Box

Item = TypeVar("Item")

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

HIDDEN = "hidden files"
HIDDEN_FOLDER = "hidden folders"
LINK_TO_FOLDER = "links to folders"
COMPANION = "companions of images"

CHUNK_IMAGES = 64
CHUNK_BYTES = 16_000_000
"""A unit of work: enough to be worth its way between processes, little enough that progress is seen."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible image. Its bytes are in `data`, or at `path` from `offset`, or behind the URL that is its name.

    `kind` is the kind of its alias, "file" or "url"; `size_bytes` is known without reading, or 0. `problem`, a reason
    and its detail, is set if it is refused already: "bad-line" (no URL), "link-outside" (a link out of the folder or
    the tar), "special-file" (a pipe, a device), "damaged", "too-large", "unsupported" or "unreadable". Further reasons
    are in `pictures` and `guard`. `beside` says why it is none, and only counted: HIDDEN, HIDDEN_FOLDER,
    LINK_TO_FOLDER or COMPANION.

    `stamp` changes whenever its bytes do ("": nothing tells), and `changed_ms` is when it last changed.

    With a `box` it is that part of the image, cropped with a `margin` on each side (pictures/regions.py), and its name
    tells the part.
    """

    name: str
    kind: str = "file"
    size_bytes: int = 0
    path: str = ""
    offset: int = 0
    data: bytes | None = None
    problem: tuple[str, str] | None = None
    beside: str = ""
    stamp: str = ""
    changed_ms: int = 0
    box: Box | None = None
    margin: float = 0.0


class Source(Protocol):
    """A place that candidates come from, always in the same order."""

    name: str
    """What the receipts call it; the same place has the same name again."""

    remote: bool
    """Whether its candidates have to be fetched."""

    again: bool
    """Whether files and URLs that are known are read and fetched again, to find those that were replaced."""

    def candidates(self, *, bytes_most: int) -> Iterator[Candidate]:
        """Every candidate, already refused ones included; at most `bytes_most` bytes are read for one."""

    def expected(self) -> int:
        """The estimated number of candidates; 0 if nothing is known yet."""


def stamp_of(found: os.stat_result) -> tuple[str, int]:
    """What changes whenever a file does, and when it last changed."""
    told = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
    return told, max(found.st_mtime_ns, found.st_ctime_ns) // 1_000_000


def place_of(typed: str | Path) -> Path:
    """A place as a user typed it: a `~` at its start is the home folder, if there is such a user, as in a shell."""
    try:
        return Path(typed).expanduser()
    except RuntimeError:
        return Path(typed)


def place_name(kind: str, path: Path) -> str:
    """A name for a local place: unique among places of that name, without revealing its path on the disk."""
    mark = hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{kind}:{printable(path.name)}#{mark}"


def printable(name: str) -> str:
    """A file name as text that databases and terminals accept: other bytes and control characters as \\xNN."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def too_large(size_bytes: int, bytes_most: int) -> str:
    """The detail text for a candidate refused for its size."""
    return f"{size_bytes:,} bytes are more than {bytes_most:,} (the setting fetch_bytes)."


def batches(
    items: Iterable[Item], *, count: int, weigh: Callable[[Item], int] = lambda _: 0, weight: int = CHUNK_BYTES
) -> Iterator[list[Item]]:
    """Lists of at most `count` items, or fewer at total `weight`; an error of `items` is raised after the last list."""
    batch: list[Item] = []
    heavy = 0
    wrong: Exception | None = None
    feed = iter(items)
    while True:
        try:
            item = next(feed)
        except StopIteration:
            break
        except Exception as error:  # noqa: BLE001 -- raised below: what came before it must not be lost
            wrong = error
            break
        batch.append(item)
        heavy += weigh(item)
        if len(batch) >= count or heavy >= weight:
            yield batch
            batch, heavy = [], 0
    if batch:
        yield batch
    if wrong is not None:
        raise wrong
