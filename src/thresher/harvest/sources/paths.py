"""The images whose paths are in a list, in any kind of table."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from thresher.harvest.candidates import Candidate, place_name, place_of, printable, stamp_of
from thresher.harvest.sources.urls import wrong_with
from thresher.tables import Names, Table, names, open_table

LISTED: Final[Names] = (*(name for name in names.URL if name != "image"), *names.FILE, "image")
"""Columns of a list of images: of URLs if there is one, which a harvest has always preferred."""


def from_paths(path: str | Path) -> "Paths | None":
    """A source of the files that a list names: a .txt (one path per line), or a table with a column of them.

    Relative paths start at the folder of the list, and `~` is a part of a name. None if the list is empty or its first
    line is a URL. Raises BadInput.
    """
    place = place_of(path)
    table = open_table(place, LISTED, alone=lambda value: bool(value.strip()))
    first = next(islice(table.lines(*table.chosen), 1), None)
    if first is None or first[2] or not wrong_with(first[1][0].strip()):
        return None
    return Paths(table, place_name("paths", place.resolve()))


@dataclass
class Paths:
    """A source of the files of a list, each named as the list does; a line without a regular file is refused."""

    table: Table
    name: str
    remote: bool = field(default=False)
    again: bool = False

    def expected(self) -> int:
        """The number of lines of the list; 0 if counting takes as long as reading it."""
        return self.table.count

    def candidates(self, *, bytes_most: int) -> Iterator[Candidate]:  # noqa: ARG002 -- files are read later, by their size
        """The files in the order of the list, each once. Raises BadLine where the list breaks off."""
        seen: set[str] = set()
        for line, values, what in self.table.lines(*self.table.chosen):
            told = values[0].strip() if not what else ""
            if not told:
                at = f"{printable(self.table.path.name)}, line {line}"
                yield Candidate(at, problem=("bad-line", f"{what or 'has no path'}."))
            elif told not in seen:
                seen.add(told)
                yield self._candidate(told)

    def _candidate(self, told: str) -> Candidate:
        name = printable(told.replace(os.sep, "/"))
        try:
            real = (self.table.path.parent / told).resolve(strict=True)
            found = real.stat()
        except (OSError, RuntimeError, ValueError) as error:
            # a circle of links is a RuntimeError up to Python 3.12, a zero byte a ValueError
            nowhere = "no file has such a name" if isinstance(error, ValueError) else "the link leads nowhere"
            why = getattr(error, "strerror", "") or nowhere
            return Candidate(name, problem=("unreadable", f"{why}."))
        if not real.is_file():
            return Candidate(
                name, problem=("special-file", "it is a folder, a pipe, a socket or a device, not a file.")
            )
        stamp, changed_ms = stamp_of(found)
        return Candidate(name, size_bytes=found.st_size, path=str(real), stamp=stamp, changed_ms=changed_ms)
