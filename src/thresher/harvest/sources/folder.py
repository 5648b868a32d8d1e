"""The images in a folder, searched recursively."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from thresher.errors import BadInput
from thresher.harvest.candidates import (
    HIDDEN,
    HIDDEN_FOLDER,
    LINK_TO_FOLDER,
    Candidate,
    place_name,
    place_of,
    printable,
    stamp_of,
)


def from_folder(path: str | Path) -> "Folder":
    """A source of the files in a folder and its subfolders, without hidden ones. Raises BadInput for no folder."""
    try:
        root = place_of(path).resolve(strict=True)
        if not root.is_dir():
            raise BadInput("this is a file, not a folder.", where=str(path), next="give its folder, or --tar or --urls")
        with os.scandir(root) as entries:
            next(entries, None)
    except (OSError, RuntimeError) as error:  # a circle of links is a RuntimeError up to Python 3.12
        what = getattr(error, "strerror", "") or "the link leads nowhere"
        raise BadInput(f"{what}.", where=str(path), next="give a folder that can be read") from error
    return Folder(str(root), place_name("folder", root))


@dataclass
class Folder:
    """A source of files, by their path relative to the folder. Links are followed only to files inside the folder."""

    root: str
    name: str
    remote: bool = False
    again: bool = False
    _count: int | None = field(default=None, repr=False)

    def expected(self) -> int:
        """The number of files that are not hidden; counted once."""
        if self._count is None:
            self._count = sum(not name.startswith(".") for _, _, files, _ in self._walk() for name in files)
        return self._count

    def candidates(self, *, bytes_most: int) -> Iterator[Candidate]:  # noqa: ARG002 -- files are read later, by their size
        """Regular files, sorted within each folder.

        Unreadable folders, special files and links to outside are refused by name; what is hidden is counted.
        """
        for directory, folders, files, errors in self._walk():
            for error in errors:
                yield self._refused(str(error.filename or directory), "unreadable", error.strerror or str(error))
            for folder in folders:
                path = f"{directory}{os.sep}{folder}"
                if folder.startswith("."):
                    yield Candidate(self._relative(path), beside=HIDDEN_FOLDER)
                elif Path(path).is_symlink():
                    yield self._linked_folder(path)
            for file in files:
                path = f"{directory}{os.sep}{file}"
                yield Candidate(self._relative(path), beside=HIDDEN) if file.startswith(".") else self._candidate(path)

    def _walk(self) -> Iterator[tuple[str, list[str], list[str], list[OSError]]]:
        errors: list[OSError] = []
        for directory, folders, files in os.walk(self.root, onerror=errors.append):
            found = sorted(folders)
            folders[:] = [name for name in found if not name.startswith(".")]
            yield directory, found, sorted(files), errors[:]
            errors.clear()
        if errors:
            yield self.root, [], [], errors

    def _linked_folder(self, path: str) -> Candidate:
        if self._holds(str(Path(path).resolve())):  # its files come under their own names
            return Candidate(self._relative(path), beside=LINK_TO_FOLDER)
        return self._refused(path, "link-outside", "a link to a folder elsewhere is not followed")

    def _candidate(self, path: str) -> Candidate:
        try:
            found = os.lstat(path)
            real = path
            if stat.S_ISLNK(found.st_mode):
                real = str(Path(path).resolve(strict=True))
                if not self._holds(real):
                    return self._refused(path, "link-outside", "a link to a file elsewhere is not followed")
                found = Path(real).stat()
        except (OSError, RuntimeError) as error:  # a circle of links is a RuntimeError up to Python 3.12
            return self._refused(path, "unreadable", getattr(error, "strerror", "") or "the link leads nowhere")
        if not stat.S_ISREG(found.st_mode):
            # reading one may never end
            return self._refused(path, "special-file", "it is a pipe, a socket or a device, not a file")
        stamp, changed_ms = stamp_of(found)
        return Candidate(self._relative(path), size_bytes=found.st_size, path=real, stamp=stamp, changed_ms=changed_ms)

    def _holds(self, real: str) -> bool:
        return real == self.root or real.startswith(self.root.rstrip(os.sep) + os.sep)

    def _relative(self, path: str) -> str:
        return printable(os.path.relpath(path, self.root).replace(os.sep, "/"))

    def _refused(self, path: str, reason: str, detail: str) -> Candidate:
        return Candidate(self._relative(path), problem=(reason, f"{detail}."))
