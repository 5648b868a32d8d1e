"""Answers from a file: gold that checks annotators, labels that train the classifier, and columns beside the vectors.

Gold and labels are taken as true. A column (a claim) is distrusted: the classifier learns how far it can be used.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from thresher.annotations import read
from thresher.errors import BadInput, NotFound
from thresher.label.claimed import Found, claimed_labels
from thresher.label.gold import gold_of
from thresher.label.table import read_answers
from thresher.records import Label, Purpose, Source
from thresher.store.claims import AUDITED, TEXT, claims_of, remove_claim, store_claim
from thresher.store.contract import Store

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
TAKEN: Final = {
    AUDITED: "is what `thresher certify` checks",
    TEXT: "is how well images fit the words of a category",
}
"""Names of claims that are made in another way."""
UNNAMED: Final = "imported"
"""The name of a column whose file has no name that a column can have."""


def import_gold(category: str, path: Path, *, store: Store, now_ms: int) -> int:
    """Take the owner's known answers from a table as labels and gold; returns how many images it names.

    Columns `image`, `file` or `url`, and `answer` (yes or no). If one line is wrong, nothing of the file is stored.
    Raises BadInput, BadLine.
    """
    labels = _labels(category, path, Source.OWNER, ("yes", "no"), store=store, now_ms=now_ms)
    version = store.categories.get(category).question.version
    known = {piece.row: piece for piece in store.labels.gold(category, version, retired=True)}
    gold = [gold_of(label, (), known.get(label.row)) for label in labels]
    store.labels.hold(category, labels)
    store.labels.gild(category, [piece for piece in gold if piece is not None])
    return len(labels)


def import_labels(category: str, path: Path, *, store: Store, now_ms: int) -> int:
    """Take labels from a table to train on, which check nobody; returns how many images it names.

    Columns as for `import_gold`; "unsure" is an answer too.
    """
    labels = _labels(category, path, Source.IMPORTED, ("yes", "no", "unsure"), store=store, now_ms=now_ms)
    store.labels.hold(category, labels)
    return len(labels)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a file of labels is to be read: its format, the label that means yes, and the name of the column.

    Each may be empty: then the file tells. `skip_bad` leaves out what cannot be used.
    """

    kind: str = ""
    label: str = ""
    name: str = ""
    skip_bad: bool = False


def import_column(category: str, path: Path, wanted: Wanted, *, store: Store, now_ms: int) -> Found:
    """Take labels or scores that somebody else made as a column of the category, in place of one of the same name.

    If something of the file is wrong, nothing of it is stored. Raises BadInput, BadLine (claimed_labels), BadInput for
    a column that tells no image from another.
    """
    store.categories.get(category)
    name = column_name(wanted.name, path)
    claims = read(path, kind=wanted.kind)
    found = claimed_labels(category, claims, label=wanted.label, name=name, skip_bad=wanted.skip_bad, store=store)
    claim = found.claim
    if claim.yes.all() and claim.scores is None and len(claim.rows) == len(store.categories.pool(category)):
        raise BadInput(
            f"all {len(claim.rows):,} images of {category} have the label {found.label!r}, without a score.",
            where=str(path),
            next="give labels or scores that differ",
        )
    return replace(found, claim=store_claim(category, replace(claim, at_ms=now_ms), store=store))


def column_name(wanted: str, path: Path) -> str:
    """The name of a column: the one that is wanted, or that of the file. Raises BadInput for one that cannot be."""
    if not wanted:
        stem = path.resolve().name.split(".")[0] if path.is_file() else path.resolve().name
        made = re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-._")[:60]
        return made if NAME.fullmatch(made) and made not in TAKEN else UNNAMED
    if wanted in TAKEN:
        what = f"{wanted!r} {TAKEN[wanted]}; an imported column cannot have this name."
        raise BadInput(what, next="give another --name")
    if not NAME.fullmatch(wanted):
        raise BadInput(
            f"the name {wanted[:60]!r} is not one of up to 60 of the characters a-z 0-9 . _ -.",
            next="give another --name",
        )
    return wanted


def remove_column(category: str, name: str, *, store: Store) -> None:
    """Remove a column; heads that learned from it stay as they are. Raises NotFound, BadInput."""
    store.categories.get(category)
    there = claims_of(category, store=store)
    if name in TAKEN and name in there:
        ends = f'thresher gold mine {category} --text ""' if name == TEXT else f"thresher labels list {category}"
        raise BadInput(f"{name!r} {TAKEN[name]}; it is not an imported column.", where=category, next=ends)
    if name not in there or not remove_claim(category, name, store=store):
        known = any(one not in TAKEN for one in there)
        raise NotFound(
            f"{category} has no labels called {name!r}.",
            next=f"thresher labels list {category}" if known else "",
        )


def _labels(
    category: str, path: Path, source: Source, allowed: Sequence[str], *, store: Store, now_ms: int
) -> list[Label]:
    version = store.categories.get(category).question.version
    found = read_answers(path, category, allowed, store=store)
    return [Label(row, says, source, Purpose.IMPORT, version, now_ms) for row, says in found.items()]
