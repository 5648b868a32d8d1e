"""The generic kinds of store/kinds.py in SQLite: a table per kind, named as the kind, a column per field.

Lines of a category have its id in the column "category", before their keys.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from thresher.store.contract.lines import ANYTHING
from thresher.store.lines import KeptLines, Wanted
from thresher.store.shapes import Field, Kind, Line, Named, Type, read_line, reader
from thresher.store.sqlite import connection, counters
from thresher.store.sqlite.counters import WORKSPACE, category_id
from thresher.store.sqlite.part import Part

Sql = sqlite3.Connection
COLUMNS: Final[Mapping[Type, str]] = {
    Type.INT: "INTEGER", Type.REAL: "REAL", Type.TEXT: "TEXT", Type.BOOL: "INTEGER", Type.BLOB: "BLOB",
    Type.JSON: "TEXT",
}  # fmt: skip


class SqliteLines(Part, KeptLines):
    """Lines of the generic kinds, as rows."""

    def get(self, kind: Kind, key: Sequence[Any], category: str = "") -> dict[str, Any] | None:
        with self.catalog.reading() as sql:
            terms = _Terms(kind, self._of(sql, kind, category), kind.keyed(key))
            return _first(sql, kind, terms, kind.fields)

    def many(self, kind: Kind, keys: Sequence[Sequence[Any]], category: str = "") -> list[dict[str, Any] | None]:
        with self.catalog.reading() as sql:
            of = self._of(sql, kind, category)
            return [_first(sql, kind, _Terms(kind, of, kind.keyed(key)), kind.light) for key in keys]

    def _add(self, kind: Kind, lines: Sequence[Named], category: str) -> int:
        with self.catalog.writing(durable=kind.durable) as sql:
            of = self._of(sql, kind, category)
            new = sum(insert(sql, kind, of, line) for line in lines)
            _move(sql, kind, of, new > 0)
            return new

    def _page(self, kind: Kind, category: str, wanted: Wanted, fields: Sequence[Field]) -> list[dict[str, Any]]:
        with self.catalog.reading() as sql:
            return select(sql, kind, self._of(sql, kind, category), wanted, fields)

    def _set(self, kind: Kind, category: str, where: Named, changes: Named | None) -> dict[str, Any] | None:
        with self.catalog.writing(durable=kind.durable) as sql:
            of = self._of(sql, kind, category)
            terms = _Terms(kind, of, where)
            before = _first(sql, kind, terms, kind.light) if kind.counters else None
            setting = ", ".join(f"{name} = ?" for name in changes or ())
            found = sql.execute(
                f"""{f"UPDATE {kind.name} SET {setting}" if changes else f"DELETE FROM {kind.name}"} {terms}
                    RETURNING {named(kind.light)}""",
                (*(changes or {}).values(), *terms.values),
            ).fetchone()
            line = read_line(kind.light, found) if found else None
            _count(sql, kind, of, before, line if changes else None)
            _move(sql, kind, of, line is not None)
            return line

    def count(self, kind: Kind, category: str = "", *, where: Named = ANYTHING) -> int:
        with self.catalog.reading() as sql:
            terms = _Terms(kind, self._of(sql, kind, category), where)
            counted = f"SELECT count(*) FROM {kind.name} {_by_index(kind, where)} {terms}"
            return int(sql.execute(counted, terms.values).fetchone()[0])

    def counted(self, kind: Kind, category: str = "") -> dict[str, dict[str, int]]:
        with self.catalog.reading() as sql:
            of = self._of(sql, kind, category)
            return {one.name: counters.values(sql, of, f"{one.name}:") for one in kind.counters}

    def _of(self, sql: Sql, kind: Kind, category: str) -> int:
        return category_id(self.catalog, sql, category) if kind.of_category else WORKSPACE


class _Terms:
    """The conditions of an SQL statement, and their values."""

    def __init__(self, kind: Kind, of: int, where: Named) -> None:
        self.terms: list[str] = []
        self.values: list[Any] = []
        if kind.of_category:
            self.add("category = ?", of)
        for name, value in kind.kept(where).items():
            self.add(f"{name} IS ?", value)

    def add(self, term: str, *values: Any) -> None:  # noqa: ANN401 -- whatever a column holds
        """Add a condition."""
        self.terms.append(term)
        self.values += values

    def __str__(self) -> str:
        return f"WHERE {' AND '.join(self.terms)}" if self.terms else ""


def select(
    sql: Sql, kind: Kind, of: int, wanted: Wanted, fields: Sequence[Field], source: str = ""
) -> list[dict[str, Any]]:
    """Some fields of a page of lines, out of the table of their kind or another `source` with the same columns."""
    order, direction = kind.order(wanted.by), "DESC" if wanted.descending else "ASC"
    terms = _Terms(kind, of, wanted.where)
    if wanted.after is not None:
        there = kind.kept({name: wanted.after[name] for name in order})
        beyond = f"({', '.join(order)}) {'<' if wanted.descending else '>'} ({marks(order)})"
        terms.add(beyond, *there.values())
    found = sql.execute(
        f"""SELECT {named(fields)} FROM {source or kind.name} {_by_index(kind, wanted.where, wanted.by)} {terms}
            ORDER BY {", ".join(f"{name} {direction}" for name in order)} LIMIT ?""",
        (*terms.values, -1 if wanted.limit is None else wanted.limit),
    )
    return list(map(reader(fields), found))


def replace(sql: Sql, kind: Kind, of: int, lines: Iterable[Line]) -> None:
    """Store lines of a category with plain values, replacing those with the same keys."""
    names = ("category", *kind.names)
    statement = f"INSERT OR REPLACE INTO {kind.name} ({', '.join(names)}) VALUES ({marks(names)})"
    sql.executemany(statement, ((of, *line) for line in lines))


def _by_index(kind: Kind, where: Named, by: Sequence[str] = ()) -> str:
    """The clause that names the index for a page: without statistics, SQLite assumes ten lines per category."""
    names = {*where, *by}
    made = (index for index in kind.indexes if index.fields[0] in where and names.issuperset(index.fields))
    return next((f"INDEXED BY {kind.name}_{index.name}" for index in made), "")


def insert(sql: Sql, kind: Kind, of: int, line: Named) -> bool:
    """Add a line within a transaction; returns whether it was new."""
    kept = ({"category": of} if kind.of_category else {}) | kind.kept_whole(line)
    new = connection.insert(sql, kind.name, kept, clash="IGNORE").rowcount > 0
    if new:
        _count(sql, kind, of, None, line)
    return new


def _first(sql: Sql, kind: Kind, terms: _Terms, fields: tuple[Field, ...]) -> dict[str, Any] | None:
    found = sql.execute(f"SELECT {named(fields)} FROM {kind.name} {terms}", terms.values).fetchone()
    return read_line(fields, found) if found else None


def _count(sql: Sql, kind: Kind, of: int, before: Named | None, after: Named | None) -> None:
    for (name, which), moved in kind.moves(before, after).items():
        counters.add(sql, of, f"{name}:{which}", moved)


def _move(sql: Sql, kind: Kind, of: int, changed: bool) -> None:
    if changed and kind.mark:
        counters.move(sql, of, [kind.mark])


def named(fields: Sequence[Field]) -> str:
    """The column names of fields."""
    return ", ".join(field.name for field in fields)


def marks(values: Collection[object]) -> str:
    """So many question marks."""
    return ", ".join("?" * len(values))


def statements(kind: Kind, schema: int) -> Iterator[str]:
    """The SQL statements by which a schema adds a kind: its table, a further column, a further index."""
    if kind.since == schema and kind.generic:
        columns = [_column(field) for field in kind.fields if field.since <= schema]
        keys = kind.key_names
        if kind.of_category:
            columns, keys = ["category INTEGER NOT NULL", *columns], ("category", *keys)
        # bytes of any length lie badly in the tree of a table without row ids
        heavy = any(field.type is Type.BLOB for field in kind.fields)
        options = "STRICT" if heavy else "STRICT, WITHOUT ROWID"
        yield f"CREATE TABLE {kind.name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(keys)})) {options}"
    for field in kind.fields:
        if kind.since < field.since == schema:
            yield f"ALTER TABLE {kind.name} ADD COLUMN {_column(field)}"
    for index in kind.indexes:
        if max(kind.since, index.since) == schema:
            fields = (*(["category"] if kind.of_category else []), *index.fields, *kind.key_names)
            yield f"CREATE INDEX {kind.name}_{index.name} ON {kind.name} ({', '.join(fields)})"


def _column(field: Field) -> str:
    column = f"{field.name} {COLUMNS[field.type]}{'' if field.null else ' NOT NULL'}"
    return column if field.default is None else f"{column} DEFAULT {_literal(field.kept(field.default))}"


def _literal(value: str | float) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else json.dumps(value)
