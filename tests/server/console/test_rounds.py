"""Rounds over HTTP."""

from tests.server.people import Pool, add_pictures, add_round
from tests.serving import Served

from thresher.store.contract import Store


def test_a_round_is_shown_with_its_counts(server: Served, store: Store, pool: Pool) -> None:
    assert server.console.rounds("car") == []
    add_round(store, pool)
    (done,) = server.console.rounds("car")
    assert (done.number, done.yes, done.no, done.unknown, done.lower, done.upper) == (1, 8, 8, 16, 8.0, 24.0)
    assert done.measures == {"average_precision": 0.9}
    category = server.console.category("car")
    assert (category.yes, category.no, category.unknown, category.rounds) == (8, 8, 16, 1)
    add_pictures(store, "car", 3, first_seed=900)
    assert server.console.category("car").unknown == 19
