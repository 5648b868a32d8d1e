"""Columns carry a checksum a row: whatever happens to their files is found by a check, or changes no value."""

import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st
from tests.contract.things import images
from tests.store.processes import killed

from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import CheckReport
from thresher.store.directory.columns import DirectoryColumns
from thresher.store.directory.store import DirectoryStore
from thresher.store.sums import sums_of

TOP = 40
FEATURES, SCORES, OTHER = "features/x", "scores/car/1", "scores/car/2"
SHAPES = {FEATURES: (5, "float16"), SCORES: (1, "float32"), OTHER: (1, "float32")}


@pytest.fixture
def store(tmp_path: Path, settings: Settings) -> DirectoryStore:
    opened = open_store(tmp_path / "workspace", settings, create=True)
    assert isinstance(opened, DirectoryStore)
    filled(opened)
    return opened


def filled(store: DirectoryStore) -> None:
    images(store, TOP)
    for seed, (name, (width, dtype)) in enumerate(SHAPES.items()):
        store.columns.create(name, width, dtype)
        store.columns.write(name, np.arange(TOP - 3), values_of(seed, width, dtype)[: TOP - 3])


def values_of(seed: int, width: int, dtype: str) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
    return np.random.default_rng(seed).standard_normal((TOP, width)).astype(dtype)


def folder(store: DirectoryStore, name: str = SCORES) -> Path:
    return Path(store.place) / "columns" / name.replace("/", "@")


def seen(store: DirectoryStore) -> dict[str, list[list[float] | None]]:
    """What a reader sees: the values of each row of each column, None where it is missing."""
    found = {}
    for name in store.columns.names():
        matrix, present = store.columns.view(name)
        found[name] = [matrix[row].tolist() if present[row] else None for row in range(TOP)]
    return found


def changed(before: dict[str, list[list[float] | None]], store: DirectoryStore) -> bool:
    """Whether some value is another one; a row that is missing is computed again, and a column too."""
    try:
        after = seen(store)
    except Exception:  # noqa: BLE001 -- whatever it is, a command says so
        return True
    return any(
        now is not None and now != was for name in after for was, now in zip(before[name], after[name], strict=True)
    )


