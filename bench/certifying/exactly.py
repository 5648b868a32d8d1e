"""The audit of claimed labels over all orders at once, by an exact programme: what simulated runs can only estimate."""

import math

import numpy as np
from numpy.typing import NDArray

from certifying.audits import PROMISE, Bools
from thresher.evidence.labels import FAIR, LOST, STEP, doubts_of, prior_of
from thresher.evidence.martingale import SLACK, at_most
from thresher.evidence.plan import spend

LONGEST, MOST_BAD = 4_000, 240  # draws and wrong ones among them; what goes beyond has no weight (`left` tells)


def rules(size: int) -> tuple[Bools, Bools]:
    """After each number of draws with each number of wrong ones [n, k]: is it accepted, is it given up."""
    draws = np.arange(LONGEST + 1)[:, None]
    bad = np.arange(MOST_BAD + 1)[None, :]
    possible, bound = bad <= draws, (1.0 - PROMISE.precision) * size
    good = np.maximum(draws - bad, 0)
    delta = spend(PROMISE.delta, epoch=0)
    holds = at_most(size, draws, np.minimum(bad, draws), bound, prior_of(bound / size), delta) & possible
    fair = math.ceil(FAIR * bound - SLACK)
    ends = at_most(size, draws, good, size - fair - 1, doubts_of(bound / size), LOST) & possible
    ends[np.arange(LONGEST + 1) % STEP != 0] = False  # labels are judged so many together
    return holds, ends


def course(size: int, wrong: int, judged: tuple[Bools, Bools]) -> tuple[float, float, float]:
    """The average answers, the chance of a certificate, and the chance that is left beyond LONGEST draws."""
    holds, ends = judged
    bad = np.arange(MOST_BAD + 1)
    chance: NDArray[np.float64] = np.zeros(MOST_BAD + 1)
    chance[0] = 1.0
    answers = certified = 0.0
    for drawn in range(1, LONGEST + 1):
        hit = chance * np.clip((wrong - bad) / (size - drawn + 1), 0.0, 1.0)
        chance -= hit
        chance[1:] += hit[:-1]
        certified += float(chance[holds[drawn]].sum())
        over = holds[drawn] | ends[drawn]
        answers += drawn * float(chance[over].sum())
        chance[over] = 0.0
    left = float(chance.sum())
    return answers + left * LONGEST, certified, left
