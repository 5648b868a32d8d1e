"""What a certificate will cost is said before it is paid for, and is about right."""

import numpy as np
import pytest
from tests.evidence.pools import PROMISE, Ranked, answer, beta_pool, budget, draws, frozen_of

from thresher.evidence import (
    Doubt,
    Frozen,
    Pool,
    Promise,
    State,
    Words,
    calibrate,
    floor,
    freeze,
    points_of,
    predict,
    rehearse,
    scouts,
    sketch,
)
from thresher.evidence.curve import Curve
from thresher.evidence.predict import advice


@pytest.mark.parametrize(("share", "recall_floor"), [(0.30, 69), (0.10, 269), (0.01, 2962)])
def test_the_floor_is_the_one_of_the_books(share: float, recall_floor: int) -> None:
    """ln(1/delta) / -ln(1 - (K + 1)/R) for recall, ln(1/delta) / -ln(p) for precision, N = 1,000,000."""
    assert floor(Promise(0.95, 0.90, 0.05), 1e6, share * 1e6) == recall_floor + 59


def test_the_floor_never_exceeds_labelling_everything() -> None:
    assert floor(PROMISE, 100, 1) <= 100
    assert floor(PROMISE, 0, 0) == 0
    assert floor(Promise(1.0, 0.9, 0.05), 1000, 300) <= 1000


def test_a_rare_yes_brings_the_advice_to_query_better_with_numbers() -> None:
    words = advice(Promise(0.95, 0.90, 0.05), 1e6, 1e4)
    assert "1.0%" in words
    assert "3,021" in words
    assert "328" in words
    assert advice(PROMISE, 1e6, 4e5) == ""


def test_most_certificates_cost_what_was_predicted() -> None:
    """Well calibrated heads: the real cost lies in the predicted 80 % interval most of the time."""
    inside = 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        score = np.sort(rng.normal(-1.5, 3.0, 4000))[::-1]
        share = 1 / (1 + np.exp(-2.0 * score))
        pool = Ranked((rng.random(4000) < share).astype(np.int8), share, 20)
        frozen = frozen_of(pool, seed)
        prediction = predict(frozen, images=4100, runs=12)
        cost = int(answer(frozen, pool.truth).labelled.sum())
        assert prediction.answers_low <= prediction.answers <= prediction.answers_high
        assert prediction.floor < prediction.answers
        assert prediction.certified == 1.0
        inside += 0.9 * prediction.answers_low <= cost <= 1.1 * prediction.answers_high
    assert inside >= 17


def test_a_budget_is_never_predicted_to_be_exceeded() -> None:
    pool = beta_pool(1, 4000, 0.3)
    frozen = freeze("precision", PROMISE, Pool(pool.probabilities, 10), draws(0), budget(300))
    prediction = predict(frozen, images=4060, runs=6)
    assert prediction.answers_high <= 300
    assert prediction.delivered > 500


def mean_of(values: list[float]) -> float:
    return float(np.mean(values))


def sure(frozen: Frozen, doubt: Doubt | None = None, words: Words | None = None) -> float:
    """The images that are adjudicated, on average of some runs."""
    made = [rehearse(frozen, run=run, doubt=doubt or Doubt(), words=words or Words()) for run in range(6)]
    return mean_of([one.sure for one in made])


def test_labels_that_are_there_are_not_counted_again() -> None:
    pool = beta_pool(1, 2000, 0.3)
    frozen = frozen_of(pool, 3)
    whole = [rehearse(frozen, run=run, doubt=Doubt()) for run in range(6)]
    answers = {rank: int(pool.truth[rank]) for rank in range(len(pool.truth))}
    assert [rehearse(frozen, run=0, known=State(frozen, answers)).sure] == [0]
    half = State(frozen, {rank: code for rank, code in answers.items() if rank % 2})
    left = [rehearse(frozen, run=run, doubt=Doubt(), known=half) for run in range(6)]
    assert mean_of([one.sure for one in left]) < 0.75 * mean_of([one.sure for one in whole])


def test_scores_that_promise_too_much_make_it_dearer() -> None:
    frozen = frozen_of(beta_pool(1, 2000, 0.3), 3)
    assert sure(frozen, Doubt(slope=0.6)) > 1.2 * sure(frozen, Doubt())


def test_votes_that_differ_are_adjudicated_and_wrong_ones_cost_draws() -> None:
    pool = beta_pool(1, 2000, 0.3, yes=(3.0, 1.0), no=(1.0, 5.0))
    frozen = freeze("adjudicated", PROMISE, pool.pool, draws(3))
    assert sure(frozen, words=Words(apart=0.2)) > 1.1 * sure(frozen)
    told = Doubt(told_no=500, told_wrong=0.04)
    assert sure(frozen, told) > sure(frozen, Doubt(told_no=500))


def test_calibration_follows_the_labels_and_not_the_scale_of_the_scores() -> None:
    rng = np.random.default_rng(0)
    score = rng.normal(size=3000)
    yes = rng.random(3000) < 1 / (1 + np.exp(-(2 * score - 1)))
    grid = np.linspace(-2, 2, 9)
    share = calibrate(score, yes, grid)
    assert np.abs(share - 1 / (1 + np.exp(-(2 * grid - 1)))).max() < 0.05
    assert calibrate(7 * score + 3, yes, 7 * grid + 3) == pytest.approx(share, abs=1e-6)


def test_a_separable_head_is_believed() -> None:
    share = calibrate(np.array([-3.0, -2.0, 2.0, 3.0]), np.array([False, False, True, True]), np.array([-2.5, 2.5]))
    assert share[0] < 0.02
    assert share[1] > 0.98


def test_the_curve_counts_in_chunks_what_it_counts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    share = np.sort(np.random.default_rng(0).random(5000))[::-1]
    whole = points_of(share)
    monkeypatch.setattr("thresher.evidence.curve.CHUNK", 700)
    parts = points_of(share)
    assert [rank for rank, _ in whole] == [rank for rank, _ in parts]
    assert [yes for _, yes in whole] == pytest.approx([yes for _, yes in parts], abs=1e-5)
    assert Curve(whole).before(2500) == pytest.approx(share[:2500].sum(), rel=1e-3)


def test_scouts_are_sent_where_the_plan_has_people_look() -> None:
    share = 1 / (1 + np.exp((np.arange(4000) - 1200) / 150))
    plan = sketch(Curve(points_of(share)), 0, PROMISE, delta=0.04)
    ranks = scouts(plan, 4000)
    assert len(ranks) == 12
    assert plan.accepted <= ranks.min()
    assert ranks.max() < plan.rejected


def test_without_a_middle_scouts_are_sent_around_the_end_of_the_accepted() -> None:
    sharp = np.where(np.arange(4000) < 1200, 0.999, 0.0005)
    plan = sketch(Curve(points_of(sharp)), 0, PROMISE, delta=0.04)
    ranks = scouts(plan, 4000)
    assert ranks.min() < plan.accepted < ranks.max() < 4000
    assert len(scouts(plan, plan.accepted)) < len(ranks)  # none beyond the last rank
    nothing = sketch(Curve(points_of(np.full(50, 1e-6))), 0, PROMISE, delta=0.04)
    assert len(scouts(nothing, 50)) == 0
