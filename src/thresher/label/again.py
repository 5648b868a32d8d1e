"""Judging again: what the gate could not judge for want of gold or of others' votes, once there is more of either."""

import enum
from collections.abc import Callable, Sequence

import numpy as np

from thresher.label.gate import breaks, judge
from thresher.label.gold import enough
from thresher.label.remembered import Memory
from thresher.label.unaided import shows_guessing, tells, unaided
from thresher.records import Assignment, Gold, Review, Says, Stage
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.store.kinds import RECHECK

OWED = "owed"  # the mark of a decision whose weight the votes get when the freeze is over


class Waits(enum.Enum):
    """What might still change a decision."""

    NOTHING = "nothing"
    GOLD = "gold"
    VOTES = "votes of others"


def judge_again(
    category: str,
    *,
    store: Store,
    settings: Settings,
    now_ms: int,
    frozen: Callable[[], bool] = lambda: False,
    memory: Memory | None = None,  # noqa: ARG001 -- used from the next change on
) -> int:
    """Judge again what was judged with too little; returns how many assignments got another decision.

    It is safe to call at any time, twice, and from two servers: a decision is added only to those that were read. While
    `frozen` the votes stay as they are, because a certificate may depend on them; only verdict and record change.
    """
    waiting = store.lines.page(RECHECK, category)
    if not waiting:
        return 0
    version = store.categories.get(category).question.version
    gold = store.labels.gold(category, version)
    tally = store.categories.tally(category).assignments
    reviewed = sum(tally.get(stage.value, 0) for stage in (Stage.ACCEPTED, Stage.WEIGHTED, Stage.REJECTED))
    known = [sum(piece.confirmed and piece.says is says for piece in gold) for says in (Says.YES, Says.NO)]
    of_gold, of_votes = f"{version}: {known[0]} yes, {known[1]} no", f"{version}: {known} {reviewed}"
    marks = {Waits.GOLD: of_gold, Waits.VOTES: of_votes}
    changed = 0
    for line in waiting:
        name, mark = str(line["assignment"]), str(line["mark"])
        if mark in marks.values() or (mark == OWED and frozen()):
            continue
        # counted before the last one is read: what is decided in between makes this decision void
        after = len(store.work.reviews(name))
        there = store.work.get(name)
        if there.review is None:
            continue  # another process is about to record its first review
        waits = Waits.NOTHING
        if there.version == version and (there.stage is not Stage.REJECTED or mark == OWED):
            found, waits = _judged(there, gold, store=store, settings=settings, now_ms=now_ms)
            if mark == OWED or _differs(found, there.review):
                kept = frozen()
                store.work.judge_again(name, found, after=after, votes=not kept)
                changed += 1
                if kept:
                    store.lines.change(RECHECK, [name], {"mark": OWED}, category)
                    continue
        if waits is Waits.NOTHING:
            store.lines.drop(RECHECK, [name], category)
        else:
            store.lines.change(RECHECK, [name], {"mark": marks[waits]}, category)
    return changed


def _judged(
    there: Assignment, gold: Sequence[Gold], *, store: Store, settings: Settings, now_ms: int
) -> tuple[Review, Waits]:
    """What the gate says now, and what might still change it."""
    own = there.review
    assert own is not None  # noqa: S101 -- the caller has looked
    if there.stage is Stage.REJECTED:
        return own, Waits.NOTHING  # its votes are still there, because a freeze was in force
    yes_right, yes_shown, no_right, no_shown = store.labels.gold_record(there.category, there.version, there.worker)
    # the record without this assignment, which is in it since its first review
    before = yes_right - own.yes_right, yes_shown - own.yes_shown, no_right - own.no_right, no_shown - own.no_shown
    compared = unaided(there, gold, store=store)
    paused = breaks(store.categories.tally(there.category))
    review = judge(there, gold, before, settings=settings, now_ms=now_ms, paused=paused, compared=compared)
    if review.verdict is Stage.REJECTED:
        return review, Waits.NOTHING
    if review.provisional and not enough(gold, settings):
        return review, Waits.GOLD
    if review.provisional and not shows_guessing(compared):
        return review, Waits.VOTES  # what its worker sends later shows them gold of the class that was not shown here
    asked = [place.row for place in there.dealt if place.ask is not None]
    closed = not np.isin(asked, store.asks.open_rows(there.category, there.version)).any()
    return review, Waits.NOTHING if closed or tells(compared) else Waits.VOTES


def _differs(review: Review, before: Review) -> bool:
    return (review.verdict, review.weight, review.provisional) != (before.verdict, before.weight, before.provisional)
