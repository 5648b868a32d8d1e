"""A task whose places are closed is dealt to nobody further and ends with the votes that it has."""

from tests.contract.things import answers, category, deal, miscounted, publish, take

from thresher.records import NewAsk, Purpose, Review, Stage
from thresher.store.contract import Store


def test_a_task_with_votes_ends_with_those_it_has_where_its_places_are_closed(store: Store) -> None:
    category(store, 9)
    task, untaken = publish(store, [0, 1], places=3), publish(store, [2])
    first, second = (deal(store, worker) for worker in ("w1", "w2"))
    store.work.send(first.id, answers(first), 200)
    store.work.review(first.id, Review(Stage.ACCEPTED, "", 210))
    assert store.asks.close(task.number)
    assert not store.asks.close(task.number)
    assert store.asks.open_counts("car", 1) == {"learn": 3}  # one holds it still
    store.work.send(second.id, answers(second), 220)
    store.work.review(second.id, Review(Stage.ACCEPTED, "", 230))
    assert store.asks.open_counts("car", 1) == {"learn": 1}
    assert deal(store, "w3").task == untaken.number
    assert miscounted(store) == []


def test_a_task_that_nobody_has_taken_ends_without_votes_where_its_places_are_closed(store: Store) -> None:
    category(store, 9)
    task, other = publish(store, [0, 1], places=2), publish(store, [2])
    assert store.asks.close(task.number)
    assert not store.asks.close(task.number)
    assert store.asks.open_counts("car", 1) == {"learn": 1}
    assert store.categories.tally("car").tasks_open == 1
    assert store.asks.untaken("car", 1, 9) == [other]
    assert deal(store).task == other.number
    assert store.asks.wish("car", 1, [NewAsk(0, Purpose.LEARN)]) == 1  # it may be asked about again
    assert miscounted(store) == []


def test_a_place_that_is_given_back_is_free_again_although_the_others_were_closed(store: Store) -> None:
    category(store, 9)
    task = publish(store, [0, 1], places=3)
    held = deal(store)
    assert store.asks.close(task.number)
    assert take(store, "w2") is None
    store.work.give_back(held.id, 200)
    assert store.asks.untaken("car", 1, 9) == [store.asks.task(task.number)]
    assert deal(store, "w2").task == task.number
    assert take(store, "w3") is None
    assert store.asks.untaken("car", 1, 9, partly=True) == []
    assert miscounted(store) == []


def test_a_task_whose_votes_are_all_in_ends_at_once_where_its_places_are_closed(store: Store) -> None:
    category(store, 9)
    task = publish(store, [0, 1], places=3)
    first = deal(store)
    store.work.send(first.id, answers(first), 200)
    store.work.review(first.id, Review(Stage.ACCEPTED, "", 210))
    assert store.asks.close(task.number)
    assert store.asks.open_counts("car", 1) == {}
    assert store.categories.tally("car").tasks_open == 0
    assert take(store, "w2") is None
    assert len(store.labels.votes("car", 1)) == 2
    assert miscounted(store) == []
