"""`thresher check`: compare catalog, shards and columns, and repair what an interrupted run left behind.

Nothing that a row refers to is ever removed. Problems that cannot be repaired are reported: an image whose bytes are
lost is marked, so that the next harvest of it stores them again.
"""

import shutil
from functools import partial

from thresher.store.directory.check_shards import Shards, check_shards
from thresher.store.directory.columns import DirectoryColumns
from thresher.store.findings import Findings
from thresher.store.shapes import Kinds
from thresher.store.sqlite import recount
from thresher.store.sqlite.connection import Catalog


def check(shards: Shards, columns: DirectoryColumns, kinds: Kinds, findings: Findings) -> None:
    """Compare catalog, image bytes and columns; with `mend`, repair what an interrupted run left behind."""
    _check_catalog(shards.catalog, kinds, findings)
    check_shards(shards, findings)
    _check_columns(columns, findings)


def _check_catalog(catalog: Catalog, kinds: Kinds, findings: Findings) -> None:
    """Check the file itself, rows with invalid references, and the counters."""
    findings.progress("check the catalog", 0, 1, "catalogs")
    with catalog.reading() as sql:
        broken = [line for (line,) in sql.execute("PRAGMA quick_check") if line != "ok"]
        astray = sql.execute('SELECT DISTINCT "table", parent FROM pragma_foreign_key_check').fetchall()
        off = recount.differences(sql, kinds)
    for line in broken[:10]:
        findings.wrong(f"catalog: {line}")
    for table, parent in astray:
        findings.wrong(f"catalog: rows of {table} have no {parent}")
    for category, name, kept, counted in off:
        owner = f"category {category}" if category else ""
        findings.miscounted(owner, name, kept, counted, partial(recount.correct, catalog, kinds, category, name))
    findings.progress("check the catalog", 1, 1, "catalogs")


def _check_columns(columns: DirectoryColumns, findings: Findings) -> None:
    """Find presence marks beyond the last image or the values, and remains of unfinished writes and deletions."""
    for left in columns.leftovers():
        findings.wrong(f"columns: {left.name} was left behind by an interrupted run", partial(shutil.rmtree, left))
    for name in columns.names():
        findings.count("columns")
        marks = columns.unfounded(name)
        if len(marks):
            findings.wrong(
                f"column {name}: {len(marks)} rows are marked present and have no values",
                partial(columns.unmark, name, marks),
            )
