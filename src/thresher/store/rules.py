"""Rules that all stores share: limits, orders, and errors for invalid calls."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from operator import attrgetter
from typing import Any, Final

import numpy as np

from thresher.errors import AlreadyThere, BadInput, Conflict, Gone, NotFound, NotReady, StoreDamaged
from thresher.records import (
    Assignment,
    Dealt,
    Given,
    Image,
    Label,
    NewAsk,
    NewImage,
    NewTask,
    Question,
    Review,
    Source,
    Stage,
)
from thresher.store.contract import Bounds, Rows

MOST_IMAGES: Final = 110
SPENT: Final = ("answers", "gold_answers", "owner_answers", "reserved")
"""The counters that a budget of answers pays for."""
VERDICTS: Final = (Stage.ACCEPTED, Stage.WEIGHTED, Stage.REJECTED)
LEASES_MOST: Final = 12
"""How many times its length a lease may last: no answer given again and again holds a place for ever."""
ALIKE_MOST: Final = 8
"""Different images of one fingerprint, at most, that a new one is compared with; of more it tells nothing."""

# the most trusted source first
SOURCES: Final = tuple(Source)
TRUST: Final = {source: place for place, source in enumerate(SOURCES)}


def plain(rows: Sequence[int] | Rows) -> list[int]:
    """Rows as Python integers, as databases need them."""
    return rows.tolist() if isinstance(rows, np.ndarray) else [int(row) for row in rows]


def one_of(kind: type[Any], value: str) -> Any:  # noqa: ANN401 -- the kind is the caller's
    """A member of an enumeration, or BadInput naming the members."""
    try:
        return kind(value)
    except ValueError as error:
        known = ", ".join(str(member) for member in kind)
        raise BadInput(f"{value!r} is not one of {known}.") from error


def spellings(name: str) -> tuple[str, ...]:
    """A name and its equivalent spellings: composed and decomposed letters (Unicode NFC and NFD) look the same."""
    if name.isascii():
        return (name,)
    return tuple(dict.fromkeys((name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD")))))


def is_hash(name: str) -> bool:
    """Whether a name has the form of a SHA-256."""
    return len(name) == 64 and not name.strip("0123456789abcdef")  # a third of the time of a pattern


def hash_key(sha256: str) -> bytes:
    """The 32 bytes of a SHA-256. Raises BadInput."""
    if not is_hash(sha256):
        raise BadInput(f"{sha256!r} is not a SHA-256 in lower-case hexadecimal.")
    return bytes.fromhex(sha256)


def hash_keys(names: Sequence[str]) -> list[bytes]:
    """The 32 bytes of each SHA-256; for many at once it takes a quarter of the time. Raises BadInput."""
    joined = "".join(names)
    if any(len(name) != 64 for name in names) or joined.strip("0123456789abcdef"):
        return [hash_key(name) for name in names]  # which says which one is none
    data = bytes.fromhex(joined)
    return [data[start : start + 32] for start in range(0, len(data), 32)]


def groups_of(
    new: Mapping[bytes, NewImage], rows: Mapping[bytes, int], stored: Mapping[bytes, int], there: Mapping[str, int]
) -> dict[bytes, int]:
    """The row that represents the similar group of each new image, by its key.

    `rows` are theirs; `stored` are the rows that represent the stored images that they join, and `there` counts the
    images that represent a group for each fingerprint. Raises BadInput for an image that joins one that is not stored,
    Conflict for an image in a group of its own that was compared with fewer than there are: images are never deleted,
    so an equal number means the same images.
    """
    groups, counts = dict(stored), Counter(there)
    for key, image in new.items():
        joined = groups.get(hash_key(image.similar)) if image.similar else rows[key]
        if joined is None:
            raise BadInput(f"{image.sha256[:12]} joins the similar group of {image.similar!r}, which is not stored.")
        groups[key] = joined
        if image.similar or not image.fingerprint:
            continue
        alike = counts[image.fingerprint]
        counts[image.fingerprint] += 1
        if min(alike, ALIKE_MOST) > image.compared:
            raise Conflict(
                f"{alike} images have the fingerprint of {image.sha256[:12]}, but it was compared with"
                f" {image.compared}.",
                next="compare it with the others too",
            )
    return {key: groups[key] for key in new}


def no_such_row(missing: set[int]) -> NotFound:
    """The error for rows that have no image."""
    return NotFound(f"no image has row {min(missing)}." if missing else "a row has no image.", next="thresher check")


def not_in_pool(rows: set[int], name: str) -> NotFound:
    """The error for rows that are not in a pool."""
    return NotFound(f"image {min(rows)} is not in the pool of {name}.")


def category_exists(name: str) -> AlreadyThere:
    """The error for creating a category that exists."""
    return AlreadyThere(f"a category called {name!r} exists.", next="take another name, or harvest into that one")


def one_query_each(rows: Sequence[int], queries: Sequence[str], category: str) -> None:
    """Raise BadInput unless there is one query per row."""
    if queries and len(queries) != len(rows):
        raise BadInput(f"{len(queries)} queries are given for {len(rows)} rows.", where=category)


def fetched(image: Image, fetch: Callable[[Image], bytes] | None) -> bytes:
    """The bytes of an image kept by reference. Raises NotReady where nothing can fetch them."""
    if fetch is None:
        raise NotReady(
            f"image {image.row} is kept by reference, and this store cannot fetch it.", next="harvest it with its bytes"
        )
    return fetch(image)


def bytes_lost(row: int) -> StoreDamaged:
    """The error for an image whose bytes are known to be lost."""
    return StoreDamaged(f"the bytes of image {row} are lost.", next="harvest it again")


def no_such_category(name: str, known: Sequence[str]) -> NotFound:
    """The error for an unknown category, naming the known ones."""
    there = f"known are: {', '.join(known)}." if known else "there are no categories yet."
    return NotFound(
        f"unknown category {name!r}; {there}",
        next=f'thresher category add {name} --question "Does this image ...?"',
    )


def next_wording(asked: Sequence[Question], wanted: Question, *, after: int | None, name: str) -> Question:
    """The wording to keep after those `asked`: that of a new version if `wanted` has version 0.

    `after` is how many wordings its author has read, or None. Raises Conflict if there are others, NotFound for an
    unknown version.
    """
    if after is not None and after != len(asked):
        what = f"the question of {name} was changed meanwhile: it is {asked[-1].text!r} now."
        raise Conflict(what, next=f"thresher category reword {name} again, if that is still wanted")
    versions = {question.version for question in asked}
    if wanted.version not in {0, *versions}:
        raise NotFound(f"{name} has no question version {wanted.version}.", next=f"thresher category questions {name}")
    return wanted if wanted.version else replace(wanted, version=max(versions) + 1)


def by_version(labels: Sequence[Label]) -> dict[int, list[Label]]:
    """Labels grouped by the version of the question, the earliest first."""
    found: dict[int, list[Label]] = {}
    for label in sorted(labels, key=lambda one: one.version):
        found.setdefault(label.version, []).append(label)
    return found


def most_trusted(labels: Sequence[Label]) -> list[Label]:
    """One label per row, the first of each, from labels ordered by row and then by trust."""
    rows = np.fromiter(map(attrgetter("row"), labels), np.int64, len(labels))
    first = np.append(True, rows[1:] != rows[:-1])[: len(labels)]
    return list(compress(labels, first.tolist()))


def fits_a_task(task: NewTask) -> None:
    """Raise BadInput for a task with too many images, none, or without a place."""
    if not 0 < len(task.asks) <= MOST_IMAGES or task.places < 1:
        raise BadInput(f"a task must have 1 to {MOST_IMAGES} images and at least one place.", where=task.name)


def still_wanted(ask: NewAsk, votes: int, there: Collection[tuple[str, int, int]]) -> bool:
    """Whether an ask may be stored: its image has no votes that its asker has not seen, and no open ask.

    Of a further part, the first must be open. `there` are the open asks on the image: purpose, epoch, part.
    """
    if ask.votes_seen is None:
        return True
    first = (ask.purpose.value, ask.epoch, 0) in there
    return votes <= ask.votes_seen and (first if ask.part else not there)


def no_such_task(number: int) -> NotFound:
    """The error for an unknown task."""
    return NotFound(f"unknown task number {number}.")


def no_such_assignment(assignment: str) -> NotFound:
    """The error for an unknown assignment."""
    return NotFound(f"unknown assignment {assignment!r}.")


def shown_twice(task: NewTask) -> BadInput:
    """The error for a task with two asks for one image."""
    return BadInput("an image may be in a task only once.", where=task.name)


def still_held(assignment: Assignment, now_ms: int) -> None:
    """Raise Gone for an assignment that was sent or whose lease has ended."""
    if assignment.sent_ms:
        raise Gone("the assignment was sent already.", next="take another one")
    if assignment.stage is not Stage.LEASED or now_ms >= assignment.lease_until_ms:
        raise lease_ended()


def lease_ended() -> Gone:
    """The error for an assignment that its worker no longer holds."""
    return Gone("the assignment's lease has ended.", next="take another one")


def may_be_dealt(assignment: Assignment, dealt: Sequence[Dealt], asks: Sequence[int]) -> None:
    """Raise Gone unless the lease is held, BadInput unless the dealt places serve every ask of the task once.

    Nor may there be more of them than answers are reserved.
    """
    if assignment.stage is not Stage.LEASED:
        raise lease_ended()
    if sorted(place.ask for place in dealt if place.ask is not None) != sorted(asks):
        raise BadInput("every ask of the task must be dealt exactly once.", where=f"assignment {assignment.id}")
    if len(dealt) > assignment.reserved:
        what = f"{len(dealt)} images are dealt, and {assignment.reserved} answers are reserved."
        raise BadInput(what, where=f"assignment {assignment.id}")


def answers_left(most: int | None, counted: Mapping[str, int]) -> int | None:
    """How many of at most so many answers are neither sent nor reserved, by a category's counters; None: no limit."""
    return None if most is None else most - sum(counted.get(name, 0) for name in SPENT)


