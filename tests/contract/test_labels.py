from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from tests.contract.things import category, finish, publish

from thresher.errors import BadInput, NotFound
from thresher.records import Gold, Label, Purpose, Says, Source, Stage
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store
from thresher.store.contract.labels import LABELS_AT_ONCE


def label(row: int, says: Says = Says.YES, source: Source = Source.CONSENSUS, version: int = 1) -> Label:
    return Label(row, says, source, Purpose.LEARN, version, 50, posterior=0.97, votes=2, epoch=1, draw=7)


def test_a_label_comes_back_as_it_was_held(store: Store) -> None:
    category(store, 3)
    store.labels.hold("car", [label(2), label(0, Says.NO)])
    assert store.labels.held("car", 1) == [label(0, Says.NO), label(2)]
    assert store.labels.of("car", 1, [1, 2, 0]) == {0: label(0, Says.NO), 2: label(2)}
    assert store.labels.of("car", 1, []) == store.labels.of("car", 2, [0, 2]) == {}


def test_the_most_trusted_source_is_held(store: Store) -> None:
    category(store, 2)
    owner = label(0, Says.NO, Source.OWNER)
    adjudicated = label(0, Says.UNSURE, Source.ADJUDICATED)
    imported = label(0, Says.YES, Source.IMPORTED)
    store.labels.hold("car", [imported, label(0), owner, adjudicated])
    assert store.labels.held("car", 1) == [owner]
    assert store.labels.of("car", 1, np.array([0, 1])) == {0: owner}
    assert store.labels.all_of("car", 1) == [owner, adjudicated, label(0), imported]


def test_a_later_label_of_the_same_source_replaces_the_earlier(store: Store) -> None:
    category(store, 1)
    store.labels.hold("car", [label(0, Says.YES)])
    store.labels.hold("car", [label(0, Says.NO)])
    assert store.labels.all_of("car", 1) == [label(0, Says.NO)]


def test_versions_keep_their_labels_apart(store: Store) -> None:
    category(store, 1)
    store.categories.reword("car", "Now?", "", 9)
    store.labels.hold("car", [label(0, Says.YES), label(0, Says.NO, version=2)])
    assert store.labels.held("car", 1) == [label(0, Says.YES)]
    assert store.labels.held("car", 2) == [label(0, Says.NO, version=2)]


def test_a_write_of_labels_tells_how_often_it_moved_the_mark(store: Store, another: Store) -> None:
    category(store, 2 * LABELS_AT_ONCE)
    writes: list[Callable[[], int]] = [
        lambda: store.labels.hold("car", [label(row) for row in range(LABELS_AT_ONCE + 1)]),
        lambda: store.labels.hold("car", [label(0, Says.NO), label(0, version=2)]),
        lambda: store.labels.drop("car", 1, "consensus", range(2 * LABELS_AT_ONCE)),
        lambda: store.labels.drop("car", 1, "consensus", [0]),
        lambda: store.labels.hold("car", []) + store.labels.drop("car", 1, "owner", []),
    ]
    for moves, write in zip((2, 2, 2, 0, 0), writes, strict=True):
        before = another.categories.mark("car").labels
        assert write() == another.categories.mark("car").labels - before == moves


def test_dropping_a_source_lets_the_next_one_hold(store: Store) -> None:
    category(store, 2)
    store.labels.hold("car", [label(0, Says.NO, Source.OWNER), label(0), label(1)])
    store.labels.drop("car", 1, "owner", [0, 1])
    assert store.labels.held("car", 1) == [label(0), label(1)]
    store.labels.drop("car", 1, "consensus", [1])
    assert store.labels.held("car", 1) == [label(0)]
    with pytest.raises(BadInput, match="owner"):
        store.labels.drop("car", 1, "rumour", [0])


def test_labels_are_read_as_they_are_whoever_wrote_them_last(store: Store, another: Store, settings: Settings) -> None:
    category(store, 4)
    random = np.random.default_rng(1)
    for step in range(40):
        writer = (store, another)[int(random.integers(2))]
        rows = random.choice(4, 2, replace=False).tolist()
        source = (Source.CONSENSUS, Source.OWNER)[int(random.integers(2))]
        if step % 3 == 2:
            writer.labels.drop("car", 1, source, rows)
        else:
            writer.labels.hold("car", [label(row, list(Says)[int(random.integers(3))], source) for row in rows])
        for reader in (store, another)[: 1 + int(random.integers(2))]:  # sometimes one has not read for a while
            with open_store(store.place, settings) as fresh:  # type: ignore[attr-defined]  # each closes itself
                assert reader.labels.all_of("car", 1) == fresh.labels.all_of("car", 1), step
                held = reader.labels.held("car", 1)
                assert held == fresh.labels.held("car", 1), step
            assert held.rows.tolist() == [one.row for one in held]
            assert held.yes.tolist() == [one.says is Says.YES for one in held]
            assert held.unsure.tolist() == [one.says is Says.UNSURE for one in held]
            held.clear()  # the list is the caller's own


def test_the_tally_follows_what_is_held(store: Store) -> None:
    category(store, 3)

    def labels() -> dict[str, int]:
        return dict(store.categories.tally("car").labels)

    store.labels.hold("car", [label(0), label(1), label(2, Says.NO)])
    assert labels() == {"yes": 2, "no": 1}
    store.labels.hold("car", [label(1, Says.UNSURE, Source.OWNER), label(2, Says.NO, Source.IMPORTED)])
    assert labels() == {"yes": 1, "unsure": 1, "no": 1}
    store.labels.drop("car", 1, "owner", [1])
    store.labels.drop("car", 1, "consensus", [2])
    store.labels.drop("car", 1, "consensus", [0])
    assert labels() == {"yes": 1, "no": 1}
    store.categories.reword("car", "Now?", "", 9)
    assert labels() == {}


