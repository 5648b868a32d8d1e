"""Compare shards with the catalog: rows without bytes, bytes without rows, shards left open by a dead process.

Bytes that no row refers to are never deleted: they are moved to the quarantine (quarantine.py).
"""

import json
import os
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from thresher.errors import StoreDamaged
from thresher.store.directory import quarantine, shards
from thresher.store.directory.shards import CLOSED, INDEX, OPEN, PART, Elsewhere, Member, Place
from thresher.store.files import told
from thresher.store.findings import Findings, named
from thresher.store.locks import lock_if_free, unlock
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.images import member_name, shard_number
from thresher.store.sqlite.names import rows_by_key

# Bytes whose rows are still being committed look like bytes without rows; a writer waits half as long at most.
SETTLED_SECONDS = 60.0
ROWS_AT_ONCE = 1000
HASH_BYTES = 32

Wanted = dict[int, list[tuple[int, str, int]]]
"""What the catalog has of one shard: row, SHA-256 and size of each image by the first byte; one image a byte, if all
is well."""


@dataclass(frozen=True, slots=True)
class Shards:
    """What is compared: the catalog's rows, and the shards with their writers and readers."""

    catalog: Catalog
    writer: shards.Writer
    reader: shards.Reader


@dataclass(frozen=True, slots=True)
class Found:
    """The contents of a shard file, and whether a process is writing it."""

    members: tuple[Member, ...]
    closed: bool
    held: bool
    settled: bool
    indexed: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """The findings over all shards: rows without bytes, where images that no row refers to lie, repairs to make.

    A repair has the names of the images that it moves to the quarantine; `kept` are those that were moved.
    """

    lost: dict[int, str]
    spare: dict[str, Place]
    repairs: list[tuple[str, list[str], Callable[[], bool]]]
    kept: list[Member]


def check_shards(here: Shards, findings: Findings) -> int:
    """Compare every shard with its rows; returns the number of images that have no row."""
    directory = here.writer.directory
    for part in directory.glob("*" + PART):
        if _settled(part):
            findings.wrong(f"images: {part.name} was left behind by an interrupted run", part.unlink)
    with here.catalog.reading() as sql:
        numbers: dict[str, int] = dict(sql.execute("SELECT name, number FROM shard").fetchall())
    elsewhere = here.reader.elsewhere
    names = sorted(numbers.keys() | shards.names(directory) | (elsewhere.names() if elsewhere else set()))
    seen = Seen({}, {}, [], [])
    for done, name in enumerate(names):
        findings.progress("check shards", done, len(names), "shards")
        _compare(here, findings, name, numbers.get(name), seen)
    findings.progress("check shards", len(names), len(names), "shards")
    _tell_lost(here, findings, seen)
    spare = [name for _, moved, _ in seen.repairs for name in moved]
    unknown = _unknown(here, spare)
    movable = findings.may_move(unknown)
    for what, moved, repair in seen.repairs:
        findings.wrong(what, repair if movable or not moved else None)
    if seen.kept:
        findings.notes.append(quarantine.note(directory, len(seen.kept)))
    return unknown


def _unknown(here: Shards, names: list[str]) -> int:
    """The number of images that have no row at all; the others are further copies of images that have one."""
    keys = [key for name in names if (key := key_of(name)) is not None]
    found: set[bytes] = set()
    with here.catalog.reading() as sql:
        for start in range(0, len(keys), ROWS_AT_ONCE):
            found |= rows_by_key(sql, keys[start : start + ROWS_AT_ONCE]).keys()
    return len(names) - sum(key in found for key in keys)


def key_of(name: str) -> bytes | None:
    """The SHA-256 in the name of a member; None if there is none."""
    try:
        key = bytes.fromhex(name.partition(".")[0])
    except ValueError:
        return None
    return key if len(key) == HASH_BYTES else None


def _compare(here: Shards, findings: Findings, name: str, number: int | None, seen: Seen) -> None:
    """Compare one shard with its rows; repairs wait until every shard was read."""
    directory = here.writer.directory
    before = _wanted(here, number)
    found = _look(directory, name) or _look_elsewhere(here.reader.elsewhere, name)
    if found is None:
        seen.lost.update({row: key for rows in before.values() for row, key, _ in rows})
        return
    findings.count("shards")
    there = {member.begins: member for member in found.members}
    if findings.every_byte:
        there = {begins: member for begins, member in there.items() if _unchanged(here, name, member)}
        findings.count("bytes read", sum(member.bytes for member in there.values()))
    nameless = _nameless(here, name, before, there)
    claims = ((there.get(begins), *claim) for begins, some in before.items() for claim in some)
    lost = {row: key for member, row, key, size in claims if not _same(member, key, size)}
    seen.lost.update({row: key for row, key in lost.items() if row not in nameless})
    if nameless:
        what = f"shard {name}: the headers of {len(nameless)} images are damaged ({named(sorted(nameless))})"
        seen.repairs.append((what, [], lambda: _write_headers(here, name, nameless)))
    if found.held:
        return
    after = _wanted(here, number)  # rows may have come since
    # also an image at a place that only rows of other images refer to
    free = [member for member in there.values() if not _right(member, after)]
    seen.spare.update({member.name.partition(".")[0]: Place(name, member.begins, member.bytes) for member in free})
    unused = [member for member in found.members if member.begins not in after]
    moved = [member.name for member in unused]
    if not found.closed:
        what = f"shard {name}: its writer ended before closing it{_whole_note(directory, name)}"
        seen.repairs.append((what, moved, lambda: mend(here, name, seen.kept)))
    elif unused and found.settled:
        size = sum(member.bytes for member in unused)
        findings.count("unused bytes", size)
        what = f"shard {name}: no row refers to {len(unused)} images of {size} bytes{_whole_note(directory, name)}"
        seen.repairs.append((what, moved, lambda: mend(here, name, seen.kept)))
    elif not found.indexed and not nameless:
        seen.repairs.append((f"shard {name}: its index does not match it", [], lambda: _index(directory, name)))