def reserved_for(asked: int, bounds: Bounds) -> int:
    """The most answers that an assignment of so many asked images can bring."""
    return asked + bounds.gold_with(asked)


def most_asked(left: int | None, bounds: Bounds) -> int:
    """How many images a task may ask about, at most, so that its assignment fits into the answers that are left."""
    if left is None or left >= reserved_for(MOST_IMAGES, bounds):
        return MOST_IMAGES
    return max((asked for asked in range(1, MOST_IMAGES) if reserved_for(asked, bounds) <= left), default=0)


def may_be_drafted(assignment: Assignment, given: Sequence[Given], now_ms: int) -> None:
    """Raise Gone unless the lease is held, BadInput for a draft at a position that does not exist."""
    still_held(assignment, now_ms)
    for one in given:
        if not 0 <= one.position < len(assignment.dealt):
            raise BadInput(f"there is no position {one.position}.", where=f"assignment {assignment.id}")


@dataclass(frozen=True, slots=True)
class Drafted:
    """The effect of a post of drafts: which of them are kept, the assignment's sequence, and the end of its lease."""

    kept: list[Given]
    sequence: int
    lease_until_ms: int


def drafted(
    assignment: Assignment,
    given: Sequence[Given],
    held: tuple[int, Sequence[Given]],
    *,
    sequence: int,
    now_ms: int,
    lease_ms: int,
) -> Drafted:
    """Merge a post into the drafts that are `held` (their sequence, and the drafts), picture by picture.

    Of two answers to a picture the later one is kept, whichever device it came from and in whatever order the posts
    arrive. An answer without a time is as old as its post. A post with times gets a sequence of its own, so that
    another device sees that there was one. Only an answer that was not there renews the lease, not its other times.
    """
    last, there = held[0], {one.position: one for one in held[1]}
    kept = [one for one in given if _replaces(one, there.get(one.position), late=sequence < last)]
    timed = any(one.at_ms for one in given)
    until_ms = assignment.lease_until_ms
    said = {one.position: one.says for one in held[1]}
    if any(said.get(one.position) is not one.says for one in kept):
        until_ms = max(until_ms, min(now_ms, assignment.dealt_ms + (LEASES_MOST - 1) * lease_ms) + lease_ms)
    return Drafted(kept, max(sequence, last + timed), until_ms)


