"""Answers from a table: every line is checked before anything is stored, and the error names the wrong line."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from thresher.errors import BadLine
from thresher.records import Says
from thresher.store.contract import Store
from thresher.tables import names, open_table

ROWS_AT_ONCE = 1_000
SHOWN = 2
"""Images of one name that an error tells apart."""
NAMES_SHOWN = 3
"""Unknown names that are told, of however many."""


def read_answers(path: Path, category: str, allowed: Sequence[str], *, store: Store) -> dict[int, Says]:
    """The answer for each row that a file names by SHA-256 or by any alias.

    Raises BadInput for a file that cannot be read, BadLine for a line that cannot be used: a name of no image of the
    pool or of several, an address that is one of several of its image, an answer that is not `allowed`, a second answer
    that contradicts the first.
    """
    lines = list(_lines(path, allowed))
    rows = store.categories.find(category, [name for _, name, _ in lines])
    shared = shared_addresses({name: named[0] for (_, name, _), named in zip(lines, rows, strict=True) if named}, store)
    found: dict[int, tuple[int, Says]] = {}
    for (line, name, says), named in zip(lines, rows, strict=True):
        if len(named) != 1 or name in shared:
            what, following = shared.get(name) or not_one(category, name, named, store=store)
            unknown = {other: at for (at, other, _), rows_of in zip(lines, rows, strict=True) if not rows_of}
            if name in unknown and len(unknown) > 1:
                what = f"{len(unknown):,} names are of no image of {category}: {some_of(unknown)}."
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


def some_of(lines: Mapping[str, int]) -> str:
    """The first few of many names, each with its line."""
    first = [f"{name!r} (line {line})" for name, line in islice(lines.items(), NAMES_SHOWN)]
    more = len(lines) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")


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


def shared_addresses(rows: Mapping[str, int], store: Store) -> dict[str, tuple[str, str]]:
    """The message, and what to do next, for each name that is one of several addresses which gave the same bytes.

    A site that has lost an image often answers with a placeholder, so that nothing can be told from the address.
    `rows` has the row of each name; names that are no addresses are left alone.
    """
    addresses = {name: row for name, row in rows.items() if "://" in name}
    wanted, shared = sorted(set(addresses.values())), {}
    for start in range(0, len(wanted), ROWS_AT_ONCE):
        for row, aliases in store.images.aliases(wanted[start : start + ROWS_AT_ONCE]).items():
            if (count := sum(alias.kind == "url" for alias in aliases)) > 1:
                shared[row] = count
    hashes = {image.row: image.sha256 for image in store.images.many(list(shared))}
    return {
        name: (
            f"{shared[row]:,} addresses gave the same image as {name!r}; it may be a placeholder.",
            f"look at the image, then write its SHA-256 ({hashes[row]}) in place of the address, or remove the line",
        )
        for name, row in addresses.items()
        if row in shared
    }


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
