import numpy as np
import pytest
from tests.label.scene import NAME, Scene, says, scene, truth

from thresher.label.asks import cut, fill_tasks, wish
from thresher.label.deal import ENOUGH_ACCEPTED, deal, draw_gold
from thresher.records import Assignment, Gold, NewTask, Purpose, Says, Source, Stage
from thresher.settings import Settings
from thresher.store.contract import Bounds, Store

GOLD = range(300, 420)  # 40 yes, 80 no


def asked_for(made: Scene, rows: range, votes: int = 2) -> None:
    wish(
        NAME, [(row, 0.0) for row in rows], Purpose.LEARN, store=made.store, settings=made.settings, votes_wanted=votes
    )
    fill_tasks(NAME, store=made.store, settings=made.settings, now_ms=made.now_ms)


@pytest.fixture
def here(store: Store, settings: Settings) -> Scene:
    return scene(store, settings, images=420, gold=GOLD)


def test_an_assignment_is_the_task_and_forty_gold_half_yes_half_no(here: Scene) -> None:
    asked_for(here, range(109))
    assignment = here.must_deal("a")
    asked = [place.row for place in assignment.dealt if place.ask is not None]
    gold = [place.row for place in assignment.dealt if place.ask is None]
    assert sorted(asked) == list(range(109))
    assert len(gold) == len(set(gold)) == 40
    assert set(gold) <= set(GOLD)
    assert sum(truth(row) for row in gold) == 20


@pytest.mark.parametrize(("asked", "wanted"), [(1, 2), (11, 2), (55, 10), (108, 18)])
def test_a_small_task_has_its_share_of_gold_for_those_whose_work_is_known(here: Scene, asked: int, wanted: int) -> None:
    """A picture that two people see once more would otherwise cost 82 answers."""
    asked_for(here, range(110), votes=1)
    here.work("known")
    asked_for(here, range(110, 110 + asked))
    gold = gold_of(here.must_deal("known"))
    assert len(gold) == wanted
    assert sum(truth(row) for row in gold) == wanted // 2
    assert len(gold_of(here.must_deal("new"))) == (20 if asked <= 55 else 40)


def test_small_tasks_are_left_to_those_whose_record_is_good_for_a_while(here: Scene) -> None:
    """Somebody new would see twenty gold images for two asked ones."""
    for number in range(ENOUGH_ACCEPTED):
        asked_for(here, range(20 * number, 20 * number + 20), votes=1)
        here.work(f"known {number}")
    here.tick(round(here.settings.patience_seconds * 1000))
    asked_for(here, range(200, 202), votes=2)
    assert here.deal("new") is None
    assert len(here.must_deal("known 1").dealt) == 4
    here.tick(round(here.settings.patience_seconds * 1000))
    assert len(here.must_deal("new").dealt) == 22


def test_a_small_part_of_a_task_that_waited_in_vain_is_for_anybody(here: Scene) -> None:
    for number in range(ENOUGH_ACCEPTED):
        asked_for(here, range(20 * number, 20 * number + 20), votes=1)
        here.work(f"known {number}")
    asked_for(here, range(200, 260), votes=1)
    here.tick(round(here.settings.patience_seconds * 1000))
    (task,) = here.store.asks.untaken(NAME, 1, 10)
    assert cut(task, lambda ask: ask.row < 205, store=here.store)
    assert len([place for place in here.must_deal("new").dealt if place.ask is not None]) in (5, 55)
    assert len([place for place in here.must_deal("newer").dealt if place.ask is not None]) in (5, 55)


def test_a_guesser_who_keeps_to_small_tasks_is_found_by_the_record(here: Scene) -> None:
    asked_for(here, range(110), votes=1)
    here.work("guesser")  # honestly, to be known
    verdicts = []
    for start in range(110, 200, 3):
        here.tick(120_000)
        asked_for(here, range(start, start + 3), votes=1)
        if (assignment := here.deal("guesser")) is not None:
            here.send(assignment, lambda _: Says.YES)
            verdicts += [review.verdict for review in here.review()]
    assert verdicts[0] is Stage.ACCEPTED
    assert Stage.REJECTED in verdicts
    assert verdicts[-1] is not Stage.ACCEPTED


