import threading

import pytest
from tests.contract.things import category, finish, publish, take, wishes

from thresher.errors import BadInput, NotFound
from thresher.records import NewAsk, NewTask, Purpose, Stage, Task, TaskKind
from thresher.store.contract import Store


def test_a_withdrawn_task_frees_its_asks_and_its_number_is_never_given_again(store: Store) -> None:
    category(store, 4)
    task = publish(store, [0, 1], places=2)
    assert store.asks.withdraw(task.number)
    assert not store.asks.withdraw(task.number)
    assert take(store) is None
    there = store.asks.task(task.number)
    assert (there.places, there.rows) == (0, ())
    assert store.categories.tally("car").tasks_open == 0
    assert [ask.row for ask in store.asks.waiting("car", 1, 9)] == [0, 1]
    again = publish(store, [0, 1])
    assert again.number > task.number
    taken = take(store)
    assert taken is not None
    assert taken.task == again.number
    assert not store.asks.withdraw(again.number)


def test_untaken_tasks_are_those_that_somebody_could_take_and_nobody_has(store: Store) -> None:
    category(store, 5)
    numbers = [publish(store, [row], places=2).number for row in range(3)]
    publish(store, [4], purpose=Purpose.ADJUDICATE)
    assert take(store) is not None
    assert store.asks.withdraw(numbers[1])
    assert [task.number for task in store.asks.untaken("car", 1, 9)] == numbers[2:]
    assert store.asks.untaken("car", 1, 0) == []


def test_each_part_of_an_ask_is_an_ask_of_its_own(store: Store) -> None:
    category(store, 2)
    parts = [NewAsk(0, Purpose.LEARN, part=part) for part in (0, 1)]
    assert store.asks.wish("car", 1, parts) == 2
    assert store.asks.wish("car", 1, parts) == 0
    waiting = store.asks.waiting("car", 1, 9)
    assert [(ask.row, ask.part) for ask in waiting] == [(0, 0), (0, 1)]
    assert store.asks.open_rows("car", 1).tolist() == [0]
    for ask in waiting:
        made = store.asks.publish("car", 1, NewTask("one", [ask.id], 10))
        assert made is not None
        assert [(carried.row, carried.part) for carried in store.asks.of_task(made.number)] == [(0, ask.part)]
    assert finish(store, "w1")
    assert take(store, "w1") is None
    assert finish(store, "w2")
    assert store.asks.open_rows("car", 1).tolist() == []
    assert store.asks.wish("car", 1, parts) == 2


def test_open_rows_are_those_of_the_purposes_wanted(store: Store) -> None:
    category(store, 3)
    store.asks.wish("car", 1, [NewAsk(0, Purpose.LEARN), NewAsk(1, Purpose.AUDIT_RECALL), NewAsk(2, Purpose.UPLOAD)])
    assert store.asks.open_rows("car", 1, [Purpose.AUDIT_RECALL, Purpose.UPLOAD]).tolist() == [1, 2]


def test_a_task_keeps_the_gold_that_it_names(store: Store) -> None:
    category(store, 3)
    store.asks.wish("car", 1, [NewAsk(0, Purpose.UPLOAD)])
    (ask,) = store.asks.waiting("car", 1, 9)
    made = store.asks.publish("car", 1, NewTask("list", [ask.id], 10, gold=[2, 1]))
    assert made is not None
    assert made.gold == store.asks.task(made.number).gold == (2, 1)


def waiting(store: Store, *, owner_only: bool = False) -> list[int]:
    return [ask.row for ask in store.asks.waiting("car", 1, 100, owner_only=owner_only)]


def test_wishes_wait_by_priority_then_draw_then_age(store: Store) -> None:
    category(store, 6)
    asks = [
        NewAsk(0, Purpose.LEARN, priority=1.0),
        NewAsk(1, Purpose.AUDIT_RECALL, priority=2.0, draw=9),
        NewAsk(2, Purpose.MIDDLE, priority=2.0, draw=3, epoch=1, votes_wanted=2),
        NewAsk(3, Purpose.LEARN, priority=1.0),
    ]
    assert store.asks.wish("car", 1, asks) == 4
    found = store.asks.waiting("car", 1, 3)
    assert [ask.row for ask in found] == [2, 1, 0]
    first = found[0]
    assert (first.purpose, first.votes_wanted, first.epoch, first.draw, first.task) == (Purpose.MIDDLE, 2, 1, 3, None)


