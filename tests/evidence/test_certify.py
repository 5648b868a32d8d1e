"""The joint certificate, end to end: on pools made to break it, on tiny and odd ones, and what it costs."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom
from tests.evidence.pools import (
    PROMISE,
    Ended,
    Ranked,
    answer,
    beta_pool,
    draws,
    flattered_pool,
    frozen_of,
    is_false,
    quality,
)

from thresher.evidence import Certified, Pool, Promise, Refused, freeze
from thresher.evidence.certify import EMERGENCY, ladder
from thresher.evidence.plan import spend

RUNS = 400

# each breaks or nearly breaks a promise, at many rungs or cuts
NEAR: dict[str, Callable[[int], Ranked]] = {
    "hidden 10.5 %": lambda seed: beta_pool(seed, 800, hidden=0.105),
    "hidden 11.5 %": lambda seed: beta_pool(seed, 800, hidden=0.115),
    "false plateau": lambda seed: beta_pool(seed, 700, no=(1.2, 3.0)),
    "gross": lambda seed: beta_pool(seed, 700, yes=(3.0, 2.0), no=(3.0, 3.0)),
    "both just broken": lambda seed: flattered_pool(seed, accepted=200, false_share=0.056, hidden=25, ranks=750),
}


def count_false(kind: str, runs: int) -> int:
    """How many of so many runs end with a certificate that is false."""
    pools = ((NEAR[kind](50_000 + seed), seed) for seed in range(runs))
    return sum(is_false(answer(frozen_of(pool, seed, batch=30), pool.truth), pool) for pool, seed in pools)


@pytest.mark.parametrize("kind", NEAR)
def test_near_the_boundary_false_certificates_are_as_rare_as_promised(kind: str) -> None:
    runs = RUNS if kind == "both just broken" else RUNS // 4
    assert count_false(kind, runs) <= int(binom.ppf(0.999, runs, PROMISE.delta))


@pytest.mark.parametrize(
    ("false_share", "hidden"), [(0.2, 0), (0.4, 0), (0.0, 500)], ids=["precision .8", "precision .6", "recall .5"]
)
def test_a_gross_violation_is_never_certified(false_share: float, hidden: int) -> None:
    for seed in range(40):
        pool = flattered_pool(seed, accepted=500, false_share=false_share, hidden=hidden)
        ended = answer(frozen_of(pool, seed, batch=20), pool.truth)
        assert not is_false(ended, pool)
        assert int(ended.labelled.sum()) > 400  # it took the work that the head had not done


def test_a_head_as_good_as_it_says_is_certified_with_few_answers() -> None:
    asked = []
    for seed in range(60):
        pool = flattered_pool(seed, accepted=750, false_share=0.004, hidden=4)
        ended = answer(frozen_of(pool, seed), pool.truth)
        assert not is_false(ended, pool)
        asked.append(int(ended.labelled.sum()))
    assert np.median(asked) < 200


# --- tiny and odd pools -----------------------------------------------------------------------------------------------


def ranked(truth: list[int], *, known_yes: int = 0, share: float = 0.5) -> Ranked:
    return Ranked(np.array(truth, np.int8), np.linspace(share, 0.01, max(len(truth), 1))[: len(truth)], known_yes)


def certified(pool: Ranked, *, promise: Promise = PROMISE, seed: int = 3) -> tuple[Ended, Certified]:
    ended = answer(frozen_of(pool, seed, promise), pool.truth)
    assert isinstance(ended.step, Certified)
    return ended, ended.step


@pytest.mark.parametrize("size", [1, 2, 5, 13, 20])
def test_a_tiny_pool_is_labelled_until_it_is_exact(size: int) -> None:
    for seed in range(30):
        truth = np.random.default_rng(seed).integers(0, 2, size).tolist()
        pool = ranked(truth)
        ended, _ = certified(pool, seed=seed)
        precision, recall = quality(ended, pool)
        assert precision >= 0.95
        assert recall >= 0.9


def test_a_pool_with_nothing_left_to_label_is_certified_at_once() -> None:
    ended, step = certified(ranked([], known_yes=7))
    assert (ended.asks, step.delivered, step.asked) == (0, 7, 0)


def test_a_pool_without_any_yes_is_said_to_hold_none() -> None:
    ended, step = certified(ranked([0] * 200, share=0.2))
    assert step.delivered == 0
    assert int(ended.labelled.sum()) == 200  # one yes would be all of them: only looking at each shows that


def test_a_pool_of_nothing_but_yes_is_certified() -> None:
    pool = ranked([1] * 300, share=0.99)
    ended, _ = certified(pool)
    assert quality(ended, pool)[1] >= 0.9


def test_known_yes_make_the_audits_cheaper_and_known_no_change_nothing() -> None:
    pool = flattered_pool(1, accepted=300, false_share=0.01, hidden=5, known_yes=0)
    more = Ranked(pool.truth, pool.probabilities, 300)
    few, many = (int(answer(frozen_of(p, 1), p.truth).labelled.sum()) for p in (more, pool))
    assert few < many


def test_images_nobody_can_answer_count_against_the_promise() -> None:
    clean = flattered_pool(2, accepted=500, false_share=0.0, hidden=0)
    truth = clean.truth.copy()
    truth[np.random.default_rng(0).choice(np.arange(500, 2500), 300, replace=False)] = 2
    ended = answer(frozen_of(clean, 2), truth)
    assert isinstance(ended.step, Refused)
    assert "can't be answered" in ended.step.why
    few = clean.truth.copy()
    few[[700, 900, 1500]] = 2
    assert isinstance(answer(frozen_of(clean, 2), few).step, Certified)


def test_unanswerable_images_known_before_are_taken_for_missed_yes() -> None:
    pool = flattered_pool(2, accepted=500, false_share=0.0, hidden=0)

    def cost(unanswerable: int) -> int:
        given = Pool(pool.probabilities, known_yes=30, known_unanswerable=unanswerable)
        frozen = freeze("certified", PROMISE, given, draws(5))
        return int(answer(frozen, pool.truth).labelled.sum())

    assert cost(0) < cost(25)
    assert cost(25) < cost(45)


# --- what it spends ---------------------------------------------------------------------------------------------------


def test_all_epochs_together_spend_no_more_than_delta() -> None:
    parts = [spend(0.05, epoch) for epoch in range(60)]
    assert sum(parts) <= 0.05
    assert parts == sorted(parts, reverse=True)


@pytest.mark.parametrize(("planned", "ranks"), [(600, 2000), (50, 20_000), (1900, 2000), (0, 100), (1, 2), (0, 0)])
def test_on_every_ladder_the_two_kinds_of_error_fit_into_delta_together(planned: int, ranks: int) -> None:
    """The theorem's sum: rungs above the first good one, that rung's other audit, and the emergency."""
    rungs, live = ladder(planned, ranks, 0.05)
    assert [rung.rank for rung in rungs] == sorted({rung.rank for rung in rungs}, reverse=True)
    assert rungs[-1].rank == 0
    lively = [rung for rung in rungs if rung.rank >= live]
    emergency = sum(rung.reject_delta for rung in rungs if rung.rank < live)
    assert emergency <= EMERGENCY * 0.05 + 1e-12
    spent = 0.0
    for rung in lively:
        assert spent + rung.reject_delta + emergency <= 0.05 + 1e-12
        spent += rung.accept_delta
    assert spent + emergency <= 0.05 + 1e-12


COST: dict[str, tuple[Callable[[int], Ranked], int]] = {
    "strong": (lambda seed: beta_pool(seed, 6000, 0.3), 176),
    "strong, rarer": (lambda seed: beta_pool(seed, 6000, 0.1), 490),
    "middling": (lambda seed: beta_pool(seed, 6000, 0.3, yes=(3.0, 1.0), no=(1.0, 5.0)), 1399),
}


@pytest.mark.parametrize("kind", COST)
def test_it_costs_what_it_cost(kind: str) -> None:
    """Pinned medians: a change that makes certificates dearer is seen, and one that makes them cheaper is noted."""
    make, median = COST[kind]
    asked = []
    for seed in range(31):
        pool = make(seed)
        ended = answer(frozen_of(pool, seed), pool.truth)
        asked.append(int(ended.labelled.sum()))
        assert asked[-1] < len(pool.truth)
    assert float(np.median(asked)) == pytest.approx(median, rel=0.1)
