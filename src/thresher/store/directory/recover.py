"""`thresher check --recover`: rows for images whose bytes are in shards and that the catalog does not know.

The bytes are not moved. An image gets a lost row back, with the labels that name it, where the order tells which one it
was: rows are given in the order in which the bytes lie in a shard. Where that is not certain it gets a new row.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Final

from thresher.errors import StoreDamaged
from thresher.records import NewImage, Progress
from thresher.store.contract import Recovered, Report
from thresher.store.directory import quarantine, shards
from thresher.store.directory.check_shards import Shards, key_of, members_of
from thresher.store.directory.shards import Place
from thresher.store.shapes import Kinds
from thresher.store.sqlite import recount
from thresher.store.sqlite.images import add_rows, top_of
from thresher.store.sqlite.names import rows_by_key

AT_ONCE: Final = 500

Admit = Callable[[bytes], NewImage | None]


def recover(here: Shards, kinds: Kinds, admit: Admit, report: Report | None) -> Recovered:
    """Bring the quarantine back, make a row for each image in the shards that has none, and count again."""
    restored = quarantine.bring_back(here.writer.directory)
    with here.catalog.reading() as sql:
        missing = {row for rows in recount.rows_without_image(sql).values() for row in rows}
        top = max(top_of(sql), max(missing, default=-1) + 1)
    unknown, rows = _unknown(here, missing, top)
    new = again = unreadable = 0
    places = list(unknown.items())
    for start in range(0, len(places), AT_ONCE):
        part = dict(places[start : start + AT_ONCE])
        images = {key: image for key, place in part.items() if (image := _read(here, key, place, admit)) is not None}
        unreadable += len(part) - len(images)
        with here.catalog.writing(durable=True) as sql:
            there = rows_by_key(sql, list(images))  # another process may have stored some since
            fresh = {key: image for key, image in images.items() if key not in there}
            kept = {key: rows[key] for key in fresh if key in rows}
            add_rows(sql, fresh, {key: part[key] for key in fresh}, kept, least=top)
        new, again = new + len(fresh), again + len(kept)
        if report is not None:
            report(Progress("recover", start + len(part), len(places), "images"))
    recount.correct_all(here.catalog, kinds)
    return Recovered(new, again, restored, unreadable)


def _unknown(here: Shards, missing: set[int], top: int) -> tuple[dict[bytes, Place], dict[bytes, int]]:
    """Where the images lie that no row is of, and the lost row of each for which it is certain."""
    elsewhere = here.reader.elsewhere
    names = sorted(shards.names(here.writer.directory) | (elsewhere.names() if elsewhere else set()))
    places: dict[bytes, Place] = {}
    claims: dict[bytes, set[int]] = {}
    for name in names:
        members = [(key, member) for member in members_of(here, name) if (key := key_of(member.name)) is not None]
        with here.catalog.reading() as sql:
            known = {
                key: row
                for start in range(0, len(members), AT_ONCE)
                for key, row in rows_by_key(sql, [key for key, _ in members[start : start + AT_ONCE]]).items()
            }
            here_rows = dict(
                sql.execute(
                    """SELECT begins, row FROM image JOIN shard ON shard.number = image.shard
                       WHERE shard.name = ? ORDER BY row""",
                    (name,),
                ).fetchall()
            )
        order: list[tuple[bytes, int | None]] = []
        for key, member in members:
            if key not in known:
                places.setdefault(key, Place(name, member.begins, member.bytes))
                order.append((key, None))
            elif member.begins in here_rows:
                order.append((key, here_rows[member.begins]))
        for key, row in _rows_by_order(order, missing, top):
            claims.setdefault(key, set()).add(row)
    certain = {key: rows.copy().pop() for key, rows in claims.items() if len(rows) == 1}
    taken = Counter(certain.values())
    return places, {key: row for key, row in certain.items() if taken[row] == 1}


def _rows_by_order(
    order: Sequence[tuple[bytes, int | None]], missing: set[int], top: int
) -> Iterator[tuple[bytes, int]]:
    """The lost row of each unknown image that lies between known ones, if as many rows are lost as images unknown."""
    before = -1
    runs = [(unknown, list(run)) for unknown, run in groupby(order, key=lambda one: one[1] is None)]
    for number, (unknown, run) in enumerate(runs):
        if not unknown:
            before = run[-1][1] if run[-1][1] is not None else before
            continue
        after = runs[number + 1][1][0][1] if number + 1 < len(runs) else None
        rows = _gap(before, after, missing, top)
        if len(rows) == len(run):
            yield from ((key, row) for (key, _), row in zip(run, rows, strict=True))


def _gap(before: int, after: int | None, missing: set[int], top: int) -> list[int]:
    """The lost rows between two known ones; at an end of the shard those that follow one another without a hole."""
    if before >= 0 and after is not None:
        return [row for row in range(before + 1, after) if row in missing]
    if before >= 0:
        return _following(range(before + 1, top), missing)
    if after is not None:
        return _following(range(after - 1, -1, -1), missing)[::-1]
    return sorted(missing)


def _following(rows: range, missing: set[int]) -> list[int]:
    found = []
    for row in rows:
        if row not in missing:
            break
        found.append(row)
    return found


def _read(here: Shards, key: bytes, place: Place, admit: Admit) -> NewImage | None:
    """The image at a place, with its facts; None if the bytes have changed or are no picture."""
    try:
        data = here.reader.read(place)
    except StoreDamaged:
        return None
    if sha256(data).digest() != key:
        return None
    return admit(data)
