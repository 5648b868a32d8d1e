"""Yes, no or unknown from scores, thresholds and labels; computed, never stored per image.

If a certificate is in force, the decision on a category also depends on it: `loop/decision.py` is the only place that
decides, and the only file that calls this one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thresher.records import Label, Round, Thresholds
from thresher.store.contract import Rows, Store, as_held
from thresher.store.groups import Labelled, labelled_groups

YES, NO, UNKNOWN = 1, 0, -1
Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Decided:
    """The decisions on some rows.

    `rows` [n] ascending; `codes` [n] 1 yes, 0 no, -1 unknown; `scores` [n] log-odds, NaN where there is none; `round`
    the newest of the question's version, or None; `similar` [n] the row that represents the similar group of each,
    itself if labels split the group (store/groups.py); `inherited` [n] where the code is that of another member of the
    group: such a yes may be released, marked so.
    """

    rows: Rows
    codes: Codes
    scores: NDArray[np.float32]
    round: Round | None
    similar: Rows
    inherited: NDArray[np.bool_]


def decide(
    rows: Rows, newest: Round | None, held: Sequence[Label], *, store: Store, similar: Rows | None = None
) -> Decided:
    """Decide on rows by the newest round and the labels; `similar` [n], as stored, may be given if it is known already.

    A label takes precedence over the label of a copy, and both over the score. If the labels of a group contradict each
    other, its images inherit nothing. A final label "unsure" counts as no: the image is not released, and nobody is
    asked about it again.
    """
    scores = np.full(len(rows), np.nan, np.float32)
    if newest is not None and len(rows):
        matrix, present = store.columns.view(newest.column)
        scores = np.where(present[rows], matrix[rows, 0], np.float32(np.nan)).astype(np.float32)
    if similar is None:
        similar = store.images.similar(rows) if len(rows) else rows
    labelled = labelled_groups(held, store=store)
    similar = labelled.apart(rows, similar)
    codes, inherited = codes_of(rows, scores, newest.thresholds if newest else None, held, similar, labelled)
    return Decided(rows, codes, scores, newest, similar, inherited)


def codes_of(
    rows: Rows,
    scores: NDArray[np.float32],
    thresholds: Thresholds | None,
    held: Sequence[Label],
    similar: Rows,
    labelled: Labelled,
) -> tuple[Codes, NDArray[np.bool_]]:
    """Codes [n], and which of them come from a copy's label."""
    codes = np.full(len(rows), UNKNOWN, np.int8)
    if thresholds is not None:
        codes[scores >= thresholds.upper] = YES  # a NaN is neither
        codes[scores < thresholds.lower] = NO
    if not held:
        return codes, np.zeros(len(rows), bool)
    labels = as_held(held)
    own, says = labels.rows, np.where(labels.yes, YES, NO).astype(np.int8)
    # each row of a label, and each that represents a group with one, is sought: they are few, and the rows are many
    at, found = places_in(rows, labelled.agreed)
    may_share = similar != rows
    may_share[at[found]] = True
    shared = np.flatnonzero(may_share)
    at, found = look_up(labelled.agreed, similar[shared])
    found &= ~np.isin(rows[shared], own)
    inherited = np.zeros(len(rows), bool)
    inherited[shared[found]] = True
    codes[shared[found]] = np.where(labelled.yes[at[found]], YES, NO)
    at, found = places_in(rows, own)
    codes[at[found]] = says[found]
    return codes, inherited


def sharing(rows: Rows, similar: Rows) -> Rows:
    """The places [k] of rows whose similar group has others among the rows, or is that of an image that is not here."""
    copies = similar != rows
    return np.flatnonzero(copies | np.isin(rows, np.unique(similar[copies]))) if copies.any() else rows[:0]


def alike(rows: Rows, similar: Rows, some: Rows) -> NDArray[np.bool_]:
    """Which of the rows [n] are among `some`, or in the similar group of one of these that is among the rows."""
    found = np.zeros(len(rows), bool)
    at, there = places_in(rows, some)
    found[at[there]] = True
    shared = sharing(rows, similar)
    found[shared] |= np.isin(similar[shared], np.unique(similar[shared][found[shared]]))
    return found


def places_in(rows: Rows, wanted: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """The position of each wanted row among rows in any order, and whether it is there; quick where they ascend."""
    if (rows[1:] > rows[:-1]).all():
        return look_up(rows, wanted)
    order = np.argsort(rows, kind="stable")
    at, there = look_up(rows[order], wanted)
    return order[at] if len(order) else at, there


def look_up(ascending: Rows, wanted: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """The position of each wanted number among ascending ones, and whether it is there."""
    if not len(ascending):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), bool)
    at = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    return at, ascending[at] == wanted
