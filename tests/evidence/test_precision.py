"""Precision alone: false sets are as rare as promised, the budget is kept, and it buys much."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, binomtest
from tests.evidence.pools import (
    PROMISE,
    Ended,
    Ranked,
    Truth,
    answer,
    beta_pool,
    budget,
    draws,
    flattered_pool,
    quality,
    weak_pool,
)

from thresher.evidence import (
    Certified,
    Code,
    Frozen,
    Gold,
    Means,
    Pool,
    Promise,
    Refused,
    freeze,
    martingale,
    methods,
    plan,
    precision,
)
from thresher.evidence.draws import Permutation
from thresher.evidence.martingale import at_most

RUNS = 400
MOST_FALSE = int(binom.ppf(0.999, RUNS, PROMISE.delta))

NEAR: dict[str, Callable[[int], Ranked]] = {
    "all rungs just broken": lambda seed: flattered_pool(
        seed, accepted=600, false_share=0.055, hidden=0, ranks=1000, known_yes=0
    ),
    "a plateau of false ones": lambda seed: beta_pool(seed, 1000, 0.3, yes=(4.0, 1.2), no=(1.2, 3.0)),
    "upper rungs broken": lambda seed: falling(seed),
}


def falling(seed: int) -> Ranked:
    """A pool whose top is pure and whose rest is worse and worse, while the head is sure of all."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(1000) > np.linspace(-0.02, 0.16, 1000)).astype(np.int8)
    return Ranked(truth, np.full(1000, 0.99), 0)


def frozen_of(pool: Ranked, seed: int, *, answers: int = 300, recall_answers: int = 0, batch: int = 10) -> Frozen:
    return freeze("precision", PROMISE, pool.pool, draws(seed, batch=batch), budget(answers, recall_answers))


def is_false(ended: Ended, pool: Ranked) -> bool:
    return isinstance(ended.step, Certified) and quality(ended, pool)[0] < PROMISE.precision


def count_false(kind: str, runs: int = RUNS) -> int:
    pools = ((NEAR[kind](70_000 + seed), seed) for seed in range(runs))
    return sum(is_false(answer(frozen_of(pool, seed, batch=25), pool.truth), pool) for pool, seed in pools)


@pytest.mark.parametrize("kind", NEAR)
def test_near_the_boundary_false_sets_are_as_rare_as_promised(kind: str) -> None:
    assert count_false(kind) <= MOST_FALSE == 35


def test_what_the_draws_leave_of_the_budget_is_spent_beyond_the_set() -> None:
    """A rare yes: the few near the top are soon certified, the rest of the answers looks for more one by one."""
    pool = beta_pool(3, 3000, 0.04)
    ended = answer(frozen_of(pool, 3), pool.truth)
    assert isinstance(ended.step, Certified)
    assert ended.step.asked == ended.labelled.sum() == 300
    beyond = np.flatnonzero(ended.labelled[ended.step.accepted :]) + ended.step.accepted
    assert int((pool.truth[beyond] == Code.YES).sum()) > 0
    assert quality(ended, pool)[0] >= PROMISE.precision


@pytest.mark.parametrize("false_share", [0.15, 0.4])
def test_gross_violations_are_refused_and_it_says_so(false_share: float) -> None:
    for seed in range(40):
        pool = flattered_pool(seed, accepted=800, false_share=false_share, hidden=0, known_yes=0)
        step = answer(frozen_of(pool, seed), pool.truth).step
        assert isinstance(step, Refused)
        assert "prove no set" in step.why


# --- the theorem, against an adversary who stops when they like ---------------------------------------------------


def one_too_many(ranks: int, share: float) -> list[float]:
    """Where a no lies for sure, so that every rung has one no more than its share allows."""
    allowed = np.floor(share * np.arange(ranks + 1) + martingale.SLACK)
    return [1.0, *np.diff(allowed)[1:].tolist()]


WORLDS = {
    "few, and one too many below every rung": one_too_many(60, 0.12),
    "all rungs just broken": [0.0] + [0.124] * 999,
    "broken from the middle of the chain on": np.where(np.arange(1000) < 420, 0.09, 0.19).tolist(),
}


def fooled(frozen: Frozen, truth: Truth) -> bool:
    """Whether at some moment a rung was accepted, with all below it in its chain, whose ranks break the promise."""
    top = frozen.ladder[0].rank
    order = Permutation(frozen.seed, "accept", 0, top).upto(top)
    sure = frozen.known_yes + int((truth[top : top + frozen.looks] == Code.YES).sum())
    for delta in {rung.accept_delta for rung in frozen.ladder}:
        for rank in sorted(rung.rank for rung in frozen.ladder if rung.accept_delta == delta):
            mine = truth[order[order < rank]] != Code.YES
            drawn, bad = np.arange(rank + 1), np.concatenate([[0], np.cumsum(mine)])
            bound = plan.may_be_false(frozen.promise, sure + rank)
            if not at_most(rank, drawn, bad, bound, frozen.accept_prior, delta).any():
                break
            if bad[-1] > bound + martingale.SLACK:
                return True
    return False


def times_fooled(world: str, runs: int = RUNS) -> int:
    shares, promise = np.array(WORLDS[world]), Promise(0.88, 0.9, 0.2)
    times = 0
    for seed in range(runs):
        truth = (np.random.default_rng(seed).random(len(shares)) >= shares).astype(np.int8)
        pool = Ranked(truth, np.full(len(shares), 0.97), 0)
        frozen = freeze("precision", promise, pool.pool, draws(seed), budget(60))
        times += fooled(frozen, truth)
    return times


def is_red(times: int, runs: int, delta: float) -> bool:
    return bool(binomtest(times, runs, delta, alternative="greater").pvalue < 1e-3)


