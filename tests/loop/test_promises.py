"""Every promise, from the loop to a verified release: true of the pool, and the same certificate after any crash."""

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.filled import NAME
from tests.loop.people import everybody_answers, one_turn, pool
from tests.loop.promised import COUNT, PEOPLE, YES_FROM, aim, certificate, frozen_now, rounds_of_two, run, says

from thresher.evidence import Gold as Shown
from thresher.label import measured
from thresher.learn.decide import UNKNOWN, YES
from thresher.loop.certified import certified
from thresher.loop.decision import certified_codes, decision
from thresher.loop.purse import gold_of
from thresher.loop.ship import ship
from thresher.loop.snapshot import Snapshot, latest, record_words
from thresher.loop.turn import Turn
from thresher.loop.turn import ask as turn_of_wish
from thresher.loop.ways import PROVEN
from thresher.records import OWNER, Gold, Purpose, Says, Source, Targets
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.verify import Verdict, verify


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return rounds_of_two(settings, tmp_path)


@pytest.fixture
def rows(store: Store) -> list[int]:
    return pool(store, YES_FROM, COUNT)


@pytest.mark.parametrize("method", PROVEN)
def test_its_claim_is_true_and_its_release_is_verified_from_its_own_files_alone(
    method: str, store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    aim(store, method)
    came_to = run(store, settings)
    assert (came_to.state, "With confidence" in came_to.says) == ("done", method != "everything")
    made = ship(NAME, tmp_path / "out", store=store, now_ms=9)
    assert verify(tmp_path / "out") == Verdict(True, came_to.says, ())
    table = pq.read_table(tmp_path / "out" / "images.parquet").to_pylist()
    row_of = dict(zip(store.images.find([line["id"] for line in table]), table, strict=True))
    delivered = {row for row, line in row_of.items() if line["decision"] == "yes"}
    yes = {row for row in rows if says(row) is Says.YES}
    step = certificate(store)
    assert len(delivered) == step.delivered
    assert made.certificate["result"] == json.loads((tmp_path / "out" / "certificate.json").read_text())["result"]
    if step.precision is not None:
        assert len(delivered & yes) / len(delivered) >= step.precision
    if step.recall is not None:
        assert len(delivered & yes) / len(yes) >= step.recall


class Killed(BaseException):
    """As a process that is killed: nothing catches it."""


class Reaper:
    """Kills before or after the n-th write of the store, once."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        for room, name in (
            (store.rounds, "keep_evidence"),
            (store.rounds, "add"),
            (store.asks, "wish"),
            (store.asks, "publish"),
            (store.labels, "hold"),
            (store.columns, "write"),
        ):
            monkeypatch.setattr(room, name, self.deadly(getattr(room, name)))

    def deadly(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*given: Any, **named: Any) -> Any:
            self.tick()
            done = write(*given, **named)
            self.tick()
            return done

        return wrapped

    def tick(self) -> None:
        if self.left == 0:
            self.left = -1
            raise Killed
        self.left -= self.left > 0


@pytest.mark.parametrize("method", PROVEN)
def test_killed_at_every_write_it_comes_to_the_same_certificate(
    method: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from thresher.store import open_store

    seeds = "5c" * 32
    monkeypatch.setattr(secrets, "token_hex", lambda _: seeds)
    ends = []
    for killing in (False, True):
        place = tmp_path / f"workspace {killing}"
        store = open_store(str(place), settings, create=True)
        pool(store, YES_FROM, COUNT)
        aim(store, method)
        deaths = 0
        with monkeypatch.context() as patched:
            reaper = Reaper(store, patched)

            def killed_again_and_again(number: int, store: Store = store, reaper: Reaper = reaper) -> Turn:
                nonlocal deaths
                at = 0
                while True:  # the same turn, killed one write later each time, until it comes to its end
                    reaper.left = at
                    try:
                        came_to = one_turn(store, settings, number)
                    except Killed:
                        deaths, at = deaths + 1, at + 1
                        continue
                    reaper.left = -1
                    return came_to

            came_to = run(store, settings, take=killed_again_and_again if killing else None)
        assert came_to.state == "done"
        assert (deaths > 10) is killing  # as many as the writes of its turns; without killing none
        snapshot = latest(store.categories.get(NAME), store=store)
        assert snapshot is not None
        assert snapshot.epoch == 1
        ends.append((snapshot.frozen, certificate(store)))
        store.close()
    assert ends[0] == ends[1]


def test_nothing_is_trained_after_the_freeze(store: Store, settings: Settings, rows: list[int]) -> None:
    aim(store, "certified")
    run(store, settings)
    snapshot = latest(store.categories.get(NAME), store=store)
    assert snapshot is not None
    assert max(done.number for done in store.rounds.all(NAME)) == snapshot.round


def test_votes_that_come_while_a_turn_is_on_are_not_asked_for_again(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    """They are settled by the next turn; asking anew would go on for as long as people are quick."""
    aim(store, "certified")
    category = store.categories.get(NAME)
    for number in range(80):
        one_turn(store, settings, number)
        audits_are_asked = any("audit" in purpose for purpose in store.asks.open_counts(NAME, 1))
        everybody_answers(store, settings, says, 1_000 * number + 1_500, PEOPLE)
        if audits_are_asked:
            break
    assert not len(store.asks.open_rows(NAME, 1))  # answered, and not settled yet
    wish = certified(category, store=store, settings=settings, seed=1, now_ms=10**6)
    assert wish.state == "waiting"
    assert (
        turn_of_wish(category, wish, None, store=store, settings=settings, now_ms=10**6).state == "asking"
    )  # and not done
    assert not len(store.asks.open_rows(NAME, 1))


def test_words_are_cheap_and_what_they_leave_open_is_adjudicated(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    """In the middle two people are asked; those that disagree send the image to a clear lead or the owner."""
    aim(store, "adjudicated")

    def wavering(row: int) -> Says:
        return says(row) if row % 7 else Says.UNSURE

    for number in range(80):
        if one_turn(store, settings, number).state in ("done", "refused"):
            break
        everybody_answers(store, settings, wavering, 1_000 * number + 1_500, PEOPLE)
        everybody_answers(store, settings, says, 1_000 * number + 1_700, (OWNER,))
    snapshot = latest(store.categories.get(NAME), store=store)
    assert snapshot is not None
    state = snapshot.state({label.row: label for label in store.labels.held(NAME, 1)})
    open_words = [rank for rank, code in state.said.items() if code == 2]
    assert open_words
    cheap = {vote.row for vote in store.labels.votes(NAME, 1) if vote.epoch == 0 and vote.purpose is Purpose.MIDDLE}
    sure = {label.row for label in store.labels.held(NAME, 1) if label.epoch > 0}
    assert {label.source for label in store.labels.held(NAME, 1) if label.row in sure} <= {
        Source.ADJUDICATED,
        Source.OWNER,
    }
    assert all(
        says(int(snapshot.ranking[rank])) == (Says.YES if code else Says.NO)
        for rank, code in state.said.items()
        if code != 2
    )
    assert cheap - sure or not cheap


def test_a_word_once_recorded_never_changes(store: Store, settings: Settings, rows: list[int]) -> None:
    aim(store, "adjudicated")
    run(store, settings)
    category = store.categories.get(NAME)
    before = latest(category, store=store)
    assert before is not None
    everybody_answers(store, settings, lambda row: Says.NO if row >= YES_FROM else Says.YES, 10**6, ("zoe",))
    record_words(category, before, store=store, now_ms=10**6)
    after = latest(category, store=store)
    assert after is not None
    assert {rank: after.said[rank] for rank in before.said} == dict(before.said)


@pytest.mark.parametrize("method", ["precision", "recall"])
def test_a_budget_of_answers_is_divided_and_about_kept(
    method: str, store: Store, settings: Settings, rows: list[int]
) -> None:
    aim(store, method, answers=500)
    came_to = run(store, settings)
    assert came_to.state in ("done", "refused")
    tally = store.categories.tally(NAME)
    assert tally.answers + tally.owner_answers + tally.gold_answers <= 1.1 * 500
    snapshot = latest(store.categories.get(NAME), store=store)
    assert snapshot is not None
    assert 30 < snapshot.frozen.answers < 500


def test_a_budget_that_certifies_nothing_is_refused_with_what_it_would_take(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    store.categories.aim(NAME, Targets(precision=0.999, recall=0.999, delta=0.01, method="recall", answers=400))
    came_to = run(store, settings)
    assert came_to.state == "refused"
    assert "It would take" in came_to.says
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    words = json.loads((tmp_path / "out" / "certificate.json").read_text())["words"]
    assert words == "Not certified: " + came_to.says.removeprefix("not certified: ")


def test_another_promise_is_another_epoch_and_spends_less_of_delta(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    aim(store, "precision")
    run(store, settings)
    first = latest(store.categories.get(NAME), store=store)
    aim(store, "recall")
    run(store, settings)
    second = latest(store.categories.get(NAME), store=store)
    assert first is not None
    assert second is not None
    assert (first.frozen.method, second.frozen.method) == ("precision", "recall")
    assert second.frozen.epoch == first.frozen.epoch + 1
    assert second.frozen.ladder[0].reject_delta < 0.1 * first.frozen.ladder[0].reject_delta


def test_what_an_ended_epoch_adjudicated_becomes_gold_and_is_never_drawn_again(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    aim(store, "precision")
    run(store, settings)
    held = [label for label in store.labels.held(NAME, 1) if label.epoch == 1]
    audited = {label.row for label in held if label.purpose in (Purpose.AUDIT_PRECISION, Purpose.AUDIT_RECALL)}
    assert audited
    assert not audited & {piece.row for piece in store.labels.gold(NAME, 1)}  # its epoch is in force
    aim(store, "recall")
    run(store, settings)
    second = latest(store.categories.get(NAME), store=store)
    assert second is not None
    gold = {piece.row: piece.says for piece in store.labels.gold(NAME, 1)}
    assert audited <= set(gold)
    assert all(gold[row] is says(row) for row in audited)
    assert not {label.row for label in held} & set(second.ranking.tolist())


def test_gold_tells_what_adjudication_misses_once_there_is_enough_of_it(
    store: Store, settings: Settings, rows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    aim(store, "adjudicated")
    category = store.categories.get(NAME)
    gold = [*rows[:6], *rows[-6:]]
    store.labels.gild(NAME, [Gold(row, says(row), 1, Source.OWNER) for row in gold])
    misleading = rows[0]  # everybody gets this one wrong

    def fooled(row: int) -> Says:
        return Says.YES if row == misleading else says(row)

    for number in range(6):
        one_turn(store, settings, number)
        everybody_answers(store, settings.but(gold_images=12), fooled, 1_000 * number + 1_500, PEOPLE)
    assert gold_of(category, store=store, settings=settings) is None
    monkeypatch.setattr(measured, "GOLD_ENOUGH", 5)
    found = gold_of(category, store=store, settings=settings)
    assert found == Shown(yes_shown=6, yes_missed=0, no_shown=6, no_missed=1)


def test_a_yes_that_is_left_out_because_adjudication_slips_is_unknown_and_not_a_no(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    aim(store, "certified")
    run(store, settings)
    snapshot, step = frozen_now(store), certificate(store)
    labels = {label.row: label for label in store.labels.held(NAME, 1)}
    outside = int(snapshot.ranking[step.rejected])
    first = {**snapshot.log.first, step.rejected: 1}
    snapshot = replace(snapshot, log=replace(snapshot.log, first=first))
    labels[outside] = replace(next(iter(labels.values())), row=outside, says=Says.YES, source=Source.ADJUDICATED)
    decided = decision(NAME, store=store)

    def code(snapshot: Snapshot) -> int:
        codes, _ = certified_codes(decided, snapshot, step, labels)
        return int(codes[decided.rows.tolist().index(outside)])

    assert code(snapshot) == YES
    slipping = replace(snapshot.frozen, gold=Shown(yes_shown=150, yes_missed=0, no_shown=150, no_missed=6))
    assert code(replace(snapshot, frozen=slipping)) == UNKNOWN


def test_uncertainty_alone_asks_about_the_boundary_and_proves_nothing(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    aim(store, "uncertainty")
    came_to = run(store, settings)
    assert came_to.state == "done"
    asked = [vote for vote in store.labels.votes(NAME, 1) if vote.purpose is Purpose.LEARN]
    assert len(np.unique([vote.row for vote in asked])) > 40
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    assert verify(tmp_path / "out").wrong == ("the release has no certificate",)
