"""The gate: checks a sent assignment against its gold and accepts or rejects it, with a reason that the worker reads.

The two answers are judged separately: with plain accuracy, a worker who always says "no" would pass where gold is
unbalanced. (Requiring 16 of 20 right of both accepts 99.5 % of people who are right on 95 of 100, and 0.003 % of coin
flippers.) A rejection harms a person, so it needs enough gold. If too many assignments are rejected, the gold is
probably wrong: then the gate is paused and rejects only work that is no better than guessing. (Otherwise a few people
who guess on purpose would turn the check off for everyone.)
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thresher.label.gold import retire_missed, take_owners_answers
from thresher.label.pace import pace
from thresher.label.standing import wait_if_rejected
from thresher.records import Assignment, Gold, Review, Says, Stage
from thresher.settings import Settings
from thresher.store.contract import Store, Tally

SHOWN_LEAST = 10  # gold of an answer, this assignment's or else with the worker's record, before it may reject
BREAKER_LEAST = 20  # reviews before the share of rejections means anything
BREAKER_SHARE = 0.05
GOOD = 0.85  # if a worker, shown enough gold, has this share of it right, their answers count as evidence against gold

# Youden's J (1950), sensitivity + specificity - 1, is 0 for every way of guessing: a coin, or always the same answer.
# On 20 and 20 gold a coin is within this of 0 in 91 of 100 assignments; people who look are not, even if some gold is
# wrong, and people whose gold is turned around are as far below.
GUESSED_BELOW = 0.3

Record = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Rule:
    """The verdict and weight of an assignment that has at least this share of the gold of each answer right."""

    least: float
    verdict: Stage
    weight: float


def rules(settings: Settings) -> tuple[Rule, ...]:
    """The rules in order; the first that holds decides. A milder verdict would be one more row (Stage.WEIGHTED)."""
    return (Rule(settings.gold_pass, Stage.ACCEPTED, 1.0), Rule(0.0, Stage.REJECTED, 0.0))


# weight of an assignment that was not rejected only because the gate is paused: paid, but hardly counted
PAUSED_WEIGHT = 0.25


def judge(
    assignment: Assignment,
    gold: Sequence[Gold],
    record: Record,
    *,
    settings: Settings,
    now_ms: int,
    paused: bool = False,
) -> Review:
    """The review of a sent assignment by the gold in use that it shows.

    `record` is the worker's earlier gold (yes right, yes shown, no right, no shown); it is added for an answer that
    this assignment shows too few gold images of. The review is provisional, and accepts, while the category has less
    than `settings.gold_least` gold of either answer, or the worker was shown too little. `paused` rejects only guesses.
    """
    here = score(assignment, {piece.row: piece.says for piece in gold})
    judged = _with_record(here, record)
    known_yes = sum(piece.says is Says.YES for piece in gold)
    little = min(known_yes, len(gold) - known_yes) < settings.gold_least or min(judged[1], judged[3]) < SHOWN_LEAST
    rule = next(rule for rule in rules(settings) if _holds(rule, judged))
    kind, verdict, weight = rule.verdict.value, rule.verdict, rule.weight
    if little:
        kind, verdict, weight = "accepted", Stage.ACCEPTED, 1.0
    elif verdict is Stage.REJECTED and all(here[1::2]) and here[::2] == here[1::2]:
        # earlier mistakes were judged earlier: work without a mistake is never rejected
        kind, verdict, weight = "accepted", Stage.WEIGHTED, PAUSED_WEIGHT
    elif paused and rule.verdict is Stage.REJECTED and not guessed(judged):
        kind, verdict, weight = "paused", Stage.WEIGHTED, PAUSED_WEIGHT
    why = _words(kind, assignment, here, settings.gold_pass)
    return Review(verdict, why, now_ms, *here, weight=weight, provisional=little)


def score(assignment: Assignment, gold: Mapping[int, Says]) -> Record:
    """Yes right, yes shown, no right, no shown. "Unsure" counts as shown and not right; retired gold is left out."""
    right, shown = {Says.YES: 0, Says.NO: 0}, {Says.YES: 0, Says.NO: 0}
    for given in assignment.answers:
        place = assignment.dealt[given.position]
        truth = gold.get(place.row) if place.ask is None else None
        if truth is not None:
            shown[truth] += 1
            right[truth] += given.says is truth
    return right[Says.YES], shown[Says.YES], right[Says.NO], shown[Says.NO]


def guessed(judged: Record) -> bool:
    """Whether the answers agree with the gold neither more nor less than guesses do."""
    yes_right, yes_shown, no_right, no_shown = judged
    return abs(yes_right / max(yes_shown, 1) + no_right / max(no_shown, 1) - 1) < GUESSED_BELOW


def needed(share: float, shown: int) -> int:
    """How many of `shown` gold must be right."""
    return math.ceil(share * shown - 1e-9)


def _with_record(here: Record, record: Record) -> Record:
    yes, no = (here[:2], here[2:])
    if yes[1] < SHOWN_LEAST:
        yes = (yes[0] + record[0], yes[1] + record[1])
    if no[1] < SHOWN_LEAST:
        no = (no[0] + record[2], no[1] + record[3])
    return (*yes, *no)


def _holds(rule: Rule, judged: Record) -> bool:
    yes_right, yes_shown, no_right, no_shown = judged
    return yes_right >= needed(rule.least, yes_shown) and no_right >= needed(rule.least, no_shown)


SENTENCES = {
    "accepted": "Accepted, thank you.{counts}{pace}",
    "weighted": "Accepted and paid, thank you.{counts} That is less than hoped for, so these answers count less.{pace}",
    "paused": "Accepted and paid, thank you.{counts} We are checking whether our own answers are right.{pace}",
    "rejected": "Not accepted.{counts} At least {share:.0%} of each are needed. If you think that this is wrong, "
    "please write to the person who gave you the link.{pace}",
}
COUNTS = (
    " Among the pictures were some whose answer we know: you had {0} of {1} right where it is yes, "
    "and {2} of {3} where it is no."
)


def _words(kind: str, assignment: Assignment, here: Record, share: float) -> str:
    counts = COUNTS.format(*here) if here[1] + here[3] else ""
    flags = "".join(f" {flag}" for flag in pace(assignment.answers).flags)
    return SENTENCES[kind].format(counts=counts, share=share, pace=flags)


# --- with a store -----------------------------------------------------------------------------------------------------


def review_all(category: str, *, store: Store, settings: Settings, now_ms: int) -> list[Review]:
    """Review what was sent and not reviewed, the oldest first; the reviews in that order.

    The owner's answers become labels and gold. It is safe to call at any time: a review is recorded only once.
    """
    found = []
    owners = {worker.id for worker in store.people.all() if worker.owner}
    for assignment in store.work.unreviewed(category):
        if assignment.worker in owners:
            found.append(_review_owner(assignment, store=store, now_ms=now_ms))
        else:
            found.append(_review_worker(assignment, store=store, settings=settings, now_ms=now_ms))
    return found


def _review_owner(assignment: Assignment, *, store: Store, now_ms: int) -> Review:
    # labels first, the review last: killed between, the next call finds the assignment unreviewed and does it again
    take_owners_answers(assignment, store=store, now_ms=now_ms)
    review = Review(Stage.ACCEPTED, "These are your own answers: they are taken as true.", now_ms)
    return store.work.review(assignment.id, review).review or review


def _review_worker(assignment: Assignment, *, store: Store, settings: Settings, now_ms: int) -> Review:
    category, version = assignment.category, assignment.version
    gold = store.labels.gold(category, version)
    record = store.labels.gold_record(category, version, assignment.worker)
    paused = breaks(store.categories.tally(category))
    review = judge(assignment, gold, record, settings=settings, now_ms=now_ms, paused=paused)
    recorded = store.work.review(assignment.id, review).review or review
    if recorded.verdict is Stage.REJECTED:
        worker = store.people.get(assignment.worker)
        wait_if_rejected(worker, store=store, settings=settings, now_ms=now_ms)
    # another process may have been quicker, and has counted this worker's answers on gold then
    if recorded == review and _speaks_against_gold(assignment, store):
        retire_missed(assignment, review, gold, store=store)
    return recorded


def breaks(tally: Tally) -> bool:
    """Whether so many assignments were rejected that the gold is probably wrong, so only guesses are still rejected."""
    rejected = tally.assignments.get(Stage.REJECTED.value, 0)
    reviewed = rejected + sum(tally.assignments.get(stage.value, 0) for stage in (Stage.ACCEPTED, Stage.WEIGHTED))
    return reviewed >= BREAKER_LEAST and rejected > BREAKER_SHARE * reviewed


def _speaks_against_gold(assignment: Assignment, store: Store) -> bool:
    """Whether the worker's record is good enough for their answers to count as evidence against gold."""
    return known_to_be_good(store.labels.gold_record(assignment.category, assignment.version, assignment.worker))


def known_to_be_good(record: Record) -> bool:
    """Whether the worker was shown enough gold and had enough of it right."""
    yes_right, yes_shown, no_right, no_shown = record
    enough = min(yes_shown, no_shown) >= SHOWN_LEAST
    return enough and yes_right >= GOOD * yes_shown and no_right >= GOOD * no_shown
