import os
import resource
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.contract.things import category, data, images, new_image
from tests.store.processes import ended, forked

from thresher.errors import StoreDamaged, StoreFull, StoreUnavailable
from thresher.records import Label, Purpose, Says, Source
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # a limit holds for a whole process
NOBODY = 65534


def with_files_up_to(size: int, work: Callable[[], None]) -> None:
    """Run work in a process whose files cannot grow beyond a size, as on a disk that is full."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        work()

    assert ended(forked(limited)) == 0


def test_a_disk_that_fills_while_images_are_stored_keeps_those_before(store: Store, settings: Settings) -> None:
    def fill() -> None:
        opened = open_store(store.place, settings)
        batches = ([new_image(s, data=data(s, 9000)) for s in range(start, start + 5)] for start in range(0, 999, 5))
        with pytest.raises(StoreFull) as told:
            list(map(opened.images.put, batches))
        assert "free some space" in told.value.next
        assert store.place in told.value.where

    with_files_up_to(600_000, fill)
    count = store.images.count()
    assert count > 20
    assert [store.images.read(row) for row in range(count)] == [data(seed, 9000) for seed in range(count)]
    report = store.check(mend=True)
    assert report.sound
    assert images(store, 3, start=5000) == [count, count + 1, count + 2]


def test_a_call_that_a_full_disk_ends_in_its_middle_leaves_none_of_its_pictures(
    store: Store, settings: Settings
) -> None:
    """A call of several megabytes is written in parts; those before the one that fails are taken back."""
    first = [new_image(seed, data=data(seed, 90_000)) for seed in range(5)]
    store.images.put(first)
    (shard,) = Path(store.place).glob("images/*.open.tar")
    before = shard.stat().st_size
    store.close()

    def fill() -> None:
        opened = open_store(store.place, settings)
        with pytest.raises(StoreFull):
            opened.images.put([new_image(seed, data=data(seed, 90_000)) for seed in range(100, 140)])

    with_files_up_to(3_000_000, fill)
    assert store.images.count() == 5
    assert max(path.stat().st_size for path in Path(store.place).glob("images/*.tar")) <= before + 1024
    assert list(store.images.read_many(range(5))) == [image.data for image in first]


def test_a_disk_that_fills_under_the_catalog_keeps_what_was_committed(store: Store, settings: Settings) -> None:
    category(store, 10)
    store.labels.hold("car", [Label(0, Says.YES, Source.OWNER, Purpose.LEARN, 1, 1)])

    def fill() -> None:
        opened = open_store(store.place, settings)

        def keep() -> None:
            for number in range(500):
                opened.rounds.keep_evidence("car", 1, f"piece {number}", bytes(20_000))

        with pytest.raises(StoreFull):
            keep()

    with_files_up_to(1_000_000, fill)
    assert [label.row for label in store.labels.held("car", 1)] == [0]
    kept = [n for n in range(500) if store.rounds.evidence("car", 1, f"piece {n}") is not None]
    assert kept == list(range(len(kept)))
    assert len(kept) > 5
    store.rounds.keep_evidence("car", 1, "more", b"x")
    assert store.check(mend=False).sound


def test_a_disk_that_fills_under_a_column_marks_nothing_it_has_not(store: Store, settings: Settings) -> None:
    images(store, 100)
    store.columns.create("features/x", 100, "float32")
    store.columns.write("features/x", np.arange(10), np.ones((10, 100)))

    def fill() -> None:
        opened = open_store(store.place, settings)
        with pytest.raises(StoreFull):
            opened.columns.write("features/x", np.arange(10, 100), np.ones((90, 100)))

    with_files_up_to(20_000, fill)
    assert store.columns.missing("features/x", np.arange(100)).tolist() == list(range(10, 100))


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A directory that every user of the machine can reach, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def as_somebody(place: Path, work: Callable[[], None]) -> None:
    """Run work as a user whom permissions bind, who owns the files."""

    def run() -> None:
        if os.geteuid() == 0:  # nothing is read-only for root
            for path in (place, *place.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
            os.setegid(NOBODY)
            os.seteuid(NOBODY)
        work()

    assert ended(forked(run)) == 0


def test_a_read_only_directory_is_told_and_left_as_it_was(reachable: Path, settings: Settings) -> None:
    place = reachable / "workspace"
    store = open_store(place, settings, create=True)
    images(store, 2)
    store.close()
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    for path in (*place.rglob("*"), place):
        path.chmod(0o555 if path.is_dir() else 0o444)

    def use() -> None:
        with pytest.raises(StoreUnavailable) as told:
            images(open_store(place, settings), 1, start=9)
        assert told.value.next == "make the workspace writable"
        with pytest.raises(StoreUnavailable):
            open_store(place / "another", settings, create=True)

    as_somebody(place, use)
    for path in (place, *place.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


def test_a_directory_that_may_not_be_entered_is_told(reachable: Path, settings: Settings) -> None:
    place = reachable / "workspace"
    open_store(place, settings, create=True).close()
    place.chmod(0o000)

    def use() -> None:
        with pytest.raises(StoreUnavailable, match="Permission denied"):
            open_store(place, settings)

    as_somebody(reachable, use)
    place.chmod(0o755)


def test_images_that_may_not_be_written_are_told_before_any_row_is(reachable: Path, settings: Settings) -> None:
    place = reachable / "workspace"
    open_store(place, settings, create=True).close()
    (place / "images").chmod(0o555)

    def use() -> None:
        opened = open_store(place, settings)
        with pytest.raises(StoreUnavailable):
            images(opened, 1)
        assert opened.images.count() == 0

    as_somebody(place, use)
    (place / "images").chmod(0o755)


def test_a_shard_that_is_gone_names_the_next_command(store: Store) -> None:
    (row,) = images(store, 1)
    store.close()
    for path in Path(store.place).glob("images/*"):
        path.unlink()
    with pytest.raises(StoreDamaged) as told:
        store.images.read(row)
    assert told.value.next == "thresher check"


def test_a_file_in_place_of_the_directory_is_told(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "file").write_text("not a directory")
    for create in (True, False):
        with pytest.raises(StoreUnavailable):
            open_store(tmp_path / "file", settings, create=create)
