"""Refusals over HTTP."""

from tests.serving import Served

from thresher.records import Refusal
from thresher.store.contract import Store


def test_refusals_are_counted_and_listed_page_by_page(server: Served, store: Store) -> None:
    store.categories.refuse(
        "car", [Refusal(f"{number}.jpg", "empty" if number % 2 else "no picture", "why", 7) for number in range(5)]
    )
    first = server.console.refusals("car", limit=3)
    assert first.counts == {"empty": 2, "no picture": 3}
    assert first.after is not None
    second = server.console.refusals("car", after=first.after, limit=3)
    assert [refusal.name for refusal in first.refusals + second.refusals] == [f"{number}.jpg" for number in range(5)]
    assert second.after is None
