"""The owner's check: the owner looks at a random part of what people have proven, before it may be released."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.filled import NAME
from tests.loop.people import everybody_answers, one_turn, pool
from tests.loop.promised import COUNT, PEOPLE, YES_FROM, certificate, frozen_now, rounds_of_two, says

from thresher.evidence import Code
from thresher.learn.decide import UNKNOWN, YES
from thresher.loop.checking import is_checked
from thresher.loop.decision import decision
from thresher.loop.forecast import in_words, plan
from thresher.loop.ship import ship
from thresher.loop.snapshot import in_force, latest
from thresher.loop.turn import Turn
from thresher.records import OWNER, Invite, Label, Purpose, Says, Source, Targets, Worker
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.verify import Verdict, verify

WRONG_FROM = 215  # images from here on look like yes and are called yes by all annotators; the owner says no


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return rounds_of_two(settings, tmp_path)


@pytest.fixture
def rows(store: Store) -> list[int]:
    return pool(store, YES_FROM, COUNT)


def by_owner(row: int) -> Says:
    return Says.NO if row >= WRONG_FROM else says(row)


def run(store: Store, settings: Settings, *, wrong: bool, most: int = 60, people: tuple[str, ...] = PEOPLE) -> Turn:
    """Annotators answer first, the owner after them; to the end of the loop."""
    came_to = Turn("asking", "")
    for number in range(most):
        came_to = one_turn(store, settings, number)
        if came_to.state in ("done", "spent", "refused"):
            break
        everybody_answers(store, settings, says, 1_000 * number + 1_300, people)
        everybody_answers(store, settings, by_owner if wrong else says, 1_000 * number + 1_600, (OWNER,))
    return came_to


def targets(*, check: bool | None = True, method: str = "certified") -> Targets:
    return Targets(0.85, 0.8, 0.1, None, method, "people", check)


@pytest.mark.parametrize("method", ["certified", "precision"])
def test_the_owner_is_asked_about_a_part_of_the_set_that_people_have_proven(
    method: str, store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    store.categories.aim(NAME, targets(method=method))
    came_to = run(store, settings, wrong=False)
    assert came_to.state == "done"
    step, snapshot = certificate(store), frozen_now(store)
    assert snapshot.is_checked
    assert len(snapshot.log.checks) == 1
    assert step.counts["check_bad"] == 0
    assert 0 < step.counts["check_drawn"] < step.delivered
    answers = [vote for vote in store.labels.votes(NAME, 1) if vote.purpose is Purpose.CHECK]
    assert {vote.worker for vote in answers} == {OWNER}
    assert len(answers) <= step.counts["check_drawn"] + step.counts["check_rejected_drawn"]
    # while the freeze is in force the answers are no labels: what is checked stays what it was
    assert not [label for label in store.labels.held(NAME, 1) if label.purpose is Purpose.CHECK]
    assert decision(NAME, store=store).counts.yes == step.delivered
    assert "whatever errors annotators make together" in came_to.says
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    assert verify(tmp_path / "out") == Verdict(True, came_to.says, ())


def test_a_set_that_annotators_got_wrong_together_is_not_certified_and_the_owners_answers_are_kept(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    store.categories.aim(NAME, targets(check=False))
    assert run(store, settings, wrong=True).state == "done"  # people alone cannot tell
    store.categories.aim(NAME, targets())
    came_to = run(store, settings, wrong=True)
    assert came_to.state == "refused"
    assert "by the owner's answers" in came_to.says
    snapshot = latest(store.categories.get(NAME), store=store)
    assert snapshot is not None
    answered = snapshot.rows_of(list(snapshot.log.checked))
    assert any(by_owner(row) is Says.NO and says(row) is Says.YES for row in answered)
    store.categories.aim(NAME, replace(targets(), precision=0.84))
    one_turn(store, settings, 70)
    own = {label.row: label.says for label in store.labels.held(NAME, 1) if label.source is Source.OWNER}
    assert all(own[row] is by_owner(row) for row in answered)


@pytest.mark.parametrize("people", [3, len(PEOPLE)], ids=["who have all answered", "some of whom have not"])
def test_after_a_correction_audits_that_draw_what_the_owner_checked_come_to_an_end(
    people: int, store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    store.categories.aim(NAME, targets())
    assert run(store, settings, wrong=False, people=PEOPLE[:people]).state == "done"
    snapshot = frozen_now(store)
    held = store.labels.held(NAME, 1)
    drawn = [label for label in held if label.epoch > 0 and label.draw >= 0 and says(label.row) is Says.YES]
    corrected = [replace(label, says=Says.NO, source=Source.OWNER) for label in drawn[:4]]
    assert corrected
    store.labels.hold(NAME, corrected)
    came_to = run(store, settings, wrong=False, people=PEOPLE[:people])
    assert came_to.state in ("done", "refused")
    assert frozen_now(store).epoch == snapshot.epoch
    if came_to.state == "done":
        ship(NAME, tmp_path / "out", store=store, now_ms=9)
        assert verify(tmp_path / "out").holds


def test_switching_the_check_on_or_off_ends_a_freeze_and_leaving_it_open_does_not(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    store.categories.aim(NAME, targets(check=False))
    run(store, settings, wrong=False)
    first = frozen_now(store)
    store.categories.aim(NAME, targets(check=None))
    assert frozen_now(store).epoch == first.epoch
    store.categories.aim(NAME, targets(check=True))
    assert in_force(store.categories.get(NAME), COUNT, store=store) is None


def test_strangers_who_are_paid_are_checked_unless_the_owner_says_otherwise(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    paid = settings.given({"pay_hour_cents": 1500})

    def checked(check: bool | None, some: Settings, truth: str = "people") -> bool:
        store.categories.aim(NAME, replace(targets(check=check), truth=truth))
        return is_checked(store.categories.get(NAME), store=store, settings=some)

    store.people.add(Worker("friend", "friend", False, "", 1))
    assert not checked(None, paid)
    store.people.invite(Invite("open", NAME, "", 1))
    store.people.add(Worker("stranger", "stranger", False, "open", 1))
    assert checked(None, paid)
    assert not checked(None, settings)
    assert not checked(None, paid.but(invite_people=1))
    assert not checked(False, paid)
    assert checked(True, settings)
    assert not checked(True, paid, truth="owner")


def test_the_plan_offers_the_check_and_says_what_it_takes(store: Store, settings: Settings, rows: list[int]) -> None:
    def told(check: bool, truth: str = "people") -> str:
        category = store.categories.get(NAME)
        wanted = replace(targets(check=check), truth=truth)
        return "\n".join(in_words(plan(category, wanted, store=store, settings=settings, prevalence=0.4)))

    assert "answers of the owner, if you choose it with aim --check" in told(check=False)
    assert "answers of the owner\n" in told(check=True)
    assert "answers of the owner" not in told(check=False, truth="owner")


def test_a_budget_keeps_answers_for_the_check(store: Store, settings: Settings, rows: list[int]) -> None:
    store.categories.aim(NAME, replace(targets(method="precision"), answers=900))
    assert run(store, settings, wrong=False).state == "done"
    assert certificate(store).counts["check_drawn"] > 0
    tally = store.categories.tally(NAME)
    assert tally.answers + tally.gold_answers + tally.owner_answers <= 900


def test_a_known_image_that_became_yes_is_released_on_the_owners_word_only(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    by_people, by_the_owner = rows[:2]
    store.labels.hold(NAME, [Label(row, Says.NO, Source.ADJUDICATED, Purpose.LEARN, 1, 1) for row in rows[:2]])
    store.categories.aim(NAME, targets())
    assert run(store, settings, wrong=False).state == "done"
    before = certificate(store)
    assert [frozen_now(store).known_units[row] for row in rows[:2]] == [Code.NO, Code.NO]
    sources = {by_people: Source.ADJUDICATED, by_the_owner: Source.OWNER}
    store.labels.hold(NAME, [Label(row, Says.YES, source, Purpose.LEARN, 1, 9) for row, source in sources.items()])
    assert run(store, settings, wrong=False).state == "done"
    state = frozen_now(store).state({label.row: label for label in store.labels.held(NAME, 1)})
    assert (state.corrections.known_found, state.corrections.known_open) == (1, 1)  # the held back count as missed
    made = decision(NAME, store=store)
    assert made.of(np.array([by_people, by_the_owner])).codes.tolist() == [UNKNOWN, YES]
    assert made.counts.yes == certificate(store).delivered == before.delivered + 1
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    verdict = verify(tmp_path / "out")
    assert verdict.holds, verdict.wrong
