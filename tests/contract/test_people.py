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
