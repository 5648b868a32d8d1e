"""Targets as a person gives them."""

from typing import Any

import numpy as np
import pytest
from tests.filled import NAME, fill

from thresher.errors import BadInput
from thresher.loop.aims import Aims, aim, aimed
from thresher.loop.ways import WITHOUT_LABELS
from thresher.records import Targets
from thresher.store.claims import AUDITED, ClaimedLabels, store_claim
from thresher.store.contract import Store


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"precision": 1.0}, "such as --precision 0.95"),
        ({"recall": -0.1}, "such as --recall 0.95"),
        ({"delta": 0.0}, "such as --delta 0.05"),
        ({"delta": 0.5}, "--delta 0.5 is not between 0 and 0.5"),
        ({"delta": 0.9}, "such as --delta 0.05"),
        ({"answers": -5}, "0 for no limit"),
        ({"method": "bogus"}, "choose from"),
    ],
)
def test_a_target_that_cannot_be_is_refused_with_one_that_can(given: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        aimed(Targets(), Aims(**given))


def test_targets_that_come_as_a_whole_are_checked_as_those_given_one_by_one() -> None:
    """A request to the server brings its targets so, and an earlier version may have stored such ones."""
    for wrong in (Targets(delta=0.5), Targets(precision=1.0), Targets(recall=0.0)):
        with pytest.raises(BadInput, match="is not between 0 and"):
            aimed(wrong, Aims())
    assert aimed(Targets(delta=0.7), Aims(delta=0.05)).delta == 0.05


def test_what_is_not_given_stays_and_no_answers_take_the_cap_away() -> None:
    before = Targets(precision=0.9, recall=0.8, answers=500, method="certified")
    assert aimed(before, Aims(recall=0.7)) == Targets(precision=0.9, recall=0.7, answers=500, method="certified")
    assert aimed(before, Aims(answers=0)).answers is None


def test_the_owner_checks_nothing_where_every_image_is_labelled() -> None:
    for before, given in (
        (Targets(), Aims(method="everything", check=True)),
        (Targets(check=True), Aims(method="everything")),
    ):
        with pytest.raises(BadInput, match="has no audits"):
            aimed(before, given)
    assert aimed(Targets(check=True), Aims(method="everything", check=False)).method == "everything"


def test_the_owner_checks_nothing_where_no_precision_is_promised() -> None:
    with pytest.raises(BadInput, match="promises no precision"):
        aimed(Targets(), Aims(method="recall", check=True))
    assert aimed(Targets(), Aims(method="precision", check=True)).check


def test_words_of_people_and_the_owner_s_truth_are_not_mixed() -> None:
    with pytest.raises(BadInput, match="the owner's answers"):
        aimed(Targets(), Aims(method="adjudicated", truth="owner"))
    with pytest.raises(BadInput, match="unknown --truth 'the boss'"):
        aimed(Targets(), Aims(truth="the boss"))
    assert aimed(Targets(), Aims(method="certified", truth="owner")).truth == "owner"


def test_only_a_category_with_labels_from_elsewhere_can_have_them_audited(store: Store) -> None:
    """In any other the loop would say that no labels are there to audit."""
    rows = fill(store, 3)
    told = "audits labels that were made elsewhere"
    with pytest.raises(BadInput, match=told):
        aim(NAME, Aims(method="labels"), store=store)
    with pytest.raises(BadInput, match=told):
        aimed(Targets(), Aims(method="labels"), methods=WITHOUT_LABELS)
    store_claim(NAME, ClaimedLabels(AUDITED, np.array(rows), np.ones(3, np.bool_)), store=store)
    assert aim(NAME, Aims(method="labels"), store=store).method == "labels"


def test_other_targets_of_labels_from_elsewhere_can_be_changed_without_the_labels(store: Store) -> None:
    fill(store, 3)
    store.categories.aim(NAME, Targets(method="labels"))
    assert aim(NAME, Aims(precision=0.9), store=store) == Targets(precision=0.9, method="labels")
