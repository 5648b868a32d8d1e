"""Products of half-precision vectors are right to the last bit that float32 has, by every kernel, for any shape."""

import mmap
import tempfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thresher.learn.scoring import KERNELS, product, widen
from thresher.learn.vectors import Vectors


def kernel(name: str) -> str:
    if name == "numba":
        pytest.importorskip("numba", reason='numba comes with the extra "fast"')
    return name


def test_every_finite_half_is_widened_exactly() -> None:
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    out = np.empty(len(halves), np.float32)
    widen(halves, out)
    assert (out == halves.astype(np.float32)).all()


@pytest.mark.parametrize("name", sorted(KERNELS))
@given(count=st.integers(0, 300), width=st.integers(1, 70), threads=st.integers(1, 3), seed=st.integers(0, 9))
def test_a_kernel_agrees_with_double_precision(name: str, count: int, width: int, threads: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(count, width)).astype(np.float16)
    weights = random.normal(size=width).astype(np.float32)
    found = product(matrix, weights, kernel=kernel(name), threads=threads)
    assert np.allclose(found, matrix.astype(np.float64) @ weights, atol=1e-4)


def test_several_weights_a_number_give_several_products() -> None:
    random = np.random.default_rng(0)
    matrix, weights = random.normal(size=(1000, 33)).astype(np.float16), random.normal(size=(33, 4))
    assert np.allclose(product(matrix, weights.astype(np.float32)), matrix.astype(np.float64) @ weights, atol=1e-3)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_a_matrix_mapped_to_be_read_only_is_scored_in_pieces(name: str) -> None:
    matrix = np.random.default_rng(1).normal(size=(20_000, 256)).astype(np.float16)  # more than one piece
    weights = np.linspace(-1, 1, 256, dtype=np.float32)
    with tempfile.TemporaryFile() as file:
        file.write(matrix.tobytes())
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        view = np.frombuffer(mapped, np.float16).reshape(matrix.shape)
        found = product(view, weights, kernel=kernel(name), threads=3)
        assert np.allclose(found, matrix.astype(np.float64) @ weights, atol=1e-3)


def test_picked_rows_and_joined_columns_score_as_their_copies() -> None:
    random = np.random.default_rng(2)
    left, right = (random.normal(size=(400, width)).astype(np.float16) for width in (7, 12))
    weights = random.normal(size=19).astype(np.float32)
    wanted = np.concatenate([left, right], axis=1).astype(np.float64) @ weights
    for rows in (None, np.arange(0, 400, 9), np.arange(3, 400)):
        vectors = Vectors([left, right], rows)
        assert np.allclose(vectors.times(weights), wanted if rows is None else wanted[rows], atol=1e-3)
        assert np.allclose(vectors.times(weights[:, None])[:, 0], vectors.times(weights), atol=1e-4)
