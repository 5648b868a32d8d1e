import threading
from dataclasses import replace

import pytest
from tests.contract.things import HOUR_MS, answers, append_review, category, deal, finish, publish, take

from thresher.errors import BadInput, Conflict, Gone, NotFound
from thresher.records import Assignment, Dealt, Given, Purpose, Review, Says, Stage
from thresher.store.contract import Bounds, Store, every_assignment


def stage(store: Store, assignment: Assignment) -> Stage:
    return store.work.get(assignment.id).stage


def test_a_taken_task_is_a_lease(store: Store) -> None:
    category(store, 3)
    task = publish(store, [2, 0])
    taken = take(store, "w1", now_ms=100)
    assert taken is not None
    assert taken == Assignment(taken.id, task.number, "car", 1, "w1", Stage.LEASED, (), 100, 100 + HOUR_MS, reserved=12)
    assert store.work.get(taken.id) == taken
    assert store.asks.task(task.number).taken == 1
    assert store.categories.tally("car").assignments == {"leased": 1}


def test_a_place_is_given_once(store: Store) -> None:
    category(store, 2)
    publish(store, [0], places=2)
    assert take(store, "w1")
    assert take(store, "w2")
    assert take(store, "w3") is None


def test_the_same_worker_gets_an_unfinished_assignment_back(store: Store) -> None:
    category(store, 2)
    publish(store, [0], places=5)
    first = deal(store, "w1", gold=[1])
    again = take(store, "w1", now_ms=5000)
    assert again is not None
    assert (again.id, again.dealt) == (first.id, first.dealt)
    assert again.lease_until_ms == first.lease_until_ms  # only answers renew it


def test_tasks_are_dealt_in_the_order_they_were_published(store: Store) -> None:
    category(store, 3)
    numbers = [publish(store, [row]).number for row in range(3)]
    assert [finish(store, "w1").task for _ in range(3)] == numbers


def test_no_worker_is_asked_about_an_image_twice(store: Store) -> None:
    category(store, 6)
    first = publish(store, [0, 1], places=2)
    publish(store, [1, 2], places=2, purpose=Purpose.MIDDLE)
    third = publish(store, [3, 4], places=2)
    assert finish(store, "w1").task == first.number
    assert finish(store, "w1").task == third.number
    assert take(store, "w1") is None
    assert store.work.asked("car", "w1").tolist() == [0, 1, 3, 4]


def test_what_a_rejected_worker_was_asked_is_not_asked_again(store: Store) -> None:
    category(store, 2)
    publish(store, [0])
    finish(store, "w1", verdict=Stage.REJECTED)
    assert take(store, "w1") is None
    assert take(store, "w2") is not None


def test_a_task_freed_behind_a_worker_is_dealt_to_them(store: Store) -> None:
    category(store, 3)
    publish(store, [0])
    publish(store, [1])
    held = take(store, "w1")
    assert held is not None
    finish(store, "w2")
    assert take(store, "w2") is None
    store.work.give_back(held.id, 200)
    again = take(store, "w2")
    assert again is not None
    assert again.task == held.task


def test_only_the_owner_is_dealt_owner_only_tasks_and_first(store: Store) -> None:
    category(store, 4)
    open_to_all = publish(store, [0])
    mine = publish(store, [1], purpose=Purpose.MINE_GOLD)
    assert mine.owner_only
    assert finish(store, "boss", owner=True).task == mine.number
    assert finish(store, "boss", owner=True).task == open_to_all.number
    publish(store, [2], purpose=Purpose.ADJUDICATE)
    assert take(store, "w1") is None


def test_an_offer_is_what_would_be_taken_and_takes_nothing(store: Store) -> None:
    category(store, 4)
    first, second = publish(store, [0]), publish(store, [1])
    assert store.work.offer("car", 1, "w1", owner=False) == first
    taken = take(store, "w2")
    assert taken is not None
    assert taken.task == first.number
    assert store.work.offer("car", 1, "w1", owner=False) == second
    held = store.work.offer("car", 1, "w2", owner=False)
    assert held is not None
    assert held.number == first.number
    take(store, "w1")
    assert store.work.offer("car", 1, "w3", owner=False) is None


