"""What is decided has one home: release, console, gallery and status say the same of a category at one moment."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.filled import NAME
from tests.loop.people import one_turn, pool
from tests.loop.promised import COUNT, YES_FROM, aim, rounds_of_two, run
from tests.serving import Served, serving

from thresher.loop.ship import ship
from thresher.records import Decision
from thresher.settings import Settings
from thresher.store.contract import Store


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return rounds_of_two(settings, tmp_path)


@pytest.fixture
def rows(store: Store) -> list[int]:
    return pool(store, YES_FROM, COUNT)


Said = dict[str, int]


def released(store: Store, to: Path) -> Said:
    """The decisions in a release's table."""
    ship(NAME, to, store=store, now_ms=9)
    return dict(Counter(pq.read_table(to / "images.parquet").column("decision").to_pylist()))


def shown(server: Served) -> Said:
    """The decisions in the pages of the gallery, all of it and one decision at a time."""
    found: Counter[str] = Counter()
    for decision in (None, *Decision):
        after: int | None = None
        while True:
            page = server.console.pictures(NAME, decision=decision, after=after, limit=100)
            if decision is None:
                found.update(str(picture.decision) for picture in page.pictures)
            else:
                assert all(picture.decision is decision for picture in page.pictures)
                found[f"only {decision}"] += len(page.pictures)
            if (after := page.after) is None:
                break
    counted = {str(decision): found[str(decision)] for decision in Decision}
    assert counted == {str(decision): found[f"only {decision}"] for decision in Decision}
    return {decision: count for decision, count in counted.items() if count}


def told(store: Store) -> tuple[Said, str]:
    """What `thresher status` counts, and what it says comes next."""
    command = [sys.executable, "-m", "thresher", "--workspace", store.place, "status", "--json"]
    (row,) = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)
    return {decision: row[decision] for decision in ("yes", "no", "unknown") if row[decision]}, row["waits for"]


@pytest.mark.parametrize("method", ["certified", "precision"])
def test_release_console_gallery_and_status_count_alike_and_name_the_same_next_step(
    method: str, store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    aim(store, method)
    assert run(store, settings).state == "done"
    with serving(store, settings) as server:
        console = server.console.category(NAME)
        gallery = shown(server)
    counts, next_step = told(store)
    in_console = {name: count for name in ("yes", "no", "unknown") if (count := getattr(console, name))}
    assert console.certified
    assert in_console == gallery == counts == released(store, tmp_path / "out")
    assert console.waits_for == next_step == f"nothing: run `thresher release {NAME}`"
    assert one_turn(store, settings, 99).state == "done"
