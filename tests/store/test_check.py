import os
import random
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest
from tests.contract.test_rounds import a_round
from tests.contract.things import category, data, finish, images, new_image, publish
from tests.store.processes import ended, forked, killed

from thresher.errors import StoreDamaged
from thresher.loop.decision import decision
from thresher.records import Label, Progress, Purpose, Says, Source
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.directory import shards
from thresher.store.directory.check_shards import SETTLED_SECONDS
from thresher.store.directory.store import DirectoryStore

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # a dead writer has to have lived


@pytest.fixture
def store(tmp_path: Path, settings: Settings) -> DirectoryStore:
    opened = open_store(tmp_path / "workspace", settings, create=True)
    assert isinstance(opened, DirectoryStore)
    return opened


def shard_files(store: DirectoryStore) -> list[str]:
    return sorted(path.suffix for path in store.writer.directory.iterdir())


def tars(store: DirectoryStore) -> list[Path]:
    return sorted(store.writer.directory.glob("*.tar"))


def let_settle(store: DirectoryStore) -> None:
    """As if nobody had touched the shards for a while."""
    for path in store.writer.directory.iterdir():
        os.utime(path, times=(0, time.time() - SETTLED_SECONDS - 1))


def put_and_die(store: DirectoryStore, seeds: range) -> None:
    """A process that stores images and ends without closing its shard."""

    def work() -> None:
        store.images.put([new_image(seed) for seed in seeds])

    assert ended(forked(work)) == 0


def leave_bytes(store: DirectoryStore, *seeds: int) -> None:
    """Bytes whose rows never came, as a kill between the two leaves them."""
    store.writer.append([(f"{new_image(seed).sha256}.jpg", data(seed)) for seed in seeds])


def all_there(store: DirectoryStore) -> bool:
    return all(
        store.images.read(image.row) == data(int(Path(store.images.get(image.row).aliases[0].value).stem))
        for image in store.images.page(-1, 10_000)
    )


def found(store: DirectoryStore) -> str:
    return "\n".join(store.check(mend=False).found)


def test_an_unfinished_shard_of_a_dead_process_is_closed(store: DirectoryStore) -> None:
    put_and_die(store, range(5))
    assert shard_files(store) == [".tar"]
    assert "its writer ended before closing it" in found(store)
    assert store.check(mend=True).sound
    assert shard_files(store) == [".index", ".tar"]
    assert found(store) == ""
    assert all_there(store)


def test_a_shard_that_somebody_writes_is_left_alone(store: DirectoryStore, settings: Settings) -> None:
    other = open_store(store.place, settings)
    images(other, 3)
    report = store.check(mend=True)
    assert (report.found, report.counted["shards"]) == ((), 1)
    images(other, 3, start=3)
    other.close()
    assert all_there(store)
    assert store.images.count() == 6


@pytest.mark.parametrize("spoil", ["", '["x", 512, 3]\n', "not json\n"])
def test_an_index_is_built_again(store: DirectoryStore, spoil: str) -> None:
    images(store, 4)
    store.writer.close()
    (index,) = store.writer.directory.glob("*.index")
    right = index.read_text()
    index.write_text(spoil)
    assert "its index does not match it" in found(store)
    assert store.check(mend=True).sound
    assert index.read_text() == right
    index.unlink()
    assert store.check(mend=True).sound
    assert index.read_text() == right


