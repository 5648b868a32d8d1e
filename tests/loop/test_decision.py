"""What is decided has one home: release, console, gallery and status say the same of a category at one moment."""

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.filled import NAME, add, fill, new_image
from tests.loop.people import one_turn, pool
from tests.loop.promised import COUNT, YES_FROM, aim, rounds_of_two, run
from tests.serving import Served, serving

from thresher.errors import NotFound
from thresher.evidence import Ask
from thresher.harvest.similar import put_in_groups
from thresher.learn.decide import NO, UNKNOWN, YES
from thresher.loop.decision import Decisions, decision
from thresher.loop.next_step import next_step
from thresher.loop.promises import Purse
from thresher.loop.ship import ship
from thresher.loop.snapshot import Snapshot, freeze
from thresher.records import (
    Counts,
    Decision,
    Gold,
    Label,
    Origin,
    Purpose,
    Round,
    Says,
    Source,
    Targets,
    Thresholds,
)
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
    for wanted in (None, *Decision):
        after: int | None = None
        while True:
            page = server.console.pictures(NAME, decision=wanted, after=after, limit=100)
            if wanted is None:
                found.update(str(picture.decision) for picture in page.pictures)
            else:
                assert all(picture.decision is wanted for picture in page.pictures)
                found[f"only {wanted}"] += len(page.pictures)
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
    counts, status = told(store)
    in_console = {name: count for name in ("yes", "no", "unknown") if (count := getattr(console, name))}
    assert console.certified
    assert in_console == gallery == counts == released(store, tmp_path / "out")
    assert console.waits_for == status == f"nothing: run `thresher release {NAME} --to DIR`"
    assert one_turn(store, settings, 99).state == "done"


# --- asked often ------------------------------------------------------------------------------------------------------

SMALL, SMALL_YES_FROM = 120, 80


def label(row: int, source: Source = Source.ADJUDICATED, says: Says | None = None) -> Label:
    true = Says.YES if row >= SMALL_YES_FROM else Says.NO
    return Label(row, says or true, source, Purpose.AUDIT_RECALL, 1, 1)


def scored(store: Store) -> list[int]:
    """A pool whose scores are right, two pictures of it alike: one yes and its near-duplicate."""
    rows = fill(store, SMALL - 2)
    alike = [replace(new_image(seed), fingerprint="ab" * 32) for seed in (5_000, 5_001)]
    rows += put_in_groups(alike, store=store, same=lambda *_: True)
    store.categories.pool_add(NAME, rows[-2:], Origin("test", "", "", 1))
    scores = np.where(np.arange(SMALL) < SMALL_YES_FROM, -4.0, 4.0).astype(np.float32)
    store.columns.create(f"scores/{NAME}/1", 1, "float32")
    store.columns.write(f"scores/{NAME}/1", np.array(rows), scores[:, None])
    store.rounds.add(
        Round(
            number=1,
            category=NAME,
            version=1,
            backbone="none",
            column=f"scores/{NAME}/1",
            thresholds=Thresholds(-5.0, 5.0),
            counts=Counts(),
            labels_yes=0,
            labels_no=0,
            measures={},
            head="",
            at_ms=1,
            seconds=0.0,
        ),
        b"head",
    )
    return rows


def frozen(store: Store, targets: Targets, pictures: int = 80) -> Snapshot:
    """The pool, frozen for these targets, with so many pictures that the audits of a budget may ask about."""
    store.categories.aim(NAME, targets)
    return freeze(store.categories.get(NAME), decision(NAME, store=store), Purse(pictures), store=store)


def certify(store: Store, snapshot: Snapshot | None = None) -> None:
    """Adjudicate what the audits ask for, to the end."""
    snapshot = snapshot or frozen(store, Targets(0.8, 0.7, 0.2, method="certified"))
    while isinstance(step := snapshot.step({held.row: held for held in store.labels.held(NAME, 1)}), Ask):
        ranks = sorted({rank for part in step.wanted for rank in part.ranks})
        store.labels.hold(NAME, [label(int(row)) for row in snapshot.ranking[ranks]])


def test_before_a_certificate_thresholds_and_labels_decide_and_after_it_the_certified_set(store: Store) -> None:
    scored(store)
    assert decision(NAME, store=store).counts == Counts(0, 0, SMALL)
    certify(store)
    decided = decision(NAME, store=store)
    assert decided.basis.certified is not None
    assert decided.counts == Counts(SMALL - SMALL_YES_FROM, SMALL_YES_FROM, 0)
    add(store, range(9_000, 9_003))  # another pool than the one that was frozen
    later = decision(NAME, store=store)
    assert (later.basis.certified, later.codes[-1]) == (None, UNKNOWN)


def test_a_near_duplicate_is_decided_as_the_one_that_stands_for_it_and_marked(store: Store) -> None:
    rows = scored(store)
    certify(store)
    decided = decision(NAME, store=store)
    assert decided.codes[-2:].tolist() == [YES, YES]
    assert decided.inherited.nonzero()[0].tolist() == [len(rows) - 1]


