"""Drafts: merged picture by picture, in any order, from any device, and at two servers."""

import threading
from dataclasses import replace

import pytest
from tests.contract.things import HOUR_MS, category, deal, given, publish

from thresher.errors import BadInput, Conflict, Gone
from thresher.records import Assignment, Given, Says
from thresher.store.contract import Store


def test_drafts_change_until_they_are_sent(store: Store) -> None:
    category(store, 3)
    publish(store, [0, 1])
    dealt = deal(store)
    store.work.draft(dealt.id, [Given(1, Says.NO, 0.5, 2.0)], sequence=1, now_ms=200, lease_ms=HOUR_MS)
    last = [Given(0, Says.YES, 0.1, 0.2, 3, 4, 5.5, False), Given(1, Says.UNSURE, 0.5, 3.0)]
    renewed = store.work.draft(dealt.id, last, sequence=2, now_ms=300, lease_ms=HOUR_MS)
    assert renewed.lease_until_ms == 300 + HOUR_MS
    assert store.work.drafts(dealt.id) == (2, last)


def test_an_older_draft_changes_nothing(store: Store) -> None:
    category(store, 3)
    publish(store, [0])
    dealt = deal(store)
    store.work.draft(dealt.id, [Given(0, Says.NO, 0.5, 2.0)], sequence=5, now_ms=200, lease_ms=HOUR_MS)
    store.work.draft(dealt.id, [Given(0, Says.YES, 0.5, 2.0)], sequence=4, now_ms=201, lease_ms=HOUR_MS)
    assert store.work.drafts(dealt.id) == (5, [Given(0, Says.NO, 0.5, 2.0)])


def post(store: Store, dealt: Assignment, sequence: int, *answers: Given, now_ms: int = 200) -> Assignment:
    return store.work.draft(dealt.id, answers, sequence=sequence, now_ms=now_ms, lease_ms=HOUR_MS)


def test_drafts_of_two_devices_are_merged_picture_by_picture(store: Store) -> None:
    category(store, 5)
    publish(store, [0, 1, 2, 3])
    dealt = deal(store)
    post(store, dealt, 1, given(0, Says.YES, 10))
    for sequence, position in ((2, 1), (3, 2), (4, 3)):
        post(store, dealt, sequence, given(position, Says.NO, 20 + position))
    # the first device has not heard of the second one: its sequence is an old one, its answers are not
    post(store, dealt, 2, given(0, Says.NO, 40), given(1, Says.YES, 41), given(2, Says.YES, 9))
    last, drafts = store.work.drafts(dealt.id)
    assert drafts == [
        given(0, Says.NO, 40), given(1, Says.YES, 41), given(2, Says.NO, 22), given(3, Says.NO, 23),
    ]  # fmt: skip
    assert last == 5  # not the one that the second device knows of


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 2)])
def test_posts_come_in_any_order_late_and_twice(store: Store, order: tuple[int, ...]) -> None:
    category(store, 3)
    publish(store, [0, 1])
    dealt = deal(store)
    posts = [
        [given(0, Says.YES, 10)],
        [given(0, Says.NO, 20), given(1, Says.YES, 15)],
        [given(0, Says.UNSURE, 30), given(1, Says.YES, 15)],
    ]
    for number in order:
        post(store, dealt, number + 1, *posts[number])
    assert store.work.drafts(dealt.id)[1] == posts[2]


def test_two_servers_lose_no_draft(store: Store, another: Store) -> None:
    category(store, 41)
    publish(store, range(40))
    dealt = deal(store)

    def work(opened: Store, first: int) -> None:
        for position in range(first, 40, 2):
            post(opened, dealt, position, given(position, Says.YES, 100 + position))

    threads = [threading.Thread(target=work, args=pair) for pair in ((store, 0), (another, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.position for one in store.work.drafts(dealt.id)[1]] == list(range(40))


def test_what_another_device_answered_later_is_sent(store: Store) -> None:
    category(store, 3)
    publish(store, [0, 1])
    dealt = deal(store)
    post(store, dealt, 1, given(0, Says.NO, 50))
    mine = [given(0, Says.YES, 40), given(1, Says.YES, 60)]
    sent = store.work.send(dealt.id, mine, 300)
    assert sent.answers == (given(0, Says.NO, 50), given(1, Says.YES, 60))
    assert store.work.send(dealt.id, mine, 301) == sent  # twice
    assert store.work.send(dealt.id, sent.answers, 302) == sent  # from the other device
    with pytest.raises(Conflict):
        store.work.send(dealt.id, [given(0, Says.YES, 70), given(1, Says.YES, 60)], 303)


def test_only_an_answer_renews_a_lease(store: Store) -> None:
    category(store, 3)
    publish(store, [0, 1])
    dealt = deal(store, now_ms=100)
    first = post(store, dealt, 1, given(0, Says.YES, 10), now_ms=200)
    assert first.lease_until_ms == 200 + HOUR_MS
    longer = replace(given(0, Says.YES, 92), seconds=9.5, visits=2)
    for again in ([], [given(0, Says.YES, 10)], [given(0, Says.NO, 5)], [given(0, Says.YES, 90)], [longer]):
        assert post(store, dealt, 2, *again, now_ms=300).lease_until_ms == 200 + HOUR_MS
    assert post(store, dealt, 9, given(0, Says.NO, 95), now_ms=400).lease_until_ms == 400 + HOUR_MS


def test_no_lease_is_renewed_for_ever(store: Store) -> None:
    category(store, 2)
    publish(store, [0])
    dealt = deal(store, now_ms=0)
    for turn in range(1, 30):
        now_ms = turn * HOUR_MS // 2
        if now_ms >= 12 * HOUR_MS:
            with pytest.raises(Gone):
                post(store, dealt, turn, given(0, (Says.YES, Says.NO)[turn % 2], now_ms), now_ms=now_ms)
        else:
            post(store, dealt, turn, given(0, (Says.YES, Says.NO)[turn % 2], now_ms), now_ms=now_ms)


def test_a_draft_at_a_position_that_was_not_dealt_is_refused(store: Store) -> None:
    category(store, 3)
    publish(store, [0])
    dealt = deal(store)
    for position in (1, -1):
        with pytest.raises(BadInput):
            store.work.draft(dealt.id, [Given(position, Says.NO, 0.5, 2.0)], sequence=1, now_ms=200, lease_ms=HOUR_MS)
