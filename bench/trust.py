"""Claim: with the owner's check a released set keeps its precision although annotators err together.

Some annotators may hand in what one model says (proxies): they are wrong about the same images, so no audit by the same
people can tell. Certificates of the methods `adjudicated` and `certified` are run to their end with 0, 10, 30 and 60 %
of proxies among the pinned crowd (workforce/crowd.py), with and without the owner's check. People whom the gate would
reject by 20 and 20 gold images are left out. Scores are drawn from beta laws, half-way between a strong head and a weak
one. A certificate is false if, by the truth, the released set has less precision or recall than promised; the check
promises precision alone.

    python bench/trust.py            a few minutes on one core
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thresher.evidence import (
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
    calibrate,
    freeze,
    next_step,
    released,
)
from thresher.label.adjudicate import MOST_VOTES, leads
from thresher.label.gate import needed
from thresher.records import Purpose, Says
from thresher.settings import Settings
from thresher.workforce.crowd import ModelCrowd, Person

PROMISE = Promise(precision=0.95, recall=0.90, delta=0.05)
SHARES = (0.0, 0.1, 0.3, 0.6)
METHODS = ("adjudicated", "certified")
PEOPLE = 40
GOLD_EACH = 20
WORDS = 2
PILOT = 200  # random labels that calibrate the scores, true
PREVALENCE = 0.3
YES, NO = (3.0, 1.5), (0.8, 5.0)
CODES = {Says.YES: int(Code.YES), Says.NO: int(Code.NO)}
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """A pool in the order of its scores: what is true of each rank, the probabilities, and the yes known before."""

    truth: Bools
    probabilities: NDArray[np.float64]
    known_yes: int


@dataclass(frozen=True)
class Outcome:
    """One run: whether it was certified, the set's true precision and recall, and the answers of people and owner."""

    certified: bool
    precision: float
    recall: float
    answers: int
    owner: int

    @property
    def false(self) -> bool:
        """Whether a certificate was issued that is not true."""
        return self.breaks(recall=False) or self.breaks(recall=True)

    def breaks(self, *, recall: bool) -> bool:
        """Whether a certificate was issued for a set without the promised precision (or recall)."""
        short = self.recall < PROMISE.recall if recall else self.precision < PROMISE.precision
        return self.certified and short


def pool(seed: int, images: int) -> Scored:
    """Scores from two beta laws, calibrated by a few random labels."""
    rng = np.random.default_rng(seed)
    is_yes = rng.random(images) < PREVALENCE
    share = np.clip(np.where(is_yes, rng.beta(*YES, images), rng.beta(*NO, images)), 1e-9, 1 - 1e-9)
    score = np.log(share / (1 - share))
    known = np.zeros(images, np.bool_)
    known[rng.choice(images, PILOT, replace=False)] = True
    order = np.flatnonzero(~known)
    order = order[np.argsort(-score[order], kind="stable")]
    return Scored(is_yes[order], calibrate(score[known], is_yes[known], score[order]), int(is_yes[known].sum()))


class Crowd:
    """People who passed the gate, each asked about an image once, in a random order of its own; and the owner."""

    def __init__(self, truth: Bools, seed: int, proxies: float) -> None:
        named = {str(rank): bool(yes) for rank, yes in enumerate(truth)}
        gold = {f"gold {number}": number % 2 == 0 for number in range(2 * GOLD_EACH)}
        crowd = ModelCrowd({**named, **gold}, seed, proxies=proxies)
        self._people = [one for one in crowd.people(PEOPLE) if passes(one, gold)]
        self._rng = np.random.default_rng([seed, 9])
        self._left: dict[int, Iterator[int]] = {}
        self.truth, self.answers, self.owner = truth, 0, 0

    def says(self, rank: int) -> Says:
        """The answer of the next person who has not seen this image."""
        if rank not in self._left:
            self._left[rank] = iter(self._rng.permutation(len(self._people)).tolist())
        self.answers += 1
        return self._people[next(self._left[rank])].answer([str(rank)])[0].says

    def word(self, rank: int) -> int:
        """What the first people say, if they agree."""
        said = {self.says(rank) for _ in range(WORDS)}
        return CODES[said.pop()] if len(said) == 1 else int(Code.UNANSWERABLE)

    def label(self, rank: int) -> int:
        """The adjudicated answer: people's to a clear lead, else the owner's."""
        said: list[Says] = []
        while len(said) < MOST_VOTES and (lead := leads(said)) is None:
            said.append(self.says(rank))
        if (lead := leads(said)) is not None:
            return CODES[lead]
        return self.check(rank)

    def check(self, rank: int) -> int:
        """The owner's answer. Images known before are yes."""
        self.owner += 1
        return int(rank >= len(self.truth) or self.truth[rank])


