"""A limit on a category's answers holds at every moment, whatever workers, the owner and servers do."""

import threading
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.contract.things import HOUR_MS, answers, category, images, miscounted, publish

from thresher.errors import BadInput, Conflict, Gone
from thresher.records import (
    Assignment,
    Category,
    Dealt,
    NewAsk,
    NewTask,
    Origin,
    Purpose,
    Question,
    Review,
    Stage,
    Targets,
)
from thresher.store.contract import Bounds, Store

ROWS = 40
LEASE_MS = 100


def limit(store: Store, most: int | None, name: str = "car") -> None:
    store.categories.aim(name, Targets(answers=most))


def spent(store: Store, name: str = "car") -> tuple[int, int]:
    tally = store.categories.tally(name)
    return tally.answered, tally.reserved


def take(
    store: Store, worker: str, *, gold: int = 0, owner: bool = False, now_ms: int = 100, name: str = "car"
) -> Assignment | None:
    bounds = Bounds(gold_with=lambda _: gold)
    return store.work.take(name, 1, worker, owner=owner, now_ms=now_ms, lease_ms=HOUR_MS, bounds=bounds)


def must_take(store: Store, worker: str, *, gold: int = 0, owner: bool = False, now_ms: int = 100) -> Assignment:
    taken = take(store, worker, gold=gold, owner=owner, now_ms=now_ms)
    assert taken is not None
    return taken


def dealt(store: Store, taken: Assignment, gold: Sequence[int] = ()) -> Assignment:
    asked = [Dealt(ask.row, ask.id) for ask in store.asks.of_task(taken.task)]
    return store.work.set_dealt(taken.id, [*asked, *(Dealt(row, None) for row in gold)])


def test_a_take_reserves_the_most_that_it_can_bring_and_a_sending_counts_what_it_brings(store: Store) -> None:
    category(store, 9)
    publish(store, [0, 1, 2])
    taken = must_take(store, "w1", gold=4)
    assert taken.reserved == 7
    assert spent(store) == (0, 7)
    shown = dealt(store, taken, [7, 8])
    assert shown.reserved == 5
    assert spent(store) == (0, 5)
    assert store.work.send(shown.id, answers(shown), 200).reserved == 0
    assert spent(store) == (5, 0)
    store.work.send(shown.id, answers(shown), 210)  # the same again, from another device
    with pytest.raises(Conflict):
        store.work.send(shown.id, answers(shown)[::-1][:2], 220)
    assert spent(store) == (5, 0)
    assert miscounted(store) == []


@pytest.mark.parametrize("ends", ["given back", "expired"])
@pytest.mark.parametrize("fixed", [True, False], ids=["dealt", "not dealt yet"])
def test_what_ends_unsent_releases_what_it_reserved_and_brings_nothing(store: Store, ends: str, fixed: bool) -> None:
    category(store, 9)
    publish(store, [0, 1, 2])
    limit(store, 7)
    taken = must_take(store, "w1", gold=4)
    if fixed:
        store.work.draft(dealt(store, taken).id, [], sequence=1, now_ms=110, lease_ms=HOUR_MS)
    if ends == "expired":
        assert store.work.expire(100 + HOUR_MS) == 1
    else:
        store.work.give_back(taken.id, 200)
        store.work.give_back(taken.id, 210)
    assert spent(store) == (0, 0)
    assert store.work.get(taken.id).reserved == 0
    again = dealt(store, must_take(store, "w1", gold=4, now_ms=200 + HOUR_MS))
    with pytest.raises(Gone):  # late
        store.work.send(taken.id, answers(again), 210 + HOUR_MS)
    store.work.send(again.id, answers(again), 220 + HOUR_MS)
    assert spent(store) == (3, 0)
    assert miscounted(store) == []


