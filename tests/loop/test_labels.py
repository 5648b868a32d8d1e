"""Labels that somebody else made are audited by answers alone: without vectors, training, or a word of the labels."""

from pathlib import Path

import numpy as np
import pytest
from tests.filled import NAME
from tests.loop.people import everybody_answers, one_turn, pool, to_the_end
from tests.loop.promised import COUNT, PEOPLE, YES_FROM, frozen_now, rounds_of_two, says
from tests.verify.tampering import Release

from thresher.evidence import Certified
from thresher.loop.audited import figures
from thresher.loop.decision import decision
from thresher.loop.refusal import refusal_files
from thresher.loop.ship import ship
from thresher.records import OWNER, Label, Purpose, Says, Source, Targets
from thresher.settings import Settings
from thresher.store.claims import AUDITED, ClaimedLabels, store_claim
from thresher.store.contract import Store
from thresher.verify import verify


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return rounds_of_two(settings, tmp_path)


@pytest.fixture
def rows(store: Store) -> list[int]:
    return pool(store, YES_FROM, COUNT)


def claim(store: Store, rows: list[int], *, wrong: int = 0, missed: int = 0, scores: bool = False) -> list[int]:
    """Labels that call so many no of the pool a yes, and so many of its yes not; the rows that they call yes."""
    right = [row for row in rows if says(row) is Says.YES][missed:]
    yes = sorted(right + [row for row in rows if says(row) is Says.NO][:wrong])
    sure = np.linspace(0.5, 1.0, len(yes), dtype=np.float32) if scores else None
    labels = ClaimedLabels(AUDITED, np.array(yes, np.int64), np.ones(len(yes), np.bool_), sure, "ab" * 32, "csv", 1)
    store_claim(NAME, labels, store=store)
    return yes


def aim(store: Store, precision: float = 0.85, recall: float = 0.0, *, truth: str = "owner") -> None:
    store.categories.aim(NAME, Targets(precision, recall, 0.1, None, "labels", truth))


def released(store: Store) -> set[int]:
    decided = decision(NAME, store=store)
    return set(decided.rows[decided.codes == 1].tolist())


