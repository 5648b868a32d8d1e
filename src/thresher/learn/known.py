"""The answers that a head is trained on, and whether they suffice to train one."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from thresher.records import Category, Label, Says
from thresher.store.contract import Rows, Store
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


def can_learn(entry: Category, held: Sequence[Label], *, store: Store) -> bool:
    """Whether there are labels enough of each answer to train a head."""
    yes = list(known_answers(entry, held, store=store).values())
    return min(sum(yes), len(yes) - sum(yes)) >= LEAST_OF_EACH
