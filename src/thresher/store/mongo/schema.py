"""What a workspace is made of in MongoDB: the collections, their indexes, and the schema's number.

Uniqueness is always carried by `_id`, because a sharded cluster keeps no other one; so every collection is sharded by
`{_id: "hashed"}`: `sh.shardCollection("database.collection", {_id: "hashed"})` is the one command for each, given after
`thresher init` (docs/reference-mongodb.md).
"""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import CollectionInvalid, DuplicateKeyError

from thresher.errors import StoreUnavailable, WrongSchema
from thresher.records import new_id
from thresher.store.mongo.link import Document, Link
from thresher.store.mongo.names import note_namesakes

Step = Callable[[Link], None]
# from each schema to the next; a released one is never edited, and made twice it does no more than once
STEPS: Final[tuple[Step, ...]] = (note_namesakes,)
SCHEMA: Final = len(STEPS) + 1
WORKSPACE: Final = "workspace"
MAKERS: Final = 8
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


COLLECTIONS: Final = (
    Made("bytes", "encoded pictures, by SHA-256", plain=True),
    Made(
        "images",
        "the catalog of pictures, by row",
        (_index("_id", "similar", partialFilterExpression={"similar": {"$exists": True}}),),
    ),
    Made("renderings", "pictures as people saw them, whose bytes lie elsewhere", plain=True),
    Made("names", "the row of each SHA-256 and alias"),
    Made("fingerprints", "the row that represents each similar group"),
    Made("numbers", "the next row, ask, task and refusal"),
    Made("counts", "maintained counters, each in slots that writers draw at random"),
    Made("categories", "questions with their versions and targets"),
    Made("pool", "which rows a category has, and where they came from"),
    Made("refusals", "candidates that were not admitted", (_index("category", "number"),)),
    Made("labels", "what is held true, by row and source"),
    Made("gold", "labels that workers are checked by"),
    Made(
        "votes",
        "valid answers on asked images, by row and time",
        (_index("_id.category", "_id.version", "_id.row"),),
    ),
    Made("gold_answers", "reviewed answers on gold"),
    Made(
        "asks",
        "wishes whose answers are not all in",
        (
            _index(
                "category", "version", "owner_only", "-priority", "draw", "number",
                name="waiting", partialFilterExpression={"waiting": True},
            ),
            _index("number"),
            _index("task", partialFilterExpression={"task": {"$exists": True}}),
        ),
    ),
    Made(
        "tasks",
        "published lists of asked images",
        (
            _index("category", "_id"),
            _index("category", "version", "owner_only", "_id", partialFilterExpression={"free": {"$gt": 0}}),
        ),
    ),
    Made("desks", "the one assignment each worker holds of a question"),
    Made(
        "assignments",
        "leases, drafts, answers and reviews",
        (
            _index("category", "_id"),
            _index("worker", "category", "_id"),
            _index("worker", "_id"),
            _index("lease_until_ms", partialFilterExpression={"stage": "leased"}),
            _index("category", "sent_ms", "_id", partialFilterExpression={"stage": "sent"}),
        ),
    ),
    Made("workers", "people"),
    Made("invites", "links that mint people"),
    Made("columns", "width, type and newest part of each column"),
    Made("column_parts", "which rows a part of a column holds, in the order they were written"),
    Made("blobs", "values of columns, heads and evidence, in pieces", plain=True),
    Made("rounds", "trainings"),
    Made("evidence", "the frozen state of certificates"),
    Made("releases", "exported versions", (_index("category", "at_ms", "_id"),)),
    Made("jobs", "records of separate processes"),
    Made("leases", "who may run what there is one of"),
)  # fmt: skip


def make(link: Link) -> None:
    """Make what is not there yet; the workspace's own document comes last, so that a half-made one is made again."""
    there = set(link.database.list_collection_names())
    # eight at once: each waits for a majority, and a first start should not
    with ThreadPoolExecutor(MAKERS) as makers:
        for _ in makers.map(lambda made: _make(link, made, made.name in there), COLLECTIONS):
            pass
    document = {"_id": WORKSPACE, "schema": SCHEMA, "identity": new_id(), "secret": secrets.token_bytes(32)}
    with suppress(DuplicateKeyError):  # it was there already, or another `thresher init` was faster
        link.table(WORKSPACE).insert_one(document)


def _make(link: Link, made: Made, there: bool) -> None:
    if not there:
        options: dict[str, Any] = PLAIN if made.plain else {}
        with suppress(CollectionInvalid):
            link.database.create_collection(made.name, check_exists=False, **options)
    if made.indexes:
        link.table(made.name).create_indexes(list(made.indexes))


def open_workspace(link: Link, *, create: bool, steps: tuple[Step, ...] = STEPS) -> Document:
    """The workspace's own document, brought to the newest schema; with `create` made where there is none.

    Raises StoreUnavailable where there is none, WrongSchema where a newer thresher has been.
    """
    newest = len(steps) + 1
    found = _read(link)
    if found is None and create:
        make(link)
        found = _read(link)
    if found is None:
        raise StoreUnavailable("no workspace here.", where=link.shown, next=f"thresher init {link.shown}")
    if found["schema"] > newest:
        raise WrongSchema(
            f"the workspace has schema {found['schema']}; this thresher knows {newest}.",
            where=link.shown,
            next="pip install --upgrade thresher",
        )
    for number in range(found["schema"], newest):
        steps[number - 1](link)  # a step may be made twice: by two who open at once, or by one that was killed
        link.table(WORKSPACE).update_one({"_id": WORKSPACE, "schema": number}, {"$set": {"schema": number + 1}})
    return found


def _read(link: Link) -> Document | None:
    return link.table(WORKSPACE).find_one({"_id": WORKSPACE})
