"""Claims: labels of a category that somebody else made, as a named column of the category. They are never evidence.

A claim is one line with everything in it, so it is stored whole or not at all. A name may be given again: the later
claim is in force, and the earlier ones are removed. (A freeze keeps its own ranking, and the number of its claim.)
"""

import zlib
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from thresher.errors import BadInput, StoreDamaged
from thresher.store.contract import Rows, Store
from thresher.store.kinds import CLAIM, WORDS
from thresher.store.seals import SEAL, must_hold, sealed

AUDITED: Final = "labels"
"""The name of the claim that the method `labels` audits."""
TEXT: Final = "text"
"""The name of the claim whose scores say how well each image fits the words of its category."""
AGAIN: Final = "import the labels again"
_ROWS, _YES, _SCORES = np.dtype("<i8"), np.dtype("u1"), np.dtype("<f4")


@dataclass(frozen=True)
class ClaimedLabels:
    """The labels of one source: what it says of some rows of a pool, ascending, each once.

    `yes` [n] is whether the source calls the image a yes, and `scores` [n] (float32) how sure it is of that yes, NaN
    where it does not say; None without any. Rows that are not named are neither claimed nor denied. `source` is the
    SHA-256 of the file, and `kind` the name of its format.
    """

    name: str
    rows: Rows
    yes: NDArray[np.bool_]
    scores: NDArray[np.float32] | None = None
    source: str = ""
    kind: str = ""
    at_ms: int = 0
    number: int = 0

    @property
    def claimed(self) -> Rows:
        """The rows that it calls a yes."""
        return self.rows[self.yes]


def store_claim(category: str, claim: ClaimedLabels, *, store: Store) -> ClaimedLabels:
    """Store the labels of a source under its name, as the ones in force; what is in force already is not stored again.

    Returns what is in force. Raises BadInput for rows that are not ascending or not in the pool, and for values of
    another length or infinite.
    """
    _must_fit(category, claim, store=store)
    data = _packed(claim)
    while True:
        before = _line(category, claim.name, store=store)
        if before is not None and (before["data"], before["source"]) == (data, claim.source):
            return _read(before)
        number = before["number"] + 1 if before else 1
        line = {
            "name": claim.name,
            "number": number,
            "kind": claim.kind,
            "source": claim.source,
            "rows": len(claim.rows),
            "yes": int(claim.yes.sum()),
            "scored": claim.scores is not None,
            "at_ms": claim.at_ms,
            "data": data,
        }
        if store.lines.add(CLAIM, [sealed(CLAIM.name, line)], category):
            remove_claim(category, claim.name, store=store, before=number)
            return replace(claim, number=number)


def claim_of(category: str, name: str = AUDITED, *, store: Store) -> ClaimedLabels | None:
    """The labels in force under a name; None if there are none. Raises StoreDamaged for changed ones."""
    line = _line(category, name, store=store)
    return None if line is None else _read(line)


def number_of(category: str, name: str = AUDITED, *, store: Store) -> int:
    """The number of the labels in force under a name; 0 if there are none."""
    newest = store.lines.page(CLAIM, category, where={"name": name}, descending=True, limit=1)
    return int(newest[0]["number"]) if newest else 0


def claims_of(category: str, *, store: Store) -> list[str]:
    """The names of a category's claims, ascending."""
    return sorted({line["name"] for line in store.lines.page(CLAIM, category)})


@dataclass(frozen=True, slots=True)
class Standing:
    """What is told of a claim: how many rows it speaks of, and how many of these it calls a yes.

    `mark` is its checksum: other labels have another one.
    """

    name: str
    kind: str
    source: str
    rows: int
    yes: int
    scored: bool
    at_ms: int
    mark: str