def test_work_without_a_mistake_is_never_refused_for_what_was_wrong_before(here: Scene) -> None:
    asked_for(here, range(110), votes=1)
    seen: list[int] = []

    def careless(row: int) -> Says:
        seen.append(row)
        return says(truth(row)) if len(seen) % 3 else says(not truth(row))

    assert here.work("b", careless).verdict is Stage.REJECTED
    here.work("c")  # does what was refused
    verdicts = []
    for start in range(110, 140, 3):
        here.tick(120_000)
        asked_for(here, range(start, start + 3), votes=1)
        if (assignment := here.deal("b")) is not None:
            here.send(assignment)
            verdicts += [review.verdict for review in here.review()]
    assert verdicts
    assert Stage.REJECTED not in verdicts


def test_each_ask_is_dealt_at_its_own_image(here: Scene) -> None:
    asked_for(here, range(50))
    assignment = here.must_deal("a")
    asks = {ask.id: ask.row for ask in here.store.asks.of_task(assignment.task)}
    assert {place.ask: place.row for place in assignment.dealt if place.ask is not None} == asks


def gold_of(assignment: Assignment) -> set[int]:
    return {place.row for place in assignment.dealt if place.ask is None}


def test_each_worker_gets_an_order_of_their_own(here: Scene) -> None:
    asked_for(here, range(109))
    first, second = here.must_deal("a"), here.must_deal("b")
    assert first.task == second.task
    assert [p.row for p in first.dealt if p.ask] != [p.row for p in second.dealt if p.ask]


def test_two_people_who_compare_their_pictures_learn_nothing_about_gold(here: Scene) -> None:
    asked_for(here, range(109))
    first = here.must_deal("a")
    here.gild(range(200, 240))  # new gold does not give the old away
    second = here.must_deal("b")
    assert first.task == second.task
    assert len(gold_of(first) & gold_of(second)) >= 20  # what the new gold left; without it, all 40
    assert gold_of(here.must_deal("a")) == gold_of(first)


def test_two_people_of_one_task_see_the_same_pictures(here: Scene) -> None:
    asked_for(here, range(109))
    first, second = here.must_deal("a"), here.must_deal("b")
    assert {place.row for place in first.dealt} == {place.row for place in second.dealt}


def test_other_tasks_have_other_gold(here: Scene) -> None:
    asked_for(here, range(110), votes=1)
    asked_for(here, range(110, 220), votes=1)
    assert gold_of(here.must_deal("a")) != gold_of(here.must_deal("b"))


@pytest.mark.parametrize("times", [1, 3])
def test_giving_a_task_back_and_taking_it_again_shows_the_same_pictures(here: Scene, times: int) -> None:
    """The pictures that recur would be those asked about, and all others gold."""
    asked_for(here, range(109))
    first = here.must_deal("a")
    for _ in range(times):
        here.store.work.give_back(here.must_deal("a").id, here.tick())
        again = here.must_deal("a")
        assert (again.task, again.id != first.id) == (first.task, True)
        assert {place.row for place in again.dealt} == {place.row for place in first.dealt}


def test_a_lease_that_ended_shows_the_same_pictures_again(here: Scene) -> None:
    asked_for(here, range(109))
    first = here.must_deal("a")
    here.tick(round(here.settings.lease_minutes * 60_000))
    again = here.must_deal("a")
    assert again.id != first.id
    assert {place.row for place in again.dealt} == {place.row for place in first.dealt}


def test_gold_does_not_stand_at_the_end_or_the_beginning(here: Scene) -> None:
    asked_for(here, range(109))
    places = [place for place, dealt in enumerate(here.must_deal("a").dealt) if dealt.ask is None]
    assert 55 < np.mean(places) < 95


def test_a_reload_gets_the_same_assignment(here: Scene) -> None:
    asked_for(here, range(109))
    assert here.must_deal("a").dealt == here.must_deal("a").dealt


def test_a_kill_between_leasing_and_dealing_costs_nobody_their_assignment(here: Scene) -> None:
    asked_for(here, range(109))
    bounds = Bounds(gold_with=lambda _: 40)
    taken = here.store.work.take(NAME, 1, "a", owner=False, now_ms=here.now_ms, lease_ms=60_000, bounds=bounds)
    assert taken is not None
    dealt = here.must_deal("a")
    assert dealt.id == taken.id
    assert len(dealt.dealt) == 149


