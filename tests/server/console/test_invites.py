"""Invites over HTTP, and the links in them."""

from tests.server.people import Pool
from tests.serving import Served

from thresher.client import WorkerClient
from thresher.settings import Settings
from thresher.store.contract import Store


def test_an_invite_carries_its_note_and_a_link_that_works(server: Served) -> None:
    made = server.console.add_invite("car", "for the students")
    assert (made.category, made.note, made.revoked) == ("car", "for the students", False)
    assert made.link.startswith(f"{server.url}/join/")
    assert server.console.invites() == [made]
    assert WorkerClient.join(made.link).me().offers[0].category == "car"


def test_a_public_address_stands_in_every_link(store: Store, small: Settings, pool: Pool) -> None:
    from tests.serving import serving

    with serving(store, small.but(public_url="https://labels.example.org/")) as served:
        assert served.console.add_invite().link.startswith("https://labels.example.org/join/")
        assert served.console.owner_link("car").startswith("https://labels.example.org/work#t=")
