"""The answers that a head is trained on, and whether they suffice to train one."""

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from thresher.records import Category, Label, Round, Says
from thresher.store.contract import Held, Rows, Store
from thresher.store.groups import groups_of

LEAST_OF_EACH: Final = 2


def known_answers(entry: Category, held: Sequence[Label], *, store: Store) -> dict[int, bool]:
    """Whether the answer is yes, by row in ascending order: from labels, and from gold where an image has no label.

    One image of each similar group: near-duplicates in two folds would let a head be tested on what it was trained on.
    """
    answers = {gold.row: gold.says for gold in store.labels.gold(entry.name, entry.question.version)}
    answers |= {label.row: label.says for label in held}
    rows: Rows = np.array(sorted(row for row, says in answers.items() if says is not Says.UNSURE), np.int64)
    if len(rows):
        rows = rows[np.sort(np.unique(groups_of(rows, held, store=store), return_index=True)[1])]
    return {row: answers[row] is Says.YES for row in rows.tolist()}


def learnt_from(held: Held) -> str:
    """A hash of labels: of the rows whose answer is known, and the answers."""
    sure = ~held.unsure
    return hashlib.sha256(held.rows[sure].astype("<i8").tobytes() + held.yes[sure].tobytes()).hexdigest()[:16]


def has_learnt(done: Round, held: Held) -> bool:
    """Whether a round has learnt from these labels; of one of an earlier version only their numbers are known."""
    if done.learnt:
        return done.learnt == learnt_from(held)
    yes, unsure = int(held.yes.sum()), int(held.unsure.sum())
    return (done.labels_yes, done.labels_no) == (yes, len(held) - yes - unsure)


def can_learn(entry: Category, held: Sequence[Label], *, store: Store) -> bool:
    """Whether there are labels enough of each answer to train a head."""
    yes = list(known_answers(entry, held, store=store).values())
    return min(sum(yes), len(yes) - sum(yes)) >= LEAST_OF_EACH
