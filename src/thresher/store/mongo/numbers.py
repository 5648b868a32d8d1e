"""Unique numbers, and counters that are updated with every write."""

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from pymongo import ReturnDocument, UpdateOne

from thresher.store.contract import Part
from thresher.store.mongo.link import Link, Session, key, span

# writers that add to one counter draw one of so many documents: transactions that meet in one document wait
SLOTS: Final = 16
WORKSPACE: Final = ""
"""The workspace's own counters stand under no category."""
MARK: Final = "mark"
"""The kind of the change mark; its parts stand in one document a slot, beside the count that it lacks."""


def take_numbers(link: Link, name: str, many: int, *, session: Session | None = None) -> int:
    """The first of `many` consecutive numbers that nobody else gets; numbers taken by a run that dies are never reused.

    With a session the numbers are returned if its transaction is aborted, and others wait for it meanwhile.
    """
    after = link.table("numbers").find_one_and_update(
        {"_id": name},
        {"$inc": {"next": many}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    assert after is not None  # noqa: S101 -- an upsert answers a document
    return int(after["next"]) - many


def count_on(
    link: Link,
    category: str,
    changes: Mapping[tuple[str, str], int],
    session: Session,
    slot: int | None = None,
    *,
    moves: Collection[Part] = (),
) -> None:
    """Add to a category's counters, which are named (kind, which), and move parts of its mark, within a transaction.

    Two transactions that add to the same slot of one counter meet there: the second is repeated after the first.
    """
    slot = random.randrange(SLOTS) if slot is None else slot  # noqa: S311 -- it only keeps writers apart
    writes = [
        UpdateOne({"_id": key(category=category, kind=kind, which=which, slot=slot)}, {"$inc": {"n": n}}, upsert=True)
        for (kind, which), n in changes.items()
        if n
    ]
    if moves:
        writes.append(_moved(category, moves, slot))
    if writes:
        link.table("counts").bulk_write(writes, ordered=False, session=session)


def move(link: Link, category: str, moves: Collection[Part], session: Session | None = None) -> None:
    """Move parts of a category's change mark; those of the workspace move with every category's."""
    slot = random.randrange(SLOTS)  # noqa: S311 -- it only keeps writers apart
    link.table("counts").bulk_write([_moved(category, moves, slot)], session=session)


def _moved(category: str, moves: Collection[Part], slot: int) -> UpdateOne:
    parts = {f"parts.{part}": by for part, by in Counter(moves).items()}
    name = key(category=category, kind=MARK, which="", slot=slot)
    return UpdateOne({"_id": name}, {"$inc": {"n": 0, **parts}}, upsert=True)


def read_marks(link: Link, categories: Sequence[str]) -> dict[str, Counter[str]]:
    """The parts of the categories' change marks that ever moved, summed over the slots."""
    of = [span(category=one, kind=MARK) for one in (*categories, WORKSPACE)]
    found = {category: Counter[str]() for category in (*categories, WORKSPACE)}
    for one in link.table("counts").find({"$or": of}, batch_size=SLOTS * len(of) + 1):
        found[one["_id"]["category"]].update(one["parts"])
    return {category: found[category] + found[WORKSPACE] for category in categories}


def meet_all(link: Link, category: str, kind: str, session: Session) -> None:
    """Write to every slot of a counter without changing it: whoever adds to it at the same time comes before or after.

    What they have read then is not older than what this transaction changes, or they are repeated.
    """
    named = (key(category=category, kind=kind, which="", slot=slot) for slot in range(SLOTS))
    writes = [UpdateOne({"_id": name}, {"$inc": {"n": 0, "met": 1}}, upsert=True) for name in named]
    link.table("counts").bulk_write(writes, ordered=False, session=session)


def read_counts(link: Link, category: str, session: Session | None = None) -> dict[str, dict[str, int]]:
    """A category's counters, by kind and then by which; those at zero are left out."""
    counted: dict[str, dict[str, int]] = {}
    for one in link.table("counts").find(span(category=category), session=session):
        kind = counted.setdefault(one["_id"]["kind"], {})
        kind[one["_id"]["which"]] = kind.get(one["_id"]["which"], 0) + one["n"]
    return {kind: {which: n for which, n in sorted(kinds.items()) if n} for kind, kinds in counted.items()}
