"""An audit's labels are adjudicated: by a lead of three, or by the owner; consensus is not enough."""

from collections.abc import Callable

import pytest
from tests.label.scene import NAME, Scene, says, scene, truth

from thresher.label.adjudicate import LEAD, MOST_VOTES, ask_on, leader
from thresher.label.asks import fill_tasks
from thresher.label.votes import Settled, settle
from thresher.records import NewAsk, Purpose, Says, Source, Vote
from thresher.settings import Settings
from thresher.store.contract import Store

AUDIT = Purpose.AUDIT_RECALL


@pytest.fixture
def here(store: Store, settings: Settings) -> Scene:
    return scene(store, settings, images=600, gold=range(400, 520))


def vote(worker: str, answer: Says) -> Vote:
    return Vote(7, worker, answer, AUDIT, "a", 1.0, 1, epoch=2, draw=5)


def votes(yes: int, no: int, unsure: int = 0) -> list[Vote]:
    answers = [Says.YES] * yes + [Says.NO] * no + [Says.UNSURE] * unsure
    return [vote(f"w{place}", answer) for place, answer in enumerate(answers)]


@pytest.mark.parametrize(
    ("cast", "found"),
    [((3, 0), Says.YES), ((0, 3), Says.NO), ((2, 0), None), ((4, 2), None), ((5, 2), Says.YES), ((2, 0, 9), None)],
)
def test_an_answer_must_lead_by_three(cast: tuple[int, ...], found: Says | None) -> None:
    assert leader(votes(*cast)) is found


def test_as_many_people_are_asked_as_a_lead_would_take() -> None:
    assert ask_on(7, votes(2, 1), people=50).votes_wanted == LEAD - 1
    assert ask_on(7, votes(1, 1), people=50).votes_wanted == LEAD
    asked = ask_on(7, votes(2, 1), people=50)
    assert (asked.purpose, asked.epoch, asked.draw) == (AUDIT, 2, 5)


def test_without_a_lead_among_eleven_or_with_nobody_left_the_owner_decides() -> None:
    assert ask_on(7, votes(6, MOST_VOTES - 6), people=50).purpose is Purpose.ADJUDICATE
    assert ask_on(7, votes(1, 1), people=2).purpose is Purpose.ADJUDICATE


def ask(here: Scene, rows: range, votes_wanted: int) -> None:
    here.store.asks.wish(NAME, 1, [NewAsk(row, AUDIT, votes_wanted, epoch=1, draw=row) for row in rows])
    fill(here)


def fill(here: Scene) -> None:
    fill_tasks(NAME, store=here.store, settings=here.settings, now_ms=here.tick())


def settling(here: Scene) -> Settled:
    return settle(NAME, store=here.store, settings=here.settings, now_ms=here.tick())


def but(*wrong: int) -> Callable[[int], Says]:
    return lambda row: says(truth(row) != (row in wrong))


def test_three_who_agree_make_an_adjudicated_label(here: Scene) -> None:
    ask(here, range(20), 3)
    for name in ("a", "b", "c"):
        assert settling(here).labels == 0
        here.work(name)
    assert settling(here).labels == 20
    labels = here.store.labels.held(NAME, 1)
    assert {(label.source, label.purpose) for label in labels} == {(Source.ADJUDICATED, AUDIT)}
    assert all(label.says is says(truth(label.row)) for label in labels)
    assert settling(here) == Settled()


def test_one_who_disagrees_calls_for_two_more(here: Scene) -> None:
    ask(here, range(20), 3)
    here.work("a")
    here.work("b")
    here.work("c", but(4))
    here.worker("d")
    here.worker("e")
    assert (settling(here).labels, len(here.store.asks.waiting(NAME, 1, 10))) == (19, 1)
    (waiting,) = here.store.asks.waiting(NAME, 1, 10)
    assert (waiting.row, waiting.purpose, waiting.votes_wanted) == (4, AUDIT, 2)
