"""The generic kinds of store/kinds.py in MongoDB: a collection per kind, a document per line, its `_id` the line's key.

A key of one field in a kind of the workspace is the `_id` itself; any other is a document of the category and the keys,
which sorts as they do. A blob field holds its SHA-256 (blobs.py), a JSON field its text, because JSON keys may be
anything.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from bson import Binary
from pymongo import ReplaceOne

from thresher.store.contract import PARTS, Part
from thresher.store.contract.lines import ANYTHING
from thresher.store.lines import KeptLines, Wanted
from thresher.store.mongo.blobs import get_blob, insert_new, put_blob
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.link import Document, Link, Session, Table, at_most, span
from thresher.store.mongo.link import Part as LinkedPart
from thresher.store.mongo.numbers import count_on, read_counts
from thresher.store.shapes import Field, Kind, Line, Named, Type


@plain_failures
class MongoLines(LinkedPart, KeptLines):
    """Lines of the generic kinds, as documents."""

    def _add(self, kind: Kind, lines: Sequence[Named], category: str) -> int:
        table = self._table(kind, category)
        made = [document(self.link, kind, category, line) for line in lines]
        if kind.counters or kind.mark:
            return self.link.transact(lambda session: self._add_counted(kind, made, category, session))
        return len(made) - len(insert_new(table, made))

    def _add_counted(self, kind: Kind, made: list[Document], category: str, session: Session) -> int:
        fresh: dict[Line, Document] = {}
        for one in made:
            fresh.setdefault(_key_of(one), one)
        wanted = {"_id": {"$in": [one["_id"] for one in fresh.values()]}}
        for one in self.link.table(kind.collection).find(wanted, {"_id": 1}, session=session):
            del fresh[_key_of(one)]
        insert(self.link, kind, category, list(fresh.values()), session)
        return len(fresh)

    def get(self, kind: Kind, key: Sequence[Any], category: str = "") -> dict[str, Any] | None:
        found = self._table(kind, category).find_one(having(kind, category, kind.keyed(key)))
        return line_of(self.link, kind, found, kind.fields) if found else None

    def many(self, kind: Kind, keys: Sequence[Sequence[Any]], category: str = "") -> list[dict[str, Any] | None]:
        wanted = [{"_id": _name(kind, category, kind.kept(kind.keyed(key)))} for key in keys]
        those = {"_id": {"$in": [one["_id"] for one in wanted]}}
        found = {_key_of(one): one for one in self._table(kind, category).find(those, _light(kind))}
        there = (found.get(_key_of(one)) for one in wanted)
        return [line_of(self.link, kind, one, kind.light) if one else None for one in there]

    def _page(self, kind: Kind, category: str, wanted: Wanted, fields: Sequence[Field]) -> list[dict[str, Any]]:
        table, those = self._table(kind, category), having(kind, category, wanted.where)
        if wanted.after is not None:
            behind = beyond(kind, category, wanted.after, wanted.by, "$lt" if wanted.descending else "$gt")
            those = {"$and": [those, behind]}
        # what is alike in the fields `by` comes in the order of its key, which is that of its _id
        places = [*(path(kind, name) for name in kind.order(wanted.by)[: len(wanted.by)]), "_id"]
        order = [(place, -1 if wanted.descending else 1) for place in places]
        found = table.find(those, _light(kind)).sort(order)
        limited = found if wanted.limit is None else at_most(found, wanted.limit)
        return [line_of(self.link, kind, one, fields) for one in limited]

    def _set(self, kind: Kind, category: str, where: Named, changes: dict[str, Any] | None) -> dict[str, Any] | None:
        table, wanted, light = self._table(kind, category), having(kind, category, where), _light(kind)
        kept = _blobs_put(self.link, kind, changes or {})

        def work(session: Session | None) -> dict[str, Any] | None:
            if changes:
                one = table.find_one_and_update(wanted, {"$set": kept}, projection=light, session=session)
            else:
                one = table.find_one_and_delete(wanted, projection=light, session=session)
            before = line_of(self.link, kind, one, kind.light) if one else None
            after = line_of(self.link, kind, {**one, **kept}, kind.light) if one else None
            if session is not None:
                moved = kind.moves(before, after if changes else None)
                count_on(self.link, category, moved, session, moves=_marked(kind) if one else ())
            return after

        # one change of one document is a commit by itself; with counters or a mark it is a transaction
        return self.link.transact(work) if kind.counters or kind.mark else work(None)

    def count(self, kind: Kind, category: str = "", *, where: Named = ANYTHING) -> int:
        return int(self._table(kind, category).count_documents(having(kind, category, where)))

    def counted(self, kind: Kind, category: str = "") -> dict[str, dict[str, int]]:
        self._table(kind, category)
        kept = read_counts(self.link, category)
        return {counter.name: kept.get(counter.name, {}) for counter in kind.counters}

    def _table(self, kind: Kind, category: str) -> Table:
        """The collection of a kind. Raises NotFound for a category nobody made."""
        if kind.of_category:
            self.link.must_know(category)
        return self.link.table(kind.collection)


def insert(link: Link, kind: Kind, category: str, made: list[Document], session: Session) -> None:
    """Add documents that do not exist yet, and update their kind's counters, within a transaction."""
    if not made:
        return
    link.table(kind.collection).insert_many(made, session=session)
    moved: Counter[tuple[str, str]] = Counter()
    for one in made if kind.counters else ():
        moved.update(kind.moves(None, line_of(link, kind, one, kind.light)))
    count_on(link, category, moved, session, moves=_marked(kind))


