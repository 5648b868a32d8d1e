"""Workspaces of every released schema open and are whole, and so are their copies."""

import json
import sqlite3
import uuid
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymongo import MongoClient
from tests.contract.conftest import BACKENDS, MARKS
from tests.contract.things import new_image
from tests.mongo_for_tests import in_database, replica_set
from tests.store.older import (
    EVERY,
    FIXTURES,
    Older,
    as_database,
    as_directory,
    bring_pictures,
    goes_on,
    is_whole,
    older,
    settings,
)

from thresher.records import Gold, Says, Source, Stage
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.claims import AUDITED, ClaimedLabels, claim_of, claims_of, keep_words, store_claim, words_of
from thresher.store.contract import Store
from thresher.store.copy import copy_store
from thresher.store.kinds import KINDS
from thresher.store.mongo import schema
from thresher.store.mongo.link import Link
from thresher.store.shapes import Kind, schema_of
from thresher.store.sqlite import recount
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.lines import COLUMNS
from thresher.store.sqlite.migrations import migrate, steps_of

__all__ = ["older", "replica_set", "settings"]

SCHEMAS = sorted(FIXTURES.glob("*.sql"))
DATABASES = sorted(FIXTURES.glob("*.mongo.jsonl"))
NEWEST = schema_of(KINDS)


def number(fixture: Path) -> int:
    return int(fixture.stem.partition("-")[0].partition(".")[0])


def has_what_came_with(store: Store, number: int) -> None:
    """The fields and kinds of later schemas are as the fixture has them, or as nothing was ever stored in them."""
    new = number >= 4
    assert store.categories.get("car").targets.chosen == ("the cheapest" if new else "")
    assert store.rounds.all("car")[0].beside == (("theirs aa",) if new else ())
    assert claims_of("car", store=store) == ([AUDITED] if new else [])
    assert words_of("car", store=store) == ("a red car" if new else "")
    if new:
        claim = claim_of("car", store=store)
        assert claim is not None
        assert (claim.rows.tolist(), claim.yes.tolist(), claim.scores) == ([0, 2], [True, False], None)
    later = ClaimedLabels("later", np.array([1, 4]), np.array([True, True]), np.array([0.5, np.nan], np.float32))
    assert store_claim("car", later, store=store).number == 1
    keep_words("car", "a blue car", store=store, now_ms=9)
    assert words_of("car", store=store) == "a blue car"


def mark_moves(store: Store) -> None:
    """A mark begins wherever it is, at 0 in a workspace of a schema before 5, and each write moves it."""
    before = store.categories.mark("car")
    assert before.wakes_ms >= 0
    store.labels.gild("car", [Gold(3, Says.NO, 1, Source.OWNER)])
    after = store.categories.mark("car")
    assert replace(after, gold=before.gold) == before
    assert after.gold == before.gold + 1


@pytest.mark.parametrize("fixture", SCHEMAS, ids=lambda path: str(path.stem))
def test_a_catalog_of_each_schema_opens(fixture: Path, tmp_path: Path, settings: Settings) -> None:
    as_directory(fixture, tmp_path / "old")
    store = open_store(tmp_path / "old", settings)
    tally = store.categories.tally("car")
    assert (tally.images, tally.answers, tally.gold_answers, dict(tally.labels)) == (6, 2, 1, {"no": 1})
    assert [vote.row for vote in store.labels.votes("car", 1)] == [0, 1]
    assert store.people.get("w1").name == "Ada"
    assert store.images.find(["folder/3.jpg"]) == [3]
    assert len(store.work.reviews(store.work.of_worker("w1")[0].id)) == 1
    with store.catalog.reading() as sql:  # type: ignore[attr-defined]  # a directory store has one
        assert recount.differences(sql, KINDS) == []
        assert sql.execute("SELECT max(number) FROM migration").fetchone() == (NEWEST,)
    if store.rounds.all("car"):  # one of the fixtures has none
        has_what_came_with(store, number(fixture))
    mark_moves(store)
    store.close()


@pytest.mark.mongo
@pytest.mark.parametrize("fixture", DATABASES, ids=lambda path: path.name.partition(".")[0])
def test_a_database_of_each_schema_opens_whole(
    fixture: Path, request: pytest.FixtureRequest, settings: Settings
) -> None:
    name, address = f"older_{uuid.uuid4().hex}", request.getfixturevalue("replica_set")
    as_database(fixture, address, name)
    with closing(open_store(in_database(address, name), settings)) as store:
        is_whole(store)
        has_what_came_with(store, number(fixture))
        mark_moves(store)
        store.check(mend=True)  # the scores of its round are missing
        assert store.check(mend=False).sound
    with MongoClient[dict[str, Any]](address) as client:
        client.drop_database(name)


@pytest.mark.parametrize("fixture", SCHEMAS, ids=lambda path: str(path.stem))
def test_a_released_step_is_never_edited(fixture: Path, tmp_path: Path) -> None:
    path = as_directory(fixture, tmp_path / "old")
    fresh = tmp_path / "catalog.sqlite"
    fresh.touch()
    catalog = Catalog(fresh)
    migrate(catalog, fresh, 1, steps_of(KINDS)[: number(fixture)])
    catalog.close()
    assert shape(path) == shape(fresh)


