import numpy as np
import pytest
from tests.label.scene import NAME, Scene, says, scene, truth

from thresher.label.asks import fill_tasks
from thresher.label.independent import LeftToAsk, shared_devices
from thresher.label.out_of_people import end_out_of_people, out_of_people
from thresher.label.standing import annotators
from thresher.label.votes import settle
from thresher.records import NewAsk, Purpose, Says, Stage
from thresher.settings import Settings
from thresher.store.contract import Rows, Store

WRONG = 3


@pytest.fixture
def here(store: Store, settings: Settings) -> Scene:
    return scene(store, settings, images=600, gold=range(400, 520))


def ask(here: Scene, rows: range, votes: int = 2, epoch: int = 0) -> None:
    asks = [NewAsk(row, Purpose.MIDDLE, votes, epoch=epoch, draw=row if epoch else -1) for row in rows]
    here.store.asks.wish(NAME, 1, asks)
    fill(here)


def fill(here: Scene) -> None:
    fill_tasks(NAME, store=here.store, settings=here.settings, now_ms=here.tick())


def ended(here: Scene) -> int:
    category = here.store.categories.get(NAME)
    return end_out_of_people(category, store=here.store, settings=here.settings, now_ms=here.tick())


def patience(here: Scene) -> None:
    here.tick(round(here.settings.patience_seconds * 1000))


def settled(here: Scene) -> tuple[int, int]:
    """The further votes, and the adjudications by the owner, that a settling asks for."""
    found = settle(NAME, store=here.store, settings=here.settings, now_ms=here.tick())
    fill(here)
    return found.more_votes, found.adjudications


def wrong(row: int) -> Says:
    return says(truth(row) != (row == WRONG))


def guessed(here: Scene, name: str) -> None:
    """Work that the gate rejects."""
    assert here.work(name, lambda _: Says.YES).verdict is Stage.REJECTED


@pytest.mark.parametrize(("people", "epoch"), [("ab", 0), ("abc", 1)], ids=["to learn", "an audit"])
def test_an_image_goes_to_the_owner_where_the_gate_rejected_the_last_who_could_answer(
    here: Scene, people: str, epoch: int
) -> None:
    guessers = [f"guesser {one}" for one in people[1:]]  # as many as further votes are needed
    for name in [*people, *guessers]:
        here.worker(name)
    ask(here, range(20), votes=len(people), epoch=epoch)
    for name in people:
        here.work(name, wrong if name == "a" else lambda row: says(truth(row)))
    assert settled(here) == (1, 0)
    for name in guessers:
        guessed(here, name)
    assert ended(here) == 0  # somebody may still join
    patience(here)
    assert ended(here) == 1
    assert ended(here) == 0
    assert settled(here) == (0, 1)
    task = here.store.asks.tasks(NAME, 0, 99)[-1]
    assert (task.rows, task.owner_only) == ((WRONG,), True)


def test_nothing_ends_while_somebody_may_take_it_or_has_it(here: Scene) -> None:
    ask(here, range(20))
    for name in ("a", "b", "guesser"):
        here.worker(name)
    here.work("a", wrong)
    here.work("b")
    assert settled(here) == (1, 0)
    guessed(here, "guesser")
    patience(here)
    here.worker("d")
    assert ended(here) == 0
    taken = here.must_deal("d")
    assert ended(here) == 0
    here.send(taken)
    here.review()
    assert settled(here) == (0, 0)


@pytest.mark.parametrize("epoch", [0, 1], ids=["to learn", "an audit"])
def test_images_that_lack_their_first_votes_wait_for_another_annotator(here: Scene, epoch: int) -> None:
    ask(here, range(20), votes=2, epoch=epoch)
    here.work("a")
    guessed(here, "guesser")
    patience(here)
    assert ended(here) == 0
    assert settled(here) == (0, 0)
    assert here.store.categories.tally(NAME).tasks_open == 1
    here.work("b")
    assert here.store.categories.tally(NAME).tasks_open == 0


