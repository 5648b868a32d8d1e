"""The loops that one process repeats: what happens to one of them ends none of the others."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from tests.filled import NAME, fill
from tests.loop.people import small

from thresher.learn.embed import column_when_new, embed
from thresher.loop import lease
from thresher.loop.autopilot import keep
from thresher.loop.certify import audit
from thresher.loop.turn import Turn
from thresher.loop.watch import Watch
from thresher.records import now_ms
from thresher.settings import Settings
from thresher.store.contract import Store

COUNT = 40
LEASE, HEARTBEAT_MS = f"loop/{NAME}", 300


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return small(settings, tmp_path).but(cache=str(tmp_path / "cache"))


def test_a_column_that_is_damaged_after_the_last_turn_ends_no_loop(store: Store, settings: Settings) -> None:
    """Whether images lack vectors is looked up once a loop has come to rest: by then the column can be read no more."""
    fill(store, COUNT)
    fill(store, COUNT, name="other", first=3_000)
    embed(store.categories.pool(NAME), store=store, settings=settings)
    sums = Path(store.place) / "columns" / column_when_new(settings).replace("/", "@") / "sums"
    seen: list[object] = []
    states: dict[str, str] = {}

    def heard(name: str, came_to: Turn) -> None:
        states[name] = came_to.state
        seen.append([mark.turn for mark in store.categories.marks().values()])
        if seen[-3:].count(seen[-1]) == 3:  # each has made a turn that moved nothing
            sums.unlink(missing_ok=True)

    keep(
        store=store, settings=settings, heard=heard, stop=lambda: len(seen) > 60 or set(states.values()) == {"damaged"}
    )
    assert states == {NAME: "damaged", "other": "damaged"}


class Deleting:
    """A store in which another process deletes the columns as soon as they are listed."""

    def __init__(self, inner: Any, part: str = "") -> None:
        self._own = (inner, part)

    def __getattr__(self, name: str) -> Any:
        inner, part = self._own
        found = getattr(inner, name)
        if name == "columns":
            return Deleting(found, name)
        if (part, name) != ("columns", "names"):
            return found

        def names() -> list[str]:
            there: list[str] = found()
            for one in there:
                inner.drop(one)
            return there

        return names


def test_a_column_that_is_deleted_while_the_watch_looks_at_it_ends_no_loop(store: Store, settings: Settings) -> None:
    fill(store, COUNT)
    embed(store.categories.pool(NAME), store=store, settings=settings)
    watch = Watch(store=cast("Store", Deleting(store)), settings=settings)
    watch.made(NAME, store.categories.mark(NAME), Turn("asking", "..."), 1_000)
    assert not watch.due(NAME, store.categories.mark(NAME), 1_001)
    assert not store.columns.names()
    assert watch.due(NAME, store.categories.mark(NAME), 1_002)  # and then there are vectors to make


class TakenOver:
    """A store whose loop another process takes over as soon as a turn begins to embed."""

    def __init__(self, inner: Any, store: Store, part: str = "") -> None:
        self._own = (inner, store, part)

    def __getattr__(self, name: str) -> Any:
        inner, store, part = self._own
        found = getattr(inner, name)
        if name == "columns":
            return TakenOver(found, store, name)
        if (part, name) != ("columns", "create"):
            return found

        def create(*given: Any) -> object:
            mine = store.jobs.holder(LEASE, now_ms())
            assert mine
            store.jobs.release(LEASE, mine)
            assert store.jobs.lease(LEASE, "another", now_ms(), 60_000)
            time.sleep(0.003 * HEARTBEAT_MS)
            return found(*given)

        return create


def kept(store: Store, settings: Settings) -> None:
    looks: list[str] = []
    keep(store=store, settings=settings, heard=lambda name, _: looks.append(name), stop=lambda: len(looks) > 1)


def audited(store: Store, settings: Settings) -> None:
    audit({NAME: np.empty(0, np.int64)}, store=store, settings=settings, turns=2)


@pytest.mark.parametrize("repeat", [kept, audited])
def test_a_turn_whose_lease_another_process_has_taken_over_embeds_no_further(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch, repeat: Callable[[Store, Settings], None]
) -> None:
    monkeypatch.setattr(lease, "LEASE_MS", 3 * HEARTBEAT_MS)
    fill(store, COUNT)
    repeat(cast("Store", TakenOver(store, store)), settings)
    assert store.jobs.holder(LEASE, now_ms()) == "another"
    assert len(store.columns.missing(column_when_new(settings), store.categories.pool(NAME))) == COUNT
