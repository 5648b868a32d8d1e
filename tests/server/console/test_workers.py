"""Workers over HTTP."""

from tests.contract.things import finish
from tests.counting import counted
from tests.server.people import Pool, add_category, answer
from tests.serving import Served, serving

from thresher.client import WorkerClient
from thresher.records import Worker
from thresher.settings import Settings
from thresher.store.contract import Store


def test_a_worker_is_shown_with_gold_and_tempo(server: Served, worker: WorkerClient, store: Store, pool: Pool) -> None:
    work = worker.deal("car")
    assert work is not None
    (before,) = server.console.workers()
    assert (before.assignments, before.seconds, before.name) == (0, None, "Ada")
    answer(worker, work, store, pool)
    (after,) = server.console.workers("car")
    assert (after.assignments, after.accepted, after.rejected, after.answers) == (1, 1, 0, 18)
    assert (after.gold_right, after.gold_shown, after.seconds) == (8, 8, 1.5)
    assert server.console.workers() == [after]


def test_a_worker_is_shown_only_where_they_worked(server: Served, worker: WorkerClient, store: Store) -> None:
    add_category(store, "dog")
    worker.deal("car")
    assert server.console.workers("dog") == []
    assert len(server.console.workers("car")) == 1


def test_the_workers_are_read_by_pages_of_assignments_and_not_one_by_one(
    store: Store, small: Settings, pool: Pool
) -> None:
    watched, calls = counted(store)
    people = [Worker(f"w{number}", f"Person {number}", False, "", number) for number in range(9)]
    for person in people:
        store.people.add(person)
    first, second = (finish(store, person.id, now_ms=number) for number, person in enumerate(people[:2], 100))
    assert {first.task, second.task} <= {task.number for task in store.asks.tasks(pool.name, 0, 9)}
    with serving(watched, small) as server:
        calls.clear()
        found = server.console.workers()
        assert calls.total() < len(people)
        here = server.console.workers(pool.name)
    assert [(worker.name, worker.assignments, worker.answers) for worker in here] == [
        ("Person 0", 1, 10),
        ("Person 1", 1, 10),
    ]
    assert [worker for worker in found if worker.assignments] == here
    assert len(found) == len(people)
