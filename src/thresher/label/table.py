"""Answers from a CSV file: every line is checked before anything is kept, and a wrong one is named."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from thresher.errors import BadInput, BadLine
from thresher.records import Says
from thresher.store.contract import Store

NAMES = ("image", "file", "url")
ANSWER = "answer"


def read_answers(path: Path, category: str, allowed: Sequence[str], *, store: Store) -> dict[int, Says]:
    """The answer for each row that a file names by SHA-256 or by any alias.

    Raises BadInput for a file that cannot be read, BadLine for a line that cannot be used: an image nobody has or that
    is outside the pool, an answer that is not `allowed`, a second answer that contradicts the first.
    """
    lines = list(_lines(path, allowed))
    rows = store.images.find([name for _, name, _ in lines])
    found: dict[int, tuple[int, Says]] = {}
    for (line, name, says), row in zip(lines, rows, strict=True):
        if row is None:
            raise BadLine(
                f"no image is called {name!r}.",
                file=str(path),
                line=line,
                next=f"thresher harvest {category} brings it",
            )
        before, said = found.setdefault(row, (line, says))
        if said is not says:
            raise BadLine(
                f"{name!r} is {says} here and {said} in line {before}.",
                file=str(path),
                line=line,
                next="keep one of them",
            )
    held = store.categories.pool_holds(category, list(found))
    for (row, (line, _)), holds in zip(found.items(), held, strict=True):
        if not holds:
            raise BadLine(
                f"image {row} is not in the pool of {category}.",
                file=str(path),
                line=line,
                next=f"thresher harvest {category} brings it",
            )
    return {row: says for row, (_, says) in found.items()}


def _lines(path: Path, allowed: Sequence[str]) -> Iterator[tuple[int, str, Says]]:
    """Line number, name and answer of each line that is not empty."""
    try:
        # -sig: spreadsheets put a byte order mark before the first column's name
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, strict=True)
            columns = _columns(table.fieldnames or (), path)
            for record in table:
                yield table.line_num, *_values(record, columns, allowed, path, table.line_num)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}.", where=str(path), next="check the file's name") from error
    except UnicodeDecodeError as error:
        raise BadInput("is not UTF-8 text.", where=str(path), next="save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise BadLine(f"is not CSV: {error}.", file=str(path), line=table.line_num + 1, next="mend the line") from error


def _columns(header: Sequence[str], path: Path) -> dict[str, str]:
    """Which of the file's columns names the image and which holds the answer."""
    plain = {column.strip().lower(): column for column in header if column}
    names = [name for name in NAMES if name in plain]
    if len(names) != 1 or ANSWER not in plain:
        raise BadLine(
            f"the columns are {', '.join(plain) or 'missing'}.",
            file=str(path),
            line=1,
            next=f"name one of them {', '.join(NAMES[:-1])} or {NAMES[-1]}, and one {ANSWER}",
        )
    return {"name": plain[names[0]], ANSWER: plain[ANSWER]}


def _values(
    record: dict[str, str], columns: dict[str, str], allowed: Sequence[str], path: Path, line: int
) -> tuple[str, Says]:
    name, answer = (record.get(columns[column]) for column in ("name", ANSWER))
    if not name or not name.strip() or answer is None or None in record:
        raise BadLine("has not as many columns as the first line.", file=str(path), line=line, next="mend the line")
    if answer.strip().lower() not in allowed:
        known = f"{', '.join(allowed[:-1])} or {allowed[-1]}"
        raise BadLine(f"the answer {answer!r} is not {known}.", file=str(path), line=line, next=f"write {known}")
    return name.strip(), Says(answer.strip().lower())
