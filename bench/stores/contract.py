"""What a compared store does: take batches of pictures from several processes, and give random ones back as bytes."""

import mmap
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

KEY_BYTES = 32
BATCH = 256
"""Pictures a call, 25 MB. Every store writes and reads as many at once, by the best call it has."""


@dataclass
class Notes:
    """What the writers leave for the readers, in memory that all processes share: a key and a place each."""

    count: int
    keys: np.ndarray = field(init=False)
    places: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.keys = np.frombuffer(mmap.mmap(-1, self.count * KEY_BYTES), dtype=np.uint8).reshape(-1, KEY_BYTES)
        self.places = np.frombuffer(mmap.mmap(-1, self.count * 16), dtype=np.int64).reshape(-1, 2)

    def key(self, number: int) -> bytes:
        return self.keys[number].tobytes()


Named = tuple[int, bytes, bytes]
"""A picture's number, its SHA-256 and its bytes."""


class Session(Protocol):
    """One process at work in a store."""

    def put(self, batch: Sequence[Named]) -> None:
        """Store pictures; they survive what the kind's `kill` says when this returns."""

    def finish(self) -> None:
        """Make all of it survive a power cut."""

    def read(self, numbers: Sequence[int]) -> Iterable[bytes]:
        """Copies of the bytes of pictures, in any order, one by one where the store gives them so."""


class Kind(ABC):
    """A store to compare: what it is called, what survives in it, and how it is started."""

    label = ""
    kill = ""
    """What of the pictures whose call returned survives kill -9."""
    power = ""
    """What survives a power cut before the end; after it, all of it in every store."""
    serves = False
    """Whether a server of its own keeps the pictures; else the processes themselves do."""

    def __init__(self, folder: Path, notes: Notes, memory_bytes: int | None) -> None:
        self.folder = folder
        self.notes = notes
        self.memory_bytes = memory_bytes

    @classmethod
    def missing(cls) -> str:
        """What of this machine it lacks; empty where it can run."""
        return ""

    def start(self) -> list[int]:
        """Make it ready and answer its server's processes."""
        return []

    def stop(self) -> None:  # noqa: B027 -- what serves nothing has nothing to end
        """End its server."""

    @abstractmethod
    def session(self, process: int, *, write: bool) -> Session:
        """Begin in a process of its own."""
