"""`thresher check`: compare catalog, shards and columns, and on `--mend` repair what an interrupted run left behind.

Nothing is deleted that cannot be made again; bytes that no row refers to are moved to the quarantine. Problems that
cannot be repaired are reported: an image whose bytes are lost is marked, so that the next harvest stores them again.
"""

import shutil
from functools import partial

from thresher.errors import StoreDamaged
from thresher.store.directory.check_shards import Shards, check_shards
from thresher.store.directory.columns import DirectoryColumns
from thresher.store.findings import Findings, Repair
from thresher.store.shapes import Kinds
from thresher.store.sqlite import recount
from thresher.store.sqlite.connection import RESTORE, Catalog
from thresher.store.sqlite.counters import WORKSPACE

Miscounted = tuple[int, int, Repair]
"""A wrong number of images: the stored one, the counted one, and the repair."""


def check(shards: Shards, columns: DirectoryColumns, kinds: Kinds, findings: Findings) -> None:
    """Compare catalog, image bytes and columns; with `mend`, repair what an interrupted run left behind."""
    images = _check_catalog(shards.catalog, kinds, findings)
    spare = check_shards(shards, findings)
    for kept, counted, repair in images:
        findings.miscounted_images(kept, counted, spare, repair)
    _check_columns(columns, findings)


def _check_catalog(catalog: Catalog, kinds: Kinds, findings: Findings) -> list[Miscounted]:
    """Check the file itself, rows with invalid references, and the counters; the number of images, if it is wrong."""
    findings.progress("check the catalog", 0, 1, "catalogs")
    with catalog.reading() as sql:
        broken = [line for (line,) in sql.execute("PRAGMA quick_check") if line != "ok"]
    if broken:  # what it says cannot be trusted, and a write may make it worse
        what = f"the catalog is damaged ({broken[0]}); nothing was changed."
        raise StoreDamaged(what, where=str(catalog.path), next=RESTORE)
    with catalog.reading() as sql:
        without = recount.rows_without_image(sql)
        off = recount.differences(sql, kinds)
    images: list[Miscounted] = []
    findings.lost_rows(sorted({row for rows in without.values() for row in rows}), list(without))
    for category, name, kept, counted in off:
        repair: Repair = partial(recount.correct, catalog, kinds, category, name)
        if (category, name) == (WORKSPACE, "images"):
            findings.hold_if_fewer(kept, counted)
            images.append((kept, counted, repair))
            continue
        owner = f"category {category}" if category else ""
        findings.miscounted(owner, name, kept, counted, repair)
    findings.progress("check the catalog", 1, 1, "catalogs")
    return images


def _check_columns(columns: DirectoryColumns, findings: Findings) -> None:
    """Find presence marks beyond the last image or the values, and remains of unfinished writes and deletions."""
    for left in columns.leftovers():
        findings.wrong(f"columns: {left.name} was left behind by an interrupted run", partial(shutil.rmtree, left))
    for name in columns.names():
        try:
            marks = columns.unfounded(name)
        except (StoreDamaged, OSError):
            continue  # told with the checksums of all columns
        if len(marks):
            findings.wrong(
                f"column {name}: {len(marks)} rows are marked present and have no values",
                partial(columns.forget, name, marks),
            )
