"""Certificates of every method, over good heads and bad ones, verify from files that were written by the page alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.pools import (
    PROMISE,
    Ranked,
    Truth,
    beta_pool,
    budget,
    draws,
    flattered_pool,
    frozen_of,
    weak_pool,
)
from tests.verify.written import Played, begin, write

from thresher.evidence import Certified, Frozen, Gold, Means, Promise, Refused, freeze, next_step
from thresher.verify import verify

GOLD = Gold(600, 1, 600, 1)


def words(truth: Truth, seed: int) -> Truth:
    """What people say: wrong in a few cases, undecided in some."""
    rng = np.random.default_rng(seed)
    said = np.where(rng.random(len(truth)) < 0.05, 1 - truth, truth)
    return np.where(rng.random(len(truth)) < 0.03, 2, said).astype(np.int8)


def joint(pool: Ranked) -> Frozen:
    return frozen_of(pool, 11)


def joint_with_gold(pool: Ranked) -> Frozen:
    return freeze("certified", PROMISE, pool.pool, draws(12), Means(gold=GOLD))


def second_epoch(pool: Ranked) -> Frozen:
    return frozen_of(pool, 12, epoch=1)


def precise(pool: Ranked) -> Frozen:
    return freeze("precision", PROMISE, pool.pool, draws(5), budget(300, 40))


def precise_with_gold(pool: Ranked) -> Frozen:
    return freeze("precision", PROMISE, pool.pool, draws(5), replace(budget(900, 40), gold=GOLD))


def complete(pool: Ranked) -> Frozen:
    return freeze("recall", PROMISE, pool.pool, draws(5), budget(300))


def complete_with_gold(pool: Ranked) -> Frozen:
    return freeze("recall", PROMISE, pool.pool, draws(5), replace(budget(900), gold=GOLD))


def by_word(pool: Ranked) -> Frozen:
    return freeze("adjudicated", PROMISE, pool.pool, draws(5), Means())


def by_word_with_gold(pool: Ranked) -> Frozen:
    return freeze("adjudicated", PROMISE, pool.pool, draws(5), Means(gold=GOLD))


def labelled(pool: Ranked) -> Frozen:
    """Labels that call the first two fifths of the yes a yes."""
    promise = replace(PROMISE, recall=0.3)
    return freeze("labels", promise, replace(pool.pool, claimed=int(0.4 * pool.yes)), draws(5))


def labelled_precisely(pool: Ranked) -> Frozen:
    return freeze("labels", replace(PROMISE, recall=0.0), replace(pool.pool, claimed=int(0.4 * pool.yes)), draws(6))


STRONG = beta_pool(3, 4000, 0.3)
MIXED = beta_pool(6, 4000, 0.3, yes=(4.0, 1.0), no=(1.0, 6.0))
MADE: dict[str, tuple[Callable[[Ranked], Frozen], Ranked]] = {
    "both": (joint, STRONG),
    "both, with gold": (joint_with_gold, STRONG),
    "both, a head with a middle": (joint, beta_pool(4, 2000, 0.3, yes=(3.0, 1.0), no=(1.0, 5.0))),
    "both, a flattered head": (joint, flattered_pool(4, accepted=500, false_share=0.06, hidden=30)),
    "both, second epoch": (second_epoch, STRONG),
    "precision": (precise, beta_pool(5, 4000, 0.3, yes=(3.0, 1.0), no=(1.0, 5.0))),
    "precision, with gold": (precise_with_gold, STRONG),
    "precision, a weak head looked beyond first": (precise, weak_pool(5)),
    "recall": (complete, STRONG),
    "recall, with gold": (complete_with_gold, STRONG),
    "adjudicated": (by_word, MIXED),
    "adjudicated, with gold": (by_word_with_gold, MIXED),
    "labels": (labelled, STRONG),
    "labels, no recall": (labelled_precisely, STRONG),
}


def played(name: str) -> tuple[Played, Certified | Refused]:
    make, pool = MADE[name]
    one = begin(make(pool), pool)
    return one, one.to_the_end(pool.truth, words(pool.truth, 1))


@pytest.fixture(scope="module", params=MADE)
def proven(request: pytest.FixtureRequest) -> tuple[Played, Certified]:
    one, step = played(request.param)
    assert isinstance(step, Certified)
    return one, step


def test_a_certificate_verifies_from_its_files(proven: tuple[Played, Certified], tmp_path: Path) -> None:
    one, step = proven
    write(tmp_path / "out", one, step)
    verdict = verify(tmp_path / "out")
    assert verdict.holds, verdict.wrong
    assert f"{step.delivered:,}" in verdict.claim


FEW = Promise(0.85, 0.8, 0.1)
POOL = beta_pool(8, 420, 0.3, yes=(4.0, 1.0), no=(1.0, 6.0), pilot=40)
SMALL_GOLD = Gold(300, 0, 300, 0)
METHODS = {
    "certified": Means(),
    "adjudicated": Means(),
    "precision": budget(200, 20),
    "recall": budget(200),
    "certified, gold": Means(gold=SMALL_GOLD),
    "adjudicated, gold": Means(gold=SMALL_GOLD),
    "precision, gold": replace(budget(250, 20), gold=SMALL_GOLD),
    "recall, gold": replace(budget(250), gold=SMALL_GOLD),
    "labels": Means(),
    "labels, no recall": Means(),
}
PROMISES = {"labels": replace(FEW, recall=0.4), "labels, no recall": replace(FEW, recall=0.0)}


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=12)
@given(chance=st.randoms(use_true_random=False), count=st.integers(0, 25))
def test_whatever_labels_come_late_or_are_corrected_the_verifier_finds_the_provers_figures(
    name: str, chance: Random, count: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Late yes and no, the owner's and adjudicated, on drawn ranks and others, and corrections of known images."""
    promise, pool = PROMISES.get(name, FEW), replace(POOL.pool, claimed=80)
    one = begin(freeze(name.partition(",")[0], promise, pool, draws(7), METHODS[name]), POOL)
    one.to_the_end(POOL.truth, words(POOL.truth, 1))
    for _ in range(count):
        rank = chance.randrange(one.frozen.ranks)
        one.answer({rank: int(POOL.truth[rank]) if chance.random() < 0.7 else chance.randrange(3)})
        if chance.random() < 0.4:
            one.owners.add(rank)
        if chance.random() < 0.08:
            one.now[rank] = chance.randrange(3)
        if chance.random() < 0.05:
            one.known_now[chance.randrange(POOL.known_yes)] = chance.randrange(3)
        if chance.random() < 0.03:
            one.now.pop(rank, None)
    step = next_step(one.state())
    if isinstance(step, Certified):
        out = tmp_path_factory.mktemp("late") / "out"
        write(out, one, step)
        verdict = verify(out)
        assert verdict.holds, verdict.wrong


def test_a_cut_before_the_ranks_that_the_reject_audit_covers_is_noticed(tmp_path: Path) -> None:
    """The ranks between would be neither labelled nor drawn from."""
    one, step = played("both")
    assert isinstance(step, Certified)
    first = one.frozen.reject_from
    assert first > 0
    write(tmp_path / "out", one, replace(step, accepted=one.frozen.ladder[-1].rank, rejected=first - 1))
    assert any("lies before the reject urn" in line for line in verify(tmp_path / "out").wrong)
