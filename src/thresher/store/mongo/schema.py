"""The schema of a workspace in MongoDB: the collections, their indexes, and the steps from one schema to the next.

Each kind of line has a collection that follows from the table of kinds (store/kinds.py); the others are listed here.
Uniqueness always comes from `_id`, because a sharded cluster enforces no other unique index; so every collection can be
sharded by `{_id: "hashed"}`: `sh.shardCollection("database.collection", {_id: "hashed"})` is the one command for each,
run after `thresher init` (docs/reference-mongodb.md).
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.errors import DuplicateKeyError, OperationFailure

from thresher.errors import StoreUnavailable
from thresher.records import Stage, new_id
from thresher.store.mongo import identity
from thresher.store.mongo.lines import path
from thresher.store.mongo.link import Document, Link, Session, batches, key
from thresher.store.mongo.numbers import count_on
from thresher.store.mongo.upgrade_images import is_left, one_document_an_image
from thresher.store.shapes import Kind, Kinds, newer_schema, schema_of

Step = Callable[[Link], None]
WORKSPACE: Final = "workspace"
UPGRADING: Final = "upgrading"
"""The field with the schema that the steps have come to, while they are being made."""
ONE_DOCUMENT_AN_IMAGE: Final = 5
MAKERS: Final = 8
AT_ONCE: Final = 1000
THERE_ALREADY: Final = 48
# pictures do not compress, and trying costs a core
PLAIN: Final = {"storageEngine": {"wiredTiger": {"configString": "block_compressor=none"}}}


@dataclass(frozen=True, slots=True)
class Made:
    """One collection: what a document of it is, and its further indexes. `plain` ones are not compressed."""

    name: str
    story: str
    indexes: tuple[IndexModel, ...] = ()
    plain: bool = False


def _index(*fields: str, **options: Any) -> IndexModel:  # noqa: ANN401 -- whatever MongoDB takes
    pairs = [(field.lstrip("-"), DESCENDING if field.startswith("-") else ASCENDING) for field in fields]
    return IndexModel(pairs, **options)


# what is behind the kinds of line
INTERNAL: Final = (
    Made("bytes", "encoded images, by SHA-256", plain=True),
    Made("quarantine", "encoded images that no row referred to", plain=True),
    Made("renderings", "images as people saw them, if their bytes are elsewhere", plain=True),
    Made("image_log", "the rows, SHA-256 and aliases of each batch of images, for lost documents"),
    Made("numbers", "the next row, ask, task and refusal; how many images there are, and which are being stored"),
    Made("counts", "maintained counters, each in slots that writers draw at random"),
    Made("desks", "the one assignment each worker holds of a question, and a mark of each who takes one"),
    Made("columns", "width, type and newest part of each column"),
    Made("column_parts", "which rows a part of a column holds, in the order they were written"),
    Made("blobs", "values of columns, heads and evidence, in pieces", plain=True),
)
# of the kinds that are written by hand; the generic ones declare theirs
INDEXES: Final[Mapping[str, tuple[IndexModel, ...]]] = {
    # by row, each name, the fingerprint of those that new ones are compared with, and the group
    "image": (
        _index("row"),
        _index("names", partialFilterExpression={"names": {"$exists": True}}),
        _index("fingerprint", partialFilterExpression={"alike": True}),
        _index("row", "copy_of", partialFilterExpression={"copy_of": {"$exists": True}}),
    ),
    "refusal": (_index("category", "number"),),
    "vote": (_index("_id.category", "_id.version", "_id.row"),),
    "ask": (
        _index(
            "category", "version", "owner_only", "-priority", "draw", "number",
            name="waiting", partialFilterExpression={"waiting": True},
        ),
        _index("number"),
        _index("task", partialFilterExpression={"task": {"$exists": True}}),
    ),
    "task": (
        _index("category", "_id"),
        _index("category", "version", "owner_only", "_id", partialFilterExpression={"free": {"$gt": 0}}),
    ),
    "assignment": (
        _index("category", "_id"),
        _index("worker", "category", "_id"),
        _index("worker", "_id"),
        _index("lease_until_ms", partialFilterExpression={"stage": "leased"}),
        _index("category", "sent_ms", "_id", partialFilterExpression={"stage": "sent"}),
    ),
}  # fmt: skip


def collections(kinds: Kinds) -> tuple[Made, ...]:
    """Every collection of a workspace."""
    return (*INTERNAL, *map(_of_kind, kinds))


def _of_kind(kind: Kind) -> Made:
    declared = (_index(*(path(kind, name) for name in index.fields), "_id") for index in kind.indexes)
    return Made(kind.collection, kind.story, (*INDEXES.get(kind.name, ()), *declared))


def make(link: Link, kinds: Kinds) -> None:
    """Make what is missing; the workspace's own document comes last, so an interrupted creation is repeated."""
    _make_all(link, collections(kinds))
    made = {"_id": WORKSPACE, "schema": schema_of(kinds), "identity": new_id(), "secret": secrets.token_bytes(32)}
    with suppress(DuplicateKeyError):  # it was there already, or another `thresher init` was faster
        link.table(WORKSPACE).insert_one(made)


