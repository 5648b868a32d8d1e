"""Labels from elsewhere are taken in: images harvested, a category made, the claim stored, and a record at the end.

The record of what was taken is written last, and after it no image is read again. A command that was killed before it
takes the labels again: it compares boxes with their images and equal files with each other once more, and the harvest
reads what it has not read, or what may have changed since (harvest/known.py).
"""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from zlib import compress, decompress

import numpy as np
from numpy.typing import NDArray

from thresher.annotations import Claim, Claims
from thresher.errors import AlreadyThere, BadInput
from thresher.harvest import harvest
from thresher.harvest.claimed import SEVERAL, Finder, Found, Unusable, left_out, refuse
from thresher.records import Category, Question, Targets, category_name, new_id
from thresher.settings import Settings
from thresher.store.claims import AUDITED, ClaimedLabels, number_of, store_claim
from thresher.store.contract import Report, Rows, Store

RECORD: Final = "labels taken"
NO_PICTURE: Final = "the image cannot be read"
REFUSALS_AT_ONCE: Final = 10_000
LONGEST_NAME: Final = 48


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be certified: one label of a file, as a category with a question and targets.

    `boxes`: each box is an image of its own, cropped with the `margin`. `skip_bad`: labels that cannot be used are left
    out and counted.
    """

    label: str
    category: str
    question: str
    targets: Targets
    boxes: bool = False
    margin: float = 0.0
    skip_bad: bool = False
    everything: bool = False


@dataclass(frozen=True)
class Taken:
    """What was taken: the rows that carry the label, and the place in the file of each claim about them.

    `rows` [c] and `places` [c] go together, a row for each claim that was used; two claims of one image have one row.
    """

    label: str
    source: str
    boxes: bool
    rows: Rows
    places: NDArray[np.int64]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def claims_of(self, row: int) -> list[int]:
        """The places in the file of the claims about a row."""
        found: list[int] = self.places[self.rows == row].tolist()
        return found


def categories_of(labels: Sequence[str]) -> dict[str, str]:
    """A category's name for each label: its letters and digits, and a mark where those do not tell it from others."""
    plain = {label: re.sub(r"[^a-z0-9_-]+", "-", label.lower()).strip("-_")[:LONGEST_NAME] for label in labels}
    times = Counter(plain.values())
    return {
        label: category_name(name if name and times[name] == 1 and _tells(name, label) else f"{name or 'label'}-{mark}")
        for label, name in plain.items()
        if (mark := hashlib.sha256(label.encode("utf-8", "surrogatepass")).hexdigest()[:6])
    }


def _tells(name: str, label: str) -> bool:
    """Whether nothing but capitals and signs between words is lost."""
    return label.isascii() and len(name) == len(label.strip())


def taken_of(category: str, *, store: Store) -> Taken | None:
    """What was taken into a category, or None."""
    data = store.rounds.evidence(category, 0, RECORD)
    if data is None:
        return None
    kept: dict[str, Any] = json.loads(data)
    pairs = np.frombuffer(decompress(b64decode(kept["pairs"])), "<i8").reshape(2, -1)
    return Taken(kept["label"], kept["source"], kept["boxes"], pairs[0], pairs[1], kept["left_out"])


