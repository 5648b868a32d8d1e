"""The base of the catalog's parts: their transactions, most of which concern one category.

Whoever writes says which parts of the category's change mark that moves (contract/categories.py).
"""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from thresher.records import Assignment
from thresher.store.contract import Part as Moved
from thresher.store.rules import no_such_row
from thresher.store.sqlite.assignments import load
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.counters import category_id, move


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
    def writing(
        self, category: str, moves: Collection[Moved], *, durable: bool = True
    ) -> Iterator[tuple[sqlite3.Connection, int]]:
        """A transaction, with the id of a category, that moves parts of its mark if it changes anything.

        Raises NotFound, also for a row that has no image.
        """
        try:
            with self.catalog.writing(durable=durable) as sql:
                key, before = category_id(self.catalog, sql, category), sql.total_changes
                yield sql, key
                if sql.total_changes != before:
                    move(sql, key, moves)
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
                raise
            raise no_such_row(set()) from error

    @contextmanager
    def changing(
        self, assignment: str, moves: Collection[Moved], *, durable: bool = False
    ) -> Iterator[tuple[sqlite3.Connection, Assignment]]:
        """A transaction, with an assignment, that moves parts of its category's mark if it changes anything."""
        with self.catalog.writing(durable=durable) as sql:
            there, before = load(sql, assignment), sql.total_changes
            yield sql, there
            if sql.total_changes != before:
                move(sql, category_id(self.catalog, sql, there.category), moves)
