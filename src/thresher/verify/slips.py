"""Errors of adjudication (slips) in the bounds: docs/certificate-format.md, "Slips"."""

import math
from dataclasses import dataclass

from scipy.special import bdtr, betaincinv

from thresher.verify.frozen import Frozen
from thresher.verify.statistics import floor

NOISE_SHARE = 0.1
PARTS = 6
UNBOUNDED = 1e12
STEPS, FIRST_STEP = 64, 10


@dataclass(frozen=True, slots=True)
class Slips:
    """The upper limits of both error rates, and the delta of each step from a rate to a count."""

    yes: float = 0.0
    no: float = 0.0
    part: float = 0.0

    def slipped(self, labels: int, rate: float) -> float:
        """The largest number of wrong ones among so many labels."""
        return 0.0 if rate <= 0.0 or labels <= 0 else float(quantile(1.0 - self.part, labels, rate))

    def detectable(self, bound: float, rate: float) -> float:
        """How many bad items an audit may detect such that the bound still holds."""
        if rate <= 0.0:
            return bound
        fewest = floor(bound) + 1
        return quantile(self.part, fewest, 1.0 - rate) - 1.0 if fewest > 0 else -1.0

    def undetected(self, detected: float, rate: float) -> float:
        """How many bad items there may be when so many are detectable."""
        bound = float(detected)
        while rate > 0.0 and bound < UNBOUNDED and self.detectable(bound, rate) < detected:
            bound = bound * 1.01 + 1.0
        return bound

    def false_bound(self, bound: float, labels: int) -> float:
        """The bound of the no among the accepted, where so many labels were adjudicated one by one."""
        return self.detectable(bound - self.slipped(labels, self.no), self.no)

    def missed_bound(self, bound: float, labels: int) -> float:
        """The bound of the yes among the rejected, where so many labels were adjudicated one by one."""
        return self.detectable(bound - self.slipped(labels, self.yes), self.yes)


def slips_of(frozen: Frozen, share: float = 1.0) -> Slips:
    """The slips that the gold of a freeze allows for; none without gold."""
    gold = frozen.gold
    if gold is None:
        return Slips()
    part = NOISE_SHARE * frozen.spent / PARTS
    yes, no = upper_rate(gold.yes_missed, gold.yes_shown, part), upper_rate(gold.no_missed, gold.no_shown, part)
    return Slips(yes, no, share * part)


def audits(frozen: Frozen) -> float:
    """The part of delta that the audits of a freeze may use."""
    return frozen.spent if frozen.gold is None else (1.0 - NOISE_SHARE) * frozen.spent


def upper_rate(missed: int, shown: int, delta: float) -> float:
    """Clopper and Pearson's one-sided upper limit."""
    return 1.0 if missed >= shown else float(betaincinv(missed + 1, shown - missed, 1.0 - delta))


def wrong_among(slips: Slips, rate: float, labels: int) -> float:
    """How many of the first labels of a sequence may be wrong, at one of the steps that share the delta."""
    if labels <= 0 or rate <= 0.0:
        return 0.0
    step = FIRST_STEP
    for _ in range(STEPS):
        if step >= labels:
            return float(min(labels, quantile(1.0 - slips.part / STEPS, step, rate)))
        step += step // 4
    return float(labels)


def detectable_among(slips: Slips, bound: float, rate: float) -> float:
    """How many bad items an audit may detect where the end of their sequence was chosen by labels."""
    if rate <= 0.0:
        return bound
    fewest, best, step = max(floor(bound) + 1, 0), 0.0, FIRST_STEP
    for _ in range(STEPS):
        if step <= fewest:
            best = max(best, step - wrong_among(slips, rate, step))
        step += step // 4
    return max(best, fewest - wrong_among(slips, rate, fewest)) - 1.0


def missed_beyond_labels(slips: Slips, left: float, yes: float, recall: float) -> float:
    """The bound of the reject audit, where `left` may be missed by count, less what adjudication slips of all yes."""
    rate = slips.yes
    if rate <= 0.0:
        return left
    most = max(yes + left, 0.0)
    log = math.log(2.0 / slips.part)
    spread = math.sqrt(log * log / 9.0 + 2.0 * rate * most * log)
    if left < 0.0 or rate + rate * log / spread > 1.0 - recall:
        return -1.0
    return left - (rate * most + log / 3.0 + spread)


def quantile(chance: float, trials: int, success: float) -> int:
    """The smallest number of successes that is not exceeded with at least this chance, by bisection."""
    if success <= 0.0:
        return 0
    low, high = 0, trials
    while low < high:
        middle = (low + high) // 2
        if float(bdtr(middle, trials, min(success, 1.0))) >= chance:
            high = middle
        else:
            low = middle + 1
    return low
