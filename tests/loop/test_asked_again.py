"""No answer that is there is asked for again, though a loop works for long between reading the store and asking."""

import random
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.filled import NAME
from tests.loop.people import everybody_answers, pool, small

from thresher.label.asks import wish
from thresher.loop.turn import Turn, turn
from thresher.records import Label, Progress, Purpose, Says, Source, Targets, Vote
from thresher.settings import Settings
from thresher.store.contract import Store

COUNT, WHITE_FROM = 40, 25
PEOPLE = ("ann", "ben", "cat", "dan", "eve", "fay")
WRONG_SHARE = 0.1


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return small(settings, tmp_path).but(first_images=COUNT, round_images=10, votes=2, votes_most=3)


@pytest.fixture
def rows(store: Store) -> list[int]:
    return pool(store, WHITE_FROM, COUNT)


def take_turn(store: Store, settings: Settings, number: int, meanwhile: Callable[[Progress], None]) -> Turn:
    return turn(NAME, store=store, settings=settings, now_ms=1_000 * number, seed=number, report=meanwhile)


def votes_by_row(store: Store) -> dict[int, list[Vote]]:
    found: dict[int, list[Vote]] = {}
    for vote in store.labels.votes(NAME, 1):
        found.setdefault(vote.row, []).append(vote)
    return found


def test_answers_that_arrive_while_the_pool_is_embedded_are_not_asked_for_again(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    def answer(progress: Progress) -> None:
        if progress.stage == "embed":
            everybody_answers(store, settings, lambda row: truth(rows, row), 2_500, PEOPLE)

    take_turn(store, settings, 1, answer)
    take_turn(store, settings, 2, answer)
    asked = [row for task in store.asks.tasks(NAME, -1, 100) for row in task.rows]
    assert sorted(asked) == sorted(set(asked)) == sorted(rows)


@pytest.mark.parametrize("method", ["cascade", "uncertainty", "certified"])
@pytest.mark.parametrize("seed", range(4))
def test_no_picture_gets_more_votes_than_wanted(
    store: Store, settings: Settings, rows: list[int], seed: int, method: str
) -> None:
    """People answer and a second loop runs, at random, in the middle of each step of a turn.

    Two votes are wanted, and enough whatever they say (`sure`): a third would be an answer asked for again.
    """
    store.categories.aim(NAME, Targets(method=method))
    chance, nested = random.Random(f"{seed} {method}"), False
    settings = settings.but(first_images=chance.choice([12, COUNT]), sure=0.5)

    def says(name: str, row: int) -> Says:
        wrong = zlib.crc32(f"{seed} {name} {row}".encode()) < WRONG_SHARE * 2**32
        return Says.YES if (row in rows[WHITE_FROM:]) is not wrong else Says.NO

    def meanwhile(_progress: Progress | None = None) -> None:
        nonlocal nested
        if chance.random() < 0.6:
            for name in chance.sample(PEOPLE, chance.randint(1, len(PEOPLE))):
                everybody_answers(store, settings, partial(says, name), 2_500, (name,))
        if chance.random() < 0.3 and not nested:
            nested = True
            take_turn(store, settings, chance.randint(1, 10**6), meanwhile)
            nested = False

    for number in range(1, 12):
        came_to = take_turn(store, settings, number, meanwhile)
        meanwhile()
        if came_to.state in ("done", "refused"):
            break
    by_row = votes_by_row(store)
    assert len(by_row) > 10
    for row, votes in by_row.items():
        learnt = [vote for vote in votes if vote.epoch == 0]  # an audit asks anew on purpose: adjudicate.py
        assert len(learnt) <= 2, (row, learnt)
        assert len({vote.worker for vote in votes}) == len(votes)


def test_a_question_reworded_in_the_middle_of_a_turn_is_not_asked_by_what_was_learnt_about_the_old_one(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    def reword(progress: Progress) -> None:
        if progress.stage == "learn" and store.categories.get(NAME).question.version == 1:
            store.categories.reword(NAME, "Is this quite another thing?", "", 2_500)

    take_turn(store, settings.but(first_images=20), 1, reword)
    everybody_answers(store, settings, lambda row: truth(rows, row), 1_500, PEOPLE)
    came_to = take_turn(store, settings, 2, reword)
    assert (came_to.state, came_to.round, "changed during this turn" in came_to.says) == ("asking", None, True)
    assert store.asks.open_counts(NAME, 2) == {}


def test_a_question_reworded_while_the_pool_is_embedded_ends_the_turn_before_it_asks(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    def reword(progress: Progress) -> None:
        if progress.stage == "embed" and store.categories.get(NAME).question.version == 1:
            store.categories.reword(NAME, "Is this quite another thing?", "", 2_500)

    known = [*rows[:4], *rows[-4:]]
    store.labels.hold(NAME, [Label(row, truth(rows, row), Source.OWNER, Purpose.IMPORT, 1, 1) for row in known])
    came_to = take_turn(store, settings, 1, reword)
    assert (came_to.state, "changed during this turn" in came_to.says) == ("asking", True)
    assert store.categories.get(NAME).question.version == 2
    assert store.rounds.all(NAME) == []
    for version in (1, 2):
        assert store.asks.open_counts(NAME, version) == {}
    assert list(store.asks.tasks(NAME, -1, 10)) == []
    assert take_turn(store, settings, 2, reword).state == "asking"  # the next one goes by the new question
    assert store.asks.open_counts(NAME, 2)
    assert not store.asks.open_counts(NAME, 1)


def test_images_with_votes_that_are_not_settled_are_neither_asked_about_nor_the_end(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    assert wish(NAME, [(row, 0.0) for row in rows], Purpose.LEARN, store=store, settings=settings) == COUNT
    take_turn(store, settings, 1, lambda _: None)
    everybody_answers(store, settings, lambda row: truth(rows, row), 1_500, PEOPLE)
    assert store.labels.held(NAME, 1) == []
    for purpose in (Purpose.LEARN, Purpose.MIDDLE, Purpose.MINE_GOLD):
        assert wish(NAME, [(row, 0.0) for row in rows], purpose, store=store, settings=settings) == 0


def truth(rows: list[int], row: int) -> Says:
    return Says.YES if row in rows[WHITE_FROM:] else Says.NO
