"""The cascade's thresholds keep their word on the labels they were chosen on, and take as much as that allows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from thresher.evidence.cascade import cascade


def precision_at(scores: NDArray[np.float64], yes: NDArray[np.bool_], w: NDArray[np.float64], at: float) -> float:
    taken = scores >= at
    return float((w * yes)[taken].sum() / w[taken].sum())


def recall_lost_below(scores: NDArray[np.float64], yes: NDArray[np.bool_], w: NDArray[np.float64], at: float) -> float:
    return float((w * yes)[scores < at].sum() / (w * yes).sum())


LABELS = st.integers(1, 60).flatmap(
    lambda n: st.tuples(
        # few distinct values, so that ties are common
        hnp.arrays(np.float64, n, elements=st.integers(-5, 5).map(float)),
        hnp.arrays(np.bool_, n),
        hnp.arrays(np.float64, n, elements=st.floats(0.1, 50)),
    )
)
SHARE = st.floats(0.05, 0.99)


@given(LABELS, SHARE, SHARE)
def test_both_thresholds_hold_on_the_labels_and_are_the_widest(
    labels: tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]], precision: float, recall: float
) -> None:
    scores, yes, weights = labels
    found = cascade(scores, yes, precision=precision, recall=recall, weights=weights)
    assert found.lower <= found.upper
    values = sorted(set(scores.tolist()))
    good = [v for v in values if precision_at(scores, yes, weights, v) >= precision - 1e-9]
    good = [v for v in good if yes[scores >= v].any()]
    assert found.upper == (good[0] if good else math.inf)
    if not yes.any():
        assert found.lower == -math.inf
        return
    assert recall_lost_below(scores, yes, weights, found.lower) <= 1 - recall + 1e-6
    allowed = [v for v in values if recall_lost_below(scores, yes, weights, v) <= 1 - recall - 1e-6]
    assert found.lower >= min(max(allowed), found.upper)


@given(LABELS, SHARE, SHARE)
def test_the_order_of_the_labels_and_a_shift_of_the_scores_change_nothing(
    labels: tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]],
    precision: float,
    recall: float,
) -> None:
    scores, yes, _ = labels
    order = np.random.default_rng(len(scores)).permutation(len(scores))
    plain = cascade(scores, yes, precision=precision, recall=recall)
    mixed = cascade(scores[order] * 2 + 1, yes[order], precision=precision, recall=recall)
    assert (mixed.lower, mixed.upper) == (plain.lower * 2 + 1, plain.upper * 2 + 1)


def test_a_perfect_head_leaves_no_middle() -> None:
    scores = np.linspace(-3, 3, 100)
    found = cascade(scores, scores > 0, precision=0.95, recall=0.9)
    assert found.lower == found.upper
    assert ((scores >= found.upper) & (scores <= 0)).sum() <= 3  # five in a hundred of the yes may be wrong


def test_a_head_that_knows_nothing_sends_all_to_people() -> None:
    random = np.random.default_rng(0)
    found = cascade(random.normal(size=400), random.random(400) < 0.1, precision=0.95, recall=0.999)
    assert found.upper == math.inf
    assert found.lower < -1


def test_labels_of_one_answer_only_decide_nothing_wrongly() -> None:
    scores = np.array([1.0, 2.0, 3.0])
    none = cascade(scores, np.zeros(3, bool), precision=0.9, recall=0.9)
    assert (none.lower, none.upper) == (-math.inf, math.inf)
    every = cascade(scores, np.ones(3, bool), precision=0.9, recall=0.9)
    assert (every.lower, every.upper) == (1.0, 1.0)


def test_without_labels_nothing_is_decided() -> None:
    found = cascade(np.empty(0), np.empty(0, bool), precision=0.9, recall=0.9)
    assert (found.lower, found.upper) == (-math.inf, math.inf)


def test_a_label_counts_for_as_many_images_as_it_stands_for() -> None:
    scores, yes = np.array([0.0, 1.0, 2.0, 3.0]), np.array([False, True, False, True])
    heavy_no = cascade(scores, yes, precision=0.6, recall=1.0, weights=np.array([1, 1, 9, 1.0]))
    light_no = cascade(scores, yes, precision=0.6, recall=1.0, weights=np.array([1, 1, 0.1, 1.0]))
    assert (heavy_no.upper, light_no.upper) == (3.0, 0.0)


def test_what_is_found_already_may_make_all_that_is_left_negligible() -> None:
    scores, yes = np.array([0.0, 1.0, 2.0, 3.0]), np.array([False, True, False, True])
    kept = cascade(scores, yes, precision=0.9, recall=0.9)
    assert kept.lower == 1.0
    some_lost = cascade(scores, yes, precision=1.0, recall=0.9, found_yes=8)
    assert (some_lost.lower, some_lost.upper) == (3.0, 3.0)
    none_left = cascade(scores, yes, precision=0.9, recall=0.9, weights=np.zeros(4), found_yes=2)
    assert (none_left.lower, none_left.upper) == (math.inf, math.inf)


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        cascade(np.zeros(3), np.zeros(2, bool), precision=0.9, recall=0.9)