def passes(one: Person, gold: dict[str, bool]) -> bool:
    """Whether the gate accepts an assignment of this person."""
    looks = dict(zip(gold, one.answer(list(gold)), strict=True))
    right = [
        sum((looks[name].says is Says.YES) is yes for name, yes in gold.items() if yes is of) for of in (True, False)
    ]
    return min(right) >= needed(Settings().gold_pass, GOLD_EACH)


def frozen_of(made: Scored, method: str, seed: int, *, check: bool) -> Frozen:
    """The description of one certificate."""
    draws = Draws(f"{seed:064x}", batch=20)
    return freeze(method, PROMISE, Pool(made.probabilities, made.known_yes), draws, Means(check=check))


def run(made: Scored, method: str, seed: int, proxies: float, *, check: bool) -> Outcome:
    """One certificate to its end."""
    crowd = Crowd(made.truth, seed, proxies)
    state = State(frozen_of(made, method, seed, check=check))
    while isinstance(step := next_step(state), Ask):
        state = answered(state, step, crowd)
    if isinstance(step, Refused):
        return Outcome(False, 1.0, 1.0, crowd.answers, crowd.owner)
    assert isinstance(step, Certified)
    ranks = released(step, state)
    right = int(made.truth[ranks].sum()) + made.known_yes
    yes = int(made.truth.sum()) + made.known_yes
    size = len(ranks) + made.known_yes
    return Outcome(True, right / size, right / yes, crowd.answers, crowd.owner)


def answered(state: State, step: Ask, crowd: Crowd) -> State:
    """The state after everything that is asked is answered."""
    answers, said, checked = dict(state.answers), dict(state.said), dict(state.check.codes)
    for part in step.wanted:
        for rank in part.ranks:
            if part.purpose is Purpose.CHECK:
                checked[rank] = crowd.check(rank)
            elif part.sure:
                answers[rank] = crowd.label(rank)
            else:
                said[rank] = crowd.word(rank)
    return replace(state, answers=answers, said=said, check=replace(state.check, codes=checked))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=40, help="certificates of each kind")
    options.add_argument("--images", type=int, default=3000)
    options.add_argument("--quick", action="store_true", help="few runs, for a test")
    chosen = options.parse_args()
    runs, images = (3, 1200) if chosen.quick else (chosen.runs, chosen.images)
    print(f"{runs} certificates each on pools of {images:,}, {PREVALENCE:.0%} yes; precision and recall as promised\n")
    print("| method | proxies | owner's check | certified | precision false | recall false | answers | the owner's |")
    print("|---|---|---|---|---|---|---|---|")
    ratios: dict[str, float] = {}
    begun = time.perf_counter()
    for method in METHODS:
        for proxies in SHARES:
            for check in (False, True):
                found = [run(pool(seed, images), method, seed, proxies, check=check) for seed in range(runs)]
                print(row(method, proxies, found, check=check), flush=True)
                name = f"{method}_{proxies:.0%}".replace("%", "") + ("_checked" if check else "")
                ratios[f"false_{name}"] = sum(one.false for one in found) / runs
                ratios[f"false_precision_{name}"] = sum(one.breaks(recall=False) for one in found) / runs
                if check and not proxies:
                    ratios[f"owners_answers_{method}"] = float(np.median([one.owner for one in found]))
    print(f"\n{time.perf_counter() - begun:.0f} s")
    for name, value in ratios.items():
        print(f"RATIO {name} {value:.3g}")


def row(method: str, proxies: float, found: list[Outcome], *, check: bool) -> str:
    """A row of the table; answers are medians."""
    certified = sum(one.certified for one in found)
    precision, recall = (sum(one.breaks(recall=what) for one in found) for what in (False, True))
    answers, owner = (int(np.median([getattr(one, what) for one in found])) for what in ("answers", "owner"))
    return (
        f"| {method} | {proxies:.0%} | {'yes' if check else 'no'} | {certified}/{len(found)} | {precision} | {recall} "
        f"| {answers:,} | {owner:,} |"
    )


if __name__ == "__main__":
    main()
