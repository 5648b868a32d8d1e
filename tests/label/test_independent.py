"""Two votes from one device are one: when tasks are dealt, when votes become labels, and when it comes out later."""

import pytest
from tests.label.scene import NAME, Scene, says, scene, truth

from thresher.label.asks import fill_tasks, wish
from thresher.label.independent import left_to_ask, once_a_device, votes_of_people
from thresher.label.standing import annotators
from thresher.label.votes import settle
from thresher.loop.price import answers_each
from thresher.records import Invite, Label, NewAsk, Purpose, Says, Source, Vote, Worker
from thresher.settings import Settings
from thresher.store.contract import Store


@pytest.fixture
def here(store: Store, settings: Settings) -> Scene:
    return scene(store, settings.but(gold_images=8, patience_seconds=0.0), images=200, gold=range(100, 140))


def ask(here: Scene, rows: range, votes: int = 2) -> None:
    wish(
        NAME, [(row, 0.0) for row in rows], Purpose.LEARN, store=here.store, settings=here.settings, votes_wanted=votes
    )
    fill(here)


def fill(here: Scene) -> None:
    fill_tasks(NAME, store=here.store, settings=here.settings, now_ms=here.tick())


def audit(here: Scene, rows: range, votes: int) -> None:
    """Ask as an audit does."""
    asks = [NewAsk(row, Purpose.AUDIT_RECALL, votes, 1.0, 1, row) for row in rows]
    here.store.asks.wish(NAME, 1, asks)
    fill(here)


def settling(here: Scene) -> None:
    settle(NAME, store=here.store, settings=here.settings, now_ms=here.tick())


def share(here: Scene, *names: str) -> None:
    for name in names:
        here.store.people.seen(here.worker(name).id, "the tablet", here.tick())


def labels(here: Scene) -> dict[int, Label]:
    return {one.row: one for one in here.store.labels.held(NAME, 1) if one.source is not Source.OWNER}


def open_rows(here: Scene) -> list[int]:
    found: list[int] = here.store.asks.open_rows(NAME, 1).tolist()
    return found


def test_people_at_one_device_are_not_dealt_the_same_images(here: Scene) -> None:
    ask(here, range(20))
    share(here, "ann", "ben")
    here.work("ann")
    assert here.deal("ben") is None
    assert here.deal("cat") is not None


def test_two_who_turn_out_to_be_one_after_both_voted_count_once(here: Scene) -> None:
    ask(here, range(20))
    for name in ("ann", "ben"):
        here.work(name)
    here.worker("cat")
    settling(here)
    assert {row: label.says for row, label in labels(here).items()} == {row: says(truth(row)) for row in range(20)}
    share(here, "ann", "ben")
    settling(here)
    assert labels(here) == {}
    assert open_rows(here) == list(range(20))
    settling(here)
    fill(here)
    assert len(here.store.asks.tasks(NAME, 0, 100)) == 2  # asked once more, not again and again
    assert [here.deal(name) for name in ("ann", "ben")] == [None, None]
    here.work("cat")
    settling(here)
    assert {label.votes for label in labels(here).values()} == {2}
    assert {row: label.says for row, label in labels(here).items()} == {row: says(truth(row)) for row in range(20)}
    assert len(here.store.labels.votes(NAME, 1)) == 60  # nobody's work is thrown away
    assert len(votes_of_people(NAME, 1, store=here.store)) == 40


def test_where_nobody_else_is_left_the_owner_is_asked(here: Scene) -> None:
    ask(here, range(10))
    for name in ("ann", "ben"):
        here.work(name)
    share(here, "ann", "ben")
    settling(here)
    assert here.store.asks.open_counts(NAME, 1) == {"adjudicate": 10}


def test_a_lead_of_an_audit_falls_with_the_votes_that_made_it(here: Scene) -> None:
    audit(here, range(6), 3)
    for name in ("ann", "ben", "cat"):
        here.work(name)
    for name in ("dan", "eve"):
        here.worker(name)
    settling(here)
    assert {(label.source, label.says is says(truth(row))) for row, label in labels(here).items()} == {
        (Source.ADJUDICATED, True)
    }
    here.store.labels.hold(NAME, [Label(0, Says.YES, Source.OWNER, Purpose.ADJUDICATE, 1, here.tick())])
    share(here, "ben", "cat")
    for _ in range(2):
        settling(here)
        assert labels(here) == {}
        assert open_rows(here) == list(range(1, 6))  # what the owner said stays
    fill(here)
    here.work("dan")
    settling(here)
    assert set(labels(here)) == set(range(1, 6))
    assert {label.source for label in labels(here).values()} == {Source.ADJUDICATED}


def test_people_who_get_no_work_are_not_waited_for(here: Scene) -> None:
    here.store.people.invite(Invite("closed", NAME, "", 1, revoked_ms=here.tick()))
    here.store.people.add(Worker("left", "", False, "closed", 1))
    for name in ("ann", "ben", "cat", "dan"):
        here.worker(name)
    here.store.people.exclude("cat", "x", here.tick())
    here.store.people.wait(here.people["dan"], here.tick())
    assert annotators(store=here.store) == {"ann", "ben"}
    ask(here, range(10))
    here.work("ann")
    here.work("ben", lambda row: says(not truth(row)) if row < 100 else says(truth(row)))
    settling(here)
    assert here.store.asks.open_counts(NAME, 1) == {"adjudicate": 10}


def test_agreement_within_one_device_makes_no_crowd_look_better(here: Scene) -> None:
    category = here.store.categories.get(NAME)
    ask(here, range(40))
    for name in ("ann", "ben"):
        here.work(name)
    before = answers_each(category, store=here.store, settings=here.settings)
    share(here, "ann", "ben")
    assert answers_each(category, store=here.store, settings=here.settings) != before


def vote(worker: str, row: int = 1) -> Vote:
    return Vote(row, worker, Says.YES, Purpose.LEARN, worker, 1.0, 1)


def test_the_first_vote_from_a_device_counts_and_devices_are_not_chained() -> None:
    shared = {"a": frozenset("1"), "b": frozenset("12"), "c": frozenset("2")}
    kept = once_a_device([vote(worker) for worker in "abcd"] + [vote("b", 2)], shared)
    assert [(one.worker, one.row) for one in kept] == [("a", 1), ("c", 1), ("d", 1), ("b", 2)]
    assert left_to_ask(set("abcde"), {"a"}, shared) == 3
    assert left_to_ask(set("abcde"), {"d"}, shared) == 4
    assert left_to_ask(set("abcde"), {"b"}, shared) == 2
