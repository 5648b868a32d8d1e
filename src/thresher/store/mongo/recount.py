"""Counters compared with what they count: the only place that counts documents, all at one moment."""

from collections.abc import Iterable
from typing import Any, Final

from thresher.store.contract import PARTS
from thresher.store.findings import miscounted
from thresher.store.mongo.arriving import correct_images, count_images
from thresher.store.mongo.lines import path
from thresher.store.mongo.link import Link, Session
from thresher.store.mongo.names import STORED
from thresher.store.mongo.numbers import WORKSPACE, count_on
from thresher.store.shapes import Counter, Kind, Kinds

Name = tuple[str, str, str]
"""A counter: its category ("" for the workspace), its kind and which."""
Step = dict[str, Any]
IMAGES: Final[Name] = (WORKSPACE, "images", "")
"""How many images there are: it stands with the rows (arriving.py), not with the other counters."""


def _by(category: Any, kind: Any, which: Any, each: Any = 1) -> Step:  # noqa: ANN401 -- expressions of MongoDB
    return {"$group": {"_id": {"category": category, "kind": kind, "which": which}, "n": {"$sum": each}}}


def _counter(kind: Kind, counter: Counter) -> Step:
    """The query that counts for a counter of a generic kind."""
    by, of = (f"${path(kind, name)}" if name else "" for name in (counter.by, counter.of))
    return _by("$_id.category" if kind.of_category else WORKSPACE, counter.name, by, of or 1)


def _of_version(kind: str, version: str) -> Step:
    return {"$concat": [f"{kind}:", {"$toString": version}]}


_LABELS: Final[list[Step]] = [
    {
        "$group": {
            "_id": {"category": "$_id.category", "version": "$_id.version", "row": "$_id.row"},
            "top": {"$min": {"trust": "$_id.trust", "says": "$says"}},
        }
    },
    _by("$_id.category", _of_version("labels", "$_id.version"), "$top.says"),
]
_IS_GOLD: Final[Step] = {"$eq": [{"$arrayElemAt": ["$dealt", 1]}, None]}
_ANSWERS: Final[list[Step]] = [
    {"$match": {"sent_ms": {"$gt": 0}}},
    {"$unwind": "$dealt"},
    _by("$category", {"$cond": ["$owner", "owner_answers", {"$cond": [_IS_GOLD, "gold_answers", "answers"]}]}, ""),
]
_BY_HAND: Final[tuple[tuple[str, list[Step]], ...]] = (
    ("pool", [_by("$_id.category", "images", "")]),
    ("refusals", [_by("$category", "refused", "$reason")]),
    ("tasks", [{"$match": {"$expr": {"$lt": ["$done", "$places"]}}}, _by("$category", "tasks_open", "")]),
    ("assignments", [_by("$category", "assignments", "$stage")]),
    ("assignments", [_by("$category", "reserved", "", "$reserved")]),
    ("assignments", _ANSWERS),
    ("asks", [_by("$category", _of_version("asks", "$version"), "$_id.purpose")]),
    ("labels", _LABELS),
)


def differences(link: Link, kinds: Kinds) -> list[tuple[Name, int, int]]:
    """Wrong counters: which, the stored value, and the counted one."""
    with link.client.start_session(snapshot=True) as moment:
        # each counter is the sum of its slots, counted as any other thing
        kept = _numbers(link, [("counts", [_by("$_id.category", "$_id.kind", "$_id.which", "$n")])], moment)
        of_kinds = [(kind.collection, [_counter(kind, one)]) for kind in kinds for one in kind.counters]
        counted = _numbers(link, [*_BY_HAND, *of_kinds], moment)
        kept[IMAGES] = count_images(link, moment)
        counted[IMAGES] = link.table("images").count_documents(STORED, session=moment)
        return miscounted(kept, counted)


def _numbers(link: Link, groups: Iterable[tuple[str, list[Step]]], moment: Session) -> dict[Name, int]:
    return {
        (one["_id"]["category"], one["_id"]["kind"], one["_id"]["which"]): one["n"]
        for table, steps in groups
        for one in link.table(table).aggregate(steps, session=moment, allowDiskUse=True)
    }


def correct(link: Link, name: Name, by: int) -> None:
    """Correct a counter by its difference, and move the mark; concurrent changes of others are kept."""
    if name == IMAGES:
        correct_images(link, by)
        return
    category, kind, which = name
    link.transact(lambda session: count_on(link, category, {(kind, which): by}, session, moves=PARTS))
