import threading
from dataclasses import replace

import pytest

from thresher.errors import NotFound
from thresher.records import Job, RunningServer
from thresher.store.contract import Store


def job(name: str, **changes: object) -> Job:
    fields: dict[str, object] = {
        "id": name, "kind": "harvest", "category": "car", "arguments": {"folder": "x", "at": 3}, "state": "running",
        "host": "here", "pid": 7, "created_ms": 10, "heartbeat_ms": 10,
    }  # fmt: skip
    return Job(**{**fields, **changes})  # type: ignore[arg-type]  # the fields are those of the record


def test_a_job_reports_its_progress_and_its_end(store: Store) -> None:
    store.jobs.start(job("j1"))
    assert store.jobs.get("j1") == job("j1")
    assert store.jobs.beat("j1", 20, done=5, total=9, message="half") is False
    assert store.jobs.get("j1") == job("j1", heartbeat_ms=20, done=5, total=9, message="half")
    store.jobs.finish("j1", "done", "all of it", 30)
    ended = store.jobs.get("j1")
    assert (ended.state, ended.message, ended.heartbeat_ms, ended.done) == ("done", "all of it", 30, 5)


def test_a_job_hears_at_its_heartbeat_that_it_is_to_stop(store: Store) -> None:
    store.jobs.start(job("j1"))
    store.jobs.cancel("j1")
    assert store.jobs.beat("j1", 20, done=0, total=0, message="") is True
    assert store.jobs.get("j1").cancel


def test_the_newest_jobs_come_first(store: Store) -> None:
    for name in ("1", "3", "2"):
        store.jobs.start(job(name))
    assert [each.id for each in store.jobs.all()] == ["3", "2", "1"]
    assert [each.id for each in store.jobs.all(limit=2)] == ["3", "2"]


def test_a_job_nobody_started_is_not_found(store: Store) -> None:
    for ask in (
        lambda: store.jobs.get("x"),
        lambda: store.jobs.cancel("x"),
        lambda: store.jobs.finish("x", "done", "", 1),
        lambda: store.jobs.beat("x", 1, done=0, total=0, message=""),
    ):
        with pytest.raises(NotFound):
            ask()


def test_a_lease_has_one_owner_until_it_runs_out(store: Store) -> None:
    assert store.jobs.lease("loop/car", "a", 100, 50)
    assert store.jobs.leased("loop/car", 149)
    assert not store.jobs.leased("loop/car", 150)
    assert not store.jobs.lease("loop/car", "b", 149, 50)
    assert store.jobs.lease("loop/car", "a", 120, 50)
    assert not store.jobs.lease("loop/car", "b", 169, 50)
    assert store.jobs.lease("loop/car", "b", 170, 50)
    assert not store.jobs.lease("loop/car", "a", 171, 50)
    assert store.jobs.lease("loop/dog", "a", 171, 50)


def test_a_lease_is_given_back_by_its_owner_only(store: Store) -> None:
    store.jobs.lease("loop/car", "a", 100, 50)
    store.jobs.release("loop/car", "b")
    assert not store.jobs.lease("loop/car", "b", 110, 50)
    store.jobs.release("loop/car", "a")
    assert not store.jobs.leased("loop/car", 110)
    assert store.jobs.lease("loop/car", "b", 110, 50)


def test_of_many_who_want_a_lease_one_gets_it(store: Store, another: Store) -> None:
    got: list[str] = []

    def want(opened: Store, name: str) -> None:
        if opened.jobs.lease("loop/car", name, 100, 50):
            got.append(name)

    threads = [threading.Thread(target=want, args=((store, another)[n % 2], str(n))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_servers_are_kept_by_id_and_the_one_started_last_comes_first(store: Store, another: Store) -> None:
    first = RunningServer("s1", "http://a:1", "here", 7, started_ms=10, heartbeat_ms=10)
    second = RunningServer("s2", "http://b:2", "there", 8, started_ms=20, heartbeat_ms=20)
    for server in (first, second, first):
        store.servers.keep(server)
    assert another.servers.all() == [second, first]
    again = replace(first, heartbeat_ms=30)
    another.servers.keep(again)
    assert store.servers.all() == [second, again]
    store.servers.drop("s2")
    store.servers.drop("s2")
    assert another.servers.all() == [again]
