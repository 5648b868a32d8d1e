import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.things import category, new_image

from thresher.errors import StoreDamaged, StoreUnavailable, WrongSchema
from thresher.records import Alias, Origin
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store
from thresher.store.kinds import KINDS
from thresher.store.shapes import Index, Kind, schema_of
from thresher.store.sqlite import bulk
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.migrations import migrate


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "catalog.sqlite"
    file.touch()
    return file


def names(catalog: Catalog) -> list[str]:
    with catalog.reading() as sql:
        return [name for (name,) in sql.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]


def one(sql: sqlite3.Connection) -> None:
    sql.execute("CREATE TABLE first (x)")


def two(sql: sqlite3.Connection) -> None:
    sql.execute("CREATE TABLE second (x)")


def broken(sql: sqlite3.Connection) -> None:
    sql.execute("CREATE TABLE half (x)")
    sql.execute("CREATE TABLE first (x)")


def test_a_step_is_committed_with_the_row_that_records_it(path: Path) -> None:
    catalog = Catalog(path)
    migrate(catalog, path, 5, (one,))
    with pytest.raises(sqlite3.OperationalError):
        migrate(catalog, path, 6, (one, broken))
    assert names(catalog) == ["first", "migration"]
    migrate(catalog, path, 7, (one, two))
    assert names(catalog) == ["first", "migration", "second"]
    with catalog.reading() as sql:
        assert sql.execute("SELECT number, at_ms FROM migration").fetchall() == [(1, 5), (2, 7)]
    catalog.close()


def test_a_catalog_of_a_newer_version_is_refused(path: Path, store: Store, settings: Settings) -> None:
    catalog = Catalog(Path(store.place) / "catalog.sqlite")
    with catalog.writing() as sql:
        sql.execute("INSERT INTO migration VALUES (?, 1)", (schema_of(KINDS) + 1,))
    catalog.close()
    with pytest.raises(WrongSchema) as told:
        open_store(store.place, settings)
    assert str(schema_of(KINDS) + 1) in str(told.value)
    assert told.value.next == "pip install --upgrade thresher"