def _replaces(one: Given, held: Given | None, *, late: bool) -> bool:
    """Whether an answer replaces a draft, or the lack of one."""
    if not one.at_ms:
        return not late
    return held is None or one.at_ms >= held.at_ms


def _same(one: Given, other: Given | None) -> bool:
    """Whether two answers are the same one; its time may have been cut to the server's."""
    return other is not None and replace(one, at_ms=0) == replace(other, at_ms=0)


def to_be_sent(
    assignment: Assignment, answers: Sequence[Given], now_ms: int, drafts: Sequence[Given] = ()
) -> tuple[Given, ...] | None:
    """The answers by position, one for each that was dealt; None if the same were sent before.

    A draft that is later than the answer to the same picture, because another device posted it, takes its place. So an
    earlier answer than the one that was sent is no other answer. Raises Conflict if other answers were sent before,
    Gone if the lease has ended, BadInput unless the answers are one for each position.
    """
    ordered = tuple(sorted(answers, key=lambda one: one.position))
    if assignment.sent_ms:
        positions = [one.position for one in ordered] == [one.position for one in assignment.answers]
        pairs = zip(ordered, assignment.answers, strict=False)
        if not positions or not all(_same(one, sent) or 0 < one.at_ms < sent.at_ms for one, sent in pairs):
            raise Conflict("other answers were sent before.", where=f"assignment {assignment.id}")
        return None
    still_held(assignment, now_ms)
    if not assignment.dealt or [one.position for one in ordered] != list(range(len(assignment.dealt))):
        raise BadInput(
            f"each of the {len(assignment.dealt)} positions must be answered exactly once.",
            where=f"assignment {assignment.id}",
        )
    later = {one.position: one for one in drafts}
    return tuple(one if _replaces(one, later.get(one.position), late=False) else later[one.position] for one in ordered)


