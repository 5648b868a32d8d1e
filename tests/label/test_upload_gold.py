"""A list that names gold takes none of it out of use."""

import pytest
from tests.label.scene import NAME, Scene, says, scene, truth

from thresher.label.asks import known_of, upload
from thresher.label.deal import draw_gold
from thresher.records import Gold, NewAsk, NewTask, Purpose, Says, Source, Stage, Task
from thresher.settings import Settings
from thresher.store.contract import Store

GOLD = list(range(300, 420))  # 40 yes, 80 no


@pytest.fixture
def here(store: Store, settings: Settings) -> Scene:
    return scene(store, settings, images=420, gold=GOLD)


def send_up(here: Scene, rows: list[int]) -> list[Task]:
    return upload(NAME, "list", rows, store=here.store, settings=here.settings, now_ms=here.tick())


def gold_of(here: Scene, name: str) -> set[int]:
    return {place.row for place in here.must_deal(name).dealt if place.ask is None}


def test_answers_of_a_fixed_pattern_are_rejected_after_most_of_the_pool_was_uploaded(here: Scene) -> None:
    """Five runs at 0.07 seconds a picture were all accepted, as provisional."""
    send_up(here, list(range(420)))
    verdicts = [here.work(f"pattern {number}", lambda row: says(row % 2 == 0)).verdict for number in range(5)]
    assert verdicts == [Stage.REJECTED] * 5


def test_gold_in_a_list_is_shown_there_as_gold_and_not_asked_about(here: Scene) -> None:
    (task,) = send_up(here, [1, 2, 3, *GOLD[:12]])
    assert set(task.rows) == {1, 2, 3}
    assert task.gold == tuple(GOLD[:12])
    assert set(GOLD[:12]) <= gold_of(here, "a")
    assert {row: piece.says for row, piece in known_of(NAME, [1, 300, 301], store=here.store).items()} == {
        300: says(truth(300)),
        301: says(truth(301)),
    }


def test_a_task_given_back_shows_the_same_gold_though_the_list_names_more_than_it_hides(here: Scene) -> None:
    send_up(here, [1, 2, 3, *GOLD])
    first = gold_of(here, "a")
    here.store.work.give_back(here.must_deal("a").id, here.tick())
    assert gold_of(here, "a") == first


def test_a_list_of_gold_alone_asks_about_nothing(here: Scene) -> None:
    assert send_up(here, GOLD[:5]) == []


def test_what_looks_like_gold_is_known_too(store: Store, settings: Settings) -> None:
    here = scene(store, settings)
    here.images(20, fingerprint=lambda number: f"{number % 10:016x}")
    here.gild(range(5))
    assert {row: piece.row for row, piece in known_of(NAME, [10, 16], store=store).items()} == {10: 0}
    (task,) = send_up(here, [10, 16])
    assert task.rows == (16,)


@pytest.mark.parametrize(("purpose", "used"), [(Purpose.LEARN, True), (Purpose.AUDIT_RECALL, False)])
def test_what_became_gold_while_it_is_asked_about_checks_people_unless_an_audit_drew_it(
    store: Store, settings: Settings, purpose: Purpose, used: bool
) -> None:
    here = scene(store, settings, images=60)
    for rows, kind in ((range(20), purpose), (range(20, 40), Purpose.LEARN)):
        store.asks.wish(NAME, 1, [NewAsk(row, kind) for row in rows])
        asks = [ask.id for ask in store.asks.waiting(NAME, 1, 1000)]
        assert store.asks.publish(NAME, 1, NewTask("n", asks, 1))
    assert gold_of(here, "holds the first") == set()
    here.gild(range(20))
    shown = gold_of(here, "takes the second")
    assert bool(shown) is used
    assert shown <= set(range(20))


def test_unseen_gold_comes_first_and_what_people_agreed_on_fills_up() -> None:
    sure = [Gold(row, Says.YES, 1, Source.OWNER) for row in range(30)]
    grown = [Gold(row, Says.YES, 1, Source.ADJUDICATED) for row in range(30, 60)]
    drawn = {piece.row for piece in draw_gold([*sure, *grown], list(range(25)), 20, b"k")}
    assert set(range(25, 30)) <= drawn  # confirmed and unseen
    assert len(drawn & set(range(30))) == 10  # enough to judge by
    assert len(drawn & set(range(30, 60))) == 10  # and the rest is new to the worker
