"""Workers over HTTP."""

from tests.server.people import Pool, add_category, answer
from tests.serving import Served

from thresher.client import WorkerClient
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
