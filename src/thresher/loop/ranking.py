"""The ranking of a freeze: by the scores of a classifier, or as labels that somebody else made order the images."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from thresher.learn.decide import Decided, look_up
from thresher.records import Label, Says
from thresher.store.claims import ClaimedLabels
from thresher.store.contract import Rows

# added to the score of an image with a consensus label: it ranks before (yes) or after (no) all scores
SAID = 1e6
CLAIMED = 0.97  # the share of yes that is expected of labels, for the curve that plans are made from


def rank(decided: Decided, labels: dict[int, Label], known: dict[int, Label]) -> tuple[Rows, NDArray[np.float64]]:
    """Rows by rank, best score first, ties by row, and their probabilities of being a yes (for planning only)."""
    groups_known = decided.similar[np.isin(decided.rows, np.fromiter(known, np.int64))]
    free = np.flatnonzero(~np.isin(decided.similar, groups_known))
    alone = np.array_equal(decided.similar[free], decided.rows[free])  # as in most pools: nothing to sort then
    first = free if alone else np.sort(free[np.unique(decided.similar[free], return_index=True)[1]])
    representatives = decided.rows[first]  # ascending, so that a stable sort leaves ties in the order of their rows
    scores = np.nan_to_num(decided.scores[first].astype(np.float64), nan=-50.0)
    probability = 1.0 / (1.0 + np.exp(-np.clip(scores, -40.0, 40.0)))
    said = [label for label in labels.values() if label.says is not Says.UNSURE]
    place, there = look_up(representatives, np.array([label.row for label in said], np.int64))
    yes = np.array([label.says is Says.YES for label in said], np.bool_)
    posterior = np.array([label.posterior for label in said], np.float64)
    probability[place[there]] = np.where(yes, posterior, 1.0 - posterior)[there]
    scores[place[there]] += np.where(yes, SAID, -SAID)[there]
    order = np.argsort(-scores, kind="stable")
    return representatives[order], probability[order]


def rank_claim(decided: Decided, known: Mapping[int, Label], claim: ClaimedLabels) -> tuple[Rows, NDArray[np.float64]]:
    """Rows by rank as labels made elsewhere order them, and probabilities of being a yes (for planning only).

    First those that they call yes, the surest first, then the others, each part without scores last, and ties by row.
    Of a similar group the first image that is called yes counts, else the first.
    """
    groups_known = decided.similar[np.isin(decided.rows, np.fromiter(known, np.int64))]
    free = np.flatnonzero(~np.isin(decided.similar, groups_known))
    yes = np.isin(decided.rows, claim.claimed)
    order = free[np.lexsort((decided.rows[free], ~yes[free]))]
    units = order[np.unique(decided.similar[order], return_index=True)[1]]
    scores = np.full(len(decided.rows), -np.inf)
    if claim.scores is not None:
        at, there = look_up(claim.rows, decided.rows)
        given = claim.scores.astype(np.float64)
        scores[there] = np.nan_to_num(given[at[there]], nan=-np.inf)
    units = units[np.lexsort((decided.rows[units], -scores[units], ~yes[units]))]
    return decided.rows[units], np.where(yes[units], CLAIMED, 1.0 - CLAIMED)