def claims_in_force(category: str, *, store: Store) -> list[Standing]:
    """The claims in force of a category, by name, without their values."""
    newest = {line["name"]: line for line in store.lines.page(CLAIM, category)}
    told = ("name", "kind", "source", "rows", "yes", "scored", "at_ms")
    return [Standing(**{field: line[field] for field in told}, mark=line[SEAL]) for _, line in sorted(newest.items())]


def remove_claim(category: str, name: str, *, store: Store, before: int | None = None) -> bool:
    """Remove the labels of a name, the earlier ones too (only those with a number below `before`, where it is given);
    whether there were any.
    """
    lines = store.lines.page(CLAIM, category, where={"name": name})
    gone = [line["number"] for line in lines if before is None or line["number"] < before]
    for number in gone:
        store.lines.drop(CLAIM, [name, number], category)
    return bool(gone)


def words_of(category: str, *, store: Store) -> str:
    """The words that the pool of a category is ranked by; empty if there are none."""
    newest = store.lines.page(WORDS, category, descending=True, limit=1)
    return str(newest[0]["text"]) if newest else ""


def keep_words(category: str, text: str, *, store: Store, now_ms: int) -> None:
    """Put words in force by which the pool of a category is ranked; empty: none, and their scores are removed."""
    while words_of(category, store=store) != text:
        newest = store.lines.page(WORDS, category, descending=True, limit=1)
        number = newest[0]["number"] + 1 if newest else 1
        store.lines.add(WORDS, [{"number": number, "text": text, "at_ms": now_ms}], category)
    if not text:
        remove_claim(category, TEXT, store=store)


def _line(category: str, name: str, *, store: Store) -> dict[str, Any] | None:
    seen = 0
    while (number := number_of(category, name, store=store)) not in (0, seen):
        if (line := store.lines.get(CLAIM, [name, number], category)) is not None:
            must_hold(CLAIM, line, f"the labels {name!r} of {category}", AGAIN)
            return line
        seen = number  # removed just now, for another process has stored the next ones
    return None


def _read(line: dict[str, Any]) -> ClaimedLabels:
    count, data = line["rows"], zlib.decompress(line["data"])
    sizes = [_ROWS.itemsize, _YES.itemsize, *([_SCORES.itemsize] if line["scored"] else [])]
    if len(data) != count * sum(sizes):
        raise StoreDamaged(f"the labels {line['name']!r} have another length than they say.", next=AGAIN)
    ends = np.cumsum([0, *(size * count for size in sizes)])
    parts = [data[start:end] for start, end in pairwise(ends.tolist())]
    return ClaimedLabels(
        line["name"],
        np.frombuffer(parts[0], _ROWS).astype(np.int64),
        np.frombuffer(parts[1], _YES).astype(np.bool_),
        np.frombuffer(parts[2], _SCORES).astype(np.float32) if line["scored"] else None,
        line["source"],
        line["kind"],
        line["at_ms"],
        line["number"],
    )


def _packed(claim: ClaimedLabels) -> bytes:
    scores = b"" if claim.scores is None else claim.scores.astype(_SCORES).tobytes()
    return zlib.compress(claim.rows.astype(_ROWS).tobytes() + claim.yes.astype(_YES).tobytes() + scores, 6)


def _must_fit(category: str, claim: ClaimedLabels, *, store: Store) -> None:
    lengths = {len(claim.rows), len(claim.yes), len(claim.rows if claim.scores is None else claim.scores)}
    wrong = ""
    if len(lengths) > 1:
        wrong = "there are not as many values as rows"
    elif len(claim.rows) and bool((np.diff(claim.rows) <= 0).any()):
        wrong = "the rows are not ascending, or one is there twice"
    elif claim.scores is not None and bool(np.isinf(claim.scores).any()):
        wrong = "a score is infinite"
    elif not bool(np.isin(claim.rows, store.categories.pool(category)).all()):
        wrong = "an image is not in the pool"
    if wrong:
        raise BadInput(f"the labels {claim.name!r} cannot be stored: {wrong}.", where=category, next=AGAIN)
