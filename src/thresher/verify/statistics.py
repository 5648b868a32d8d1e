"""The test of an urn, in plain floats: docs/certificate-format.md, "The test of an urn"."""

import math
from collections.abc import Sequence

SLACK = 1e-9
ROUNDING = 1e-5  # the prover adds it to what the evidence must reach, so that rounding never decides

Parts = Sequence[tuple[float, float, float]]


def floor(bound: float) -> int:
    """The largest whole number that does not exceed the bound, apart from rounding errors."""
    return math.floor(bound + SLACK)


def cut4(share: float) -> float:
    """A share rounded down to four digits."""
    return math.floor(share * 1e4) / 1e4


def evidence(size: int, drawn: int, bad: int, bound: float, prior: Parts) -> float:
    """ln M(floor(bound) + 1) after `drawn` draws with `bad` bad ones; minus infinity where nothing can be accepted."""
    suspected = floor(bound) + 1
    if bound < -SLACK or suspected <= bad or suspected * drawn <= bad * size:
        return -math.inf
    if size - suspected < drawn - bad:
        return math.inf
    likelihood = _falling(suspected, bad) + _falling(size - suspected, drawn - bad) - _falling(size, drawn)
    terms = [math.log(weight) + _beta(a + bad, b + drawn - bad) - _beta(a, b) for weight, a, b in prior if weight > 0.0]
    largest = max(terms)
    return largest + math.log(math.fsum(math.exp(term - largest) for term in terms)) - likelihood


def needed(delta: float) -> float:
    """What the evidence must reach; infinite for a delta of 0."""
    return math.log(1.0 / delta) if delta > 0.0 else math.inf


def holds(urn: tuple[int, int, int], bound: float, prior: Parts, delta: float, extra: float = 0.0) -> bool:
    """Whether "at most `bound` items are bad" is accepted for an urn (size, drawn, bad), with evidence to spare."""
    size, drawn, bad = urn
    return floor(bound) >= size or evidence(size, drawn, bad, bound, prior) >= needed(delta) + extra


def most(urn: tuple[int, int, int], prior: Parts, delta: float) -> int:
    """The upper confidence bound of the bad items of an urn (size, drawn, bad)."""
    low, high = urn[2], urn[0]
    while low < high:
        middle = (low + high) // 2
        if holds(urn, middle, prior, delta, ROUNDING):
            high = middle
        else:
            low = middle + 1
    return low


def _falling(items: int, count: int) -> float:
    return math.lgamma(items + 1) - math.lgamma(items - count + 1)


def _beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
