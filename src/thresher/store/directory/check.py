"""`thresher check`: catalog, shards and columns compared, and what an interrupted run left mended.

Nothing that a row uses is ever removed. What cannot be mended is told: an image whose bytes are gone is marked, so
that the next harvest of it brings them back.
"""

import shutil
from functools import partial
from typing import TYPE_CHECKING

from thresher.store.contract import CheckReport, Report
from thresher.store.directory.check_shards import check_shards
from thresher.store.findings import Findings, tell_lost_scores
from thresher.store.sqlite import recount

if TYPE_CHECKING:
    from thresher.store.directory.store import DirectoryStore


def check(store: "DirectoryStore", *, mend: bool, every_byte: bool, report: Report | None) -> CheckReport:
    """Compare catalog, image bytes and columns; with `mend` repair what an interrupted run left."""
    findings = Findings(mend, report, every_byte)
    _check_catalog(store, findings)
    check_shards(store, findings)
    _check_columns(store, findings)
    findings.counted["images"] = store.images.count()
    return findings.told()


def _check_catalog(store: "DirectoryStore", findings: Findings) -> None:
    """The file itself, rows that point nowhere, and the counters against what they count."""
    findings.progress("check the catalog", 0, 1, "catalogs")
    with store.catalog.reading() as sql:
        broken = [line for (line,) in sql.execute("PRAGMA quick_check") if line != "ok"]
        astray = sql.execute('SELECT DISTINCT "table", parent FROM pragma_foreign_key_check').fetchall()
        off = recount.differences(sql)
    for line in broken[:10]:
        findings.wrong(f"catalog: {line}")
    for table, parent in astray:
        findings.wrong(f"catalog: rows of {table} have no {parent}")
    for category, name, kept, counted in off:
        findings.wrong(
            f"catalog: the counter {name!r} of category {category} says {kept}, and there are {counted}",
            partial(recount.correct, store.catalog, category, name),
        )
    findings.progress("check the catalog", 1, 1, "catalogs")


def _check_columns(store: "DirectoryStore", findings: Findings) -> None:
    """Marks behind the last image or behind the values, and what a making or a dropping left."""
    columns = store.matrices
    tell_lost_scores(store, findings)
    for left in columns.leftovers():
        findings.wrong(f"columns: {left.name} was left by an interrupted run", partial(shutil.rmtree, left))
    for name in columns.names():
        findings.count("columns")
        marks = columns.unfounded(name)
        if len(marks):
            findings.wrong(
                f"column {name}: {len(marks)} rows are marked present and are not",
                partial(columns.unmark, name, marks),
            )
