"""The images that represent a similar group, by fingerprint: one document each, with the `row` of the first of them.

`further` has the other rows in order of arrival. Two transactions that add one of the same fingerprint write to the
same document, so one of them is repeated and sees the other's.
"""

from collections.abc import Mapping, Sequence

from pymongo import UpdateOne

from thresher.store.mongo.link import Document, Link, Session
from thresher.store.rules import ALIKE_MOST


def alike(link: Link, fingerprints: Sequence[str], session: Session | None = None) -> dict[str, list[int]]:
    """The rows that represent a group, ascending, for each known fingerprint."""
    found = link.table("fingerprints").find({"_id": {"$in": list(fingerprints)}}, session=session)
    return {one["_id"]: sorted([one["row"], *one.get("further", ())]) for one in found}


def add(
    link: Link, rows: Mapping[str, Sequence[int]], there: Mapping[str, Sequence[int]], session: Session | None
) -> None:
    """Record rows that represent a group, by their fingerprint; `there` is the previous result of `alike` for these.

    Not more are recorded than an image is compared with.
    """
    table = link.table("fingerprints")
    fresh: list[Document] = []
    later: list[UpdateOne] = []
    for fingerprint, some in rows.items():
        if len(there.get(fingerprint, ())) >= ALIKE_MOST:
            continue
        if fingerprint in there:
            later.append(UpdateOne({"_id": fingerprint}, {"$addToSet": {"further": {"$each": list(some)}}}))
        else:
            fresh.append({"_id": fingerprint, "row": some[0], **({"further": list(some[1:])} if some[1:] else {})})
    if fresh:
        table.insert_many(fresh, session=session)
    if later:
        table.bulk_write(later, ordered=False, session=session)
