"""Settling with what a process remembers comes to the same as settling from everything, whatever happened between."""

import copy
import random
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
import pytest
from tests.label.scene import NAME, Scene, scene

from thresher.label.asks import fill_tasks, wish
from thresher.label.ballots import UNSURE
from thresher.label.consensus import estimate_some
from thresher.label.estimated import counted, posterior_of
from thresher.label.remembered import Memory
from thresher.label.standing import admit, exclude
from thresher.label.votes import Changes, changes_of, settle
from thresher.records import Gold, Label, NewAsk, Progress, Purpose, Review, Says, Source, Stage
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.store.kinds import REVIEW, VOTE

PEOPLE = [f"w{number}" for number in range(7)]


@pytest.fixture
def here(store: Store, settings: Settings) -> Scene:
    few = settings.but(gold_images=8, task_images=8, gold_least=2, patience_seconds=0.0)
    return scene(store, few, images=80, gold=range(60, 76))


def as_asked(here: Scene, memory: Memory) -> Changes:
    """What a settling would write, from a copy of what is remembered."""
    version = here.store.categories.get(NAME).question.version
    open_rows = here.store.asks.open_rows(NAME, version)
    own = copy.deepcopy(memory)
    own.refresh(NAME, version, store=here.store)
    return changes_of(NAME, own, open_rows, store=here.store, settings=here.settings, now_ms=here.now_ms)


@dataclass
class Events:
    """What may happen between two settlings, one call each."""

    here: Scene
    chance: random.Random
    asked: list[int] = field(default_factory=list)

    def right(self, row: int) -> Says:
        if self.chance.random() < 0.05:
            return Says.UNSURE
        return Says.YES if (row % 3 == 0) == (self.chance.random() < 0.8) else Says.NO

    def ask(self) -> None:
        rows = self.chance.sample(range(60), 12)
        wish(NAME, [(row, 0.0) for row in rows], Purpose.LEARN, store=self.here.store, settings=self.here.settings)
        self.fill()

    def audit(self) -> None:
        rows = self.chance.sample(range(60), 6)
        self.here.store.asks.wish(NAME, 1, [NewAsk(row, Purpose.AUDIT_RECALL, 3, 1.0, 1, row) for row in rows])
        self.fill()

    def fill(self) -> None:
        fill_tasks(NAME, store=self.here.store, settings=self.here.settings, now_ms=self.here.tick())

    def work(self) -> None:
        for name in self.chance.sample(PEOPLE, 3):
            if (assignment := self.here.deal(name)) is not None:
                self.here.send(assignment, self.right)
        self.here.review()

    def work_of_the_owner(self) -> None:
        if (assignment := self.here.deal("me", owner=True)) is not None:
            self.here.send(assignment, self.right)
        self.here.review()

    def judge_again(self) -> None:
        judged = [one for one in self.here.store.work.page(NAME, "", 1000) if one.review and one.worker != "me"]
        judged = [one for one in judged if one.stage is not Stage.REJECTED]
        if judged:
            one, weight = self.chance.choice(judged), self.chance.choice([0.0, 0.25, 1.0])
            verdict = {0.0: Stage.REJECTED, 0.25: Stage.WEIGHTED, 1.0: Stage.ACCEPTED}[weight]
            review = Review(verdict, "again", self.here.tick() - self.chance.choice([0, 90_000]), weight=weight)
            after = len(self.here.store.work.reviews(one.id))
            self.here.store.work.judge_again(one.id, review, after=after, votes=self.chance.random() < 0.8)

    def share_a_device(self) -> None:
        for name in self.chance.sample(PEOPLE, 2):
            self.here.store.people.seen(self.here.worker(name).id, "the tablet", self.here.tick())

    def exclude_or_admit(self) -> None:
        name = self.here.worker(self.chance.choice(PEOPLE)).id
        if self.chance.random() < 0.5:
            exclude(name, "no", store=self.here.store, now_ms=self.here.tick())
        else:
            admit(name, store=self.here.store, now_ms=self.here.tick())

    def label_from_elsewhere(self) -> None:
        source = self.chance.choice([Source.OWNER, Source.IMPORTED, Source.CONSENSUS])
        row = self.chance.randrange(60)
        label = Label(row, self.right(row), source, Purpose.IMPORT, 1, self.here.tick(), 0.99, 2)
        self.here.store.labels.hold(NAME, [label])

    def lose_a_label(self) -> None:
        if labels := self.here.store.labels.all_of(NAME, 1):
            one = self.chance.choice(labels)
            self.here.store.labels.drop(NAME, 1, one.source, [one.row])

    def change_gold(self) -> None:
        row = self.chance.randrange(76)
        if self.chance.random() < 0.5:
            self.here.store.labels.retire_gold(NAME, 1, row, "doubtful")
        else:
            self.here.store.labels.gild(NAME, [Gold(row, self.right(row), 1, Source.OWNER)])

    def close_a_task(self) -> None:
        for task in self.here.store.asks.untaken(NAME, 1, 10, partly=True)[:1]:
            self.here.store.asks.close(task.number)

    def repair_a_vote(self) -> None:
        if votes := self.here.store.labels.votes(NAME, 1):
            one = self.chance.choice(votes)
            self.here.store.transfer.forget(VOTE, NAME, [(1, one.row, one.at_ms, one.assignment)])
            self.here.store.transfer.settle()

    def settle_elsewhere(self) -> None:
        settle(NAME, store=self.here.store, settings=self.here.settings, now_ms=self.here.tick())