def test_fresh_gold_comes_first_and_then_what_was_seen_longest_ago(store: Store, settings: Settings) -> None:
    here = scene(store, settings, images=420, gold=GOLD[:96])
    shown = []
    for task in range(3):
        asked_for(here, range(100 * task, 100 * task + 100), votes=1)  # nearly full
        assignment = here.must_deal("a")
        shown.append({place.row for place in assignment.dealt if place.ask is None and truth(place.row)})
        here.send(assignment)
        here.review()
    assert not shown[0] & shown[1]  # 32 yes gold: the first two assignments show 29 of them
    assert not shown[2] & shown[1]
    assert shown[2] & shown[0]


def test_no_gold_is_an_image_the_worker_was_asked_about(here: Scene) -> None:
    asked_for(here, range(110), votes=1)
    here.work("a")
    here.gild(range(60))
    asked_for(here, range(110, 220))
    to_a, to_b = ({p.row for p in here.must_deal(name).dealt if p.ask is None} for name in "ab")
    assert to_a <= set(GOLD)
    assert to_b & set(range(60))


def test_no_gold_is_like_an_image_that_is_asked_about(store: Store, settings: Settings) -> None:
    here = scene(store, settings)
    # rows 0 to 89 and 90 to 179 are twins, one by one
    here.images(180, fingerprint=lambda number: f"{number % 90:016x}")
    here.gild(range(90, 180))
    asked = range(40)
    wish(NAME, [(row, 0.0) for row in asked], Purpose.UPLOAD, store=store, settings=settings)
    asks = store.asks.waiting(NAME, 1, 100)
    store.asks.publish(NAME, 1, NewTask("n", [a.id for a in asks], 1, places=2))
    assignment = here.must_deal("a")
    gold = {place.row for place in assignment.dealt if place.ask is None}
    assert len(gold) == 20
    assert gold <= set(range(130, 180))


def test_one_of_a_similar_group_is_shown_as_gold(store: Store, settings: Settings) -> None:
    here = scene(store, settings)
    here.images(60, fingerprint=lambda number: f"{number % 6:016x}" if number >= 30 else "")
    here.gild(range(30, 60))
    asked_for(here, range(30))
    gold = [place.row for place in here.must_deal("a").dealt if place.ask is None]
    assert len(gold) == len(set(store.images.similar(np.array(gold)).tolist())) == 6


def test_the_owner_gets_no_gold(here: Scene) -> None:
    asked_for(here, range(50))
    assert all(place.ask is not None for place in here.must_deal("me", owner=True).dealt)


def test_where_gold_is_scarce_there_is_as_much_as_there_is(store: Store, settings: Settings) -> None:
    here = scene(store, settings, images=200, gold=range(100, 110))
    asked_for(here, range(50))
    gold = {place.row for place in here.must_deal("a").dealt if place.ask is None}
    assert gold == set(range(100, 110))


def test_an_image_is_asked_to_no_worker_twice(here: Scene) -> None:
    asked_for(here, range(40))
    here.work("a")
    assert here.deal("a") is None
    here.work("b")
    assert here.deal("c") is None  # both places are taken: never more than wanted


def test_an_ended_lease_gives_its_place_to_the_next(here: Scene) -> None:
    asked_for(here, range(40), votes=1)
    left = here.must_deal("a")
    assert here.deal("b") is None
    here.tick(round(here.settings.lease_minutes * 60_000))
    assert here.must_deal("b").task == left.task
    assert here.store.work.get(left.id).stage is Stage.EXPIRED


def test_drawing_gold_by_hand_is_repeatable() -> None:
    gold = [Gold(row, says(truth(row)), 1, Source.OWNER) for row in range(90)]
    drawn = draw_gold(gold, [], 20, b"3")
    assert drawn == draw_gold(gold, [], 20, b"3")
    assert drawn != draw_gold(gold, [], 20, b"4")
    assert [piece.says for piece in drawn] == [Says.YES] * 20 + [Says.NO] * 20


def test_a_seed_makes_a_deal_repeatable(here: Scene) -> None:
    asked_for(here, range(40))
    worker = here.worker("a")
    dealt = deal(NAME, worker, store=here.store, settings=here.settings, now_ms=here.tick(), seed=1)
    assert dealt is not None
    assert dealt == here.store.work.get(dealt.id)
