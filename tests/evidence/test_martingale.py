"""The evidence against its own claim: on every order of small urns, on many orders of a large one, beside scipy."""

import itertools
import math
from bisect import bisect_left

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import beta, binomtest, hypergeom

from thresher.evidence import martingale
from thresher.evidence.martingale import Prior, at_most, draws_if_clean, log_evidence, most, prior_for

DELTA = 0.05


def paths(size: int, bad: int) -> NDArray[np.int64]:
    """The number of bad draws after 0, 1, ..., size draws, for every order of an urn (each as likely)."""
    rows = []
    for places in itertools.combinations(range(size), bad):
        row = np.zeros(size, np.int64)
        row[list(places)] = 1
        rows.append(np.concatenate([[0], np.cumsum(row)]))
    return np.array(rows)


@pytest.mark.parametrize("allowed", [0.05, 0.3, 0.8])
@pytest.mark.parametrize("size", [1, 5, 8, 10])
def test_on_every_order_of_a_small_urn_the_ratio_has_a_mean_of_at_most_one(size: int, allowed: float) -> None:
    drawn = np.arange(size + 1)
    for bad in range(1, size + 1):
        ratio = np.exp(log_evidence(size, drawn, paths(size, bad), bad, prior_for(allowed)))
        assert (ratio.mean(axis=0) <= 1 + 1e-12).all()


def false_acceptance(size: int, bound: int, delta: float, prior: Prior) -> float:
    """The exact chance that "at most `bound`" is ever accepted of an urn that holds one more."""
    hits = paths(size, bound + 1)
    ever = at_most(size, np.arange(size + 1), hits, bound, prior, delta).any(axis=1)
    return float(ever.mean())


EXACT_CASES = [
    (size, bound, delta) for size in (6, 9, 11) for bound in range(size - 1) for delta in (0.05, 0.1, 0.2, 0.35)
]


def worst_excess() -> float:
    """How far the chance of a false acceptance exceeds its delta at most, over every order of many small urns."""
    return max(
        false_acceptance(size, bound, delta, prior_for(allowed)) - delta
        for size, bound, delta in EXACT_CASES
        for allowed in (0.05, 0.4)
    )


def test_on_every_order_of_a_small_urn_a_false_bound_is_accepted_no_more_often_than_promised() -> None:
    assert worst_excess() <= 0
    # it has teeth: some case comes near its delta
    assert max(false_acceptance(9, b, 0.2, prior_for(0.4)) for b in range(8)) > 0.1


def crossings(theta: int, *, runs: int = 2000, size: int = 1500) -> NDArray[np.bool_]:
    """Of `runs` random orders of an urn with `theta` bad items, those that ever accept one less."""
    rng = np.random.default_rng(7)
    prior, drawn = prior_for((theta - 1) / size), np.arange(1, size + 1)
    crossed = np.zeros(runs, np.bool_)
    for run in range(runs):
        order = np.zeros(size, np.int64)
        order[rng.choice(size, theta, replace=False)] = 1
        crossed[run] = at_most(size, drawn, np.cumsum(order), theta - 1, prior, DELTA).any()
    return crossed


def test_at_the_boundary_of_a_large_urn_it_crosses_as_rarely_as_promised_however_often_one_looks() -> None:
    crossed = int(crossings(30).sum())
    assert binomtest(crossed, 2000, DELTA, alternative="greater").pvalue > 1e-3
    assert crossed > 0.02 * 2000  # and it wastes little of what it may


def test_a_confidence_limit_that_is_looked_at_again_and_again_breaks_its_promise() -> None:
    """The negative control: Clopper and Pearson's limit, right for one look, is wrong for a hundred."""
    rng = np.random.default_rng(7)
    size, theta, runs = 1500, 30, 1000
    looks = np.arange(20, size, 20)
    broken = 0
    for _ in range(runs):
        order = np.zeros(size, np.int64)
        order[rng.choice(size, theta, replace=False)] = 1
        hits = np.cumsum(order)[looks - 1]
        limit = beta.ppf(1 - DELTA, hits + 1, looks - hits)
        broken += bool((limit * size < theta).any())
    assert binomtest(broken, runs, DELTA, alternative="greater").pvalue < 1e-3


