"""The price of an adjudicated image in answers, estimated from how people have answered here so far.

Before there are answers, people are assumed to be right 93 times in a hundred and every task to be full. A crowd that
errs more often needs more votes to a clear lead, and tasks that are not full carry as much gold as full ones; a budget
divided without regard to either would be exceeded twofold.
"""

from math import sqrt

from thresher.label.adjudicate import LEAD
from thresher.label.independent import votes_of_people
from thresher.loop.ways import way_of
from thresher.records import Category, Says, Vote
from thresher.settings import Settings
from thresher.store.contract import Store

ASSUMED_RIGHT = 0.93
PAIRS = 30  # the assumption weighs as much as this many pairs of votes
LEAST_RIGHT = 0.6  # crowds below it hardly ever reach a lead; the gate and the owner handle those
ENOUGH_VOTES = 100


def answers_each(category: Category, *, store: Store, settings: Settings) -> float:
    """Answers that an image of an audit takes: votes to a lead, each with its share of gold and of rejected work.

    One, if the owner's answers are the ground truth, or only the owner has joined. With `adjudicated` about half of the
    images need only a few votes.
    """
    come = store.people.all()
    if category.targets.truth == "owner" or (come and all(worker.owner for worker in come)):
        return 1.0
    owners = {worker.id for worker in come if worker.owner}
    every = [
        vote
        for version in range(1, category.question.version + 1)
        for vote in votes_of_people(category.name, version, store=store)
        if vote.worker not in owners
    ]
    votes = votes_each([vote for vote in every if not vote.epoch])
    if way_of(category.targets.method).words:
        votes = 0.5 * votes + 0.5 * min(settings.votes, LEAD)
    return votes * waste(category, len(every), store=store, settings=settings)


def votes_each(votes: list[Vote]) -> float:
    """Votes on an image until one answer leads by three, estimated from how often the first two votes agreed.

    People of accuracy a agree with probability a^2 + (1-a)^2; until a lead of n it takes n (2P-1) / (2a-1) votes, where
    P = 1 / (1 + ((1-a)/a)^n) is the probability that the right answer leads first (the gambler's ruin). An "unsure"
    counts for neither answer.
    """
    first: dict[int, list[Says]] = {}
    for vote in votes:
        first.setdefault(vote.row, []).append(vote.says)
    pairs = [said[:2] for said in first.values() if len(said) > 1]
    sure = [pair for pair in pairs if Says.UNSURE not in pair]
    assumed = PAIRS * (ASSUMED_RIGHT**2 + (1 - ASSUMED_RIGHT) ** 2)
    agreed = (sum(one is other for one, other in sure) + assumed) / (len(sure) + PAIRS)
    right = max((1 + sqrt(max(2 * agreed - 1, 0.0))) / 2, LEAST_RIGHT)
    leads_first = 1 / (1 + ((1 - right) / right) ** LEAD)
    unsure = sum(vote.says is Says.UNSURE for vote in votes) / (len(votes) + PAIRS)
    return LEAD * (2 * leads_first - 1) / (2 * right - 1) / (1 - unsure)


def waste(category: Category, votes: int, *, store: Store, settings: Settings) -> float:
    """All answers of people per vote that counts (`votes` of them), over all versions and freezes, as the tally counts.

    Includes gold and rejected work as measured here, or the gold of full tasks while there are few votes.
    """
    full = 1.0 + settings.gold_images / settings.task_images
    if votes < ENOUGH_VOTES:
        return full
    tally = store.categories.tally(category.name)
    return max(full, (tally.answers + tally.gold_answers) / votes)
