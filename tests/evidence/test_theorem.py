"""The theorem of certify.py against an adversary who knows the truth and may stop and choose as they like.

After every draw of either urn the adversary looks at every rung and every cut, with the middle's labels in hand, and
wins once any false pair is accepted. Nobody who draws, plans and stops in any way can be fooled more often.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from tests.evidence.pools import Ranked, Truth, frozen_of

from thresher.evidence import Code, Frozen, Promise
from thresher.evidence.draws import Permutation
from thresher.evidence.martingale import SLACK, at_most
from thresher.evidence.plan import may_be_false, may_be_missed

RUNS = 400
CUTS = 9


def pool(false: int, hidden: int, *, accepted: int = 200, ranks: int = 500, seed: int = 0) -> Ranked:
    """The first `accepted` ranks are yes but for `false` of them, the others no but for `hidden`, spread at random."""
    rng = np.random.default_rng(seed)
    truth = np.zeros(ranks, np.int8)
    truth[:accepted] = Code.YES
    truth[rng.choice(accepted, false, replace=False)] = Code.NO
    truth[rng.choice(np.arange(accepted, ranks), hidden, replace=False)] = Code.YES
    return Ranked(truth, np.where(np.arange(ranks) < accepted, 0.99, 0.002), 0)


# (promise, pool): what is broken at which rungs and cuts
WORLDS = {
    "recall, precision being perfect": (Promise(0.99, 0.90, 0.2), pool(0, 23)),
    "precision, recall being perfect": (Promise(0.90, 0.90, 0.2), pool(22, 0)),
    "precision at the higher rungs, recall at all": (Promise(0.90, 0.90, 0.2), pool(22, 20)),
    "both, far from each other": (Promise(0.80, 0.80, 0.2), pool(43, 41)),
}


def fooled(frozen: Frozen, truth: Truth) -> bool:
    """Whether some false pair is accepted at some moment."""
    yes = truth == Code.YES
    found = np.concatenate([[0], np.cumsum(yes)])
    everything = int(found[-1]) + frozen.known_yes
    top, size = frozen.ladder[0].rank, frozen.ranks - frozen.reject_from
    accept_order = Permutation(frozen.seed, "accept", 0, top).upto(top)
    reject_order = Permutation(frozen.seed, "reject", frozen.reject_from, size).upto(size)[:, None]
    for rung in frozen.ladder:
        cuts = np.unique(np.linspace(max(rung.rank, frozen.reject_from), frozen.ranks, CUTS).astype(int))[None, :]
        base = frozen.known_yes + rung.rank + found[cuts] - found[rung.rank]
        false = rung.rank - int(found[rung.rank])
        missed = everything - frozen.known_yes - found[cuts]
        wrong = false > may_be_false(frozen.promise, base) + SLACK
        wrong = wrong | (missed > (1 - frozen.promise.recall) * everything + SLACK)
        if not wrong.any():
            continue
        drawn = np.arange(top + 1)[:, None]
        hits = np.concatenate([[0], np.cumsum(~yes[accept_order] & (accept_order < rung.rank))])[:, None]
        bound = may_be_false(frozen.promise, base)
        delta = max(rung.accept_delta, 1e-300)
        accepted = (rung.rank == 0) | at_most(top, drawn, hits, bound, frozen.accept_prior, delta)
        hits = np.concatenate([np.zeros_like(cuts), np.cumsum(yes[reject_order] & (reject_order >= cuts), axis=0)])
        bound = may_be_missed(frozen.promise, base)
        drawn = np.arange(size + 1)[:, None]
        rejected = at_most(size, drawn, hits, bound, frozen.reject_prior, rung.reject_delta)
        if (wrong & accepted.any(axis=0) & rejected.any(axis=0)).any():
            return True
    return False


def times_fooled(world: str) -> int:
    promise, made = WORLDS[world]
    frozen = frozen_of(made, 0, promise)  # but for their draws, all runs are alike
    return sum(fooled(replace(frozen, seed=f"{seed:064x}"), made.truth) for seed in range(RUNS))


@pytest.mark.parametrize("world", WORLDS)
def test_no_adversary_is_let_through_more_often_than_promised(world: str) -> None:
    delta = WORLDS[world][0].delta
    times = times_fooled(world)
    assert binomtest(times, RUNS, delta, alternative="greater").pvalue > 1e-3
    assert times > 0.1 * delta * RUNS  # it is a test with teeth: these worlds do let some through
