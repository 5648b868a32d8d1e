"""Whether a catalog belongs to the images beside it: an empty or foreign one is never opened as new.

`workspace.id` lies beside the catalog and holds the id that was made with it. Where it is missing, as in a workspace of
an earlier version, the names of the shards tell: each is made once, and the catalog lists those that it refers to.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from thresher.errors import StoreDamaged, ThresherError
from thresher.records import new_id
from thresher.store.directory import shards
from thresher.store.files import write_whole
from thresher.store.findings import RECOVER
from thresher.store.sqlite.connection import Catalog

FILE: Final = "workspace.id"
BACKUP: Final = f"restore catalog.sqlite from a backup; without one, {RECOVER} makes a catalog from the stored images"


def holds_images(images: Path) -> bool:
    """Whether there are shards."""
    return images.is_dir() and bool(shards.names(images))


def no_catalog(directory: Path, what: str) -> StoreDamaged:
    """The error for images without their catalog."""
    return StoreDamaged(f"{what}, and images/ contains stored images.", where=str(directory), next=BACKUP)


def must_have_content(catalog: Path, images: Path) -> None:
    """Raise StoreDamaged for a catalog that has no tables: a catalog is never made in two steps."""
    try:
        with sqlite3.connect(f"{catalog.resolve().as_uri()}?mode=ro", uri=True) as sql:
            tables = sql.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        sql.close()
    except sqlite3.DatabaseError:  # told where it is opened
        return
    if not tables:
        if holds_images(images):
            raise no_catalog(catalog.parent, "the catalog is empty")
        raise StoreDamaged("the catalog is empty.", where=str(catalog), next=BACKUP)


def must_belong(catalog: Catalog, directory: Path, images: Path, *, adopt: bool = False) -> None:
    """Raise StoreDamaged for the catalog of another workspace; note the id where there is none, or with `adopt`."""
    beside, own = _noted(directory), _identity(catalog)
    if own and own == beside:
        return
    if not adopt and not _by_shards(catalog, images, noted=bool(beside)):
        raise StoreDamaged(
            "the catalog belongs to another workspace than the images beside it.",
            where=str(directory),
            next=BACKUP.replace("makes a catalog from", "takes this one and adds"),
        )
    with suppress(ThresherError):  # a workspace that can only be read
        if not own:
            own = give_identity(catalog, "" if adopt else beside)
        write_whole(directory / FILE, f"{own}\n".encode())


def give_identity(catalog: Catalog, identity: str = "") -> str:
    """The id of a catalog, made now if it has none."""
    with catalog.writing(durable=True) as sql:
        made = (identity or new_id()).encode()
        sql.execute("INSERT INTO one (key, value) VALUES ('identity', ?) ON CONFLICT DO NOTHING", (made,))
    return _identity(catalog)


def _identity(catalog: Catalog) -> str:
    with catalog.reading() as sql:
        found = sql.execute("SELECT value FROM one WHERE key = 'identity'").fetchone()
    return bytes(found[0]).decode() if found else ""


def _noted(directory: Path) -> str:
    try:
        return (directory / FILE).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _by_shards(catalog: Catalog, images: Path, *, noted: bool) -> bool:
    """Whether the catalog refers to some shard here, or there is none that a run has finished."""
    if not images.is_dir():
        return True
    with catalog.reading() as sql:
        known = {name for (name,) in sql.execute("SELECT name FROM shard")}
    there = shards.names(images)
    unknown_closed = any((images / (name + shards.CLOSED)).exists() for name in there - known)
    if noted:  # of a catalog with another id, or none
        return bool(there & known) if there else not known
    return bool(there & known) or not unknown_closed
