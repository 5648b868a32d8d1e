"""Models of annotators: how often they are right, how long they take, when they leave. Seeded.

The numbers are fixed, so that no benchmark can choose its own. Those of the careful worker come from the votes of
CIFAR-10H and CIFAR-10N, Geirhos' trials and SDOGS-10H; (assumed) marks numbers without a measurement. Every result
should also be reported with `times` and `errors` at 0.5 and 2.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from thresher.errors import NotFound
from thresher.records import Says

CHANGE_SECONDS = 1.0
READING_SECONDS = 25.0  # the explanation, once a task
SENDING_SECONDS = 3.0
CHANGE_SHARE = 0.03  # answers that are changed once (assumed)
# Half of the error probability comes from the picture. Its difficulty is a gamma variable of mean 1 (assumed): most
# pictures are easy and a few are hard for everybody, which makes wrong agreement twice as common as chance would.
DIFFICULTY_SHAPE = 0.25
WRONG_MOST = 0.95


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of annotator: sensitivity, specificity and median seconds per image, at the start and end of a task."""

    name: str
    share: float
    sensitivity: tuple[float, float]
    specificity: tuple[float, float]
    seconds: tuple[float, float]
    sigma: float
    looks: bool = True  # whether hard pictures are hard for them; the others do not look at all
    quits: bool = False
    copies: bool = False  # hands in what one model says, as all others of this kind do


KINDS: tuple[Kind, ...] = (
    Kind("careful", 0.70, (0.95, 0.95), (0.97, 0.97), (0.95, 0.95), 0.35),
    Kind("tiring", 0.15, (0.95, 0.85), (0.97, 0.90), (0.95, 0.70), 0.35),
    Kind("hasty", 0.06, (0.80, 0.80), (0.85, 0.85), (0.40, 0.40), 0.30),
    Kind("always no", 0.03, (0.0, 0.0), (1.0, 1.0), (0.35, 0.35), 0.20, looks=False),
    Kind("always yes", 0.02, (1.0, 1.0), (0.0, 0.0), (0.35, 0.35), 0.20, looks=False),
    Kind("coin", 0.02, (0.5, 0.5), (0.5, 0.5), (0.50, 0.50), 0.40, looks=False),
    Kind("proxy", 0.0, (0.90, 0.90), (0.95, 0.95), (1.2, 1.2), 0.25, looks=False, copies=True),  # rates assumed
    Kind("quits", 0.02, (0.95, 0.95), (0.97, 0.97), (0.95, 0.95), 0.35, quits=True),
)
CAREFUL = KINDS[0]
_NOT_COPYING = sum(kind.share for kind in KINDS if not kind.copies)


@dataclass(frozen=True, slots=True)
class Look:
    """One answer: the first and the final key, each with its seconds."""

    first: Says
    says: Says
    first_seconds: float
    seconds: float
    changes: int


class Person(Protocol):
    """A simulated annotator."""

    kind: Kind

    def answer(self, names: Sequence[str]) -> list[Look]:
        """Answer the images of an assignment, in order. Raises NotFound for an unknown one."""

    def leaves_after(self, count: int) -> int | None:
        """After how many of `count` images this person closes the page for good, or None."""


class Crowd(Protocol):
    """A set of simulated people, and an owner who knows the truth."""

    def people(self, count: int) -> list[Person]:
        """`count` people."""

    def owner(self) -> Person:
        """A person who is always right."""


def with_proxies(share: float) -> tuple[Kind, ...]:
    """The kinds if this share of the people are proxies; the others keep their proportions."""
    return tuple(
        replace(kind, share=share if kind.copies else (1.0 - share) * kind.share / _NOT_COPYING) for kind in KINDS
    )


def shares(count: int, kinds: Sequence[Kind] = KINDS) -> list[Kind]:
    """The kinds of `count` people by their shares, by largest remainders (Hamilton's method), without randomness."""
    exact = [kind.share * count for kind in kinds]
    seats = [math.floor(share + 1e-9) for share in exact]
    by_remainder = sorted(range(len(kinds)), key=lambda place: (seats[place] - exact[place], place))
    for place in by_remainder[: count - sum(seats)]:
        seats[place] += 1
    return [kind for kind, number in zip(kinds, seats, strict=True) for _ in range(number)]