def _tell_lost(here: Shards, findings: Findings, seen: Seen) -> None:
    """Handle rows without bytes: an unused copy elsewhere is used; otherwise the row is marked for the next harvest."""
    with here.catalog.reading() as sql:
        marked = dict(sql.execute("SELECT row, lower(hex(sha256)) FROM image WHERE begins = -1").fetchall())
    seen.lost.update({row: key for row, key in marked.items() if key in seen.spare})
    again = {row: seen.spare[key] for row, key in seen.lost.items() if key in seen.spare}
    again = {row: place for row, place in again.items() if _hashed(here, place) == seen.lost[row]}
    if again:
        findings.wrong(f"images: {len(again)} rows refer to a wrong place", lambda: _point(here, again))
    gone = sorted(seen.lost.keys() - again.keys())
    if findings.may_give_up(len(gone)) and findings.mend and gone:
        _mark_lost(here, gone)
    findings.lost_bytes(sorted({*gone, *marked} - again.keys()))


def mend(here: Shards, name: str, kept: list[Member]) -> bool:
    """Close a shard without a writer, moving unused images to the quarantine; False if a process is writing it again.

    Unused images at its end are cut off. If there are others in between, the shard is copied without them, and deleted
    when every row refers to the copy. One with bytes that belong to no image is never cut: it is moved whole.
    """
    directory = here.writer.directory
    closed = directory / (name + CLOSED)
    if closed.exists() and not _settled(closed):
        return False
    descriptor = shards.take_over(directory, name)
    if descriptor is None:
        return False
    try:
        with here.catalog.reading() as sql:
            number = sql.execute("SELECT number FROM shard WHERE name = ?", (name,)).fetchone()
        wanted = _wanted(here, number[0] if number else None)
        members = list(shards.members(descriptor))
        used = [member for member in members if member.begins in wanted]
        unused = [member for member in members if member.begins not in wanted]
        torn = shards.torn(descriptor)
        if not torn:  # or it is kept whole
            quarantine.keep(directory, here.writer.shard_bytes, descriptor, unused)  # before anything of it goes
            kept += unused
        if torn:
            _copy(here, name, descriptor, [(row, member) for member in used for row, *_ in wanted[member.begins]])
            quarantine.set_aside(directory, name)
        elif used and members[: len(used)] == used:
            end = used[-1].begins + shards.padded(used[-1].bytes)
            os.ftruncate(descriptor, end)
            shards.finish(directory, name, descriptor, end)
        else:
            _copy(here, name, descriptor, [(row, member) for member in used for row, *_ in wanted[member.begins]])
            (directory / (name + OPEN)).unlink()
    except OSError as error:
        raise told(error, directory) from error
    finally:
        os.close(descriptor)
    return True


def _whole_note(directory: Path, name: str) -> str:
    """What happens to a shard that is not cut."""
    note = "; bytes of no image lie in it, so --mend copies its images and moves it whole to the quarantine"
    return note if shards.is_torn(directory, name) else ""


def _index(directory: Path, name: str) -> bool:
    try:
        with (directory / (name + CLOSED)).open("rb") as file:
            shards.write_index(directory, name, file.fileno())
    except FileNotFoundError:
        return False  # somebody goes on with it
    return True


def _copy(here: Shards, name: str, descriptor: int, used: list[tuple[int, Member]]) -> None:
    writer = shards.Writer(here.writer.directory, shard_bytes=here.writer.shard_bytes, resume=False)
    with closing(writer):
        for start in range(0, len(used), ROWS_AT_ONCE):
            part = used[start : start + ROWS_AT_ONCE]
            pictures = ((member.name, os.pread(descriptor, member.bytes, member.begins)) for _, member in part)
            placed: list[Place] = []
            for picture in pictures:  # one at a time: a thousand pictures may be larger than memory
                placed += writer.append([picture])
            _point(here, {row: place for (row, _), place in zip(part, placed, strict=True)}, away_from=name)


