"""The last answers of a budget: tasks are cut to what is left, and nobody is dealt more."""

import random
from contextlib import closing
from threading import Thread

import pytest
from tests.label.scene import NAME, Scene, answers, says, scene, truth

from thresher.label.asks import fill_tasks, wish
from thresher.label.cap import spent_says
from thresher.label.deal import deal, offer, out_of_answers
from thresher.label.votes import settle
from thresher.records import Assignment, NewAsk, NewTask, Purpose, Says, Stage, Targets, Worker
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store, Tally

GOLD = range(300, 420)


@pytest.fixture
def here(store: Store, settings: Settings) -> Scene:
    return scene(store, settings, images=420, gold=GOLD)


def limit(made: Scene, most: int) -> None:
    made.store.categories.aim(NAME, Targets(answers=most))


def asked_for(made: Scene, rows: range, votes: int = 1) -> None:
    wish(
        NAME,
        [(row, -float(row)) for row in rows],
        Purpose.LEARN,
        store=made.store,
        settings=made.settings,
        votes_wanted=votes,
    )
    fill_tasks(NAME, store=made.store, settings=made.settings, now_ms=made.now_ms)


def left(made: Scene) -> int:
    tally = made.store.categories.tally(NAME)
    return (made.store.categories.get(NAME).targets.answers or 0) - tally.answered - tally.reserved


def ended(made: Scene) -> str:
    return out_of_answers(made.store.categories.get(NAME), store=made.store, settings=made.settings)


def rows(assignment: Assignment) -> tuple[list[int], int]:
    asked = sorted(place.row for place in assignment.dealt if place.ask is not None)
    return asked, len(assignment.dealt) - len(asked)


def unsure(row: int) -> Says:
    """Somebody who knows the gold, and cannot tell anything else."""
    return says(truth(row)) if row in GOLD else Says.UNSURE


def known(made: Scene, *names: str) -> None:
    """People whose record is good."""
    for number, name in enumerate(names):
        asked_for(made, range(110 * number, 110 * number + 110))
        made.work(name)


def test_the_last_task_is_cut_to_the_images_of_the_highest_priority_that_fit_with_their_gold(here: Scene) -> None:
    known(here, "ann")
    asked_for(here, range(110, 220))
    limit(here, here.store.categories.tally(NAME).answered + 60)
    offered = offer(NAME, here.worker("ann"), store=here.store, settings=here.settings, now_ms=here.now_ms)
    assert offered is not None
    last = here.must_deal("ann")
    asked, gold = rows(last)
    assert asked == list(range(110, 110 + len(asked)))
    assert asked == sorted(offered.rows)
    assert 55 <= len(last.dealt) <= 60
    assert gold <= 0.3 * len(last.dealt)
    here.send(last)
    waiting = sum(len(task.rows) for task in here.store.asks.untaken(NAME, 1, 99))
    assert waiting == 110 - len(asked)


def test_somebody_unknown_gets_gold_enough_to_be_judged_by_with_the_last_images(here: Scene) -> None:
    asked_for(here, range(110))
    limit(here, 60)
    last = here.must_deal("new")
    asked, gold = rows(last)
    assert (len(asked), gold) == (40, 20)
    here.send(last)
    assert here.review()[0].yes_shown == 10
    assert left(here) == 0
    assert ended(here) == "the budget of 60 answers is spent: 60 answered"


def test_at_the_limit_nobody_is_offered_anything_and_what_is_held_stays(here: Scene) -> None:
    asked_for(here, range(220))
    limit(here, 150)
    held = here.must_deal("ann")
    assert ended(here) == "the budget of 150 answers is spent: 0 answered, 150 reserved by open assignments"
    for name, owner in (("ben", False), ("me", True)):
        person = here.worker(name, owner=owner)
        assert offer(NAME, person, store=here.store, settings=here.settings, now_ms=here.now_ms) is None
        assert here.deal(name, owner=owner) is None
    assert here.must_deal("ann") == held
    here.store.work.give_back(held.id, here.tick())
    assert ended(here) == ""
    assert len(here.must_deal("ben").dealt) == 150


def test_the_owner_takes_what_is_left_without_gold(here: Scene) -> None:
    here.store.asks.wish(NAME, 1, [NewAsk(row, Purpose.ADJUDICATE, priority=row) for row in range(10)])
    fill_tasks(NAME, store=here.store, settings=here.settings, now_ms=here.now_ms)
    limit(here, 3)
    asked_for(here, range(20, 22))  # it fits, and annotators can take it
    offered = offer(NAME, here.worker("me", owner=True), store=here.store, settings=here.settings, now_ms=here.now_ms)
    assert offered is not None
    last = here.must_deal("me", owner=True)
    assert last.task == offered.number
    assert rows(last) == ([7, 8, 9], 0)
    here.send(last)
    assert here.deal("me", owner=True) is None
    assert ended(here) == "the budget of 3 answers is spent: 3 answered"


def test_a_further_place_of_a_task_that_does_not_fit_any_more_is_given_up(here: Scene) -> None:
    """Otherwise it would wait for ever, while less than it takes is left; what lacks votes is asked for anew."""
    known(here, "ann", "ben")
    asked_for(here, range(220, 260), votes=2)  # one task with two places
    limit(here, here.store.categories.tally(NAME).answered + 70)
    first = here.must_deal("ann")
    assert len(rows(first)[0]) == 40
    assert here.deal("ben") is None
    here.send(first, unsure)
    here.review()
    settle(NAME, store=here.store, settings=here.settings, now_ms=here.now_ms)
    fill_tasks(NAME, store=here.store, settings=here.settings, now_ms=here.now_ms)
    last = here.must_deal("ben")
    assert 0 < len(last.dealt) <= left(here) + len(last.dealt) <= 30
    assert set(rows(last)[0]) <= set(range(220, 260))


