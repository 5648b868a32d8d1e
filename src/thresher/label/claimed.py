"""Labels of somebody else (claims) for a category: which images of its pool they speak of, and what of them is bad.

What comes of it is a column that a head may learn from, or a set to be certified. It is never a label, gold or a vote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from thresher.annotations import TABLES, Claims
from thresher.annotations.names import Names, keys_of
from thresher.annotations.roles import SAYS_NO, SAYS_YES
from thresher.errors import BadInput, BadLine, ThresherError
from thresher.label.table import not_one, shared_addresses
from thresher.store.claims import ClaimedLabels
from thresher.store.contract import Store

LABELS_SHOWN: Final = 10
ROWS_AT_ONCE: Final = 10_000
SKIP: Final = "correct the lines, or leave them out with --skip-bad"


@dataclass(frozen=True)
class Bad:
    """A name in a file that cannot be used: its line (0 where the file has none), what is wrong, and what to do.

    `place` is the line as errors tell it ("line 3"), empty where there is none.
    """

    line: int
    place: str
    name: str
    what: str
    following: str

    @property
    def says(self) -> str:
        """The place and what is wrong."""
        return f"{self.place}: {self.what}" if self.place else self.what


@dataclass(frozen=True)
class Found:
    """What a file says of a category's pool, by `label`; `skipped` are the names that were left out."""

    claim: ClaimedLabels
    label: str
    skipped: tuple[Bad, ...] = ()


@dataclass(frozen=True, slots=True)
class _Said:
    """What a file says of one image: whether it has the label, and its score."""

    name: str
    line: int
    yes: bool
    score: float | None


def claimed_labels(
    category: str, claims: Claims, *, label: str = "", name: str = "", skip_bad: bool = False, store: Store
) -> Found:
    """What a file says of the pool: yes for an image with the label, no for one that it names without it.

    Without `label`, it is the one called as the category, the only one, or yes. Raises BadInput and BadLine for a label
    that no image has, names of no image of the pool or of several, an image that is said to be both, and scores that
    are all equal. With `skip_bad`, names and images that cannot be used are left out.
    """
    wanted = label_for(category, claims, label)
    said = _said(claims, wanted)
    bad, rows = _rows(category, said, claims, store=store)
    kept: dict[int, _Said] = {}
    split: dict[int, Bad] = {}
    for it, row in zip(said, rows, strict=True):
        if row is None:
            continue
        before = kept.setdefault(row, it)
        if before.yes != it.yes:
            both = [_told(one, claims) for one in (it, before)]
            what = f"{both[0]} here and {both[1]}: they name the same image."
            split.setdefault(row, Bad(it.line, claims.place(it.line), it.name, what, "keep one of them"))
        elif it.score is not None and (before.score is None or it.score > before.score):
            kept[row] = it
    bad = sorted([*bad, *split.values()], key=lambda one: (one.line == 0, one.line))
    if bad and not skip_bad:
        raise _all_of(category, bad, claims)
    used = sorted(row for row in kept if row not in split)
    if not any(kept[row].yes for row in used):
        raise BadInput(f"no image of {category} has the label {wanted!r}.", where=str(claims.file), next=SKIP)
    scores = np.array([np.nan if (score := kept[row].score) is None else score for row in used], np.float32)
    _must_differ(scores, [kept[row] for row in used], claims)
    claim = ClaimedLabels(
        name,
        np.array(used, np.int64),
        np.array([kept[row].yes for row in used], np.bool_),
        None if np.isnan(scores).all() else scores,
        claims.digest,
        claims.kind,
    )
    return Found(claim, wanted, tuple(bad))


def label_for(category: str, claims: Claims, wanted: str = "") -> str:
    """The label of a file that means yes for a category. Raises BadInput if no image has it, or if it is not clear."""
    there = list(claims.counts())
    shown = ", ".join(repr(label) for label in there[:LABELS_SHOWN]) or "none"
    known = f"{shown} and {len(there) - LABELS_SHOWN:,} more" if len(there) > LABELS_SHOWN else shown
    if wanted:
        if wanted not in there:
            what = f"no image has the label {wanted!r}; the labels of the file are {known}."
            raise BadInput(what, where=str(claims.file), next="give one of them to --label")
        return wanted
    called = [label for label in there if label.casefold() == category.casefold()]
    says_yes = [label for label in there if label.casefold() in SAYS_YES]
    # yes and no, or 1 and 0, in a table are answers to a question and no classes
    only_answers = claims.kind in TABLES and all(label.casefold() in SAYS_YES | SAYS_NO for label in there)
    only = [] if only_answers else there
    for found in (called, says_yes if only_answers else [], only):
        if len(found) == 1:
            return found[0]
    raise BadInput(
        f"the file does not say which label means {category}; its labels are {known}.",
        where=str(claims.file),
        next="name one with --label",
    )


