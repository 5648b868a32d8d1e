"""The images in a tar file, read in place: nothing is extracted, and a member's name is never used as a path."""

import lzma
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from thresher.errors import BadInput
from thresher.harvest.candidates import Candidate, place_name, printable, too_large

BROKEN = (tarfile.TarError, EOFError, OSError, ValueError, zlib.error, lzma.LZMAError)
"""What reading a damaged or cut archive raises, compressed or not."""


LONGEST_HEADER_BYTES = 1_000_000
"""Longest name or list of attributes that stands before a member; tarfile reads one whole, however long it is."""

_BEFORE_A_MEMBER = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)


class _Member(tarfile.TarInfo):
    """A tar member with a limited header: a megabyte of gzip may hold a header of a gigabyte."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        # the entry that tarfile's source offers to subclasses
        if self.type in _BEFORE_A_MEMBER and self.size > LONGEST_HEADER_BYTES:
            raise tarfile.ReadError(f"a name of {self.size:,} bytes")
        member: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]  # a hook that tarfile does not type
        return member

    def _proc_gnusparse_10(self, next: tarfile.TarInfo, *_: object) -> None:  # noqa: A002 -- tarfile's word
        # the map of a sparse member may be endless too, and such members are refused without it
        next.sparse = b""  # not None: it is a sparse one


def from_tar(path: str | Path) -> "Tar":
    """A source of the files in a tar, plain or compressed (gz, bz2, xz). Raises BadInput if it cannot be read."""
    advice = "give a tar file; for a folder use --folder"
    try:
        place = Path(path).expanduser().resolve(strict=True)
        with place.open("rb") as raw, _opened(raw)[0]:
            return Tar(str(place), place.stat().st_size, place_name("tar", place))
    except BROKEN as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else "it is not a tar"
        raise BadInput(f"{said}.", where=str(path), next=advice) from error


@dataclass
class Tar:
    """A source of the regular members of a tar, by their names, hidden ones left out.

    Members of a plain tar are read later, at their offset; those of a compressed one at once, in passing.
    """

    path: str
    size: int
    name: str
    remote: bool = False
    again: bool = False
    _seen: int = 0
    _share: float = 0.0

    def expected(self) -> int:
        """The number of members, estimated from the share of the file that those seen so far take."""
        return round(self._seen / self._share) if self._share else 0

    def candidates(self, *, bytes_most: int) -> Iterator[Candidate]:
        """Members in order. If the archive is damaged, raises BadInput after the last complete member."""
        self._seen, last = 0, "its start"
        with Path(self.path).open("rb") as raw:
            archive, plain = _opened(raw)
            try:
                while (member := archive.next()) is not None:
                    archive.members = []  # type: ignore[attr-defined]  # else each of millions stays in memory
                    if not member.isreg() or _hidden(member.name):
                        continue
                    last = printable(member.name)
                    self._seen += 1
                    self._share = min(1.0, max(raw.tell(), 1) / max(self.size, 1))
                    yield _candidate(archive, member, self.path if plain else "", bytes_most)
                if plain and _more(raw, archive.offset):
                    raise tarfile.ReadError("the bytes after it are not a tar member")
                self._share = 1.0
            except BROKEN as error:
                raise BadInput(
                    f"the tar is damaged after {last} ({' '.join(str(error).split())}).",
                    where=self.path,
                    next="get the file again and harvest it; all images before the damage are kept",
                ) from error


def _opened(raw: IO[bytes]) -> tuple[tarfile.TarFile, bool]:
    """The archive, and whether it is plain (uncompressed), so that members can be read at their offset."""
    try:
        return tarfile.open(fileobj=raw, mode="r:", tarinfo=_Member), True
    except tarfile.ReadError:
        raw.seek(0)
        return tarfile.open(fileobj=raw, mode="r:*", tarinfo=_Member), False


def _more(raw: IO[bytes], offset: int) -> bool:
    """Whether there are other bytes at the next member's position than the empty block that ends a tar."""
    raw.seek(offset)
    return any(raw.read(tarfile.BLOCKSIZE))


def _hidden(name: str) -> bool:
    return any(part.startswith(".") and part not in (".", "..") for part in name.split("/"))


def _candidate(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, bytes_most: int) -> Candidate:
    name = printable(member.name.removeprefix("./"))
    if member.issparse():
        return Candidate(name, problem=("unsupported", "a sparse tar member, which is not supported."))
    if path:
        return Candidate(name, size_bytes=member.size, path=path, offset=member.offset_data)
    if member.size > bytes_most:
        return Candidate(name, problem=("too-large", too_large(member.size, bytes_most)))
    passing = archive.extractfile(member)  # a view of the stream; nothing is written anywhere
    return Candidate(name, size_bytes=member.size, data=passing.read() if passing else b"")
