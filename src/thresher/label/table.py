"""Answers from a table: every line is checked before anything is stored, and the error names the wrong line."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from thresher.errors import BadLine
from thresher.records import Says
from thresher.store.contract import Store
from thresher.tables import names, open_table

SHOWN = 2
"""Images of one name that an error tells apart."""


def read_answers(path: Path, category: str, allowed: Sequence[str], *, store: Store) -> dict[int, Says]:
    """The answer for each row that a file names by SHA-256 or by any alias.

    Raises BadInput for a file that cannot be read, BadLine for a line that cannot be used: a name of no image of the
    pool or of several, an answer that is not `allowed`, a second answer that contradicts the first.
    """
    lines = list(_lines(path, allowed))
    rows = store.categories.find(category, [name for _, name, _ in lines])
    found: dict[int, tuple[int, Says]] = {}
    for (line, name, says), named in zip(lines, rows, strict=True):
        if len(named) != 1:
            what, following = not_one(category, name, named, store=store)
            raise BadLine(what, file=str(path), line=line, next=following)
        before, said = found.setdefault(named[0], (line, says))
        if said is not says:
            raise BadLine(
                f"{name!r} is {says} here and {said} in line {before}.",
                file=str(path),
                line=line,
                next="keep one of them",
            )
    return {row: says for row, (_, says) in found.items()}


def not_one(category: str, name: str, rows: Sequence[int], *, store: Store) -> tuple[str, str]:
    """The message for a name of no image of a pool or of several, and what to do next."""
    if not rows:
        return f"no image of {category} is called {name!r}.", f"add it with thresher harvest {category}"
    hashes = [image.sha256 for image in store.images.many(rows[:SHOWN])]
    more = " or another" if len(rows) > SHOWN else ""
    return (
        f"{len(rows)} images of {category} are called {name!r}.",
        f"replace the name by the SHA-256 of the image you mean: {' or '.join(hashes)}{more}",
    )


def _lines(path: Path, allowed: Sequence[str]) -> Iterator[tuple[int, str, Says]]:
    """Line number, name and answer of each non-empty line."""
    table = open_table(path, names.IMAGE, names.ANSWER)
    known = f"{', '.join(allowed[:-1])} or {allowed[-1]}"
    for line, (name, answer) in table.records(*table.chosen):
        if not name.strip():
            raise BadLine("names no image.", file=str(path), line=line, next="correct the line")
        if answer.strip().lower() not in allowed:
            raise BadLine(f"the answer {answer!r} is not {known}.", file=str(path), line=line, next=f"write {known}")
        yield line, name.strip(), Says(answer.strip().lower())