def test_people_alike_are_asked_about_an_image_once(store: Store) -> None:
    category(store, 6)
    first = publish(store, [0, 1], places=3)
    publish(store, [1, 2], places=3, purpose=Purpose.MIDDLE)
    third = publish(store, [3, 4], places=3)
    alike = Bounds(("w1",))
    finish(store, "w1")
    offered = store.work.offer("car", 1, "w2", owner=False, bounds=alike)
    assert offered is not None
    assert offered.number == third.number
    taken = bound(store, "w2", alike)
    assert taken is not None
    assert taken.task == third.number
    assert bound(store, "w3", Bounds(("w1", "w2"))) is None
    other = take(store, "w4")
    assert other is not None
    assert other.task == first.number


def test_what_stood_between_people_alike_and_a_task_ends_with_its_lease(store: Store) -> None:
    category(store, 4)
    small = publish(store, [0])
    publish(store, [0, 1], places=2, purpose=Purpose.MIDDLE)
    take(store, "w0")
    held = take(store, "w1")  # the second task, since the first one is full
    assert held is not None
    store.work.give_back(store.work.of_worker("w0")[0].id, 150)
    assert bound(store, "w2", Bounds(("w1",))) is None
    store.work.give_back(held.id, 200)
    again = bound(store, "w2", Bounds(("w1",)))
    assert again is not None
    assert again.task == small.number


def bound(store: Store, worker: str, bounds: Bounds, name: str = "car") -> Assignment | None:
    return store.work.take(name, 1, worker, owner=False, now_ms=100, lease_ms=HOUR_MS, bounds=bounds)


def test_people_alike_hold_a_bounded_number_of_assignments(store: Store) -> None:
    names = [f"c{number}" for number in range(4)]
    for number, name in enumerate(names):
        category(store, 4, name)
        publish(store, [number], places=9, name=name)
    two = Bounds(("w2",), 2)
    first = bound(store, "w1", two, names[0])
    assert first is not None
    assert bound(store, "w2", Bounds(("w1",), 2), names[1]) is not None
    for worker, alike in (("w1", "w2"), ("w2", "w1")):
        assert bound(store, worker, Bounds((alike,), 2), names[2]) is None
        assert store.work.offer(names[2], 1, worker, owner=False, bounds=Bounds((alike,), 2)) is None
    again = bound(store, "w1", two, names[0])  # what they hold they get back
    assert again is not None
    assert again.id == first.id
    store.work.give_back(first.id, 200)
    assert bound(store, "w1", two, names[3]) is not None


def test_a_small_task_is_left_to_others_for_a_while(store: Store) -> None:
    category(store, 8)
    small, large = publish(store, [0, 1], places=3), publish(store, [2, 3, 4], places=3)  # at 10 ms

    def offered(worker: str, bounds: Bounds) -> int | None:
        found = store.work.offer("car", 1, worker, owner=False, bounds=bounds)
        return found.number if found else None

    assert offered("w1", Bounds(least=3, small_until_ms=9)) == large.number
    assert offered("w1", Bounds(least=3, small_until_ms=10)) == small.number
    assert offered("w1", Bounds(least=2, small_until_ms=9)) == small.number
    taken = bound(store, "w1", Bounds(least=3, small_until_ms=9))
    assert taken is not None
    assert taken.task == large.number
    store.work.give_back(taken.id, 100)
    assert bound(store, "w2", Bounds(least=4, small_until_ms=9)) is None
    again = bound(store, "w2", Bounds())  # it was passed over, not out of reach for good
    assert again is not None
    assert again.task == small.number


