"""What an assignment's answers are worth where neither memory nor a friend could have told them.

Gold recurs, so whoever compares their tasks with a friend's, or remembers their own, can answer what recurs and guess
the rest. Nobody is judged less by that: the pictures that were asked of others too, in tasks composed differently, are
far more than the gold. Here the answers are compared with gold that is new to the worker and with the votes of others,
each time leaving out everything that one other person was shown. It rejects nobody: the votes of others are no truth.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from thresher.records import Assignment, Gold, Says, Vote
from thresher.store.contract import Store

Record = tuple[int, int, int, int]
"""Yes right, yes shown, no right, no shown."""
NOTHING: Final[Record] = (0, 0, 0, 0)

# Youden's J (1950), sensitivity + specificity - 1, is 0 for every way of guessing. Guesses stay below so many of its
# standard deviations in 986 of 1,000 assignments. Two people who are right on 95 and 97 of 100 have a J of 0.84, on 90
# of 100 one of 0.64; with 15 images of each class the limit is 0.40 or less, with 25 and 60 it is 0.26 or less.
GUESSES_BELOW_DEVIATIONS = 2.2
LEAST_EACH, LEAST = 6, 30  # images of each class, and in all, before this can be told

CLOSEST = 3  # people who were shown most of the same pictures: whoever is a friend is likely to be among them


def unaided(assignment: Assignment, gold: Sequence[Gold], *, store: Store) -> Record:
    """The answers compared with what is known best: yes right, yes shown, no right, no shown.

    Of the ways to leave out one of the closest people, the one with the least agreement; zeros if too little is left.
    """
    category, version, worker = assignment.category, assignment.version, assignment.worker
    answered = {assignment.dealt[given.position].row: given.says for given in assignment.answers}
    asked = [place.row for place in assignment.dealt if place.ask is not None]
    known = {piece.row: piece.says for piece in gold if piece.row in answered}
    votes = [vote for vote in store.labels.votes(category, version, asked) if vote.worker != worker] if asked else []
    shown: dict[str, set[int]] = defaultdict(set)
    for vote in votes:
        shown[vote.worker].add(vote.row)
    for row, other, _ in store.labels.gold_answers(category, version, list(known)) if known else []:
        if other != worker:
            shown[other].add(row)
    # gold that the worker was shown before
    for row in store.work.seen_gold(category, worker, before=assignment.id).tolist() if known else ():
        known.pop(row, None)
    tables = [_agreement(answered, known, votes, shown[one]) for one in _closest(shown)]
    least = min((table for table in tables if tells(table)), key=_agrees, default=NOTHING)
    # without one who told everything the rest may be too little: who else agrees says nothing then
    return least if shows_guessing(least) or all(map(tells, tables)) else NOTHING


def tells(unaided: Record) -> bool:
    """Whether there is enough to tell guesses from answers."""
    return min(unaided[1], unaided[3]) >= LEAST_EACH and unaided[1] + unaided[3] >= LEAST


def shows_guessing(unaided: Record) -> bool:
    """Whether answers agree with the best knowledge so little that they may have been guessed; False for too few.

    The test of two proportions: guesses say yes equally often to both classes.
    """
    if not tells(unaided):
        return False
    yes_right, yes_shown, no_right, no_shown = unaided
    said_yes = (yes_right + no_shown - no_right) / (yes_shown + no_shown)
    deviation = math.sqrt(said_yes * (1 - said_yes) * (1 / yes_shown + 1 / no_shown))
    return yes_right / yes_shown + no_right / no_shown - 1 <= GUESSES_BELOW_DEVIATIONS * deviation + 1e-9


def _closest(shown: Mapping[str, set[int]]) -> list[str]:
    """Those who were shown most of the same pictures; somebody unknown, who was shown nothing, if there is nobody."""
    return sorted(shown, key=lambda one: (-len(shown[one]), one))[:CLOSEST] or [""]


def _agreement(
    answered: Mapping[int, Says], known: Mapping[int, Says], votes: Iterable[Vote], shown: set[int]
) -> Record:
    """The agreement of the answers with gold and with the votes of others, without what one person was shown."""
    lead: Counter[int] = Counter()
    for vote in votes:
        # in hundredths: sums of weights must not depend on their order
        weight = round(100 * vote.weight)
        if vote.row not in shown:
            lead[vote.row] += weight * ((vote.says is Says.YES) - (vote.says is Says.NO))
    truth = {row: Says.YES if by > 0 else Says.NO for row, by in lead.items() if by}
    truth |= {row: says for row, says in known.items() if row not in shown}
    right: Counter[Says] = Counter(says for row, says in truth.items() if answered[row] is says)
    there: Counter[Says] = Counter(truth.values())
    return right[Says.YES], there[Says.YES], right[Says.NO], there[Says.NO]


def _agrees(table: Record) -> float:
    return table[0] / table[1] + table[2] / table[3]