def shape(path: Path) -> list[tuple[str, ...]]:
    sql = sqlite3.connect(path)
    found = sql.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").fetchall()
    sql.close()
    return found


def test_every_schema_has_its_fixtures() -> None:
    assert sorted({number(path) for path in SCHEMAS}) == list(range(1, NEWEST + 1))
    assert sorted(map(number, FIXTURES.glob("*.mongo.jsonl"))) == list(range(1, NEWEST + 1))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.generic], ids=lambda kind: kind.name)
def test_a_table_of_the_first_schema_is_as_the_table_of_kinds_says(kind: Kind, tmp_path: Path) -> None:
    """Those were made by hand; each later one is made by the table itself."""
    path = as_directory(FIXTURES / f"{NEWEST}.sql", tmp_path / "old")
    sql = sqlite3.connect(path)
    columns = sql.execute(f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{kind.name}')").fetchall()
    indexes = {name for (name,) in sql.execute(f"SELECT name FROM pragma_index_list('{kind.name}') WHERE origin = 'c'")}
    sql.close()
    keys = (("category",) if kind.of_category else ()) + kind.key_names
    assert [name for name, *_, place in sorted(columns, key=lambda column: column[3]) if place] == list(keys)
    declared = {field.name: (COLUMNS[field.type], not field.null) for field in kind.fields}
    declared |= {"category": ("INTEGER", True)} if kind.of_category else {}
    assert {name: (of, bool(needed) or place > 0) for name, of, needed, place in columns} == declared
    assert indexes == {f"{kind.name}_{index.name}" for index in kind.indexes}


@EVERY
def test_a_workspace_made_by_the_commit_before_opens_whole(kind: str, older: Older, settings: Settings) -> None:
    store = open_store(older(kind), settings)
    is_whole(store)
    bring_pictures(store)
    goes_on(store)
    assert store.check(mend=False).sound
    store.close()
    with open_store(store.place, settings) as again:  # type: ignore[attr-defined]  # each closes itself
        assert [one.stage for one in again.work.of_worker("w3")] == [Stage.REJECTED]


@EVERY
def test_a_group_that_an_earlier_version_made_of_equal_fingerprints_is_not_in_force(
    kind: str, older: Older, settings: Settings, request: pytest.FixtureRequest
) -> None:
    """Nobody compared its images, so each stands for itself; a process of that version may even make more of them."""
    place = older(kind)

    def group(row: int, first: int) -> None:
        if kind == "directory":
            with sqlite3.connect(Path(place) / "catalog.sqlite") as sql:
                sql.execute("UPDATE image SET similar = ?, fingerprint = 'aa' WHERE row = ?", (first, row))
            return
        link = Link(place)
        link.table("images").update_one({"_id": row}, {"$set": {"similar": first, "fingerprint": "aa"}})
        link.close()

    group(1, 0)
    store = open_store(place, settings)
    group(2, 0)
    assert store.images.similar(np.arange(6)).tolist() == list(range(6))
    assert [image.similar for image in store.images.many(range(6))] == list(range(6))
    store.images.put([new_image(9, similar=new_image(2).sha256)])
    assert store.images.similar(np.array([6])).tolist() == [2], "those made today are"
    if kind == "mongodb":  # one who opens it late runs the step again
        link = Link(place)
        schema.steps_of(KINDS)[1](link)
        link.close()
    assert store.images.similar(np.arange(7)).tolist() == [0, 1, 2, 3, 4, 5, 2]
    store.close()


@pytest.mark.mongo
def test_a_migrated_database_has_the_indexes_of_a_new_one(
    older: Older, settings: Settings, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    places = older("mongodb"), BACKENDS["mongodb"](request, tmp_path)
    found = []
    for place in places:
        store = open_store(place, settings, create=True)
        link = Link(place)
        found.append({
            made.name: {json.dumps(one["key"]) for one in link.table(made.name).list_indexes()}
            for made in schema.collections(KINDS)
        })  # fmt: skip
        link.close()
        store.close()
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("here", "there"),
    [
        pytest.param(here, there, marks=[*MARKS.get(here, []), *MARKS.get(there, [])])
        for here in BACKENDS
        for there in BACKENDS
    ],
)
def test_a_copy_of_an_older_workspace_and_the_copy_of_that_are_the_same(
    here: str, there: str, older: Older, settings: Settings, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source = open_store(older(here), settings)
    bring_pictures(source)
    (tmp_path / "there").mkdir()
    (tmp_path / "back").mkdir()
    over = open_store(BACKENDS[there](request, tmp_path / "there"), settings, create=True)
    back = open_store(BACKENDS[here](request, tmp_path / "back"), settings, create=True)
    first, second = copy_store(source, over), copy_store(over, back)
    assert first is not None
    assert first == second
    assert {name for name, count in first.counts.items() if count} >= {
        "worker", "invite", "job", "review car", "round car", "evidence car", "release car", "task car",
    }  # fmt: skip
    for store in (over, back):
        assert not store.jobs.holder("loop/car", 14)
        store.jobs.lease("loop/car", "me", 5, 10)
        is_whole(store)
        assert store.check(mend=False).sound
    for store in (source, over, back):
        store.close()
