"""Taking tasks: each place once, no image twice for one worker, at most so many at a time."""

import threading

import pytest
from tests.contract.things import HOUR_MS, answers, category, deal, finish, publish, take

from thresher.errors import BadInput, NotFound
from thresher.records import Assignment, Dealt, Purpose, Review, Stage
from thresher.store.contract import Bounds, Store, every_assignment


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
    assert store.work.asked("car", "w1", "nobody").tolist() == [0, 1, 3, 4]
    assert store.work.asked("car").tolist() == []


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
    newest, second, first = store.work.of_worker("w1")
    assert store.work.seen_gold("car", "w1", before=newest.id).tolist() == [7, 8, 6]
    assert store.work.seen_gold("car", "w1", before=second.id).tolist() == [7, 8]
    assert store.work.seen_gold("car", "w1", before=first.id).tolist() == []
    assert store.work.asked("car", "w1").tolist() == [0, 1, 2]


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
