"""The promises computed, not simulated: no false bound is accepted more often than delta, and none much more rarely."""

import numpy as np
import pytest
from tests.evidence import exact
from tests.evidence.numbers import CHANCES, LEDGERS, broken

from thresher.evidence.martingale import Prior, at_most, prior_for

CLOSE = 1e-9
URNS = [
    (size, bound, times, delta)
    for size, bounds in ((40, (0, 2, 12)), (300, (3, 30)), (2000, (20, 100)))
    for bound in bounds
    for times in (0.5, 1.0, 2.0)
    for delta in (0.0425, 0.2)
] + [(2000, 100, 1.0, 0.002), (300, 30, 1.0, 0.45), (60, 30, 1.0, 0.05), (1200, 12, 1.0, 0.01)]


def prior_of(size: int, bound: int, times: float) -> Prior:
    """The prior of an urn for which a freeze expected another bound, up to twice as large or small."""
    return prior_for(min(times * max(bound, 1) / size, 1.0))


@pytest.mark.parametrize(("size", "bound", "times", "delta"), URNS)
def test_a_bound_that_is_just_false_is_ever_accepted_with_probability_at_most_delta(
    size: int, bound: int, times: float, delta: float
) -> None:
    prior = prior_of(size, bound, times)
    chance = exact.urn(size, bound, prior, delta)
    assert chance <= delta + CLOSE
    assert chance >= 0.4 * delta  # and little of delta is wasted
    for more in (bound + 2, 2 * bound + 2):
        if more <= size:
            assert exact.urn(size, bound, prior, delta, bad=more) <= chance + CLOSE


def test_more_good_draws_never_lose_an_acceptance() -> None:
    """What lets the other tests look for the first moment only."""
    for size, bound, times, delta in URNS:
        drawn, hits = np.arange(size + 1)[:, None], np.arange(bound + 2)[None, :]
        accepted = at_most(size, drawn, hits, bound, prior_of(size, bound, times), delta)
        possible = (drawn >= hits) & (drawn - hits <= size - bound - 1)
        assert not (accepted[:-1] & ~accepted[1:] & possible[1:]).any()


@pytest.mark.parametrize(("size", "drawn", "bad"), [(200, 50, 7), (200, 120, 30), (2000, 200, 60)])
def test_the_upper_limit_is_below_the_truth_with_probability_at_most_delta(size: int, drawn: int, bad: int) -> None:
    assert exact.upper_limit(size, drawn, bad, prior_for(bad / size), 0.0425) <= 0.0425


@pytest.mark.parametrize("what", CHANCES)
def test_what_is_just_false_is_proven_with_probability_at_most_the_delta_of_its_audit(what: str) -> None:
    chances = list(CHANCES[what]())
    assert not broken(iter(chances))
    assert max(chance / delta for chance, delta in chances) > 0.5  # and little of delta is wasted


@pytest.mark.parametrize("what", LEDGERS)
def test_no_more_of_delta_is_spent_than_there_is(what: str) -> None:
    assert not broken(LEDGERS[what]())