def test_a_task_that_does_not_fit_is_passed_over_until_it_does(store: Store) -> None:
    category(store, 9)
    large, small = publish(store, [0, 1, 2, 3]), publish(store, [4, 5])
    limit(store, 5)
    bounds = Bounds(gold_with=lambda _: 2)
    offered = store.work.offer("car", 1, "w1", owner=False, bounds=bounds)
    assert offered is not None
    assert offered.number == small.number
    first = must_take(store, "w1", gold=2)
    assert (first.task, first.reserved) == (small.number, 4)
    assert take(store, "w2", gold=2) is None
    assert store.work.offer("car", 1, "w2", owner=False, bounds=bounds) is None
    assert must_take(store, "w1", gold=2).id == first.id  # what they hold they get back
    limit(store, 9)
    assert take(store, "w2", gold=2) is None
    limit(store, 10)
    assert must_take(store, "w2", gold=2).task == large.number


def test_what_counts_is_every_answer_of_anybody_to_any_version(store: Store) -> None:
    category(store, 9)
    limit(store, 10)
    publish(store, [0, 1])
    first = dealt(store, must_take(store, "w1", gold=1), [8])
    store.work.send(first.id, answers(first), 200)
    store.work.review(first.id, Review(Stage.REJECTED, "", 210))
    publish(store, [2, 3], purpose=Purpose.ADJUDICATE)
    own = dealt(store, must_take(store, "me", owner=True))
    assert spent(store) == (3, 2)
    store.work.send(own.id, answers(own), 300)
    store.categories.reword("car", "Is this really a car?", "", 400)
    store.asks.wish("car", 2, [NewAsk(row, Purpose.LEARN) for row in range(6)])
    asks = [ask.id for ask in store.asks.waiting("car", 2, 9)]
    assert store.asks.publish("car", 2, NewTask("again", asks, 500))
    assert spent(store) == (5, 0)
    assert store.work.take("car", 2, "w2", owner=False, now_ms=600, lease_ms=HOUR_MS) is None
    limit(store, 11)
    assert store.work.take("car", 2, "w2", owner=False, now_ms=600, lease_ms=HOUR_MS) is not None


def test_a_limit_below_what_is_spent_deals_nothing_more_and_leaves_what_is_held(store: Store) -> None:
    category(store, 9)
    publish(store, [0, 1], places=3)
    held = dealt(store, must_take(store, "w1"))  # before there was a limit
    limit(store, 1)
    assert take(store, "w2") is None
    assert take(store, "me", owner=True) is None
    assert must_take(store, "w1").id == held.id
    store.work.send(held.id, answers(held), 200)
    assert spent(store) == (2, 0)
    limit(store, None)
    assert take(store, "w2") is not None


def test_no_more_is_dealt_than_is_reserved(store: Store) -> None:
    category(store, 9)
    publish(store, [0, 1])
    taken = must_take(store, "w1", gold=1)
    with pytest.raises(BadInput, match="reserved"):
        dealt(store, taken, [7, 8])
    assert dealt(store, taken, [7]).reserved == 3


def test_a_sum_of_reservations_that_went_astray_is_found_and_mended(store: Any) -> None:
    category(store, 9)
    publish(store, [0, 1, 2])
    dealt(store, must_take(store, "w1", gold=4))
    if hasattr(store, "catalog"):
        with store.catalog.writing() as sql:
            sql.execute("UPDATE counter SET value = value + 5 WHERE name = 'reserved'")
    else:
        store.link.table("counts").update_one({"_id.kind": "reserved"}, {"$inc": {"n": 5}})
    assert spent(store) == (0, 8)
    (told,) = store.check(mend=False).found
    assert "the counter 'reserved' of" in told
    assert "is 8, and should be 3" in told
    assert store.check(mend=True).sound
    assert spent(store) == (0, 3)


