"""Image bytes in append-only tar shards, each with one writer, readable by any tar or WebDataset tool.

`<name>.open.tar` is being written: its writer holds a lock on it, which the kernel releases when the writer dies, and
the next writer continues after its last complete member. `<name>.tar` is closed: its index `<name>.index` was written
first, and one rename made both valid. A member is called `<sha256>.<extension>`.
"""

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from thresher.errors import StoreDamaged
from thresher.records import new_id
from thresher.store.files import told
from thresher.store.locks import lock, lock_if_free

BLOCK = 512
END = bytes(2 * BLOCK)  # two empty blocks end a tar
OPEN = ".open.tar"
CLOSED = ".tar"
INDEX = ".index"
PART = ".part"  # being made; one left by a dead process is nothing
FILES_KEPT = 256
BUFFERS_AT_ONCE = 1020  # under IOV_MAX
# A write of 2 MB or more has the kernel take memory in huge pages. A virtual machine gives free ones back to its host,
# and then a picture took 280 us where writes of 1 MB take 40 (bench/store.py, docs/benchmarks.md).
WRITE_BYTES = 1 << 20

# ustar: mode, owner, group 0; no time, so that the same bytes make the same member
_MODE = b"0000644\0" + b"0000000\0" * 2
_TAIL = b"00000000000\0", b" " * 8, b"0" + bytes(100) + b"ustar\x0000" + bytes(247)


@dataclass(frozen=True, slots=True)
class Member:
    """One image in a shard: `begins` is its first byte, after its header."""

    name: str
    begins: int
    bytes: int


class Place(NamedTuple):
    """Where an image was written. A tuple, because one is made at every read and a frozen dataclass takes longer."""

    shard: str
    begins: int
    bytes: int


def header(name: str, size: int) -> bytes:
    """The ustar header of a member (POSIX.1-1988, 512 bytes)."""
    time, blank, tail = _TAIL
    start = name.encode("ascii").ljust(100, b"\0") + _MODE + b"%011o\0" % size + time
    return start + b"%06o\0 " % (sum(start) + sum(blank) + _TAIL_SUM) + tail


_TAIL_SUM = sum(_TAIL[2])
_MAGIC = slice(257, 262)


def parse(block: bytes) -> tuple[str, int] | None:
    """Name and size from a header, or None if the block is not a complete header."""
    try:
        name = block[:100].rstrip(b"\0").decode("ascii")
        size = int(block[124:135], 8)
    except ValueError:
        return None
    return (name, size) if len(block) == BLOCK and name and header(name, size) == block else None


