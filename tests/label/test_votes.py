from collections.abc import Callable

import pytest
from tests.label.scene import NAME, Scene, says, scene, truth

from thresher.label.asks import fill_tasks, wish
from thresher.label.votes import Settled, settle, verdict_of
from thresher.records import Label, Purpose, Says, Source
from thresher.settings import Settings
from thresher.store.contract import Store

Answer = Callable[[int], Says]


@pytest.fixture
def here(store: Store, settings: Settings) -> Scene:
    return scene(store, settings, images=600, gold=range(400, 520))


def ask(here: Scene, rows: range, purpose: Purpose = Purpose.LEARN, votes: int | None = None) -> None:
    asked = [(row, 0.0) for row in rows]
    wish(NAME, asked, purpose, store=here.store, settings=here.settings, votes_wanted=votes)
    fill(here)


def fill(here: Scene) -> None:
    fill_tasks(NAME, store=here.store, settings=here.settings, now_ms=here.tick())


def settling(here: Scene) -> Settled:
    return settle(NAME, store=here.store, settings=here.settings, now_ms=here.tick())


def true(row: int) -> Says:
    return says(truth(row))


def but(*wrong: int) -> Answer:
    return lambda row: says(truth(row) != (row in wrong))


def held(here: Scene) -> dict[int, Label]:
    return {label.row: label for label in here.store.labels.held(NAME, 1) if label.source is not Source.OWNER}


def test_what_two_good_workers_agree_on_is_held_true(here: Scene) -> None:
    ask(here, range(109), Purpose.MIDDLE)
    here.work("a")
    assert settling(here) == Settled()  # the second vote is still awaited
    here.work("b")
    assert settling(here) == Settled(labels=109)
    assert {row: label.says for row, label in held(here).items()} == {row: true(row) for row in range(109)}
    assert {(label.source, label.purpose, label.votes) for label in held(here).values()} == {
        (Source.CONSENSUS, Purpose.MIDDLE, 2)
    }
    assert all(label.posterior >= here.settings.sure for label in held(here).values())


def test_settling_twice_changes_nothing(here: Scene) -> None:
    ask(here, range(109))
    here.worker("c")
    here.work("a", but(1, 2))
    here.work("b")
    first = settling(here)
    assert (first.labels, first.more_votes) == (107, 2)
    before = here.store.labels.all_of(NAME, 1)
    assert settling(here) == Settled()
    assert here.store.labels.all_of(NAME, 1) == before


def test_a_disagreement_goes_to_a_third_worker_and_then_to_the_owner(here: Scene) -> None:
    ask(here, range(109))
    for name in ("c", "d"):
        here.worker(name)
    here.work("a", but(1, 2))
    here.work("b")
    settling(here)
    (again,) = [one for one in here.store.asks.waiting(NAME, 1, 9) if one.row == 1]
    assert (again.purpose, again.votes_wanted) == (Purpose.LEARN, 1)
    fill(here)
    assert here.deal("a") is None  # they have answered it
    here.work("c", but(2))
    after = settling(here)
    # one against two is settled by who they are, or left to the owner: nobody else is asked
    assert after.more_votes == 0
    assert after.labels + after.adjudications == 2
    assert here.store.asks.waiting(NAME, 1, 9) == []


def test_the_owner_has_the_last_word(here: Scene) -> None:
    here.settings = here.settings.but(votes_most=2)
    ask(here, range(50), Purpose.MIDDLE)
    here.worker("c")
    here.work("a", but(7))
    here.work("b")
    assert settling(here).adjudications == 1
    fill(here)
    assert here.deal("c") is None
    here.send(here.must_deal("me", owner=True), lambda _: Says.UNSURE)
    here.review()
    (label,) = (label for label in here.store.labels.held(NAME, 1) if label.row == 7)
    assert (label.says, label.source, label.purpose) == (Says.UNSURE, Source.OWNER, Purpose.MIDDLE)
    assert settling(here) == Settled()  # even "unsure" is not asked again


def test_when_everybody_has_answered_the_owner_is_asked(here: Scene) -> None:
    ask(here, range(20))
    here.work("a", but(3))
    here.work("b")
    assert settling(here).adjudications == 1


def test_votes_that_are_withdrawn_leave_no_label(here: Scene) -> None:
    ask(here, range(30))
    here.work("a")
    here.work("b")
    settling(here)
    stray = Label(300, Says.YES, Source.CONSENSUS, Purpose.LEARN, 1, 1, 0.99, 2)
    here.store.labels.hold(NAME, [stray])  # as if its votes had counted once
    assert settling(here).dropped == 1
    assert set(held(here)) == set(range(30))


def test_a_rejected_assignment_settles_nothing_until_its_place_is_taken(here: Scene) -> None:
    ask(here, range(109))
    here.work("a")
    here.work("spam", lambda _: Says.YES)
    assert settling(here) == Settled()
    here.work("b")
    assert settling(here) == Settled(labels=109)


def test_a_settled_image_is_not_unsettled_by_new_light_on_the_crowd(here: Scene) -> None:
    label = Label(1, Says.YES, Source.CONSENSUS, Purpose.LEARN, 1, 1, 0.951, 2)
    assert verdict_of(0.94, None, 0.95).says is None
    assert verdict_of(0.94, label, 0.95).says is Says.YES
    assert verdict_of(0.89, label, 0.95).says is None
    assert verdict_of(0.06, label, 0.95).says is None
    assert verdict_of(0.04, label, 0.95).says is Says.NO


def test_a_no_is_as_sure_as_it_is_likely(here: Scene) -> None:
    assert verdict_of(0.02, None, 0.95).posterior == pytest.approx(0.98)


def test_a_new_wording_starts_from_nothing(here: Scene) -> None:
    ask(here, range(30))
    here.work("a")
    here.work("b")
    settling(here)
    here.store.categories.reword(NAME, "Is there a red car?", "", here.tick())
    assert settling(here) == Settled()
    assert here.store.labels.held(NAME, 2) == []
    assert len(here.store.labels.held(NAME, 1)) == 30


def test_the_owners_own_label_is_left_alone(here: Scene) -> None:
    ask(here, range(30))
    here.send(here.must_deal("me", owner=True), lambda _: Says.NO)
    here.review()
    here.work("a")
    assert settling(here) == Settled()
    assert {label.source for label in here.store.labels.all_of(NAME, 1)} == {Source.OWNER}
