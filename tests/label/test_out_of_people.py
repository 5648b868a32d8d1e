import pytest
from tests.label.scene import NAME, Scene, says, scene, truth

from thresher.label.asks import fill_tasks
from thresher.label.out_of_people import end_out_of_people
from thresher.label.votes import settle
from thresher.records import NewAsk, Purpose, Says, Stage
from thresher.settings import Settings
from thresher.store.contract import Store

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


def test_a_person_whose_answers_were_rejected_is_not_counted_on_for_a_further_vote(here: Scene) -> None:
    for name in ("a", "b", "guesser"):
        here.worker(name)
    ask(here, range(20))
    guessed(here, "guesser")
    here.work("a", wrong)
    here.work("b")
    assert settled(here) == (0, 1)
