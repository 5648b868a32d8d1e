"""A Parquet table is read in any encoding, up to what is damaged, and only a few rows of it are held at once."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.tables.lists import A, B, C, urls

from thresher.errors import BadInput, BadLine
from thresher.tables import names, open_table
from thresher.tables import parquet as tables
from thresher.tables.text import LONGEST_LINE


@pytest.mark.parametrize(
    "column",
    [
        pa.array([A, B], pa.large_string()),
        pa.array([A, B], pa.string_view()),
        pa.array([A, B]).dictionary_encode(),
        pa.array([A.encode(), B.encode()], pa.binary()),
    ],
    ids=lambda column: str(column.type).split("<")[0],
)
def test_a_parquet_column_of_texts_may_be_stored_in_any_way(column: pa.Array, tmp_path: Path) -> None:
    parquet.write_table(pa.table({"url": column}), tmp_path / "list.parquet")
    assert urls(tmp_path / "list.parquet") == [A, B]


def test_a_damaged_parquet_is_told_behind_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"url": [f"{A}?{n}" for n in range(50_000)]}), path, row_group_size=10_000)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 5_000] = b"\xff" * 5_000
    path.write_bytes(bytes(data))
    found: list[Sequence[str]] = []
    with pytest.raises(BadLine, match=r"a\.parquet, line \d+: the Parquet table is damaged"):
        found.extend(values for _, values, _ in open_table(path, names.URL).lines("url"))
    assert found


def test_a_value_of_a_parquet_that_is_no_text_spoils_its_row_only(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"url": [A, "x" * (LONGEST_LINE + 1), C]}), tmp_path / "a.parquet")
    assert urls(tmp_path / "a.parquet") == [A, "2: is longer than 1,000,000 characters", C]


def test_a_small_parquet_that_would_fill_the_memory_is_told_behind_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with parquet.ParquetWriter(path, pa.schema({"url": pa.string()}), compression="zstd") as writer:
        writer.write_table(pa.table({"url": [A, B]}))
        writer.write_table(pa.table({"url": ["x" * 100_000_000]}))
    assert path.stat().st_size < 100_000
    feed = open_table(path, names.URL).lines("url")
    assert [next(feed)[1], next(feed)[1]] == [(A,), (B,)]
    before = pa.default_memory_pool().max_memory()
    with pytest.raises(BadInput, match=r"a.parquet, line 3: 100,000,\d+ bytes of 'url' in 1 rows, .* too much"):
        next(feed)
    assert pa.default_memory_pool().max_memory() - before < 10_000_000


def test_a_value_that_a_parquet_repeats_is_not_held_for_every_row(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    long = A + "x" * 500_000
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 300, pa.int32()), pa.array([long]))
    parquet.write_table(pa.table({"url": repeated.cast(pa.string())}), path)
    assert path.stat().st_size < 100_000
    before, most, count = pa.total_allocated_bytes(), 0, 0
    for _, values, _ in open_table(path, names.URL).lines("url"):
        most = max(most, pa.total_allocated_bytes() - before)
        count += values == (long,)
    assert count == 300
    assert most < 100_000_000  # all rows of them would be 150 MB


def rows_at_once(path: Path, column: str) -> list[int]:
    """The rows of each batch that a column is read in."""
    with parquet.ParquetFile(path) as table:
        return [batch.num_rows for batch in tables.batches(table, path, [column])]


LONG = "x" * 100_000
ONE_EACH = {  # a few kilobytes of file for 100 MB of text, a value a row
    "a list": lambda count: pa.ListArray.from_arrays(pa.array(range(count + 1), pa.int32()), pa.array([LONG] * count)),
    "a struct": lambda count: pa.StructArray.from_arrays([pa.array([LONG] * count)], ["path"]),
}


def test_a_value_that_a_list_repeats_too_often_is_refused_before_it_is_held(tmp_path: Path) -> None:
    all_in_one = pa.array([0, 1_000] + [1_000] * 999, pa.int32())
    label = pa.ListArray.from_arrays(all_in_one, pa.array([LONG] * 1_000))
    parquet.write_table(pa.table({"n": range(1_000), "label": label}), tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 30_000
    with parquet.ParquetFile(tmp_path / "a.parquet") as table:
        before = pa.total_allocated_bytes()
        with pytest.raises(BadLine, match=r"line 1: [0-9]+,[0-9]{3},000 bytes may be in 'label.* too much for lists"):
            next(tables.batches(table, tmp_path / "a.parquet", ["label"]))
        assert pa.total_allocated_bytes() - before < 5_000_000


def test_a_footer_that_claims_more_rows_than_there_are_hides_no_long_list(tmp_path: Path) -> None:
    count = 1_000
    label = pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), pa.array([LONG] * count))
    parquet.write_table(pa.table({"label": label}), tmp_path / "a.parquet", store_schema=False)
    written = (tmp_path / "a.parquet").read_bytes()
    size = int.from_bytes(written[-8:-4], "little")
    footer = written[-8 - size : -8].replace(b"\x16\x02", b"\x16\xd0\x0f")  # field 3, num_rows: 1,000 for 1
    end = len(footer).to_bytes(4, "little") + b"PAR1"
    (tmp_path / "a.parquet").write_bytes(written[: -8 - size] + footer + end)
    with parquet.ParquetFile(tmp_path / "a.parquet") as table:
        assert table.metadata.row_group(0).num_rows == table.metadata.row_group(0).column(0).num_values == count
        before = pa.total_allocated_bytes()
        with pytest.raises(BadLine, match="too much for lists"):
            next(tables.batches(table, tmp_path / "a.parquet", ["label"]))
        assert pa.total_allocated_bytes() - before < 5_000_000


def test_a_million_short_lists_of_uneven_lengths_are_read(tmp_path: Path) -> None:
    lengths = np.where(np.arange(1_000_000) < 100_000, 10, 1)
    same: pa.Array = pa.DictionaryArray.from_arrays(pa.array(np.zeros(lengths.sum(), np.int32)), pa.array(["car"]))
    offsets = pa.array(np.concatenate([[0], lengths.cumsum()]).astype(np.int32))
    parquet.write_table(pa.table({"label": pa.ListArray.from_arrays(offsets, same)}), tmp_path / "a.parquet")
    assert sum(rows_at_once(tmp_path / "a.parquet", "label")) == 1_000_000


@pytest.mark.parametrize("kind", ONE_EACH)
def test_a_long_value_in_each_list_is_read_a_few_rows_at_once(kind: str, tmp_path: Path) -> None:
    parquet.write_table(pa.table({"label": ONE_EACH[kind](1_000)}), tmp_path / "a.parquet")
    rows = rows_at_once(tmp_path / "a.parquet", "label")
    assert sum(rows) == 1_000
    assert max(rows) * len(LONG) <= tables.UNCOMPRESSED_BYTES


@pytest.mark.parametrize("field", ["", "label"])
def test_a_million_short_lists_of_the_same_label_are_read(field: str, tmp_path: Path) -> None:
    count = 1_048_576  # in one row group, as pyarrow writes it
    same: pa.Array = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array(["car"]))
    lists = pa.ListArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32)), same)
    column = pa.StructArray.from_arrays([lists], [field]) if field else lists
    parquet.write_table(pa.table({"objects": column}), tmp_path / "a.parquet")
    assert sum(rows_at_once(tmp_path / "a.parquet", "objects")) == count


IMAGE_BYTES = 50_000
SAME_IMAGES = {  # a kilobyte of file for 3 MB of images
    "a dictionary": pa.DictionaryArray.from_arrays(pa.array([0] * 60, pa.int32()), pa.array([b"\0" * IMAGE_BYTES])),
    "a width": pa.array([None] * 60, pa.binary(IMAGE_BYTES)),
    "a dictionary of a width": pa.array([b"\0" * IMAGE_BYTES] * 60, pa.binary(IMAGE_BYTES)),
}


@pytest.mark.parametrize("kind", SAME_IMAGES)
def test_an_image_that_rows_repeat_is_read_a_few_rows_at_once(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "UNCOMPRESSED_BYTES", 4 * IMAGE_BYTES)
    image = pa.StructArray.from_arrays([SAME_IMAGES[kind], pa.array(map(str, range(60)))], ["bytes", "path"])
    written = pa.table({"image": image})  # no schema of Arrow's: a dictionary is read as its values
    parquet.write_table(written, tmp_path / "a.parquet", compression="zstd", store_schema=False)
    assert (tmp_path / "a.parquet").stat().st_size < 3_000
    assert rows_at_once(tmp_path / "a.parquet", "image") == [4] * 15


def test_images_that_a_few_bytes_of_the_file_inflate_to_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "UNCOMPRESSED_BYTES", 1_000_000)
    image = pa.StructArray.from_arrays([pa.array([b"\0" * 2_000_000] * 2), pa.array(["a", "b"])], ["bytes", "path"])
    parquet.write_table(pa.table({"image": image}), tmp_path / "a.parquet", compression="zstd", use_dictionary=False)
    before = pa.default_memory_pool().max_memory()
    with pytest.raises(BadLine, match=r"line 1: 4,000,\d+ bytes of 'image.bytes' in 2 rows, .* too much for images"):
        rows_at_once(tmp_path / "a.parquet", "image")
    assert pa.default_memory_pool().max_memory() - before < 1_000_000


@pytest.mark.parametrize("repeated", [1, 3])
def test_real_images_are_read_some_of_them_repeated_and_longer_than_a_line(
    repeated: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "UNCOMPRESSED_BYTES", 1_000_000)
    contents = [np.random.default_rng(seed).bytes(LONGEST_LINE + 1) for seed in range(2)] * repeated
    image = pa.StructArray.from_arrays(
        [pa.array(contents), pa.array(map(str, range(len(contents))))], ["bytes", "path"]
    )
    parquet.write_table(pa.table({"image": image}), tmp_path / "a.parquet")
    assert rows_at_once(tmp_path / "a.parquet", "image") == [1] * len(contents)


NO_IMAGES = {
    "lists of objects": pa.array([[{"bytes": LONG}] * 5]),
    "an object of lists": pa.array([{"bytes": [LONG] * 5}]),
    "an object in an object": pa.array([{"file": {"bytes": LONG * 11}}]),
    "a column with a full stop": pa.array([LONG * 11]),
}


@pytest.mark.parametrize("kind", NO_IMAGES)
def test_only_the_bytes_of_images_may_be_longer_than_a_line(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "UNCOMPRESSED_BYTES", 3 * len(LONG))
    name = "label.bytes" if kind == "a column with a full stop" else "label"
    parquet.write_table(pa.table({name: NO_IMAGES[kind]}), tmp_path / "a.parquet", compression="zstd")
    with pytest.raises(BadLine, match="too much for"):
        rows_at_once(tmp_path / "a.parquet", name)


def test_a_long_list_of_few_bytes_is_refused_and_usual_ones_are_not(tmp_path: Path) -> None:
    few = pa.ListArray.from_arrays(pa.array([0, 3_000_000], pa.int32()), pa.array(np.zeros(3_000_000, np.int64)))
    many = pa.array([["car", "bus"]] * 20_000)
    for label, refused in ((few, True), (many, False)):
        parquet.write_table(pa.table({"label": label}), tmp_path / "a.parquet")
        with parquet.ParquetFile(tmp_path / "a.parquet") as table:
            found = tables.batches(table, tmp_path / "a.parquet", ["label"])
            if refused:
                with pytest.raises(BadLine, match="too much for lists"):
                    next(found)
            else:
                assert sum(batch.num_rows for batch in found) == 20_000


@pytest.mark.parametrize("encoding", ["dictionary", "prefixes"])
def test_a_value_that_rows_repeat_is_read_a_few_rows_at_once(encoding: str, tmp_path: Path) -> None:
    table = pa.table({"a.b": [LONG] * 1_000})
    encodings = {"a.b": "DELTA_BYTE_ARRAY"} if encoding == "prefixes" else None
    parquet.write_table(table, tmp_path / "a.parquet", use_dictionary=not encodings, column_encoding=encodings)
    rows = rows_at_once(tmp_path / "a.parquet", "a.b")
    assert sum(rows) == 1_000
    assert max(rows) * len(LONG) <= tables.UNCOMPRESSED_BYTES
