"""What is asked about: the top, the boundary and chance, one of a group, and the same for the same seed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from thresher.learn.decide import UNKNOWN, YES, Decided
from thresher.learn.sample import Scored, choose, middle
from thresher.records import Thresholds

POOL = st.integers(1, 80).flatmap(
    lambda n: st.tuples(
        st.just(np.cumsum(np.arange(1, n + 1) % 3 + 1).astype(np.int64)),  # ascending, with gaps
        hnp.arrays(np.float32, n, elements=st.integers(-9, 9).map(float) | st.just(float("nan"))),
        st.sets(st.integers(0, n - 1)),
        hnp.arrays(np.int64, n, elements=st.integers(0, n - 1)),
    )
)


def grouped(rows: NDArray[np.int64], draws: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups of neighbours, each represented by its first row, or by a row that is not among these."""
    firsts = np.minimum.accumulate(np.where(draws % 3 == 0, np.arange(len(rows)), len(rows))[::-1])[::-1]
    return np.where(firsts < len(rows), rows[np.minimum(firsts, len(rows) - 1)], 10_000)


@given(POOL, st.integers(1, 50), st.integers(0, 5), st.booleans())
def test_picked_rows_are_unknown_and_alone_of_their_group(
    pool: tuple[NDArray[np.int64], NDArray[np.float32], set[int], NDArray[np.int64]],
    size: int,
    seed: int,
    with_scores: bool,
) -> None:
    rows, scores, known_places, draws = pool
    similar = grouped(rows, draws)
    known = {int(rows[place]) for place in known_places}
    given_scores = scores if with_scores else None
    scored = Scored(rows, given_scores, similar)
    picked = choose(scored, known, size=size, seed=seed)
    group = dict(zip(rows.tolist(), similar.tolist(), strict=True))
    chosen = [row for row, _ in picked]
    assert set(chosen) <= set(rows.tolist()) - known
    assert len({group[row] for row in chosen}) == len(chosen)
    assert not {group[row] for row in chosen} & {group[row] for row in known}
    assert [priority for _, priority in picked] == sorted((p for _, p in picked), reverse=True)
    assert picked == choose(scored, known, size=size, seed=seed)
    if not with_scores or not np.isfinite(scores).any():
        open_groups = {group[row] for row in rows.tolist()} - {group[row] for row in known}
        assert len(chosen) == min(size, len(open_groups))
    else:
        assert np.isfinite(scores[np.searchsorted(rows, chosen)]).all()


def test_with_scores_it_is_two_fifths_top_two_fifths_boundary_and_the_rest_random() -> None:
    rows = np.arange(10_000)
    scores = np.linspace(-8, 4, 10_000).astype(np.float32)
    chosen = np.array([row for row, _ in choose(Scored(rows, scores), [], size=100, seed=3)])
    assert set(range(9960, 10_000)) <= set(chosen.tolist())
    nearest = np.argsort(np.abs(scores))[:40]
    assert set(nearest.tolist()) <= set(chosen.tolist())
    rest = np.setdiff1d(chosen, np.append(nearest, np.arange(9960, 10_000)))
    assert len(rest) == 20
    assert rest.std() > 1500  # spread over the whole pool


def test_any_beginning_is_mixed_as_the_whole() -> None:
    rows, scores = np.arange(5000), np.linspace(-8, 4, 5000).astype(np.float32)
    first = [row for row, _ in choose(Scored(rows, scores), [], size=100, seed=3)][:20]
    assert 7 <= sum(row >= 4960 for row in first) <= 9


def test_the_boundary_is_even_odds_unless_the_thresholds_lie_elsewhere() -> None:
    rows, scores = np.arange(2001), np.linspace(-10, 10, 2001).astype(np.float32)

    def near(at: float, thresholds: Thresholds | None) -> int:
        scored = Scored(rows, scores, thresholds=thresholds)
        chosen = np.array([row for row, _ in choose(scored, [], size=50, seed=1)])
        return int((np.abs(scores[chosen] - at) < 0.11).sum())

    assert near(0, None) >= 20
    assert near(0, Thresholds(-3.0, 2.0)) >= 20
    assert near(-4, Thresholds(-6.0, -4.0)) >= 20
    assert near(0, Thresholds(float("-inf"), float("inf"))) >= 20
    assert near(3, Thresholds(3.0, float("inf"))) >= 20


def test_seeds_differ_in_the_random_part_only() -> None:
    rows, scores = np.arange(5000), np.linspace(-8, 4, 5000).astype(np.float32)
    one, other = ({row for row, _ in choose(Scored(rows, scores), [], size=100, seed=s)} for s in (1, 2))
    assert 78 <= len(one & other) <= 85


def decided(codes: list[int], scores: list[float], similar: list[int] | None = None) -> Decided:
    rows = np.arange(len(codes))
    groups = rows if similar is None else np.array(similar)
    inherited = np.zeros(len(codes), bool)
    return Decided(rows, np.array(codes, np.int8), np.array(scores, np.float32), None, groups, inherited)


def test_the_middle_is_the_unknown_with_the_likeliest_first() -> None:
    nan = float("nan")
    found = middle(decided([UNKNOWN, YES, UNKNOWN, 0, UNKNOWN, UNKNOWN], [0.5, 9, 2, -9, nan, -1]), 10)
    assert [row for row, _ in found] == [2, 0, 5, 4]
    assert [row for row, _ in middle(decided([UNKNOWN] * 4, [1, 3, 2, 0]), 2)] == [1, 2]
    assert middle(decided([YES, 0], [1, 1]), 5) == []


def test_of_a_group_the_middle_holds_one() -> None:
    found = middle(decided([UNKNOWN] * 5, [5, 4, 3, 2, 1], similar=[1, 1, 77, 77, 4]), 10)
    assert [row for row, _ in found] == [1, 2, 4]
