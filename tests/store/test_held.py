"""Labels that a process keeps in memory: how many, and which go first."""

import tracemalloc
from collections.abc import Iterator

import pytest

from thresher.records import Label, Purpose, Says, Source
from thresher.store.held import KnownLabels

EACH = 2_000


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def labels(count: int = EACH) -> list[Label]:
    return [
        Label(10**6 + row, Says.YES, Source.CONSENSUS, Purpose.LEARN, 1, 1_700_000_000_000 + row, 0.9 + row * 1e-9, 2)
        for row in range(count)
    ]


@pytest.mark.usefixtures("traced")
def test_the_labels_of_many_categories_take_no_more_than_those_that_may_be_kept() -> None:
    known = KnownLabels(3 * EACH)
    for number in range(12):
        name = f"category {number}"
        known.keep(name, 1, 1, labels())
        held = known.held(name, 1, 1)
        assert held is not None
        assert held.rows.size == held.yes.size == held.unsure.size == EACH
    kept, _ = tracemalloc.get_traced_memory()
    assert kept <= 4 * EACH * 260  # of one category more, which is `held` here


def test_those_used_longest_ago_are_forgotten_first() -> None:
    known = KnownLabels(2 * EACH)
    for name in ("car", "dog"):
        known.keep(name, 1, 1, labels())
    assert known.all_of("car", 1, 1) is not None
    known.keep("owl", 1, 1, labels())
    assert known.held("dog", 1, 1) is None
    assert known.held("car", 1, 1) == known.held("owl", 1, 1) == labels()


def test_a_category_of_more_labels_than_may_be_kept_is_known_while_it_is_the_last_used() -> None:
    known = KnownLabels(EACH)
    known.keep("car", 1, 1, labels(2 * EACH))
    assert known.held("car", 1, 1) == labels(2 * EACH)
    known.put("car", 1, 1, labels(2 * EACH + 1)[-1:])
    assert known.held("car", 1, 2) == labels(2 * EACH + 1)
    known.keep("dog", 1, 1, labels(1))
    assert known.held("car", 1, 2) is None
