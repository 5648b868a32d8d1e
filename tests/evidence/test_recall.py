"""Recall alone: what is left out holds few enough yes, and the set is small."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom, binomtest
from tests.evidence.pools import PROMISE, Ended, Ranked, answer, beta_pool, budget, draws, flattered_pool, quality

from thresher.evidence import Certified, Frozen, Refused, freeze, martingale

RUNS = 400
MOST_FALSE = int(binom.ppf(0.999, RUNS, PROMISE.delta))

NEAR: dict[str, Callable[[int], Ranked]] = {
    "just too many are hidden": lambda seed: flattered_pool(
        seed, accepted=300, false_share=0.0, hidden=35, ranks=900, known_yes=0
    ),
    "and the top is worse than it says": lambda seed: flattered_pool(
        seed, accepted=300, false_share=0.3, hidden=25, ranks=900, known_yes=0
    ),
    "hidden 11.5 %": lambda seed: beta_pool(seed, 900, 0.2, hidden=0.115),
}


def frozen_of(pool: Ranked, seed: int, *, answers: int = 300, batch: int = 25) -> Frozen:
    return freeze("recall", PROMISE, pool.pool, draws(seed, batch=batch), budget(answers))


def is_false(ended: Ended, pool: Ranked) -> bool:
    return isinstance(ended.step, Certified) and quality(ended, pool)[1] < PROMISE.recall


def count_false(kind: str, runs: int = RUNS) -> int:
    pools = ((NEAR[kind](60_000 + seed), seed) for seed in range(runs))
    return sum(is_false(answer(frozen_of(pool, seed), pool.truth), pool) for pool, seed in pools)


@pytest.mark.parametrize("kind", NEAR)
def test_near_the_boundary_false_sets_are_as_rare_as_promised(kind: str) -> None:
    assert count_false(kind) <= MOST_FALSE == 35


def test_a_ratio_turned_upside_down_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = martingale.log_evidence
    monkeypatch.setattr(martingale, "log_evidence", lambda *given: -right(*given))
    false = count_false("just too many are hidden", 200)
    assert binomtest(false, 200, PROMISE.delta, alternative="greater").pvalue < 1e-3


def test_half_the_yes_hidden_is_never_certified() -> None:
    for seed in range(40):
        pool = flattered_pool(seed, accepted=400, false_share=0.0, hidden=400)
        ended = answer(frozen_of(pool, seed), pool.truth)
        assert not is_false(ended, pool)


def test_a_strong_head_gets_a_small_set_and_reports_its_precision() -> None:
    for seed in range(20):
        pool = beta_pool(seed, 10_000, 0.3, yes=(9.0, 1.0), no=(1.0, 9.0))
        ended = answer(frozen_of(pool, seed), pool.truth)
        assert isinstance(ended.step, Certified)
        assert ended.step.delivered < 0.45 * 10_000
        assert ended.step.precision is None
        assert ended.step.counts["precision_at_least"] <= quality(ended, pool)[0] + 1e-9


def test_more_answers_buy_a_smaller_set() -> None:
    sizes = []
    for answers in (150, 400, 900):
        made = []
        for seed in range(11):
            pool = beta_pool(seed, 6000, 0.2, yes=(3.0, 1.0), no=(1.0, 4.0))
            ended = answer(frozen_of(pool, seed, answers=answers), pool.truth)
            assert int(ended.labelled.sum()) <= answers
            made.append(ended.step.delivered if isinstance(ended.step, Certified) else len(pool.truth))
        sizes.append(float(np.mean(made)))
    assert sizes[0] > sizes[1] > sizes[2]


def test_a_budget_below_the_floor_is_refused_with_what_it_takes() -> None:
    pool = flattered_pool(3, accepted=50, false_share=0.0, hidden=0, ranks=20_000, known_yes=0)
    step = answer(frozen_of(pool, 3, answers=100), pool.truth).step
    assert isinstance(step, Refused)
    assert step.ahead is not None
    assert step.ahead > 5000
    assert "better queries" in step.take