@pytest.mark.parametrize("scores", [False, True])
def test_the_owner_alone_certifies_labels_with_fewer_answers_than_there_are(
    scores: bool, store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    called = claim(store, rows, wrong=2, scores=scores)
    aim(store)
    came_to = to_the_end(store, settings, says, (OWNER,))
    assert came_to.state == "done", came_to.says
    assert store.columns.names() == [f"ranking/{NAME}/1"]  # nothing was embedded or scored
    assert store.rounds.all(NAME) == []
    votes = store.labels.votes(NAME, 1)
    assert {vote.worker for vote in votes} == {OWNER}
    assert {vote.row for vote in votes} <= set(called)
    assert len(votes) < len(called)
    snapshot = frozen_now(store)
    ranked = snapshot.ranking.tolist()
    assert sorted(ranked[: len(called)]) == called
    assert ranked[: len(called)] == (called[::-1] if scores else called)
    found = {row for row in called if says(row) is Says.NO} & {vote.row for vote in votes}
    assert released(store) == set(called) - found
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    verdict = verify(tmp_path / "out", head=snapshot.log.head)
    assert verdict.holds, verdict.wrong
    assert f"0.85 of the {len(called)} images that the labels call yes are yes" in verdict.claim
    assert "no recall is promised" in verdict.claim


def test_recall_is_certified_too_with_the_images_that_the_labels_do_not_call_yes(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    called = claim(store, rows, missed=2)
    aim(store, recall=0.8)
    came_to = to_the_end(store, settings, says, (OWNER,))
    assert came_to.state == "done", came_to.says
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    verdict = verify(tmp_path / "out")
    assert verdict.holds, verdict.wrong
    assert f"at least 0.8 of all yes of this pool of {COUNT} images" in verdict.claim
    votes = {vote.row for vote in store.labels.votes(NAME, 1)}
    assert votes - set(called)  # images that the labels don't call yes were drawn as well
    assert released(store) == set(called) | {row for row in votes if says(row) is Says.YES}


def test_people_s_adjudicated_answers_certify_labels_as_well(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    claim(store, rows)
    aim(store, truth="people")
    came_to = to_the_end(store, settings, says, PEOPLE)
    assert came_to.state == "done", came_to.says
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    verdict = verify(tmp_path / "out")
    assert verdict.holds, verdict.wrong
    assert "by adjudicated answers" in verdict.claim


def test_labels_that_are_too_wrong_are_refused_early_with_the_interval_and_the_wrong_ones(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    called = claim(store, rows, wrong=80)
    aim(store)
    came_to = to_the_end(store, settings, says, (OWNER,))
    assert came_to.state == "refused"
    assert "of all 170" in came_to.says
    found = figures(NAME, store=store)
    assert found.precision is not None
    audit = found.precision
    wrong = [row for row in called if says(row) is Says.NO]
    assert audit.fewest <= len(wrong) <= audit.most
    assert audit.size == len(called)
    assert not audit.holds
    assert audit.bad == len(found.wrong) > 0
    assert set(found.wrong) <= set(wrong)
    assert len(store.labels.votes(NAME, 1)) < 90
    assert found.recall is None


@pytest.mark.parametrize(("urn", "recall"), [("accept", 0.0), ("accept", 0.8), ("reject", 0.8)])
def test_evidence_of_a_failed_audit_without_a_delta_proves_no_interval(
    urn: str, recall: float, store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    claim(store, rows, wrong=80)
    aim(store, recall=recall)
    assert to_the_end(store, settings, says, (OWNER,)).state == "refused"
    for name, data in refusal_files(decision(NAME, store=store), {}, store=store, now_ms=9).items():
        (tmp_path / name).write_bytes(data)
    (said,) = verify(tmp_path).wrong
    assert "confidence" in said
    Release(tmp_path, "labels", b"").frozen(lambda one: one["ladder"][0].update({f"{urn}_delta": 0.0}))
    said, wrong = verify(tmp_path).wrong
    assert "confidence" not in said
    assert wrong == f"the {urn} urn has a delta of 0, by which no interval is proven"


def test_other_labels_begin_another_audit_and_the_same_ones_go_on(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    claim(store, rows)
    aim(store)
    one_turn(store, settings, 0)
    everybody_answers(store, settings, says, 1_500, (OWNER,))
    first = frozen_now(store)
    claim(store, rows)
    one_turn(store, settings, 1)
    assert frozen_now(store).epoch == first.epoch
    claim(store, rows, wrong=1)
    one_turn(store, settings, 2)
    assert frozen_now(store).epoch == first.epoch + 1


def test_without_labels_or_with_none_that_calls_an_image_yes_there_is_nothing_to_audit(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    aim(store)
    came_to = one_turn(store, settings, 0)
    assert came_to.state == "refused"
    assert "no labels are there" in came_to.says
    labels = ClaimedLabels(AUDITED, np.array(rows[:2], np.int64), np.zeros(2, np.bool_))
    store_claim(NAME, labels, store=store)
    assert "call no image of the pool a yes" in one_turn(store, settings, 1).says


def test_a_label_of_the_owner_that_comes_later_changes_what_is_released_and_it_still_holds(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    called = claim(store, rows, wrong=1)
    store.labels.hold(NAME, [Label(rows[3], Says.NO, Source.OWNER, Purpose.IMPORT, 1, 2)])
    aim(store)
    to_the_end(store, settings, says, (OWNER,))
    step = decision(NAME, store=store).basis.step
    assert isinstance(step, Certified)
    free = [row for row in called if row not in {vote.row for vote in store.labels.votes(NAME, 1)}]
    store.labels.hold(NAME, [Label(free[-1], Says.NO, Source.OWNER, Purpose.IMPORT, 1, 9)])
    assert free[-1] not in released(store)
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    verdict = verify(tmp_path / "out")
    assert verdict.holds, verdict.wrong
    assert "the labels call yes are yes, and" not in verdict.claim  # an image was answered before the freeze
