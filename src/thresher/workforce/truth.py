"""The truth of images, and real votes on them, from a table."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from thresher.errors import BadInput, BadLine
from thresher.tables import names, open_table

VOTE = re.compile(r"vote(\d+)")


@dataclass(frozen=True, slots=True)
class Truth:
    """For each name whether it is a yes, its votes in order (none if the file has no vote columns), and its line."""

    file: str
    yes: dict[str, bool]
    votes: dict[str, tuple[bool, ...]]
    lines: dict[str, int]


def read_truth(path: Path, positive: str) -> Truth:
    """Read columns `file`, `url` or `image`, `truth` (or `answer`), and any `vote1`, `vote2`, ...

    Values are classes; `positive` is the one that means yes, and must occur. An empty vote was not cast. Raises
    BadInput, BadLine.
    """
    found = Truth(str(path), {}, {}, {})
    for line, name, truth, votes in _lines(path):
        if found.yes.setdefault(name, truth == positive) != (truth == positive):
            raise BadLine(f"{name!r} is in the table twice.", file=str(path), line=line, next="keep one of the lines")
        found.lines.setdefault(name, line)
        found.votes[name] = tuple(vote == positive for vote in votes if vote)
    if not any(found.yes.values()):
        raise BadInput(
            f"no image has the truth {positive!r}.", where=str(path), next="--positive CLASS, the class that means yes"
        )
    return found


def _lines(path: Path) -> Iterator[tuple[int, str, str, Sequence[str]]]:
    """Line number, name, truth and votes of each line."""
    table = open_table(path, names.IMAGE, names.TRUTH)
    numbered = {int(match[1]): column for column in table.columns if (match := VOTE.fullmatch(column.strip().lower()))}
    wanted = (*table.chosen, *(numbered[place] for place in sorted(numbered)))
    for line, values in table.records(*wanted):
        name, truth, *votes = (value.strip() for value in values)
        if not name:
            raise BadLine("names no image.", file=str(path), line=line, next="correct the line")
        yield line, name, truth, votes
