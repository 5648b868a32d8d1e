"""The invite that a command makes once and finds again."""

from thresher.cli.invites import invite_of
from thresher.store.contract import Store


def test_a_command_finds_its_invite_again_and_each_category_has_its_own(store: Store) -> None:
    cars = invite_of("car", "made by a command", store=store)
    assert invite_of("car", "made by a command", store=store) == cars
    dogs = invite_of("dog", "made by a command", store=store)
    assert (cars.category, dogs.category) == ("car", "dog")
    assert len({cars.id, dogs.id, invite_of("car", "made by another", store=store).id}) == 3


def test_a_revoked_invite_is_made_anew(store: Store) -> None:
    first = invite_of("car", "made by a command", store=store)
    store.people.revoke(first.id, 5)
    again = invite_of("car", "made by a command", store=store)
    assert again.id != first.id
    assert not again.revoked_ms
