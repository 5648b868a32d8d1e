"""The certified loop: it freezes, audits, labels its middle, and ends with a claim that is true of the pool."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.filled import NAME, add
from tests.loop.people import pool, small, to_the_end
from tests.verify.tampering import Release, exchange

from thresher.evidence.state import Certified
from thresher.loop.ship import ship
from thresher.loop.snapshot import latest
from thresher.loop.turn import Turn
from thresher.records import Purpose, Says, Source, Targets
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store
from thresher.verify import Verdict, verify

COUNT, YES_FROM = 240, 160
PEOPLE = ("ann", "bob", "cyd", "dan")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return small(settings, tmp_path).but(votes=1, votes_most=1)


@pytest.fixture
def rows(store: Store) -> list[int]:
    given = pool(store, YES_FROM, COUNT)
    store.categories.aim(NAME, Targets(precision=0.9, recall=0.8, delta=0.1, method="certified"))
    return given


def says(row: int) -> Says:
    return Says.YES if row >= YES_FROM else Says.NO


def run(store: Store, settings: Settings) -> Turn:
    return to_the_end(store, settings, says, PEOPLE)


def test_the_loop_ends_with_a_claim_that_is_true(store: Store, settings: Settings, rows: list[int]) -> None:
    came_to = run(store, settings)
    assert (came_to.state, "With confidence" in came_to.says) == ("done", True)
    category = store.categories.get(NAME)
    snapshot = latest(category, store=store)
    assert snapshot is not None
    step = snapshot.step({label.row: label for label in store.labels.held(NAME, 1)})
    assert isinstance(step, Certified)
    answered = snapshot.state({label.row: label for label in store.labels.held(NAME, 1)}).answers
    accepted = {int(row) for rank, row in enumerate(snapshot.ranking) if rank < step.accepted}
    found = {int(snapshot.ranking[rank]) for rank, code in answered.items() if code == 1}
    refuted = {int(snapshot.ranking[rank]) for rank, code in answered.items() if code != 1}
    known = {row for row in snapshot.known.tolist() if says(row) is Says.YES}
    delivered = (accepted | found | known) - refuted
    yes = {row for row in rows if says(row) is Says.YES}
    assert len(delivered) == step.delivered
    assert len(delivered & yes) / len(delivered) >= 0.9
    assert len(delivered & yes) / len(yes) >= 0.8


def test_every_answer_an_audit_rests_on_is_adjudicated(store: Store, settings: Settings, rows: list[int]) -> None:
    run(store, settings)
    audited = [label for label in store.labels.all_of(NAME, 1) if label.epoch > 0]
    assert audited
    assert {label.source for label in audited} <= {Source.ADJUDICATED, Source.OWNER}
    assert {label.purpose for label in audited} <= {Purpose.AUDIT_RECALL, Purpose.AUDIT_PRECISION, Purpose.MIDDLE}


def test_learning_labels_are_never_random_evidence(store: Store, settings: Settings, rows: list[int]) -> None:
    run(store, settings)
    snapshot = latest(store.categories.get(NAME), store=store)
    assert snapshot is not None
    held = {label.row for label in store.labels.all_of(NAME, 1) if label.epoch == 0 and label.source is Source.OWNER}
    assert not held & set(snapshot.ranking.tolist())


def test_a_frozen_epoch_reads_back_the_same(store: Store, settings: Settings, rows: list[int]) -> None:
    run(store, settings)
    category = store.categories.get(NAME)
    first = latest(category, store=store)
    again = open_store(store.place, settings)
    second = latest(category, store=again)
    again.close()
    assert first is not None
    assert second is not None
    assert first.frozen == second.frozen
    assert np.array_equal(first.ranking, second.ranking)


def test_pictures_that_come_later_wait_for_the_next_epoch(store: Store, settings: Settings, rows: list[int]) -> None:
    run(store, settings)
    before = latest(store.categories.get(NAME), store=store)
    add(store, range(2_000, 2_010))
    run(store, settings)
    after = latest(store.categories.get(NAME), store=store)
    assert before is not None
    assert after is not None
    assert (after.epoch, after.frozen.epoch) == (before.epoch + 1, before.frozen.epoch + 1)
    assert after.frozen.seed != before.frozen.seed


def test_a_budget_too_small_for_the_audit_is_said(store: Store, settings: Settings, rows: list[int]) -> None:
    store.categories.aim(NAME, Targets(precision=0.9, recall=0.8, delta=0.1, method="certified", answers=60))
    came_to = run(store, settings)
    assert came_to.state == "spent"
    tally = store.categories.tally(NAME)
    assert tally.answers + tally.owner_answers <= 60


def test_a_delta_that_an_earlier_version_took_is_refused_before_anybody_is_asked(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    store.categories.aim(NAME, Targets(precision=0.9, recall=0.8, delta=0.6, method="certified"))
    came_to = run(store, settings)
    assert came_to.state == "refused"
    assert f"thresher category aim {NAME} --delta 0.05" in came_to.says
    assert not store.asks.open_counts(NAME, 1)


def test_a_certified_release_is_verified_from_its_own_files_alone(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    run(store, settings)
    made = ship(NAME, tmp_path / "out", store=store, now_ms=9)
    assert verify(tmp_path / "out") == Verdict(True, str(made.certificate["words"]), ())
    delivered = pq.read_table(tmp_path / "out" / "images.parquet").to_pylist()
    assert sum(row["decision"] == "yes" for row in delivered) == made.images
    assert f"of the {made.images} released images are yes" in str(made.certificate["words"])


def test_a_certificate_that_claims_more_than_its_evidence_does_not_hold(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    run(store, settings)
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    lie = Release(tmp_path / "out", "certified", b"")
    lie.frozen(lambda frozen: frozen["promise"].update(precision=0.99))
    lie.seal()
    assert any("precision" in line for line in verify(tmp_path / "out").wrong)


def test_evidence_with_a_draw_left_out_or_turned_round_does_not_hold(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    run(store, settings)
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    changed, name = Release(tmp_path / "out", "certified", b""), "evidence.parquet"
    whole = changed.path(name).read_bytes()
    drawn = [at for at, row in enumerate(changed.rows(name)) if row["reject_draw"] is not None]
    changed.table(name, lambda rows: exchange(rows, "reject_draw", drawn[0], drawn[1]))
    changed.seal()
    assert any("reject" in line for line in verify(tmp_path / "out").wrong)
    changed.path(name).write_bytes(whole)
    changed.table(name, lambda rows: rows[: drawn[0]] + rows[drawn[0] + 1 :])
    changed.seal()
    assert any("exactly the ranks of the log" in line for line in verify(tmp_path / "out").wrong)


def test_a_release_of_the_cascade_carries_no_certificate(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    run(store, settings)
    store.categories.aim(NAME, Targets(method="cascade"))
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    assert verify(tmp_path / "out").wrong == ("the release has no certificate",)
