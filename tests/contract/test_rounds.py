import pytest
from tests.contract.things import category

from thresher.errors import AlreadyThere, Conflict, NotFound
from thresher.records import Counts, Release, Round, Thresholds
from thresher.store.contract import Store


def a_round(number: int, version: int = 1) -> Round:
    thresholds, counts = Thresholds(-1.25, float("inf")), Counts(3, 4, 5)
    column = f"scores/car/{number}"
    measures = {"accuracy": 0.9, "strength": 1e-3}
    return Round(
        number, "car", version, "lite0", column, thresholds, counts, 6, 7, measures, "head", 8, 0.5, ("yolo 0a1b",)
    )


def test_a_round_comes_back_as_it_was_added(store: Store) -> None:
    category(store)
    store.rounds.add(a_round(1), b"\0head")
    assert store.rounds.all("car") == [a_round(1)]
    assert store.rounds.head("car", 1) == b"\0head"


def test_the_latest_round_is_of_the_version_asked_for(store: Store) -> None:
    category(store)
    assert store.rounds.latest("car", 1) is None
    for number, version in ((1, 1), (2, 1), (3, 2)):
        store.rounds.add(a_round(number, version), b"")
    assert store.rounds.latest("car", 1) == a_round(2)
    assert store.rounds.latest("car", 2) == a_round(3, 2)


def test_a_number_is_given_once(store: Store) -> None:
    category(store)
    store.rounds.add(a_round(1), b"first")
    with pytest.raises(AlreadyThere):
        store.rounds.add(a_round(1), b"second")
    assert store.rounds.head("car", 1) == b"first"
    with pytest.raises(NotFound):
        store.rounds.head("car", 2)


def test_evidence_is_frozen(store: Store) -> None:
    category(store)
    store.rounds.keep_evidence("car", 2, "ranking", b"\1\2" * 1000)
    store.rounds.keep_evidence("car", 2, "ranking", b"\1\2" * 1000)
    store.rounds.keep_evidence("car", 1, "seed", b"")
    with pytest.raises(Conflict):
        store.rounds.keep_evidence("car", 2, "ranking", b"other")
    assert store.rounds.evidence("car", 2, "ranking") == b"\1\2" * 1000
    assert store.rounds.evidence("car", 1, "seed") == b""
    assert store.rounds.evidence("car", 1, "ranking") is None
    store.rounds.keep_evidence("car", 0, "a forecast", b"7")
    assert store.rounds.epochs("car") == [1, 2]  # what belongs to no freeze is kept under 0


def test_releases_are_listed_oldest_first(store: Store) -> None:
    category(store)
    releases = [
        Release(name, "car", 1, 3, "/out", 40, {"precision": 0.9, "why": None}, at) for name, at in (("b", 1), ("a", 2))
    ]
    for release in reversed(releases):
        store.rounds.add_release(release)
    assert store.rounds.releases("car") == releases
