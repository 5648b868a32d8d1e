"""An audit of labels whose truth is known, by the method `labels`, and the plan of fixed size beside it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom

from thresher.evidence import METHODS, Certified, Code, Draws, Frozen, Pool, Promise, freeze

PROMISE = Promise(precision=0.95, recall=0.0, delta=0.05)
BOTH = replace(PROMISE, recall=0.9)
Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Outcome:
    """One run: whether there is a certificate, the answers, wrong labels found, and the truth of what is released."""

    certified: bool
    answers: int
    found: int
    precision: float
    recall: float

    def is_false(self, promise: Promise) -> bool:
        """Whether a certificate was issued that is not true."""
        return self.certified and (self.precision < promise.precision or self.recall < promise.recall)


@dataclass(frozen=True)
class Labelled:
    """Labels of one class: which pictures carry it, which of these are right, and how sure a model is of each [n]."""

    name: str
    claimed: Bools
    yes: Bools
    scores: NDArray[np.float64]


def frozen_of(promise: Promise, claimed: int, others: int, known_yes: int = 0) -> Frozen:
    """The freeze of a claim; each run draws by another seed. Without a recall target the others are left alone."""
    ranks = claimed + (others if promise.recall else 0)
    pool = Pool(np.where(np.arange(ranks) < claimed, 0.97, 0.03), known_yes, claimed=claimed)
    return freeze("labels", promise, pool, Draws("00" * 32))


def truth_of(frozen: Frozen, claimed: int, wrong: int, missed: int, random: np.random.Generator) -> Codes:
    """What is true by rank: so many claimed are wrong and so many others missed, at random places."""
    truth = np.where(np.arange(frozen.ranks) < claimed, Code.YES, Code.NO).astype(np.int8)
    truth[random.choice(claimed, wrong, replace=False)] = Code.NO
    truth[claimed + random.choice(max(frozen.ranks - claimed, 1), missed, replace=False)] = Code.YES
    return truth


def audited(frozen: Frozen, truth: Codes, claimed: int) -> Outcome:
    """Answer whatever is asked, by the truth."""
    procedure = METHODS["labels"].procedure(frozen)
    seen = np.zeros(len(truth), np.bool_)
    try:
        wants, _ = next(procedure)
        while True:
            for want in wants:
                seen[want.ranks] = True
            wants, _ = procedure.send(tuple(truth[want.ranks] for want in wants))
    except StopIteration as end:
        yes, called = truth == Code.YES, np.arange(len(truth)) < claimed
        released = np.where(seen, yes, called)
        right = int((released & yes).sum()) + frozen.known_yes
        return Outcome(
            certified=isinstance(end.value, Certified),
            answers=int(seen.sum()),
            found=int((seen & (yes != called)).sum()),
            precision=right / max(int(released.sum()) + frozen.known_yes, 1),
            recall=right / max(int(yes.sum()) + frozen.known_yes, 1),
        )


def runs_of(
    promise: Promise, size: tuple[int, int], wrong: int, missed: int, runs: int, seed: int
) -> Iterator[Outcome]:
    """Several audits of labels with so many wrong and missed images; `size` is of the claimed and of the others."""
    random, frozen = np.random.default_rng(seed), frozen_of(promise, *size)
    for _ in range(runs):
        truth = truth_of(frozen, size[0], wrong, missed, random)
        yield audited(replace(frozen, seed=random.bytes(32).hex()), truth, size[0])


@lru_cache
def fixed_size(share: float, often: float) -> int:
    """The smallest plan by Clopper and Pearson that says yes `often` where such a share is wrong."""
    for wrong in range(10_000):
        low, high = wrong + 1, 10 * (wrong + 10) ** 2
        while low < high:  # the fewest draws of which so many wrong ones still prove the precision
            draws = (low + high) // 2
            proven = beta.ppf(1.0 - PROMISE.delta, wrong + 1, draws - wrong) <= 1.0 - PROMISE.precision
            low, high = (low, draws) if proven else (draws + 1, high)
        if binom.cdf(wrong, low, share) >= often:
            return low
    raise ValueError(f"no plan proves labels of which {share:.1%} is wrong")
