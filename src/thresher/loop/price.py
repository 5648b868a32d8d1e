"""The price of an image in answers, by what it is asked for, estimated from how people have answered here so far.

Before there are answers, people are assumed to be right 93 times in a hundred, tasks to be as full as the pool allows,
and 13 answers of a hundred to be rejected (as in the runs of bench/budget.py). What is measured here replaces that as
it comes in: a crowd that errs more often needs more votes to a clear lead, and tasks that are not full carry more gold;
a budget divided without regard to either would be exceeded twofold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from thresher.evidence.predict import Words
from thresher.label.adjudicate import LEAD
from thresher.label.independent import once_a_device, shared_devices, votes_of_people
from thresher.loop.ways import way_of
from thresher.records import Category, Says, Vote
from thresher.settings import Settings
from thresher.store.contract import Store

ASSUMED_RIGHT = 0.93
PAIRS = 30  # the assumption weighs as much as this many pairs of votes
LEAST_RIGHT = 0.6  # crowds below it hardly ever reach a lead; the gate and the owner handle those
FOLLOW_UPS = 3.0  # small tasks of an audit whose gold comes on top, in the runs of bench/budget.py
ASSUMED_REJECTED = 0.13  # of all answers, in the runs of bench/budget.py with the pinned crowd
ASSUMED_VOTES = 600  # that assumption, and full tasks, weigh as much as this many votes
CROWDS = 0.22  # deviation of the logarithm of the price between the crowds of bench/budget.py
TOGETHER = 2.0  # two people err together so many times as often as chance would have it (workforce/crowd.py)


@dataclass(frozen=True, slots=True)
class Prices:
    """Answers of people that an image takes, gold and rejected work included.

    `learn` is the price of a label to train on, `word` of the unadjudicated votes on an image of the middle, `sure` of
    an adjudicated label; `follow_ups` that of the small tasks in which the last votes of an audit are asked for, each
    with its gold. `votes` says how unadjudicated votes come out, and `doubt` is the deviation of the logarithm of all
    prices: it falls as this crowd becomes known.
    """

    learn: float
    word: float
    sure: float
    follow_ups: float
    votes: Words
    doubt: float


def prices(category: Category, *, store: Store, settings: Settings, votes: Sequence[Vote] | None = None) -> Prices:
    """The prices of this crowd; 1 each where the owner alone answers.

    `votes` are all those on the version in force, if the caller has read them: of many, that takes longest.
    """
    if _owner_alone(category, store=store):
        return Prices(1.0, 1.0, 1.0, 0.0, Words(), 0.0)
    every = _every_vote(category, votes, store=store)
    right, unsure = _rightness([vote for vote in every if not vote.epoch])
    factor = waste(category, len(every), store=store, settings=settings)
    words = min(settings.votes, LEAD)
    wrong = min(TOGETHER * (1.0 - right) ** words, 1.0 - right) if words > 1 else 1.0 - right
    apart = max(1.0 - right**words - wrong, 0.0) if words > 1 else 0.0
    further = max(settings.votes_most - settings.votes, 0)
    return Prices(
        learn=(settings.votes + apart * further) * factor,
        word=words * factor,
        sure=_to_a_lead(right, unsure) * factor,
        follow_ups=FOLLOW_UPS * settings.gold_images,
        votes=Words(wrong, apart),
        doubt=CROWDS * sqrt(ASSUMED_VOTES / (len(every) + ASSUMED_VOTES)),
    )


def answers_each(category: Category, *, store: Store, settings: Settings) -> float:
    """Answers that an image of an audit takes: votes to a lead, each with its share of gold and of rejected work.

    One, if the owner's answers are the ground truth, or only the owner has joined. With `adjudicated` about half of the
    images need only a few votes.
    """
    return each_of(category, prices(category, store=store, settings=settings))


def each_of(category: Category, price: Prices) -> float:
    """The same at prices that are known already: they take as long as reading all votes."""
    return 0.5 * (price.sure + price.word) if way_of(category.targets.method).words else price.sure


def _owner_alone(category: Category, *, store: Store) -> bool:
    come = store.people.all()
    return category.targets.truth == "owner" or bool(come and all(worker.owner for worker in come))


def _every_vote(category: Category, now: Sequence[Vote] | None, *, store: Store) -> list[Vote]:
    """The votes of people on every version of the question, those `now` in force perhaps read; without the owner's."""
    owners = {worker.id for worker in store.people.all() if worker.owner}
    name, version = category.name, category.question.version
    found = [votes_of_people(name, earlier, store=store) for earlier in range(1, version)]
    read = store.labels.votes(name, version) if now is None else now
    found.append(once_a_device(read, shared_devices(store=store)))
    return [vote for votes in found for vote in votes if vote.worker not in owners]


def votes_each(votes: list[Vote]) -> float:
    """Votes on an image until one answer leads by three, estimated from how often the first two votes agreed.

    People of accuracy a agree with probability a^2 + (1-a)^2; until a lead of n it takes n (2P-1) / (2a-1) votes, where
    P = 1 / (1 + ((1-a)/a)^n) is the probability that the right answer leads first (the gambler's ruin). An "unsure"
    counts for neither answer.
    """
    return _to_a_lead(*_rightness(votes))


def _rightness(votes: list[Vote]) -> tuple[float, float]:
    """How often people are right, from the agreement of first two votes; and how often they answer "unsure"."""
    first: dict[int, list[Says]] = {}
    for vote in votes:
        first.setdefault(vote.row, []).append(vote.says)
    pairs = [said[:2] for said in first.values() if len(said) > 1]
    sure = [pair for pair in pairs if Says.UNSURE not in pair]
    assumed = PAIRS * (ASSUMED_RIGHT**2 + (1 - ASSUMED_RIGHT) ** 2)
    agreed = (sum(one is other for one, other in sure) + assumed) / (len(sure) + PAIRS)
    right = max((1 + sqrt(max(2 * agreed - 1, 0.0))) / 2, LEAST_RIGHT)
    unsure = sum(vote.says is Says.UNSURE for vote in votes) / (len(votes) + PAIRS)
    return right, unsure


def _to_a_lead(right: float, unsure: float) -> float:
    """Votes on an image until one answer leads, of people who are right and unsure so often."""
    leads_first = 1 / (1 + ((1 - right) / right) ** LEAD)
    return LEAD * (2 * leads_first - 1) / (2 * right - 1) / (1 - unsure)


def waste(category: Category, votes: int, *, store: Store, settings: Settings) -> float:
    """All answers of people per vote that counts (`votes` of them), over all versions and freezes, as the tally counts.

    Includes gold and rejected work: those measured here, weighed with the assumed ones while there are few votes.
    """
    tally = store.categories.tally(category.name)
    if not settings.gold_images:
        return max(1.0, tally.answers / votes) if votes else 1.0
    assumed = _assumed_waste(tally.images, settings)
    return (tally.answers + tally.gold_answers + assumed * ASSUMED_VOTES) / (votes + ASSUMED_VOTES)


def _assumed_waste(images: int, settings: Settings) -> float:
    """The waste before people have answered, with tasks as full as so many images make them (asks.py)."""
    full = settings.task_images
    largest = images if images < full else images / 2 if images < 2 * full else full
    return (1.0 + settings.gold_images / max(largest, 1)) / (1.0 - ASSUMED_REJECTED)