def _marked(kind: Kind) -> tuple[Part, ...]:
    """The part of the change mark that a kind moves."""
    return tuple(part for part in PARTS if part == kind.mark)


def document(link: Link, kind: Kind, category: str, line: Named) -> Document:
    """The document of a line; its blobs are stored first."""
    kept = _blobs_put(link, kind, kind.kept_whole(line))
    key = {name: kept.pop(name) for name in kind.key_names}
    return {"_id": _name(kind, category, key), **kept}


def line_of(link: Link, kind: Kind, one: Document, fields: Sequence[Field]) -> dict[str, Any]:
    """Some fields of the line in a document."""
    there = {**one, **(one["_id"] if _is_compound(kind) else {kind.key_names[0]: one["_id"]})}
    whole = (get_blob(link, there[f.name]) if _is_blob(f) and there[f.name] else there[f.name] for f in fields)
    return {field.name: field.read(value) for field, value in zip(fields, whole, strict=True)}


def row_document(kind: Kind, category: str, line: Line) -> Document:
    """The document of a line of a category, for a kind with plain values that has code of its own."""
    keys, rest = zip(kind.key_names, line, strict=False), zip(kind.names[kind.keys :], line[kind.keys :], strict=True)
    return {"_id": {"category": category, **dict(keys)}, **dict(rest)}


def rows_of(kind: Kind, found: Iterable[Document]) -> Iterator[Line]:
    """The lines of such documents, of a kind with several keys and several other fields."""
    keys, rest = itemgetter(*kind.key_names), itemgetter(*kind.names[kind.keys :])
    return ((*keys(one["_id"]), *rest(one)) for one in found)


def replacing(made: Iterable[Document]) -> list[ReplaceOne[Document]]:
    """The operations that write documents, replacing those with the same `_id`."""
    return [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in made]


def _blobs_put(link: Link, kind: Kind, kept: dict[str, Any]) -> dict[str, Any]:
    for field in kind.fields:
        if _is_blob(field) and kept.get(field.name) is not None:
            kept[field.name] = Binary(put_blob(link, kept[field.name]))
    return kept


def _is_blob(field: Field) -> bool:
    return field.type is Type.BLOB


def _light(kind: Kind) -> dict[str, int] | None:
    """The projection without blobs."""
    return {field.name: 0 for field in kind.fields if _is_blob(field)} or None


def _is_compound(kind: Kind) -> bool:
    return kind.of_category or kind.keys > 1


def _name(kind: Kind, category: str, key: Named) -> Any:  # noqa: ANN401 -- whatever an _id is
    if not _is_compound(kind):
        return key[kind.key_names[0]]
    return {**({"category": category} if kind.of_category else {}), **key}


def _key_of(one: Document) -> Line:
    return tuple(one["_id"].values()) if isinstance(one["_id"], dict) else (one["_id"],)


def path(kind: Kind, name: str) -> str:
    """The path of a field in the documents of a kind."""
    if name not in kind.key_names:
        return name
    return f"_id.{name}" if _is_compound(kind) else "_id"


def having(kind: Kind, category: str, where: Named) -> Document:
    """The filter for lines of a category whose fields have values; if all key fields are given, a filter by `_id`."""
    kept = kind.kept(where)
    if kept.keys() >= set(kind.key_names):
        return {"_id": _name(kind, category, {name: kept.pop(name) for name in kind.key_names}), **kept}
    begins: Document = {"category": category} if kind.of_category else {}
    for name in kind.key_names:
        if name not in kept:
            break
        begins[name] = kept.pop(name)
    return {**(span(**begins) if begins else {}), **{path(kind, name): value for name, value in kept.items()}}


def beyond(kind: Kind, category: str, after: Named, by: Sequence[str] = (), way: str = "$gt") -> Document:
    """The filter for lines that follow another one in the order of some fields and then of the key."""
    there = kind.kept({name: after[name] for name in (*by, *kind.key_names)})
    marks = [(path(kind, name), there[name]) for name in by]
    marks.append(("_id", _name(kind, category, {name: there[name] for name in kind.key_names})))
    return {"$or": [{**dict(marks[:at]), place: {way: mark}} for at, (place, mark) in enumerate(marks)]}
