"""Answers from a table: every line is checked before anything is kept, and a wrong one is named."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from thresher.errors import BadLine
from thresher.records import Says
from thresher.store.contract import Store
from thresher.tables import names, open_table


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
    table = open_table(path, names.IMAGE, names.ANSWER)
    known = f"{', '.join(allowed[:-1])} or {allowed[-1]}"
    for line, (name, answer) in table.records(*table.chosen):
        if not name.strip():
            raise BadLine("names no image.", file=str(path), line=line, next="mend the line")
        if answer.strip().lower() not in allowed:
            raise BadLine(f"the answer {answer!r} is not {known}.", file=str(path), line=line, next=f"write {known}")
        yield line, name.strip(), Says(answer.strip().lower())
