"""Tables of labels: CSV, with a column of labels or a column for each label."""

from pathlib import Path
from typing import Final

from thresher.annotations.claims import Claims, Taken
from thresher.annotations.roles import IMAGE, Lines, roles_of
from thresher.tables import open_table

_CSV: Final = frozenset((".csv", ".tsv", ".tab"))


def looks_like_csv(path: Path) -> bool:
    """Whether the name of a file ends as that of a .csv or .tsv, gzipped or not."""
    endings = [ending.lower() for ending in path.suffixes if ending.lower() != ".gz"]
    return path.is_file() and bool(endings) and endings[-1] in _CSV


def read_csv(path: Path) -> Claims:
    """The labels of a .csv or .tsv. Raises BadInput, BadLine."""
    table = open_table(path, IMAGE)
    roles = roles_of(table.columns, table.chosen[0], str(path))
    taken = Taken(path, "csv", single=roles.label is not None and not roles.box)
    lines = Lines(roles, taken, {})
    for number, values in table.records(*roles.columns):
        lines.take(number, values)
    return taken.done()
