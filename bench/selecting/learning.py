"""The learning phase that every method shares: which images are labelled, and the scores that come of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from selecting.pools import PILOT, Bools, Floats, Pictures
from thresher.evidence import calibrate
from thresher.learn.head import train
from thresher.learn.sample import Scored, choose

FIRST = 100
BATCHES = (50, 50, 100, 100, 200)  # and 200 from there on
LEAST = 3  # of each answer before a head is trained
LEARNERS = ("logistic",)  # while it learns; the last head is chosen from the whole family


@dataclass(frozen=True)
class Learned:
    """What is labelled, the scores of all images [n], and the held-out scores of the labelled, in their order."""

    known: NDArray[np.int64]
    scores: Floats
    held_out: Floats

    def free(self) -> NDArray[np.int64]:
        """The unlabelled, best score first, ties by place."""
        places = np.setdiff1d(np.arange(len(self.scores)), self.known)
        return places[np.argsort(-self.scores[places], kind="stable")]

    def probabilities(self, yes: Bools, places: NDArray[np.int64]) -> Floats:
        """What the scores promise at `places`, calibrated on the held-out ones."""
        return calibrate(self.held_out, yes[self.known], self.scores[places])


def learn(pool: Pictures, sizes: tuple[int, ...], seed: int) -> dict[int, Learned]:
    """What is learned after each of `sizes` answers, ascending, by the product's own active rounds."""
    random = np.random.default_rng(seed)
    rows = np.arange(len(pool.yes))
    known = random.choice(rows, FIRST, replace=False)
    while min(pool.yes[known].sum(), (~pool.yes[known]).sum()) < LEAST:
        known = np.union1d(known, random.choice(rows, 20, replace=False))
    found: dict[int, Learned] = {}
    batches = list(BATCHES)
    for size in sizes:
        while len(known) < size:
            batch = min(batches.pop(0) if len(batches) > 1 else batches[0], size - len(known))
            head = train(pool.vectors.take(known), pool.yes[known], seed=seed, pool=pool.vectors, families=LEARNERS)
            picked = choose(Scored(rows, head.scores(pool.vectors)), known, size=batch, seed=seed + len(known))
            known = np.concatenate([known, np.array([row for row, _ in picked], np.int64)])
        best = train(pool.vectors.take(known), pool.yes[known], seed=seed, pool=pool.vectors, places=known)
        scores = best.scores(pool.vectors).astype(np.float64)
        found[size] = Learned(known.copy(), scores, best.out_of_fold.astype(np.float64))
    return found


def pilot(yes: Bools, scores: Floats, seed: int) -> Learned:
    """A strong head given from outside: a few random labels tell only what its scores are worth."""
    random = np.random.default_rng([seed, 1])
    known = random.choice(len(yes), PILOT, replace=False)
    while min(yes[known].sum(), (~yes[known]).sum()) < LEAST:
        known = np.union1d(known, random.choice(len(yes), 20, replace=False))
    return Learned(known, scores, scores[known])
