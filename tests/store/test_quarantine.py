"""A check deletes nothing: it shows, moves on `mend` to the quarantine, and `recover` makes lost rows anew."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.test_rounds import a_round
from tests.contract.things import category, data, images, new_image
from tests.store.test_check import all_there, leave_bytes, let_settle

from thresher.errors import StoreDamaged
from thresher.records import Label, NewImage, Origin, Purpose, Says, Source
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.directory import quarantine, shards
from thresher.store.directory.store import CATALOG, DirectoryStore

MANY = 60
BY_DATA = {data(seed): seed for seed in range(200)}


def admit(content: bytes) -> NewImage | None:
    """As harvest reads the facts of an image; any bytes are one here."""
    return new_image(BY_DATA[content], aliases=(), bytes=len(content)) if content in BY_DATA else None


@pytest.fixture
def store(tmp_path: Path, settings: Settings) -> Iterator[DirectoryStore]:
    opened = open_store(tmp_path / "workspace", settings, create=True)
    assert isinstance(opened, DirectoryStore)
    yield opened
    opened.close()


def reopened(store: DirectoryStore, settings: Settings, *, recover: bool = False) -> DirectoryStore:
    opened = open_store(store.place, settings, recover=recover)
    assert isinstance(opened, DirectoryStore)
    return opened


def stored(store: DirectoryStore) -> list[bytes]:
    """All bytes of images anywhere in the workspace, by their bytes."""
    found = []
    for folder in (store.writer.directory, Path(store.place) / quarantine.FOLDER):
        for path in folder.glob("*.tar"):
            with path.open("rb") as file:
                found += [os.pread(file.fileno(), one.bytes, one.begins) for one in shards.members(file.fileno())]
    return sorted(set(found))


def everything(count: int) -> list[bytes]:
    return sorted(data(seed) for seed in range(count))


def emptied(store: DirectoryStore, how: str) -> None:
    """A catalog as a full disk or a wrong copy leaves it."""
    store.close()
    path = Path(store.place) / CATALOG
    for file in path.parent.glob(f"{CATALOG}*"):
        file.unlink()
    if how == "empty":
        path.touch()
    elif how == "no tables":
        with closing(sqlite3.connect(path)) as sql:
            sql.execute("VACUUM")


def sql_of(store: DirectoryStore, *statements: str) -> None:
    """Damage that no part of ours makes."""
    with closing(sqlite3.connect(Path(store.place) / CATALOG)) as sql:
        for statement in statements:
            sql.execute(statement)
        sql.commit()


def test_what_is_found_is_shown_and_nothing_changes_until_it_is_asked_for(store: DirectoryStore) -> None:
    images(store, 3)
    leave_bytes(store, 90)
    store.writer.close()
    let_settle(store)
    before = {path: path.read_bytes() for path in store.writer.directory.iterdir()}
    shown = store.check(mend=False)
    assert (shown.mendable, shown.mended) == (shown.found, ())
    assert {path: path.read_bytes() for path in store.writer.directory.iterdir()} == before


def test_bytes_that_no_row_names_move_aside_and_come_back(store: DirectoryStore) -> None:
    images(store, 3)
    leave_bytes(store, 90, 91)
    store.writer.close()
    let_settle(store)
    made = store.check(mend=True)
    assert "2 images" in made.notes[0]
    assert "thresher check --recover" in made.notes[0]
    folder = Path(store.place) / quarantine.FOLDER
    assert str(folder) in made.notes[0]
    assert stored(store) == sorted([*everything(3), data(90), data(91)])
    recovered = store.recover(admit)
    assert (recovered.restored, recovered.new, recovered.again) == (2, 2, 0)
    assert not folder.exists()
    assert [store.images.read(row) for row in range(5)] == [data(seed) for seed in (0, 1, 2, 90, 91)]
    assert store.check(mend=False).sound


@pytest.mark.parametrize("how", ["missing", "empty", "no tables"])
def test_a_catalog_that_was_emptied_is_never_opened_as_new(how: str, store: DirectoryStore, settings: Settings) -> None:
    images(store, MANY)
    emptied(store, how)
    for create in (False, True):
        with pytest.raises(StoreDamaged, match="stored images") as told:
            open_store(store.place, settings, create=create)
        assert "thresher check --recover" in told.value.next
    with closing(reopened(store, settings, recover=True)) as again:
        assert again.recover(admit).new == MANY
        assert again.images.count() == MANY
        assert sorted(again.images.read_many(range(MANY))) == everything(MANY)
        assert again.check(mend=False, every_byte=True).sound
        assert stored(again) == everything(MANY)
    reopened(store, settings).close()


def test_an_older_catalog_costs_no_picture(store: DirectoryStore, settings: Settings, tmp_path: Path) -> None:
    images(store, MANY // 2)
    store.close()
    shutil.copy(Path(store.place) / CATALOG, tmp_path / "backup.sqlite")
    images(store, MANY // 2, start=MANY // 2)
    store.close()
    shutil.copy(tmp_path / "backup.sqlite", Path(store.place) / CATALOG)
    let_settle(store)
    with closing(reopened(store, settings)) as older:
        report = older.check(mend=True)
        assert not report.sound
        assert report.mended == ()
        assert "may be older" in report.refused[0]
        assert "--force" in report.refused[0]
        assert not (Path(store.place) / quarantine.FOLDER).exists()
        assert older.recover(admit).new == MANY // 2
        assert [older.images.read(row) for row in range(MANY)] == [data(seed) for seed in range(MANY)]
        assert older.check(mend=False).sound


def test_many_move_if_it_is_meant_and_none_is_lost(store: DirectoryStore) -> None:
    images(store, 3)
    leave_bytes(store, *range(90, 150))
    store.writer.close()
    let_settle(store)
    assert store.check(mend=True).refused
    assert store.check(mend=True, force=True).sound
    assert stored(store) == sorted([*everything(3), *(data(seed) for seed in range(90, 150))])


def test_two_rows_at_one_place_cost_no_picture(store: DirectoryStore) -> None:
    images(store, 8)
    store.writer.close()
    sql_of(store, "UPDATE image SET begins = (SELECT begins FROM image WHERE row = 3) WHERE row = 5")
    let_settle(store)
    assert not store.check(mend=False).sound
    assert store.check(mend=True).sound
    assert all_there(store)
    let_settle(store)
    assert store.check(mend=False, every_byte=True).found == ()


def test_rows_that_changed_places_find_their_own_bytes_again(store: DirectoryStore) -> None:
    images(store, 8)
    store.writer.close()
    sql_of(
        store,
        "CREATE TABLE swapped AS SELECT row, begins FROM image WHERE row IN (2, 6)",
        "UPDATE image SET begins = (SELECT begins FROM swapped WHERE row = 8 - image.row) WHERE row IN (2, 6)",
        "DROP TABLE swapped",
    )
    let_settle(store)
    assert "2 rows refer to a wrong place" in "\n".join(store.check(mend=False).found)
    store.check(mend=True)
    assert all_there(store)
    assert store.check(mend=False, every_byte=True).found == ()


@pytest.mark.parametrize("lost", [(4,), (4, 5, 6), (0,), (0, 1), (9,), (3, 7, 9)])
def test_a_lost_row_gets_its_bytes_and_its_labels_back(lost: tuple[int, ...], store: DirectoryStore) -> None:
    category(store, 10)
    store.labels.hold("car", [Label(row, Says.YES, Source.OWNER, Purpose.LEARN, 1, 1) for row in range(10)])
    store.writer.close()
    let_settle(store)
    sql_of(store, f"DELETE FROM image WHERE row IN ({', '.join(map(str, lost))})")
    shown = "\n".join(store.check(mend=False).found)
    assert f"{len(lost)} rows of pool, label, alias have no image" in shown
    held = store.check(mend=True)
    assert any("thresher check --recover" in line for line in held.refused)
    assert stored(store) == everything(10)
    made = store.recover(admit)
    assert (made.new, made.again) == (len(lost), len(lost))
    assert all_there(store)
    assert store.images.find([f"folder/{row}.jpg" for row in range(10)]) == list(range(10))
    assert [label.row for label in store.labels.held("car", 1)] == list(range(10))
    assert store.check(mend=False, every_byte=True).found == ()


def test_where_it_is_not_certain_whose_bytes_they_are_they_get_a_new_row(store: DirectoryStore) -> None:
    images(store, 3)
    leave_bytes(store, 90)
    images(store, 3, start=3)
    store.writer.close()
    category(store)
    store.categories.pool_add("car", range(6), Origin("folder", at_ms=6))
    sql_of(store, "DELETE FROM image WHERE row = 3")
    made = store.recover(admit)
    assert (made.new, made.again) == (2, 0)
    assert sorted(store.images.read(row) for row in (6, 7)) == sorted([data(3), data(90)])
    assert "1 rows of pool, alias have no image (rows 3)" in "\n".join(store.check(mend=False).found)


def test_a_catalog_of_another_workspace_is_not_opened(
    store: DirectoryStore, settings: Settings, tmp_path: Path
) -> None:
    images(store, MANY)
    store.close()
    with closing(open_store(tmp_path / "other", settings, create=True)) as other:
        images(other, 5, start=100)
    for file in (tmp_path / "other").glob(f"{CATALOG}*"):
        shutil.copy(file, Path(store.place) / file.name)
    with pytest.raises(StoreDamaged, match="another workspace") as told:
        reopened(store, settings)
    assert "thresher check --recover" in told.value.next
    (Path(store.place) / "workspace.id").unlink()  # as an earlier version leaves it: then the shards tell
    with pytest.raises(StoreDamaged, match="another workspace"):
        reopened(store, settings)


def test_a_workspace_of_an_earlier_version_gets_its_mark(store: DirectoryStore, settings: Settings) -> None:
    images(store, 5)
    store.close()
    (Path(store.place) / "workspace.id").unlink()
    sql_of(store, "DELETE FROM one WHERE key = 'identity'")
    for _ in range(2):
        with closing(reopened(store, settings)) as again:
            assert again.images.count() == 5
    assert (Path(store.place) / "workspace.id").exists()


def test_a_first_harvest_that_was_killed_leaves_a_workspace_that_opens(
    store: DirectoryStore, settings: Settings
) -> None:
    leave_bytes(store, 90)
    (Path(store.place) / "workspace.id").unlink()
    with closing(reopened(store, settings)) as again:
        assert images(again, 2) == [0, 1]


def test_a_shard_that_is_away_for_a_while_costs_nothing(store: DirectoryStore, tmp_path: Path) -> None:
    images(store, MANY)
    store.writer.close()
    store.reader.close()
    away = [shutil.move(path, tmp_path / path.name) for path in store.writer.directory.iterdir()]
    assert "not marked as lost" in store.check(mend=True).refused[0]
    for path in away:
        shutil.move(path, store.writer.directory / Path(path).name)
    assert store.check(mend=False).sound
    assert store.check(mend=True, force=True).found == ()
    assert all_there(store)


def test_bytes_that_were_given_up_are_taken_again_when_they_are_back(store: DirectoryStore, tmp_path: Path) -> None:
    images(store, 8)
    store.writer.close()
    store.reader.close()
    away = [shutil.move(path, tmp_path / path.name) for path in store.writer.directory.iterdir()]
    assert not store.check(mend=True).sound
    for path in away:
        shutil.move(path, store.writer.directory / Path(path).name)
    let_settle(store)
    store.check(mend=True)
    assert all_there(store)
    assert store.check(mend=False).found == ()


def test_a_damaged_catalog_is_told_by_what_can_be_done_about_it(store: DirectoryStore, settings: Settings) -> None:
    category(store, MANY)
    store.rounds.add(a_round(1), bytes(200_000))
    store.close()
    path = Path(store.place) / CATALOG
    whole = bytearray(path.read_bytes())
    for page in range(8192, len(whole) - 8192, 4096):
        whole[page : page + 64] = b"\xff" * 64
    path.write_bytes(whole)
    before = stored(store)
    with pytest.raises(StoreDamaged) as told, closing(reopened(store, settings)) as again:
        again.check(mend=True)
    assert told.value.next != "thresher check"
    assert "backup" in told.value.next
    assert stored(store) == before == everything(MANY)
