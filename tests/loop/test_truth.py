"""A category whose owner's word is the truth: people teach, the owner alone answers what the certificate rests on."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.filled import NAME
from tests.loop.people import everybody_answers, one_turn, pool, to_the_end
from tests.loop.promised import COUNT, PEOPLE, YES_FROM, aim, frozen_now, rounds_of_two, says
from tests.verify.tampering import Release

from thresher.loop.forecast import plan
from thresher.loop.purse import purse_of
from thresher.loop.ship import ship
from thresher.loop.snapshot import latest
from thresher.loop.turn import Turn
from thresher.records import OWNER, Purpose, Says, Source
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.verify import verify


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return rounds_of_two(settings, tmp_path)


@pytest.fixture
def rows(store: Store) -> list[int]:
    return pool(store, YES_FROM, COUNT)


@pytest.mark.parametrize("method", ["certified", "precision", "recall"])
def test_people_teach_and_the_owner_alone_answers_what_the_proof_rests_on(
    method: str, store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    aim(store, method, truth="owner")
    came_to = to_the_end(store, settings, says, (*PEOPLE, OWNER))
    assert came_to.state == "done"
    audits = {Purpose.AUDIT_PRECISION, Purpose.AUDIT_RECALL}
    cast = store.labels.votes(NAME, 1)
    assert {vote.purpose for vote in cast if vote.worker != OWNER}.isdisjoint(audits)
    assert any(vote.worker != OWNER for vote in cast)
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    verdict = verify(tmp_path / "out")
    assert verdict.holds, verdict.wrong
    pieces = pq.read_table(tmp_path / "out" / "evidence.parquet").to_pylist()
    assert {piece["source"] for piece in pieces if piece["now"] is not None} == {"owner"}
    assert "by the owner's answers: at least" in verdict.claim


def test_a_proof_by_the_owner_s_word_does_not_hold_with_the_word_of_others(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    aim(store, "certified")
    to_the_end(store, settings, says, PEOPLE)
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    assert verify(tmp_path / "out").holds
    lie = Release(tmp_path / "out", "certified", b"")
    lie.frozen(lambda frozen: frozen.update(truth="owner"))
    lie.json("certificate.json", lambda one: one.update(truth="owner"))
    lie.seal()
    (wrong,) = verify(tmp_path / "out").wrong
    assert wrong.startswith("a label of the evidence is of a source that is not trusted")


def test_another_truth_is_another_epoch_and_what_people_agreed_on_is_asked_anew(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    aim(store, "certified")
    to_the_end(store, settings, says, PEOPLE)
    first = frozen_now(store)
    aim(store, "certified", truth="owner")
    came_to = to_the_end(store, settings, says, (*PEOPLE, OWNER))
    assert came_to.state == "done"
    second = latest(store.categories.get(NAME), store=store)
    assert second is not None
    assert second.epoch == first.epoch + 1
    owned = {label.row for label in store.labels.held(NAME, 1) if label.source is Source.OWNER}
    assert set(second.known.tolist()) <= owned


def test_what_the_owner_adjudicated_among_people_is_their_word_and_not_asked_again(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    """Nobody is asked about a picture twice, so a task with one that the owner knows would wait for ever."""

    def of(name: str) -> Callable[[int], Says]:
        # two of five people say the opposite of every third picture
        wrong = name in PEOPLE[:2]
        return lambda row: turned(says(row)) if wrong and row % 3 == 0 else says(row)

    def to_the_end_from(start: int) -> Turn:
        for number in range(start, start + 100):
            came_to = one_turn(store, settings, number)
            if came_to.state == "done":
                break
            for name in (*PEOPLE, OWNER):
                everybody_answers(store, settings, of(name), 1_000 * number + 1_500, (name,))
        return came_to

    aim(store, "certified")
    assert to_the_end_from(0).state == "done"
    owned = {vote.row for vote in store.labels.votes(NAME, 1) if vote.worker == OWNER}
    assert owned
    aim(store, "certified", truth="owner")
    assert to_the_end_from(100).state == "done"
    assert owned <= {label.row for label in store.labels.held(NAME, 1) if label.source is Source.OWNER}


def turned(answer: Says) -> Says:
    return Says.NO if answer is Says.YES else Says.YES


def test_the_owner_s_answers_are_planned_one_a_picture_and_never_doubted(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    aim(store, "certified", truth="owner", answers=90)
    to_the_end(store, settings, says, (*PEOPLE, OWNER))
    category = store.categories.get(NAME)
    purse = purse_of(category, 50, store=store, settings=settings)
    assert (purse.pictures, purse.gold) == (50, None)
    made = plan(category, category.targets, store=store, settings=settings)
    assert made.answers == made.pictures
