"""Labels from elsewhere beside the vectors: used where they help, and judged on held-out labels."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from thresher.learn.beside import Beside, Column, standard
from thresher.learn.head import Head, deal_folds, train
from thresher.learn.stack import stacked, ways_to_stack
from thresher.learn.vectors import Vectors

Bools = NDArray[np.bool_]
PLAIN = ("logistic",)


def pool(count: int, seed: int, gap: float = 2.5) -> tuple[NDArray[np.float16], Bools, np.random.Generator]:
    """Vectors that tell a fifth from the others, though not well."""
    random = np.random.default_rng(seed)
    yes = random.random(count) < 0.2
    vectors = random.normal(size=(count, 24)) + np.outer(yes, np.eye(24)[0] * gap)
    return vectors.astype(np.float16), yes, random


def column(values: NDArray[np.floating], name: str = "theirs") -> Beside:
    return Beside(np.asarray(values, np.float32)[:, None], (name,))


def precision(vectors: NDArray[np.float16], yes: Bools, beside: Beside | None, labels: int) -> tuple[float, Head]:
    """The average precision on what has no label, and the head."""
    some = np.arange(labels)
    given = None if beside is None else beside.take(some)
    head = train(vectors[:labels], yes[:labels], seed=1, pool=Vectors([vectors]), families=PLAIN, beside=given)
    scores = head.scores(vectors, beside)
    return float(average_precision_score(yes[labels:], scores[labels:])), head


def test_a_perfect_column_is_used_after_a_few_labels() -> None:
    for seed in range(3):
        vectors, yes, _ = pool(1500, seed)
        before, alone = precision(vectors, yes, None, 30)
        after, head = precision(vectors, yes, column(np.where(yes, 1.0, -1.0)), 30)
        assert alone.stack is None
        assert head.stack is not None
        assert head.stack.columns == ("theirs",)
        assert after > max(0.98, before)
        assert head.measures["log_loss"] < head.measures["log_loss_alone"] == alone.measures["log_loss"]


def test_a_column_of_noise_does_no_harm() -> None:
    changes = []
    for seed in range(8):
        vectors, yes, random = pool(1500, seed)
        before, _ = precision(vectors, yes, None, 40)
        noise = column(random.normal(size=1500)) if seed % 2 else column(np.where(random.random(1500) < 0.2, 1, -1))
        after, _ = precision(vectors, yes, noise, 40)
        changes.append(after - before)
    assert np.mean(changes) > -0.01
    assert np.median(changes) >= 0


def test_of_several_columns_the_good_one_is_used() -> None:
    vectors, yes, random = pool(1500, 3)
    values = np.column_stack([random.normal(size=1500), np.where(yes, 1.0, -1.0), random.normal(size=1500)])
    after, head = precision(vectors, yes, Beside(values.astype(np.float32), ("dice", "good", "more dice")), 40)
    assert head.stack is not None
    assert "good" in head.stack.columns
    assert after > 0.97


def test_where_a_column_says_nothing_the_vectors_decide() -> None:
    vectors, yes, random = pool(2000, 5)
    there = random.random(2000) < 0.5
    beside = column(np.where(there, np.where(yes, 1.0, -1.0), np.nan))
    _, head = precision(vectors, yes, beside, 200)
    assert head.stack is not None
    scores, without = head.scores(vectors, beside), head.scores(vectors)
    assert np.isfinite(scores).all()
    assert np.array_equal(scores[~there], without[~there])  # no column at all is a column that says nothing
    assert average_precision_score(yes[there], scores[there]) > 0.99
    assert average_precision_score(yes[~there], scores[~there]) > 0.6


def test_stacked_scores_are_log_odds() -> None:
    vectors, yes, random = pool(20_000, 6)
    beside = column(standard(yes * 2.0 + random.normal(size=20_000)))
    _, head = precision(vectors, yes, beside, 1000)
    assert head.stack is not None
    chances = 1 / (1 + np.exp(-head.scores(vectors, beside)[1000:]))
    for low in np.arange(0, 1, 0.2):
        among = (chances >= low) & (chances < low + 0.2)
        assert abs(chances[among].mean() - yes[1000:][among].mean()) < 0.08


def test_a_held_out_score_does_not_depend_on_its_own_label() -> None:
    vectors, yes, _ = pool(200, 7)
    folds = deal_folds(yes, 1)
    own = np.asarray(vectors[:, 0] - 1.2, np.float32)
    beside = column(vectors[:, 1])
    changed = yes ^ (folds == 2)
    for before, after in zip(
        ways_to_stack(own, beside, yes, folds), ways_to_stack(own, beside, changed, folds), strict=True
    ):
        assert np.array_equal(before.held_out[folds == 2], after.held_out[folds == 2])
        assert not np.array_equal(before.held_out[folds != 2], after.held_out[folds != 2])


def test_of_labels_by_chance_neither_vectors_nor_columns_promise_anything() -> None:
    for seed in range(4):
        random = np.random.default_rng(seed)
        yes = random.random(120) < 0.4
        vectors = random.normal(size=(120, 24)).astype(np.float16)
        beside = Beside(random.normal(size=(120, 3)).astype(np.float32), ("a", "b", "c"))
        head = train(vectors, yes, seed=seed, families=PLAIN, beside=beside)
        assert head.measures["log_loss"] > 0.6  # 0.673 is what the share of yes alone gives
        assert head.measures["average_precision"] < 0.65


def test_a_kept_head_remembers_its_columns_by_name() -> None:
    vectors, yes, random = pool(1000, 8)
    values = np.column_stack([np.where(yes, 1.0, -1.0), yes + random.normal(size=1000)]).astype(np.float32)
    beside = Beside(values, ("theirs", "theirs"))
    _, head = precision(vectors, yes, beside, 60)
    again = Head.from_bytes(head.to_bytes())
    other = Beside(np.column_stack([np.full(1000, 7, np.float32), values]), ("another", "theirs", "theirs"))
    assert again.stack is not None
    assert again.stack.columns == ("theirs",)
    assert np.array_equal(again.scores(vectors, other), head.scores(vectors, beside))
    assert np.array_equal(again.scores(vectors, column(values[:, 0], "another")), head.scores(vectors))


def test_every_label_is_in_the_fit_of_the_second_level() -> None:
    yes = np.arange(40) % 4 == 0
    own = np.where(yes, 0.2, -0.2).astype(np.float32)
    beside = column(np.where(yes, 1.0, -1.0))
    way = list(ways_to_stack(own, beside, yes, deal_folds(yes, 1)))[-1]
    log_odds = stacked(own, beside, yes, way).log_odds(own, beside)
    assert (log_odds[yes] > 2).all()
    assert (log_odds[~yes] < -2).all()


@pytest.mark.parametrize("scores", [[0.001, 0.5, 0.999], [0.0, 0.5, 1.0], [-40.0, 0.0, 40.0], [5.0, 1e6, 2e6]])
def test_scores_of_any_scale_become_values_near_one_in_the_same_order(scores: list[float]) -> None:
    found = standard(np.array([*scores, np.nan]))
    assert np.isnan(found[-1])
    assert found[:3].tolist() == pytest.approx([-1.03, 0.0, 1.03], abs=0.01)


def test_one_far_score_does_not_flatten_the_others() -> None:
    found = standard(np.append(np.arange(10_000) % 2, 1e9))
    assert found[1] - found[0] > 1.0
    assert found[-1] > found[1]


def test_a_copy_says_what_the_source_says_of_another_one() -> None:
    told = Column("theirs", np.array([2, 5, 9]), np.array([[1.0], [-1.0], [1.0]], np.float32))
    groups = {1: 1, 2: 2, 3: 2, 5: 5, 6: 5, 9: 5}
    found = told.of(np.array([1, 2, 3, 5, 6, 9]), lambda rows: np.array([groups[row] for row in rows.tolist()]))
    assert np.array_equal(found[:, 0], [np.nan, 1, 1, -1, -1, 1], equal_nan=True)
