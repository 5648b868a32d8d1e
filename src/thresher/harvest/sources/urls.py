"""The images in a list of URLs, in any kind of table."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from thresher.errors import BadInput, BadLine
from thresher.harvest.candidates import Candidate, place_of, printable
from thresher.tables import Table, names, open_table
from thresher.tables.text import TOO_LONG

LONGEST_URL = 8192


def from_urls(path: str | Path) -> "Urls":
    """A source of URLs from a .txt (one per line) or a table with a column of them. Raises BadInput."""
    place = place_of(path)
    table = open_table(place, names.URL, alone=lambda value: not wrong_with(value) and " " not in value)
    first = list(islice(table.lines(*table.chosen), 2))
    if not first:
        raise BadInput("the list is empty.", where=str(path), next="give a list with a line for each URL")
    line, _, what = first[0]
    if what == TOO_LONG and len(first) == 1:  # no list, or one whose lines end some other way
        raise BadLine(f"{what}.", file=str(path), line=line, next="give a list with a line for each URL")
    return Urls(table, f"urls:{printable(place.name)}")


@dataclass
class Urls:
    """A source of URLs, one per line; a line without a URL is refused with file and line number."""

    table: Table
    name: str
    remote: bool = field(default=True)
    again: bool = False

    def expected(self) -> int:
        """The number of lines of the file, or rows of the table; 0 if counting takes as long as reading it."""
        return self.table.count

    def candidates(self, *, bytes_most: int) -> Iterator[Candidate]:  # noqa: ARG002 -- nothing is read here
        """The URLs in the order of the list. Raises BadLine where the file breaks off."""
        for line, values, what in self.table.lines(*self.table.chosen):
            url = values[0].strip() if not what else ""
            if what := what or wrong_with(url):
                yield Candidate(f"{printable(self.table.path.name)}, line {line}", problem=("bad-line", f"{what}."))
            else:
                yield Candidate(url, kind="url")


def wrong_with(url: str) -> str:
    """The problem with a line, or "" if it can be a URL; the guard decides whether it may be fetched."""
    if not url:
        return "has no URL"
    scheme, found, rest = url.partition("://")
    try:
        no_url = not found or not scheme.isalnum() or not rest or " " in urlsplit(url).netloc
    except ValueError:  # half an IPv6 address
        no_url = True
    if no_url:
        return f"{url[:80]!r} is not a URL"
    if len(url) > LONGEST_URL:
        return f"{url[:80]!r} is longer than {LONGEST_URL:,} characters"
    if not url.isprintable():  # a space is: it is asked for as %20, as a browser does
        return f"{url[:80]!r} contains control characters"
    return ""
