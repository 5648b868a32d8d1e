"""How often a false rung of the chains of `precision` is ever accepted, alone or of two at once, as in exact.py."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from tests.evidence.exact import Grid, beyond, ever

from thresher.evidence import methods, precision
from thresher.evidence.state import Frozen, Promise
from thresher.evidence.terms import Draws, Means, Pool


class _Tally:
    """So many draws below each rung, of which so many are bad."""

    def __init__(self, frozen: Frozen, drawn: NDArray[np.float64], bad: NDArray[np.float64]) -> None:
        self.frozen, self.drawn, self.bad = frozen, drawn, bad

    def tally(self, _: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], Grid]:
        return self.drawn, self.bad, np.ones(len(self.drawn), np.bool_)


def chains_of(
    promise: Promise, answers: int, ranks: int, known_yes: int
) -> tuple[Frozen, precision._Chain, precision._Chain]:
    """The main chain and the spare one of a freeze."""
    probability = np.clip(1.2 - np.arange(ranks) / ranks * 1.6, 1e-4, 0.999)
    frozen = methods.freeze("precision", promise, Pool(probability, known_yes), Draws("ab" * 32), Means(answers))
    return frozen, *precision._chains(replace(frozen, looks=0), 0)


def _judged(frozen: Frozen, chain: precision._Chain, at: int, size: int, bad: int) -> Grid:
    """Which states (drawn, bad) of the draws below the rung at a place of the chain are accepted."""
    drawn, hits = np.meshgrid(np.arange(size + 1.0), np.arange(bad + 1.0), indexing="ij")
    many = np.ones(drawn.size)
    alike = precision._Chain(
        chain.rungs[at] * many, chain.bounds[at] * many, chain.delta, np.zeros(drawn.size, np.bool_)
    )
    precision._judge(_Tally(frozen, drawn.ravel(), hits.ravel()), alike)  # type: ignore[arg-type]  # it reads no more
    return alike.ever.reshape(drawn.shape)


def false_rungs(promise: Promise, answers: int, ranks: int, known_yes: int) -> list[tuple[float, float]]:
    """For rungs of both chains with one no too many: the chance that each is ever accepted, and the chain's delta."""
    frozen, main, spare = chains_of(promise, answers, ranks, known_yes)
    found = []
    for chain in (main, spare):
        for at in {0, len(chain.rungs) // 2, len(chain.rungs) - 1} if len(chain.rungs) else set[int]():
            rung = int(chain.rungs[at])
            bad = beyond((1.0 - promise.precision) * (known_yes + rung))
            if bad <= rung:
                found.append((ever(rung, bad, _judged(frozen, chain, at, rung, bad)), chain.delta))
    return found


def false_chain(promise: Promise, low: int, high: int, known_yes: int) -> tuple[float, float]:
    """Two rungs, both with one no too many below them: the chance that either is delivered, and delta.

    The states are draws and bad draws below the lower rung and between the two, and which rung was ever accepted.
    """
    frozen, main, _ = chains_of(promise, 100, 400, known_yes)
    bounds = np.array([(1.0 - promise.precision) * (known_yes + rung) for rung in (low, high)])
    chain = precision._Chain(np.array([low, high], float), bounds, main.delta, np.zeros(2, np.bool_))
    bad = [beyond(bounds[0]), beyond(bounds[1]) - beyond(bounds[0])]
    sizes = [low, high - low]
    grids = [_judged(frozen, chain, 0, low, bad[0]), _judged(frozen, chain, 1, high, sum(bad))]
    alive = {(0, 0): np.zeros((2, 2, bad[0] + 1, bad[1] + 1))}
    alive[0, 0][0, 0, 0, 0] = 1.0
    delivers = np.array([[_passed(chain, a, b) for b in (False, True)] for a in (False, True)])
    total = 0.0
    for drawn in range(high + 1):
        here: dict[tuple[int, int], NDArray[np.float64]] = {}
        for (one, two), weight in alive.items():
            moved = _accepted_now(weight, grids[0][one], grids[1][one + two])
            total += float(moved[delivers].sum())
            moved[delivers] = 0.0
            left = high - drawn
            if left:
                _spread(here, (one, two), moved, sizes, bad, left)
        alive = here
    return total, main.delta


def _passed(chain: precision._Chain, low: bool, high: bool) -> bool:
    return precision._Chain(chain.rungs, chain.bounds, chain.delta, np.array([low, high])).passed > 0


def _accepted_now(weight: NDArray[np.float64], low: Grid, high: Grid) -> NDArray[np.float64]:
    """The weights by (low ever, high ever, bad below, bad between) after a look at both rungs."""
    first, second = np.indices(weight.shape[2:])
    a, b = low[first], high[first + second]
    moved = np.zeros_like(weight)
    for was_low in (0, 1):
        for was_high in (0, 1):
            for is_low in (False, True):
                for is_high in (False, True):
                    moved[was_low | is_low, was_high | is_high] += (
                        weight[was_low, was_high] * (a == is_low) * (b == is_high)
                    )
    return moved


def _spread(
    here: dict[tuple[int, int], NDArray[np.float64]],
    at: tuple[int, int],
    weight: NDArray[np.float64],
    sizes: list[int],
    bad: list[int],
    left: int,
) -> None:
    """One more draw: below the lower rung or between the two, bad or good."""
    for part in (0, 1):
        if at[part] == sizes[part]:
            continue
        hits = np.arange(bad[part] + 1)
        shape = (-1, 1) if part == 0 else (1, -1)
        good_left = (sizes[part] - at[part]) - (bad[part] - hits)
        after = (at[0] + (part == 0), at[1] + (part == 1))
        room = here.setdefault(after, np.zeros_like(weight))
        room += weight * (np.maximum(good_left, 0) / left).reshape(shape)
        to_bad = weight * ((bad[part] - hits) / left).reshape(shape)
        if part == 0:
            room[:, :, 1:, :] += to_bad[:, :, :-1, :]
        else:
            room[:, :, :, 1:] += to_bad[:, :, :, :-1]
