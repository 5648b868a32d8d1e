import threading
from dataclasses import replace

import pytest

from thresher.errors import NotFound
from thresher.records import Invite, Worker
from thresher.store.contract import Store


def test_invites_are_listed_newest_first_and_revoked_once(store: Store) -> None:
    first, second = Invite("a", "car", "for the lab", 10), Invite("b", "", "", 20)
    store.people.invite(first)
    store.people.invite(second)
    assert store.people.invites() == [second, first]
    store.people.revoke("a", 30)
    store.people.revoke("a", 40)
    assert store.people.get_invite("a") == Invite("a", "car", "for the lab", 10, 30)
    assert store.people.get_invite("b") == second


def test_a_worker_is_added_once(store: Store) -> None:
    worker, owner = Worker("w1", "Ada", False, "a", 10), Worker("b0", "", True, "", 5)
    store.people.add(worker)
    store.people.add(owner)
    store.people.add(Worker("w1", "Somebody else", True, "x", 99))
    assert store.people.get("w1") == worker
    assert store.people.all() == [owner, worker]


def test_the_workers_of_an_invite_are_counted(store: Store) -> None:
    for number in range(3):
        store.people.add(Worker(f"w{number}", "", False, "a" if number else "b", 10))
    assert [store.people.joined(invite) for invite in "abc"] == [2, 1, 0]


def test_whom_nobody_added_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.people.get("w1")
    with pytest.raises(NotFound):
        store.people.get_invite("a")


def worker(store: Store, name: str, **fields: object) -> Worker:
    made = replace(Worker(name, "", False, "a", 10), **fields)  # type: ignore[arg-type]  # -- fields of Worker
    store.people.add(made)
    return made


def test_who_came_last_is_found_by_invite_and_by_address(store: Store) -> None:
    for number in range(6):
        worker(store, f"w{number}", invite="ab"[number % 2], address="xyz"[number % 3], created_ms=100 - number)
    assert [one.id for one in store.people.came(2, invite="a")] == ["w0", "w2"]
    assert [one.id for one in store.people.came(9, address="y")] == ["w1", "w4"]
    assert store.people.came(9, address="nowhere") == []


def test_a_worker_is_excluded_once_and_let_in_again(store: Store) -> None:
    worker(store, "w1")
    store.people.exclude("w1", "sold the link", 20)
    store.people.exclude("w1", "another reason", 30)
    found = store.people.get("w1")
    assert (found.excluded_ms, found.excluded_why) == (20, "sold the link")
    store.people.admit("w1", 40)
    store.people.admit("w1", 40)
    found = store.people.get("w1")
    assert (found.excluded_ms, found.excluded_why, found.cleared_ms) == (0, "", 40)
    with pytest.raises(NotFound):
        store.people.exclude("nobody", "", 1)
    with pytest.raises(NotFound):
        store.people.admit("nobody", 1)


def test_a_late_gate_does_not_undo_what_the_owner_decided(store: Store, another: Store) -> None:
    before = worker(store, "w1")
    store.people.wait(before, 20)
    store.people.wait(before, 25)
    assert another.people.get("w1").waits_ms == 20
    another.people.admit("w1", 30)
    store.people.wait(before, 35)
    assert store.people.get("w1").waits_ms == 0
    store.people.wait(store.people.get("w1"), 40)
    assert store.people.get("w1").waits_ms == 40


def test_people_who_share_a_device_are_alike(store: Store, another: Store) -> None:
    for device, name in (("d1", "w1"), ("d1", "w2"), ("d2", "w2"), ("d2", "w3"), ("d3", "w4"), ("d1", "w1")):
        store.people.seen(name, device, 10)
        another.people.seen(name, device, 20)
    assert [store.people.alike(name) for name in ("w1", "w2", "w3", "w4", "w5")] == [
        ("w2",), ("w1", "w3"), ("w2",), (), (),
    ]  # fmt: skip
    assert another.people.devices() == {
        "w1": frozenset({"d1"}), "w2": frozenset({"d1", "d2"}), "w3": frozenset({"d2"}), "w4": frozenset({"d3"}),
    }  # fmt: skip


def test_no_worker_fills_the_disk_with_devices(store: Store) -> None:
    for number in range(40):
        store.people.seen("w1", f"d{number:02}", number)
    assert len(store.people.devices()["w1"]) == 20


def test_one_person_joins_at_two_servers_at_once(store: Store, another: Store) -> None:
    threads = [
        threading.Thread(target=opened.people.seen, args=(name, "d1", 10))
        for opened in (store, another)
        for name in ("w1", "w2")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.people.alike("w1") == ("w2",)