def test_a_label_needs_an_image(store: Store) -> None:
    category(store, 1)
    with pytest.raises(NotFound):
        store.labels.hold("car", [label(0), label(9)])
    assert store.categories.tally("car").labels == {}


def test_gold_is_listed_until_it_is_retired(store: Store) -> None:
    category(store, 3)
    gold = [Gold(0, Says.YES, 1, Source.OWNER), Gold(1, Says.NO, 1, Source.ADJUDICATED)]
    store.labels.gild("car", [gold[1], gold[0]])
    assert store.labels.gold("car", 1) == gold
    store.labels.retire_gold("car", 1, 0, "good workers miss it")
    retired = replace(gold[0], retired="good workers miss it")
    assert store.labels.gold("car", 1) == [gold[1]]
    assert store.labels.gold("car", 1, retired=True) == [retired, gold[1]]
    assert store.labels.gold("car", 2) == []


def test_gilding_again_replaces_what_is_known(store: Store) -> None:
    category(store, 1)
    store.labels.gild("car", [Gold(0, Says.YES, 1, Source.IMPORTED)])
    store.labels.gild("car", [Gold(0, Says.NO, 1, Source.OWNER)])
    assert store.labels.gold("car", 1) == [Gold(0, Says.NO, 1, Source.OWNER)]


def test_gold_counts_how_often_it_was_shown_and_missed(store: Store) -> None:
    category(store, 2)
    store.labels.gild("car", [Gold(0, Says.YES, 1, Source.OWNER), Gold(1, Says.NO, 1, Source.OWNER)])
    store.labels.score_gold("car", 1, right=[0, 1], wrong=[])
    store.labels.score_gold("car", 1, right=[0], wrong=[1])
    shown = [(gold.shown, gold.missed) for gold in store.labels.gold("car", 1)]
    assert shown == [(2, 0), (2, 1)]


def test_votes_are_the_answers_of_accepted_and_weighted_assignments(store: Store) -> None:
    category(store, 6)
    publish(store, [3, 1], places=3, purpose=Purpose.MIDDLE)
    accepted = finish(store, "w1", says=Says.YES, gold=[5], now_ms=200)
    weighted = finish(store, "w2", says=Says.NO, verdict=Stage.WEIGHTED, weight=0.5, gold=[5], now_ms=100)
    finish(store, "w3", says=Says.UNSURE, verdict=Stage.REJECTED, gold=[5], now_ms=300)
    votes = store.labels.votes("car", 1)
    wanted = [
        (1, "w2", Says.NO, weighted.id, 0.5, 150),
        (1, "w1", Says.YES, accepted.id, 1.0, 250),
        (3, "w2", Says.NO, weighted.id, 0.5, 150),
        (3, "w1", Says.YES, accepted.id, 1.0, 250),
    ]
    assert [(v.row, v.worker, v.says, v.assignment, v.weight, v.at_ms) for v in votes] == wanted
    assert {(v.purpose, v.epoch, v.draw) for v in votes} == {(Purpose.MIDDLE, 0, -1)}
    assert [v.row for v in store.labels.votes("car", 1, [3, 4])] == [3, 3]
    assert store.labels.votes("car", 1, []) == []
    assert store.labels.voted("car", 1).tolist() == [1, 3]
    assert store.labels.voters("car", 1) == {"w1", "w2"}
    publish(store, [4])
    for worker in ("w4", "w5"):  # the first of them takes the place of the rejected answers
        finish(store, worker, says=Says.NO)
    assert store.labels.voted("car", 1).tolist() == [1, 3, 4]
    assert store.labels.voters("car", 1) == {"w1", "w2", "w4", "w5"}
    assert not store.labels.voters("car", 2)
    assert store.labels.gold_answers("car", 1) == [(5, "w1", "yes"), (5, "w2", "no")]


def test_a_gold_record_adds_up_a_workers_reviews(store: Store) -> None:
    category(store, 6)
    publish(store, [0])
    publish(store, [1], places=2)
    finish(store, "w1", yes_right=3, yes_shown=4, no_right=2, no_shown=2)
    finish(store, "w1", verdict=Stage.REJECTED, yes_right=0, yes_shown=5, no_right=1, no_shown=3)
    finish(store, "w2", yes_right=1, yes_shown=1, no_right=1, no_shown=1)
    assert store.labels.gold_record("car", 1, "w1") == (3, 9, 3, 5)
    assert store.labels.gold_record("car", 1, "nobody") == (0, 0, 0, 0)


def test_each_commit_of_labels_moves_the_mark_by_one_so_that_a_writer_can_tell_its_own_from_others(
    store: Store,
) -> None:
    category(store, 4)
    before = store.categories.mark("car").labels
    store.labels.hold("car", [label(row) for row in range(4)])
    store.labels.hold("car", [replace(label(row), at_ms=60) for row in range(4)])
    store.labels.drop("car", 1, "consensus", [0, 1])
    assert store.categories.mark("car").labels == before + 3
    many = [replace(label(3), at_ms=at_ms) for at_ms in range(100, 101 + LABELS_AT_ONCE)]
    store.labels.hold("car", many)
    assert store.categories.mark("car").labels == before + 5
