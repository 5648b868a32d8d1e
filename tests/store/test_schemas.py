"""Workspaces of every released schema open and are whole; a migration may come twice, late, or be killed halfway."""

import json
import random
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bson import json_util
from pymongo import MongoClient
from tests.contract.conftest import BACKENDS, MARKS
from tests.contract.things import answers, deal, new_image, take
from tests.mongo_for_tests import in_database, replica_set
from tests.store.processes import ended, forked, killed

from thresher.records import Review, Stage, TaskKind, Worker
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

__all__ = ["replica_set"]

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # processes that open at once are forked

FIXTURES = Path(__file__).parent / "schemas"
SCHEMAS = sorted(FIXTURES.glob("*.sql"))
DATABASES = sorted(FIXTURES.glob("*.mongo.jsonl"))
NEWEST = schema_of(KINDS)
TRIES = 4


def number(fixture: Path) -> int:
    return int(fixture.stem.partition("-")[0].partition(".")[0])


def as_directory(fixture: Path, place: Path) -> Path:
    """A workspace as an earlier version left it, but for its pictures."""
    for name in ("images", "columns"):
        (place / name).mkdir(parents=True)
    sql = sqlite3.connect(place / "catalog.sqlite")
    sql.executescript(fixture.read_text("utf-8"))
    sql.close()
    return place / "catalog.sqlite"


def as_database(fixture: Path, address: str, name: str) -> None:
    """A workspace in MongoDB as an earlier version left it, its indexes too."""
    with MongoClient[dict[str, Any]](address) as client:
        database = client[name]
        for text in fixture.read_text("utf-8").splitlines():
            line = json_util.loads(text)
            if indexes := line.get("indexes"):
                database.command("createIndexes", line["collection"], indexes=indexes)
            elif "document" in line:
                database[line["collection"]].insert_one(line["document"])


Older = Callable[[str], str]


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Every setting at its default, but for what is kept outside the workspace."""
    return settings.but(cache=str(tmp_path / "cache"))


@pytest.fixture
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Older]:
    """Makes a workspace of the first schema for a kind of store, pictures and all, and answers its place."""
    made: list[tuple[str, str]] = []

    def make(kind: str) -> str:
        name = f"older_{uuid.uuid4().hex}"
        if kind == "directory":
            as_directory(FIXTURES / "1-whole.sql", tmp_path / name)
            return str(tmp_path / name)
        address = request.getfixturevalue("replica_set")
        as_database(FIXTURES / "1.mongo.jsonl", address, name)
        made.append((address, name))
        return in_database(address, name)

    yield make
    for address, name in made:
        with MongoClient[dict[str, Any]](address) as client:
            client.drop_database(name)


EVERY = pytest.mark.parametrize("kind", [pytest.param(kind, marks=MARKS.get(kind, [])) for kind in sorted(BACKENDS)])


def bring_pictures(store: Store) -> None:
    """A directory's fixture has no shards: what is lost comes with the next harvest."""
    store.check(mend=True)
    store.images.put([new_image(seed) for seed in range(6)])


def is_whole(store: Store) -> None:
    """Everything that tests/store/schemas/make.py put in is there."""
    tally = store.categories.tally("car")
    assert (tally.images, tally.answers, tally.gold_answers, dict(tally.labels)) == (6, 2, 1, {"no": 1})
    assert [vote.row for vote in store.labels.votes("car", 1)] == [0, 1]
    assert [(task.number, task.owner_only, task.kind) for task in store.asks.tasks("car", 0, 9)] == [
        (1, False, TaskKind.SINGLE), (2, True, TaskKind.SINGLE),
    ]  # fmt: skip
    assert store.people.all() == [Worker("w1", "Ada", False, "i1", 1)]
    assert [invite.id for invite in store.people.invites()] == ["i1"]
    (sent,) = store.work.of_worker("w1")
    review = Review(Stage.WEIGHTED, "because", 160, no_right=1, no_shown=1, weight=0.5)
    assert (sent.stage, sent.review, store.work.reviews(sent.id)) == (Stage.WEIGHTED, review, [review])
    assert store.labels.gold_record("car", 1, "w1") == (0, 0, 1, 1)
    assert [store.work.drafts(one.id)[0] for one in store.work.of_worker("w3")] == [3]
    held = [one for one in store.work.page("car", "", 99) if one.stage is Stage.LEASED]
    assert [one.reserved for one in held] == [len(one.dealt) for one in held] != []
    assert tally.reserved == sum(one.reserved for one in held)
    assert [(one.number, store.rounds.head("car", one.number)) for one in store.rounds.all("car")] == [(1, b"\0head")]
    assert store.rounds.latest("car", 1) == store.rounds.all("car")[0]
    assert (store.rounds.epochs("car"), store.rounds.evidence("car", 1, "ranking")) == ([1], b"\1\2\3")
    assert [(one.id, one.certificate, one.at_ms) for one in store.rounds.releases("car")] == [
        ("r1", {"precision": 0.9}, 99)
    ]
    assert store.jobs.get("j1").arguments == {"a.b": [1, None], "$c": 2}
    assert store.jobs.holder("loop/car", 14)


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


