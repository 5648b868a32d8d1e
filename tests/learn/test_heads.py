"""Each family learns what the others cannot, cross-validation finds out which, and all survive as bytes."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from thresher.learn.graph import neighbour_graph
from thresher.learn.head import FAMILIES, Head, train
from thresher.learn.heads import Known, kernel
from thresher.learn.heads.logistic import Linear
from thresher.learn.heads.propagation import LARGEST, SMALLEST, SUREST, Spread, offered, spread
from thresher.learn.vectors import Vectors

Pool = tuple[NDArray[np.float16], NDArray[np.bool_]]


def slope(count: int = 700) -> Pool:
    """A yes is more of the one and less of the other: what a weighted sum tells apart."""
    random = np.random.default_rng(1)
    vectors = random.normal(size=(count, 20))
    return vectors.astype(np.float16), vectors @ np.linspace(1, -1, 20) > 0


def shell(count: int = 700) -> Pool:
    """A yes is near the middle, and no weighted sum tells it from what lies all around."""
    random = np.random.default_rng(2)
    yes = random.random(count) < 0.4
    vectors = random.normal(size=(count, 3))
    vectors *= np.where(yes, 0.5, 2.0)[:, None] / np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16), yes


def clusters(count: int = 1000) -> Pool:
    """Thirty dense heaps in many directions, each of one answer: a label speaks for its whole heap."""
    random = np.random.default_rng(3)
    centres = random.normal(size=(30, 60))
    heap = random.integers(0, 30, count)
    return (centres[heap] + 0.8 * random.normal(size=(count, 60))).astype(np.float16), heap % 3 == 0


def right(head: Head, vectors: NDArray[np.float16], yes: NDArray[np.bool_]) -> float:
    return float(((head.scores(vectors) > 0) == yes).mean())


def trained(pool: Pool, count: int, *families: str) -> Head:
    vectors, yes = pool
    places = np.random.default_rng(4).permutation(len(yes))[:count]
    whole = Vectors([vectors])
    chosen = families or tuple(FAMILIES)
    return train(vectors[places], yes[places], seed=1, pool=whole, places=places, families=chosen)


def test_a_kernel_finds_what_lies_in_the_middle() -> None:
    pool = shell()
    assert right(trained(pool, 150, "logistic"), *pool) < 0.7
    assert right(trained(pool, 150, "kernel"), *pool) > 0.97
    assert trained(pool, 150).kind == "kernel"


def test_scores_spread_through_heaps_that_have_few_labels() -> None:
    pool = clusters()
    plain, spreading = trained(pool, 60, "logistic"), trained(pool, 60, "propagation")
    assert right(spreading, *pool) > right(plain, *pool) + 0.02
    assert trained(pool, 60, "logistic", "propagation").kind == "propagation"


def test_where_a_weighted_sum_is_the_truth_the_family_does_not_lose_to_it() -> None:
    pool = slope()
    assert right(trained(pool, 200), *pool) > right(trained(pool, 200, "logistic"), *pool) - 0.02


@pytest.mark.parametrize("kind", sorted(FAMILIES))
def test_every_kind_survives_as_bytes(kind: str) -> None:
    pool = shell(300)
    head = trained(pool, 100, kind)
    again = Head.from_bytes(head.to_bytes())
    assert (again.kind, again.measures) == (kind, head.measures)
    assert (again.scores(pool[0]) == head.scores(pool[0])).all()


@pytest.mark.parametrize("kind", sorted(FAMILIES))
def test_every_kind_learns_from_two_of_each_answer(kind: str) -> None:
    vectors, yes = clusters(200)
    places = np.append(np.flatnonzero(yes)[:2], np.flatnonzero(~yes)[:2])
    whole = Vectors([vectors])
    head = train(vectors[places], yes[places], seed=1, pool=whole, places=places, families=[kind])
    assert np.isfinite(head.scores(whole)).all()
    assert head.kind == kind


def test_a_kernel_takes_landmarks_of_both_answers_when_there_are_more_labels_than_it_uses() -> None:
    vectors, _ = shell(1200)
    yes = np.linalg.norm(vectors.astype(np.float32), axis=1) < 0.45
    yes[:40] = True
    head = train(vectors, yes, seed=1, families=["kernel"])
    assert head.scorer.arrays()["landmarks"].shape == (512, 3)


def test_a_kernel_scores_one_or_two_columns_as_plain_arithmetic_does() -> None:
    vectors, yes = shell(700)
    beside = np.random.default_rng(5).normal(size=(700, 4)).astype(np.float32)
    rows = np.arange(3, 700, 2)
    for pool in (Vectors([vectors]), Vectors([vectors, beside]), Vectors([vectors, beside], rows)):
        known = np.arange(0, len(pool), 2)
        says = yes if pool.rows is None else yes[rows]
        head = train(pool.take(known), says[known], seed=1, pool=pool, places=known, families=["kernel"])
        kept = {name: value.astype(np.float64) for name, value in head.scorer.arrays().items()}
        points = (pool.take(np.arange(len(pool))) - kept["mean"]) * kept["factor"]
        away = ((points[:, None, :] - kept["landmarks"]) ** 2).sum(axis=2)
        assert np.allclose(
            head.scorer.scores(pool), np.exp(-kernel.SHARPNESS * away) @ kept["weights"] + kept["bias"], atol=2e-3
        )


def test_a_pool_of_a_million_images_is_not_scored_by_kernels() -> None:
    vectors, yes = shell()
    places = np.arange(100)
    wide = np.broadcast_to(np.float16(1), (1_000_000, 1280))
    known = Known(
        features=vectors[places].astype(np.float32),
        yes=yes[places],
        places=places,
        folds=places % 3,
        pool=Vectors([wide]),
    )
    assert not FAMILIES["kernel"].held_out(known)


def test_labels_outside_the_pool_train_too() -> None:
    vectors, yes = clusters(600)
    places = np.where(np.arange(80) < 40, np.arange(80), -1)
    pool = Vectors([vectors[:400]])
    outside = np.concatenate([np.arange(40), np.arange(500, 540)])
    head = train(vectors[outside], yes[outside], seed=1, pool=pool, places=places, families=["propagation"])
    assert right(head, vectors[:400], yes[:400]) > 0.7


def test_a_pool_too_small_or_too_large_gets_no_graph() -> None:
    small, large = (Vectors([np.broadcast_to(np.float16(1), (n, 2))]) for n in (SMALLEST - 1, LARGEST + 1))
    assert not offered(small)
    assert not offered(large)
    vectors, yes = clusters(SMALLEST - 1)
    head = train(vectors, yes, seed=1, pool=Vectors([vectors]), places=np.arange(len(yes)))
    assert head.kind != "propagation"
    linear = Linear(np.array([3.0, 4.0], np.float32), 2.0)
    assert Spread(linear, 0.5).scores(large).tolist() == [SUREST] * (LARGEST + 1)


def test_the_graph_joins_each_image_with_its_nearest() -> None:
    vectors, _ = clusters(500)
    pool = Vectors([vectors])
    graph = neighbour_graph(pool).toarray()
    assert graph.shape == (500, 500)
    assert np.allclose(graph.sum(axis=1), 1, atol=1e-5)
    assert (np.diag(graph) == 0).all()
    points = pool.scale.apply(vectors.astype(np.float32))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    alike = points @ points.T
    np.fill_diagonal(alike, -2)
    nearest = np.argsort(-alike, axis=1)[:, :10]
    joined = np.take_along_axis(graph, nearest, axis=1) > 0
    assert joined.mean() > 0.99  # the principal directions leave out a little
    edges = (graph > 0) & ~(np.arange(500)[None, :] == np.arange(500)[:, None])
    assert (edges == edges.T).all()
    assert (edges.sum(axis=1) >= 10).all()


def test_equal_vectors_make_a_graph_too() -> None:
    graph = neighbour_graph(Vectors([np.ones((60, 5), np.float16)]))
    assert np.allclose(graph.sum(axis=1), 1, atol=1e-5)


def test_what_spreads_stays_within_the_scores_it_came_from() -> None:
    vectors, _ = clusters(200)
    plain = np.random.default_rng(0).normal(size=200).astype(np.float32)
    graph = neighbour_graph(Vectors([vectors]))
    assert (spread(plain, graph, 0.0) == plain).all()
    far = spread(plain, graph, 0.9)
    assert plain.min() <= far.min()
    assert far.max() <= plain.max()
    assert far.std() < plain.std() / 2


def test_a_graph_is_kept_for_the_same_vectors_alone(tmp_path: Path) -> None:
    vectors, _ = clusters(300)
    file = tmp_path / "graphs" / "pool.npz"
    first = neighbour_graph(Vectors([vectors], np.arange(0, 300, 2), graph_file=file)).toarray()
    written = file.stat().st_mtime_ns
    again = neighbour_graph(Vectors([vectors], np.arange(0, 300, 2), graph_file=file)).toarray()
    assert (again == first).all()
    assert file.stat().st_mtime_ns == written
    other = neighbour_graph(Vectors([vectors], np.arange(1, 300, 2), graph_file=file)).toarray()
    assert (other == neighbour_graph(Vectors([vectors], np.arange(1, 300, 2))).toarray()).all()
    file.write_bytes(file.read_bytes()[:999])
    assert (neighbour_graph(Vectors([vectors], np.arange(1, 300, 2), graph_file=file)).toarray() == other).all()
    assert [path.name for path in file.parent.iterdir()] == ["pool.npz"]
