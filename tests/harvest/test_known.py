"""A file is known if nothing about it has changed; its name alone, or its name and size, prove nothing."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.harvest.conftest import Harvest
from tests.pictures_for_tests import picture
from tests.site_for_tests import Site

from thresher.errors import BadLine
from thresher.harvest import Harvested, harvest
from thresher.harvest.known import SETTLED_MS
from thresher.harvest.sources.folder import from_folder
from thresher.harvest.sources.urls import from_urls
from thresher.label.imports import import_gold
from thresher.records import Category, Question, now_ms
from thresher.settings import Settings
from thresher.store.contract import Store

LATER_MS = now_ms() + 10**9
"""When all files of a test have long been as they are."""


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def frames(*seeds: int) -> dict[str, bytes]:
    """Pictures that all have one size."""
    return {f"frame{place}.bmp": picture(seed, format="BMP") for place, seed in enumerate(seeds)}


class Opened:
    """The files that this process opened, as Python tells them (PEP 578); a hook cannot be taken away again."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.listening = True
        sys.addaudithook(self.heard)

    def heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.listening and event == "open" and isinstance(arguments[0], str):
            self.paths.append(arguments[0])

    def pictures(self, folder: Path) -> list[str]:
        return [os.path.relpath(path, folder) for path in self.paths if path.startswith(f"{folder}{os.sep}")]


@pytest.fixture
def opened() -> Iterator[Opened]:
    hook = Opened()
    yield hook
    hook.listening = False


def test_run_again_no_file_is_opened_that_is_known(
    take: Harvest, store: Store, settings: Settings, opened: Opened, tmp_path: Path
) -> None:
    folder = fill(tmp_path / "in", frames(1, 2, 3) | {"no.jpg": b"no"})
    opened.paths.clear()
    assert take(from_folder(folder), now_ms=LATER_MS) == Harvested(3, 0, 1, 4)
    assert len(opened.pictures(folder)) == 4
    fill(folder, {"later.bmp": picture(99, format="BMP")})
    opened.paths.clear()
    assert take(from_folder(folder), now_ms=LATER_MS) == Harvested(1, 3, 1, 5)
    assert sorted(opened.pictures(folder)) == ["later.bmp", "no.jpg"]
    opened.paths.clear()
    store.categories.create(Category("dog", Question(1, "Is this a dog?", at_ms=1), created_ms=1))
    dogs = harvest("dog", from_folder(folder), store=store, settings=settings, now_ms=LATER_MS)
    assert dogs == Harvested(4, 0, 1, 5)
    assert opened.pictures(folder) == ["no.jpg"]


def test_asked_to_read_again_it_opens_every_file(take: Harvest, store: Store, opened: Opened, tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", frames(1, 2))
    take(from_folder(folder), now_ms=LATER_MS)
    opened.paths.clear()
    source = from_folder(folder)
    source.again = True
    assert take(source, now_ms=LATER_MS) == Harvested(0, 2, 0, 2)
    assert len(opened.pictures(folder)) == 2
    assert store.images.count() == 2


def test_a_file_that_changed_just_before_a_harvest_is_read_again(take: Harvest, opened: Opened, tmp_path: Path) -> None:
    """A second change within one tick of the clock leaves its times as they were."""
    folder = fill(tmp_path / "in", frames(1))
    changed_ms = (folder / "frame0.bmp").stat().st_ctime_ns // 1_000_000
    for began_ms, reads in ((changed_ms, 1), (changed_ms + SETTLED_MS - 1, 1), (changed_ms + SETTLED_MS, 1), (0, 0)):
        opened.paths.clear()
        take(from_folder(folder), now_ms=began_ms)
        assert len(opened.pictures(folder)) == reads


def in_place(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def in_place_with_its_old_time(path: Path, data: bytes) -> None:
    before = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def by_another_file_with_its_old_time(path: Path, data: bytes) -> None:
    before = path.stat()
    other = path.with_suffix(".new")
    other.write_bytes(data)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("replace", [in_place, in_place_with_its_old_time, by_another_file_with_its_old_time])
def test_a_file_replaced_under_its_name_is_another_picture(
    replace: Callable[[Path, bytes], None], take: Harvest, store: Store, tmp_path: Path
) -> None:
    folder = fill(tmp_path / "in", frames(1, 2, 3))
    take(from_folder(folder), now_ms=LATER_MS)
    size = (folder / "frame0.bmp").stat().st_size
    replace(folder / "frame0.bmp", picture(77, format="BMP"))
    assert (folder / "frame0.bmp").stat().st_size == size
    assert take(from_folder(folder), now_ms=LATER_MS) == Harvested(1, 2, 0, 3, replaced=1)
    assert take(from_folder(folder), now_ms=LATER_MS) == Harvested(0, 3, 0, 3)
    assert list(store.images.read_many([0, 3])) == [picture(1, format="BMP"), picture(77, format="BMP")]


def test_two_files_that_changed_places_are_told(take: Harvest, store: Store, tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", frames(1, 2))
    take(from_folder(folder), now_ms=LATER_MS)
    fill(folder, frames(2, 1))
    assert take(from_folder(folder), now_ms=LATER_MS) == Harvested(0, 2, 0, 2, replaced=2)
    assert store.images.count() == 2


def test_a_label_by_the_name_of_a_file_that_was_replaced_is_refused(
    take: Harvest, store: Store, tmp_path: Path
) -> None:
    """Nobody knows which of the two it speaks of: a list may be older than the file, or newer."""
    folder = fill(tmp_path / "in", frames(1, 2))
    take(from_folder(folder))
    fill(folder, frames(77, 2))
    take(from_folder(folder))
    table = tmp_path / "gold.csv"
    table.write_text("file,answer\nframe1.bmp,yes\nframe0.bmp,yes\n", "utf-8")
    hashes = [image.sha256 for image in store.images.many([0, 2])]
    with pytest.raises(BadLine, match=f"line 3.*2 images of car are called.*{hashes[0]} or {hashes[1]}"):
        import_gold("car", table, store=store, now_ms=1)
    table.write_text(f"file,answer\nframe1.bmp,yes\n{hashes[1]},yes\n", "utf-8")
    assert import_gold("car", table, store=store, now_ms=1) == 2


def test_a_url_that_was_replaced_is_found_when_it_is_fetched_again(
    take: Harvest, store: Store, site: Site, tmp_path: Path
) -> None:
    urls = [site.url("/changing/a"), site.url("/picture/2.jpg")]
    (tmp_path / "list.txt").write_text("\n".join(urls), "utf-8")
    source = from_urls(tmp_path / "list.txt")
    assert take(source, fetch_private=True) == Harvested(2, 0, 0, 2)
    assert take(source, fetch_private=True) == Harvested(0, 2, 0, 2)
    assert site.asked["/changing/a"] == 1
    source.again = True
    assert take(source, fetch_private=True) == Harvested(1, 1, 0, 2, replaced=1)
    assert len(store.categories.find("car", urls)[0]) == 2
