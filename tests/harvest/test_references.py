import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.contract.things import category, data, new_image

from thresher.errors import BadInput, NotFound
from thresher.harvest import Harvested
from thresher.harvest.references import LINES_AT_ONCE, harvest_references
from thresher.records import Origin, Progress
from thresher.store.contract import Store


def sha256(seed: int) -> str:
    return hashlib.sha256(data(seed)).hexdigest()


def url(seed: int) -> str:
    return f"https://site.example/{seed}.jpg"


def good(seed: int) -> str:
    return f"{sha256(seed)},{url(seed)},640,480,JPEG,700"


def listed(path: Path, *lines: str, header: str = "sha256,url,width,height,format,bytes") -> Path:
    path.write_text("\n".join((header, *lines)) + "\n", "utf-8")
    return path


def test_a_list_becomes_rows_without_bytes(store: Store, tmp_path: Path) -> None:
    category(store)
    path = listed(tmp_path / "list.csv", *(good(seed) for seed in range(5)))
    assert harvest_references("car", path, store=store, now_ms=9) == Harvested(new=5, seen=5)
    assert store.categories.pool("car").tolist() == [0, 1, 2, 3, 4]
    image = store.images.get(3)
    assert (image.sha256, image.width, image.height, image.format, image.bytes) == (sha256(3), 640, 480, "JPEG", 700)
    assert image.reference
    assert store.images.find([url(3)]) == [3]
    assert store.categories.origins("car", [3]) == [Origin("references:list.csv", url(3), "", 9)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nonsense," + url(1) + ",640,480,JPEG,700", "'nonsense' is not a SHA-256"),
        (sha256(1).upper() + "," + url(1) + ",640,480,JPEG,700", "is not a SHA-256"),
        (sha256(1) + ",picture.jpg,640,480,JPEG,700", "'picture.jpg' is not a URL"),
        (sha256(1) + ",https://a b,640,480,JPEG,700", "is not a URL"),
        (sha256(1) + "," + url(1) + ",wide,480,JPEG,700", "whole numbers, not 'wide, 480, 700'"),
        (sha256(1) + "," + url(1) + ",640,0,JPEG,700", "640 x 0 pixels"),
        (sha256(1) + "," + url(1) + ",,480,JPEG,700", "whole numbers, not ', 480, 700'"),
        (sha256(1) + "," + url(1) + ",640", "has 3 columns, and the first line has 6"),
        (sha256(1), "has 1 column, and the first line has 6"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_the_others_go_on(
    store: Store, tmp_path: Path, line: str, told: str
) -> None:
    category(store)
    path = listed(tmp_path / "list.csv", good(0), line, good(2))
    assert harvest_references("car", path, store=store, now_ms=9) == Harvested(new=2, refused=1, seen=3)
    ((_, refusal),) = store.categories.refusals("car", 0, 10)
    assert (refusal.name, refusal.reason) == ("list.csv, line 3", "bad-line")
    assert told in refusal.detail


def test_lines_are_numbered_as_an_editor_does(store: Store, tmp_path: Path) -> None:
    category(store)
    header = "note,sha256,url,width,height"
    path = listed(tmp_path / "list.csv", f'"two\nlines",{sha256(0)},{url(0)},1,1', "", "x,y,z,1,1", header=header)
    assert harvest_references("car", path, store=store, now_ms=9).refused == 1
    ((_, refusal),) = store.categories.refusals("car", 0, 10)
    assert refusal.name == "list.csv, line 5"


def test_running_it_again_adds_nothing(store: Store, tmp_path: Path) -> None:
    category(store)
    path = listed(tmp_path / "list.csv", good(0), "bad", good(1), good(0))
    first = harvest_references("car", path, store=store, now_ms=9)
    assert first == Harvested(new=2, known=1, refused=1, seen=4)
    again = harvest_references("car", path, store=store, now_ms=10)
    assert again == Harvested(new=0, known=3, refused=1, seen=4)
    assert store.categories.tally("car").refused == 1
    assert store.images.count() == 2


def test_a_table_is_read_like_a_list(store: Store, tmp_path: Path) -> None:
    category(store)
    path = tmp_path / "list.parquet"
    columns = {
        "URL": [url(0), None, url(2)],
        "SHA256": [sha256(seed) for seed in range(3)],
        "WIDTH": [10, 11, 12],
        "HEIGHT": [20, 21, 22],
    }
    parquet.write_table(pa.table(columns), path)
    assert harvest_references("car", path, store=store, now_ms=9) == Harvested(new=2, refused=1, seen=3)
    assert (store.images.get(1).width, store.images.get(1).height) == (12, 22)
    assert store.categories.refusals("car", 0, 9)[0][1].name == "list.parquet, line 2"


def test_a_list_that_breaks_off_is_told_and_what_came_before_is_kept(store: Store, tmp_path: Path) -> None:
    category(store)
    whole = json.dumps(
        [{"sha256": sha256(seed), "url": url(seed), "width": 640, "height": 480} for seed in range(3)], indent=1
    )
    (tmp_path / "list.json").write_text(whole[:-20])
    with pytest.raises(BadInput, match=r"list\.json, line \d+: is not JSON"):
        harvest_references("car", tmp_path / "list.json", store=store, now_ms=9)
    assert store.categories.pool("car").tolist() == [0, 1]


def test_stored_bytes_stay(store: Store, tmp_path: Path) -> None:
    category(store)
    store.images.put([new_image(1)])
    harvest_references("car", listed(tmp_path / "list.csv", good(1)), store=store, now_ms=9)
    assert store.images.read(0) == data(1)
    assert not store.images.get(0).reference


def test_it_stops_when_it_is_asked_to_and_tells_how_far_it_is(store: Store, tmp_path: Path) -> None:
    category(store)
    told: list[Progress] = []
    path = listed(tmp_path / "list.csv", *(good(seed) for seed in range(LINES_AT_ONCE + 1)))
    half = harvest_references("car", path, store=store, now_ms=9, report=told.append, stop=lambda: True)
    assert half.seen == LINES_AT_ONCE
    assert told == [Progress("harvest", LINES_AT_ONCE, 0)]
    assert harvest_references("car", path, store=store, now_ms=9).new == 1


@pytest.mark.parametrize("header", ["sha256,url,width", "a,b,c"])
def test_a_list_without_a_needed_column_is_refused_naming_it(store: Store, tmp_path: Path, header: str) -> None:
    category(store)
    with pytest.raises(BadInput, match="no column is called"):
        harvest_references("car", listed(tmp_path / "list.csv", header=header), store=store, now_ms=9)


def test_a_file_that_cannot_be_read_is_told(store: Store, tmp_path: Path) -> None:
    category(store)
    (tmp_path / "bad.parquet").write_text("not a table")
    for name in ("missing.csv", "missing.parquet", "bad.parquet", "list.txt"):
        with pytest.raises(BadInput) as told:
            harvest_references("car", tmp_path / name, store=store, now_ms=9)
        assert name in str(told.value)
    with pytest.raises(NotFound):
        harvest_references("dog", tmp_path / "missing.csv", store=store, now_ms=9)