def goes_on(store: Store) -> None:
    """Work goes on where the earlier version left it."""
    again = take(store, "w3", now_ms=600)
    assert again is not None
    store.work.send(again.id, answers(again), 700)
    reviewed = store.work.review(again.id, Review(Stage.REJECTED, "all wrong", 800))
    assert (reviewed.stage, reviewed.review, len(store.work.reviews(again.id))) == (Stage.REJECTED, reviewed.review, 1)
    assert deal(store, "w5").task == 1


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


def open_and_close(place: str, settings: Settings) -> None:
    open_store(place, settings).close()


@EVERY
def test_two_who_open_an_older_workspace_at_once_migrate_it_once(kind: str, older: Older, settings: Settings) -> None:
    place = older(kind)
    processes = [forked(partial(open_and_close, place, settings)) for _ in range(4)]
    assert [ended(process) for process in processes] == [0] * 4
    store = open_store(place, settings)
    is_whole(store)
    store.close()


@EVERY
def test_a_migration_killed_anywhere_is_made_again(kind: str, older: Older, settings: Settings) -> None:
    draw = random.Random(11)
    for _ in range(TRIES):
        place = older(kind)
        for _ in range(2):
            killed(partial(open_and_close, place, settings), draw.uniform(0, 0.4 if kind == "mongodb" else 0.02))
        store = open_store(place, settings)
        is_whole(store)
        store.close()


@pytest.mark.mongo
@pytest.mark.parametrize("done", range(len(schema.STEPS_BY_HAND[2]) + 1))
def test_a_step_in_mongodb_that_ended_between_two_of_its_changes_is_made_again(
    done: int, older: Older, settings: Settings
) -> None:
    place = older("mongodb")
    link = Link(place)
    for change in schema.STEPS_BY_HAND[2][:done]:
        change(link)
    link.close()
    store = open_store(place, settings)
    is_whole(store)
    store.close()


@pytest.mark.mongo
def test_who_comes_late_with_a_step_changes_nothing_of_what_was_done_since(older: Older, settings: Settings) -> None:
    """One opener may still be migrating while another works already."""
    store = open_store(older("mongodb"), settings)
    goes_on(store)
    link = Link(store.place)
    before = {made.name: list(link.table(made.name).find()) for made in schema.collections(KINDS)}
    schema.steps_of(KINDS)[0](link)
    assert {made.name: list(link.table(made.name).find()) for made in schema.collections(KINDS)} == before
    link.close()
    store.close()


def test_a_process_of_the_version_before_writes_what_a_newer_one_reads(older: Older, settings: Settings) -> None:
    """A server may still run while a newer thresher opens its directory: nothing that it stores then is lost."""
    store = open_store(older("directory"), settings)
    held = deal(store, "w5")
    store.work.send(held.id, answers(held), 200)
    sql = sqlite3.connect(Path(store.place) / "catalog.sqlite")
    sql.execute(
        """INSERT INTO review (assignment, category, version, worker, verdict, why, at_ms, yes_right, yes_shown,
               no_right, no_shown, weight, provisional)
           VALUES (?, 1, 1, 'w5', 'accepted', 'fine', 300, 0, 0, 0, 0, 1.0, 0)""",
        (held.id,),
    )
    sql.execute(
        """INSERT INTO task (category, version, name, rows, asks, places, taken, done, owner_only, published_ms)
           VALUES (1, 1, 'old', '[3]', '[]', 1, 0, 0, 0, 5)"""
    )
    sql.commit()
    sql.close()
    assert store.work.reviews(held.id) == [Review(Stage.ACCEPTED, "fine", 300)]
    assert [task.kind for task in store.asks.tasks("car", 0, 9)] == [TaskKind.SINGLE] * 3
    store.close()
