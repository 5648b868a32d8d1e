"""A loop that looks at its change mark at a clock of its own, for the tests of when a turn is due."""

from pathlib import Path

import pytest
from tests.filled import NAME
from tests.loop.people import small

from thresher.label.deal import deal
from thresher.loop import autopilot
from thresher.loop.turn import Process, turn
from thresher.loop.watch import Watch
from thresher.records import Given, Label, Purpose, Says, Source, Worker
from thresher.settings import Settings
from thresher.store.contract import Store

COUNT = 60
START_MS = 1_000_000
ANN = Worker("ann", "ann", owner=False, invite="", created_ms=1)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return small(settings, tmp_path).but(
        first_images=16, round_images=16, votes=1, votes_most=1, patience_seconds=60.0, cache=str(tmp_path / "cache")
    )


class Loop:
    """The loop of one category at a clock of its own."""

    def __init__(self, store: Store, settings: Settings, name: str = NAME) -> None:
        self.store, self.settings, self.name = store, settings, name
        self.watch = Watch(store=store, settings=settings)
        self.made = 0

    def look(self, at_ms: int) -> bool:
        """Look once, and make a turn where one is due; returns whether one was."""
        mark = self.store.categories.mark(self.name)
        if not self.watch.due(self.name, mark, at_ms):
            return False
        self.made += 1
        process = Process(memory=self.watch.memory(self.name))
        came_to = turn(
            self.name, store=self.store, settings=self.settings, now_ms=at_ms, seed=self.made, process=process
        )
        self.watch.made(self.name, mark, came_to, at_ms)
        return True

    def rest(self, at_ms: int) -> int:
        """Make turns until none is due; returns how many."""
        turns = 0
        while self.look(at_ms):
            turns += 1
            assert turns < 8, "a turn that finds nothing new must write nothing"
        return turns


def resting(store: Store, settings: Settings, at_ms: int = START_MS) -> Loop:
    """A loop that has asked its first images and waits for answers to them."""
    loop = Loop(store, settings)
    assert loop.rest(at_ms)
    assert loop.watch.last(NAME).state == "asking"
    return loop


def sent(store: Store, settings: Settings, at_ms: int) -> str:
    """An assignment that an annotator was dealt and has sent."""
    store.people.add(ANN)
    work = deal(NAME, ANN, store=store, settings=settings, now_ms=at_ms, seed=1)
    assert work is not None
    store.work.send(work.id, [Given(at, Says.NO, 1.0, 1.0) for at in range(len(work.dealt))], at_ms)
    return work.id


@pytest.fixture
def looks_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """No half second between two looks where looks are counted; a loop still rests as long as its turn took."""
    monkeypatch.setattr(autopilot, "REST_SECONDS", 0.0)


def relabel(store: Store, _settings: Settings) -> None:
    """The owner answers about one image."""
    store.labels.hold(NAME, [Label(0, Says.YES, Source.OWNER, Purpose.LEARN, 1, 1)])
