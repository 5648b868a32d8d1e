"""Small pools whose truth is known, and people who answer by it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thresher.evidence import (
    METHODS,
    Ask,
    Certified,
    Code,
    Draws,
    Frozen,
    Means,
    Pool,
    Promise,
    Refused,
    State,
    freeze,
    next_step,
)
from thresher.evidence.curve import calibrate
from thresher.evidence.replay import counted

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Truth = NDArray[np.int8]

PROMISE = Promise(precision=0.95, recall=0.90, delta=0.05)


@dataclass(frozen=True)
class Ranked:
    """A pool in the order of its scores: what is true of each rank, what the head says, and what was known before."""

    truth: Truth
    probabilities: Floats
    known_yes: int

    @property
    def pool(self) -> Pool:
        """As a freeze sees it."""
        return Pool(self.probabilities, self.known_yes)

    @property
    def yes(self) -> int:
        return int((self.truth == Code.YES).sum()) + self.known_yes


@dataclass(frozen=True)
class Ended:
    """How a certificate ended, which ranks were labelled, and how often people were asked."""

    step: Certified | Refused
    labelled: Bools
    asks: int


def answer(frozen: Frozen, truth: Truth) -> Ended:
    """Run a procedure to its end, people answering the truth."""
    procedure = METHODS[frozen.method].procedure(frozen)
    labelled = np.zeros(len(truth), np.bool_)
    asks = 0
    try:
        wants, _ = next(procedure)
        while True:
            asks += 1
            for want in wants:
                labelled[want.ranks] = True
            wants, _ = procedure.send(tuple(truth[want.ranks] for want in wants))
    except StopIteration as end:
        ranks = np.flatnonzero(labelled)
        state = State(frozen, dict(zip(ranks.tolist(), truth[ranks].tolist(), strict=True)))
        return Ended(ended_with(end.value, state), labelled, asks)


def ended_with(step: Certified | Refused, state: State) -> Certified | Refused:
    """The end of a procedure as `next_step` tells it."""
    return counted(step, state) if isinstance(step, Certified) else step


def released(ended: Ended, truth: Truth) -> Bools:
    """The ranks of the released set: below the accepted rank, and every yes that people gave."""
    assert isinstance(ended.step, Certified)
    inside = np.arange(len(truth)) < ended.step.accepted
    return np.where(ended.labelled, truth == Code.YES, inside)


def quality(ended: Ended, pool: Ranked) -> tuple[float, float]:
    """Precision and recall of the released set, the known yes included."""
    kept = released(ended, pool.truth)
    right = int((kept & (pool.truth == Code.YES)).sum()) + pool.known_yes
    size = int(kept.sum()) + pool.known_yes
    return (right / size if size else 1.0, right / pool.yes if pool.yes else 1.0)


def is_false(ended: Ended, pool: Ranked, promise: Promise = PROMISE) -> bool:
    """Whether a certificate was issued for a set that does not keep the promise."""
    if isinstance(ended.step, Refused):
        return False
    precision, recall = quality(ended, pool)
    return precision < promise.precision or recall < promise.recall


def beta_pool(
    seed: int,
    size: int = 3000,
    prevalence: float = 0.1,
    *,
    yes: tuple[float, float] = (6.0, 1.2),
    no: tuple[float, float] = (0.25, 8.0),
    hidden: float = 0.0,
    pilot: int = 60,
) -> Ranked:
    """Scores from two beta laws; a share `hidden` of the yes scores like a no. `pilot` random labels calibrate it."""
    rng = np.random.default_rng(seed)
    is_yes = rng.random(size) < prevalence
    share = np.where(is_yes, rng.beta(*yes, size), rng.beta(*no, size))
    unseen = is_yes & (rng.random(size) < hidden)
    share[unseen] = rng.beta(*no, int(unseen.sum()))
    share = np.clip(share, 1e-12, 1 - 1e-12)
    score = np.log(share / (1 - share))
    known = np.zeros(size, np.bool_)
    known[rng.choice(size, pilot, replace=False)] = True
    known[np.flatnonzero(is_yes)[:2]] = True
    order = np.flatnonzero(~known)
    order = order[np.argsort(-score[order], kind="stable")]
    probabilities = calibrate(score[known], is_yes[known], score[order])
    return Ranked(is_yes[order].astype(np.int8), probabilities, int(is_yes[known].sum()))


def weak_pool(seed: int) -> Ranked:
    """A tenth is yes, and no rank is surely one; people found 80 before."""
    pool = beta_pool(seed, 6000, 0.1, yes=(3.0, 2.0), no=(1.0, 6.0))
    return Ranked(pool.truth, pool.probabilities, 80)


def flattered_pool(
    seed: int, *, accepted: int, false_share: float, hidden: int, ranks: int = 2500, known_yes: int = 30
) -> Ranked:
    """A pool that is worse than its head says: no spread over the top, yes spread over the rest, the head sure of both.

    The least favourable kind: nothing but the audits can tell.
    """
    rng = np.random.default_rng(seed)
    truth = np.zeros(ranks, np.int8)
    truth[:accepted] = rng.random(accepted) >= false_share
    truth[rng.choice(np.arange(accepted, ranks), hidden, replace=False)] = Code.YES
    probabilities = np.where(np.arange(ranks) < accepted, 0.995, 0.0005)
    return Ranked(truth, probabilities, known_yes)


def draws(seed: int, *, batch: int = 10, epoch: int = 0) -> Draws:
    """How audits draw whose seed follows from `seed`."""
    return Draws(f"{seed:064x}", epoch=epoch, batch=batch)


def budget(answers: int, recall_answers: int = 0) -> Means:
    """So many answers, the truth being what adjudication says."""
    return Means(answers, recall_answers)


def frozen_of(pool: Ranked, seed: int, promise: Promise = PROMISE, *, batch: int = 5, epoch: int = 0) -> Frozen:
    """A joint certificate's description of a pool; the audit's seed follows from `seed`."""
    return freeze("certified", promise, pool.pool, draws(seed, batch=batch, epoch=epoch))


def answer_all(state: State, truth: Truth, said: Truth | None = None) -> State:
    """The state after all that it asks for is answered: by the truth, and by what people say where that will do."""
    step = next_step(state)
    assert isinstance(step, Ask)
    words = truth if said is None else said
    sure = {rank: int(truth[rank]) for part in step.wanted if part.sure for rank in part.ranks}
    heard = {rank: int(words[rank]) for part in step.wanted if not part.sure for rank in part.ranks}
    return State(state.frozen, {**state.answers, **sure}, {**state.said, **heard})
