"""Judging again: what the gate could not judge for want of gold or of others' votes, once there is more of either."""

import enum
from collections.abc import Callable, Sequence

import numpy as np

from thresher.label.ballots import Rows
from thresher.label.gate import breaks, judge
from thresher.label.gold import enough
from thresher.label.remembered import Memory
from thresher.label.unaided import shows_guessing, tells, unaided
from thresher.records import Assignment, Category, Gold, Review, Says, Stage
from thresher.settings import Settings
from thresher.store.contract import Store, as_category
from thresher.store.kinds import RECHECK, REVIEW
from thresher.store.seals import seal

OWED = "owed"  # the mark of a decision whose weight the votes get when the freeze is over


class Waits(enum.Enum):
    """What might still change a decision."""

    NOTHING = "nothing"
    GOLD = "gold"
    VOTES = "votes of others"


def judge_again(
    category: Category | str,
    *,
    store: Store,
    settings: Settings,
    now_ms: int,
    frozen: Callable[[], bool] = lambda: False,
    memory: Memory | None = None,
) -> int:
    """Judge again what was judged with too little; returns how many assignments got another decision.

    It is safe to call at any time, twice, and from two servers: a decision is added only to those that were read. While
    `frozen` the votes stay as they are, because a certificate may depend on them; only verdict and record change. What
    waits for the votes of others is looked at when votes on its images, or reviews of its worker, were added.
    """
    entry = as_category(category, store=store)
    category, version = entry.name, entry.question.version
    waiting = store.lines.page(RECHECK, category)
    if not waiting:
        return 0
    gold = store.labels.gold(category, version)
    known = _known(gold, settings)
    of_gold = f"{version}: {known}"
    others = _Others(category, version, store, memory)
    changed = 0
    for line in waiting:
        name, mark = str(line["assignment"]), str(line["mark"])
        if mark == of_gold or (mark == OWED and frozen()):
            continue
        marks = {Waits.GOLD: of_gold, Waits.VOTES: f"{version}: {known} {others.known_of(name)}"}
        if mark == marks[Waits.VOTES]:
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


def _known(gold: Sequence[Gold], settings: Settings) -> str:
    """What the gate goes by, in numbers that change when it does: the confirmed gold and what is asked of it."""
    confirmed = sorted((piece.row, piece.says) for piece in gold if piece.confirmed)
    yes = sum(says is Says.YES for _, says in confirmed)
    rules = f"{settings.gold_images} {settings.gold_least} {settings.gold_pass}"
    return f"{yes} yes, {len(confirmed) - yes} no, {seal(confirmed)}; {rules}"


class _Others:
    """What others have said where an assignment asked, and what else is known of its worker."""

    def __init__(self, category: str, version: int, store: Store, memory: Memory | None) -> None:
        self.category = category
        self.version = version
        self.store = store
        self.memory = memory
        self.paused = breaks(store.categories.tally(category))
        self.open = store.asks.open_rows(category, version)
        if memory is not None:
            with memory.trusted():
                memory.refresh(category, version, store=store)

    def known_of(self, name: str) -> str:
        """All of that in numbers that change when it does."""
        seen = self.memory.sent if self.memory is not None else {}
        if name not in seen:
            there = self.store.work.get(name)
            rows = np.array(sorted(place.row for place in there.dealt if place.ask is not None), np.int64)
            seen[name] = there.worker, rows
        worker, rows = seen[name]
        votes, reviews = self._votes_on(rows), self._reviews_of(worker)
        waits = int(np.isin(rows, self.open).sum())
        return f"{votes} votes, {waits} open, {reviews} of the worker{', paused' if self.paused else ''}"

    def _votes_on(self, rows: Rows) -> int:
        if self.memory is None:
            return len(self.store.labels.votes(self.category, self.version, rows.tolist())) if len(rows) else 0
        there = self.memory.ballots.rows
        return int((np.searchsorted(there, rows, "right") - np.searchsorted(there, rows)).sum())

    def _reviews_of(self, worker: str) -> int:
        if self.memory is not None:
            return self.memory.reviewed[self.version, worker]
        where = {"version": self.version, "worker": worker, "number": 1}
        return self.store.lines.count(REVIEW, self.category, where=where)


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