def _said(claims: Claims, label: str) -> list[_Said]:
    """What the file says of each image that it names."""
    yes = claims.images(label)
    first = (claims.claims[place] for place in reversed(claims.places(label)))
    lines = {claim.image: claim.line for claim in first}
    denied = claims.denials(label)
    return [
        _Said(name, lines.get(name, line), name in yes, yes[name] if name in yes else denied.get(name))
        for name, line in claims.named().items()
    ]


def _rows(category: str, said: Sequence[_Said], claims: Claims, *, store: Store) -> tuple[list[Bad], list[int | None]]:
    """The row of each name, None for a bad one."""
    names = [it.name for it in said]
    meant = rows_named(category, names, store=store)
    shared = shared_addresses({name: rows[0] for name, rows in zip(names, meant, strict=True) if rows}, store)
    bad: list[Bad] = []
    found: list[int | None] = []
    for it, rows in zip(said, meant, strict=True):
        fine = len(rows) == 1 and it.name not in shared
        found.append(rows[0] if fine else None)
        if not fine:
            wrong = shared.get(it.name) or not_one(category, it.name, rows, store=store)
            bad.append(Bad(it.line, claims.place(it.line), it.name, *wrong))
    return bad, found


def rows_named(category: str, names: Sequence[str], *, store: Store) -> list[list[int]]:
    """The rows of the pool that each name may mean, ascending: none for an unknown one, several if it is not clear.

    A SHA-256, a file name, a URL or an id is looked up as in every table; another name as in annotations/names.py.
    """
    found = store.categories.find(category, names)
    lacking = [place for place, rows in enumerate(found) if not rows]
    if not lacking:
        return found
    files = _files(category, {key for place in lacking for key in keys_of(names[place])}, store=store)
    known = Names(files)
    for place in lacking:
        found[place] = sorted({row for file in known.find(names[place]) for row in files[file]})
    return found


def _files(category: str, keys: set[str], *, store: Store) -> Mapping[str, list[int]]:
    """The rows of the pool by those of its file names that may be meant."""
    found: dict[str, list[int]] = {}
    pool = store.categories.pool(category)
    for start in range(0, len(pool), ROWS_AT_ONCE):
        for row, aliases in store.images.aliases(pool[start : start + ROWS_AT_ONCE]).items():
            for alias in aliases:
                if alias.kind == "file" and not keys.isdisjoint(keys_of(alias.value)):
                    found.setdefault(alias.value, []).append(row)
    return found


def _all_of(category: str, bad: Sequence[Bad], claims: Claims) -> ThresherError:
    """The error for names that cannot be used: that of the first, and where the others are."""
    first = bad[0]
    what, following = first.what, first.following
    if len(bad) > 1:
        shown = [f"{one.name!r}" + (f" ({one.place})" if one.place else "") for one in bad[:LABELS_SHOWN]]
        more = f" and {len(bad) - LABELS_SHOWN:,} more" if len(bad) > LABELS_SHOWN else ""
        what = f"{len(bad):,} names cannot be used for {category}: {', '.join(shown)}{more}. The first: {what}"
    following = f"{following}; or leave out what cannot be used with --skip-bad"
    if claims.unit == "line" and first.place:
        return BadLine(what, file=str(claims.file), line=first.line, next=following)
    where = f"{claims.file}, {first.place}" if first.place else str(claims.file)
    return BadInput(what, where=where, next=following)


def _told(said: _Said, claims: Claims) -> str:
    place = claims.place(said.line)
    return f"{said.name!r} {'has' if said.yes else 'does not have'} the label{f' in {place}' if place else ''}"


def _must_differ(scores: "np.ndarray[tuple[int], np.dtype[np.float32]]", said: Sequence[_Said], claims: Claims) -> None:
    """Scores that are all equal rank nothing, and are most likely not the scores."""
    there = np.flatnonzero(~np.isnan(scores))
    if len(there) < 2 or len(np.unique(scores[there])) > 1:
        return
    lines = sorted(said[place].line for place in there.tolist())
    first, last = claims.place(lines[0]), lines[-1]
    where = f" ({first} to {last})" if first and last != lines[0] else f" ({first})" if first else ""
    raise BadInput(
        f"every score is {scores[there[0]]:g}{where}.",
        where=str(claims.file),
        next="give scores that differ, or leave them out",
    )
