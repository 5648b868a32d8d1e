"""The loop: what a turn does next follows from what the store holds, and from nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.filled import NAME
from tests.loop.people import everybody_answers as everybody
from tests.loop.people import pool, small

from thresher.errors import Busy
from thresher.loop.autopilot import run
from thresher.loop.lease import held
from thresher.loop.turn import Turn, listen, turn
from thresher.records import (
    Category,
    Gold,
    Label,
    NewAsk,
    Origin,
    Purpose,
    Question,
    Says,
    Source,
    Targets,
)
from thresher.settings import Settings
from thresher.store.contract import Store

COUNT = 60
WHITE_FROM = 40  # pictures from here on are yes


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return small(settings, tmp_path).but(first_images=16, round_images=16, votes=1, votes_most=1)


@pytest.fixture
def rows(store: Store) -> list[int]:
    """Dull little pictures are no, wide ones are yes: a head can tell them apart."""
    return pool(store, WHITE_FROM, COUNT)


def says(rows: list[int], row: int) -> Says:
    return Says.YES if row in rows[WHITE_FROM:] else Says.NO


def take_turn(store: Store, settings: Settings, now_ms: int = 1_000, seed: int = 1) -> Turn:
    return turn(NAME, store=store, settings=settings, now_ms=now_ms, seed=seed)


def everybody_answers(store: Store, settings: Settings, rows: list[int], now_ms: int = 2_000) -> int:
    return everybody(store, settings, lambda row: says(rows, row), now_ms)


def test_an_empty_pool_says_what_to_run(store: Store, settings: Settings) -> None:
    store.categories.create(Category(NAME, Question(1, "Is this a thing?", "", 1)))
    came_to = take_turn(store, settings)
    assert (came_to.state, "thresher harvest" in came_to.says) == ("empty", True)


def test_the_first_turn_asks_about_random_pictures(store: Store, settings: Settings, rows: list[int]) -> None:
    came_to = take_turn(store, settings)
    assert came_to.state == "asking"
    (task,) = store.asks.tasks(NAME, -1, 10)
    assert (len(task.rows), set(task.rows) <= set(rows)) == (16, True)


def test_people_need_not_wait_for_the_pool_to_be_embedded_which_is_done_while_they_answer(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    stages: list[str] = []

    def staged() -> Turn:
        return turn(
            NAME, store=store, settings=settings, now_ms=1_000, seed=1, report=lambda said: stages.append(said.stage)
        )

    staged()
    assert (len(store.asks.tasks(NAME, -1, 10)), stages) == (1, [])
    staged()
    assert "embed" in stages


def test_while_people_are_busy_nothing_more_is_asked(store: Store, settings: Settings, rows: list[int]) -> None:
    take_turn(store, settings)
    came_to = take_turn(store, settings, seed=2)
    assert "wait for people's answers" in came_to.says
    assert len(store.asks.tasks(NAME, -1, 10)) == 1


def test_answers_become_a_round_and_only_the_unknown_is_asked_about(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    take_turn(store, settings)
    everybody_answers(store, settings, rows)
    came_to = take_turn(store, settings, now_ms=3_000)
    assert came_to.round is not None
    assert came_to.round.labels_yes + came_to.round.labels_no == 16
    counts = came_to.round.counts
    assert counts.yes + counts.no + counts.unknown == COUNT
    asked = {row for task in store.asks.tasks(NAME, 1, 10) for row in task.rows}
    labelled = {label.row for label in store.labels.held(NAME, 1)}
    assert not asked & labelled


def test_the_loop_ends_with_nothing_unknown_and_the_truth_found(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    came_to, now_ms = take_turn(store, settings), 2_000
    for _ in range(20):
        now_ms += 1_000
        everybody_answers(store, settings, rows, now_ms)
        came_to = take_turn(store, settings, now_ms, seed=now_ms)
        if came_to.state == "done":
            break
    assert came_to.state == "done"
    assert came_to.round is not None
    assert came_to.round.counts.unknown == 0
    wrong = [label.row for label in store.labels.held(NAME, 1) if label.says is not says(rows, label.row)]
    assert wrong == []


def test_a_spent_budget_ends_the_asking(store: Store, settings: Settings, rows: list[int]) -> None:
    store.categories.aim(NAME, Targets(answers=20))
    take_turn(store, settings)
    everybody_answers(store, settings, rows)
    take_turn(store, settings, now_ms=3_000)
    everybody_answers(store, settings, rows, now_ms=4_000)
    came_to = take_turn(store, settings, now_ms=5_000)
    assert came_to.state == "spent"
    tally = store.categories.tally(NAME)
    assert tally.answers + tally.owner_answers <= 20


def test_what_only_the_owner_can_answer_does_not_keep_people_idle(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    known = [*rows[:3], *rows[-3:]]
    store.labels.hold(NAME, [Label(r, says(rows, r), Source.OWNER, Purpose.IMPORT, 1, 1) for r in known])
    store.asks.wish(NAME, 1, [NewAsk(row, Purpose.ADJUDICATE) for row in rows[5:15]])
    came_to = take_turn(store, settings)
    assert came_to.state == "learned"
    assert any(not task.owner_only for task in store.asks.tasks(NAME, -1, 10))


def test_two_categories_over_the_same_images_embed_them_once(store: Store, settings: Settings, rows: list[int]) -> None:
    take_turn(store, settings)
    store.categories.create(Category("other", Question(1, "Is this another thing?", "", 1)))
    store.categories.pool_add("other", rows, Origin("test", "", "", 1))
    stages: list[str] = []
    turn("other", store=store, settings=settings, now_ms=1, seed=1, report=lambda p: stages.append(p.stage))
    assert "embed" not in stages


def test_a_reworded_question_starts_without_the_answers_to_the_old_one(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    take_turn(store, settings)
    everybody_answers(store, settings, rows)
    take_turn(store, settings, now_ms=3_000)
    store.categories.reword(NAME, "Is this quite another thing?", "", 4_000)
    came_to = take_turn(store, settings, now_ms=5_000)
    assert (came_to.round, came_to.state) == (None, "asking")
    assert store.labels.held(NAME, 2) == []
    assert store.labels.held(NAME, 1) != []


def test_gold_alone_is_enough_to_start_learning(store: Store, settings: Settings, rows: list[int]) -> None:
    store.labels.gild(NAME, [Gold(row, says(rows, row), 1, Source.OWNER) for row in (*rows[:4], *rows[-4:])])
    assert take_turn(store, settings).round is not None


def test_a_loop_that_somebody_runs_is_refused_to_others(store: Store, settings: Settings, rows: list[int]) -> None:
    with held(NAME, store=store), pytest.raises(Busy, match="another process"):
        run(NAME, store=store, settings=settings)
    with held(NAME, store=store) as lost:
        assert not lost()


def test_the_same_answers_and_seed_make_the_same_round(store: Store, settings: Settings, rows: list[int]) -> None:
    take_turn(store, settings)
    everybody_answers(store, settings, rows)
    first = take_turn(store, settings, now_ms=3_000).round
    again = take_turn(store, settings, now_ms=4_000).round
    assert first is not None
    assert again == replace(first)


def test_gold_grows_from_what_finished_audits_adjudicated_and_rejects_nobody(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    drawn = Label(rows[3], Says.NO, Source.ADJUDICATED, Purpose.AUDIT_RECALL, 1, 5, epoch=1, draw=0)
    store.labels.hold(NAME, [drawn])
    category = store.categories.get(NAME)
    listen(category, store=store, settings=settings, now_ms=10)
    assert store.labels.gold(NAME, 1) == []  # no audit has been
    store.rounds.keep_evidence(NAME, 1, "frozen", b'{"version": 0}')  # one of an earlier wording, in force no more
    listen(category, store=store, settings=settings, now_ms=20)
    (grown,) = store.labels.gold(NAME, 1)
    assert (grown.row, grown.says, grown.confirmed) == (rows[3], Says.NO, False)