def test_the_likelihood_is_the_hypergeometric_one() -> None:
    prior = Prior(((1.0, 1.0, 1.0),))  # its average over an urn is 1 / (n + 1) / C(n, k)
    for size, drawn, bad, suspected in ((40, 12, 2, 9), (40, 40, 9, 30), (7, 3, 0, 2)):
        ordered = math.exp(hypergeom.logpmf(bad, size, suspected, drawn)) / math.comb(drawn, bad)
        expected = -math.log((drawn + 1) * math.comb(drawn, bad)) - (math.log(ordered) if ordered else -math.inf)
        assert log_evidence(size, drawn, bad, suspected, prior) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("size", "bound", "most_extra"), [(54_000, 659, 0.16), (54_000, 65, 0.16), (2_000, 20, 0.16)])
def test_a_clean_audit_takes_little_more_than_the_least_any_method_can(
    size: int, bound: int, most_extra: float
) -> None:
    """The floor: the smallest sample whose chance of no bad item, were there bound + 1, is at most delta."""
    prior = prior_for(bound / size)
    needed = draws_if_clean(size, 0, 0, bound, prior, DELTA)
    floor = bisect_left(range(size), -DELTA, key=lambda draws: -hypergeom.pmf(0, size, bound + 1, draws))
    assert floor <= needed <= (1 + most_extra) * floor
    assert at_most(size, needed, 0, bound, prior, DELTA)
    assert not at_most(size, needed - 1, 0, bound, prior, DELTA)


def test_more_bad_draws_than_the_bound_are_no_evidence_for_it() -> None:
    """The bug that a first version had: an impossible suspicion, because too many were seen, counted as rejected."""
    assert log_evidence(100, 50, 30, 10, prior_for(0.1)) == -np.inf
    assert not at_most(100, 50, 30, 9, prior_for(0.1), DELTA)
    assert not at_most(100, 100, 30, 29, prior_for(0.1), DELTA)


def test_an_urn_drawn_empty_is_known_exactly() -> None:
    prior = prior_for(0.1)
    assert at_most(100, 100, 30, 30, prior, 1e-12)
    assert most(100, 100, 30, prior, 1e-12) == 30
    assert at_most(5, 0, 0, 5, prior, DELTA)
    assert not at_most(5, 0, 0, -1, prior, DELTA)


def test_what_is_accepted_with_some_bad_draws_is_accepted_with_fewer_and_with_larger_bounds() -> None:
    prior = prior_for(0.1)
    for size in (12, 40):
        for drawn in range(size + 1):
            hits = np.arange(drawn + 1)[:, None]
            bounds = np.arange(size)[None, :]
            for delta in (0.05, 0.3, 0.45):
                accepted = at_most(size, drawn, hits, bounds, prior, delta)
                assert (accepted[:-1] >= accepted[1:]).all()
                assert (accepted[:, :-1] <= accepted[:, 1:]).all()


def test_the_upper_bound_is_the_smallest_that_is_accepted() -> None:
    prior = prior_for(0.05)
    bound = most(1000, 120, 2, prior, DELTA)
    assert at_most(1000, 120, 2, bound, prior, DELTA)
    assert not at_most(1000, 120, 2, bound - 1, prior, DELTA)
    assert most(1000, 0, 0, prior, DELTA) == 1000


def test_an_urn_of_a_hundred_million_loses_no_digit_that_matters() -> None:
    """Against exact integer arithmetic: falling factorials as products, a prior without special functions."""
    size, drawn, suspected = 100_000_000, 300, 2_000_000
    prior = Prior(((1.0, 1.0, 1.0),))
    exact = sum(math.log(size - i) - math.log(size - suspected - i) for i in range(drawn)) - math.log(drawn + 1)
    assert float(log_evidence(size, drawn, 0, suspected, prior)) == pytest.approx(exact, abs=martingale.ROUNDING)
