"""Claim: who knows a friend's tasks and their own earlier ones, and guesses the rest, passes as rarely as a guesser.

A crowd answers a pool through the real deal, gate and settling, in a store. One of them has done honest tasks before,
as their friend has. In the next task they answer truly whatever they have seen in their own tasks or in their friend's,
and throw a coin for everything else; or they do so for what recurs and say "no" to the rest. The others then finish the
pool, and the verdict at the end counts. Beside it: somebody who throws a coin for every picture, and somebody honest.

    python bench/collusion.py --trials 200
    PYTHONPATH=OTHER/src python bench/collusion.py        # an earlier version
"""

import argparse
import hashlib
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thresher.label.asks import fill_tasks, wish
from thresher.label.deal import deal
from thresher.label.gate import review_all
from thresher.records import (
    Assignment,
    Category,
    Given,
    Gold,
    NewImage,
    Origin,
    Purpose,
    Question,
    Says,
    Source,
    Worker,
)
from thresher.records import Stage as Verdict
from thresher.settings import Settings, read_settings
from thresher.store import open_store
from thresher.store.contract import Store

try:
    from thresher.label.again import judge_again
except ImportError:  # earlier versions judge once
    judge_again = None  # type: ignore[assignment]  # as said

NAME = "car"
SENSITIVITY, SPECIFICITY = 0.95, 0.97  # of the careful, who are most of the pinned crowd

Answers = Callable[[int], Says]


@dataclass(frozen=True)
class Setting:
    """One line of the table."""

    images: int
    gold_of_each: int
    people: int
    own: int
    friends: int
    yes: float = 0.3


@dataclass
class Trial:
    """One pool and one crowd."""

    setting: Setting
    store: Store
    settings: Settings
    rng: np.random.Generator
    now_ms: int = 1_000_000

    def begin(self) -> None:
        """Fill the pool, make gold, and ask about everything that is no gold, twice."""
        one = self.setting
        count = one.images + 2 * one.gold_of_each
        self.truth = self.rng.random(count) < one.yes
        self.truth[one.images :] = np.arange(2 * one.gold_of_each) % 2 == 0
        names = [f"picture {number}".encode() for number in range(count)]
        pictures = [NewImage(hashlib.sha256(name).hexdigest(), name, 8, 8, "JPEG", bytes=len(name)) for name in names]
        rows = self.store.images.put(pictures)
        self.store.categories.create(Category(NAME, Question(1, "Is there a car?")))
        self.store.categories.pool_add(NAME, rows, Origin("bench"))
        gold = [Gold(row, self.says(row), 1, Source.OWNER) for row in rows[one.images :]]
        self.store.labels.gild(NAME, gold)
        asked = [(row, 0.0) for row in self.rng.permutation(one.images).tolist()]
        wish(NAME, asked, Purpose.LEARN, store=self.store, settings=self.settings)
        fill_tasks(NAME, store=self.store, settings=self.settings, now_ms=self.tick())
        self.people = {name: Worker(name, name, False, "", 1) for name in self.names()}
        for worker in self.people.values():
            self.store.people.add(worker)

    def names(self) -> list[str]:
        return ["me", "friend", *(f"other {number}" for number in range(self.setting.people - 2))]

    def tick(self) -> int:
        self.now_ms += 1000
        return self.now_ms

    def says(self, row: int, yes: bool | None = None) -> Says:
        return Says.YES if (self.truth[row] if yes is None else yes) else Says.NO

    def honest(self, row: int) -> Says:
        right = self.rng.random() < (SENSITIVITY if self.truth[row] else SPECIFICITY)
        return self.says(row, bool(self.truth[row]) == right)

    def coin(self, row: int) -> Says:
        return self.says(row, self.rng.random() < 0.5)

    def no(self, row: int) -> Says:
        return self.says(row, False)

    def take(self, name: str) -> Assignment | None:
        about = {"store": self.store, "settings": self.settings}
        return deal(NAME, self.people[name], now_ms=self.tick(), **about)  # type: ignore[arg-type]  # two types

    def send(self, assignment: Assignment, answer: Answers) -> None:
        given = [Given(at, answer(place.row), 1.0, 1.0) for at, place in enumerate(assignment.dealt)]
        self.store.work.send(assignment.id, given, self.tick())
        review_all(NAME, store=self.store, settings=self.settings, now_ms=self.tick())

    def work(self, name: str, tasks: int) -> set[int]:
        """Some honest tasks; returns what was shown."""
        shown: set[int] = set()
        for _ in range(tasks):
            if (assignment := self.take(name)) is not None:
                self.send(assignment, self.honest)
                shown |= {place.row for place in assignment.dealt}
        return shown

    def finish(self) -> None:
        """Let the others answer what is left, and judge again."""
        others = [name for name in self.people if name != "me"]
        while sum(len(self.work(name, 1)) for name in others):
            pass
        if judge_again is not None:
            judge_again(NAME, store=self.store, settings=self.settings, now_ms=self.tick())