EVENTS: list[tuple[int, Callable[[Events], None]]] = [
    (8, Events.work), (4, Events.ask), (2, Events.audit), (3, Events.judge_again), (3, Events.work_of_the_owner),
    (1, Events.share_a_device), (1, Events.exclude_or_admit), (2, Events.label_from_elsewhere),
    (1, Events.lose_a_label), (2, Events.change_gold), (1, Events.close_a_task), (1, Events.repair_a_vote),
    (1, Events.settle_elsewhere),
]  # fmt: skip


def same(some: Changes, others: Changes) -> bool:
    def ordered(changes: Changes) -> tuple[list[Label], list[int], list[NewAsk], list[NewAsk]]:
        labels = sorted(changes.hold, key=lambda label: (label.row, label.source))
        more, adjudicate = (sorted(found, key=lambda ask: ask.row) for found in (changes.more, changes.adjudicate))
        return labels, sorted(changes.drop), more, adjudicate

    return ordered(some) == ordered(others)


def everything(memory: Memory) -> tuple[object, ...]:
    """What is remembered of the store."""
    names, gold = memory.ballots.workers.texts, memory.ballots.gold
    answers = [(row, names[worker], says) for row, worker, says in gold.tolist()]
    held = memory.held.records(memory.held.lines)
    return memory.ballots.records(memory.ballots.votes), answers, held, memory.gold, memory.people


def test_labels_that_another_process_drops_first_are_not_taken_for_our_own_drop(
    here: Scene, another: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, drop = Memory(), here.store.labels.drop
    here.publish(range(6), places=2)
    for name in PEOPLE[:2]:
        here.work(name)
    settle(NAME, store=here.store, settings=here.settings, now_ms=here.tick(), memory=memory)
    left = set(here.store.labels.held(NAME, 1).rows.tolist())
    here.store.labels.hold(NAME, [Label(50, Says.YES, Source.CONSENSUS, Purpose.LEARN, 1, 9, 0.99, 2)])

    def after_another(category: str, version: int, source: str, rows: list[int]) -> int:
        another.labels.drop(category, version, source, [*rows, min(left)])
        return drop(category, version, source, rows)

    monkeypatch.setattr(here.store.labels, "drop", after_another)
    settle(NAME, store=here.store, settings=here.settings, now_ms=here.tick(), memory=memory)
    memory.refresh(NAME, 1, store=here.store)
    assert memory.held.records(memory.held.lines) == another.labels.all_of(NAME, 1)


@pytest.mark.parametrize("ended", [False, True])
def test_votes_that_a_repair_makes_anew_are_read_also_if_it_is_ended_half_way(
    here: Scene, another: Store, ended: bool
) -> None:
    transfer = here.store.transfer
    for first in (0, 6):
        here.publish(range(first, first + 6), places=2)
    for name in PEOPLE[:4]:
        here.work(name)
    one = here.store.work.of_worker(PEOPLE[0])[0]
    other = next(there for there in here.store.work.page(NAME, "", 9) if there.task != one.task)
    votes = map(VOTE.named, transfer.lines(VOTE, NAME, None, 99))
    turned = next(vote for vote in votes if vote["assignment"] == other.id)
    transfer.forget(REVIEW, NAME, [(one.id, 1)])
    says = "no" if turned["says"] == "yes" else "yes"
    transfer.amend(VOTE, NAME, [turned[field] for field in VOTE.key_names], {"says": says})
    memory, cold = Memory(), Memory()
    memory.refresh(NAME, 1, store=here.store)
    before = everything(memory)

    def end(_: Progress) -> None:
        if ended:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) if ended else nullcontext():
        another.check(mend=True, force=True, report=end)
    memory.refresh(NAME, 1, store=here.store)
    cold.refresh(NAME, 1, store=here.store)
    assert everything(memory) == everything(cold) != before


