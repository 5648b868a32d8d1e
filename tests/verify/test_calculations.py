"""The verifier's draws, evidence and error bounds are those of the prover, though they share no line of code."""

import sys
import types
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from thresher.evidence import noise
from thresher.evidence.draws import Permutation
from thresher.evidence.martingale import cut_down, log_evidence, prior_for, threshold
from thresher.evidence.martingale import most as most_of_the_prover
from thresher.verify import slips
from thresher.verify.draws import shuffled
from thresher.verify.slips import quantile, upper_rate
from thresher.verify.statistics import ROUNDING, cut4, evidence, holds, most, needed

SEED = "5e" * 32


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 25_000])
@pytest.mark.parametrize("stage", ["accept", "reject", "accept|3", "check|0", "check rejected|1"])
def test_every_draw_is_that_of_the_prover(size: int, stage: str) -> None:
    drawn = list(islice(shuffled(SEED, stage, size), 2000))
    assert drawn == Permutation(SEED, stage, 0, size).upto(2000).tolist()
    assert len(set(drawn)) == len(drawn) == min(size, 2000)


def test_words_that_favour_small_numbers_are_passed_over() -> None:
    """Of an urn of 3 * 2^61 items a quarter of the words is passed over."""
    size = 3 * 2**61
    assert list(islice(shuffled(SEED, "reject", size), 50)) == [
        int(rank) for rank in Permutation(SEED, "reject", 0, size).upto(50)
    ]


def test_the_evidence_of_an_urn_is_that_of_the_prover() -> None:
    rng = np.random.default_rng(0)
    prior = prior_for(0.03)
    for _ in range(2000):
        size = int(rng.integers(1, 5000))
        drawn = int(rng.integers(1, size + 1))
        bad = int(rng.binomial(drawn, 0.02))
        bound = float(rng.uniform(0, 0.2) * size)
        other = float(log_evidence(size, drawn, bad, int(bound + 1e-9) + 1, prior))
        assert evidence(size, drawn, bad, bound, prior.parts) == pytest.approx(other, abs=1e-6)
        assert most((size, drawn, bad), prior.parts, 0.02) == most_of_the_prover(size, drawn, bad, prior, 0.02)
    assert evidence(10, 5, 0, -0.5, prior.parts) == -np.inf
    assert needed(0.01) + ROUNDING == pytest.approx(float(threshold(0.01)), abs=1e-12)


def test_a_delta_of_0_accepts_only_what_is_certain() -> None:
    prior = prior_for(0.03).parts
    assert holds((5, 0, 0), 5.0, prior, 0.0)
    assert holds((1000, 996, 0), 4.0, prior, 0.0)
    assert not holds((1000, 995, 0), 4.0, prior, 0.0)


def bounds_of_both(rate: float, part: float, verifier: types.ModuleType = slips) -> Iterator[tuple[float, float]]:
    """Each bound of slips, by the verifier and by the prover."""
    mine, theirs = verifier.Slips(rate, rate / 2, part), noise.Slips(rate, rate / 2, part)
    for bound in (-2.0, -1e-12, 0.0, 0.99, 1.0, 7.5, 60.0, 1234.5):
        yield mine.detectable(bound, rate), float(noise.detectable(bound, rate, part))
        for labels in (0, 1, 20, 500):
            yield mine.slipped(labels, rate), noise.slipped(labels, rate, part)
            yield verifier.wrong_among(mine, rate, labels), float(noise.wrong_among(labels, rate, part))
            yield mine.false_bound(bound, labels), float(noise.false_bound(theirs, bound, labels))
            yield mine.missed_bound(bound, labels), float(noise.missed_bound(theirs, bound, labels))
        among = verifier.detectable_among(mine, bound, rate)
        yield among, float(noise.detectable_among(bound, rate, part))
        for yes in (0.0, 250.5, 4000.0):
            beyond = verifier.missed_beyond_labels(mine, bound, yes, 0.9)
            # by two libraries' logarithms: the last digits may differ
            yield round(beyond, 6), round(float(noise.missed_beyond_labels(theirs, bound, yes, 0.9)), 6)
        if bound >= 0 and rate < 1.0:
            yield mine.undetected(bound, rate), noise.undetected(bound, rate, part)


@pytest.mark.parametrize("rate", [0.0, 0.003, 0.02, 0.3, 1.0])
@pytest.mark.parametrize("part", [1e-6, 1e-3, 0.02])
def test_the_bounds_of_slips_are_those_of_the_prover(rate: float, part: float) -> None:
    for mine, theirs in bounds_of_both(rate, part):
        assert mine == theirs


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fewest, best, step = max(floor(bound) + 1, 0)", "fewest, best, step = max(floor(bound) + 2, 0)"),
        ("rate, fewest)) - 1.0", "rate, fewest))"),
        ("best = max(best, step - wrong_among", "best = max(best, step - 0.5 * wrong_among"),
        ("1.0 - slips.part / STEPS", "1.0 - slips.part"),
        ("if step >= labels:", "if step + step // 4 >= labels:"),
        ("most = max(yes + left, 0.0)", "most = max(left, 0.0)"),
        ("math.log(2.0 / slips.part)", "math.log(1.0 / slips.part)"),
        ("spread > 1.0 - recall", "spread > 1.0"),
        ("fewest = floor(bound) + 1", "fewest = floor(bound) + 2"),
        ("quantile(1.0 - self.part, labels", "quantile(1.0 - 2 * self.part, labels"),
        ("self.detectable(bound - self.slipped(labels, self.no)", "self.detectable(bound"),
        ("self.detectable(bound - self.slipped(labels, self.yes)", "self.detectable(bound"),
    ],
)
def test_a_verifier_with_another_bound_of_slips_is_caught(old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(slips.__file__).read_text()
    assert source.count(old) == 1, "the source has changed: name the line anew"
    changed = types.ModuleType("changed")
    monkeypatch.setitem(sys.modules, "changed", changed)
    exec(compile(source.replace(old, new), slips.__file__, "exec"), changed.__dict__)
    pairs = ((rate, part) for rate in (0.003, 0.02, 0.3) for part in (1e-3, 0.02))
    assert any(mine != theirs for rate, part in pairs for mine, theirs in bounds_of_both(rate, part, changed))


def test_limits_and_quantiles_are_those_of_the_prover() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        shown = int(rng.integers(1, 3000))
        missed = int(rng.binomial(shown, 0.02))
        chance = float(rng.uniform(1e-6, 1 - 1e-6))
        success = float(rng.uniform(1e-4, 1))
        assert upper_rate(missed, shown, 0.001) == noise.upper_rate(missed, shown, 0.001)
        assert quantile(chance, shown, success) == int(noise.quantile(chance, shown, success))
        assert cut4(chance) == cut_down(chance)
