"""Joining by an invite: one client is not everybody, and many behind one address are."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.server.conftest import Clock
from tests.server.people import Pool, add_pool
from tests.serving import Served, serving

from thresher.client import WorkerClient
from thresher.errors import BadSetting
from thresher.server.app import create_app
from thresher.server.joining import networks
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store

JOINS = 6


@pytest.fixture
def limited(store: Store, small: Settings, pool: Pool, clock: Clock) -> Iterator[Served]:
    with serving(store, small.but(joins_address=JOINS, proxies="127.0.0.1"), clock=clock) as served:
        yield served


def join(served: Served, link: str, *, device: str = "", forwarded: str = "") -> httpx.Response:
    body = {"invite": link.rpartition("/join/")[2], "name": "Ada", "device": device}
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return served.http.post("/api/work/join", json=body, headers=headers)


def token(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def deal(served: Served, worker: str, *, device: str = "", category: str = "car") -> httpx.Response:
    body = {"category": category, "device": device}
    return served.http.post("/api/work/assignments", json=body, headers={"Authorization": f"Bearer {worker}"})


def places(store: Store, small: Settings, count: int) -> None:
    """A category "big" with tasks of `count` places in all, two an image, as two votes take."""
    add_pool(store, small, "big", asked=10 * count // 2, votes=2)
    assert sum(task.places for task in store.asks.tasks("big", 0, 100)) == count


def test_eleven_joins_of_one_client_at_once_do_not_take_every_place(
    limited: Served, store: Store, small: Settings
) -> None:
    places(store, small, 10)
    link = limited.console.add_invite("big").link
    answers: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(join(limited, link))) for _ in range(11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    came = [token(one) for one in answers if one.status_code == 200]
    refused = [one for one in answers if one.status_code != 200]
    assert (len(came), {one.status_code for one in refused}) == (JOINS, {503})
    assert all(1 <= int(one.headers["Retry-After"]) <= 60 for one in refused)
    assert sum(deal(limited, worker, category="big").status_code == 200 for worker in came) <= JOINS < 10
    assert len(store.people.all()) == JOINS


def test_a_browser_that_joins_again_and_again_is_one_person(
    store: Store, small: Settings, pool: Pool, clock: Clock
) -> None:
    with serving(store, small, clock=clock) as served:
        places(store, small, 10)
        link = served.console.add_invite("big").link
        mark = join(served, link).json()["device"]
        people = [token(join(served, link, device=mark)) for _ in range(11)]
        taken = [
            work.json() for worker in people if (work := deal(served, worker, category="big", device=mark)).content
        ]
        assert len(taken) == small.assignments_open == 3
        dealt = [one.task for one in store.work.page("big", "", 20)]
        assert len(set(dealt)) == len(dealt)  # no image twice


def test_a_laboratory_of_twelve_behind_one_address_gets_in_and_works(
    limited: Served, store: Store, small: Settings, clock: Clock
) -> None:
    places(store, small, 12)
    link = limited.console.add_invite("big").link
    waiting, came = 12, []
    for _minute in range(2):
        while waiting and (answer := join(limited, link, forwarded="198.51.100.7")).status_code == 200:
            came.append(answer)
            waiting -= 1
        clock.pass_minutes(1.01)
    assert waiting == 0
    marks = {one.json()["device"] for one in came}
    works = [deal(limited, token(one), device=one.json()["device"], category="big") for one in came]
    assert (len(marks), [one.status_code for one in works]) == (12, [200] * 12)
    flags = {worker.same_address for worker in limited.console.workers()}
    assert flags == {11}  # for the owner's eyes, and nothing else


def test_others_join_while_one_address_is_full(limited: Served) -> None:
    link = limited.console.add_invite().link
    for number in range(JOINS):
        assert join(limited, link, forwarded=f"2001:db8::{number}").status_code == 200  # one household
    assert join(limited, link, forwarded="2001:db8::ffff").status_code == 503
    assert join(limited, link, forwarded="2001:db8:0:1::1").status_code == 200
    assert join(limited, link, forwarded="203.0.113.1").status_code == 200


def test_an_invite_brings_only_so_many_in_a_minute(store: Store, small: Settings, clock: Clock) -> None:
    with serving(store, small.but(joins_minute=4, proxies="127.0.0.1"), clock=clock) as served:
        link = served.console.add_invite().link
        status = [join(served, link, forwarded=f"203.0.113.{number}").status_code for number in range(5)]
        assert status == [200] * 4 + [503]
        assert join(served, served.console.add_invite().link, forwarded="203.0.113.9").status_code == 200
        clock.pass_minutes(1.01)
        assert join(served, link, forwarded="203.0.113.5").status_code == 200


def test_two_servers_count_the_same_joins(store: Store, small: Settings, pool: Pool) -> None:
    one_minute = small.but(joins_address=JOINS)
    again = open_store(store.place, small)
    with serving(store, one_minute) as first, serving(again, one_minute) as second:
        link = first.console.add_invite().link
        status = [join(served, link).status_code for served, _ in zip(itertools.cycle((first, second)), range(8))]
    again.close()
    assert status == [200] * JOINS + [503] * 2


@pytest.mark.parametrize(
    ("proxies", "forwarded", "believed"),
    [
        ("", "203.0.113.5", "127.0.0.1"),
        ("10.0.0.0/8", "203.0.113.5", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("127.0.0.1", "203.0.113.1, 203.0.113.5", "203.0.113.5"),  # what the client itself wrote stands before
        ("127.0.0.1, 10.0.0.0/8", "203.0.113.1, 203.0.113.5, 10.1.2.3", "203.0.113.5"),
        ("127.0.0.1", "203.0.113.5:4711", "203.0.113.5"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
    ],
)
def test_what_a_header_claims_is_believed_of_configured_proxies_only(
    store: Store, small: Settings, pool: Pool, proxies: str, forwarded: str, believed: str
) -> None:
    app = create_app(store, small.but(proxies=proxies))
    with serving(store, small, app=app) as served:
        token(join(served, served.console.add_invite().link, forwarded=forwarded))
    (made,) = store.people.all()
    assert made.address == app.state.desk.links.blinded(believed)
    assert "127.0.0.1" not in made.address


def test_a_list_of_proxies_that_is_none_is_told_at_the_start(store: Store, small: Settings) -> None:
    with pytest.raises(BadSetting, match=r"10\.0\.0\.300"):
        create_app(store, small.but(proxies="127.0.0.1, 10.0.0.300"))
    assert networks("") == ()


def test_no_address_is_stored_and_no_mark_says_who_keeps_it(limited: Served, store: Store) -> None:
    link = limited.console.add_invite().link
    first = join(limited, link, forwarded="198.51.100.7").json()
    second = join(limited, link, forwarded="198.51.100.7").json()
    assert first["device"] != second["device"]
    everything: list[Any] = [store.people.all(), store.people.devices()]
    assert "198.51.100.7" not in repr(everything)
    ids = [worker.id for worker in store.people.all()]
    assert not [mark for mark in (first["device"], second["device"]) if any(one in mark for one in ids)]


def test_a_forged_mark_is_as_good_as_none(limited: Served, store: Store) -> None:
    link = limited.console.add_invite().link
    mark = join(limited, link).json()["device"]
    value, _, signature = mark.rpartition(".")
    forged = f"{value}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    for other in (forged, "", "x" * 512, mark + "="):
        assert join(limited, link, device=other).json()["device"] not in (mark, other)
    assert all(len(store.people.alike(worker.id)) == 0 for worker in store.people.all())
    assert join(limited, link, device=mark).json()["device"] == mark
    assert sum(len(store.people.alike(worker.id)) for worker in store.people.all()) == 2


def test_a_personal_link_opened_in_a_browser_of_somebody_else_makes_them_one(limited: Served, store: Store) -> None:
    link = limited.console.add_invite().link
    first, second = join(limited, link).json(), join(limited, link).json()
    assert deal(limited, second["token"], device=first["device"]).json()["device"] == first["device"]
    one, other = (WorkerClient(limited.url, made["token"]) for made in (first, second))
    assert [worker.same_device for worker in limited.console.workers()] == [1, 1]
    assert one.me().offers != other.me().offers  # the second one holds what the first one is not asked any more
