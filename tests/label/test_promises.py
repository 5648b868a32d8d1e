"""Whatever people do in whatever order: nobody is asked twice, nobody too many, and nothing rejected counts."""

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.label.scene import NAME, says, scene, truth

from thresher.label.asks import fill_tasks, upload, wish
from thresher.label.deal import expire
from thresher.label.votes import settle
from thresher.records import Assignment, Given, Purpose, Says, Stage, Task
from thresher.settings import read_settings
from thresher.store import open_store

WORKERS = st.sampled_from(["a", "b", "c", "d"])
MANNERS = {
    "true": lambda row: says(truth(row)),
    "careless": lambda row: says(truth(row) != (row % 7 == 3)),
    "always yes": lambda _: Says.YES,
    "unsure": lambda _: Says.UNSURE,
}
LIVE = {Stage.LEASED, Stage.SENT, Stage.ACCEPTED, Stage.WEIGHTED}


class People(RuleBasedStateMachine):
    """Workers, an owner, the loop and the clock, interleaved at random over twenty-four images and their twins."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        place = Path(self.folder.name)
        few = read_settings(place, {}).but(task_images=6, gold_images=20, gold_least=10, votes=2, votes_most=3)
        self.here = scene(open_store(place / "workspace", few, create=True), few)
        self.held: dict[str, str] = {}

    @initialize()
    def begin(self) -> None:
        # rows 0 to 23 stand alone; 24 to 83 are thirty pairs of twins, one of each pair may be gold
        self.here.images(84, fingerprint=lambda n: f"{n % 30:016x}" if n >= 24 else "")
        self.here.gild(range(30, 60))

    @rule(first=st.integers(0, 20), purpose=st.sampled_from([Purpose.LEARN, Purpose.MIDDLE]))
    def the_loop_wishes(self, first: int, purpose: Purpose) -> None:
        rows = [(row, 0.0) for row in (*range(first, first + 8), 60 + first)]
        wish(NAME, rows, purpose, store=self.here.store, settings=self.here.settings)
        self.the_loop_fills_tasks()

    @rule(first=st.integers(0, 23))
    def the_owner_uploads_what_is_like_gold(self, first: int) -> None:
        rows = [60 + first, 60 + (first + 1) % 24, 30 + (first + 2) % 24, first]
        upload(NAME, "list", rows, store=self.here.store, settings=self.here.settings, now_ms=self.here.tick())

    @rule()
    def the_loop_fills_tasks(self) -> None:
        fill_tasks(NAME, store=self.here.store, settings=self.here.settings, now_ms=self.here.tick())

    @rule()
    def the_loop_settles(self) -> None:
        settle(NAME, store=self.here.store, settings=self.here.settings, now_ms=self.here.tick())

    @rule()
    def the_gate_reviews(self) -> None:
        self.here.review()

    @rule(name=WORKERS)
    def somebody_takes_work(self, name: str) -> None:
        assignment = self.here.deal(name)
        if assignment is not None:
            self.held[name] = assignment.id

    @rule(name=WORKERS, count=st.integers(1, 5))
    def somebody_drafts(self, name: str, count: int) -> None:
        if (id_ := self._leased(name)) is not None:
            drafts = [Given(place, Says.YES, 1.0, 1.0) for place in range(count)]
            self.here.store.work.draft(id_, drafts, sequence=count, now_ms=self.here.now_ms, lease_ms=3_600_000)

    @rule(name=WORKERS, manner=st.sampled_from(sorted(MANNERS)))
    def somebody_sends(self, name: str, manner: str) -> None:
        if (id_ := self._leased(name)) is not None:
            self.here.send(self.here.store.work.get(id_), MANNERS[manner])

    @rule(names=st.lists(WORKERS, max_size=4, unique=True))
    def some_finish_a_task_each(self, names: list[str]) -> None:
        for name in names:
            self.somebody_takes_work(name)
            self.somebody_sends(name, "true")
        self.here.review()

    @rule(name=WORKERS)
    def somebody_gives_back(self, name: str) -> None:
        if (id_ := self._leased(name)) is not None:
            self.here.store.work.give_back(id_, self.here.tick())

    @rule()
    def the_owner_works(self) -> None:
        assignment = self.here.deal("me", owner=True)
        if assignment is not None:
            self.here.send(assignment)

    @rule()
    def an_hour_passes(self) -> None:
        expire(self.here.store, self.here.tick(3_700_000))

    def _leased(self, name: str) -> str | None:
        id_ = self.held.get(name)
        if id_ and self.here.store.work.get(id_).stage is Stage.LEASED:
            return id_
        return None

    @invariant()
    def nobody_is_asked_twice(self) -> None:
        for assignments in self._by_worker().values():
            asked = Counter(
                place.row for one in assignments if one.stage in LIVE for place in one.dealt if place.ask is not None
            )
            assert max(asked.values(), default=1) == 1

    @invariant()
    def no_ask_goes_to_more_people_than_wanted(self) -> None:
        live = Counter(
            place.ask
            for assignments in self._by_worker().values()
            for one in assignments
            if one.stage in LIVE
            for place in one.dealt
            if place.ask is not None
        )
        for task in self._tasks():
            assert task.done <= task.taken <= task.places
            for ask in self.here.store.asks.of_task(task.number):
                assert live[ask.id] <= ask.votes_wanted

    @invariant()
    def gold_is_nothing_that_its_worker_is_asked(self) -> None:
        similar = self.here.store.images.similar
        for assignments in self._by_worker().values():
            asked: set[int] = set()
            for one in sorted(assignments, key=lambda one: one.id):
                asked_here = [place.row for place in one.dealt if place.ask is not None]
                gold = [place.row for place in one.dealt if place.ask is None]
                asked_groups = set(similar(np.array([*asked, *asked_here], np.int64)).tolist())
                gold_groups = similar(np.array(gold, np.int64)).tolist()
                assert not asked_groups & set(gold_groups)
                assert len(set(gold_groups)) == len(gold_groups)
                assert sum(truth(row) for row in gold) <= 10
                if one.stage in LIVE:
                    asked |= set(asked_here)

    @invariant()
    def only_what_the_gate_let_pass_counts(self) -> None:
        counted = {vote.assignment for vote in self.here.store.labels.votes(NAME, 1)}
        for assignments in self._by_worker().values():
            for one in assignments:
                assert (one.id in counted) == (one.stage in {Stage.ACCEPTED, Stage.WEIGHTED})
                assert bool(one.answers) == (one.sent_ms > 0)

    @invariant()
    def a_task_is_never_too_long_nor_shows_an_image_twice(self) -> None:
        for task in self._tasks():
            if not task.places:  # withdrawn, to be cut for somebody who found no task
                assert (len(task.rows), task.taken) == (0, 0)
                continue
            assert 0 < len(task.rows) == len(set(task.rows)) <= 6

    def _by_worker(self) -> dict[str, list[Assignment]]:
        return {name: self.here.store.work.of_worker(name) for name in self.here.people}

    def _tasks(self) -> list[Task]:
        return self.here.store.asks.tasks(NAME, -1, 1000)

    def teardown(self) -> None:
        self.here.store.close()
        self.folder.cleanup()


TestPeople = People.TestCase
TestPeople.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