def padded(size: int) -> int:
    """A size rounded up to whole blocks."""
    return -(-size // BLOCK) * BLOCK


def members(descriptor: int, *, end: int | None = None) -> Iterator[Member]:
    """Every complete member, in order. One with a damaged header is left out, and those behind it are found."""
    end = os.fstat(descriptor).st_size if end is None else end
    at = 0
    while at + BLOCK <= end:
        found = parse(os.pread(descriptor, BLOCK, at))
        if found is None:
            at = _next_header(descriptor, at + BLOCK, end)
            continue
        if at + BLOCK + found[1] > end:
            return
        yield Member(found[0], at + BLOCK, found[1])
        at += BLOCK + padded(found[1])


def _next_header(descriptor: int, at: int, end: int) -> int:
    """Where the next header begins at `at` or behind it; `end` if there is none."""
    while at + BLOCK <= end:
        some = os.pread(descriptor, min(WRITE_BYTES, end - at), at)
        for start in range(0, len(some) - BLOCK + 1, BLOCK):
            block = some[start : start + BLOCK]
            if block[_MAGIC] == b"ustar" and parse(block) is not None:
                return at + start
        at += max(BLOCK, len(some) // BLOCK * BLOCK)
    return end


def torn(descriptor: int) -> bool:
    """Whether bytes lie in a shard that belong to no member and are neither its end nor an unfinished write."""
    at, size = 0, os.fstat(descriptor).st_size
    for member in members(descriptor):
        if member.begins - BLOCK != at:
            return True
        at = member.begins + padded(member.bytes)
    if at + BLOCK > size or parse(os.pread(descriptor, BLOCK, at)) is not None:
        return False
    return any(any(os.pread(descriptor, WRITE_BYTES, start)) for start in range(at, size, WRITE_BYTES))


class Writer:
    """Appends to its own shard. Threads take turns; processes never share a shard."""

    def __init__(self, directory: Path, *, shard_bytes: int, resume: bool = True) -> None:
        self.directory = directory
        self.shard_bytes = shard_bytes
        self.resume = resume
        """Whether to go on with a shard that was left unfinished or small, which keeps short runs from making many."""
        self._turn = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._descriptor = -1
        self._name = ""
        self._end = 0

    def append(self, pictures: Sequence[tuple[str, bytes]]) -> list[Place]:
        """Write images under their member names; returns their places.

        Raises StoreFull or StoreUnavailable; then no image of this call is in the current shard.
        """
        with self._turn:
            self._mind_forks()
            places: list[Place] = []
            group: list[tuple[str, bytes]] = []
            size = 0
            for name, data in pictures:
                group.append((name, data))
                size += BLOCK + padded(len(data))
                if self._end + size >= self.shard_bytes:
                    places += self._append(group)
                    group, size = [], 0
            return places + self._append(group) if group else places

    def _append(self, group: list[tuple[str, bytes]]) -> list[Place]:
        try:
            if self._descriptor < 0:
                self._open()
            buffers: list[bytes] = []
            places = []
            at = self._end
            for name, data in group:
                places.append(Place(self._name, at + BLOCK, len(data)))
                buffers += (header(name, len(data)), data, bytes(-len(data) % BLOCK))
                at += BLOCK + padded(len(data))
            self._write(buffers)
            self._end = at
            if self._end >= self.shard_bytes:
                self._close()
        except OSError as error:
            raise told(error, self.directory) from error
        return places

    def _write(self, buffers: list[bytes]) -> None:
        at = self._end
        try:
            for some in _parts(buffers):
                size = sum(map(len, some))
                written = os.pwritev(self._descriptor, some, at)
                while written < size:  # nearly full, or a signal: the rest goes, or fails with a reason
                    rest = b"".join(some)[written : written + WRITE_BYTES]
                    written += os.pwrite(self._descriptor, rest, at + written)
                at += size
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._end)
            raise

    def close(self) -> None:
        """Close the current shard, if there is one; calling it twice is fine."""
        with self._turn:
            self._mind_forks()
            if self._descriptor >= 0:
                try:
                    self._close()
                except OSError as error:
                    raise told(error, self.directory) from error

    def _close(self) -> None:
        try:
            finish(self.directory, self._name, self._descriptor, self._end)
        finally:
            os.close(self._descriptor)
            self._forget()

    def _open(self) -> None:
        for name in unfinished(self.directory, self.shard_bytes // 2) if self.resume else ():
            if is_torn(self.directory, name):
                continue  # to go on with it would cut off images behind a damaged header
            descriptor = take_over(self.directory, name)
            if descriptor is not None:
                cut_off(descriptor)
                self._descriptor, self._name, self._end = descriptor, name, os.fstat(descriptor).st_size
                return
        name = new_id()
        part = self.directory / (name + PART)
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        lock(descriptor)
        part.rename(self.directory / (name + OPEN))  # nobody ever sees it without its lock
        self._descriptor, self._name, self._end = descriptor, name, 0

    def _mind_forks(self) -> None:
        if self._pid != os.getpid():
            if self._descriptor >= 0:
                os.close(self._descriptor)  # the parent's lock stays with the parent's own descriptor
            self._forget()


def _parts(buffers: list[bytes]) -> Iterator[list[bytes]]:
    """Buffers in order, in lists that one system call may write: few enough, and under WRITE_BYTES where possible."""
    part: list[bytes] = []
    size = 0
    for buffer in buffers:
        if part and (size + len(buffer) > WRITE_BYTES or len(part) == BUFFERS_AT_ONCE):
            yield part
            part, size = [], 0
        part.append(buffer)
        size += len(buffer)
    if part:
        yield part


def finish(directory: Path, name: str, descriptor: int, end: int) -> None:
    """Close a shard: write its end and its index, then rename it, which makes both valid."""
    os.pwrite(descriptor, END, end)
    os.fsync(descriptor)
    write_index(directory, name, descriptor, end)
    (directory / (name + OPEN)).rename(directory / (name + CLOSED))


def write_index(directory: Path, name: str, descriptor: int, end: int | None = None) -> None:
    """Write the index of a shard in one step: one line [name, first byte, bytes] per member."""
    lines = (json.dumps([m.name, m.begins, m.bytes]) for m in members(descriptor, end=end))
    part = directory / (name + INDEX + PART)
    with part.open("w", encoding="ascii") as file:
        file.writelines(line + "\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    part.replace(directory / (name + INDEX))


def names(directory: Path) -> set[str]:
    """The names of all shards, open or closed."""
    found = (entry.name for entry in directory.iterdir() if entry.name.endswith(CLOSED))
    return {name.removesuffix(OPEN).removesuffix(CLOSED) for name in found}


def unfinished(directory: Path, smaller_than: int) -> list[str]:
    """Shards that a writer may continue: open ones, and small closed ones; the newest first."""
    names = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.endswith(OPEN):
                names.append(entry.name.removesuffix(OPEN))
            elif entry.name.endswith(CLOSED):
                with suppress(FileNotFoundError):
                    if entry.stat().st_size < smaller_than:
                        names.append(entry.name.removesuffix(CLOSED))
    return sorted(names, reverse=True)


def take_over(directory: Path, name: str) -> int | None:
    """Open a shard without a writer; None if another process was faster."""
    opened = directory / (name + OPEN)
    with suppress(FileNotFoundError):
        (directory / (name + CLOSED)).rename(opened)
    try:
        descriptor = os.open(opened, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    # it may have been closed by its writer between our opening and our locking it
    if not lock_if_free(descriptor) or not opened.exists():
        os.close(descriptor)
        return None
    (directory / (name + INDEX)).unlink(missing_ok=True)
    return descriptor


def cut_off(descriptor: int) -> None:
    """Cut a shard that is not torn off after its last complete member."""
    last = None
    for last in members(descriptor):  # noqa: B007 -- only the last one is wanted
        pass
    os.ftruncate(descriptor, last.begins + padded(last.bytes) if last else 0)


def is_torn(directory: Path, name: str) -> bool:
    """Whether the file of a shard is torn; False if it is not there."""
    for ending in (CLOSED, OPEN):
        with suppress(FileNotFoundError), (directory / (name + ending)).open("rb") as file:
            return torn(file.fileno())
    return False


class _File:
    """An open shard, closed when its last reader releases it."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __del__(self) -> None:
        with suppress(AttributeError):
            os.close(self.descriptor)


class Elsewhere(Protocol):
    """The place of closed shards that were moved out of the directory (objects.py)."""

    def read(self, name: str, begins: int, size: int) -> bytes:
        """A range of a shard, shorter at the end of the shard. Raises StoreDamaged if the shard is missing."""

    def names(self) -> set[str]:
        """The names of all shards."""

    def members(self, name: str) -> tuple[Member, ...] | None:
        """The members of a shard; None if there is no such shard."""


class Reader:
    """Reads images by place: one `pread` each on files that are kept open, or one request to an object store."""

    def __init__(self, directory: Path, elsewhere: Elsewhere | None = None) -> None:
        self.directory = directory
        self.elsewhere = elsewhere
        self._files: OrderedDict[str, _File] = OrderedDict()
        self._turn = threading.Lock()

    def read(self, place: Place) -> bytes:
        """The bytes at a place. Raises StoreDamaged if they are not complete."""
        file = self._files.get(place.shard) or self._open(place.shard)
        if file is not None:
            data = os.pread(file.descriptor, place.bytes, place.begins)
        else:
            data = self.elsewhere.read(*place) if self.elsewhere is not None else b""
        if len(data) != place.bytes:
            raise damaged(self.directory / place.shard, f"an image at byte {place.begins} is truncated.")
        return data

    def _open(self, name: str) -> _File | None:
        """The file of a shard; None if it is not in the directory."""
        for ending in (CLOSED, OPEN, CLOSED):  # a writer may rename it in between
            with suppress(FileNotFoundError):
                file = _File(self.directory / (name + ending))
                with self._turn:
                    self._files[name] = file
                    while len(self._files) > FILES_KEPT:
                        self._files.popitem(last=False)
                return file
        if self.elsewhere is None:
            raise damaged(self.directory / name, "a shard is missing.")
        return None

    def close(self) -> None:
        """Close every file; the next read opens it again."""
        with self._turn:
            self._files.clear()


def damaged(where: Path, what: str) -> StoreDamaged:
    """The error for bytes that contradict the catalog."""
    return StoreDamaged(what, where=str(where), next="thresher check")
