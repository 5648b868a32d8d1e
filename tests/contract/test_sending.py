"""Sending, expiry and giving back: an assignment counts whole or not at all."""

from dataclasses import replace

import pytest
from tests.contract.things import HOUR_MS, answers, category, deal, finish, publish, take

from thresher.errors import BadInput, Conflict, Gone
from thresher.records import Assignment, Purpose, Review, Says, Stage
from thresher.store.contract import Store


def stage(store: Store, assignment: Assignment) -> Stage:
    return store.work.get(assignment.id).stage


def test_a_sent_assignment_is_kept_whole_and_its_drafts_are_erased(store: Store) -> None:
    category(store, 5)
    publish(store, [0, 1])
    dealt = deal(store, gold=[4])
    given = answers(dealt)
    store.work.draft(dealt.id, given[:2], sequence=1, now_ms=200, lease_ms=HOUR_MS)
    sent = store.work.send(dealt.id, given[::-1], 300)
    assert (sent.stage, sent.sent_ms, sent.answers) == (Stage.SENT, 300, tuple(given))
    assert store.work.get(dealt.id) == sent
    assert store.work.drafts(dealt.id)[1] == []
    tally = store.categories.tally("car")
    assert (tally.answers, tally.gold_answers, tally.owner_answers) == (2, 1, 0)
    assert tally.assignments == {"sent": 1}


def test_the_owners_answers_are_counted_apart(store: Store) -> None:
    category(store, 3)
    publish(store, [0, 1], purpose=Purpose.MINE_GOLD)
    finish(store, "boss", owner=True)
    tally = store.categories.tally("car")
    assert (tally.answers, tally.gold_answers, tally.owner_answers) == (0, 0, 2)


def test_sending_the_same_again_is_answered_the_same(store: Store) -> None:
    category(store, 3)
    publish(store, [0, 1])
    dealt = deal(store)
    sent = store.work.send(dealt.id, answers(dealt), 300)
    assert store.work.send(dealt.id, answers(dealt), 400) == sent
    assert store.categories.tally("car").answers == 2
    with pytest.raises(Conflict):
        store.work.send(dealt.id, answers(dealt, Says.NO), 400)
    reviewed = store.work.review(dealt.id, Review(Stage.ACCEPTED, "fine", 500))
    assert store.work.send(dealt.id, answers(dealt), 600) == reviewed


def test_only_a_whole_assignment_counts(store: Store) -> None:
    category(store, 4)
    publish(store, [0, 1, 2])
    taken = take(store)
    assert taken is not None
    with pytest.raises(BadInput):
        store.work.send(taken.id, [], 200)
    given = answers(deal(store))
    for wrong in (
        given[:2],
        [*given, given[0]],
        [given[0], given[0], given[1]],
        [*given, replace(given[0], position=3)],
    ):
        with pytest.raises(BadInput):
            store.work.send(taken.id, wrong, 200)
    assert stage(store, taken) is Stage.LEASED


def test_a_lease_that_ended_is_gone(store: Store) -> None:
    category(store, 3)
    publish(store, [0])
    dealt = deal(store, now_ms=100)
    late = 100 + HOUR_MS
    with pytest.raises(Gone):
        store.work.draft(dealt.id, [], sequence=1, now_ms=late, lease_ms=HOUR_MS)
    with pytest.raises(Gone):
        store.work.send(dealt.id, answers(dealt), late)
    store.work.expire(late)
    with pytest.raises(Gone):
        store.work.send(dealt.id, answers(dealt), 200)


def test_what_was_sent_takes_no_drafts(store: Store) -> None:
    category(store, 3)
    publish(store, [0])
    dealt = deal(store)
    store.work.send(dealt.id, answers(dealt), 200)
    with pytest.raises(Gone):
        store.work.draft(dealt.id, answers(dealt), sequence=9, now_ms=300, lease_ms=HOUR_MS)


def test_expiry_erases_the_drafts_and_frees_the_place(store: Store) -> None:
    category(store, 4)
    task = publish(store, [0, 1])
    dealt = deal(store, "w1", now_ms=100)
    store.work.draft(dealt.id, answers(dealt)[:1], sequence=1, now_ms=100, lease_ms=HOUR_MS)
    assert store.work.expire(99 + HOUR_MS) == 0
    assert store.work.expire(100 + HOUR_MS) == 1
    ended = store.work.get(dealt.id)
    assert (ended.stage, ended.drafts_erased, ended.answers) == (Stage.EXPIRED, 1, ())
    assert store.work.drafts(dealt.id)[1] == []
    assert store.asks.task(task.number).taken == 0
    assert store.work.asked("car", "w1").tolist() == []
    assert store.categories.tally("car").assignments == {"expired": 1}
    assert store.work.expire(100 + HOUR_MS) == 0


def test_a_worker_alone_goes_on_after_their_lease_ended(store: Store) -> None:
    category(store, 4)
    task = publish(store, [0, 1])
    first = deal(store, "w1", now_ms=100)
    second = take(store, "w1", now_ms=200 + HOUR_MS)
    assert second is not None
    assert (second.id != first.id, second.task) == (True, task.number)
    assert stage(store, first) is Stage.EXPIRED


def test_a_lease_that_is_over_gives_its_place_to_whoever_comes_next(store: Store) -> None:
    category(store, 4)
    publish(store, [0])
    take(store, "w1", now_ms=100)
    assert take(store, "w2", now_ms=99 + HOUR_MS) is None
    assert take(store, "w2", now_ms=100 + HOUR_MS) is not None


def test_a_worker_may_give_a_task_back(store: Store) -> None:
    category(store, 4)
    task = publish(store, [0])
    dealt = deal(store, "w1")
    store.work.draft(dealt.id, answers(dealt), sequence=1, now_ms=200, lease_ms=HOUR_MS)
    store.work.give_back(dealt.id, 300)
    store.work.give_back(dealt.id, 301)
    ended = store.work.get(dealt.id)
    assert (ended.stage, ended.drafts_erased) == (Stage.RETURNED, 1)
    assert store.asks.task(task.number).taken == 0
    with pytest.raises(Gone):
        store.work.send(dealt.id, answers(dealt), 400)
    with pytest.raises(Gone):
        store.work.set_dealt(take_and_return(store).id, [])


def take_and_return(store: Store) -> Assignment:
    taken = take(store, "w9")
    assert taken is not None
    store.work.give_back(taken.id, 300)
    return taken


def test_giving_back_what_was_sent_changes_nothing(store: Store) -> None:
    category(store, 4)
    publish(store, [0])
    dealt = deal(store)
    sent = store.work.send(dealt.id, answers(dealt), 200)
    store.work.give_back(dealt.id, 300)
    assert store.work.get(dealt.id) == sent