def test_a_wish_like_an_open_one_is_left_out(store: Store) -> None:
    category(store, 3)
    assert store.asks.wish("car", 1, wishes([0, 1])) == 2
    assert store.asks.wish("car", 1, wishes([1, 2])) == 1
    assert store.asks.wish("car", 1, wishes([1], Purpose.MIDDLE)) == 1
    assert store.asks.wish("car", 1, [NewAsk(1, Purpose.LEARN, epoch=1)]) == 1
    assert store.asks.open_counts("car", 1) == {"learn": 4, "middle": 1}
    assert store.asks.open_rows("car", 1).tolist() == [0, 1, 2]


def test_a_wish_may_be_repeated_once_its_votes_are_in(store: Store) -> None:
    category(store, 2)
    publish(store, [0])
    assert store.asks.wish("car", 1, wishes([0])) == 0
    finish(store)
    assert store.asks.open_counts("car", 1) == {}
    assert store.asks.wish("car", 1, wishes([0])) == 1


def test_an_ask_whose_asker_has_not_seen_the_newest_votes_is_left_out(store: Store) -> None:
    category(store, 4)
    publish(store, [0, 1], places=2)
    unseen = wishes([0, 2], Purpose.MIDDLE, votes_seen=0)
    assert store.asks.wish("car", 1, unseen) == 1  # row 0 has an open ask, for another purpose
    finish(store, "w1")
    finish(store, "w2")
    assert store.asks.open_rows("car", 1).tolist() == [2]
    assert store.asks.wish("car", 1, wishes([0, 1, 3], votes_seen=1)) == 1  # they have two votes by now
    assert store.asks.wish("car", 1, wishes([0, 1, 3], votes_seen=2)) == 2
    assert store.asks.wish("car", 1, wishes([0, 0], Purpose.MIDDLE, votes_seen=2)) == 0
    assert store.asks.wish("car", 1, wishes([0], Purpose.UPLOAD)) == 1  # the owner named it
    store.categories.reword("car", "Now?", "", 9)
    twice = [*wishes([0], votes_seen=0), *wishes([0], Purpose.MIDDLE, votes_seen=0)]
    assert store.asks.wish("car", 2, twice) == 1  # votes of another version are other votes


