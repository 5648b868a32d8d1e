"""The images in a tar file, read in place: nothing is extracted, and a member's name is never used as a path."""

import lzma
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from thresher.errors import BadInput
from thresher.harvest.candidates import HIDDEN, Candidate, place_name, place_of, printable, stamp_of, too_large
from thresher.harvest.sources.links import Link, targets_of
from thresher.harvest.sources.members import Damage, content_of, members_of, opened

BROKEN = (tarfile.TarError, EOFError, OSError, ValueError, OverflowError, zlib.error, lzma.LZMAError)
"""What reading a damaged or cut archive raises, compressed or not."""

ZIP = b"PK\x03\x04"
_SPECIAL = {tarfile.FIFOTYPE: "a pipe", tarfile.CHRTYPE: "a device", tarfile.BLKTYPE: "a device"}


def from_tar(path: str | Path) -> "Tar":
    """A source of the files in a tar, plain or compressed (gz, bz2, xz). Raises BadInput if it cannot be read."""
    advice = "give a tar file; for a folder use --folder"
    try:
        place = place_of(path).resolve(strict=True)
        with place.open("rb") as raw:
            if raw.read(len(ZIP)) == ZIP:
                advice = "unpack it, and give the folder with --folder"
                raise BadInput("this is a zip file, not a tar.", where=str(path), next=advice)
            raw.seek(0)
            with opened(raw)[0]:
                return Tar(str(place), place.stat().st_size, place_name("tar", place))
    except RuntimeError as error:  # a circle of links, up to Python 3.12
        raise BadInput("the link leads nowhere.", where=str(path), next=advice) from error
    except BROKEN as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else "it is not a tar"
        raise BadInput(f"{said}.", where=str(path), next=advice) from error


@dataclass
class Tar:
    """A source of the regular members of a tar, by their names, then of its links to them.

    Members of a plain tar are read later, at their offset; those of a compressed one at once, in passing. Whatever else
    is in it is refused or counted, so that nothing is passed over in silence.
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
        """Members in order, then links. If nothing can be read from a place on, raises BadInput after all before it."""
        self._seen, last = 0, "its start"
        links: list[Link] = []
        with Path(self.path).open("rb") as raw:
            archive, plain = opened(raw)
            reader = _Reader(archive, self.path if plain else "", os.fstat(raw.fileno()), bytes_most)
            try:
                for member in members_of(archive, reader.size if plain else None):
                    if isinstance(member, tarfile.TarInfo):
                        last = printable(member.name)
                    if found := self._found(member, reader, links):
                        self._seen += not found.beside
                        self._share = min(1.0, max(raw.tell(), 1) / max(self.size, 1))
                        yield found
                self._share = 1.0
                self._seen += len(links)
                if links:
                    yield from self._linked(links, reader)
            except BROKEN as error:
                raise BadInput(
                    f"the tar is damaged after {last} ({' '.join(str(error).split())}).",
                    where=self.path,
                    next="get the file again and harvest it; all images before the damage are kept",
                ) from error

    def _found(self, member: tarfile.TarInfo | Damage, reader: "_Reader", links: list[Link]) -> Candidate | None:
        """The candidate of a member; None for a folder, and for a link, which is added to `links`."""
        if isinstance(member, Damage):
            name = printable(member.name) or f"{printable(Path(self.path).name)}, byte {member.begins:,}"
            return Candidate(name, problem=("damaged", f"its header in the tar cannot be read ({member.what})."))
        name = _plain(member.name)
        if member.isdir():
            return None
        if any(part.startswith(".") and part not in (".", "..") for part in name.split("/")):
            return Candidate(printable(name), beside=HIDDEN)
        if member.issym() or member.islnk():
            links.append(Link(name, member.linkname, member.offset, symbolic=member.issym()))
            return None
        if not member.isreg():
            kind = _SPECIAL.get(member.type, f"a member of the type {member.type!r}")
            return Candidate(printable(name), problem=("special-file", f"it is {kind}, not a file."))
        if member.issparse():
            return Candidate(printable(name), problem=("unsupported", "a sparse tar member, which is not supported."))
        return reader.candidate(name, member.offset_data, member.size)

    def _linked(self, links: list[Link], reader: "_Reader") -> Iterator[Candidate]:
        """The candidates of links, in the order of the members that they lead to; others are refused."""
        with Path(self.path).open("rb") as raw:
            archive, plain = opened(raw)
            again = (one for one in members_of(archive, reader.size if plain else None) if not isinstance(one, Damage))
            targets = targets_of(links, again)
        for link in links:
            if link not in targets:
                what = f"a link to {link.target[:200]!r}, which is not a file of this tar."
                yield Candidate(printable(link.name), problem=("link-outside", what))
        for link, (offset, size) in sorted(targets.items(), key=lambda one: (one[1], one[0].offset)):
            yield reader.candidate(link.name, offset, size)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Makes candidates of an archive: `path` is empty for a compressed one, whose bytes are read at once."""

    archive: tarfile.TarFile
    path: str
    tar: os.stat_result
    bytes_most: int

    @property
    def size(self) -> int:
        """The size of the file."""
        return self.tar.st_size

    def candidate(self, name: str, offset: int, size: int) -> Candidate:
        """The candidate of `size` bytes at an offset, under a name."""
        # a member may be replaced in a tar too: it is known only if nothing of the tar has changed
        stamp, changed_ms = stamp_of(self.tar)
        found = Candidate(printable(name), size_bytes=size, stamp=f"{stamp} at {offset}", changed_ms=changed_ms)
        if self.path:
            return replace(found, path=self.path, offset=offset)
        if size > self.bytes_most:
            return replace(found, problem=("too-large", too_large(size, self.bytes_most)))
        file = content_of(self.archive)
        file.seek(offset)  # the decompressed stream; nothing is written anywhere
        data = file.read(size)
        if len(data) < size:
            raise EOFError("unexpected end of data")
        return replace(found, data=data)


def _plain(name: str) -> str:
    return name.removeprefix("./")
