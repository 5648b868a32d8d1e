"""Tables of labels as text: CSV, with a column of labels or a column for each label, and JSON objects likewise."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from thresher.annotations.claims import Claims, Taken
from thresher.annotations.lines import Lines
from thresher.annotations.roles import IMAGE, roles_of
from thresher.errors import BadInput, BadLine
from thresher.tables import names, objects, open_table, text

_CSV: Final = frozenset((".csv", ".tsv", ".tab"))
_JSON: Final = frozenset((".jsonl", ".ndjson", ".json"))
_FIRST_LINES: Final = 1_000
"""The columns of a file of objects are the names in so many of its first objects."""


def looks_like_csv(path: Path) -> bool:
    """Whether the name of a file ends as that of a .csv or .tsv, gzipped or not."""
    return path.is_file() and _ending(path) in _CSV


def looks_like_jsonl(path: Path) -> bool:
    """Whether the name of a file ends as that of a .jsonl or .json, gzipped or not."""
    return path.is_file() and _ending(path) in _JSON


def read_csv(path: Path) -> Claims:
    """The labels of a .csv or .tsv. Raises BadInput, BadLine."""
    table = open_table(path, IMAGE)
    roles = roles_of(table.columns, table.chosen[0], str(path), list(table.unusable))
    lines = Lines(roles, Taken(path, "csv", single=roles.single), {})
    for number, values in table.records(*roles.columns):
        lines.take(number, values)
    return lines.taken.done()


def read_jsonl(path: Path) -> Claims:
    """The labels of a file with a JSON object a line, or of a list of objects. Raises BadInput, BadLine.

    Several labels of an image come as a list, several boxes as a list of objects.
    """
    first = [value for _, value in islice(_objects(path), _FIRST_LINES)]
    columns = list(dict.fromkeys(key for value in first for key in value))
    place = names.place_of(IMAGE, columns)
    if place < 0:
        what = f"no column is called {names.told(IMAGE)}; there are: {', '.join(columns)[:200] or 'none'}."
        raise BadInput(what, where=str(path), next="name a column image")
    nested = {key for value in first for key, each in value.items() if isinstance(each, list | dict)}
    roles = roles_of(columns, columns[place], str(path), [one for one in columns if one in nested])
    lines = Lines(roles, Taken(path, "jsonl", single=roles.single and roles.label not in nested), {})
    for number, value in _objects(path):
        lines.take(number, [value.get(column) for column in roles.columns])
    return lines.taken.done()


def _ending(path: Path) -> str:
    endings = [ending.lower() for ending in path.suffixes if ending.lower() != ".gz"]
    return endings[-1] if endings else ""


def _objects(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Each object with its line. Raises BadInput, BadLine."""
    try:
        encoding = text.encoding_of(path)
    except OSError as error:
        raise BadInput(f"{error.strerror or error}.", where=str(path), next="give a file that can be read") from error
    by_line = _ending(path) != ".json"
    found = objects.objects_by_line(path, encoding) if by_line else objects.objects_of_list(path, encoding)
    for number, value, what in found:
        if what:
            raise BadLine(f"{what}.", file=str(path), line=number, next="correct the line")
        yield number, objects.keys_of(value, path, number)
