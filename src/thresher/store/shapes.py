"""The types of the table of kinds (kinds.py): kinds of line with their fields, indexes and counters."""

import enum
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from thresher.errors import BadInput, WrongSchema

Line = tuple[Any, ...]
"""The values of a line in the order of its kind's fields: what travels from store to store."""
Named = Mapping[str, Any]
"""The same values by field."""


class Type(enum.StrEnum):
    """The type of a field. JSON is a list or a dictionary; a blob is bytes of any length."""

    INT = "int"
    REAL = "real"
    TEXT = "text"
    BOOL = "bool"
    BLOB = "blob"
    JSON = "json"


# how a database keeps a value of each type, and how it is read back
_KEPT: Final[Mapping[Type, Callable[[Any], Any]]] = {
    Type.INT: int, Type.REAL: float, Type.TEXT: str, Type.BOOL: bool, Type.BLOB: bytes, Type.JSON: json.dumps,
}  # fmt: skip
_READ: Final[Mapping[Type, Callable[[Any], Any]]] = {Type.BOOL: bool, Type.BLOB: bytes, Type.JSON: json.loads}


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `since` is the schema that added it; older lines then have its `default`."""

    name: str
    type: Type = Type.TEXT
    null: bool = False
    since: int = 1
    default: Any = None

    def kept(self, value: Any) -> Any:  # noqa: ANN401 -- whatever the type says
        """A value as a database stores it: JSON as text, a member of an enumeration as its text."""
        if value is None and self.null:
            return None
        return _KEPT[self.type](value)

    def read(self, value: Any) -> Any:  # noqa: ANN401 -- whatever the type says
        """A value from a database."""
        read = _READ.get(self.type)
        return value if read is None or value is None else read(value)


@dataclass(frozen=True, slots=True)
class Index:
    """An index: lines are found by these fields, and ordered by them and then by their keys; never unique."""

    name: str
    fields: tuple[str, ...]
    since: int = 1


@dataclass(frozen=True, slots=True)
class Counter:
    """A number updated with every change of the lines: how many there are, or the sum of the integer field `of`.

    With `by`, one number for each value of that text field.
    """

    name: str
    by: str = ""
    of: str = ""

    def moves(self, line: Named, times: int) -> dict[tuple[str, str], int]:
        """By how much a line changes the counters named (name, value of `by`)."""
        return {(self.name, str(line[self.by]) if self.by else ""): times * (int(line[self.of]) if self.of else 1)}


@dataclass(frozen=True)
class Kind:
    """One kind of line: its fields, of which the first `keys` name it and order it.

    `of_category` lines belong to a category. `generic` ones are stored and read wholly by this table; the others have
    code of their own in each store. `since` is the schema that added the kind, `at_once` how many lines are copied
    together. Lines that are not `durable` may be lost in a power failure; those that do not `travel` are not copied.
    `mark` is the part of the change mark that a change of the lines moves (contract/categories.py), if any.
    """

    name: str
    story: str
    fields: tuple[Field, ...]
    keys: int = 1
    of_category: bool = True
    generic: bool = False
    indexes: tuple[Index, ...] = ()
    counters: tuple[Counter, ...] = ()
    since: int = 1
    at_once: int = 1000
    durable: bool = True
    travels: bool = True
    mark: str = ""
    plural: str = ""
    """The name of MongoDB's collection, where it is not the kind's name and an s."""

    @property
    def collection(self) -> str:
        """The name of the MongoDB collection."""
        return self.plural or f"{self.name}s"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(field.name for field in self.fields)

    @cached_property
    def key_names(self) -> tuple[str, ...]:
        """The names of the fields that name a line."""
        return self.names[: self.keys]

    @cached_property
    def light(self) -> tuple[Field, ...]:
        """The fields without blobs, as pages return them."""
        return tuple(field for field in self.fields if field.type is not Type.BLOB)

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """The fields, by name."""
        return {field.name: field for field in self.fields}

    def key(self, line: Line) -> Line:
        """The key of a line."""
        return line[: self.keys]

    def named(self, line: Line) -> dict[str, Any]:
        """The values of a line, by field."""
        return dict(zip(self.names, line, strict=True))

    def keyed(self, key: Sequence[Any]) -> dict[str, Any]:
        """The values of a key, by field. Raises BadInput for too many or too few."""
        if len(key) != self.keys:
            raise BadInput(f"the key of a {self.name} is {', '.join(self.key_names)}.")
        return dict(zip(self.key_names, key, strict=True))

    def order(self, by: Sequence[str]) -> tuple[str, ...]:
        """The fields that order lines: the given ones, then the rest of the key. Raises BadInput."""
        self._must_have(by)
        return (*by, *(name for name in self.key_names if name not in by))

    def kept(self, values: Named) -> dict[str, Any]:
        """Some fields as a database stores them. Raises BadInput for an unknown field."""
        self._must_have(values)
        return {name: self.by_name[name].kept(value) for name, value in values.items()}

    def _must_have(self, names: Iterable[str]) -> None:
        if strange := [name for name in names if name not in self.by_name]:
            raise BadInput(f"a {self.name} has no field {', '.join(sorted(strange))}.")

    def kept_changes(self, changes: Named) -> dict[str, Any]:
        """Changes of a line as a database stores them. Raises BadInput if they change the key, or nothing."""
        if not changes or changes.keys() & set(self.key_names):
            raise BadInput(f"a change of a {self.name} must change some field, but not {', '.join(self.key_names)}.")
        return self.kept(changes)

    def kept_whole(self, line: Named) -> dict[str, Any]:
        """A line as a database stores it. Raises BadInput if a field is missing."""
        if missing := set(self.names) - line.keys():
            raise BadInput(f"a {self.name} needs {', '.join(sorted(missing))}.")
        return self.kept(line)

    def moves(self, before: Named | None, after: Named | None) -> dict[tuple[str, str], int]:
        """By how much the counters change when a line is added, changed or deleted."""
        moved: dict[tuple[str, str], int] = {}
        for line, times in ((before, -1), (after, 1)):
            for counter in self.counters if line is not None else ():
                for name, by in counter.moves(line or {}, times).items():
                    moved[name] = moved.get(name, 0) + by
        return {name: by for name, by in moved.items() if by}


def read_line(fields: Iterable[Field], values: Sequence[Any]) -> dict[str, Any]:
    """The values of fields from a database, by name."""
    return reader(fields)(values)


def reader(fields: Iterable[Field]) -> Callable[[Sequence[Any]], dict[str, Any]]:
    """What reads lines of these fields: made once for many lines, it takes a third of the time."""
    fields = tuple(fields)
    names = [field.name for field in fields]
    changed = [(field.name, _READ[field.type]) for field in fields if field.type in _READ]

    def read(values: Sequence[Any]) -> dict[str, Any]:
        line = dict(zip(names, values, strict=True))
        for name, change in changed:
            if line[name] is not None:
                line[name] = change(line[name])
        return line

    return read


def fields_of(text: str) -> tuple[Field, ...]:
    """Fields written as "number int, name text, why text null": text where no type is given."""
    parts = (one.split() for one in text.split(","))
    return tuple(Field(name, Type(kind[0]) if kind else Type.TEXT, null="null" in kind[1:]) for name, *kind in parts)


Kinds = tuple[Kind, ...]


def schema_of(kinds: Kinds) -> int:
    """The number of the schema that includes all these kinds, fields and indexes."""
    kinds_since = max(kind.since for kind in kinds)
    fields_since = max(field.since for kind in kinds for field in kind.fields)
    indexes_since = max((index.since for kind in kinds for index in kind.indexes), default=1)
    return max(kinds_since, fields_since, indexes_since)


def newer_schema(there: int, known: int, place: str) -> WrongSchema:
    """The error for a workspace that a newer thresher has changed."""
    what = f"the workspace has schema {there}; this thresher knows {known}."
    return WrongSchema(what, where=place, next="pip install --upgrade thresher")