def test_a_block_that_raises_leaves_nothing(path: Path) -> None:
    catalog = Catalog(path)
    migrate(catalog, path, 5, (one,))

    def write_and_fail() -> None:
        with catalog.writing() as sql:
            sql.execute("INSERT INTO first VALUES (1)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    with catalog.reading() as sql:
        assert sql.execute("SELECT count(*) FROM first").fetchone() == (0,)
    catalog.close()


def test_a_reader_sees_one_moment(path: Path) -> None:
    catalog = Catalog(path)
    migrate(catalog, path, 5, (one,))
    with catalog.reading() as sql:
        assert sql.execute("SELECT count(*) FROM first").fetchone() == (0,)
        with catalog.writing() as writer:
            writer.execute("INSERT INTO first VALUES (1)")
        assert sql.execute("SELECT count(*) FROM first").fetchone() == (0,)
    with catalog.reading() as sql:
        assert sql.execute("SELECT count(*) FROM first").fetchone() == (1,)
    catalog.close()


def test_connections_are_as_many_as_threads_that_read_at_once(path: Path) -> None:
    catalog = Catalog(path)
    migrate(catalog, path, 5, (one,))
    for _ in range(20):
        thread = threading.Thread(target=lambda: names(catalog))
        thread.start()
        thread.join()
    assert len(catalog._readers) == 1
    catalog.close()


def test_a_catalog_that_another_process_holds_is_unavailable(path: Path) -> None:
    catalog = Catalog(path, wait_seconds=0.2)
    migrate(catalog, path, 5, (one,))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another process"), catalog.writing():
        pass
    other.close()
    with catalog.writing() as sql:
        sql.execute("INSERT INTO first VALUES (1)")
    catalog.close()


def test_a_thread_that_writes_too_long_holds_up_the_others_only_so_long(path: Path) -> None:
    catalog = Catalog(path, wait_seconds=0.1)
    migrate(catalog, path, 5, (one,))
    told: list[str] = []

    def write() -> None:
        try:
            with catalog.writing():
                pass
        except StoreUnavailable as error:
            told.append(str(error))

    with catalog.writing():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert len(told) == 1
    catalog.close()


def test_a_file_that_is_no_catalog_is_told(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(b"not SQLite at all, but long enough to look at" * 100)
    with pytest.raises(StoreDamaged, match="not SQLite"):
        open_store(tmp_path, settings)


def test_an_empty_list_of_steps_is_refused_by_a_catalog_that_has_one(path: Path) -> None:
    catalog = Catalog(path)
    migrate(catalog, path, 5, (one,))
    with pytest.raises(WrongSchema):
        migrate(catalog, path, 6, ())
    catalog.close()


def test_the_key_of_every_link_is_readable_by_its_owner_only(store: Store) -> None:
    assert (Path(store.place) / "catalog.sqlite").stat().st_mode & 0o077 == 0


def test_many_rows_at_once_are_as_those_one_by_one(tmp_path: Path, settings: Settings) -> None:
    """A batch of references goes in by one statement; what a text may hold is the same either way."""
    odd = ["http://a/é", 'http://a/"quoted"', "http://a/back\\slash", "x"]
    batch = [
        new_image(
            seed, data=None, bytes=seed, aliases=(Alias("url", odd[seed % 4] + str(seed)), Alias("file", f" {seed} "))
        )
        for seed in range(bulk.AT_LEAST + 5)
    ]
    found = []
    for name, size in (("many", len(batch)), ("few", 100)):
        with closing(open_store(tmp_path / name, settings, create=True)) as store:
            category(store)
            rows = [
                row for start in range(0, len(batch), size) for row in store.images.put(batch[start : start + size])
            ]
            queries = [image.aliases[0].value for image in batch]
            new = [
                store.categories.pool_add("car", rows[s : s + size], Origin("list", at_ms=1), queries[s : s + size])
                for s in range(0, len(batch), size)
            ]
            assert sum(new) == len(batch)
            assert store.categories.pool_add("car", rows, Origin("list", at_ms=2), queries) == 0
            assert store.images.put(batch) == rows
            assert store.check(mend=False).sound
            images = [store.images.get(row) for row in rows]
            found.append((rows, images, store.categories.origins("car", rows[:50])))
    assert found[0] == found[1]


def test_a_text_that_json_would_change_goes_in_row_by_row(store: Store) -> None:
    odd = [f"http://a/\0{seed}" for seed in range(bulk.AT_LEAST)]
    batch = [new_image(seed, data=None, bytes=1, aliases=(Alias("url", text),)) for seed, text in enumerate(odd)]
    rows = store.images.put(batch)
    assert store.images.find(odd[:3]) == rows[:3]


@pytest.mark.parametrize(
    ("kind", "index"),
    [
        pytest.param(kind, index, id=f"{kind.name} {index.name}")
        for kind in KINDS
        if kind.generic
        for index in kind.indexes
    ],
)
def test_a_page_by_an_index_reads_and_sorts_nothing_else(kind: Kind, index: Index, store: Store) -> None:
    category(store)
    said: list[str] = []
    with store.catalog.reading() as sql:  # type: ignore[attr-defined]  # a directory store has one
        sql.set_trace_callback(said.append)
    store.lines.page(kind, "car", where=dict.fromkeys(index.fields, 1), descending=True, limit=5)
    with store.catalog.reading() as sql:  # type: ignore[attr-defined]  # a directory store has one
        sql.set_trace_callback(None)
        (asked,) = (one for one in said if f"FROM {kind.name}" in one)
        plan = [line[3] for line in sql.execute(f"EXPLAIN QUERY PLAN {asked}")]
    assert len(plan) == 1
    assert f"{kind.name}_{index.name}" in plan[0]
