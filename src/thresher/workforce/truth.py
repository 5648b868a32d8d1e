"""What is true of pictures, and real votes on them, from a CSV file."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from thresher.errors import BadInput, BadLine

NAMES = ("file", "url", "image")
TRUTHS = ("truth", "answer")
VOTE = re.compile(r"vote(\d+)")


@dataclass(frozen=True, slots=True)
class Truth:
    """For each name whether it is a yes, and its votes in order (none where the file has no vote columns)."""

    yes: dict[str, bool]
    votes: dict[str, tuple[bool, ...]]


def read_truth(path: Path, positive: str) -> Truth:
    """Read columns `file`, `url` or `image`, `truth` (or `answer`), and any `vote1`, `vote2`, ...

    Values are classes; `positive` is the one that means yes, and must occur. An empty vote was not cast. Raises
    BadInput, BadLine.
    """
    found = Truth({}, {})
    for line, name, truth, votes in _lines(path):
        if found.yes.setdefault(name, truth == positive) != (truth == positive):
            raise BadLine(f"{name!r} is there twice.", file=str(path), line=line, next="keep one of them")
        found.votes[name] = tuple(vote == positive for vote in votes if vote)
    if not any(found.yes.values()):
        raise BadInput(
            f"no picture is {positive!r}.", where=str(path), next="--positive CLASS, the truth that means yes"
        )
    return found


def _lines(path: Path) -> Iterator[tuple[int, str, str, list[str]]]:
    """Line number, name, truth and votes of each line."""
    try:
        # -sig: spreadsheets put a byte order mark before the first column's name
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, strict=True)
            name, truth, votes = _columns(table.fieldnames or (), path)
            for record in table:
                if not record[name] or None in record or any(record[c] is None for c in (truth, *votes)):
                    what = "has not as many columns as the first line."
                    raise BadLine(what, file=str(path), line=table.line_num, next="mend the line")
                yield table.line_num, record[name], record[truth], [record[column] for column in votes]
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}.", where=str(path), next="check the file's name") from error
    except UnicodeDecodeError as error:
        raise BadInput("is not UTF-8 text.", where=str(path), next="save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise BadLine(f"is not CSV: {error}.", file=str(path), line=table.line_num + 1, next="mend the line") from error


def _columns(header: Sequence[str], path: Path) -> tuple[str, str, list[str]]:
    name = next((column for column in NAMES if column in header), None)
    truth = next((column for column in TRUTHS if column in header), None)
    if name is None or truth is None:
        raise BadLine(
            f"the columns are {', '.join(header) or 'missing'}.",
            file=str(path),
            line=1,
            next=f"name one of them {', '.join(NAMES[:-1])} or {NAMES[-1]}, and one {TRUTHS[0]}",
        )
    numbered = {column: int(match[1]) for column in header if (match := VOTE.fullmatch(column))}
    return name, truth, sorted(numbered, key=numbered.__getitem__)
