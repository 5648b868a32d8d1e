"""Decisions by labels, thresholds and similar groups are those of the plain rule, on any rows in any order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thresher.learn.decide import NO, UNKNOWN, YES, alike, codes_of
from thresher.records import Label, Purpose, Says, Source, Thresholds
from thresher.store.contract import Rows
from thresher.store.groups import Labelled

IMAGES = 12


def plainly(row: int, similar: dict[int, int], labels: dict[int, Says]) -> tuple[int, bool]:
    """The code of a row without a score, and whether it comes from another image of its group."""
    if row in labels:
        return (YES if labels[row] is Says.YES else NO), False
    said = {labels[other] is Says.YES for other in labels if similar[other] == similar[row]}
    if len(said) != 1:
        return UNKNOWN, False
    return (YES if said.pop() else NO), True


@given(
    st.lists(st.integers(0, IMAGES - 1), min_size=IMAGES, max_size=IMAGES),
    st.dictionaries(st.integers(0, IMAGES - 1), st.sampled_from(list(Says))),
    st.lists(st.integers(0, IMAGES - 1), unique=True),
)
def test_labels_decide_their_groups_as_the_plain_rule_does(
    joins: list[int], labels: dict[int, Says], wanted: list[int]
) -> None:
    similar = {row: row for row in range(IMAGES)}
    for row, joined in enumerate(joins):  # each joins the group of an earlier one, or stands alone
        similar[row] = similar[joined] if joined < row else row
    groups = {group: {labels[row] is Says.YES for row in labels if similar[row] == group} for group in similar.values()}
    agreed = sorted(group for group, said in groups.items() if len(said) == 1)
    split = np.array(sorted(group for group, said in groups.items() if len(said) == 2), np.int64)
    labelled = Labelled(np.array(agreed, np.int64), np.array([True in groups[one] for one in agreed], bool), split)
    held = [Label(row, says, Source.OWNER, Purpose.LEARN, 1, 1) for row, says in sorted(labels.items())]
    for rows in (np.arange(IMAGES), np.array(wanted, np.int64)):
        stored: Rows = np.array([similar[row] for row in rows.tolist()], np.int64)
        apart = labelled.apart(rows, stored)
        scores = np.full(len(rows), np.nan, np.float32)
        codes, inherited = codes_of(rows, scores, Thresholds(-1.0, 1.0), held, apart, labelled)
        assert list(zip(codes.tolist(), inherited.tolist(), strict=True)) == [
            plainly(row, similar, labels) for row in rows.tolist()
        ]
        some = np.array(sorted(labels), np.int64)
        known = {similar[row] for row in labels if row in rows.tolist()}
        assert alike(rows, stored, some).tolist() == [group in known for group in stored.tolist()]
