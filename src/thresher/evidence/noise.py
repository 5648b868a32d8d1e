"""Adjudication errors: bounds that hold although adjudication errs, given error rates that were measured on gold.

Ground truth is the adjudicated answer. If even that is doubted, gold (images whose answer was known, shown again
unmarked) gives an upper confidence limit of its error rate (Clopper and Pearson). An audit counts only the bad items
that adjudication detects, so it must be stricter than its bound (`detectable`); and some of the labels that were
adjudicated one by one may be wrong (`slipped`). Errors (slips) are assumed to be independent, and gold to be like the
images it stands for: if gold is easier than the pool, every number here is too optimistic. Errors that annotators make
together on some images are no independent slips: only the owner's check (check.py) counts those.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtrik, betainc, betaincinv

from thresher.evidence.martingale import whole
from thresher.evidence.state import Gold

Floats = NDArray[np.float64]

NOISE_SHARE = 0.1  # of delta, where there is gold
PARTS = 6  # two rates; for each kind of slip what an audit fails to detect, and what single labels got wrong
SEEN_DELTA = 0.05

# numbers of labels for which `wrong_among` holds at once; between them the next one counts
STEPS = 64
FIRST_STEP = 10
# bad draws of an accepted set: up to so many, and the share of the reject audit's delta that is for this case
REFUTED = ((4, 0.9), (32, 0.08), (256, 0.02))


@dataclass(frozen=True, slots=True)
class Slips:
    """Upper bounds on the error rates of adjudication, and the delta for each further step from a rate to a count.

    `likely` are the rates as gold has them, `seen` lower bounds at `SEEN_DELTA`, for yes called no and no called yes;
    for plans only.
    """

    yes_as_no: float = 0.0
    no_as_yes: float = 0.0
    part: float = 0.0
    likely: tuple[float, float] = (0.0, 0.0)
    seen: tuple[float, float] = (0.0, 0.0)

    @property
    def least(self) -> "Slips":
        """The lower bounds in the place of the upper ones."""
        return replace(self, yes_as_no=self.seen[0], no_as_yes=self.seen[1], likely=self.seen)


def slips_of(gold: Gold | None, delta: float, share: float = 1.0) -> Slips:
    """The bounds that gold gives; without gold no errors are assumed, as the adjudicated answer is the ground truth.

    `share` is the share of the steps' deltas that this attempt may use, where a procedure makes several attempts.
    """
    if gold is None:
        return Slips()
    part = NOISE_SHARE * delta / PARTS
    return Slips(
        yes_as_no=upper_rate(gold.yes_missed, gold.yes_shown, part),
        no_as_yes=upper_rate(gold.no_missed, gold.no_shown, part),
        part=share * part,
        likely=((gold.yes_missed + 0.5) / (gold.yes_shown + 1.0), (gold.no_missed + 0.5) / (gold.no_shown + 1.0)),
        seen=(least_rate(gold.yes_missed, gold.yes_shown), least_rate(gold.no_missed, gold.no_shown)),
    )


def audit_delta(delta: float, gold: Gold | None) -> float:
    """The part of delta that is left for the audits."""
    return delta if gold is None else (1.0 - NOISE_SHARE) * delta


def upper_rate(missed: int, shown: int, delta: float) -> float:
    """Clopper and Pearson's one-sided upper limit of an error rate (Biometrika, 1934)."""
    return 1.0 if missed >= shown else float(betaincinv(missed + 1, shown - missed, 1.0 - delta))


def least_rate(missed: int, shown: int) -> float:
    """Clopper and Pearson's one-sided lower limit of an error rate, at `SEEN_DELTA`."""
    return 0.0 if not missed else float(betaincinv(missed, shown - missed + 1, SEEN_DELTA))


def quantile(chance: float, trials: ArrayLike, success: float) -> Floats:
    """The smallest number of successes in `trials` that is not exceeded with at least this probability.

    scipy.stats has it too, but takes 0.7 seconds to import, which every command would wait for.
    """
    if success <= 0.0:
        return np.zeros(np.shape(trials))
    count = np.asarray(trials, np.float64)

    def chance_of_at_most(successes: Floats) -> Floats:
        tail = betainc(np.maximum(count - successes, 0.0) + (successes >= count), successes + 1.0, 1.0 - success)
        return np.where(successes >= count, 1.0, tail)

    found = np.ceil(bdtrik(chance, count, success))  # right but for rounding
    found = np.where(chance_of_at_most(found) < chance, found + 1.0, found)
    before = np.maximum(found - 1.0, 0.0)
    return np.asarray(np.where(chance_of_at_most(before) >= chance, before, found), np.float64)


def detectable(bound: ArrayLike, rate: float, part: float) -> Floats:
    """How many bad items an audit may detect such that `bound` still holds: if there were more, it would detect more.

    Each of floor(bound) + 1 bad items is detected with probability 1 - rate; fewer than the `part`-quantile are
    detected with probability at most `part`. Below 0 when nothing can be proven.
    """
    allowed = np.asarray(bound, np.float64)
    if rate <= 0.0:
        return allowed
    fewest = np.maximum(whole(allowed) + 1.0, 0.0)
    return np.asarray(np.where(fewest > 0, quantile(part, fewest, 1.0 - rate), 0.0) - 1.0, np.float64)


