"""Pictures that stay where they are: read from a real site, through the guard, and compared with their hash."""

import asyncio
import hashlib
import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from tests.filled import tiny_backbone
from tests.pictures_for_tests import picture
from tests.site_for_tests import RunningSite, Site

from thresher.errors import NotReady
from thresher.guard import PER_HOST
from thresher.learn.embed import column_when_new, embed
from thresher.records import Alias, NewImage, Rendering
from thresher.server.pictures import Shown
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with RunningSite() as running:
        yield running


@pytest.fixture
def private(settings: Settings) -> Settings:
    """The site of a test has an address that the guard keeps from others."""
    return settings.but(fetch_private=True)


@pytest.fixture
def store(tmp_path: Path, private: Settings) -> Iterator[Store]:
    opened = open_store(tmp_path / "workspace", private, create=True)
    yield opened
    opened.close()


def reference(seed: int, *urls: str, of: bytes = b"") -> NewImage:
    name = hashlib.sha256(of or picture(seed)).hexdigest()
    return NewImage(name, None, 64, 48, "JPEG", bytes=1, aliases=tuple(Alias("url", url) for url in urls))


def test_a_picture_kept_by_reference_is_fetched_when_it_is_wanted(store: Store, site: Site) -> None:
    rows = store.images.put([reference(seed, site.url(f"/picture/{seed}.jpg")) for seed in range(3)])
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.extend(store.images.read_many(rows))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted([picture(seed) for seed in range(3)] * 2)


def test_another_address_is_tried_where_one_gives_nothing(store: Store, site: Site) -> None:
    (row,) = store.images.put([reference(4, site.url("/status/404"), site.url("/picture/4.jpg"))])
    assert store.images.read(row) == picture(4)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/picture/5.jpg", "the bytes there now have another hash"),
        ("/status/404", "404"),
        ("", "none of its addresses"),
    ],
)
def test_what_is_not_the_picture_is_never_taken_for_it(store: Store, site: Site, path: str, told: str) -> None:
    url = site.url(path) if path else "ftp://127.0.0.1/5.jpg"
    (row,) = store.images.put([reference(5, url, of=b"another one")])
    with pytest.raises(NotReady, match=told):
        store.images.read(row)


def test_a_picture_may_stay_on_an_object_store(store: Store) -> None:
    fsspec.register_implementation("abfss", MemoryFileSystem, clobber=True)
    with fsspec.open("abfss://bucket/7.jpg", "wb") as file:
        file.write(picture(7))
    there, gone = store.images.put([reference(7, "abfss://bucket/7.jpg"), reference(8, "abfss://bucket/8.jpg")])
    assert store.images.read(there) == picture(7)
    with pytest.raises(NotReady, match="FileNotFoundError"):
        store.images.read(gone)


def test_a_key_of_an_object_store_is_asked_for_as_it_is_written(store: Store) -> None:
    fsspec.register_implementation("abfss", MemoryFileSystem, clobber=True)
    keys = ["a%2Fb.jpg", "a b+c.jpg", "a::b.jpg", "a[1]*.jpg", "a.jpg?v=1#x"]
    for seed, key in enumerate(keys):
        with MemoryFileSystem().open(f"abfss://keys/{key}", "wb") as file:
            file.write(picture(seed))
    rows = store.images.put([reference(seed, f"abfss://keys/{key}") for seed, key in enumerate(keys)])
    assert [store.images.read(row) for row in rows] == [picture(seed) for seed in range(len(keys))]


def test_a_password_in_an_address_is_in_no_message(store: Store, site: Site) -> None:
    (row,) = store.images.put([reference(9, site.url("/status/404").replace("//", "//ada:secret@"))])
    with pytest.raises(NotReady) as told:
        store.images.read(row)
    assert "secret" not in str(told.value)


def test_an_address_that_the_guard_forbids_is_not_asked(tmp_path: Path, settings: Settings, site: Site) -> None:
    with closing(open_store(tmp_path / "guarded", settings, create=True)) as store:
        (row,) = store.images.put([reference(6, site.url("/picture/6.jpg"))])
        with pytest.raises(NotReady, match="kept by reference"):
            store.images.read(row)
    assert site.asked["/picture/6.jpg"] == 0