def test_a_further_place_that_only_people_with_a_good_record_can_pay_for_is_given_up_if_they_have_seen_a_part(
    here: Scene,
) -> None:
    known(here, "ann", "ben")
    here.store.asks.wish(NAME, 1, [NewAsk(row, Purpose.MIDDLE, 2) for row in range(100, 112)])  # ann knows ten of them
    waiting = [ask.id for ask in here.store.asks.waiting(NAME, 1, 99)]
    task = here.store.asks.publish(NAME, 1, NewTask(NAME, waiting, here.tick(), places=2))
    assert task is not None
    here.send(here.must_deal("cat"), unsure)
    here.review()
    limit(here, here.store.categories.tally(NAME).answered + 18)
    assert here.deal("ann") is None
    assert here.store.asks.task(task.number).places == 2  # somebody may still come who has seen none of them
    here.tick(round(here.settings.patience_seconds * 1000))
    assert here.deal("ann") is None
    assert here.store.asks.task(task.number).places == 1
    assert len(here.store.asks.open_rows(NAME, 1)) == 0
    assert len(here.store.labels.votes(NAME, 1, [110, 111])) == 4  # of ben and cat


def test_who_cannot_pay_for_a_task_leaves_it_as_it_is_for_others(here: Scene) -> None:
    known(here, "ann")
    here.store.asks.wish(NAME, 1, [NewAsk(row, Purpose.MIDDLE) for row in range(108, 112)])  # ann knows two of them
    waiting = [ask.id for ask in here.store.asks.waiting(NAME, 1, 99)]
    task = here.store.asks.publish(NAME, 1, NewTask(NAME, waiting, here.tick()))
    assert task is not None
    limit(here, here.store.categories.tally(NAME).answered + 18)
    here.tick(round(here.settings.patience_seconds * 1000))
    assert here.deal("new") is None
    assert here.store.asks.task(task.number) == task
    assert rows(here.must_deal("ann"))[0] == [110, 111]


def test_answers_too_few_for_anybody_are_told(here: Scene) -> None:
    limit(here, 20)
    assert ended(here) == ""  # nobody has joined: the owner answers alone
    here.worker("new")
    here.store.asks.wish(NAME, 1, [NewAsk(0, Purpose.MINE_GOLD)])  # gold for people who can be asked nothing more
    assert ended(here) == "the budget of 20 answers is spent: 0 answered, 20 left, too few for a task"
    here.store.asks.wish(NAME, 1, [NewAsk(1, Purpose.ADJUDICATE)])
    assert ended(here) == ""  # the owner gets no gold
    limit(here, 21)
    assert spent_says(1000, Tally(answers=400, gold_answers=90, owner_answers=10, reserved=500)) == (
        "the budget of 1,000 answers is spent: 500 answered, 500 reserved by open assignments"
    )


def test_people_at_two_servers_at_once_are_dealt_all_that_is_left_and_no_more(here: Scene, settings: Settings) -> None:
    asked_for(here, range(280), votes=3)
    limit(here, 333)
    people = [here.worker(f"w{number}") for number in range(6)]
    highest: list[int] = []

    def work(server: Store, worker: Worker) -> None:
        while one := deal(NAME, worker, store=server, settings=here.settings, now_ms=here.now_ms):
            tally = server.categories.tally(NAME)
            highest.append(tally.answered + tally.reserved)
            server.work.send(one.id, answers(one, lambda row: says(truth(row))), here.now_ms)

    with closing(open_store(here.store.place, settings)) as another:
        servers = (here.store, another)
        threads = [Thread(target=work, args=(servers[at % 2], person)) for at, person in enumerate(people)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert max(highest) <= 333
    assert left(here) in range(21)  # one image and the gold of somebody new are 21
    assert here.store.categories.tally(NAME).reserved == 0


@pytest.mark.parametrize("seed", range(6))
def test_whoever_works_in_whatever_order_no_answer_is_above_the_limit(here: Scene, seed: int) -> None:
    """Some quit, some come back, some are refused; new people join; and in the end hardly an answer is left."""
    chance = random.Random(seed)
    most = chance.randint(60, 400)
    here.settings = here.settings.but(patience_seconds=1)
    limit(here, most)
    held: list[Assignment] = []
    idle = 0
    asked_for(here, range(chance.randint(150, 290)), votes=chance.randint(1, 3))
    while idle < 40:
        name = chance.choice(["ann", "ben", "cat", "dan", "eve", "me"])
        taken = here.deal(name, owner=name == "me")
        assert left(here) >= 0
        idle = 0 if taken else idle + 1
        held += [taken] if taken else []
        if held:
            one = here.store.work.get(held.pop(chance.randrange(len(held))).id)
            if one.stage is Stage.LEASED and chance.random() < 0.2:
                here.store.work.give_back(one.id, here.tick())
            elif one.stage is Stage.LEASED and here.now_ms < one.lease_until_ms:
                here.send(one)
        here.tick(chance.choice([1000, 60_000]))
        here.review()
        settle(NAME, store=here.store, settings=here.settings, now_ms=here.tick())
        fill_tasks(NAME, store=here.store, settings=here.settings, now_ms=here.tick(2000))
    tally = here.store.categories.tally(NAME)
    sent = [one for one in here.store.work.page(NAME, "", 9999) if one.sent_ms]
    assert tally.answered == sum(len(one.answers) for one in sent) <= most
    assert tally.reserved == 0
    assert ended(here) or not len(here.store.asks.open_rows(NAME, 1))