def _make_all(link: Link, wanted: Iterable[Made]) -> None:
    there = set(link.database.list_collection_names())
    # eight at once: each waits for a majority, and a first start should not
    with ThreadPoolExecutor(MAKERS) as makers:
        for _ in makers.map(lambda made: _make(link, made, made.name in there), wanted):
            pass


def _make(link: Link, made: Made, there: bool) -> None:
    if not there:
        options: dict[str, Any] = PLAIN if made.plain else {}
        try:
            link.database.create_collection(made.name, check_exists=False, **options)
        except OperationFailure as error:
            if error.code != THERE_ALREADY:  # another one who makes or opens the workspace was faster
                raise
    if made.indexes:
        link.table(made.name).create_indexes(list(made.indexes))


def steps_of(kinds: Kinds) -> tuple[Step, ...]:
    """The steps from each schema to the next. A released step is never edited, and running it twice is harmless."""
    return tuple(partial(_step, kinds, schema) for schema in range(2, schema_of(kinds) + 1))


def _step(kinds: Kinds, schema: int, link: Link) -> None:
    """Make what is missing, fill in the fields that a schema adds, and run the changes written here by hand."""
    _make_all(link, collections(kinds))
    for kind in kinds:
        for field in kind.fields:
            if kind.since < field.since == schema:
                older = {field.name: {"$exists": False}}
                link.table(kind.collection).update_many(older, {"$set": {field.name: field.kept(field.default)}})
    for by_hand in STEPS_BY_HAND.get(schema, ()):
        by_hand(link)


def _list_reviews(link: Link) -> None:
    """Make the review of each assignment the first of its list; the assignment keeps its copy."""
    reviewed = link.table("assignments").find({"review": {"$exists": True}}, {"answers": 0, "dealt": 0, "asked": 0})
    for some in batches(reviewed, AT_ONCE):
        firsts = []
        for one in some:
            name = key(category=one["category"], assignment=one["_id"], number=1)
            line = {"version": one["version"], "worker": one["worker"], **one["review"]}
            # a list that is there already may be longer by now
            firsts.append(UpdateOne({"_id": name}, {"$setOnInsert": line}, upsert=True))
        link.table("reviews").bulk_write(firsts, ordered=False)


def _name_releases(link: Link) -> None:
    """Give releases keys within their category, as all lines of a category have."""
    table = link.table("releases")
    for one in list(table.find({"_id": {"$type": "string"}})):
        name = key(category=one["category"], id=one["_id"])
        table.update_one({"_id": name}, {"$setOnInsert": {"record": one["record"]}}, upsert=True)
        table.delete_one({"_id": one["_id"]})
    with suppress(OperationFailure):  # it is gone already
        table.drop_index([("category", ASCENDING), ("at_ms", ASCENDING), ("_id", ASCENDING)])


def _rename_evidence(link: Link) -> None:
    """Rename the field by which evidence refers to a blob to the name in the table of kinds."""
    link.table("evidence").update_many({"blob": {"$exists": True}}, {"$rename": {"blob": "data"}})


def _part_asks(link: Link) -> None:
    """Say of the asks that tasks carry that they are for all votes."""
    link.table("tasks").update_many({"asks.part": {"$exists": False}}, {"$set": {"asks.$[].part": 0}})