def _each(works: Sequence[Any]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_servers_at_once_never_deal_above_the_limit(store: Store, another: Store) -> None:
    category(store, 60)
    for start in range(0, 60, 3):
        publish(store, range(start, start + 3), places=3)
    limit(store, 50)
    seen: list[int] = []

    def work(opened: Store, number: int) -> None:
        worker, owner = f"w{number}", number == 0
        while found := take(opened, worker, gold=0 if owner else 2, owner=owner):
            seen.append(sum(spent(opened)))
            shown = dealt(opened, found)
            if number == 1:
                opened.work.give_back(found.id, 150)
                return
            opened.work.send(found.id, answers(shown), 150)

    _each([lambda n=number: work((store, another)[n % 2], n) for number in range(6)])
    work(store, 6)  # who came while the others held all that was left went away
    assert max(seen) <= 50
    assert spent(store) == (48, 0)  # two are left, and a task takes three
    assert miscounted(store) == []


def test_a_limit_set_in_the_middle_of_a_take_comes_before_or_after_it(store: Store, another: Store) -> None:
    category(store, 9)
    publish(store, [0, 1, 2])
    publish(store, [3, 4, 5], purpose=Purpose.ADJUDICATE)

    def aim_and_take() -> None:
        limit(another, 3)
        take(another, "me", owner=True)

    aimed = threading.Thread(target=aim_and_take)

    def no_gold(_asked: int) -> int:
        if aimed.ident is None:  # the first taker has read that there is no limit
            aimed.start()
            aimed.join(0.5)  # a store with one writer lets it wait until the take is over
        return 0

    store.work.take("car", 1, "w1", owner=False, now_ms=100, lease_ms=HOUR_MS, bounds=Bounds(gold_with=no_gold))
    aimed.join()
    assert spent(store) == (0, 3)
    assert miscounted(store) == []


class Spending(RuleBasedStateMachine):
    """Whatever is done, at either of two servers: what is sent and reserved grows above no limit in force."""

    numbers = count()
    servers: Sequence[Store]
    workers = st.sampled_from(["ann", "ben", "cat", "owner"])

    @initialize(most=st.none() | st.integers(0, 60))
    def start(self, most: int | None) -> None:
        self.name, self.now, self.most = f"c{next(self.numbers)}", 1000, most
        store = self.servers[0]
        store.categories.create(Category(self.name, Question(1, "?"), Targets(answers=most)))
        store.categories.pool_add(self.name, range(ROWS), Origin("folder"))
        self.before = 0

    def server(self, place: int) -> Store:
        return self.servers[place % len(self.servers)]

    def assignments(self, *stages: Stage) -> list[Assignment]:
        return [one for one in self.servers[0].work.page(self.name, "", 1000) if one.stage in stages]

    def chosen(self, place: int, *stages: Stage) -> Assignment | None:
        found = self.assignments(*stages)
        return found[place % len(found)] if found else None

    @rule(rows=st.sets(st.integers(0, ROWS - 1), min_size=1, max_size=12), places=st.integers(1, 3), mine=st.booleans())
    def publish(self, rows: set[int], places: int, mine: bool) -> None:
        purpose = Purpose.ADJUDICATE if mine else Purpose.LEARN
        store = self.servers[0]
        store.asks.wish(self.name, 1, [NewAsk(row, purpose) for row in rows])
        waiting = [ask.id for ask in store.asks.waiting(self.name, 1, 100, owner_only=mine)]
        if waiting:
            assert store.asks.publish(self.name, 1, NewTask("t", waiting, self.now, places=places, owner_only=mine))

    @rule(worker=workers, gold=st.integers(0, 5), at=st.integers(0, 1))
    def take(self, worker: str, gold: int, at: int) -> None:
        owner, bounds = worker == "owner", Bounds(gold_with=lambda _: gold)
        self.servers[0].work.expire(self.now)
        offered = self.server(at + 1).work.offer(self.name, 1, worker, owner=owner, bounds=bounds)
        taken = self.server(at).work.take(
            self.name, 1, worker, owner=owner, now_ms=self.now, lease_ms=LEASE_MS, bounds=bounds
        )
        assert (taken is None) == (offered is None)

    @rule(place=st.integers(0, 9), gold=st.integers(0, 5), at=st.integers(0, 1))
    def deal(self, place: int, gold: int, at: int) -> None:
        one = self.chosen(place, Stage.LEASED)
        if one is not None and not one.dealt:
            asked = self.servers[0].asks.of_task(one.task)
            more = [Dealt(row, None) for row in range(min(gold, one.reserved - len(asked)))]
            self.server(at).work.set_dealt(one.id, [*(Dealt(ask.row, ask.id) for ask in asked), *more])

    @rule(place=st.integers(0, 9), at=st.integers(0, 1), late=st.booleans())
    def send(self, place: int, at: int, late: bool) -> None:
        one = self.chosen(place, Stage.LEASED, Stage.SENT, *((Stage.EXPIRED, Stage.RETURNED) if late else ()))
        if one is None or not one.dealt:
            return
        for server in (self.server(at), self.server(at + 1)):
            try:
                server.work.draft(one.id, answers(one)[:2], sequence=1, now_ms=self.now, lease_ms=LEASE_MS)
                server.work.send(one.id, answers(one), self.now)
            except Gone:
                assert one.stage is not Stage.LEASED or self.now >= one.lease_until_ms or server is self.server(at + 1)

    @rule(verdict=st.sampled_from([Stage.ACCEPTED, Stage.REJECTED]), place=st.integers(0, 9))
    def review(self, verdict: Stage, place: int) -> None:
        if (one := self.chosen(place, Stage.SENT)) is not None:
            self.servers[0].work.review(one.id, Review(verdict, "", self.now))

    @rule(place=st.integers(0, 9), at=st.integers(0, 1))
    def give_back(self, place: int, at: int) -> None:
        if (one := self.chosen(place, Stage.LEASED, Stage.SENT)) is not None:
            self.server(at).work.give_back(one.id, self.now)

    @rule(by=st.integers(1, 2 * LEASE_MS))
    def wait(self, by: int) -> None:
        self.now += by

    @rule(most=st.none() | st.integers(0, 60))
    def aim(self, most: int | None) -> None:
        self.most = most
        limit(self.servers[0], most, self.name)

    @rule(number=st.integers(1, 9), part=st.booleans())
    def cut(self, number: int, part: bool) -> None:
        tasks = self.servers[0].asks.tasks(self.name, 0, 100)
        if tasks:
            task = tasks[number % len(tasks)].number
            self.servers[0].asks.close(task) if part else self.servers[0].asks.withdraw(task)

    @precondition(lambda self: hasattr(self, "name"))
    @invariant()
    def no_answer_is_above_the_limit(self) -> None:
        for server in self.servers:
            assert sum(spent(server, self.name)) <= max(self.before, 1000 if self.most is None else self.most)
        self.before = sum(spent(self.servers[0], self.name))

    @precondition(lambda self: hasattr(self, "name"))
    @invariant()
    def the_counters_are_what_assignments_hold(self) -> None:
        every = self.assignments(*Stage)
        sent = sum(len(one.dealt) for one in every if one.sent_ms)
        assert spent(self.servers[0], self.name) == (sent, sum(one.reserved for one in every))
        assert all((one.reserved > 0) == (one.stage is Stage.LEASED) for one in every)
        assert all(one.reserved in (0, len(one.dealt)) for one in every if one.dealt)

    def teardown(self) -> None:
        assert miscounted(self.servers[0]) == []


def test_no_order_of_events_spends_more_than_the_limit(store: Store, another: Store) -> None:
    images(store, ROWS)
    machine = type("Spends", (Spending,), {"servers": (store, another)})
    many = 40 if hasattr(store, "catalog") else 10
    run_state_machine_as_test(
        machine, settings=hypothesis_settings(max_examples=many, stateful_step_count=25, deadline=None)
    )