def _point(here: Shards, places: dict[int, Place], *, away_from: str | None = None) -> None:
    """Record the new place of the bytes of rows, and their size."""
    with here.catalog.writing(durable=True) as sql:
        sql.executemany(
            """UPDATE image SET shard = ?, begins = ?, bytes = ? WHERE row = ?
               AND (?5 IS NULL OR shard = (SELECT number FROM shard WHERE name = ?5))""",
            (
                (shard_number(sql, place.shard), place.begins, place.bytes, row, away_from)
                for row, place in places.items()
            ),
        )


def _mark_lost(here: Shards, rows: Iterable[int]) -> None:
    with here.catalog.writing(durable=True) as sql:
        sql.executemany("UPDATE image SET shard = NULL, begins = -1 WHERE row = ?", ((row,) for row in rows))


def _wanted(here: Shards, number: int | None) -> Wanted:
    with here.catalog.reading() as sql:
        found = sql.execute("SELECT begins, row, lower(hex(sha256)), bytes FROM image WHERE shard = ?", (number,))
        wanted: Wanted = {}
        for begins, *image in found:
            wanted.setdefault(begins, []).append((image[0], image[1], image[2]))
        return wanted


def _right(member: Member, wanted: Wanted) -> bool:
    """Whether a row of this very image refers to its place."""
    return any(_same(member, key, size) for _, key, size in wanted.get(member.begins, ()))


def _same(member: Member | None, key: str, size: int) -> bool:
    return member is not None and member.bytes == size and member.name.startswith(key + ".")


def _nameless(here: Shards, name: str, wanted: Wanted, there: dict[int, Member]) -> dict[int, Place]:
    """The places of rows whose bytes are there as they were stored, behind a header that is damaged."""
    claims = ((begins, *claim) for begins, some in wanted.items() if begins not in there for claim in some)
    places = ((row, key, Place(name, begins, size)) for begins, row, key, size in claims)
    return {row: place for row, key, place in places if _hashed(here, place) == key}


def _write_headers(here: Shards, name: str, places: dict[int, Place]) -> bool:
    """Write the headers of images anew, in place."""
    with here.catalog.reading() as sql:
        known = {
            row: sql.execute("SELECT lower(hex(sha256)), format FROM image WHERE row = ?", (row,)).fetchone()
            for row in places
        }
    for ending in (CLOSED, OPEN, CLOSED):
        with suppress(FileNotFoundError), (here.writer.directory / (name + ending)).open("r+b") as file:
            for row, place in places.items():
                begins = place.begins - shards.BLOCK
                os.pwrite(file.fileno(), shards.header(member_name(*known[row]), place.bytes), begins)
            os.fsync(file.fileno())
            return True
    return False


def members_of(here: Shards, name: str) -> tuple[Member, ...]:
    """The images in a shard, by their headers, or by its index where it is on an object store."""
    found = _look(here.writer.directory, name) or _look_elsewhere(here.reader.elsewhere, name)
    return found.members if found else ()


def _look(directory: Path, name: str) -> Found | None:
    for ending in (CLOSED, OPEN, CLOSED):  # a writer may rename it in between
        path = directory / (name + ending)
        with suppress(FileNotFoundError), path.open("rb") as file:
            closed = ending == CLOSED
            held = not closed and _held(file.fileno())
            members = tuple(shards.members(file.fileno()))
            if not closed and not held:  # never flushed: after a power cut the sizes may be right and the bytes not
                members = tuple(member for member in members if _whole(file.fileno(), member))
            return Found(
                members, closed, held, _settled(path), closed and _indexed(directory / (name + INDEX), members)
            )
    return None


def _look_elsewhere(elsewhere: Elsewhere | None, name: str) -> Found | None:
    """Check a shard on an object store by its index. Unused bytes stay there, because nothing is rewritten."""
    members = elsewhere.members(name) if elsewhere else None
    return None if members is None else Found(members, closed=True, held=False, settled=False, indexed=True)


def _held(descriptor: int) -> bool:
    if not lock_if_free(descriptor):
        return True
    unlock(descriptor)
    return False


def _whole(descriptor: int, member: Member) -> bool:
    data = os.pread(descriptor, member.bytes, member.begins)
    return member.name.startswith(sha256(data).hexdigest() + ".")


def _unchanged(here: Shards, name: str, member: Member) -> bool:
    """Whether an image still has its SHA-256."""
    return member.name.startswith(_hashed(here, Place(name, member.begins, member.bytes)) + ".")


def _hashed(here: Shards, place: Place) -> str:
    """The SHA-256 of the bytes at a place; a constant for truncated ones. A disk that cannot be read ends the check."""
    try:
        return sha256(here.reader.read(place)).hexdigest()
    except StoreDamaged:
        return "cut short"
    except OSError as error:
        raise told(error, here.writer.directory) from error


def _settled(path: Path) -> bool:
    return path.stat().st_mtime < time.time() - SETTLED_SECONDS


def _indexed(path: Path, members: tuple[Member, ...]) -> bool:
    try:
        with path.open(encoding="ascii") as file:
            return [Member(*json.loads(line)) for line in file] == list(members)
    except (OSError, ValueError, TypeError):
        return False