def _forget_groups(link: Link) -> None:
    """Drop the index of the groups that rested on equal fingerprints alone: nothing reads them any more."""
    with suppress(OperationFailure):  # it is gone already
        link.table("images").drop_index([("_id", ASCENDING), ("similar", ASCENDING)])


def _number_questions(link: Link) -> None:
    """Give each wording of a question its version, which was its place in the list."""
    for one in list(link.table("categories").find({"questions.version": {"$exists": False}}, {"questions": 1})):
        asked = [{"version": version, **question} for version, question in enumerate(one["questions"], 1)]
        link.table("categories").update_one({"_id": one["_id"]}, {"$set": {"questions": asked}})


def _reserve_leases(link: Link) -> None:
    """Reserve the answers of what is leased; where nothing is dealt yet, its images and the gold that is usual."""
    for leased in list(link.table("assignments").find({"stage": Stage.LEASED.value, "reserved": 0}, {"_id": 1})):
        link.transact(partial(_reserve_lease, link, leased["_id"]))


def _reserve_lease(link: Link, assignment: str, session: Session) -> None:
    leased = {"_id": assignment, "stage": Stage.LEASED.value, "reserved": 0}
    one = link.table("assignments").find_one(leased, session=session)
    if one is not None:  # else it was done by another one who opens the workspace
        answers = len(one["dealt"]) or len(one["asked"]) // 8 + 40
        link.table("assignments").update_one(leased, {"$set": {"reserved": answers}}, session=session)
        count_on(link, one["category"], {("reserved", ""): answers}, session)


STEPS_BY_HAND: Final[Mapping[int, tuple[Step, ...]]] = {
    2: (_list_reviews, _name_releases, _rename_evidence),
    3: (_part_asks, _forget_groups, _number_questions, _reserve_leases),
    ONE_DOCUMENT_AN_IMAGE: (one_document_an_image,),
}


def open_workspace(
    link: Link, kinds: Kinds, *, create: bool, recover: bool = False, steps: tuple[Step, ...] | None = None
) -> Document:
    """The workspace's own document, upgraded to the newest schema; with `create`, made if there is none.

    Raises StoreUnavailable if there is no workspace, WrongSchema if a newer thresher has written it, StoreDamaged if
    the database is not the whole of one workspace (identity.py), unless it is opened to `recover` it.
    """
    steps = steps_of(kinds) if steps is None else steps
    newest = len(steps) + 1
    found = _read(link)
    if found is None and not recover:
        identity.must_be_empty(link)
    if found is None and (create or (recover and identity.holds_images(link))):
        make(link, kinds)
        found = _read(link)
    if found is None:
        raise StoreUnavailable("no workspace here.", where=link.shown, next=f"thresher init {link.shown}")
    if found["schema"] > newest:
        raise newer_schema(found["schema"], newest, link.shown)
    # before the steps: one that runs on half a catalog takes away what could mend it
    identity.must_belong(link, found["identity"], adopt=recover)
    _upgrade(link, found, steps)
    return found


def _upgrade(link: Link, found: Document, steps: Sequence[Step]) -> None:
    """Make the steps from the schema that was found. One may be made twice: by two at once, or after a killed one."""
    newest = len(steps) + 1
    first = min(int(found.get(UPGRADING) or found["schema"]), ONE_DOCUMENT_AN_IMAGE - 1 if is_left(link) else newest)
    if first == newest:
        return
    # first of all, so that an earlier version is not opened on half a workspace
    begun = {"$set": {"schema": newest, UPGRADING: first}}
    link.table(WORKSPACE).update_one({"_id": WORKSPACE, "schema": found["schema"]}, begun)
    for number in range(first, newest):
        steps[number - 1](link)
        done: Document = {"$set": {UPGRADING: number + 1}} if number + 1 < newest else {"$unset": {UPGRADING: ""}}
        link.table(WORKSPACE).update_one({"_id": WORKSPACE, UPGRADING: number}, done)
    found["schema"] = newest


def _read(link: Link) -> Document | None:
    return link.table(WORKSPACE).find_one({"_id": WORKSPACE})