@pytest.mark.parametrize("certified", [True, False])
def test_some_rows_are_decided_as_they_are_in_the_whole_pool(certified: bool, store: Store) -> None:
    rows = np.array(scored(store))
    store.labels.hold(NAME, [label(int(row), Source.OWNER) for row in rows[::7]])
    if certified:
        certify(store)
    whole, decisions = decision(NAME, store=store), Decisions(store)
    for some in (rows[:1], rows[70:95], rows[-1:], rows[:0]):
        for found in (decision(NAME, store=store, rows=some), decisions.of(NAME, some)):
            assert (found.basis.certified is not None) is certified
            at = np.searchsorted(rows, some)
            assert found.rows.tolist() == some.tolist()
            assert found.codes.tolist() == whole.codes[at].tolist()
            assert found.scores.tolist() == whole.scores[at].tolist()
            assert found.inherited.tolist() == whole.inherited[at].tolist()


def test_asked_again_it_is_worked_out_anew_only_when_something_moved(store: Store) -> None:
    rows = scored(store)
    certify(store)
    decisions = Decisions(store)
    first = decisions.of(NAME)
    assert decisions.of(NAME) is first
    store.labels.hold(NAME, [label(rows[90], Source.OWNER, Says.NO)])  # a yes of the set is refuted
    second = decisions.of(NAME)
    assert (first.codes[90], second.codes[90]) == (YES, NO)
    store.categories.aim(NAME, Targets(method="cascade"))
    assert decisions.of(NAME).basis.certified is None
    store.categories.aim(NAME, Targets(0.8, 0.7, 0.2, method="certified"))
    again = decisions.of(NAME)
    assert again.codes.tolist() == second.codes.tolist() == decision(NAME, store=store).codes.tolist()


def test_many_who_ask_at_once_get_one_answer(store: Store) -> None:
    scored(store)
    certify(store)
    decisions = Decisions(store)
    with ThreadPoolExecutor(8) as people:
        found = list(people.map(lambda _: decisions.of(NAME), range(16)))
    assert all(one is found[0] for one in found)


def test_a_row_that_a_certificate_cannot_speak_of_is_told(store: Store) -> None:
    scored(store)
    certify(store)
    with pytest.raises(NotFound, match="image 999 is not in the pool"):
        decision(NAME, store=store, rows=np.array([3, 999]))


# --- the next step ----------------------------------------------------------------------------------------------------


def waits(store: Store, settings: Settings) -> str:
    """With gold enough, and a loop that nobody runs."""
    rows = store.categories.pool(NAME).tolist()
    store.labels.gild(NAME, [Gold(rows[0], Says.NO, 1, Source.OWNER), Gold(rows[-3], Says.YES, 1, Source.OWNER)])
    return next_step(
        decision(NAME, store=store), store=store, settings=settings.but(gold_least=1), running=False
    ).waits_for


def test_a_promise_is_kept_when_it_is_certified_and_not_when_nothing_is_unknown(
    store: Store, settings: Settings
) -> None:
    rows = scored(store)
    snapshot = frozen(store, Targets(0.8, 0.7, 0.2, method="certified"))
    store.labels.hold(NAME, [label(row, Source.CONSENSUS) for row in rows])
    assert decision(NAME, store=store).counts.unknown == 0
    assert waits(store, settings) == f"the loop: run `thresher run {NAME}`"
    certify(store, snapshot)
    assert waits(store, settings) == f"nothing: run `thresher release {NAME} --to DIR`"


def test_a_certificate_that_is_not_to_be_had_is_told(store: Store, settings: Settings) -> None:
    scored(store)
    certify(store, frozen(store, Targets(0.99, 0.99, 0.01, answers=500, method="recall"), pictures=5))
    assert waits(store, settings).startswith("nothing: not certified, because 5 images prove no set")


def test_a_budget_is_spent_when_the_audit_asks_for_more_than_is_left_unless_it_was_divided(
    store: Store, settings: Settings
) -> None:
    scored(store)
    frozen(store, Targets(0.95, 0.95, 0.05, answers=3, method="certified"))
    assert waits(store, settings).startswith("nothing: its budget of 3 answers is spent")
    frozen(store, Targets(0.8, 0.8, 0.2, answers=3, method="precision"))
    assert waits(store, settings) == f"the loop: run `thresher run {NAME}`"


def test_a_method_that_proves_nothing_ends_with_its_last_round(store: Store, settings: Settings) -> None:
    scored(store)
    store.categories.aim(NAME, Targets(method="cascade"))
    assert decision(NAME, store=store).counts.unknown
    assert waits(store, settings.but(rounds_most=2)) == f"the loop: run `thresher run {NAME}`"
    assert waits(store, settings.but(rounds_most=1)) == f"nothing: run `thresher release {NAME} --to DIR`"