def answer_counters(asks: Sequence[int | None], *, owner: bool) -> dict[str, int]:
    """The counters that a sent assignment moves, by the asks it serves: None for gold."""
    gold = sum(ask is None for ask in asks)
    return {"owner_answers": len(asks)} if owner else {"gold_answers": gold, "answers": len(asks) - gold}


def may_be_judged_again(assignment: Assignment, review: Review, after: int, there: int) -> bool:
    """Whether a further decision may be recorded: False if another one came first, so that not `after` are `there`.

    Raises BadInput, or Conflict unless the assignment was judged and not rejected for good.
    """
    if review.verdict not in VERDICTS:
        raise BadInput(f"{review.verdict.value!r} is not a verdict of a review.")
    if assignment.review is None:
        raise Conflict("only a reviewed assignment can be judged again.", where=f"assignment {assignment.id}")
    if there != after:
        return False
    if Stage.REJECTED is assignment.review.verdict is not review.verdict:
        raise Conflict("a rejection cannot be taken back.", where=f"assignment {assignment.id}")
    return True


def may_be_reviewed(assignment: Assignment, review: Review) -> bool:
    """Whether a decision may be recorded: False if there is one already. Raises BadInput, Conflict."""
    if review.verdict not in VERDICTS:
        raise BadInput(f"{review.verdict.value!r} is not a verdict of a review.")
    if assignment.review is not None:
        return False
    if assignment.stage is not Stage.SENT:
        raise Conflict("only a sent assignment can be reviewed.", where=f"assignment {assignment.id}")
    return True
