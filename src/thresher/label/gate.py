"""The gate: checks a sent assignment against its gold and accepts or rejects it, with a reason that the worker reads.

The two answers (classes) are judged separately: with plain accuracy, a worker who always says "no" would pass where
gold is unbalanced. (Requiring 16 of 20 right of both accepts 99.5 % of people who are right on 95 of 100, and 0.003 %
of coin flippers.) A class is judged if enough of its gold was shown, and may reject if the category has enough of it
that the owner confirmed. Where little gold was shown, only work rejects that nobody sends who looks. Work that was
judged on one class alone, or failed where the gate may not reject, counts little and is provisional: not paid
automatically, and judged again when more is known (again.py). If too many assignments are rejected, the gold is
probably wrong: then the gate is paused and rejects only work that is no better than guessing. (Otherwise a few people
who guess on purpose would turn the check off for everyone.)
"""

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from thresher.label.gold import retire_missed, take_owners_answers
from thresher.label.pace import pace
from thresher.label.remembered import Memory
from thresher.label.standing import wait_if_rejected
from thresher.label.unaided import NOTHING, Record, shows_guessing, tells, unaided
from thresher.records import Assignment, Gold, Review, Says, Stage
from thresher.settings import Settings
from thresher.store.contract import Store, Tally
from thresher.store.kinds import RECHECK

SHOWN_LEAST = 10  # gold of an answer, this assignment's or else with the worker's record, before it may reject
LITTLE_SHOWN = 30  # gold of both answers; fewer may reject only who misses as many as nobody does who looks
LITTLE_REJECTS = 0.675  # or less of little gold right; of 20: 3 in 100,000 of people right on 95 of 100, 94 % of coins
BREAKER_LEAST = 20  # reviews before the share of rejections means anything
BREAKER_SHARE = 0.05
GOOD = 0.85  # if a worker, shown enough gold, has this share of it right, their answers count as evidence against gold

# Youden's J (1950), sensitivity + specificity - 1, is 0 for every way of guessing: a coin, or always the same answer.
# On 20 and 20 gold a coin is within this of 0 in 91 of 100 assignments; people who look are not, even if some gold is
# wrong, and people whose gold is turned around are as far below.
GUESSED_BELOW = 0.3


# weight of an assignment that is neither known to be good nor rejected: it hardly counts
DOUBTED_WEIGHT = 0.25


class Ruling(enum.StrEnum):
    """Why an assignment got its verdict."""

    PASSED = "passed"
    EARLIER = "earlier"  # no mistake here, many before
    FAILED = "failed"
    LITTLE = "little"  # failed on so little gold that people who look may
    PAUSED = "paused"
    ONE_CLASS = "one class"
    DOUBTED = "doubted"  # failed on gold that may not reject
    UNAIDED = "unaided"  # guessed wherever neither gold shown before nor one other person could tell the answer


VERDICTS: Final[Mapping[Ruling, tuple[Stage, float]]] = {
    Ruling.PASSED: (Stage.ACCEPTED, 1.0),
    Ruling.EARLIER: (Stage.WEIGHTED, DOUBTED_WEIGHT),
    Ruling.FAILED: (Stage.REJECTED, 0.0),
    Ruling.LITTLE: (Stage.WEIGHTED, DOUBTED_WEIGHT),
    Ruling.PAUSED: (Stage.WEIGHTED, DOUBTED_WEIGHT),
    Ruling.ONE_CLASS: (Stage.WEIGHTED, DOUBTED_WEIGHT),
    Ruling.DOUBTED: (Stage.WEIGHTED, DOUBTED_WEIGHT),
    Ruling.UNAIDED: (Stage.WEIGHTED, DOUBTED_WEIGHT),
}


PROVISIONAL: Final = frozenset({Ruling.ONE_CLASS, Ruling.DOUBTED, Ruling.UNAIDED})


@dataclass(frozen=True, slots=True)
class Class:
    """How an assignment did on one class (yes or no) of the gold: pieces right, shown, and known to the category."""

    right: int
    shown: int
    known: int

    def judged(self) -> bool:
        """Whether enough was shown to say anything."""
        return self.shown >= SHOWN_LEAST

    def may_reject(self, settings: Settings) -> bool:
        """Whether the category has gold enough of this class to reject somebody by it."""
        return self.judged() and self.known >= settings.gold_least

    def passes(self, settings: Settings) -> bool:
        """Whether enough of it is right."""
        return self.right >= needed(settings.gold_pass, self.shown)