def test_a_repair_that_moves_the_votes_as_often_as_it_adds_reviews_is_noticed(here: Scene) -> None:
    transfer = here.store.transfer
    here.publish(range(6), places=2)
    here.publish(range(6, 12), places=1)
    for name in PEOPLE[:3]:
        here.work(name)
    *lost, turned = here.store.work.page(NAME, "", 9)
    assert turned.task not in {one.task for one in lost}
    reviews = [line for line in transfer.lines(REVIEW, NAME, None, 9) if REVIEW.named(line)["assignment"] != turned.id]
    transfer.forget(REVIEW, NAME, [(one.id, 1) for one in lost])
    memory, cold = Memory(), Memory()
    memory.refresh(NAME, 1, store=here.store)
    transfer.restore(REVIEW, NAME, reviews)
    vote = next(
        line for line in map(VOTE.named, transfer.lines(VOTE, NAME, None, 99)) if line["assignment"] == turned.id
    )
    transfer.amend(VOTE, NAME, [vote[field] for field in VOTE.key_names], {"weight": 0.25})
    memory.refresh(NAME, 1, store=here.store)
    cold.refresh(NAME, 1, store=here.store)
    assert everything(memory) == everything(cold)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("often", [0, 4])
def test_what_is_remembered_comes_to_the_same_as_what_is_read(here: Scene, seed: int, often: int) -> None:
    events, memory = Events(here, random.Random(f"{seed} {often}")), Memory(often)
    for name in PEOPLE:
        here.worker(name)
    here.worker("me", owner=True)
    for _ in range(24):
        (event,) = events.chance.choices([one for _, one in EVENTS], [weight for weight, _ in EVENTS])
        event(events)
        settle(NAME, store=here.store, settings=here.settings, now_ms=here.tick(), memory=memory)
        assert_nothing_was_overlooked(here, memory)
        cold = Memory()
        cold.refresh(NAME, 1, store=here.store)
        assert everything(memory) == everything(cold)
        estimated_anew = copy.deepcopy(memory)
        estimated_anew.estimate = None
        assert same(as_asked(here, estimated_anew), as_asked(here, Memory()))


def assert_nothing_was_overlooked(here: Scene, memory: Memory) -> None:
    whole = copy.deepcopy(memory)
    whole.whole = True
    assert same(as_asked(here, whole), Changes())
    assert memory.estimate is not None
    votes = counted(memory).votes
    rated = ~np.isnan(memory.estimate.rates.of(votes["worker"].astype(np.intp))[:, 0]) | (votes["says"] == UNSURE)
    rows, likely = estimate_some(memory.ballots, votes, votes["row"].tolist(), memory.known, memory.estimate)
    by_rated_people = ~np.isin(rows, votes["row"][~rated])
    there = posterior_of(memory, rows)
    assert there[by_rated_people] == pytest.approx(likely[by_rated_people], abs=1e-3)