def test_of_many_who_ask_about_the_same_rows_at_once_one_does(store: Store, another: Store) -> None:
    category(store, 30)
    purposes = [Purpose.LEARN, Purpose.MIDDLE, Purpose.MINE_GOLD, Purpose.ADJUDICATE]
    started = threading.Barrier(4)

    def ask(opened: Store, purpose: Purpose) -> None:
        started.wait()
        for row in range(30):
            opened.asks.wish("car", 1, wishes([row], purpose, votes_seen=0))

    threads = [threading.Thread(target=ask, args=(s, p)) for s, p in zip((store, another) * 2, purposes, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(store.asks.open_counts("car", 1).values()) == 30
    assert store.asks.open_rows("car", 1).tolist() == list(range(30))


def test_an_ask_needs_an_image(store: Store) -> None:
    category(store, 1)
    with pytest.raises(NotFound):
        store.asks.wish("car", 1, wishes([0, 5]))
    assert store.asks.open_counts("car", 1) == {}


def test_a_further_part_is_kept_only_beside_its_first(store: Store) -> None:
    category(store, 2)
    part = [NewAsk(0, Purpose.LEARN, part=number, votes_seen=0) for number in (0, 1)]
    assert store.asks.wish("car", 1, part[1:]) == 0
    assert store.asks.wish("car", 1, part[:1]) == 1
    assert store.asks.wish("car", 1, part) == 1  # of two that ask at once, the first part comes from one of them
    assert store.asks.wish("car", 1, [NewAsk(0, Purpose.MIDDLE, part=1, votes_seen=0)]) == 0
    assert [(ask.row, ask.part) for ask in store.asks.waiting("car", 1, 10)] == [(0, 0), (0, 1)]


def test_what_the_owner_is_asked_waits_apart(store: Store) -> None:
    category(store, 4)
    store.asks.wish("car", 1, wishes([0], Purpose.ADJUDICATE) + wishes([1], Purpose.MINE_GOLD) + wishes([2]))
    assert waiting(store) == [2]
    assert sorted(waiting(store, owner_only=True)) == [0, 1]


def test_versions_keep_their_asks_apart(store: Store) -> None:
    category(store, 2)
    store.categories.reword("car", "Now?", "", 9)
    store.asks.wish("car", 1, wishes([0]))
    store.asks.wish("car", 2, wishes([0, 1]))
    assert waiting(store) == [0]
    assert store.asks.open_counts("car", 2) == {"learn": 2}
    assert store.categories.tally("car").asks_open == {"learn": 2}


def test_a_published_task_carries_its_asks_in_order(store: Store) -> None:
    category(store, 4)
    store.asks.wish("car", 1, wishes([3, 0, 2]))
    asks = [ask.id for ask in store.asks.waiting("car", 1, 10)]
    task = store.asks.publish("car", 1, NewTask("first", asks, 70, places=2))
    assert task is not None
    assert task == Task(task.number, "car", 1, "first", (3, 0, 2), 2, 0, 0, False, 70)
    assert store.asks.task(task.number) == task
    carried = store.asks.of_task(task.number)
    assert [(ask.row, ask.id, ask.task) for ask in carried] == [
        (row, ask, task.number) for row, ask in zip((3, 0, 2), asks, strict=True)
    ]
    assert waiting(store) == []
    assert store.categories.tally("car").tasks_open == 1


def test_a_task_carries_its_kind(store: Store) -> None:
    category(store, 4)
    store.asks.wish("car", 1, wishes([0, 1]))
    asks = [ask.id for ask in store.asks.waiting("car", 1, 10)]
    single = store.asks.publish("car", 1, NewTask("a", asks[:1], 1))
    sweep = store.asks.publish("car", 1, NewTask("b", asks[1:], 1, kind=TaskKind.SWEEP))
    assert single is not None
    assert sweep is not None
    assert (single.kind, sweep.kind) == (TaskKind.SINGLE, TaskKind.SWEEP)
    assert store.asks.tasks("car", 0, 10) == [single, sweep]
    assert store.work.offer("car", 1, "w1", owner=False) == single


def test_a_task_is_published_whole_or_not_at_all(store: Store) -> None:
    category(store, 4)
    store.asks.wish("car", 1, wishes([0, 1, 2]))
    asks = [ask.id for ask in store.asks.waiting("car", 1, 10)]
    assert store.asks.publish("car", 1, NewTask("a", asks[:2], 1)) is not None
    assert store.asks.publish("car", 1, NewTask("b", asks[1:], 1)) is None
    assert waiting(store) == [2]
    assert [task.name for task in store.asks.tasks("car", 0, 10)] == ["a"]


def test_a_task_has_a_bounded_size_and_each_image_once(store: Store) -> None:
    category(store, 111)
    store.asks.wish("car", 1, wishes(range(111)) + wishes([0], Purpose.MIDDLE))
    asks = [ask.id for ask in store.asks.waiting("car", 1, 200)]
    twice = [ask.id for ask in store.asks.waiting("car", 1, 200) if ask.row == 0]
    for wrong, places in ((asks[:111], 1), ([], 1), (asks[:1], 0), (twice, 1)):
        with pytest.raises(BadInput):
            store.asks.publish("car", 1, NewTask("x", wrong, 1, places=places))
    assert len(twice) == 2
    assert store.asks.tasks("car", 0, 10) == []


def test_tasks_are_paged_by_number(store: Store) -> None:
    category(store, 5)
    numbers = [publish(store, [row]).number for row in range(5)]
    assert numbers == sorted(numbers)
    assert [task.number for task in store.asks.tasks("car", 0, 2)] == numbers[:2]
    assert [task.number for task in store.asks.tasks("car", numbers[1], 10)] == numbers[2:]


def test_a_task_nobody_published_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.asks.task(5)
    with pytest.raises(NotFound):
        store.asks.of_task(5)


def test_asks_stay_open_until_every_place_is_reviewed_well(store: Store) -> None:
    category(store, 3)
    task = publish(store, [0, 1], places=2)
    finish(store, "w1")
    assert store.asks.open_counts("car", 1) == {"learn": 2}
    finish(store, "w2", verdict=Stage.REJECTED)
    assert store.asks.open_counts("car", 1) == {"learn": 2}
    finish(store, "w3", verdict=Stage.WEIGHTED)
    assert store.asks.open_counts("car", 1) == {}
    assert store.asks.open_rows("car", 1).tolist() == []
    done = store.asks.task(task.number)
    assert (done.taken, done.done) == (2, 2)
    assert store.categories.tally("car").tasks_open == 0


def test_two_who_publish_at_once_never_share_an_ask(store: Store, another: Store) -> None:
    category(store, 40)
    store.asks.wish("car", 1, wishes(range(40)))
    asks = [ask.id for ask in store.asks.waiting("car", 1, 100)]
    published: list[Task] = []

    def run(opened: Store) -> None:
        for start in range(0, 40, 4):
            task = opened.asks.publish("car", 1, NewTask("x", asks[start : start + 4], 1))
            if task:
                published.append(task)

    threads = [threading.Thread(target=run, args=(opened,)) for opened in (store, another, store)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row for task in published for row in task.rows) == list(range(40))
    assert len(store.asks.tasks("car", 0, 100)) == 10
