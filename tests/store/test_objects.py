"""Closed shards that were moved to an object store are read by ranges, checked by their index, and released."""

import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.contract.things import category, data, images, new_image

from thresher.errors import BadInput, Missing, StoreDamaged, StoreUnavailable
from thresher.records import Grounds, Origin
from thresher.release import Chosen, release
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store
from thresher.store.directory.objects import Objects

COUNT = 40


@pytest.fixture
def moved(tmp_path: Path, settings: Settings) -> Path:
    """A workspace whose closed shards lie in another folder."""
    place, there = tmp_path / "cars", tmp_path / "bucket"
    there.mkdir()
    with closing(open_store(place, settings.but(shard_bytes=20_000), create=True)) as store:
        rows = images(store, COUNT)
        category(store)
        store.categories.pool_add("car", rows, Origin("folder", at_ms=1))
    closed = [path for path in (place / "images").iterdir() if not path.name.endswith(".open.tar")]
    assert len(closed) > 4
    for path in closed:
        shutil.move(path, there)
    return place


@pytest.fixture
def store(moved: Path, settings: Settings) -> Iterator[Store]:
    with closing(open_store(moved, settings.but(shards=(moved.parent / "bucket").as_uri()))) as opened:
        yield opened


def bucket(store: Store) -> Path:
    return Path(store.place).parent / "bucket"


def test_pictures_are_read_where_their_shards_were_moved_to(store: Store) -> None:
    assert [store.images.read(row) for row in range(COUNT)] == [data(seed) for seed in range(COUNT)]
    assert list(store.images.read_many([7, 3, 7])) == [data(7), data(3), data(7)]


def test_new_pictures_go_into_the_directory_and_old_ones_stay(store: Store) -> None:
    before = {path.name: path.stat().st_size for path in bucket(store).iterdir()}
    (row,) = images(store, 1, start=900)
    assert images(store, COUNT) == list(range(COUNT))  # known, and not stored again
    assert store.images.read(row) == data(900)
    assert {path.name: path.stat().st_size for path in bucket(store).iterdir()} == before


def test_without_the_setting_a_moved_shard_is_missing(moved: Path, settings: Settings) -> None:
    with closing(open_store(moved, settings)) as store, pytest.raises(StoreDamaged, match="missing"):
        store.images.read(0)


def test_check_finds_moved_shards_sound_and_changes_nothing_there(store: Store) -> None:
    before = {path.name: path.read_bytes() for path in bucket(store).iterdir()}
    report = store.check(mend=True)
    assert report.found == ()
    assert report.counted["shards"] == sum(name.endswith(".tar") for name in before)
    assert {path.name: path.read_bytes() for path in bucket(store).iterdir()} == before


def test_check_tells_the_pictures_of_a_shard_that_was_cut_short(store: Store) -> None:
    cut = max(bucket(store).glob("*.tar"), key=lambda path: path.stat().st_size)
    cut.write_bytes(cut.read_bytes()[:700])
    report = store.check(mend=True)
    assert not report.sound
    assert "have lost their bytes" in report.found[0]
    lost = [row for row in range(COUNT) if _lost(store, row)]
    assert 0 < len(lost) < COUNT
    # brought again they lie in the directory, and all is whole
    store.images.put([new_image(seed) for seed in lost])
    assert [store.images.read(row) for row in range(COUNT)] == [data(seed) for seed in range(COUNT)]


def _lost(store: Store, row: int) -> bool:
    try:
        store.images.read(row)
    except StoreDamaged:
        return True
    return False


def test_an_index_that_was_left_behind_is_named_and_no_picture_is_given_up(store: Store) -> None:
    index = next(bucket(store).glob("*.index"))
    kept = index.read_bytes()
    for wrong in (None, b"no index\n"):
        index.unlink()
        if wrong is not None:
            index.write_bytes(wrong)
        with pytest.raises(StoreDamaged) as told:
            store.check(mend=True)
        assert "index" in told.value.next
        index.write_bytes(kept)
    assert store.check(mend=True).found == ()


def test_a_store_that_does_not_answer_costs_no_picture(moved: Path, settings: Settings) -> None:
    nowhere = settings.but(shards="http://127.0.0.1:1/bucket")
    with closing(open_store(moved, nowhere)) as store:
        for work in (lambda: store.images.read(0), lambda: store.check(mend=True)):
            with pytest.raises(StoreUnavailable) as told:
                work()
            assert "127.0.0.1:1" in told.value.where
    with closing(open_store(moved, settings.but(shards=(moved.parent / "bucket").as_uri()))) as store:
        assert store.check(mend=True).found == ()


def test_a_url_without_its_driver_says_what_to_install() -> None:
    with pytest.raises((Missing, StoreUnavailable, BadInput)) as told:
        Objects("s3://bucket/cars").read("x", 0, 1)
    assert "pip install" in str(told.value)


def test_a_category_with_moved_shards_is_released(store: Store, tmp_path: Path) -> None:
    rows = store.categories.pool("car")
    decided = Chosen(
        category="car",
        version=1,
        question="Is it?",
        round=1,
        rows=rows,
        codes=np.array([1] * 3 + [0] * (COUNT - 3), np.int8),
        scores=np.zeros(COUNT, np.float32),
        similar=rows,
        inherited=np.zeros(COUNT, bool),
        yes_by=Grounds(0, 0, 3),
        certificate={"certified": False, "words": "No certificate."},
        evidence={},
    )
    release(decided, tmp_path / "out", store=store, now_ms=9, formats=["folder"])
    found = sorted(path.read_bytes() for path in (tmp_path / "out" / "images").iterdir())
    assert found == sorted(map(data, range(3)))


class Silent(http.server.SimpleHTTPRequestHandler):
    """A site of whole files: the library's own server answers 200 with all of a file, whatever range is asked for."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Ranges(http.server.SimpleHTTPRequestHandler):
    """A site that serves ranges, as object stores do, and notes what was asked."""

    asked: list[str] = []  # noqa: RUF012 -- the library makes the handlers, and there is one test
    folder: Path

    def do_GET(self) -> None:
        body = (self.folder / self.path.rpartition("/")[2]).read_bytes()
        span = self.headers.get("Range", "")
        self.asked.append(f"{self.path} {span}")
        if span:
            first, _, last = span.removeprefix("bytes=").partition("-")
            part = body[int(first) : int(last) + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
        else:
            part = body
            self.send_response(200)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_server_that_ignores_ranges_is_named_and_not_taken_for_damage(moved: Path, settings: Settings) -> None:
    handler = partial(Silent, directory=str(moved.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{site.server_address[1]}/bucket"
        with (
            closing(open_store(moved, settings.but(shards=url))) as store,
            pytest.raises(StoreUnavailable, match="ignores byte ranges"),
        ):
            store.images.read(5)
        site.shutdown()


def test_one_picture_is_one_request_for_its_bytes_alone(moved: Path, settings: Settings) -> None:
    Ranges.folder = moved.parent / "bucket"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ranges) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{site.server_address[1]}/bucket"
        with closing(open_store(moved, settings.but(shards=url))) as store:
            assert store.images.read(5) == data(5)
        site.shutdown()
    (asked,) = Ranges.asked
    first, _, last = asked.partition("bytes=")[2].partition("-")
    assert int(last) - int(first) + 1 == len(data(5))
