"""What a process remembers between two turns: how little it reads, and when it reads again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.counting import counted
from tests.label.scene import NAME, Scene, says, scene, truth

from thresher.label.again import judge_again
from thresher.label.asks import fill_tasks, wish
from thresher.label.estimated import posterior_of
from thresher.label.gold import gild_audits
from thresher.label.remembered import Memory
from thresher.label.votes import Settled, settle
from thresher.records import Counts, Label, Purpose, Round, Says, Source, Thresholds
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.store.kinds import RECHECK, REVIEW
from thresher.store.shapes import Kind


@pytest.fixture
def here(store: Store, settings: Settings) -> Scene:
    """A hundred images in tasks of twenty, of which two people have done two each, so that they share some."""
    made = scene(store, settings.but(gold_images=8, task_images=20), images=200, gold=range(100, 140))
    for name in ("ann", "ben", "cat", "dan"):
        made.worker(name)
    ask(made, range(100))
    for name in ("ann", "ben", "ann", "ben"):
        made.work(name)
    return made


def ask(here: Scene, rows: Sequence[int]) -> None:
    asked = [(row, 0.0) for row in rows]
    wish(NAME, asked, Purpose.LEARN, store=here.store, settings=here.settings)
    fill_tasks(NAME, store=here.store, settings=here.settings, now_ms=here.tick())


def settling(here: Scene, memory: Memory | None = None, store: Store | None = None) -> Settled:
    return settle(NAME, store=store or here.store, settings=here.settings, now_ms=here.tick(), memory=memory)


def labels(here: Scene) -> dict[int, Label]:
    return {label.row: replace(label, at_ms=0) for label in here.store.labels.held(NAME, 1)}


def test_after_one_assignment_only_what_it_shows_is_read(here: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    settling(here, memory)
    read = here.store.labels.votes
    rows: list[Sequence[int] | None] = []

    def votes(category: str, version: int, wanted: Sequence[int] | None = None) -> Any:
        rows.append(wanted)
        return read(category, version, wanted)

    monkeypatch.setattr(here.store.labels, "votes", votes)
    assignment = here.must_deal("cat")
    here.send(assignment)
    here.review()
    rows.clear()
    store, calls = counted(here.store)
    settling(here, memory, store)
    assert rows == [sorted(place.row for place in assignment.dealt if place.ask is not None)]
    assert calls["labels.all_of"] == calls["people.all"] == 0
    assert calls["work.get"] == 1


def test_what_did_not_move_is_not_read(here: Scene) -> None:
    memory = Memory()
    settling(here, memory)
    store, calls = counted(here.store)
    assert settling(here, memory, store) == Settled()
    assert dict(calls) == {"categories.get": 1, "categories.mark": 1, "asks.open_rows": 1}


def test_labels_that_somebody_else_writes_beside_our_own_are_read(here: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, hold = Memory(), here.store.labels.hold
    theirs = Label(90, Says.YES, Source.OWNER, Purpose.IMPORT, 1, 5)

    def both(category: str, ours: Sequence[Label]) -> int:
        moves = hold(category, ours)
        hold(category, [theirs])
        return moves

    monkeypatch.setattr(here.store.labels, "hold", both)
    assert settling(here, memory).labels > 0
    assert 90 not in memory.held.final()
    settling(here, memory)
    assert memory.held.final() == {90: Says.YES}


def test_people_who_come_while_the_votes_are_read_are_read_by_the_next_settling(
    here: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, count = Memory(), here.store.lines.count
    settling(here, memory)

    def count_and_come(kind: Kind, category: str = "", **wanted: Any) -> int:
        if kind is REVIEW and "eve" not in here.people:
            for name in ("eve", "ann"):
                here.store.people.seen(here.worker(name).id, "the tablet", here.tick())
        return count(kind, category, **wanted)

    here.work("cat")
    monkeypatch.setattr(here.store.lines, "count", count_and_come)
    settling(here, memory)
    settling(here, memory)
    cold = Memory()
    cold.refresh(NAME, 1, store=here.store)
    assert "eve" in memory.people.asked
    assert memory.people == cold.people


def test_a_settling_that_fails_half_way_is_made_good_by_the_next(here: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    settling(here, memory)
    for name in ("ann", "ben"):
        here.work(name)

    def fails(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(here.store.labels, "hold", fails)
        with pytest.raises(OSError, match="full"):
            settling(here, memory)
    assert settling(here, memory).labels > 0
    assert settling(here) == Settled()


def test_answers_about_some_images_move_no_label_of_another_before_the_next_round(here: Scene) -> None:
    memory = Memory(often=0)
    settling(here, memory)
    rows = memory.ballots.rows
    before = posterior_of(memory, rows)
    for name in ("cat", "dan"):  # who have answered nothing yet, and are wrong about everything
        here.work(name, lambda row: says(not truth(row)))
        settling(here, memory)
    assert memory.since
    others = ~np.isin(rows, list(memory.since))
    assert others.any()
    assert posterior_of(memory, rows)[others] == pytest.approx(before[others], abs=0)
    here.store.columns.create("scores/thing/1", 1, "float32")
    here.store.rounds.add(Round(1, NAME, 1, "b", "c", Thresholds(0, 1), Counts(), 2, 2, {}, "", 1, 1.0), b"head")
    settling(here, memory)
    assert memory.since == {}
    assert posterior_of(memory, rows)[others] != pytest.approx(before[others], abs=0)


def test_every_image_is_looked_at_when_a_setting_that_decides_has_changed(here: Scene) -> None:
    memory = Memory()
    settling(here, memory)
    memory.go_by(here.settings.but(patience_seconds=5.0))
    assert not memory.whole
    memory.go_by(here.settings.but(sure=0.6))
    assert memory.whole


def test_small_crowds_are_estimated_anew_with_each_assignment(here: Scene) -> None:
    memory = Memory()
    settling(here, memory)
    before = memory.estimate
    here.work("cat")
    settling(here, memory)
    assert memory.estimate is not before


def judging(here: Scene, memory: Memory | None = None, store: Store | None = None) -> int:
    return judge_again(NAME, store=store or here.store, settings=here.settings, now_ms=here.tick(), memory=memory)


def marks(here: Scene) -> dict[str, str]:
    return {str(line["assignment"]): str(line["mark"]) for line in here.store.lines.page(RECHECK, NAME)}


def test_what_waits_for_votes_is_judged_again_only_when_some_came_on_its_images(here: Scene) -> None:
    memory = Memory()
    here.work("cat")  # the first to answer their images
    judging(here, memory)
    waiting = marks(here)
    assert waiting
    judging(here)  # another process knows the same of them
    assert marks(here) == waiting
    here.work("ann")  # another task
    store, calls = counted(here.store)
    judging(here, memory, store)
    own = {one.id for one in here.store.work.of_worker("ann")}
    assert {name: mark for name, mark in marks(here).items() if name not in own} == {
        name: mark for name, mark in waiting.items() if name not in own
    }
    assert calls["work.reviews"] <= len(own)
    here.work("dan")  # the task of cat
    before = marks(here)
    judging(here, memory)
    assert marks(here) != before


def test_gold_is_made_of_the_same_audits_with_and_without_a_memory(here: Scene) -> None:
    drawn = [
        Label(row, Says.YES, source, Purpose.AUDIT_RECALL, 1, 5, epoch=1, draw=row)
        for row, source in ((3, Source.ADJUDICATED), (4, Source.CONSENSUS), (5, Source.OWNER))
    ]
    here.store.labels.hold(NAME, [*drawn, replace(drawn[0], row=6, epoch=0, purpose=Purpose.LEARN)])
    memory = Memory()
    settling(here, memory)
    assert gild_audits(NAME, store=here.store, memory=memory) == 2
    assert {piece.row for piece in here.store.labels.gold(NAME, 1)} >= {3, 5}
    assert gild_audits(NAME, store=here.store) == 0