def test_references_are_embedded_by_processes_of_their_own(
    store: Store, private: Settings, site: Site, tmp_path: Path
) -> None:
    rows = np.array(store.images.put([reference(n, site.url(f"/picture/{n}.jpg")) for n in range(20)]))
    settings = private.but(backbone=tiny_backbone(tmp_path / "tiny.onnx"), processes=2)
    assert embed(rows, store=store, settings=settings) == 20
    assert not len(store.columns.missing(column_when_new(settings), rows))


def test_where_nothing_at_all_can_be_read_embedding_says_why(
    store: Store, private: Settings, site: Site, tmp_path: Path
) -> None:
    """Else a loop would try it again for ever, with a bar that is full each time."""
    rows = np.array(store.images.put([reference(seed, site.url("/status/404")) for seed in range(4)]))
    with pytest.raises(NotReady, match="404"):
        embed(rows, store=store, settings=private.but(backbone=tiny_backbone(tmp_path / "tiny.onnx"), processes=1))


def test_what_people_saw_is_kept_and_shown_when_the_site_is_gone(store: Store, private: Settings, site: Site) -> None:
    (row,) = store.images.put([reference(21, site.url("/picture/21.jpg"))])
    before = site.asked["/picture/21.jpg"]
    seen = asyncio.run(Shown(store, private).webp(row, long_side=48))
    assert site.asked["/picture/21.jpg"] == before + 1
    guarded = private.but(fetch_private=False)
    with closing(open_store(store.place, guarded)) as cut_off:
        again, wait = asyncio.run(Shown(cut_off, guarded).webp_and_wait(row, long_side=48))
        assert again == seen
        assert wait > 0  # as long as it took the first, or who sees it would know that others did
        with pytest.raises(NotReady):
            asyncio.run(Shown(cut_off, guarded).webp(row, long_side=32))


def test_a_rendering_of_an_earlier_version_is_shown_only_where_no_new_one_can_be_made(
    store: Store, private: Settings, site: Site
) -> None:
    """It may be wrong (12-bit greys were black); but it is what people judged."""
    (row,) = store.images.put([reference(23, site.url("/picture/23.jpg"))])
    store.renderings.keep(row, "48", Rendering(b"as it was shown", 0.5))
    guarded = private.but(fetch_private=False)
    with closing(open_store(store.place, guarded)) as cut_off:
        earlier = Shown(cut_off, guarded).webp_and_wait(row, long_side=48)
        assert asyncio.run(earlier) == (b"as it was shown", 0.5)
    assert asyncio.run(Shown(store, private).webp(row, long_side=48)).startswith(b"RIFF")


def test_a_harmed_rendering_is_made_anew(store: Store, private: Settings, site: Site) -> None:
    (row,) = store.images.put([reference(22, site.url("/picture/22.jpg"))])
    seen = asyncio.run(Shown(store, private).webp(row, long_side=48))
    (kept,) = (Path(store.place) / "renderings").rglob(f"{row}-48-*")
    for whole in (kept.read_bytes()[:-5], b"", b"abc"):
        kept.write_bytes(whole)
        assert asyncio.run(Shown(store, private).webp(row, long_side=48)) == seen


def test_many_pictures_of_a_site_come_over_few_connections(store: Store, site: Site) -> None:
    rows = store.images.put([reference(seed, site.url(f"/picture/{seed}.jpg")) for seed in range(30, 42)])
    before = set(site.connections)
    with ThreadPoolExecutor(8) as readers:
        assert list(readers.map(store.images.read, rows)) == [picture(seed) for seed in range(30, 42)]
    assert len(site.connections - before) <= PER_HOST


def test_a_fork_fetches_on_a_line_of_its_own(store: Store, site: Site) -> None:
    rows = store.images.put([reference(seed, site.url(f"/picture/{seed}.jpg")) for seed in (50, 51)])
    assert store.images.read(rows[0]) == picture(50)
    child = multiprocessing.get_context("fork").Process(target=store.images.read, args=(rows[1],))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert site.asked["/picture/51.jpg"] == 1


def test_the_time_allowed_begins_when_a_connection_is_free(store: Store, private: Settings, site: Site) -> None:
    """Many readers of a slow site wait for each other, and none of them loses its picture by it."""
    seeds = range(60, 220)  # of which four at once take two seconds
    rows = store.images.put([reference(seed, site.url(f"/a-moment/{seed}.jpg")) for seed in seeds])
    hurried = open_store(store.place, private.but(fetch_seconds=1.5))
    with closing(hurried), ThreadPoolExecutor(len(seeds)) as readers:
        assert list(readers.map(hurried.images.read, rows)) == [picture(seed) for seed in seeds]