@dataclass(frozen=True)
class ModelCrowd:
    """People of the fixed kinds, over a known truth; of these, the share `proxies` copies the answers of one model."""

    truth: Mapping[str, bool]
    seed: int
    times: float = 1.0
    errors: float = 1.0
    proxies: float = 0.0
    _difficulty: dict[str, float] = field(default_factory=dict, repr=False)

    def people(self, count: int) -> list[Person]:
        """The kinds by their shares, in a random order from the seed."""
        kinds = shares(count, with_proxies(self.proxies))
        order = np.random.default_rng([self.seed, 0]).permutation(count)
        return [
            ModelPerson(kinds[place], self, np.random.default_rng([self.seed, 1, number]))
            for number, place in enumerate(order.tolist())
        ]

    def owner(self) -> Person:
        """A person who is always right, at a careful worker's pace."""
        perfect = Kind("owner", 0.0, (1.0, 1.0), (1.0, 1.0), CAREFUL.seconds, CAREFUL.sigma)
        return ModelPerson(perfect, self, np.random.default_rng([self.seed, 2]))

    def difficulty(self, name: str) -> float:
        """How hard an image is for everyone who looks; 1 on average."""
        if name not in self._difficulty:
            digest = hashlib.sha256(f"{self.seed}:{name}".encode()).digest()
            chance = np.random.default_rng(int.from_bytes(digest[:8], "big"))
            self._difficulty[name] = float(chance.gamma(DIFFICULTY_SHAPE, 1.0 / DIFFICULTY_SHAPE))
        return self._difficulty[name]

    def copied(self, name: str, wrong: float) -> bool:
        """Whether the model that proxies copy is wrong about an image: always or never, for all of them."""
        digest = hashlib.sha256(f"{self.seed}:model:{name}".encode()).digest()
        return int.from_bytes(digest[:8], "big") < wrong * 2.0**64


class ModelPerson:
    """One person of a kind, with a random generator of their own."""

    def __init__(self, kind: Kind, crowd: ModelCrowd, chance: np.random.Generator) -> None:
        self.kind, self._crowd, self._chance = kind, crowd, chance

    def answer(self, names: Sequence[str]) -> list[Look]:
        """Answer in order; accuracy and speed change from the first image to the last."""
        return [
            self._look(_of(self._crowd.truth, name), name, place / max(len(names) - 1, 1))
            for place, name in enumerate(names)
        ]

    def leaves_after(self, count: int) -> int | None:
        """A uniformly random position for a person who quits."""
        return int(self._chance.integers(0, count)) if self.kind.quits else None

    def _look(self, yes: bool, name: str, tired: float) -> Look:
        start, end = self.kind.sensitivity if yes else self.kind.specificity
        wrong = 1.0 - (start + (end - start) * tired)
        if self.kind.looks:
            wrong = min(WRONG_MOST, self._crowd.errors * wrong * (0.5 + 0.5 * self._crowd.difficulty(name)))
        if self.kind.copies:
            errs = self._crowd.copied(name, min(WRONG_MOST, self._crowd.errors * wrong))
        else:
            errs = self._chance.random() < wrong
        says = yes != errs
        return timed(says, self.kind, tired, self._crowd.times, self._chance)


def timed(yes: bool, kind: Kind, tired: float, times: float, chance: np.random.Generator) -> Look:
    """An answer with its times: log-normal around the kind's median, sometimes with a change of mind."""
    median = (kind.seconds[0] + (kind.seconds[1] - kind.seconds[0]) * tired) * times
    first_seconds = median * math.exp(kind.sigma * float(chance.standard_normal()))
    changed = kind.looks and chance.random() < CHANGE_SHARE
    return Look(
        first=_says(yes != changed),
        says=_says(yes),
        first_seconds=first_seconds,
        seconds=first_seconds + CHANGE_SECONDS * changed,
        changes=int(changed),
    )


@dataclass(frozen=True)
class ReplayedCrowd:
    """Real votes instead of a model: an image gets its n-th vote the n-th time, and after the last one the truth.

    The real voters are not known, so all people who hand in their votes are alike; the owner adjudicates with the
    truth.
    """

    truth: Mapping[str, bool]
    votes: Mapping[str, Sequence[bool]]
    seed: int
    times: float = 1.0
    _asked: Counter[str] = field(default_factory=Counter, repr=False)

    def people(self, count: int) -> list[Person]:
        """People who all take the next recorded votes."""
        return [ReplayedPerson(self, np.random.default_rng([self.seed, 1, number])) for number in range(count)]

    def owner(self) -> Person:
        """A person who answers with the truth."""
        return ModelCrowd(self.truth, self.seed, self.times).owner()

    def next_vote(self, name: str) -> bool:
        """The next vote on an image."""
        truth, votes = _of(self.truth, name), self.votes.get(name, ())
        self._asked[name] += 1
        turn = self._asked[name]
        return votes[turn - 1] if turn <= len(votes) else truth


class ReplayedPerson:
    """A person who hands in real votes at a careful worker's pace."""

    kind = Kind("replayed", 1.0, CAREFUL.sensitivity, CAREFUL.specificity, CAREFUL.seconds, CAREFUL.sigma)

    def __init__(self, crowd: ReplayedCrowd, chance: np.random.Generator) -> None:
        self._crowd, self._chance = crowd, chance

    def answer(self, names: Sequence[str]) -> list[Look]:
        """The next vote on each image."""
        return [timed(self._crowd.next_vote(name), self.kind, 0.0, self._crowd.times, self._chance) for name in names]

    def leaves_after(self, count: int) -> int | None:  # noqa: ARG002 -- no vote says when its caster left
        """Never: every vote is handed in."""
        return None


def _of(truth: Mapping[str, bool], name: str) -> bool:
    if name not in truth:
        raise NotFound(f"the truth of {name!r} is not known.", next="name every image of the pool in the truth file")
    return truth[name]


def _says(yes: bool) -> Says:
    return Says.YES if yes else Says.NO
