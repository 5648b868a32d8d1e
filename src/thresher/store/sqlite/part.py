"""The base of the catalog's parts: their transactions, most of which concern one category."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from thresher.store.rules import no_such_row
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.counters import category_id


class Part:
    """A part of the catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    @contextmanager
    def reading(self, category: str) -> Iterator[tuple[sqlite3.Connection, int]]:
        """One moment of the catalog, with the id of a category. Raises NotFound."""
        with self.catalog.reading() as sql:
            yield sql, category_id(self.catalog, sql, category)

    @contextmanager
    def writing(self, category: str, *, durable: bool = True) -> Iterator[tuple[sqlite3.Connection, int]]:
        """A transaction, with the id of a category. Raises NotFound, also for a row that has no image."""
        try:
            with self.catalog.writing(durable=durable) as sql:
                yield sql, category_id(self.catalog, sql, category)
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
                raise
            raise no_such_row(set()) from error
