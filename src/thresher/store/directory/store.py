"""The embedded store: a directory with a catalog, tar shards and columns. No server, nothing to configure.

catalog.sqlite    rows, questions, labels, asks, assignments: everything except the bytes
images/*.tar      the unchanged images
columns/          embeddings and scores
quarantine/       images that no row referred to, if there were any
workspace.id      the id of the catalog that belongs to these images
renderings/       images kept by reference, as people saw them
"""

import os
import secrets
from collections.abc import Callable, Collection
from pathlib import Path

from thresher.errors import StoreDamaged, StoreUnavailable
from thresher.records import NewImage, new_id, now_ms
from thresher.settings import Settings
from thresher.store.columns import whose
from thresher.store.contract import PARTS, Part, Recovered, Report, Store
from thresher.store.directory import identity, shards
from thresher.store.directory.check import check
from thresher.store.directory.check_shards import Shards
from thresher.store.directory.columns import DirectoryColumns
from thresher.store.directory.objects import Objects
from thresher.store.directory.recover import recover
from thresher.store.directory.renderings import DirectoryRenderings
from thresher.store.files import alone, told
from thresher.store.findings import Findings
from thresher.store.kinds import KINDS
from thresher.store.opened import OpenedStore
from thresher.store.shapes import Kinds
from thresher.store.sqlite import counters
from thresher.store.sqlite.asks import SqliteAsks
from thresher.store.sqlite.categories import SqliteCategories
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.images import SqliteImages
from thresher.store.sqlite.labels import SqliteLabels
from thresher.store.sqlite.lines import SqliteLines
from thresher.store.sqlite.migrations import migrate, steps_of
from thresher.store.sqlite.transfer import SqliteTransfer
from thresher.store.sqlite.work import SqliteWork

CATALOG = "catalog.sqlite"
IMAGES = "images"
COLUMNS = "columns"
RENDERINGS = "renderings"


class DirectoryStore(OpenedStore):
    """A workspace in a directory."""

    def __init__(self, directory: Path, settings: Settings, kinds: Kinds = KINDS) -> None:
        self.directory = directory
        self.settings = settings
        self.kinds = kinds
        self.catalog = Catalog(directory / CATALOG)
        self.writer = shards.Writer(directory / IMAGES, shard_bytes=settings.shard_bytes)
        elsewhere = Objects(settings.shards) if settings.shards else None
        self.reader = shards.Reader(directory / IMAGES, elsewhere)
        super().__init__(SqliteLines(self.catalog))
        self.images = SqliteImages(self.catalog, self.writer, self.reader)
        self.renderings = DirectoryRenderings(directory / RENDERINGS)
        self.categories = SqliteCategories(self.catalog)
        self.labels = SqliteLabels(self.catalog)
        self.asks = SqliteAsks(self.catalog)
        self.work = SqliteWork(self.catalog)
        self.matrices = DirectoryColumns(directory / COLUMNS, self.images.top, self._column_moved)
        self.columns = self.matrices
        self.transfer = SqliteTransfer(self.catalog, self.writer, kinds)

    @property
    def place(self) -> str:
        return str(self.directory)

    def secret(self) -> bytes:
        with self.catalog.reading() as sql:
            return bytes(sql.execute("SELECT value FROM one WHERE key = 'secret'").fetchone()[0])

    def _compare(self, findings: Findings) -> None:
        check(Shards(self.catalog, self.writer, self.reader), self.matrices, self.kinds, findings)

    def recover(self, admit: Callable[[bytes], NewImage | None], *, report: Report | None = None) -> Recovered:
        done = recover(Shards(self.catalog, self.writer, self.reader), self.kinds, admit, report)
        self._move(PARTS)
        return done

    def _move(self, parts: Collection[Part]) -> None:
        with self.catalog.writing() as sql:
            counters.move(sql, counters.WORKSPACE, parts)

    def _column_moved(self, name: str) -> None:
        with self.catalog.writing() as sql:
            found = sql.execute("SELECT id FROM category WHERE name = ?", (whose(name),)).fetchone()
            counters.move(sql, found[0] if found else counters.WORKSPACE, ["columns"])

    def close(self) -> None:
        self.writer.close()
        self.reader.close()
        self.catalog.close()

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the place only; the other process opens the workspace itself."""
        return (DirectoryStore, (self.directory, self.settings, self.kinds))


def open_directory(
    place: str, settings: Settings, *, create: bool = False, recover: bool = False, kinds: Kinds = KINDS
) -> Store:
    """Open the workspace in a directory, or with `create` make it. Raises StoreUnavailable if there is none.

    Raises StoreDamaged for an empty catalog, and for that of another workspace. With `recover` an empty one is set
    aside and a new one made, and a foreign one is taken.
    """
    directory = Path(place).absolute()
    try:
        there = (directory / CATALOG).exists()
        if recover and identity.holds_images(directory / IMAGES):
            there = _make_anew(directory, kinds)
        elif not there and identity.holds_images(directory / IMAGES):
            raise identity.no_catalog(directory, "there is no catalog.sqlite here")
        elif create:
            _make(directory, kinds)
            there = True
        if there:
            identity.must_have_content(directory / CATALOG, directory / IMAGES)
    except OSError as error:
        raise told(error, directory) from error
    if not there:
        raise StoreUnavailable(
            "there is no workspace here.",
            where=str(directory),
            next="cd into a workspace, or make one: thresher init NAME",
        )
    store = DirectoryStore(directory, settings, kinds)
    migrate(store.catalog, directory, now_ms(), steps_of(kinds))
    identity.must_belong(store.catalog, directory, directory / IMAGES, adopt=recover)
    return store


def _make(directory: Path, kinds: Kinds) -> None:
    """Create the missing parts of a workspace; the catalog comes last, in one step, so it is complete or absent."""
    directory.mkdir(parents=True, exist_ok=True)
    for inside in (IMAGES, COLUMNS):
        (directory / inside).mkdir(mode=0o700, exist_ok=True)  # as private as the catalog
    with alone(directory, os.O_RDONLY):  # two `thresher init` at once make one workspace
        if not (directory / CATALOG).exists():
            _make_catalog(directory, kinds)


def _make_anew(directory: Path, kinds: Kinds) -> bool:
    """Make a catalog where it is missing or empty; an empty one is set aside."""
    with alone(directory, os.O_RDONLY):
        path = directory / CATALOG
        try:
            if path.exists():
                identity.must_have_content(path, directory / IMAGES)
        except StoreDamaged:
            aside = new_id()
            for file in directory.glob(f"{CATALOG}*"):  # with the log of its transactions
                file.rename(directory / f"{file.name}.empty-{aside}")
        if not path.exists():
            _make_catalog(directory, kinds)
    return True


def _make_catalog(directory: Path, kinds: Kinds) -> None:
    path = directory / f"{CATALOG}.making"
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))  # it holds the key of every link
    catalog = Catalog(path)
    migrate(catalog, directory, now_ms(), steps_of(kinds))
    with catalog.writing() as sql:
        sql.execute("INSERT INTO one (key, value) VALUES ('secret', ?)", (secrets.token_bytes(32),))
    identity.give_identity(catalog)
    catalog.close()
    path.rename(directory / CATALOG)
