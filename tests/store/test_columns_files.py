import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thresher.errors import StoreDamaged
from thresher.store.directory.columns import DirectoryColumns

TOP = 60


@given(
    writes=st.lists(
        st.tuples(st.lists(st.integers(0, TOP - 1), unique=True, max_size=20), st.integers(-50, 50)), max_size=6
    ),
    width=st.integers(1, 4),
)
def test_any_writes_end_as_they_would_in_memory(writes: list[tuple[list[int], int]], width: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        columns = DirectoryColumns(Path(name), lambda: TOP)
        columns.create("x/y", width, "float32")
        wanted, there = np.zeros((TOP, width)), np.zeros(TOP, dtype=bool)
        for rows, start in writes:
            values = start + np.arange(len(rows) * width, dtype=np.float64).reshape(len(rows), width)
            columns.write("x/y", np.array(rows, dtype=np.int64), values)
            wanted[rows], there[rows] = values, True
        matrix, present = columns.view("x/y")
        assert (matrix == wanted).all()
        assert (present == there).all()
        assert columns.missing("x/y", np.arange(TOP)).tolist() == np.flatnonzero(~there).tolist()


def test_rows_without_values_take_no_disk(tmp_path: Path) -> None:
    columns = DirectoryColumns(tmp_path, lambda: 1_000_000)
    columns.create("features/x", 1280)
    columns.write("features/x", np.array([999_999]), np.ones((1, 1280)))
    matrix, _ = columns.view("features/x")
    assert matrix.shape == (1_000_000, 1280)
    assert matrix[999_999].all()
    taken = sum(path.stat().st_blocks * 512 for path in (tmp_path / "features@x").iterdir())
    assert taken < 100_000


def test_a_view_is_what_was_there_and_later_marks_do_not_move_it(tmp_path: Path) -> None:
    columns = DirectoryColumns(tmp_path, lambda: 3)
    columns.create("x", 1)
    _, present = columns.view("x")
    columns.write("x", np.array([1]), np.array([[5.0]]))
    assert not present.any()
    assert columns.view("x")[1].tolist() == [False, True, False]


def test_names_within_names_are_columns_of_their_own(tmp_path: Path) -> None:
    columns = DirectoryColumns(tmp_path, lambda: 2)
    for name in ("a", "a/b", "a/values", "a/meta.json"):
        columns.create(name, 1)
    columns.drop("a")
    assert columns.names() == ["a/b", "a/meta.json", "a/values"]


def test_a_description_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    columns = DirectoryColumns(tmp_path, lambda: 2)
    columns.create("x", 1)
    (tmp_path / "x" / "meta.json").write_text("{")
    with pytest.raises(StoreDamaged, match="description"):
        columns.view("x")