def test_images_that_lack_their_first_votes_are_cut_off_and_the_others_end(here: Scene) -> None:
    here.settings = here.settings.but(rejections_most=9)
    ask(here, range(20))
    guessed(here, "guesser")
    for name in ("a", "b"):
        here.work(name)
        here.store.people.exclude(name, "left", here.tick())
    alone = here.publish([50], places=1)
    guessed(here, "guesser")
    assert here.store.asks.withdraw(alone.number)
    here.publish([WRONG, 50], places=1)
    patience(here)
    assert ended(here) == 0
    assert {task.rows for task in here.store.asks.untaken(NAME, 1, 9)} == {(WRONG,), (50,)}
    assert ended(here) == 1
    assert [task.rows for task in here.store.asks.untaken(NAME, 1, 9)] == [(50,)]


def asked_of_three(here: Scene) -> None:
    """Twenty images are asked of three people. The first has answered; one image was rejected from the third before."""
    for name in ("a", "b", "c"):
        here.worker(name)
    alone = here.publish([WRONG], places=1)
    guessed(here, "c")
    assert here.store.asks.close(alone.number)
    ask(here, range(20), votes=3, epoch=1)
    here.work("a")


def test_a_task_of_which_the_last_person_saw_a_part_is_cut_for_them_although_others_have_finished_it(
    here: Scene,
) -> None:
    """One of twenty images was rejected from them before: the others must not wait for somebody who may never come."""
    asked_of_three(here)
    here.work("b")
    assert here.deal("c") is None  # somebody may still join
    patience(here)
    dealt = here.must_deal("c")
    asked = {place.row for place in dealt.dealt if place.ask is not None}
    assert asked == set(range(20)) - {WRONG}
    here.send(dealt)
    here.review()
    settled(here)
    held = {label.row: label.votes for label in here.store.labels.held(NAME, 1) if label.epoch == 1}
    assert held == dict.fromkeys(sorted(asked), 3)
    assert [(task.rows, task.places) for task in here.store.asks.untaken(NAME, 1, 9)] == [((WRONG,), 1)]


def test_free_places_are_not_cut_while_somebody_holds_another(here: Scene) -> None:
    asked_of_three(here)
    held = here.must_deal("b")
    patience(here)
    assert here.deal("c") is None
    here.send(held)
    here.review()
    assert here.deal("c") is not None


def test_a_part_is_cut_by_what_everybody_at_the_device_has_seen(here: Scene) -> None:
    here.publish([WRONG], places=1)
    here.work("c")
    for name in ("c", "at the same device"):
        here.worker(name)
        here.store.people.seen(name, "device", here.tick())
    ask(here, range(20), votes=1, epoch=1)
    patience(here)
    dealt = here.must_deal("at the same device")
    assert {place.row for place in dealt.dealt if place.ask is not None} == set(range(20)) - {WRONG}


def test_tasks_that_nobody_may_take_are_found_by_reading_what_one_person_was_shown(
    here: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for name in ("a", "b", "c"):
        here.worker(name)
    ask(here, range(20))
    work = here.store.work

    def shown(_: object, __: str, *people: str) -> Rows:
        asked.extend(people)
        return np.array([], np.int64)

    monkeypatch.setattr(type(work), "asked", shown)
    category = here.store.categories.get(NAME)
    assert out_of_people(category, store=here.store) == []
    assert len(asked) == 1


def test_a_person_whose_answers_were_rejected_is_not_counted_on_for_a_further_vote(here: Scene) -> None:
    for name in ("a", "b", "guesser"):
        here.worker(name)
    ask(here, range(20))
    guessed(here, "guesser")
    here.work("a", wrong)
    here.work("b")
    assert settled(here) == (0, 1)


def test_whoever_was_shown_an_image_or_is_at_the_device_of_one_who_was_is_not_left_to_be_asked_about_it(
    here: Scene,
) -> None:
    here.publish([WRONG], places=1)
    guessed(here, "guesser")
    for name in ("a", "b", "guesser", "at the same device"):
        here.worker(name)
    for name in ("guesser", "at the same device"):
        here.store.people.seen(name, "device", here.tick())
    shared = shared_devices(store=here.store)
    may = LeftToAsk(NAME, annotators(store=here.store), shared, here.store)
    assert [may.count(row, set()) for row in (WRONG, WRONG + 1)] == [2, 4]
    assert may.count(WRONG, {"a"}) == 1
    assert may.count(WRONG, {"a"}, among={"a", "guesser"}) == 0
