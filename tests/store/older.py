"""Workspaces as an earlier version left them."""

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bson import json_util
from pymongo import MongoClient
from tests.contract.conftest import BACKENDS, MARKS
from tests.contract.things import answers, deal, new_image, take
from tests.mongo_for_tests import in_database

from thresher.records import Review, Stage, TaskKind, Worker
from thresher.settings import Settings
from thresher.store.contract import Store

FIXTURES = Path(__file__).parent / "schemas"


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


def goes_on(store: Store) -> None:
    """Work goes on where the earlier version left it."""
    again = take(store, "w3", now_ms=600)
    assert again is not None
    store.work.send(again.id, answers(again), 700)
    reviewed = store.work.review(again.id, Review(Stage.REJECTED, "all wrong", 800))
    assert (reviewed.stage, reviewed.review, len(store.work.reviews(again.id))) == (Stage.REJECTED, reviewed.review, 1)
    assert deal(store, "w5").task == 1
