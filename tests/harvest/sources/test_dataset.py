"""A dataset that has the bytes of its images is their source; its labels find them by their SHA-256."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tests.harvest.conftest import Harvest
from tests.pictures_for_tests import picture

from thresher.annotations import read
from thresher.harvest.claimed import Finder, source_of
from thresher.harvest.sources.dataset import from_dataset
from thresher.store.contract import Store

MOST = 10**7


def dataset(folder: Path, count: int) -> Path:
    folder.mkdir()
    images = [{"bytes": picture(number, (96, 64)), "path": f"{number}.jpg"} for number in range(count)]
    kinds = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(images, kinds), "label": pa.array(["car"] * count)})
    pq.write_table(table, folder / "train-00000-of-00001.parquet")
    return folder


def test_the_labels_of_a_dataset_find_its_own_images(store: Store, take: Harvest, tmp_path: Path) -> None:
    place = dataset(tmp_path / "cars", 3)
    claims = read(place)
    assert claims.kind == "hf"
    found = Finder(claims, [source_of(str(place))], MOST).images(list(claims.claims), everything=False)
    assert not found.unusable
    assert take(found.parts[0]).new == 3
    hashes = [hashlib.sha256(picture(number, (96, 64))).hexdigest() for number in range(3)]
    assert list(found.names) == hashes
    assert store.categories.find("car", hashes) == [[0], [1], [2]]


def test_an_image_that_is_too_large_is_refused(take: Harvest, tmp_path: Path) -> None:
    source = from_dataset(dataset(tmp_path / "cars", 2))
    assert source is not None
    assert take(source, fetch_bytes=1000).refused == 2


def test_a_place_without_images_in_it_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    assert from_dataset(tmp_path / "photos") is None
    table = tmp_path / "labels.parquet"
    pq.write_table(pa.table({"file": ["a.jpg"], "label": ["car"]}), table)
    assert from_dataset(table) is None
