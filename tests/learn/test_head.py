"""A head is chosen by cross-validation, calibrated, honest about what it does not know, and kept without pickle."""

import io
import pickle
import zipfile

import numpy as np
import pytest
from numpy.typing import NDArray

from thresher.errors import NotReady, StoreDamaged
from thresher.learn.head import Head, deal_folds, train
from thresher.learn.heads.fit import compact, fit_logistic
from thresher.learn.vectors import Vectors

Pool = tuple[NDArray[np.float16], NDArray[np.bool_]]


def pool(count: int = 4000, *, width: int = 40, gap: float = 6.0, share: float = 0.2, seed: int = 0) -> Pool:
    """Vectors in which the answer is a step along one direction; `gap` is how far apart the answers lie."""
    random = np.random.default_rng(seed)
    yes = random.random(count) < share
    direction = np.zeros(width)
    direction[:4] = 0.5
    vectors = random.normal(size=(count, width)) + np.outer(yes, direction * gap)
    return (vectors * 2 + 1).astype(np.float16), yes


def test_it_learns_what_there_is_to_learn() -> None:
    vectors, yes = pool()
    head = train(vectors[:400], yes[:400], seed=1, pool=Vectors([vectors]))
    scores = head.scores(vectors)
    assert scores.shape == (4000,)
    assert scores.dtype == np.float32
    assert ((scores > 0) == yes).mean() > 0.97
    assert head.measures["average_precision"] > 0.95
    assert head.measures["accuracy"] > 0.95


def test_scores_are_log_odds() -> None:
    vectors, yes = pool(20_000, gap=2.0)
    head = train(vectors[:1500], yes[:1500], seed=1, pool=Vectors([vectors]))
    chances = 1 / (1 + np.exp(-head.scores(vectors[1500:])))
    for low in np.arange(0, 1, 0.2):
        among = (chances >= low) & (chances < low + 0.2)
        assert abs(chances[among].mean() - yes[1500:][among].mean()) < 0.07


def test_of_chance_it_promises_nothing() -> None:
    vectors, _ = pool(300)
    yes = np.random.default_rng(5).random(300) < 0.3
    head = train(vectors, yes, seed=1)
    assert head.measures["average_precision"] < 0.45
    assert np.abs(head.out_of_fold - np.log(yes.mean() / (1 - yes.mean()))).mean() < 0.5


def log_loss(log_odds: NDArray[np.float32], yes: NDArray[np.bool_]) -> float:
    return float(np.logaddexp(0, np.where(yes, -log_odds, log_odds)).mean())


def test_held_out_scores_are_from_heads_that_had_not_seen_the_label() -> None:
    vectors, yes = pool(600, gap=2.0)
    whole = train(vectors[:300], yes[:300], seed=1)
    seen, unseen = whole.scores(vectors[:300]), whole.scores(vectors[300:])
    held_out = log_loss(whole.out_of_fold, yes[:300])
    assert log_loss(seen, yes[:300]) < held_out
    assert held_out == pytest.approx(log_loss(unseen, yes[300:]), rel=0.35)


@pytest.mark.parametrize(("count_yes", "count_no"), [(2, 2), (2, 98), (98, 2), (3, 2)])
def test_two_of_each_answer_are_enough(count_yes: int, count_no: int) -> None:
    vectors, truth = pool(4000, gap=8.0, share=0.5)
    places = np.append(np.flatnonzero(truth)[:count_yes], np.flatnonzero(~truth)[:count_no])
    head = train(vectors[places], truth[places], seed=1, pool=Vectors([vectors]))
    scores = head.scores(vectors)
    assert np.isfinite(scores).all()
    assert np.isfinite(head.out_of_fold).all()
    yes, no = scores[truth], scores[~truth]
    assert (yes[:500, None] > no[None, :500]).mean() > 0.8


@pytest.mark.parametrize(("count_yes", "count_no"), [(0, 0), (1, 50), (50, 1), (0, 9)])
def test_fewer_are_refused(count_yes: int, count_no: int) -> None:
    with pytest.raises(NotReady, match=rf"{count_yes} yes and {count_no} no"):
        train(np.zeros((count_yes + count_no, 4)), np.arange(count_yes + count_no) < count_yes, seed=1)


def test_the_same_labels_and_seed_give_the_same_head() -> None:
    vectors, yes = pool(300)
    assert train(vectors, yes, seed=4).to_bytes() == train(vectors, yes, seed=4).to_bytes()


def test_numbers_that_never_change_do_no_harm() -> None:
    vectors, yes = pool(400)
    vectors[:, 7] = 3
    vectors[:, 8] = 0
    head = train(vectors[:200], yes[:200], seed=1, pool=Vectors([vectors]))
    moved = vectors[200:].copy()
    moved[:, 7] = 500
    assert np.allclose(head.scores(moved), head.scores(vectors[200:]), atol=1e-2)


def test_a_pool_of_one_vector_repeated_is_no_error() -> None:
    head = train(np.ones((10, 6), np.float16), np.arange(10) < 4, seed=1)
    assert np.isfinite(head.scores(np.ones((3, 6), np.float16))).all()


def test_columns_side_by_side_are_scored_as_one_wide_matrix() -> None:
    vectors, yes = pool(300)
    head = train(vectors, yes, seed=1)
    parts = Vectors([np.ascontiguousarray(vectors[:, :15]), np.ascontiguousarray(vectors[:, 15:])])
    assert np.allclose(head.scores(parts), head.scores(vectors), atol=1e-4)
    some = np.array([5, 3, 200])
    assert np.allclose(head.scores(Vectors(parts.matrices, some)), head.scores(vectors)[some], atol=1e-4)


def test_a_head_survives_as_bytes_that_hold_no_pickle() -> None:
    vectors, yes = pool(300)
    head = train(vectors, yes, seed=1)
    data = head.to_bytes()
    again = Head.from_bytes(data)
    assert (again.scores(vectors) == head.scores(vectors)).all()
    assert (again.out_of_fold == head.out_of_fold).all()
    assert (again.measures, again.kind, again.strength) == (dict(head.measures), head.kind, head.strength)
    with zipfile.ZipFile(io.BytesIO(data)) as members:
        for name in members.namelist():
            np.load(io.BytesIO(members.read(name)), allow_pickle=False)


def test_bytes_that_are_no_head_are_refused() -> None:
    out = io.BytesIO()
    np.savez(out, kind=np.array("logistic"), calibration=np.array([object()], dtype=object))
    for data in (b"", b"no head", pickle.dumps({"kind": "logistic"}), out.getvalue()):
        with pytest.raises(StoreDamaged):
            Head.from_bytes(data)


def test_folds_hold_both_answers() -> None:
    yes = np.arange(103) < 11
    folds = deal_folds(yes, seed=2)
    assert set(folds.tolist()) == set(range(5))
    for fold in range(5):
        assert 2 <= yes[folds == fold].sum() <= 3
    assert set(deal_folds(np.arange(50) < 2, seed=2).tolist()) == {0, 1}


def test_fewer_numbers_a_point_give_the_same_fit() -> None:
    vectors, yes = pool(60, width=200, gap=3.0)
    points = ((vectors.astype(np.float32) - 1) / 30).astype(np.float32)
    small, back = compact(points)
    assert small.shape == (60, 60)
    assert back is not None
    weights, bias = fit_logistic(points, yes, 10.0)
    turned, other_bias = fit_logistic(small, yes, 10.0)
    assert np.allclose(points @ weights + bias, points @ (back @ turned) + other_bias, atol=0.02)
