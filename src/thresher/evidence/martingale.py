"""The evidence: how surely an urn holds few bad items, after any number of draws, however they were stopped.

An urn holds `size` items of which an unknown number is bad (a no among the accepted, a yes among the rejected). Items
are drawn uniformly without replacement. Against the suspicion that exactly `suspected` items are bad, the
prior-posterior ratio (Waudby-Smith and Ramdas, "Confidence sequences for sampling without replacement", NeurIPS 2020)

    M(suspected) = P(draws | prior) / P(draws | suspected) = prior(suspected) / posterior(suspected)

is, when the suspicion is true, a nonnegative supermartingale that starts at 1. By Ville's inequality it ever reaches
1/delta with probability at most delta. So "at most `bound` items are bad" is accepted when M(s) >= 1/delta for every
s > bound, and all such statements about one urn are true together, at every moment, but for a chance of delta.

Three facts make the test one evaluation of M:

1. In s the likelihood (s)_k (size-s)_(n-k) has one mode, near k/n * size, and falls beyond it. So M grows beyond the
   mode, and s = bound + 1 decides, provided that k/n * size < bound + 1.
2. At its mode the likelihood is at least its prior average, so M <= 1 there: nothing is ever accepted against the
   draws' own estimate.
3. In k, with s fixed, M is log-convex (the prior average of p^k (1-p)^(n-k) is, the likelihood's inverse is). Were M
   growing at an accepted k < n s/size, it would be above 1/delta on all k upwards, which has probability at least 1/2
   under s (mean and median of a hypergeometric number are less than 1 apart); its mean would be above 1. So for delta
   < 1/2 what is accepted with k bad draws is also accepted with fewer: evidence about a set holds for its subsets.
"""

import math
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, gammaln

Floats = NDArray[np.float64]

# gammaln is wrong by up to 2.5e-7 at a hundred million items; the threshold is raised by more than that
ROUNDING = 1e-5
# products of decimal targets and counts miss their whole number by a few units in the last place
SLACK = 1e-9
TRIED_AT_ONCE = 32  # numbers of draws: as many cost hardly more than one


@dataclass(frozen=True, slots=True)
class Prior:
    """The prior of an urn's share of bad items: beta distributions (weight, a, b), fixed before the first draw."""

    parts: tuple[tuple[float, float, float], ...]


def prior_for(allowed_share: float) -> Prior:
    """A prior that expects clearly fewer bad items than the share that is allowed, with a broad part for surprises.

    Any prior is valid; this one costs the fewest draws when the true share is 0 to 0.4 of the allowed one (within 10 %
    of the information bound ln(1/delta)/KL, found by simulation). Its broad part is Jeffreys' prior.
    """
    mean = min(max(0.12 * allowed_share, 1e-9), 0.3)
    return Prior(((0.95, 1.0, (1.0 - mean) / mean), (0.05, 0.5, 0.5)))


def log_evidence(size: ArrayLike, drawn: ArrayLike, bad: ArrayLike, suspected: ArrayLike, prior: Prior) -> Floats:
    """ln M(suspected) after `drawn` draws with `bad` bad ones; arrays broadcast.

    Infinite when `suspected` is impossible because too few good items would be left for the good draws. A suspicion at
    or below the draws' own estimate gets -inf: it is never rejected, also not when it is below what was already seen.
    """
    urn, draws, hits = (np.asarray(value, np.float64) for value in (size, drawn, bad))
    suspicion = np.asarray(suspected, np.float64)
    good = draws - hits
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = [math.log(weight) + betaln(a + hits, b + good) - betaln(a, b) for weight, a, b in prior.parts]
        average = reduce(np.logaddexp, parts)
        likelihood = _log_falling(suspicion, hits) + _log_falling(urn - suspicion, good) - _log_falling(urn, draws)
        evidence = np.where(np.isneginf(likelihood), np.inf, average - likelihood)
    own_estimate = hits / np.maximum(draws, 1.0) * urn
    return np.where((suspicion > own_estimate) & (suspicion > hits), evidence, -np.inf)


def _log_falling(items: Floats, count: Floats) -> Floats:
    """ln of items (items-1) ... (items-count+1); -inf where there are fewer items than that."""
    left = items - count
    return np.where(left >= 0, gammaln(items + 1.0) - gammaln(np.maximum(left, 0.0) + 1.0), -np.inf)


def whole(bound: ArrayLike) -> Floats:
    """The largest whole number that does not exceed `bound`, apart from rounding errors."""
    return np.floor(np.asarray(bound, np.float64) + SLACK)


def cut_down(share: float) -> float:
    """A share rounded down to four digits, so that a lower bound stays one."""
    return math.floor(share * 1e4) / 1e4


def threshold(delta: ArrayLike) -> Floats:
    """The value that ln M must reach: ln(1/delta), plus a little for rounding errors."""
    return ROUNDING - np.log(np.asarray(delta, np.float64))


def accepts(evidence: ArrayLike, bound: ArrayLike, delta: ArrayLike) -> NDArray[np.bool_]:
    """Whether `evidence`, which is ln M(bound + 1), accepts "at most `bound` are bad" at `delta`."""
    return np.asarray((whole(bound) >= 0) & (np.asarray(evidence) >= threshold(delta)))


def log_evidence_beyond(size: ArrayLike, drawn: ArrayLike, bad: ArrayLike, bound: ArrayLike, prior: Prior) -> Floats:
    """ln M(bound + 1): the evidence against every number of bad items beyond `bound`."""
    return log_evidence(size, drawn, bad, np.maximum(whole(bound), 0.0) + 1.0, prior)


def at_most(
    size: ArrayLike, drawn: ArrayLike, bad: ArrayLike, bound: ArrayLike, prior: Prior, delta: ArrayLike
) -> NDArray[np.bool_]:
    """Whether "at most `bound` of the urn's items are bad" is accepted at `delta` < 1/2, elementwise.

    Always true when the urn is not larger than the bound.
    """
    certain = np.asarray(size, np.float64) <= whole(bound)
    return np.asarray(certain | accepts(log_evidence_beyond(size, drawn, bad, bound, prior), bound, delta))


def most(size: int, drawn: int, bad: int, prior: Prior, delta: float) -> int:
    """The upper confidence bound: the smallest number of bad items that is accepted at `delta`."""
    low, high = bad, size  # `size` is always accepted
    while low < high:
        middle = (low + high) // 2
        if bool(at_most(size, drawn, bad, middle, prior, delta)):
            high = middle
        else:
            low = middle + 1
    return low


def draws_if_clean(size: int, drawn: int, bad: int, bound: float, prior: Prior, delta: float) -> int:
    """The fewest further draws after which `bound` can be accepted: the number that is enough if none of them is bad.

    Fewer are never enough, so asking for this many at once wastes none. At least one, at most all that are left.
    """
    low, high = drawn + 1, size
    while low < high:
        tried = np.unique(np.linspace(low, high - 1, TRIED_AT_ONCE).astype(np.int64))
        fails = int(np.count_nonzero(~at_most(size, tried, bad, bound, prior, delta)))
        low, high = (int(tried[fails - 1]) + 1 if fails else low), (int(tried[fails]) if fails < len(tried) else high)
    return max(min(low, size) - drawn, 0)
