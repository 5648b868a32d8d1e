"""`thresher people`: the annotators, and what their owner decides about them."""

import json
from pathlib import Path

import pytest
from tests.cli.commands import is_one_clear_line, thresher

from thresher.records import Category, Invite, Question, Worker
from thresher.settings import read_settings
from thresher.store import open_store
from thresher.store.contract import Store

ANN, BEN = "01a21dc9-9fa1-749a-9cb7-0259381aaaaa", "01a21dc9-9fa1-749a-9cb7-0259381bbbbb"


@pytest.fixture
def place(store: Store) -> Path:
    """A workspace in which Ann and somebody without a name share a tablet, and Ann waits for the owner."""
    store.categories.create(Category("car", Question(1, "Is this a car?")))
    store.people.invite(Invite("i", "", "", 1))
    store.people.add(Worker("owner", "", True, "", 1))
    for name, called in ((ANN, "Ann"), (BEN, "")):
        store.people.add(Worker(name, called, False, "i", 2, address="hash"))
        store.people.seen(name, "tablet", 3)
    store.people.wait(store.people.get(ANN), 4)
    return Path(store.place)


def worker(place: Path, name: str) -> Worker:
    opened = open_store(str(place), read_settings(place))
    found = opened.people.get(name)
    opened.close()
    return found


def test_people_are_listed_with_what_the_owner_should_know(place: Path) -> None:
    done = thresher("people", at=place)
    assert "waiting" in done.stdout
    assert "1 person waits for you. Next: thresher people admit ID" in done.stdout
    ann, ben = json.loads(thresher("people", "--json", at=place).stdout)
    assert (ann["person"], ann["work"], ann["same device"], ann["same address"]) == (ANN, "waiting", 1, 1)
    assert (ben["name"], ben["work"], ben["sent"]) == ("", "free", 0)


def test_people_and_status_say_that_the_gate_is_provisional(place: Path) -> None:
    assert "1 person gets no more tasks until you decide. Next: thresher people" in thresher("status", at=place).stdout
    for command in ("people", "status"):
        # as the terminal wraps it
        said = " ".join(thresher(command, at=place).stdout.split())
        assert "car: The gate is provisional: it needs 20 more yes and 20 more no gold" in said
    assert json.loads(thresher("status", "--json", at=place).stdout)[0]["gate"].startswith("The gate is provisional")
    assert json.loads(thresher("people", "--json", at=place).stdout)[0]["provisional"] == 0


def test_a_person_is_excluded_with_a_reason_and_let_in_again(place: Path) -> None:
    done = thresher("people", "exclude", "bbbbb", "--reason", "sold the link", at=place)
    assert done.stdout.startswith(f"Excluded {BEN[-8:]}.")
    assert worker(place, BEN).excluded_why == "sold the link"
    assert json.loads(thresher("people", "--json", at=place).stdout)[1]["reason"] == "sold the link"
    for person in (BEN, ANN):
        thresher("people", "admit", person, at=place)
        assert (worker(place, person).excluded_ms, worker(place, person).waits_ms) == (0, 0)
    assert "waits" not in thresher("people", at=place).stdout


def test_whom_nobody_knows_or_two_could_be_is_nobody(place: Path) -> None:
    assert is_one_clear_line(thresher("people", "admit", "zzz", at=place), "nobody has an id", "thresher people")
    assert is_one_clear_line(thresher("people", "admit", "", at=place), "2 people have an id")
    assert is_one_clear_line(thresher("people", "exclude", "aaaaa", "--reason", " ", at=place), "--reason is empty")


def test_an_invite_is_listed_and_revoked_and_reaches_those_who_came_by_it(place: Path) -> None:
    made = json.loads(thresher("invite", "--category", "car", "--note", "class 3", "--json", at=place).stdout)
    new, old = json.loads(thresher("invite", "list", "--json", at=place).stdout)
    assert (new["category"], new["note"], new["people"], new["state"]) == ("car", "class 3", 0, "open")
    assert new["link"] == made["link"]
    assert (old["invite"], old["category"], old["people"]) == ("i", "", 2)
    done = thresher("invite", "revoke", "i", at=place)
    assert done.stdout.startswith("Revoked i. 2 people who came by it get no more tasks")
    people = json.loads(thresher("people", "--json", at=place).stdout)
    assert {(one["work"], one["invite"]) for one in people} == {("closed", "i")}
    listed = thresher("invite", "list", at=place).stdout
    assert ("revoked" in listed, "open" in listed, new["invite"][-8:] in listed) == (True, True, True)
    assert "nothing changed" in thresher("invite", "revoke", "i", at=place).stdout
    assert "until you decide" not in thresher("status", at=place).stdout  # nobody waits who gets nothing anyway
    thresher("people", "admit", ANN, at=place)
    assert json.loads(thresher("people", "--json", at=place).stdout)[0]["work"] == "free"


def test_an_invite_that_is_none_or_two_is_not_revoked(place: Path) -> None:
    thresher("invite", at=place)
    assert is_one_clear_line(thresher("invite", "revoke", "zzz", at=place), "no invite has", "thresher invite list")
    assert is_one_clear_line(thresher("invite", "revoke", "", at=place), "2 invites have an id")
    with_no_address = thresher("invite", "list", "--json", at=place, THRESHER_PORT="0")
    assert [one["link"] for one in json.loads(with_no_address.stdout)] == ["", ""]
