"""Whatever workers, gates and clocks do, and in whatever order: the places add up and nobody is asked twice."""

import tempfile
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.contract.things import answers, images

from thresher.records import (
    Assignment,
    Category,
    Dealt,
    NewAsk,
    NewTask,
    Origin,
    Purpose,
    Question,
    Review,
    Stage,
    Task,
)
from thresher.settings import read_settings
from thresher.store import open_store
from thresher.store.directory.store import DirectoryStore
from thresher.store.kinds import KINDS
from thresher.store.sqlite import recount

LEASE_MS = 100
ROWS = 30
HOLDING = {Stage.LEASED, Stage.SENT, Stage.ACCEPTED, Stage.WEIGHTED}
ASKED = {*HOLDING, Stage.REJECTED}
workers = st.sampled_from(["ann", "ben", "cat", "owner"])


class Workspace:
    """One workspace for all examples, a category for each."""

    numbers = count()
    store: DirectoryStore | None = None
    directory: tempfile.TemporaryDirectory[str]

    @classmethod
    def open(cls) -> DirectoryStore:
        if cls.store is None:
            cls.directory = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
            opened = open_store(cls.directory.name, read_settings(Path(cls.directory.name), {}), create=True)
            assert isinstance(opened, DirectoryStore)
            images(opened, ROWS)
            cls.store = opened
        return cls.store

    @classmethod
    def close(cls) -> None:
        if cls.store is not None:
            cls.store.close()
            cls.directory.cleanup()
            cls.store = None


@pytest.fixture(autouse=True, scope="module")
def _closed_in_the_end() -> Any:
    yield
    Workspace.close()


class Labelling(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.store = Workspace.open()
        self.name = f"c{next(Workspace.numbers)}"
        self.now = 1000
        self.store.categories.create(Category(self.name, Question(1, "?")))
        self.store.categories.pool_add(self.name, range(ROWS), Origin("folder"))

    def tasks(self) -> list[Task]:
        return self.store.asks.tasks(self.name, 0, 1000)

    def assignments(self) -> list[Assignment]:
        return self.store.work.page(self.name, "", 1000)

    def rows(self, assignment: Assignment) -> set[int]:
        return set(self.store.asks.task(assignment.task).rows)

    @rule(rows=st.sets(st.integers(0, ROWS - 1), min_size=1, max_size=6), places=st.integers(1, 3), mine=st.booleans())
    def publish(self, rows: set[int], places: int, mine: bool) -> None:
        purpose = Purpose.ADJUDICATE if mine else Purpose.LEARN
        self.store.asks.wish(self.name, 1, [NewAsk(row, purpose) for row in rows])
        waiting = self.store.asks.waiting(self.name, 1, 100, owner_only=mine)
        if waiting:
            task = self.store.asks.publish(
                self.name, 1, NewTask("t", [ask.id for ask in waiting], self.now, places=places, owner_only=mine)
            )
            assert task is not None

    @rule(worker=workers)
    def take(self, worker: str) -> None:
        owner = worker == "owner"
        self.store.work.expire(self.now)
        before = self.assignments()
        held = [a for a in before if a.worker == worker and a.stage is Stage.LEASED]
        asked = set().union(*(self.rows(a) for a in before if a.worker == worker and a.stage in ASKED))
        fits = [task for task in self.tasks() if task.taken < task.places and not asked & set(task.rows)]
        fits = [task for task in fits if owner or not task.owner_only]
        fits.sort(key=lambda task: (not task.owner_only, task.number))
        offered = self.store.work.offer(self.name, 1, worker, owner=owner)
        taken = self.store.work.take(self.name, 1, worker, owner=owner, now_ms=self.now, lease_ms=LEASE_MS)
        if held:
            assert taken is not None
            assert offered is not None
            assert (taken.id, offered.number) == (held[0].id, held[0].task)
        elif fits:
            assert taken is not None
            assert taken.task == fits[0].number
            assert offered == fits[0]
        else:
            assert taken is None
            assert offered is None

    @rule(place=st.integers(0, 50), late=st.booleans())
    def send(self, place: int, late: bool) -> None:
        leased = [a for a in self.assignments() if a.stage is Stage.LEASED and self.now < a.lease_until_ms]
        if leased:
            chosen = leased[place % len(leased)]
            asks = self.store.asks.of_task(chosen.task)
            dealt = self.store.work.set_dealt(chosen.id, [Dealt(ask.row, ask.id) for ask in asks])
            self.store.work.draft(dealt.id, answers(dealt)[:2], sequence=1, now_ms=self.now, lease_ms=LEASE_MS)
            if not late:
                self.store.work.send(dealt.id, answers(dealt), self.now)

    @rule(verdict=st.sampled_from([Stage.ACCEPTED, Stage.WEIGHTED, Stage.REJECTED]))
    def review(self, verdict: Stage) -> None:
        for waiting in self.store.work.unreviewed(self.name)[:1]:
            self.store.work.review(waiting.id, Review(verdict, "", self.now))

    @rule(worker=workers)
    def give_back(self, worker: str) -> None:
        for assignment in self.assignments():
            if assignment.worker == worker and assignment.stage is Stage.LEASED:
                self.store.work.give_back(assignment.id, self.now)

    @rule(by=st.integers(1, 2 * LEASE_MS))
    def wait(self, by: int) -> None:
        self.now += by

    @precondition(lambda self: hasattr(self, "name"))
    @invariant()
    def no_more_places_are_taken_than_there_are(self) -> None:
        held = [a.task for a in self.assignments() if a.stage in HOLDING]
        for task in self.tasks():
            assert task.taken == held.count(task.number) <= task.places

    @precondition(lambda self: hasattr(self, "name"))
    @invariant()
    def nobody_answers_about_an_image_twice(self) -> None:
        seen: set[tuple[str, int]] = set()
        for assignment in self.assignments():
            if assignment.stage in ASKED:
                shown = {(assignment.worker, row) for row in self.rows(assignment)}
                assert not shown & seen
                seen |= shown

    @precondition(lambda self: hasattr(self, "name"))
    @invariant()
    def an_ended_lease_leaves_no_drafts(self) -> None:
        for assignment in self.assignments():
            if assignment.stage is not Stage.LEASED:
                assert self.store.work.drafts(assignment.id)[1] == []

    def teardown(self) -> None:
        if hasattr(self, "name"):
            with self.store.catalog.reading() as sql:
                assert recount.differences(sql, KINDS) == []


TestLabelling = Labelling.TestCase
TestLabelling.settings = hypothesis_settings(max_examples=30, stateful_step_count=25, deadline=None)