def test_a_truncated_shard_loses_what_was_cut_and_nothing_else(store: DirectoryStore) -> None:
    rows = images(store, 6)
    store.writer.close()
    (path,) = tars(store)
    os.truncate(path, path.stat().st_size // 2)
    store.reader.close()
    with pytest.raises(StoreDamaged):
        store.images.read(rows[5])
    report = store.check(mend=True)
    assert not report.sound
    assert report.counted["images without bytes"] == 3
    assert "3 have lost their bytes (rows 3, 4, 5); harvest them again" in report.found[0]
    assert [store.images.read(row) for row in rows[:3]] == [data(0), data(1), data(2)]
    with pytest.raises(StoreDamaged, match="lost") as told:
        store.images.read(rows[5])
    assert told.value.next == "harvest it again"


def test_a_byte_that_the_disk_changed_is_found_where_every_byte_is_read(store: DirectoryStore) -> None:
    rows = images(store, 6)
    store.writer.close()
    (path,) = tars(store)
    whole = bytearray(path.read_bytes())
    whole[whole.index(data(4)) + len(data(4)) // 2] ^= 1
    path.write_bytes(whole)
    store.reader.close()
    assert store.check(mend=True).sound  # names and sizes are right
    report = store.check(mend=True, every_byte=True)
    assert "1 have lost their bytes (rows 4); harvest them again" in report.found[0]
    assert report.counted["bytes read"] == sum(len(data(seed)) for seed in (0, 1, 2, 3, 5))
    assert [store.images.read(row) for row in rows[:4]] == [data(seed) for seed in range(4)]
    assert images(store, 6) == rows
    assert all_there(store)
    assert store.check(mend=True, every_byte=True).sound


def test_lost_bytes_come_back_with_the_next_harvest(store: DirectoryStore) -> None:
    rows = images(store, 6)
    store.labels.hold(category(store), [Label(rows[4], Says.YES, Source.OWNER, Purpose.LEARN, 1, 1)])
    store.writer.close()
    tars(store)[0].unlink()
    assert not store.check(mend=True).sound
    name = "folder/4.jpg"
    assert store.images.find([name, new_image(4).sha256]) == [None, None]
    assert images(store, 6) == rows
    assert store.images.find([name]) == [rows[4]]
    assert all_there(store)
    assert store.check(mend=True).sound
    assert store.labels.held("car", 1)[0].row == rows[4]


def spoil_header(path: Path, number: int, *, also_bytes: bool = False) -> None:
    """Change a byte in the header of a member, and in its image."""
    with path.open("r+b") as file:
        member = list(shards.members(file.fileno()))[number]
        for at in (member.begins - shards.BLOCK + 3, *([member.begins + 9] if also_bytes else [])):
            file.seek(at)
            file.write(b"Z")


@pytest.mark.parametrize("number", [2, 5])
@pytest.mark.parametrize("open_", [False, True])
def test_a_damaged_header_costs_no_image(store: DirectoryStore, number: int, open_: bool) -> None:
    images(store, 6)
    store.writer.close()
    (path,) = tars(store)
    if open_:
        path = path.rename(path.with_suffix(".open.tar"))
    spoil_header(path, number)
    assert f"the headers of 1 images are damaged (rows {number})" in found(store)
    store.check(mend=True)
    store.reader.close()
    assert found(store) == ""
    assert all_there(store)


@pytest.mark.parametrize("number", [2, 5])
@pytest.mark.parametrize("open_", [False, True])
def test_a_harvest_cuts_off_no_image_behind_a_damaged_header(
    store: DirectoryStore, settings: Settings, number: int, open_: bool
) -> None:
    images(store, 6)
    store.writer.close()
    (path,) = tars(store)
    if open_:
        path = path.rename(path.with_suffix(".open.tar"))
    spoil_header(path, number)
    images(store, 3, start=50)
    store.writer.close()
    store.reader.close()
    assert all_there(store)
    store.check(mend=True)
    assert found(store) == ""
    assert all_there(store)


@pytest.mark.parametrize("number", [2, 5])
def test_bytes_of_no_image_are_kept_when_their_shard_is_mended(store: DirectoryStore, number: int) -> None:
    images(store, 6)
    store.writer.close()
    (path,) = tars(store)
    path = path.rename(path.with_suffix(".open.tar"))
    spoil_header(path, number, also_bytes=True)
    before = path.read_bytes()
    assert "moves it whole to the quarantine" in found(store)
    store.check(mend=True)
    assert (store.writer.directory.parent / "quarantine" / path.name).read_bytes() == before
    store.reader.close()
    assert images(store, 6) == list(range(6))
    assert all_there(store)
    store.check(mend=True)
    assert found(store) == ""


def test_bytes_that_no_row_uses_are_reclaimed(store: DirectoryStore) -> None:
    images(store, 3)
    leave_bytes(store, 90, 91)
    images(store, 3, start=3)
    leave_bytes(store, 92)
    store.writer.close()
    before = sum(path.stat().st_size for path in tars(store))
    assert found(store) == "", "a writer may still be committing their rows"
    let_settle(store)
    report = store.check(mend=False)
    assert report.counted["unused bytes"] == 3 * len(data(0))
    assert "3 images of" in report.found[0]
    assert store.check(mend=True).sound
    assert sum(path.stat().st_size for path in tars(store)) < before - 3 * len(data(0))
    assert all_there(store)
    let_settle(store)
    assert found(store) == ""


def test_bytes_at_the_end_of_a_shard_are_cut_off_in_place(store: DirectoryStore) -> None:
    images(store, 3)
    leave_bytes(store, 90)
    store.writer.close()
    let_settle(store)
    (before,) = tars(store)
    assert store.check(mend=True).sound
    assert tars(store) == [before]
    assert len(list(shards.members(os.open(before, os.O_RDONLY)))) == 3
    assert all_there(store)


def test_a_shard_that_no_row_uses_goes(store: DirectoryStore) -> None:
    leave_bytes(store, 90)
    store.writer.close()
    let_settle(store)
    assert store.check(mend=True).sound
    assert shard_files(store) == []


def test_a_row_with_a_wrong_size_or_place_is_set_right_at_once(store: DirectoryStore) -> None:
    images(store, 6)
    store.writer.close()
    let_settle(store)
    with store.catalog.writing(durable=True) as sql:
        sql.execute("UPDATE image SET bytes = bytes - 1 WHERE row = 2")
        sql.execute("UPDATE image SET begins = (SELECT begins FROM image WHERE row = 4) WHERE row = 3")
    report = store.check(mend=True)
    assert "2 rows refer to a wrong place" in "\n".join(report.found)
    assert report.notes == ()  # nothing was moved to the quarantine
    assert found(store) == ""
    assert all_there(store)


def test_a_spare_copy_serves_a_row_that_lost_its_bytes(store: DirectoryStore, settings: Settings) -> None:
    (row,) = images(store, 1)
    store.writer.close()
    other = shards.Writer(store.writer.directory, shard_bytes=settings.shard_bytes, resume=False)
    other.append([(f"{new_image(0).sha256}.jpg", data(0))])
    other.close()
    with store.catalog.reading() as sql:
        (used,) = sql.execute("SELECT name FROM shard").fetchone()
    (store.writer.directory / f"{used}.tar").unlink()
    assert "1 rows refer to a wrong place" in found(store)
    store.check(mend=True)
    store.reader.close()
    assert store.images.read(row) == data(0)
    assert found(store) == ""


def test_what_a_power_cut_left_unwritten_is_not_taken_for_a_picture(store: DirectoryStore) -> None:
    put_and_die(store, range(3))
    (path,) = tars(store)
    with path.open("r+b") as file:
        file.seek(512 + 10)
        file.write(bytes(100))
    report = store.check(mend=True)
    assert "1 have lost their bytes (rows 0)" in report.found[0]
    assert images(store, 3) == [0, 1, 2]
    assert all_there(store)


def test_a_mending_that_is_killed_loses_nothing(store: DirectoryStore) -> None:
    for start in range(0, 400, 20):
        images(store, 20, start=start)
        leave_bytes(store, 1000 + start)
    store.writer.close()
    let_settle(store)
    chance = random.Random(2)

    def mend() -> None:
        store.check(mend=True)

    for _ in range(8):
        killed(mend, chance.uniform(0.0, 0.06))
        assert all_there(store)
    store.check(mend=True)
    let_settle(store)
    store.check(mend=True)
    assert found(store) == ""
    assert all_there(store)
    assert store.images.count() == 400


def test_counters_are_set_to_what_there_is(store: DirectoryStore) -> None:
    category(store, 5)
    publish(store, [0, 1], places=2)
    finish(store, gold=[4])
    publish(store, [2], purpose=Purpose.MINE_GOLD)
    finish(store, "boss", owner=True)
    store.labels.hold("car", [Label(0, Says.YES, Source.OWNER, Purpose.LEARN, 1, 1)])
    assert found(store) == ""
    right = store.categories.tally("car")
    with store.catalog.writing() as sql:
        sql.execute("UPDATE counter SET value = value + 3")
        sql.execute("INSERT INTO counter VALUES (1, 'refused:nothing', 2)")
    assert len(store.check(mend=False).found) >= 8
    assert store.check(mend=True).sound
    assert found(store) == ""
    assert store.categories.tally("car") == right
    assert store.images.count() == 5


def test_rows_that_point_nowhere_are_told(store: DirectoryStore) -> None:
    category(store, 2)
    sql = sqlite3.connect(Path(store.place) / "catalog.sqlite")
    sql.execute("DELETE FROM image WHERE row = 1")
    sql.commit()
    sql.close()
    assert "rows of pool, alias have no image (rows 1)" in found(store)
    assert not store.check(mend=True).sound


def test_marks_without_values_are_taken_away(store: DirectoryStore) -> None:
    images(store, 4)
    store.columns.create("features/x", 2)
    store.columns.write("features/x", np.arange(4), np.ones((4, 2)))
    folder = Path(store.place) / "columns" / "features@x"
    os.truncate(folder / "values", 3 * 4)
    with (folder / "sums").open("ab") as file:
        file.write(bytes(range(1, 9)))
    assert "features/x: 3 rows are marked present and have no values" in found(store)
    assert store.check(mend=True).sound
    assert store.columns.missing("features/x", np.arange(4)).tolist() == [3]
    assert found(store) == ""


def test_a_column_half_made_or_half_dropped_goes(store: DirectoryStore) -> None:
    left = Path(store.place) / "columns" / ".making-x"
    left.mkdir()
    (left / "meta.json").touch()
    assert ".making-x was left behind by an interrupted run" in found(store)
    assert store.columns.names() == []
    assert store.check(mend=True).sound
    assert not left.exists()


def test_check_tells_how_far_it_is(store: DirectoryStore) -> None:
    images(store, 2)
    told: list[Progress] = []
    store.check(mend=False, report=told.append)
    assert Progress("check shards", 1, 1, "shards") in told


def test_scores_that_are_gone_are_told_and_made_anew(store: DirectoryStore) -> None:
    category(store, 4)
    done = a_round(1)
    store.columns.create(done.column, 1, "float32")
    store.rounds.add(done, b"head")
    assert store.check(mend=False).sound
    store.columns.drop(done.column)
    assert "makes them again" in found(store)
    assert store.check(mend=True).sound
    assert found(store) == ""
    assert decision("car", store=store).codes.tolist() == [-1] * 4
