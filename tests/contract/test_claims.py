"""Labels made elsewhere are kept whole under a name, on every store; the latest are in force."""

import numpy as np
import pytest
from tests.contract.things import category

from thresher.errors import BadInput, StoreDamaged
from thresher.store.claims import (
    AUDITED,
    TEXT,
    ClaimedLabels,
    claim_of,
    claims_in_force,
    claims_of,
    keep_words,
    remove_claim,
    store_claim,
    words_of,
)
from thresher.store.contract import Store
from thresher.store.kinds import CLAIM, WORDS


def claim(rows: list[int], yes: list[bool], scores: list[float] | None = None, source: str = "aa") -> ClaimedLabels:
    given = None if scores is None else np.array(scores, np.float32)
    return ClaimedLabels(AUDITED, np.array(rows, np.int64), np.array(yes, np.bool_), given, source, "csv", 7)


def same(one: ClaimedLabels | None, other: ClaimedLabels) -> bool:
    if one is None or (one.scores is None) != (other.scores is None):
        return False
    arrays = [(one.rows, other.rows), (one.yes, other.yes)]
    alike = all(np.array_equal(left, right) for left, right in arrays)
    if one.scores is not None and other.scores is not None:
        alike = alike and np.array_equal(one.scores, other.scores, equal_nan=True)
    facts = [(it.name, it.source, it.kind, it.at_ms, it.number) for it in (one, other)]
    return alike and facts[0] == facts[1]


def test_labels_come_back_as_they_were_stored_and_the_latest_are_in_force(store: Store) -> None:
    category(store, 6)
    assert claim_of("car", store=store) is None
    first = store_claim("car", claim([0, 2, 5], [True, False, True], [0.9, np.nan, 0.25]), store=store)
    assert same(claim_of("car", store=store), first)
    assert first.claimed.tolist() == [0, 5]
    again = store_claim("car", claim([0, 2, 5], [True, False, True], [0.9, np.nan, 0.25]), store=store)
    assert again.number == first.number == 1
    second = store_claim("car", claim([1, 3], [True, True], source="bb"), store=store)
    assert second.number == 2
    assert same(claim_of("car", store=store), second)
    assert len(store.lines.page(CLAIM, "car")) == 1  # what is not in force is kept for nobody
    store_claim("car", ClaimedLabels("detector", np.array([4]), np.array([True])), store=store)
    assert claims_of("car", store=store) == ["detector", AUDITED]
    assert same(claim_of("car", store=store), second)


@pytest.mark.parametrize(
    ("rows", "yes", "scores"),
    [
        ([0, 0], [True, True], None),
        ([1, 0], [True, True], None),
        ([0, 1], [True], None),
        ([0, 1], [True, True], [0.5]),
        ([0, 1], [True, True], [0.5, np.inf]),
        ([0, 77], [True, True], None),
    ],
)
def test_labels_that_do_not_fit_the_pool_are_refused_and_nothing_is_stored(
    store: Store, rows: list[int], yes: list[bool], scores: list[float] | None
) -> None:
    category(store, 6)
    with pytest.raises(BadInput, match="'labels' cannot be stored"):
        store_claim("car", claim(rows, yes, scores), store=store)
    assert claims_of("car", store=store) == []


def test_changed_labels_are_not_used_and_check_drops_them(store: Store) -> None:
    category(store, 6)
    store_claim("car", claim([0, 2], [True, True]), store=store)
    store.lines.change(CLAIM, [AUDITED, 1], {"yes": 1}, "car")
    with pytest.raises(StoreDamaged, match="import the labels again"):
        claim_of("car", store=store)
    (found,) = store.check(mend=True).found
    assert "labels 'labels' of car" in found
    assert store.check(mend=False).found == ()
    assert claim_of("car", store=store) is None


def test_the_words_of_a_category_are_the_last_ones_and_empty_ones_take_their_scores_along(store: Store) -> None:
    category(store, 4)
    assert words_of("car", store=store) == ""
    for at, text in enumerate(("a red car", "a red car", "a car at night")):
        keep_words("car", text, store=store, now_ms=at)
    assert words_of("car", store=store) == "a car at night"
    assert [line["number"] for line in store.lines.page(WORDS, "car")] == [1, 2]
    scores = np.array([0.5, np.nan], np.float32)
    for at in (1, 2):
        made = ClaimedLabels(TEXT, np.array([0, 2]), np.zeros(2, bool), scores * at, str(at), TEXT, at)
        kept = store_claim("car", made, store=store)
        remove_claim("car", TEXT, store=store, before=kept.number)
    assert [line["number"] for line in store.lines.page(CLAIM, "car")] == [2]
    keep_words("car", "", store=store, now_ms=9)
    assert words_of("car", store=store) == ""
    assert claim_of("car", TEXT, store=store) is None


def test_claims_in_force_are_told_without_their_values_and_removed_with_all_that_came_before(store: Store) -> None:
    category(store, 6)
    assert claims_in_force("car", store=store) == []
    store_claim("car", claim([0, 2, 5], [True, False, True], source="aa"), store=store)
    store_claim("car", ClaimedLabels("detector", np.array([4]), np.array([True])), store=store)
    (_, before) = claims_in_force("car", store=store)
    store_claim("car", claim([1, 3], [True, True], [0.5, 0.75], source="bb"), store=store)
    detector, now = claims_in_force("car", store=store)
    assert (detector.name, detector.rows, detector.yes, detector.scored) == ("detector", 1, 1, False)
    assert (now.name, now.kind, now.source, now.rows, now.yes, now.scored) == (AUDITED, "csv", "bb", 2, 2, True)
    assert now.mark
    assert now.mark != before.mark
    assert remove_claim("car", AUDITED, store=store)
    assert not remove_claim("car", AUDITED, store=store)
    assert claim_of("car", store=store) is None
    assert claims_in_force("car", store=store) == [detector]
