"""What is decided has one home: release, console, gallery and status say the same of a category at one moment."""

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.filled import NAME, add, fill
from tests.loop.people import one_turn, pool
from tests.loop.promised import COUNT, YES_FROM, aim, rounds_of_two, run
from tests.loop.scored import SMALL, SMALL_YES_FROM, certify, frozen, grouped, label, scored
from tests.serving import Served, serving

from thresher.errors import NotFound
from thresher.label.asks import fresh, wish
from thresher.learn.decide import NO, UNKNOWN, YES
from thresher.loop.decision import Decisions, decision, stands_for
from thresher.loop.next_step import next_step
from thresher.loop.ship import ship
from thresher.records import (
    Counts,
    Decision,
    Gold,
    Grounds,
    Purpose,
    Says,
    Source,
    Targets,
)
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.verify import verify


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


# --- labels that contradict each other --------------------------------------------------------------------------------


def by_row(store: Store) -> dict[int, int]:
    """What is decided of the similar group, in the whole pool and for each of its images alone."""
    decided, decisions = decision(NAME, store=store), Decisions(store)
    codes = dict(zip(decided.rows.tolist(), decided.codes.tolist(), strict=True))
    group = decided.rows[-3:].tolist()
    assert [decisions.of(NAME, np.array([row])).codes.tolist() for row in group] == [[codes[row]] for row in group]
    return {row: codes[row] for row in group}


def test_images_of_a_group_whose_labels_contradict_each_other_stand_for_themselves(
    store: Store, settings: Settings
) -> None:
    fill(store, 20)
    first, second, third = grouped(store, 3)
    store.labels.hold(NAME, [label(first, Source.OWNER, Says.YES)])
    assert by_row(store) == {first: YES, second: YES, third: YES}
    assert decision(NAME, store=store).yes_by == Grounds(1, 2, 0)
    assert fresh(NAME, np.array([second, third]), store=store).tolist() == [second]
    store.labels.hold(NAME, [label(second, Source.CONSENSUS, Says.NO)])
    assert by_row(store) == {first: YES, second: NO, third: UNKNOWN}
    decided = decision(NAME, store=store)
    assert decided.yes_by == Grounds(1, 0, 0)
    assert not decided.inherited.any()
    assert (decided.similar == decided.rows).all()
    assert stands_for(decided).tolist() == decided.rows.tolist()
    assert fresh(NAME, np.array([second, third]), store=store).tolist() == [second, third]
    assert wish(NAME, [(third, 1.0)], Purpose.LEARN, store=store, settings=settings) == 1
    store.labels.hold(NAME, [label(second, Source.OWNER, Says.YES)])
    assert by_row(store) == {first: YES, second: YES, third: YES}, "they agree again"


@pytest.mark.parametrize("again", [False, True])
def test_a_certificate_keeps_the_units_it_was_frozen_with_when_labels_split_a_group(
    again: bool, store: Store, tmp_path: Path
) -> None:
    rows = scored(store, alike=3)
    certify(store)
    ship(NAME, tmp_path / "before", store=store, now_ms=9)
    first, second, third = rows[-3:]
    assert by_row(store) == {first: YES, second: YES, third: YES}
    store.labels.hold(NAME, [label(second, Source.OWNER, Says.NO)])
    assert by_row(store)[second] == NO
    if again:
        store.labels.hold(NAME, [label(second, Source.OWNER, Says.YES)])
        assert by_row(store) == {first: YES, second: YES, third: YES}
    ship(NAME, tmp_path / "after", store=store, now_ms=9)
    for name in ("before", "after"):
        assert verify(tmp_path / name).wrong == ()


def test_a_group_that_was_split_at_the_freeze_stays_so_in_its_certificate(store: Store, tmp_path: Path) -> None:
    """Each of its images is a unit: known ones as they are labelled, the others ranked."""
    rows = scored(store, alike=3)
    first, second, third = rows[-3:]
    store.labels.hold(NAME, [label(first, Source.OWNER, Says.YES), label(second, Source.OWNER, Says.NO)])
    snapshot = frozen(store, Targets(0.8, 0.7, 0.2, method="certified"))
    assert third in snapshot.ranking
    assert {first, second} <= set(snapshot.known.tolist())
    assert (snapshot.copies.tolist(), snapshot.frozen.known_yes) == ([], 1)
    certify(store, snapshot)
    assert by_row(store) == {first: YES, second: NO, third: YES}
    assert not decision(NAME, store=store).inherited.any()
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    assert verify(tmp_path / "out").wrong == ()


def test_known_copies_count_as_one_in_a_certificate_even_if_their_group_is_split_later(
    store: Store, tmp_path: Path
) -> None:
    rows = scored(store, alike=3)
    first, second, third = rows[-3:]
    store.labels.hold(NAME, [label(first, Source.OWNER, Says.YES), label(second, Source.OWNER, Says.YES)])
    snapshot = frozen(store, Targets(0.8, 0.7, 0.2, method="certified"))
    assert (snapshot.copies.tolist(), snapshot.frozen.known_yes) == ([[second, first], [third, first]], 1)
    certify(store, snapshot)
    for says in (None, Says.NO, Says.YES):
        if says is not None:
            store.labels.hold(NAME, [label(third, Source.OWNER, says)])
        assert by_row(store) == {first: YES, second: YES, third: NO if says is Says.NO else YES}
        ship(NAME, tmp_path / f"{says}", store=store, now_ms=9)
        assert verify(tmp_path / f"{says}").wrong == ()


def test_what_was_inherited_is_told_from_what_was_seen_everywhere(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    rows = scored(store, alike=3)
    first, second, third = rows[-3:]
    yes = [label(row, Source.OWNER) for row in rows[-5:-3]]
    store.labels.hold(NAME, [label(second, Source.OWNER, Says.YES), label(rows[0], Source.OWNER), *yes])
    grounds = Grounds(3, 2, 0)
    assert decision(NAME, store=store).yes_by == grounds
    with serving(store, settings) as server:
        assert server.console.category(NAME).yes_by.model_dump() == asdict(grounds)
        shown = server.console.pictures(NAME, limit=200).pictures
    assert {picture.row for picture in shown if picture.inherited} == {first, third}
    command = [sys.executable, "-m", "thresher", "--workspace", store.place, "status", "--json"]
    (told,) = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)
    assert (told["yes"], told["yes labelled"], told["yes inherited"]) == (5, 3, 2)
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    table = pq.read_table(tmp_path / "out" / "images.parquet").to_pylist()
    inherited = [line for line in table if line["inherited"]]
    assert [line["id"] for line in inherited] == [image.sha256 for image in store.images.many([first, third])]
    assert {line["similar_to"] for line in inherited} == {store.images.get(second).sha256}
    assert json.loads((tmp_path / "out" / "release.json").read_text())["yes_by"] == asdict(grounds)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "3 have a label of their own, 2 inherited the decision on a copy" in card


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
    assert "more images, and the budget has 3 answers left; `thresher" in waits(store, settings)
    frozen(store, Targets(0.8, 0.8, 0.2, answers=3, method="precision"))
    assert waits(store, settings) == f"the loop: run `thresher run {NAME}`"


def test_a_method_that_proves_nothing_ends_with_its_last_round(store: Store, settings: Settings) -> None:
    scored(store)
    store.categories.aim(NAME, Targets(method="cascade"))
    assert decision(NAME, store=store).counts.unknown
    assert waits(store, settings.but(rounds_most=2)) == f"the loop: run `thresher run {NAME}`"
    assert waits(store, settings.but(rounds_most=1)) == f"nothing: run `thresher release {NAME} --to DIR`"