@pytest.mark.parametrize("world", WORLDS)
def test_no_adversary_is_let_through_more_often_than_promised(world: str) -> None:
    times = times_fooled(world)
    assert not is_red(times, RUNS, 0.2)
    assert times > 0.02 * RUNS


def test_yes_that_are_looked_at_first_widen_what_a_rung_may_hold_and_no_more() -> None:
    """All that is looked at is yes, and every rung holds a little more no than that allows."""
    promise, looks, times = Promise(0.88, 0.9, 0.2), 40, 0
    for seed in range(RUNS):
        chances = np.full(1000, 0.97)
        frozen = freeze("precision", promise, Pool(chances, 0), draws(seed), budget(60))
        frozen = replace(frozen, looks=looks)
        top, lowest = frozen.ladder[0].rank, precision.START * frozen.ladder[0].rank / precision.TOP
        share = 0.12 * (1 + looks / lowest) + 0.004
        truth = (np.random.default_rng(seed).random(1000) >= share).astype(np.int8)
        truth[top : top + looks] = Code.YES
        times += fooled(frozen, truth)
    assert not is_red(times, RUNS, 0.2)
    assert times > 0.02 * RUNS


def test_beyond_a_weak_head_s_ladder_people_look_first_and_what_they_find_is_delivered() -> None:
    looked, missed = 0, 0
    for seed in range(40):
        pool = weak_pool(seed)
        frozen = frozen_of(pool, seed)
        ended = answer(frozen, pool.truth)
        assert int(ended.labelled.sum()) <= 300
        missed += is_false(ended, pool)
        if not frozen.looks or isinstance(ended.step, Refused):
            continue
        looked += 1
        first = slice(frozen.ladder[0].rank, frozen.ladder[0].rank + frozen.looks)
        assert ended.labelled[first].all()
        found = int((pool.truth[first] == Code.YES).sum())
        assert ended.step.delivered >= pool.known_yes + found
        assert ended.step.counts["accept_bound"] > 0.05 * (pool.known_yes + ended.step.accepted)
    assert looked >= 15
    assert missed <= int(binom.ppf(0.999, 40, PROMISE.delta))


def test_where_adjudication_slips_nothing_is_looked_at_first() -> None:
    pool = weak_pool(3)
    frozen = freeze("precision", PROMISE, pool.pool, draws(3), Means(300, gold=Gold(300, 0, 300, 0)))
    assert frozen.looks == 0


def test_a_ratio_turned_upside_down_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = martingale.log_evidence
    monkeypatch.setattr(martingale, "log_evidence", lambda *given: -right(*given))
    assert is_red(times_fooled("all rungs just broken", 100), 100, 0.2)


def test_a_bound_rounded_up_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Testing against one bad item more than the smallest forbidden number, where every rung has just that number."""
    assert not is_red(times_fooled("few, and one too many below every rung"), RUNS, 0.2)
    right = martingale.whole
    monkeypatch.setattr(martingale, "whole", lambda bound: right(bound) + 1.0)
    assert is_red(times_fooled("few, and one too many below every rung"), RUNS, 0.2)


def test_a_delta_spent_several_times_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = plan.spend
    monkeypatch.setattr(methods, "spend", lambda delta, epoch: 3 * right(delta, epoch))
    assert any(is_red(times_fooled(world), RUNS, 0.2) for world in WORLDS)


def test_the_budget_is_kept_and_more_of_it_buys_more() -> None:
    delivered = []
    for answers in (120, 250, 500):
        sizes = []
        for seed in range(15):
            pool = beta_pool(seed, 8000, 0.2, yes=(3.0, 1.0), no=(1.0, 4.0))
            ended = answer(frozen_of(pool, seed, answers=answers), pool.truth)
            assert int(ended.labelled.sum()) <= answers
            sizes.append(ended.step.delivered if isinstance(ended.step, Certified) else 0)
        delivered.append(float(np.median(sizes)))
    assert delivered[0] < delivered[1] < delivered[2]


def test_a_strong_head_delivers_nearly_all_yes() -> None:
    """A first rung far below the plan gets too few draws and holds up all others; this one does not."""
    shares = []
    for seed in range(20):
        pool = beta_pool(seed, 20_000, 0.3, yes=(9.0, 1.0), no=(1.0, 9.0))
        ended = answer(frozen_of(pool, seed), pool.truth)
        shares.append(quality(ended, pool)[1] if isinstance(ended.step, Certified) else 0.0)
    assert np.median(shares) > 0.97


def test_recall_is_reported_by_a_bound_that_holds() -> None:
    broken, certified = 0, 0
    for seed in range(100):
        pool = beta_pool(seed, 3000, 0.3, yes=(3.0, 1.0), no=(1.0, 5.0))
        ended = answer(frozen_of(pool, seed, recall_answers=100), pool.truth)
        if isinstance(ended.step, Refused):
            continue
        certified += 1
        assert ended.step.recall is None
        bound = ended.step.counts["recall_at_least"]
        assert bound > 0.1
        broken += quality(ended, pool)[1] < bound
    assert certified >= 85
    assert broken <= 13


def test_gold_that_was_missed_makes_the_bound_stricter() -> None:
    pool = flattered_pool(1, accepted=2000, false_share=0.03, hidden=0, ranks=4000)

    def bound(gold: Gold | None) -> float:
        frozen = freeze("precision", PROMISE, pool.pool, draws(3, batch=1), Means(900, gold=gold))
        step = answer(frozen, pool.truth).step
        assert isinstance(step, Certified)
        return step.counts["accept_bound"] / step.delivered

    assert bound(None) > bound(Gold(300, 0, 300, 0)) > bound(Gold(300, 0, 300, 6))
