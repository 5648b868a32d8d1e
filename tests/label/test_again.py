"""What the gate could not judge at once is judged again when it can."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.label.scene import NAME, Scene, says, scene, truth

from thresher.label.again import judge_again
from thresher.label.asks import fill_tasks, wish
from thresher.records import Assignment, Gold, Purpose, Review, Says, Source, Stage
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.store.kinds import RECHECK

YES = [row for row in range(300, 600) if truth(row)]
NO = [row for row in range(300, 600) if not truth(row)]


@pytest.fixture
def here(store: Store, settings: Settings) -> Scene:
    """A task of 50 images for nine people, and gold that can judge only yes: 48 yes and 12 no."""
    made = scene(store, settings, images=600, gold=[*YES[:48], *NO[:12]])
    rows = [(row, 0.0) for row in range(50)]
    wish(NAME, rows, Purpose.LEARN, store=store, settings=settings, votes_wanted=9)
    fill_tasks(NAME, store=store, settings=settings, now_ms=1)
    return made


def again(here: Scene, *, frozen: bool = False) -> int:
    about = {"store": here.store, "settings": here.settings}
    return judge_again(NAME, now_ms=here.tick(), frozen=lambda: frozen, **about)  # type: ignore[arg-type]  # two types


def always_yes(here: Scene) -> Assignment:
    here.work("spam", lambda _: Says.YES)
    return here.store.work.of_worker("spam")[0]


def stands(here: Scene, name: str) -> tuple[Stage, float, bool]:
    review = here.store.work.of_worker(name)[0].review
    assert review is not None
    return review.verdict, review.weight, review.provisional


def test_always_yes_is_not_paid_where_gold_can_judge_yes_alone(here: Scene) -> None:
    """It was accepted four times of four, at 0.35 seconds a picture."""
    assert always_yes(here).stage is Stage.WEIGHTED
    assert stands(here, "spam") == (Stage.WEIGHTED, 0.25, True)
    assert {vote.weight for vote in here.store.labels.votes(NAME, 1)} == {0.25}


def test_it_is_rejected_once_there_is_gold_of_both(here: Scene) -> None:
    spam = always_yes(here)
    here.work("honest")
    assert again(here) == 0
    here.gild(NO[12:30])
    assert again(here) == 2
    assert [review.verdict for review in here.store.work.reviews(spam.id)] == [Stage.WEIGHTED, Stage.REJECTED]
    assert {vote.worker for vote in here.store.labels.votes(NAME, 1)} == {"honest"}
    assert {worker for _, worker, _ in here.store.labels.gold_answers(NAME, 1)} == {"honest"}
    assert again(here) == 0


def test_on_one_class_alone_honest_work_waits_and_is_paid_later(store: Store, settings: Settings) -> None:
    here = scene(store, settings, images=600, gold=[*YES[:20], *NO[:1]])
    wish(NAME, [(row, 0.0) for row in range(50)], Purpose.LEARN, store=store, settings=settings)
    fill_tasks(NAME, store=store, settings=settings, now_ms=1)
    here.work("honest")
    assert stands(here, "honest") == (Stage.WEIGHTED, 0.25, True)
    # the owner says what some of the asked images are: they count as if they had been hidden
    here.gild([row for row in range(50) if not truth(row)])
    assert again(here) == 1
    assert stands(here, "honest") == (Stage.ACCEPTED, 1.0, False)
    assert {vote.weight for vote in store.labels.votes(NAME, 1)} == {1.0}
    assert store.labels.gold_record(NAME, 1, "honest")[3] > 20


def test_what_gold_that_came_later_cannot_tell_the_later_work_of_its_worker_does(
    store: Store, settings: Settings
) -> None:
    here = scene(store, settings, images=600, gold=YES[:30])
    rows = [(row, 0.0) for row in range(50)]
    wish(NAME, rows, Purpose.LEARN, store=store, settings=settings, votes_wanted=2)
    fill_tasks(NAME, store=store, settings=settings, now_ms=1)
    here.work("honest")
    here.work("spam", lambda _: Says.YES)
    here.gild(NO[:30])  # none of them was asked about
    assert again(here) == 0
    assert stands(here, "honest") == stands(here, "spam") == (Stage.WEIGHTED, 0.25, True)
    wish(NAME, [(row, 0.0) for row in range(50, 100)], Purpose.LEARN, store=store, settings=settings, votes_wanted=2)
    fill_tasks(NAME, store=store, settings=settings, now_ms=here.tick())
    here.work("honest")
    assert again(here) == 1
    first = min(store.work.of_worker("honest"), key=lambda one: one.id)
    assert first.stage is Stage.ACCEPTED
    assert first.review is not None
    assert not first.review.provisional
    assert {(vote.worker, vote.weight) for vote in store.labels.votes(NAME, 1)} == {("honest", 1.0), ("spam", 0.25)}
    here.work("spam", lambda _: Says.YES)
    again(here)
    assert {vote.weight for vote in store.labels.votes(NAME, 1) if vote.worker == "spam"} <= {0.25}


def test_a_gate_that_asks_for_less_gold_judges_again_what_waits(here: Scene) -> None:
    here.work("honest")
    assert stands(here, "honest") == (Stage.ACCEPTED, 1.0, True)
    assert again(here) == 0
    here.settings = here.settings.but(gold_least=12)
    assert again(here) == 1
    assert stands(here, "honest") == (Stage.ACCEPTED, 1.0, False)


def test_gold_that_says_the_opposite_is_judged_by_though_there_is_as_much_of_each(here: Scene) -> None:
    here.work("honest")
    assert again(here) == 0
    dealt = here.store.work.of_worker("honest")[0].dealt
    hidden = [place.row for place in dealt if place.ask is None]
    turned = [row for yes in (True, False) for row in [row for row in hidden if truth(row) is yes][:4]]
    here.store.labels.gild(NAME, [Gold(row, says(not truth(row)), 1, Source.OWNER) for row in turned])
    assert again(here) == 1
    assert stands(here, "honest") == (Stage.REJECTED, 0.0, False)


def test_two_servers_that_judge_again_at_once_add_one_decision(here: Scene) -> None:
    spam = always_yes(here)
    here.gild(NO[12:30])
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: again(here), range(8)))
    assert [review.verdict for review in here.store.work.reviews(spam.id)] == [Stage.WEIGHTED, Stage.REJECTED]
    assert here.store.categories.tally(NAME).assignments == {"rejected": 1}
    task = here.store.asks.task(spam.task)
    assert (task.taken, task.done) == (0, 0)


def test_while_a_certificate_depends_on_the_votes_they_stay_as_they_are(here: Scene) -> None:
    spam = always_yes(here)
    here.gild(NO[12:30])
    before = here.store.labels.votes(NAME, 1)
    assert again(here, frozen=True) == 1
    assert here.store.work.get(spam.id).stage is Stage.REJECTED
    assert here.store.labels.votes(NAME, 1) == before
    assert again(here, frozen=True) == 0
    assert again(here) == 1
    assert here.store.labels.votes(NAME, 1) == []


def test_a_kill_before_the_first_review_leaves_nothing_to_judge_again(here: Scene) -> None:
    held = here.send(here.must_deal("a"))
    here.store.lines.add(RECHECK, [{"assignment": held.id, "mark": ""}], NAME)
    assert again(here) == 0
    here.review()
    assert len(here.store.work.reviews(held.id)) == 1


def test_an_earlier_question_is_not_judged_again(here: Scene) -> None:
    always_yes(here)
    here.store.categories.reword(NAME, "Is there a red car?", "", 5)
    assert again(here) == 0
    assert here.store.lines.page(RECHECK, NAME) == []


def test_with_gold_of_neither_class_the_gate_is_off_and_says_so(store: Store, settings: Settings) -> None:
    here = scene(store, settings, images=320, gold=YES[:3])
    wish(NAME, [(row, 0.0) for row in range(50)], Purpose.LEARN, store=store, settings=settings)
    fill_tasks(NAME, store=store, settings=settings, now_ms=1)
    review = here.work("a", lambda row: says(truth(row)))
    assert isinstance(review, Review)
    assert (review.verdict, review.weight, review.provisional) == (Stage.ACCEPTED, 1.0, True)
