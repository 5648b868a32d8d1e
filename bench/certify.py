"""Claim: labels that somebody else made are certified, or refused, by fewer answers than a plan of fixed size takes.

Labels of which 0, 0.5, 1, 3 and 6 % are wrong, at random places of a claim of 10,000 images, are audited by the method
`labels` for a precision of 0.95 at delta 0.05. Beside it stands the usual plan: draw n images, count c wrong ones, and
say yes if the Clopper-Pearson bound at delta does. That plan is told the true share, is the smallest that says yes as
often as the audit did (or 99 times of 100), and has all of delta, where the audit has the 0.85 of a first freeze. For
labels that are too wrong to be certified it is the plan for 3 %, all of which is labelled before it says no.

False certificates: labels with one wrong image more than the precision allows, and labels that miss one yes more than
the recall allows, 2,000 runs each. What they may be is delta.

    python bench/certify.py          a few minutes on one core
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom

from thresher.evidence import METHODS, Certified, Code, Draws, Frozen, Pool, Promise, freeze

PROMISE = Promise(precision=0.95, recall=0.0, delta=0.05)
BOTH = replace(PROMISE, recall=0.9)
CLAIMED, OTHERS = 10_000, 10_000
SHARES = (0.0, 0.005, 0.01, 0.03, 0.06)
COMPARED = (0.005, 0.01, 0.03, 0.06)
OFTEN_ENOUGH = 0.99
RUNS = 2_000
Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Outcome:
    """One run: whether there is a certificate, the answers, and what is true of the released set."""

    certified: bool
    answers: int
    precision: float
    recall: float

    def is_false(self, promise: Promise) -> bool:
        """Whether a certificate was issued that is not true."""
        return self.certified and (self.precision < promise.precision or self.recall < promise.recall)


def frozen_of(promise: Promise) -> Frozen:
    """The freeze of a claim; each run draws by another seed."""
    ranks = CLAIMED + (OTHERS if promise.recall else 0)
    pool = Pool(np.where(np.arange(ranks) < CLAIMED, 0.97, 0.03), 0, claimed=CLAIMED)
    return freeze("labels", promise, pool, Draws("00" * 32))


def truth_of(frozen: Frozen, wrong: int, missed: int, random: np.random.Generator) -> Codes:
    """What is true by rank."""
    truth = np.where(np.arange(frozen.ranks) < CLAIMED, Code.YES, Code.NO).astype(np.int8)
    truth[random.choice(CLAIMED, wrong, replace=False)] = Code.NO
    truth[CLAIMED + random.choice(max(frozen.ranks - CLAIMED, 1), missed, replace=False)] = Code.YES
    return truth


def audited(frozen: Frozen, truth: Codes) -> Outcome:
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
        yes = truth == Code.YES
        released = np.where(seen, yes, np.arange(len(truth)) < CLAIMED)
        right = int((released & yes).sum())
        certified = isinstance(end.value, Certified)
        return Outcome(certified, int(seen.sum()), right / int(released.sum()), right / max(int(yes.sum()), 1))


def runs_of(promise: Promise, wrong: int, missed: int, runs: int, seed: int) -> Iterator[Outcome]:
    """Several audits of labels with so many wrong and missed images."""
    random, frozen = np.random.default_rng(seed), frozen_of(promise)
    for _ in range(runs):
        yield audited(replace(frozen, seed=random.bytes(32).hex()), truth_of(frozen, wrong, missed, random))


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


def just_false(promise: Promise) -> tuple[int, int]:
    """How many are wrong and missed in labels that break the last target by one image, and keep the other by one."""
    wrong = int((1.0 - promise.precision) * CLAIMED + 1e-9)
    if not promise.recall:
        return wrong + 1, 0
    return wrong, int((1.0 - promise.recall) / promise.recall * (CLAIMED - wrong) + 1e-9) + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=RUNS, help="audits of each kind of labels")
    runs, started = parser.parse_args().runs, time.perf_counter()
    print(f"{CLAIMED:,} claimed images, precision {PROMISE.precision:g}, delta {PROMISE.delta:g}, {runs:,} runs each")
    print("wrong    yes    answers  90 % need  fixed plan  ratio  least precision released")
    average: dict[float, float] = {}
    ratios: dict[float, float] = {}
    plan = 0
    for share in SHARES:
        done = list(runs_of(PROMISE, round(share * CLAIMED), 0, runs, seed=round(1e6 * share)))
        answers = np.array([one.answers for one in done], np.float64)
        often = float(np.mean([one.certified for one in done]))
        if share < 1.0 - PROMISE.precision:
            plan = fixed_size(share, min(often, OFTEN_ENOUGH))
        average[share], ratios[share] = float(answers.mean()), float(answers.mean()) / plan
        least = min((one.precision for one in done if one.certified), default=float("nan"))
        told = f"{average[share]:9.1f} {np.quantile(answers, 0.9):9.0f} {plan:10d} {ratios[share]:8.2f} {least:14.4f}"
        print(f"{share:5.1%} {often:7.1%} {told}")
    worst = 0.0
    for promise in (PROMISE, BOTH):
        wrong, missed = just_false(promise)
        done = list(runs_of(promise, wrong, missed, runs, seed=77))
        false, asked = sum(one.is_false(promise) for one in done), np.mean([one.answers for one in done])
        said = "recall" if promise.recall else "precision"
        print(f"{said} just missed: {false} of {runs:,} certificates are false, {asked:.0f} answers on average")
        worst = max(worst, false / runs / promise.delta)
    print(f"took {time.perf_counter() - started:.0f} s")
    print(f"RATIO answers_precision_95_at_0pct {average[0.0]:.1f}")
    print(f"RATIO answers_precision_95_at_1pct {average[0.01]:.1f}")
    print(f"RATIO answers_vs_clopper_pearson {np.mean([ratios[share] for share in COMPARED]):.2f}")
    print(f"RATIO false_certificates_of_allowed {worst:.2f}")


if __name__ == "__main__":
    main()