def flip(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if content:
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(content)


def swap(path: Path, draw: random.Random) -> None:
    """Two rows change places; with their checksums, if it is the file of values of scores."""
    one, other = draw.sample(range(TOP - 3), 2)
    for file in {path, path.parent / "sums"}:
        size = 4 if file.name == "sums" else file.stat().st_size // max(TOP - 3, 1)
        content = bytearray(file.read_bytes())
        a, b = slice(one * size, one * size + size), slice(other * size, other * size + size)
        content[a], content[b] = content[b], content[a]
        file.write_bytes(content)


def cut(path: Path, draw: random.Random) -> None:
    os.truncate(path, draw.randrange(max(path.stat().st_size, 1)))


def gone(path: Path, _draw: random.Random) -> None:
    path.unlink()


def noise(path: Path, draw: random.Random) -> None:
    path.write_bytes(draw.randbytes(path.stat().st_size))


def zeros(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    start = draw.randrange(len(content) or 1)
    content[start : start + 8] = bytes(len(content[start : start + 8]))
    path.write_bytes(content)


def longer(path: Path, draw: random.Random) -> None:
    with path.open("ab") as file:
        file.write(draw.randbytes(40))


DAMAGES: list[Callable[[Path, random.Random], None]] = [flip, swap, cut, gone, noise, zeros, longer]


@given(
    damage=st.sampled_from(DAMAGES),
    column=st.sampled_from(sorted(SHAPES)),
    file=st.sampled_from(["meta.json", "values", "sums"]),
    seed=st.integers(0, 10_000),
)
@with_settings(max_examples=60)
def test_any_damage_of_a_column_is_found_or_changes_nothing(
    damage: Callable[[Path, random.Random], None], column: str, file: str, seed: int
) -> None:
    from thresher.settings import read_settings

    with tempfile.TemporaryDirectory() as name:
        opened = open_store(Path(name) / "workspace", read_settings(Path(name), {}), create=True)
        assert isinstance(opened, DirectoryStore)
        filled(opened)
        before = seen(opened)
        damage(folder(opened, column) / file, random.Random(seed))
        shown = opened.check(mend=False, every_byte=True)
        assert shown.found or not changed(before, opened)
        mended = opened.check(mend=True, every_byte=True)
        assert mended.sound, mended
        assert opened.check(mend=False, every_byte=True).found == ()
        assert not changed(before, opened)
        opened.close()


def found(report: CheckReport) -> str:
    return "\n".join(report.found)


def test_scores_that_changed_are_found_by_every_check_and_made_again(store: DirectoryStore) -> None:
    path = folder(store) / "values"
    content = bytearray(path.read_bytes())
    content[8:12] = np.float32(3.25).tobytes()
    path.write_bytes(content)
    assert "column scores/car/1: the values of 1 rows do not match their checksums (rows 2)" in found(
        store.check(mend=False)
    )
    assert store.columns.damaged(SCORES, np.arange(TOP)).tolist() == [2]
    assert store.check(mend=True).sound
    assert store.columns.missing(SCORES, np.arange(TOP - 3)).tolist() == [2]


def test_embeddings_that_changed_are_found_where_every_byte_is_read(store: DirectoryStore) -> None:
    path = folder(store, FEATURES) / "values"
    path.write_bytes(random.Random(1).randbytes(path.stat().st_size))
    assert f"the values of {TOP - 3} rows" in found(store.check(mend=False, every_byte=True))
    assert store.check(mend=True, every_byte=True).sound
    assert len(store.columns.missing(FEATURES, np.arange(TOP))) == TOP


def test_a_column_under_the_name_of_another_is_found(store: DirectoryStore) -> None:
    shutil.rmtree(folder(store, OTHER))
    shutil.copytree(folder(store, SCORES), folder(store, OTHER))
    assert "column scores/car/2: the values of" in found(store.check(mend=False))


@pytest.mark.parametrize("file", ["meta.json", "values", "sums"])
def test_a_column_without_one_of_its_files_is_made_anew_and_check_does_not_send_in_a_circle(
    file: str, store: DirectoryStore
) -> None:
    (folder(store) / file).unlink()
    shown = store.check(mend=False)
    assert "column scores/car/1:" in found(shown)
    assert shown.mendable == shown.found
    assert store.check(mend=True).sound
    assert store.check(mend=False).found == ()
    store.columns.create(SCORES, 1, "float32")
    store.columns.write(SCORES, np.arange(TOP), values_of(1, 1, "float32"))
    assert store.check(mend=False, every_byte=True).found == ()


def as_an_earlier_version_left_it(store: DirectoryStore, name: str) -> None:
    """Without checksums, and with a byte a row that says whether it is there."""
    path = folder(store, name)
    sums = np.fromfile(path / "sums", np.uint32)
    (path / "present").write_bytes((sums != 0).astype(np.uint8).tobytes())
    (path / "sums").unlink()
    described = json.loads((path / "meta.json").read_text())
    described.pop("sums")
    (path / "meta.json").write_text(json.dumps(described))


def test_a_column_of_an_earlier_version_opens_and_gets_checksums_when_it_is_written(store: DirectoryStore) -> None:
    before = seen(store)
    for name in SHAPES:
        as_an_earlier_version_left_it(store, name)
    assert seen(store) == before
    assert store.check(mend=False, every_byte=True).found == ()
    assert store.columns.damaged(SCORES, np.arange(TOP)).tolist() == []
    store.columns.write(SCORES, np.arange(TOP - 3, TOP), np.ones((3, 1)))
    store.check(mend=True)  # gives the others theirs
    assert all("sums" in json.loads((folder(store, name) / "meta.json").read_text()) for name in SHAPES)
    after = seen(store)
    assert {name: rows[: TOP - 3] for name, rows in after.items()} == {n: rows[: TOP - 3] for n, rows in before.items()}
    flip(folder(store, FEATURES) / "values", random.Random(3))
    assert "do not match" in found(store.check(mend=False, every_byte=True))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # a writer has to be killed
def test_a_writer_that_is_killed_leaves_no_checksum_of_other_values(tmp_path: Path) -> None:
    columns = DirectoryColumns(tmp_path, lambda: 50_000)
    columns.create(FEATURES, 40)
    rows, draw = np.arange(50_000), random.Random(5)

    def write() -> None:
        for number in range(1000):
            columns.write(FEATURES, rows, np.full((len(rows), 40), number))

    for _ in range(8):
        killed(write, draw.uniform(0.02, 0.1))
        assert columns.damaged(FEATURES, rows).tolist() == []


@given(st.integers(1, 21), st.sampled_from(["float16", "float32", "float64", "int8", "int64"]), st.integers(0, 99))
def test_the_checksum_of_a_row_does_not_depend_on_its_neighbours(width: int, dtype: str, seed: int) -> None:
    from thresher.store.columns import Shape

    shape, draw = Shape("x/y", width, dtype), np.random.default_rng(seed)
    values = draw.integers(-100, 100, (9, width)).astype(dtype)
    rows = draw.choice(10**9, 9, replace=False).astype(np.int64)
    whole = sums_of(shape, rows, values)
    assert [int(sums_of(shape, rows[n : n + 1], values[n : n + 1])[0]) for n in range(9)] == whole.tolist()
    assert (whole != 0).all()
    other = values.copy()
    other[4, draw.integers(width)] += 1
    assert (sums_of(shape, rows, other) != whole).nonzero()[0].tolist() == [4]


def test_checksums_are_the_same_on_every_machine_and_in_every_version() -> None:
    from thresher.store.columns import Shape

    values = np.arange(12).reshape(3, 4)
    assert sums_of(Shape("features/x", 4, "float16"), np.arange(3), values).tolist() == [
        3281435511,
        2526885683,
        241940483,
    ]
