"""`thresher store copy`: copy a workspace from one kind of store to any other.

Pages of lines (transfer.py) are compared and those that differ are sent, so an interrupted copy continues where it
stopped. At the end every line, image and column is compared by checksum; a copy that finishes is equal to its source.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from thresher.errors import Conflict, StoreDamaged
from thresher.records import Progress
from thresher.settings import without_password
from thresher.store.contract import Report, Rows, Store, chunks
from thresher.store.kinds import ASSIGNMENT, CATEGORY, IMAGE, RELEASE, REVIEW, WORKER
from thresher.store.shapes import Kind, Kinds, Line

COLUMN_ROWS = 4096
BARE = IMAGE.names.index("bare")
SHA256 = IMAGE.names.index("sha256")
SENT_MS = ASSIGNMENT.names.index("sent_ms")
# what a workspace only gains: a target that has more of it was worked in
NEVER_DROPPED = (WORKER, ASSIGNMENT, REVIEW, RELEASE)

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Copied:
    """The result of a copy: the count of each kind, and the checksums, which are equal in both stores."""

    counts: dict[str, int]
    checksums: dict[str, str]


class _Stopped(Exception):
    """The caller asked to stop; the next call continues the copy."""


@dataclass(slots=True)
class _Copying:
    source: Store
    target: Store
    report: Report | None
    stop: Stop | None
    totals: dict[str, int] = field(default_factory=dict)

    def tell(self, stage: str, done: int, total: int, unit: str) -> None:
        """Say how far it is, and end where that is wished."""
        if self.report is not None:
            self.report(Progress(stage, done, total, unit))
        if self.stop is not None and self.stop():
            raise _Stopped


def copy_store(
    source: Store, target: Store, *, report: Report | None = None, stop: Stop | None = None
) -> Copied | None:
    """Make `target` a copy of the workspace `source`; returns None if `stop` ended it early.

    `target` is new, or an unfinished copy of the same workspace. Nobody may use either store meanwhile. Raises Conflict
    if the target is another workspace, or was worked in since it was copied, or if the source has changed; StoreDamaged
    if bytes do not match their hash.
    """
    _same_workspace(source, target)
    _not_ahead(source, target)
    work = _Copying(source, target, report, stop)
    try:
        _copy_lines(work, CATEGORY, "")
        _copy_images(work)
        names = [category.name for category in source.categories.all()]
        for kind, category in _kinds(source.transfer.kinds, names):
            _copy_lines(work, kind, category)
        for name in source.columns.names():
            _copy_column(work, name)
        for name in set(target.columns.names()) - set(source.columns.names()):
            target.columns.drop(name)
        copied = _compare(work, names)
        target.transfer.settle()
        _compare_bytes(work)
        return copied
    except _Stopped:
        return None


def _kinds(kinds: Kinds, categories: list[str]) -> Iterator[tuple[Kind, str]]:
    """Every kind of line except categories and images, once for each category if it belongs to categories."""
    rest = [kind for kind in kinds if kind.travels and kind not in (CATEGORY, IMAGE)]
    yield from ((kind, "") for kind in rest if not kind.of_category)
    yield from ((kind, category) for category in categories for kind in rest if kind.of_category)


def _same_workspace(source: Store, target: Store) -> None:
    if target.secret() == source.secret():
        return
    if target.images.top() or target.categories.all() or target.people.all() or target.columns.names():
        raise Conflict(
            "the target contains another workspace.", where=without_password(target.place), next="copy to a new place"
        )
    target.transfer.adopt(source.secret())


def _not_ahead(source: Store, target: Store) -> None:
    """Raise Conflict if the target has work that the source has not: a copy would write over it."""
    both = {one.name for one in source.categories.all()} & {one.name for one in target.categories.all()}
    for kind in NEVER_DROPPED:
        for category in sorted(both) if kind.of_category else [""]:
            there = {kind.key(line): _sent(kind, line) for page in _pages(source, kind, category) for line in page}
            ahead = [
                line
                for page in _pages(target, kind, category)
                for line in page
                if kind.key(line) not in there or (_sent(kind, line) and not there[kind.key(line)])
            ]
            if ahead:
                raise Conflict(
                    f"the target was worked in since it was copied: it has {len(ahead):,} {kind.name}s that the source"
                    " has not, and they would be lost.",
                    where=without_password(target.place),
                    next="copy to a new place, or in the other direction",
                )


def _sent(kind: Kind, line: Line) -> bool:
    """Whether a line is an assignment that was sent."""
    return kind is ASSIGNMENT and bool(line[SENT_MS])


def _pages(store: Store, kind: Kind, category: str) -> Iterator[list[Line]]:
    after: Line | None = None
    while page := store.transfer.lines(kind, category, after, kind.at_once):
        yield page
        after = kind.key(page[-1])


def _copy_lines(work: _Copying, kind: Kind, category: str) -> None:
    done, after = 0, None
    for page in _pages(work.source, kind, category):
        there = set(map(_text, work.target.transfer.lines(kind, category, after, kind.at_once)))
        changed = [line for line in page if _text(line) not in there]
        if changed:
            work.target.transfer.restore(kind, category, changed)
        after, done = kind.key(page[-1]), done + len(page)
        work.tell(f"copy {kind.name}s", done, 0, "lines")


def _copy_images(work: _Copying) -> None:
    done, total, after = 0, work.source.images.count(), None
    for page in _pages(work.source, IMAGE, ""):
        there = set(map(_text, work.target.transfer.lines(IMAGE, "", after, IMAGE.at_once)))
        here = work.target.transfer.holding([line[SHA256] for line in page])
        wanted = [line for line in page if not line[BARE] and line[SHA256] not in here]
        changed = [line for line in page if _text(line) not in there or line in wanted]
        if changed:
            rows = [line[0] for line in wanted]
            found = dict(zip((line[SHA256] for line in wanted), work.source.images.read_many(rows), strict=True))
            _true(found, work.source)
            work.target.transfer.restore_images(changed, found)
        after, done = IMAGE.key(page[-1]), done + len(page)
        work.tell("copy images", done, total, "images")


def _copy_column(work: _Copying, name: str) -> None:
    values, present = work.source.columns.view(name)
    rows = np.flatnonzero(present).astype(np.int64)
    if name in work.target.columns.names():
        copied, there = work.target.columns.view(name)
        alike = copied.dtype == values.dtype and copied.shape == values.shape and not (there & ~present).any()
        # bytes and not numbers: a NaN is a value like any other here
        if not alike or copied[there].tobytes() != values[there].tobytes():
            work.target.columns.drop(name)
    work.target.columns.create(name, values.shape[1], values.dtype.name)
    done = 0
    for part in chunks(work.target.columns.missing(name, rows), COLUMN_ROWS):
        work.target.columns.write(name, part, values[part])
        done += len(part)
        work.tell(f"copy {name}", done, len(rows), "rows")


def _compare(work: _Copying, categories: list[str]) -> Copied:
    """Counts and checksums of everything, after checking that both sides have the same."""
    counts: dict[str, int] = {}
    checksums: dict[str, str] = {}
    all_kinds = [(CATEGORY, ""), (IMAGE, ""), *_kinds(work.source.transfer.kinds, categories)]
    for done, (kind, category) in enumerate(all_kinds):
        work.tell("compare", done, len(all_kinds), "kinds")
        name = f"{kind.name} {category}".strip()
        ours, theirs = _digests(work, kind, category)
        if ours != theirs and kind not in (CATEGORY, IMAGE):
            # the target holds what the source has dropped since an earlier try: copy this kind from its start
            work.target.transfer.clear(kind, category)
            _copy_lines(work, kind, category)
            ours, theirs = _digests(work, kind, category)
        if ours != theirs:
            raise Conflict(
                f"the copy has {theirs[0]} of {name} and the source {ours[0]}: the source changed meanwhile.",
                next="stop what uses it, then run the same command again",
            )
        counts[name], checksums[name] = ours
    for name in work.source.columns.names():
        ours, theirs = (_column_digest(store, name) for store in (work.source, work.target))
        if ours != theirs:
            raise Conflict(
                f"the column {name} differs: the source changed meanwhile.", next="run the same command again"
            )
        counts[name], checksums[name] = ours
    return Copied(counts, checksums)


def _compare_bytes(work: _Copying) -> None:
    done, total = 0, work.target.images.count()
    for page in _pages(work.target, IMAGE, ""):
        full = [line for line in page if not line[BARE]]
        names = (line[SHA256] for line in full)
        for name, data in zip(names, work.target.images.read_many([line[0] for line in full]), strict=True):
            _true({name: data}, work.target)
        done += len(page)
        work.tell("compare images", done, total, "images")


def _true(found: dict[str, bytes], store: Store) -> None:
    for name, data in found.items():
        if hashlib.sha256(data).hexdigest() != name:
            raise StoreDamaged(
                f"the bytes of {name[:12]} do not match their hash.",
                where=without_password(store.place),
                next="thresher check",
            )


def _digests(work: _Copying, kind: Kind, category: str) -> tuple[tuple[int, str], tuple[int, str]]:
    return _digest(work.source, kind, category), _digest(work.target, kind, category)


def _digest(store: Store, kind: Kind, category: str) -> tuple[int, str]:
    """The number of lines of a kind, and the SHA-256 of all of them in order."""
    count, digest = 0, hashlib.sha256()
    for page in _pages(store, kind, category):
        for line in page:
            digest.update(_text(line).encode("utf-8", "surrogatepass"))
        count += len(page)
    return count, digest.hexdigest()


def _column_digest(store: Store, name: str) -> tuple[int, str]:
    values, present = store.columns.view(name)
    rows: Rows = np.flatnonzero(present).astype(np.int64)
    digest = hashlib.sha256(f"{values.dtype.name} {values.shape[1]}".encode())
    for part in chunks(rows, COLUMN_ROWS):
        digest.update(part.tobytes())
        digest.update(np.ascontiguousarray(values[part]).tobytes())
    return len(rows), digest.hexdigest()


def _text(line: Line) -> str:
    return json.dumps(line, default=_of_bytes, ensure_ascii=False, sort_keys=True) + "\n"


def _of_bytes(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()
