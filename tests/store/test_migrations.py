"""A migration may come twice, late, or be killed halfway, and what an earlier version still writes is read."""

import os
import random
import signal
import sqlite3
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.contract.things import answers, deal
from tests.mongo_for_tests import replica_set
from tests.store.older import EVERY, Older, goes_on, is_whole, older, settings
from tests.store.processes import ended, forked, killed

from thresher.records import Review, Stage, TaskKind
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.kinds import KINDS
from thresher.store.mongo import schema
from thresher.store.mongo.link import Link

__all__ = ["older", "replica_set", "settings"]

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # processes that open at once are forked

TRIES = 4
STATEMENTS_APART = 7  # each step of a migration has more


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


def killed_at(statement: int, place: str, settings: Settings) -> bool:
    """Open a directory in a process that is killed as it begins its SQL statement of this number; whether it was."""

    def die(_statement: str) -> None:
        nonlocal statement
        statement -= 1
        if statement < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def connect(*given: Any, **named: Any) -> sqlite3.Connection:
        sql: sqlite3.Connection = connected(*given, **named)
        sql.set_trace_callback(die)
        return sql

    def opening() -> None:
        sqlite3.connect = connect  # type: ignore[assignment]  # in the process that dies alone
        open_and_close(place, settings)

    connected = sqlite3.connect
    return ended(forked(opening)) == -signal.SIGKILL


def cut_short(kind: str, older: Older, settings: Settings) -> Iterator[str]:
    """Workspaces whose migration was killed: at every few SQL statements, or in MongoDB at any moment."""
    if kind == "mongodb":
        draw = random.Random(11)
        for _ in range(TRIES):
            place = older(kind)
            for _ in range(2):
                killed(partial(open_and_close, place, settings), draw.uniform(0, 0.4))
            yield place
        return
    for statement in count(0, STATEMENTS_APART):
        place = older(kind)
        if not killed_at(statement, place, settings):
            return
        yield place


@EVERY
def test_a_migration_killed_anywhere_is_made_again(kind: str, older: Older, settings: Settings) -> None:
    tried = 0
    for place in cut_short(kind, older, settings):
        store = open_store(place, settings)
        is_whole(store)
        store.close()
        tried += 1
    assert tried >= TRIES


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
