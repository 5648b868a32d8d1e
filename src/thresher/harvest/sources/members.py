"""The members of a tar, also of one with damaged headers, or of several tars in one file.

tarfile ends at the first header that it cannot read, and at the first empty block. Here the walk goes on at the next
header: where the size in the damaged one says, or else at the next block that is a header by its checksum.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final, cast

BLOCK: Final = tarfile.BLOCKSIZE
LONGEST_HEADER_BYTES: Final = 1_000_000
"""Longest name or list of attributes that stands before a member; tarfile reads one whole, however long it is."""

HEADERS_MOST: Final = 4
"""Headers that stand before the one of a member: of a long name, a long link and attributes."""

LARGEST_BYTES: Final = 1 << 60
"""No file is larger; a file cannot be sought at a place beyond it."""

FIRST_BYTES: Final = 64_000_000
"""A file without a header up to here is no tar."""

_MAGIC, _MAGIC_AT, _SIZE = b"ustar", 257, slice(124, 136)
_NAME_BYTES: Final = 100
_READ_BYTES: Final = 1 << 20
_EMPTY: Final = bytes(BLOCK)
_BEFORE_A_MEMBER: Final = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)


class Member(tarfile.TarInfo):
    """A tar member with a limited header: a megabyte of gzip may hold a header of a gigabyte."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        # the entry that tarfile's source offers to subclasses
        if self.size < 0:
            raise tarfile.ReadError("a negative size")
        if self.type in _BEFORE_A_MEMBER and self.size > LONGEST_HEADER_BYTES:
            raise tarfile.ReadError(f"a name of {self.size:,} bytes")
        member: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]  # a hook that tarfile does not type
        return member

    def _proc_gnusparse_10(self, next: tarfile.TarInfo, *_: object) -> None:  # noqa: A002 -- tarfile's word
        # the map of a sparse member may be endless too, and such members are refused without it
        next.sparse = b""  # not None: it is a sparse one


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch of a tar that is no member: the byte where it begins, its name as far as it has one, what is wrong."""

    begins: int
    name: str
    what: str


def opened(raw: IO[bytes]) -> tuple[tarfile.TarFile, bool]:
    """The archive, and whether it is plain (uncompressed), so that members can be read at their offset.

    Raises ReadError, and what reading compressed data raises.
    """
    try:
        return tarfile.open(fileobj=raw, mode="r:", tarinfo=Member), True
    except tarfile.ReadError:
        raw.seek(0)
    try:
        return tarfile.open(fileobj=raw, mode="r:*", tarinfo=Member), False
    except tarfile.ReadError:
        begins = _next_header(raw, BLOCK, ends=FIRST_BYTES)  # its first header alone may be damaged
        if begins is None:
            raise
        raw.seek(begins)
        return tarfile.open(fileobj=raw, mode="r:", tarinfo=Member), True


def content_of(archive: tarfile.TarFile) -> IO[bytes]:
    """The bytes of an archive, decompressed."""
    return cast("IO[bytes]", archive.fileobj)


def members_of(archive: tarfile.TarFile, size: int | None) -> Iterator[tarfile.TarInfo | Damage]:
    """Each member in order, and each stretch that cannot be read. Raises ReadError where no member follows any more.

    `size` is the size of a plain tar's file; None for a compressed one, whose errors of reading are raised too.
    """
    file = content_of(archive)
    first: tarfile.TarInfo | None = getattr(archive, "firstmember", None)
    if first is not None and first.offset:  # see `opened`
        start = _block(file, 0)
        yield Damage(0, _name_in(start), _wrong_with(start) or "it contradicts itself")
    while True:
        begins, what = archive.offset, ""
        try:
            member = archive.next()
        except Exception as error:  # noqa: BLE001 -- a hostile header may drive tarfile into anything
            member, what = None, " ".join(str(error).split()) or type(error).__name__
        archive.members = []  # type: ignore[attr-defined]  # else each of millions stays in memory
        if member is not None and (size is None or not member.isreg() or member.offset_data + member.size <= size):
            yield member
            continue
        if member is not None:
            begins, what = member.offset, f"its {member.size:,} bytes reach beyond the end of the tar"
        following, damage = _following(file, begins, what)
        if damage is not None:
            yield damage
        if following is None:
            return
        archive.offset = following


def _following(file: IO[bytes], begins: int, what: str) -> tuple[int | None, Damage | None]:
    """Where the walk goes on, None at the end, and the damage before it. Raises ReadError if nothing follows damage."""
    block = _block(file, begins)
    if any(block):
        damage = Damage(begins, _name_in(block), what or _wrong_with(block))
        following = _behind_damage(file, begins, block)
        if following is None:
            raise tarfile.ReadError(damage.what)
        return following, damage
    if what:
        raise tarfile.ReadError(what)
    there = _behind_empty(file, begins)
    if there is None or _is_header(_block(file, there)):
        return there, None
    return _next_header(file, there), Damage(there, "", "the bytes after the end of the tar are not a member")


def _behind_damage(file: IO[bytes], begins: int, block: bytes) -> int | None:
    """The next header behind a damaged one, or the end of the tar; None if neither is found."""
    at = begins
    for _ in range(HEADERS_MOST):
        behind = _behind(at, block)
        if behind is None:
            break
        there = _block(file, behind)
        if _is_header(there) or there == _EMPTY:
            return behind
        if not _is_header(block):
            break
        at, block = behind, there  # a header of attributes, and the damaged one is that of its member
    return _next_header(file, begins + BLOCK)


def _behind(at: int, block: bytes) -> int | None:
    """Where the bytes of a member end, if its header has a size."""
    if len(block) < BLOCK:
        return None
    try:
        size = int(tarfile.nti(block[_SIZE]))  # type: ignore[attr-defined]  # not in the types
    except (tarfile.TarError, ValueError, OverflowError):
        return None
    return at + BLOCK + -(-size // BLOCK) * BLOCK if 0 <= size < LARGEST_BYTES else None


def _next_header(file: IO[bytes], begins: int, *, ends: int = LARGEST_BYTES) -> int | None:
    """The next block that is a header of a POSIX or GNU tar, up to about the byte `ends`."""
    file.seek(begins)
    while begins < ends and (data := file.read(_READ_BYTES)):
        place = data.find(_MAGIC)
        while place >= 0:
            start = place - _MAGIC_AT
            if start >= 0 and start % BLOCK == 0 and _is_header(data[start : start + BLOCK]):
                return begins + start
            place = data.find(_MAGIC, place + 1)
        begins += len(data)
    return None


def _behind_empty(file: IO[bytes], begins: int) -> int | None:
    """The first block from here on that is not empty; None if there is none."""
    file.seek(begins)
    while data := file.read(_READ_BYTES):
        if data.strip(b"\0"):
            empty = len(data) - len(data.lstrip(b"\0"))
            return begins + empty // BLOCK * BLOCK
        begins += len(data)
    return None


def _block(file: IO[bytes], begins: int) -> bytes:
    file.seek(begins)
    return file.read(BLOCK)


def _is_header(block: bytes) -> bool:
    return not _wrong_with(block)


def _wrong_with(block: bytes) -> str:
    """Why a block is no header; "" for a header."""
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError as error:
        return str(error)
    except (ValueError, OverflowError) as error:
        return f"invalid header ({error})"
    return ""


def _name_in(block: bytes) -> str:
    """The name in a damaged header, if it looks like one."""
    name = block[:_NAME_BYTES].split(b"\0")[0].decode("utf-8", "replace")
    return name if name.isprintable() and "\ufffd" not in name else ""