def take(
    order: Order,
    finder: Finder,
    *,
    store: Store,
    settings: Settings,
    now_ms: int,
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Taken:
    """Take the labels of an order in, unless that was done before.

    Raises BadInput, BadLine for labels that cannot be used (unless they are skipped), and for a label without any;
    AlreadyThere if the category holds the labels of another file, or was made otherwise: with another question or other
    targets, of which its answers prove nothing.
    """
    claims = finder.claims
    if (before := taken_before(order, claims, store=store)) is not None:
        if not number_of(order.category, store=store):  # it was damaged, and `thresher check --mend` dropped it
            store_claim(order.category, _claim(before, claims, now_ms), store=store)
        return before
    places = claims.places(order.label)
    wanted = [claims.claims[place] for place in places]
    found = (
        finder.boxes(wanted, margin=order.margin) if order.boxes else finder.images(wanted, everything=order.everything)
    )
    if not order.skip_bad:
        refuse(found.unusable, claims)
    if order.category not in [one.name for one in store.categories.all()]:
        question = Question(1, order.question, at_ms=now_ms)
        store.categories.create(Category(order.category, question, order.targets, created_ms=now_ms))
    for part in found.parts:
        harvest(order.category, part, store=store, settings=settings, now_ms=now_ms, report=report, stop=stop)
        if stop():
            raise KeyboardInterrupt
    rows, unusable = _rows(order, wanted, found, store=store)
    if not order.skip_bad:
        refuse(unusable, claims)
    used = np.array([row >= 0 for row in rows], np.bool_)
    made = Taken(
        order.label,
        claims.digest,
        order.boxes,
        np.array(rows, np.int64)[used],
        np.array(places, np.int64)[used],
        left_out([*found.unusable, *unusable]),
    )
    if not len(made.rows):
        raise BadInput(f"no image of the label {order.label!r} can be used.", where=str(claims.file))
    store_claim(order.category, _claim(made, claims, now_ms), store=store)
    _keep(order.category, made, store=store)
    return made


def taken_before(order: Order, claims: Claims, *, store: Store) -> Taken | None:
    """What an earlier run took, None if there was none. Raises AlreadyThere if it took or promised something else.

    A report speaks of what the category has promised since its first answer, so another promise is never put in its
    place, whatever the command says now.
    """
    category = next((one for one in store.categories.all() if one.name == order.category), None)
    if category is None:
        return None
    if changed := [
        f"{what} {_told(was)}, not {_told(now)}" for what, was, now in _promises(category, order) if was != now
    ]:
        what = f"{order.category} was begun with {', '.join(changed)}."
        raise AlreadyThere(what, where=store.place, next="give the same options, or a new directory with --workspace")
    before = taken_of(order.category, store=store)
    if before is not None and (before.label, before.source, before.boxes) != (
        order.label,
        claims.digest,
        order.boxes,
    ):
        raise AlreadyThere(
            "holds other labels, or labels that have changed since.",
            where=store.place,
            next="give a new directory with --workspace",
        )
    return before


def _promises(category: Category, order: Order) -> list[tuple[str, object, object]]:
    """What a category was begun with and what an order asks for, in pairs."""
    was, now = category.targets, order.targets
    return [
        ("the method", was.method, now.method),
        ("the precision", was.precision, now.precision),
        ("the recall", was.recall, now.recall),
        ("the delta", was.delta, now.delta),
        ("the answers of", was.truth, now.truth),
        ("the question", category.question.text, order.question),
    ]


def _told(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value) if isinstance(value, str) else str(value)


def _rows(order: Order, wanted: Sequence[Claim], found: Found, *, store: Store) -> tuple[list[int], list[Unusable]]:
    """The row of each claim, -1 if it has none, and the claims whose image was refused or is not clear."""
    named = [name or "" for name in found.names]
    rows = store.categories.find(order.category, named)
    refused: dict[str, str] | None = None
    own: list[int] = []
    unusable: list[Unusable] = []
    for claim, name, some in zip(wanted, found.names, rows, strict=True):
        own.append(some[0] if name is not None and len(some) == 1 else -1)
        if name is None or len(some) == 1:
            continue
        if some:
            what = f"{len(some):,} images are called {name!r}."
            unusable.append(Unusable(claim, SEVERAL, what))
            continue
        refused = _refused(order.category, store=store) if refused is None else refused
        why = refused.get(name, "it is not among the images.")
        unusable.append(Unusable(claim, NO_PICTURE, f"{name!r} cannot be used: {why}"))
    return own, unusable


def _refused(category: str, *, store: Store) -> dict[str, str]:
    """Why each refused file of a category was refused."""
    found: dict[str, str] = {}
    after = 0
    while page := store.categories.refusals(category, after, REFUSALS_AT_ONCE):
        after = page[-1][0]
        found |= {refusal.name: refusal.detail for _, refusal in page}
    return found


def _claim(made: Taken, claims: Claims, now_ms: int) -> ClaimedLabels:
    """The claim by row: each row once, with its highest score."""
    scores: dict[int, float] = defaultdict(lambda: float("nan"))
    for row, place in zip(made.rows.tolist(), made.places.tolist(), strict=True):
        score = claims.claims[place].score
        if score is not None and not scores[row] >= score:  # NaN, none, is not
            scores[row] = score
    rows = np.unique(made.rows)
    values = np.array([scores[row] for row in rows.tolist()], np.float32)
    scored = None if np.isnan(values).all() else values
    return ClaimedLabels(AUDITED, rows, np.ones(len(rows), np.bool_), scores=scored, source=made.source,
                         kind=claims.kind, at_ms=now_ms)  # fmt: skip


def _keep(category: str, made: Taken, *, store: Store) -> None:
    pairs = np.stack([made.rows, made.places]).astype("<i8").tobytes()
    kept = {
        "label": made.label,
        "source": made.source,
        "boxes": made.boxes,
        "left_out": dict(made.left_out),
        "pairs": b64encode(compress(pairs, 6)).decode("ascii"),
    }
    store.rounds.keep_evidence(category, 0, RECORD, json.dumps(kept, sort_keys=True).encode())


def workspace_for(file: Path) -> Path:
    """The workspace of the labels in a file, beside where the command runs."""
    stem = file.resolve().name.split(".")[0] if file.is_file() else file.resolve().name
    return Path(f"certify-{stem or new_id()}")