def judge(
    assignment: Assignment,
    gold: Sequence[Gold],
    record: Record,
    *,
    settings: Settings,
    now_ms: int,
    paused: bool = False,
    compared: Record = NOTHING,
) -> Review:
    """The review of a sent assignment by the gold in use that it shows.

    Only gold that the owner confirmed counts. `record` is the worker's earlier gold (yes right, yes shown, no right, no
    shown); it is added for a class that this assignment shows too few gold images of. `paused` rejects only guesses.
    `compared` is how the answers agree with the best knowledge where nobody could have told them (unaided.py).
    """
    confirmed = {piece.row: piece.says for piece in gold if piece.confirmed}
    here = score(assignment, confirmed)
    judged = _with_record(here, record)
    known_yes = sum(says is Says.YES for says in confirmed.values())
    classes = (Class(*judged[:2], known_yes), Class(*judged[2:], len(confirmed) - known_yes))
    ruling = _ruling(classes, settings)
    # earlier mistakes were judged earlier: work without a mistake is never rejected, nor told to be less than hoped for
    if ruling in (Ruling.FAILED, Ruling.LITTLE) and all(here[1::2]) and here[::2] == here[1::2]:
        ruling = Ruling.EARLIER
    elif ruling is Ruling.FAILED and paused and not guessed(judged):
        ruling = Ruling.PAUSED
    elif ruling is Ruling.PASSED and shows_guessing(compared):
        ruling = Ruling.UNAIDED
    verdict, weight = VERDICTS[ruling]
    provisional = ruling in PROVISIONAL or (
        ruling is Ruling.PASSED and not all(c.may_reject(settings) for c in classes)
    )
    why = _words(ruling, assignment, here, settings.gold_pass)
    return Review(verdict, why, now_ms, *here, weight=weight, provisional=provisional)


def _ruling(classes: Sequence[Class], settings: Settings) -> Ruling:
    failed = [one for one in classes if one.judged() and not one.passes(settings)]
    if failed and not any(one.may_reject(settings) for one in failed):
        return Ruling.DOUBTED
    if failed:
        shown, right = sum(one.shown for one in classes), sum(one.right for one in classes)
        return Ruling.LITTLE if shown < LITTLE_SHOWN and right > LITTLE_REJECTS * shown else Ruling.FAILED
    # without any gold the gate is off, and every page says so; with gold of one class it would be fooled unnoticed
    return Ruling.ONE_CLASS if sum(one.judged() for one in classes) == 1 else Ruling.PASSED


def score(assignment: Assignment, gold: Mapping[int, Says]) -> Record:
    """Yes right, yes shown, no right, no shown. "Unsure" counts as shown and not right; retired gold is left out.

    An image that was asked about and is known by now counts like hidden gold.
    """
    right, shown = {Says.YES: 0, Says.NO: 0}, {Says.YES: 0, Says.NO: 0}
    for given in assignment.answers:
        place = assignment.dealt[given.position]
        truth = gold.get(place.row)
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


_LATER = " These answers count less for now, and are checked again before they are paid."
SENTENCES: Final[Mapping[Ruling, str]] = {
    Ruling.PASSED: "Accepted, thank you.{counts}{pace}",
    Ruling.EARLIER: "Accepted and paid, thank you.{counts} More was wrong in earlier tasks, so these answers count"
    " less.{pace}",
    Ruling.LITTLE: "Accepted and paid, thank you.{counts} That is less than hoped for, so these answers count less."
    "{pace}",
    Ruling.PAUSED: "Accepted and paid, thank you.{counts} We are checking whether our own answers are right.{pace}",
    Ruling.ONE_CLASS: "Received, thank you.{counts} We know too few answers yet to check both yes and no."
    + _LATER
    + "{pace}",
    Ruling.DOUBTED: "Received, thank you.{counts} That is less than hoped for, and we are not sure enough of our own"
    " answers." + _LATER + "{pace}",
    Ruling.UNAIDED: "Received, thank you.{counts} Where others answered too, these answers agree with theirs no more"
    " than guesses would." + _LATER + "{pace}",
    Ruling.FAILED: "Not accepted.{counts} At least {share:.0%} of each are needed. If you think that this is wrong, "
    "please write to the person who gave you the link.{pace}",
}
COUNTS = (
    " Among the pictures were some whose answer we know: you had {0} of {1} right where it is yes, "
    "and {2} of {3} where it is no."
)


def _words(ruling: Ruling, assignment: Assignment, here: Record, share: float) -> str:
    counts = COUNTS.format(*here) if here[1] + here[3] else ""
    flags = "".join(f" {flag}" for flag in pace(assignment.answers).flags)
    return SENTENCES[ruling].format(counts=counts, share=share, pace=flags)


# --- with a store -----------------------------------------------------------------------------------------------------


def review_all(
    category: str,
    *,
    store: Store,
    settings: Settings,
    now_ms: int,
    memory: Memory | None = None,  # noqa: ARG001 -- every stage that takes answers in is handed it
) -> list[Review]:
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
    compared = unaided(assignment, gold, store=store) if settings.gold_images else NOTHING
    review = judge(assignment, gold, record, settings=settings, now_ms=now_ms, paused=paused, compared=compared)
    if settings.gold_images and review.verdict is not Stage.REJECTED and (review.provisional or not tells(compared)):
        # before the review: killed between, there is a line too many, not an assignment that is never looked at again
        store.lines.add(RECHECK, [{"assignment": assignment.id, "mark": ""}], category)
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