def test_two_servers_give_nobody_more_assignments_than_the_bounds_allow(store: Store, another: Store) -> None:
    names = [f"c{number}" for number in range(8)]
    for name in names:
        category(store, 4, name)
        publish(store, [0], places=9, name=name)
    taken: list[Assignment | None] = []

    def work(opened: Store, name: str) -> None:
        taken.append(bound(opened, "w1", Bounds((), 3), name))

    threads = [threading.Thread(target=work, args=pair) for pair in zip((store, another) * 4, names, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 8
    assert sum(one is not None for one in taken) == 3


def test_what_is_dealt_is_fixed_once(store: Store) -> None:
    category(store, 4)
    publish(store, [0, 1])
    dealt = deal(store, "w1", gold=[3])
    asks = [place.ask for place in dealt.dealt]
    other = [Dealt(1, asks[1]), Dealt(2, None), Dealt(0, asks[0])]
    assert store.work.set_dealt(dealt.id, other) == dealt
    assert store.work.get(dealt.id).dealt == (Dealt(0, asks[0]), Dealt(1, asks[1]), Dealt(3, None))


def test_a_deal_serves_every_ask_of_its_task(store: Store) -> None:
    category(store, 4)
    publish(store, [0, 1])
    taken = take(store)
    assert taken is not None
    asks = [ask.id for ask in store.asks.of_task(taken.task)]
    for wrong in ([Dealt(0, asks[0])], [Dealt(0, asks[0]), Dealt(1, 999)], []):
        with pytest.raises(BadInput):
            store.work.set_dealt(taken.id, wrong)
    assert store.work.get(taken.id).dealt == ()


def test_seen_gold_is_remembered_longest_ago_first(store: Store) -> None:
    category(store, 9)
    for row in range(3):
        publish(store, [row])
    finish(store, "w1", gold=[8, 7], now_ms=100)
    finish(store, "w1", gold=[6], now_ms=200)
    finish(store, "w1", gold=[7], now_ms=300)
    assert store.work.seen_gold("car", "w1").tolist() == [8, 6, 7]
    assert store.work.seen_gold("car", "w2").tolist() == []
    assert store.work.asked("car", "w1").tolist() == [0, 1, 2]


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


def given(position: int, says: Says, at_ms: int = 0) -> Given:
    return Given(position, says, 0.5, 2.0, at_ms=at_ms)


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


def reviewed(store: Store, worker: str = "w1", weight: float = 0.25) -> Assignment:
    dealt = deal(store, worker, gold=[4])
    store.work.send(dealt.id, answers(dealt), 300)
    return store.work.review(dealt.id, Review(Stage.WEIGHTED, "first", 400, weight=weight, provisional=True))


def test_a_further_decision_changes_the_weight_of_the_votes_or_only_the_record(store: Store) -> None:
    category(store, 5)
    publish(store, [0, 1], places=2)
    first = reviewed(store)
    second = Review(Stage.ACCEPTED, "second", 500, 1, 1, weight=1.0)
    after = store.work.judge_again(first.id, second, after=1, votes=False)
    assert (after.stage, after.review) == (Stage.ACCEPTED, second)
    assert [vote.weight for vote in store.labels.votes("car", 1)] == [0.25, 0.25]
    store.work.judge_again(first.id, second, after=2, votes=True)
    assert [vote.weight for vote in store.labels.votes("car", 1)] == [1.0, 1.0]
    assert [review.why for review in store.work.reviews(first.id)] == ["first", "second", "second"]
    assert store.labels.gold_record("car", 1, "w1") == (1, 1, 0, 0)
    assert store.categories.tally("car").assignments == {"accepted": 1}


def test_a_decision_by_somebody_who_was_slower_changes_nothing(store: Store) -> None:
    category(store, 5)
    publish(store, [0, 1], places=2)
    first = reviewed(store)
    accepted = Review(Stage.ACCEPTED, "quick", 500)
    store.work.judge_again(first.id, accepted, after=1, votes=True)
    late = store.work.judge_again(first.id, Review(Stage.REJECTED, "slow", 501, weight=0.0), after=1, votes=True)
    assert late.review == accepted
    assert len(store.labels.votes("car", 1)) == 2


@pytest.mark.parametrize("others", [0, 1])
def test_a_late_rejection_takes_the_answers_out_and_frees_the_place(store: Store, others: int) -> None:
    category(store, 5)
    task = publish(store, [0, 1], places=1 + others)
    first = reviewed(store)
    rejected = Review(Stage.REJECTED, "no", 500, weight=0.0)
    for after in (1, 2):  # a second time changes nothing
        store.work.judge_again(first.id, rejected, after=after, votes=True)
        assert store.labels.votes("car", 1) == []
        assert store.labels.gold_answers("car", 1) == []
        there = store.asks.task(task.number)
        # a task that is complete stays so: its asks are closed
        assert (there.taken, there.done) == ((0, 0) if others else (1, 1))
    assert take(store, "w1") is None
    assert (take(store, "w2") is not None) is bool(others)
    with pytest.raises(Conflict):
        store.work.judge_again(first.id, Review(Stage.ACCEPTED, "yes", 600), after=3, votes=True)


def test_what_has_no_decision_is_not_judged_again(store: Store) -> None:
    category(store, 5)
    publish(store, [0])
    dealt = deal(store)
    with pytest.raises(Conflict):
        store.work.judge_again(dealt.id, Review(Stage.ACCEPTED, "", 1), after=0, votes=True)


def test_of_further_decisions_made_at_once_one_is_kept(store: Store) -> None:
    category(store, 5)
    publish(store, [0, 1], places=2)
    first = reviewed(store)
    ready = threading.Barrier(3)

    def decide(verdict: Stage) -> None:
        ready.wait()
        weight = 0.0 if verdict is Stage.REJECTED else 1.0
        store.work.judge_again(first.id, Review(verdict, "again", 500, weight=weight), after=1, votes=True)

    threads = [threading.Thread(target=decide, args=(Stage(one),)) for one in ("accepted", "rejected", "accepted")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.work.reviews(first.id)) == 2
    kept = store.work.get(first.id).stage
    assert len(store.labels.votes("car", 1)) == (0 if kept is Stage.REJECTED else 2)


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


def test_sent_assignments_wait_for_review_oldest_first(store: Store) -> None:
    category(store, 4)
    publish(store, [0], places=3)
    held = [deal(store, worker) for worker in ("w1", "w2", "w3")]
    for dealt, at_ms in zip(held, (300, 200, 400), strict=True):
        store.work.send(dealt.id, answers(dealt), at_ms)
    store.work.review(held[2].id, Review(Stage.ACCEPTED, "fine", 500))
    assert [waiting.id for waiting in store.work.unreviewed("car")] == [held[1].id, held[0].id]


def test_a_review_is_recorded_once(store: Store) -> None:
    category(store, 4)
    publish(store, [0])
    dealt = deal(store)
    store.work.send(dealt.id, answers(dealt), 200)
    review = Review(Stage.WEIGHTED, "9 of 10 gold right", 300, 5, 5, 4, 5, 0.7, True)
    reviewed = store.work.review(dealt.id, review)
    assert (reviewed.stage, reviewed.review) == (Stage.WEIGHTED, review)
    assert store.work.review(dealt.id, Review(Stage.REJECTED, "second thoughts", 400)) == reviewed
    assert store.work.get(dealt.id) == reviewed
    assert len(store.labels.votes("car", 1)) == 1


def test_reviews_are_a_list_and_the_last_one_is_in_force(store: Store) -> None:
    category(store, 4)
    publish(store, [0], places=2)
    first = Review(Stage.WEIGHTED, "because", 160, 1, 2, 0, 1, 0.7, True)
    sent = finish(
        store, "w1", verdict=Stage.WEIGHTED, yes_right=1, yes_shown=2, no_shown=1, weight=0.7, provisional=True
    )
    assert store.work.reviews(sent.id) == [first] == [sent.review]
    later = [Review(Stage.ACCEPTED, f"looked again {turn}", 300 + turn, 2, 2, turn, 10) for turn in range(10)]
    for review in later:
        append_review(store, sent.id, review)
    assert store.work.reviews(sent.id) == [first, *later]
    now = store.work.get(sent.id)
    assert (now.stage, now.review) == (Stage.ACCEPTED, later[-1])
    assert store.work.of_worker("w1") == store.work.page("car", "", 9) == [now]
    assert store.labels.gold_record("car", 1, "w1") == (2, 2, 9, 10)
    assert store.work.review(sent.id, Review(Stage.REJECTED, "third thoughts", 900)) == now
    assert store.categories.tally("car").assignments == {"accepted": 1}
    other = finish(store, "w2")
    assert store.work.reviews(other.id) == [other.review]
    assert store.check(mend=False).sound


def test_what_nobody_reviewed_has_no_reviews(store: Store) -> None:
    category(store, 4)
    publish(store, [0])
    assert store.work.reviews(deal(store).id) == []
    with pytest.raises(NotFound):
        store.work.reviews("x")


def test_only_what_was_sent_is_reviewed_and_only_with_a_verdict(store: Store) -> None:
    category(store, 4)
    publish(store, [0])
    dealt = deal(store)
    with pytest.raises(Conflict):
        store.work.review(dealt.id, Review(Stage.ACCEPTED, "", 200))
    store.work.send(dealt.id, answers(dealt), 200)
    with pytest.raises(BadInput):
        store.work.review(dealt.id, Review(Stage.EXPIRED, "", 300))


def test_a_rejected_assignment_leaves_no_answers(store: Store) -> None:
    category(store, 4)
    task = publish(store, [0, 1])
    rejected = finish(store, "w1", verdict=Stage.REJECTED, gold=[3])
    assert rejected.stage is Stage.REJECTED
    assert store.labels.votes("car", 1) == []
    assert store.labels.gold_answers("car", 1) == []
    freed = store.asks.task(task.number)
    assert (freed.taken, freed.done) == (0, 0)
    assert take(store, "w2") is not None
    assert store.categories.tally("car").assignments == {"leased": 1, "rejected": 1}


def test_assignments_are_paged_and_listed_for_a_worker(store: Store) -> None:
    category(store, 4)
    for row in range(3):
        publish(store, [row])
    made = [finish(store, "w1", now_ms=100 * row) for row in range(3)]
    other = deal(store, "w2") if publish(store, [3]) else None
    assert other is not None
    assert store.work.page("car", "", 2) == made[:2]
    assert store.work.page("car", made[1].id, 10) == [made[2], other]
    assert store.work.of_worker("w1") == made[::-1]
    assert store.work.of_worker("nobody") == []
    assert store.work.of_worker("w1", made[0].task) == made[:1]
    assert store.work.of_worker("w1", -1) == []


def test_an_assignment_nobody_made_is_not_found(store: Store) -> None:
    for ask in (
        lambda: store.work.get("x"),
        lambda: store.work.drafts("x"),
        lambda: store.work.send("x", [], 1),
        lambda: store.work.give_back("x", 1),
        lambda: store.work.set_dealt("x", []),
        lambda: store.work.draft("x", [], sequence=1, now_ms=1, lease_ms=1),
        lambda: store.work.review("x", Review(Stage.ACCEPTED, "", 1)),
    ):
        with pytest.raises(NotFound):
            ask()


def test_two_servers_never_give_one_place_twice(store: Store, another: Store) -> None:
    category(store, 12)
    for start in range(0, 12, 3):
        publish(store, range(start, start + 3), places=2)
    taken: list[Assignment] = []

    def work(opened: Store, worker: str) -> None:
        while found := opened.work.take("car", 1, worker, owner=False, now_ms=100, lease_ms=HOUR_MS):
            taken.append(found)
            dealt = opened.work.set_dealt(found.id, [Dealt(a.row, a.id) for a in opened.asks.of_task(found.task)])
            opened.work.send(found.id, answers(dealt), 150)

    threads = [threading.Thread(target=work, args=((store, another)[number % 2], f"w{number}")) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 8
    assert all(task.taken == 2 for task in store.asks.tasks("car", 0, 10))
    assert len({(found.task, found.worker) for found in taken}) == 8


def test_every_assignment_is_read_page_by_page(store: Store) -> None:
    category(store, 6)
    publish(store, [0], places=5)
    done = [finish(store, f"w{number}", now_ms=100 + number).id for number in range(5)]
    for at_once in (1, 2, 5, 6):
        assert [each.id for each in every_assignment("car", store=store, at_once=at_once)] == sorted(done)