def undetected(detected: float, rate: float, part: float) -> float:
    """The largest possible number of bad items when at most `detected` are detectable: the inverse of `detectable`."""
    bound = float(detected)
    while rate > 0.0 and bound < 1e12 and float(detectable(bound, rate, part)) < detected:
        bound = bound * 1.01 + 1.0
    return bound


def slipped(labels: int, rate: float, part: float) -> float:
    """The largest number of wrong ones among `labels` adjudicated labels, except with probability `part`."""
    return 0.0 if rate <= 0.0 or labels <= 0 else float(quantile(1.0 - part, labels, rate))


def false_bound(slips: Slips, bound: ArrayLike, labels: int) -> Floats:
    """The bound for the audit of accepted images, given that `labels` further images were adjudicated one by one."""
    wrong = slipped(labels, slips.no_as_yes, slips.part)
    return detectable(np.asarray(bound) - wrong, slips.no_as_yes, slips.part)


def missed_bound(slips: Slips, bound: ArrayLike, labels: int) -> Floats:
    """The bound for the audit of rejected images, given that `labels` further images were adjudicated one by one."""
    wrong = slipped(labels, slips.yes_as_no, slips.part)
    return detectable(np.asarray(bound) - wrong, slips.yes_as_no, slips.part)


# --- the joint certificate (certify.py) -------------------------------------------------------------------------------


def steps() -> Floats:
    """10, 12, 15, ...: each a quarter larger than the one before, rounded down."""
    found = [FIRST_STEP]
    while len(found) < STEPS:
        found.append(found[-1] + found[-1] // 4)
    return np.array(found, np.float64)


def wrong_among(labels: ArrayLike, rate: float, part: float) -> Floats:
    """The largest number of wrong ones among the first `labels` labels of a sequence, for all lengths at once.

    Except with probability `part`, which the steps share: whoever looks at the labels may choose how many they are.
    """
    count, ends = np.asarray(labels, np.float64), steps()
    if rate <= 0.0:
        return np.zeros(np.shape(count))
    most = quantile(1.0 - part / STEPS, ends, rate)
    place = np.searchsorted(ends, count)
    bound = np.where(place < STEPS, most[np.minimum(place, STEPS - 1)], count)
    return np.where(count > 0, np.minimum(bound, count), 0.0)


def refuted_at_most(refuted: ArrayLike) -> tuple[Floats, Floats]:
    """How many bad draws of an accepted set are allowed for, and the share of the reject audit's delta for that case.

    Infinite and 0 where there are more than any case allows.
    """
    most, share = np.array([m for m, _ in REFUTED] + [np.inf]), np.array([s for _, s in REFUTED] + [0.0])
    case = np.searchsorted(most, np.asarray(refuted, np.float64))
    return most[case], share[case]


def detectable_among(bound: ArrayLike, rate: float, part: float) -> Floats:
    """`detectable` for the beginnings of one sequence of bad items, all of them at once.

    Of the first j bad items at most wrong(j) are not detected (`wrong_among`), so of k or more at least the largest
    j - wrong(j) up to k: it rises by at most 1 a step. Whoever sees the labels may choose where the sequence ends.
    """
    allowed = np.asarray(bound, np.float64)
    if rate <= 0.0:
        return allowed
    fewest, ends = np.maximum(whole(allowed), -1.0) + 1.0, steps()
    best = np.maximum.accumulate(np.concatenate([[0.0], ends - wrong_among(ends, rate, part)]))
    earlier = best[np.searchsorted(ends, fewest, side="right")]
    return np.asarray(np.maximum(fewest - wrong_among(fewest, rate, part), earlier) - 1.0, np.float64)


def false_beyond_labels(slips: Slips, bound: ArrayLike, labels: ArrayLike, rungs: int) -> Floats:
    """How many no the accepted ranks' audit may detect, if `labels` further labels were counted as they are."""
    part = slips.part / rungs
    wrong = wrong_among(labels, slips.no_as_yes, part)
    return detectable(np.asarray(bound, np.float64) - wrong, slips.no_as_yes, part)


def missed_beyond_labels(slips: Slips, bound: ArrayLike, yes: ArrayLike, recall: float) -> Floats:
    """How many yes the rejected ranks' audit may detect, such that with those that adjudication called no (wherever
    that was) no more than `bound` are missed; `yes` were found outside it.

    Of m = yes + bound images that are yes, adjudication calls more than v(m) no with a probability of at most half a
    part (Bernstein's inequality): v(m) = rate m + t, t = L/3 + sqrt(L^2/9 + 2 rate m L), L = ln(2/part). Nothing is
    proven (-1) where the next yes would bring more slips than the recall target allows.
    """
    allowed, rate = np.asarray(bound, np.float64), slips.yes_as_no
    if rate <= 0.0:
        return allowed
    log = np.log(2.0 / slips.part)
    root = np.sqrt(log**2 / 9.0 + 2.0 * rate * log * np.maximum(np.asarray(yes) + allowed, 0.0))
    slope = rate + rate * log / root
    left = allowed - (rate * np.maximum(np.asarray(yes) + allowed, 0.0) + log / 3.0 + root)
    return np.where((slope <= 1.0 - recall) & (allowed >= 0.0), left, -1.0)
