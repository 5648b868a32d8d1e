"""The draws: every machine's the same, uniform, and as dear as their number."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from thresher.evidence.draws import Permutation, words

SEED = "00" * 31 + "01"
PINNED_SMALL = [4, 6, 8, 7, 1, 9, 3, 5, 2, 0]
PINNED_LARGE = [485895929380, 688086604161, 728119000789]


def test_the_draws_of_a_seed_are_pinned() -> None:
    """A certificate is checked years later on another machine: these numbers may never change."""
    assert Permutation(SEED, "accept", 0, 10).upto(10).tolist() == PINNED_SMALL
    assert Permutation(SEED, "reject", 1000, 10**12).upto(3).tolist() == PINNED_LARGE


@given(size=st.integers(1, 400), count=st.integers(0, 500), first=st.integers(0, 10**9))
def test_the_draws_are_a_permutation_and_longer_ones_begin_with_shorter_ones(size: int, count: int, first: int) -> None:
    order = Permutation(SEED, "accept", first, size)
    some = order.upto(count).tolist()
    whole = Permutation(SEED, "accept", first, size).upto(size).tolist()
    assert sorted(whole) == list(range(first, first + size))
    assert some == whole[:count]
    assert order.upto(size).tolist() == whole


def test_every_order_of_a_small_urn_is_as_likely() -> None:
    counts = Counter(tuple(Permutation(f"{seed:064x}", "accept", 0, 4).upto(4).tolist()) for seed in range(12_000))
    observed = [counts[order] for order in itertools.permutations(range(4))]
    assert chisquare(observed).pvalue > 1e-4


def test_stages_and_seeds_draw_differently() -> None:
    first = Permutation(SEED, "accept", 0, 10**6).upto(20).tolist()
    assert first != Permutation(SEED, "reject", 0, 10**6).upto(20).tolist()
    assert first != Permutation("00" * 31 + "02", "accept", 0, 10**6).upto(20).tolist()


def test_a_number_below_a_limit_has_no_favourites() -> None:
    """2**64 is 8/3 of this limit: were no words passed over, the first third would come up in 3 draws of 8."""
    order = Permutation(SEED, "accept", 0, 3 * 2**61)
    low = sum(rank < 2**61 for rank in order.upto(6000).tolist())
    assert low == pytest.approx(2000, abs=130)


def test_the_stream_of_words_does_not_repeat() -> None:
    some = list(itertools.islice(words(SEED, "accept"), 10_000))
    assert len(set(some)) == 10_000
    assert np.mean(some) == pytest.approx(2**63, rel=0.03)