def attack(trial: Trial, manner: str) -> bool | None:
    """Whether the task of the one who answers in this manner is accepted at the end; None if there is none for them."""
    trial.begin()
    one = trial.setting
    # in turn, as a crowd comes: neither is first with everything
    known: set[int] = set()
    for at in range(max(one.own, one.friends)):
        known |= trial.work("me", 1) if at < one.own else set()
        known |= trial.work("friend", 1) if at < one.friends else set()
        for name in trial.names()[2 : 2 + at + 1]:
            trial.work(name, 1)
    assignment = trial.take("me")
    if assignment is None:
        return None

    def seen_or(otherwise: Answers) -> Answers:
        return lambda row: trial.says(row) if row in known else otherwise(row)

    manners = {"guesser": trial.coin, "honest": trial.honest, "knows": seen_or(trial.coin), "no": seen_or(trial.no)}
    trial.send(assignment, manners[manner])
    trial.finish()
    return trial.store.work.get(assignment.id).stage is Verdict.ACCEPTED


def share(setting: Setting, manner: str, trials: int, seed: int = 1) -> tuple[float, int]:
    """The share accepted, and of how many."""
    found: list[bool] = []
    for number in range(trials):
        with tempfile.TemporaryDirectory() as folder:
            settings = read_settings(Path(folder), {})
            store = open_store(folder, settings, create=True)
            trial = Trial(setting, store, settings, np.random.default_rng([seed, number]))
            accepted = attack(trial, manner)
            store.close()
        if accepted is not None:
            found.append(accepted)
    return sum(found) / max(len(found), 1), len(found)


SETTINGS = (
    Setting(660, 60, 12, 1, 2),
    Setting(660, 24, 12, 2, 2),
    Setting(660, 60, 12, 2, 2),
    Setting(1320, 60, 12, 2, 4),
    Setting(990, 60, 6, 2, 2),
    Setting(440, 60, 12, 1, 1),
    Setting(660, 60, 12, 2, 2, yes=0.1),
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--trials", type=int, default=40)
    options.add_argument("--quick", action="store_true", help="the first settings only")
    given = options.parse_args()
    print(
        "| pictures | yes | gold of each | people | own tasks | friend's | knows, coin | knows, no | guesser | honest |"
    )
    print("|---" * 10 + "|")
    worst, fair, excess = -math.inf, math.inf, []
    started = time.monotonic()
    for one in SETTINGS[:2] if given.quick else SETTINGS:
        few = max(given.trials // 2, 1)
        (knows, of), (no, _) = share(one, "knows", given.trials), share(one, "no", given.trials)
        (guesser, _), (honest, _) = share(one, "guesser", few), share(one, "honest", few)
        cells = (one.images, f"{one.yes:.0%}", one.gold_of_each, one.people, one.own, one.friends)
        line = f" | {knows:.1%} of {of} | {no:.1%} | {guesser:.1%} | {honest:.1%} |"
        print("| " + " | ".join(map(str, cells)) + line, flush=True)
        excess += [knows - guesser, no - guesser]
        worst, fair = max(worst, *excess), min(fair, honest)
    print(f"seconds: {time.monotonic() - started:.0f}")
    print(f"RATIO knows_a_friend_points_above_guesser {100 * sum(excess) / len(excess):.2f}")
    print(f"RATIO knows_a_friend_points_above_guesser_at_worst {100 * worst:.2f}")
    print(f"RATIO honest_accepted_least {fair:.4f}")


if __name__ == "__main__":
    main()
