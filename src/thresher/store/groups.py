"""Similar groups as a category sees them: one whose labels contradict each other is split into its images.

The images of a group were compared and found the same. If people answer them differently, then either an answer is
wrong, or the comparison; none of them may speak for another. So each of a split group is asked about, decided, ranked
and released for itself. It is computed from the labels, so it ends when they agree again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thresher.records import Label
from thresher.store.contract import Rows, Store, as_held


@dataclass(frozen=True, slots=True)
class Labelled:
    """The groups that have a label, by the row that represents each, ascending.

    `agreed` [n] have one answer, `yes` [n] says which; in the groups of `split` [m] the labels contradict each other.
    "Unsure" decides as no does, so it contradicts a yes only.
    """

    agreed: Rows
    yes: NDArray[np.bool_]
    split: Rows

    def apart(self, rows: Rows, similar: Rows) -> Rows:
        """For each row the one that represents it, given the stored `similar`: itself if its group is split."""
        if not len(self.split):
            return similar
        return np.where(np.isin(similar, self.split), rows, similar)


def labelled_groups(held: Sequence[Label], *, store: Store) -> Labelled:
    """The groups of these labels, one label per row."""
    labels = as_held(held)
    rows, yes = labels.rows, labels.yes
    groups = store.images.similar(rows) if len(rows) else rows
    if (groups == rows).all() and (rows[1:] > rows[:-1]).all():  # no group has two labels
        return Labelled(rows, yes, rows[:0])
    some_yes, some_no = np.unique(groups[yes]), np.unique(groups[~yes])
    split = np.intersect1d(some_yes, some_no, assume_unique=True)
    agreed = np.setdiff1d(np.union1d(some_yes, some_no), split, assume_unique=True)
    return Labelled(agreed, np.isin(agreed, some_yes), split)


def groups_of(rows: Rows, held: Sequence[Label], *, store: Store) -> Rows:
    """For each row the one that represents its group, as these labels of a category leave the groups."""
    return labelled_groups(held, store=store).apart(rows, store.images.similar(rows))
