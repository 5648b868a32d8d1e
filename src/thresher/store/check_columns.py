"""The columns' part of a check, for every store: values that do not match their checksums, and columns to make anew."""

from functools import partial
from typing import Any, Final

from thresher.errors import StoreDamaged, StoreUnavailable
from thresher.store.columns import CheckedColumns
from thresher.store.findings import Findings, named

NARROW: Final = 1
"""Columns of one value a row, scores and rankings, are read whole in every check: four bytes a row."""
SAMPLED_ROWS: Final = 256


def tell_damaged_columns(columns: CheckedColumns[Any], findings: Findings) -> None:
    """Compare columns with their checksums: some rows of each, and all of them where every byte is read."""
    names = columns.names()
    for done, name in enumerate(names):
        findings.progress("check columns", done, len(names), "columns")
        findings.count("columns")
        try:
            rows = columns.present_rows(name)
            if not findings.every_byte and columns.width(name) > NARROW:
                rows = rows[:SAMPLED_ROWS]
            damaged = columns.damaged(name, rows)
        except (StoreDamaged, StoreUnavailable, OSError) as error:
            what = error.what if isinstance(error, StoreDamaged) else "some of its files cannot be read."
            findings.wrong(f"column {name}: {what} The next turn makes it anew", partial(columns.drop, name))
            continue
        if len(damaged):
            some = damaged.tolist()
            what = f"column {name}: the values of {len(some)} rows do not match their checksums ({named(some)})"
            findings.wrong(f"{what}; the next turn makes them anew", partial(columns.forget, name, damaged))
        if findings.mend and columns.seal(name):
            findings.notes.append(f"column {name}: it was made by an earlier version, and has checksums now.")
    findings.progress("check columns", len(names), len(names), "columns")
