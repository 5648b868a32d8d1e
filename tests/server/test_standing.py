"""Who gets no more work, and what they read: rejected twice, excluded, or come by an invite that was closed."""

from collections.abc import Callable

import pytest
from tests.server.people import Pool, add_pool, answer, dealt, entries
from tests.serving import Served

from thresher.client import WorkerClient
from thresher.errors import BadInput, Gone, NotFound
from thresher.records import Says, Stage, Worker
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.workforce.links import Links

Join = Callable[[], WorkerClient]


def person(worker: WorkerClient, store: Store) -> Worker:
    return store.people.get(Links(store.secret()).read_worker(worker.token))


def rejected(worker: WorkerClient) -> None:
    work = dealt(worker)
    assert worker.send(work.token, entries(work, lambda _: Says.UNSURE)).verdict == "rejected"


@pytest.fixture
def strict(small: Settings) -> Settings:
    return small.but(gold_images=20, gold_least=1)


@pytest.fixture
def small(settings: Settings) -> Settings:
    """Settings for tasks of 10 pictures and 20 gold, enough to reject by."""
    return settings.but(task_images=10, gold_images=20, gold_least=4)


@pytest.fixture
def pool(store: Store, small: Settings, monkeypatch: pytest.MonkeyPatch) -> Pool:
    """A category of 60 asked pictures in six tasks, with ten gold of each answer."""
    monkeypatch.setattr("tests.server.people.GOLD_EACH", 10)
    return add_pool(store, small, asked=60)


def test_whoever_is_rejected_twice_waits_for_the_owner_and_may_be_let_go_on(
    worker: WorkerClient, server: Served, store: Store, pool: Pool
) -> None:
    rejected(worker)
    assert worker.me().offers
    assert worker.me().notice == ""
    work = dealt(worker)
    sent = worker.send(work.token, entries(work, lambda _: Says.UNSURE))
    assert (sent.verdict, sent.more) == ("rejected", False)
    me = worker.me()
    assert (me.offers, len(me.past)) == ([], 2)
    assert "the person who invited you looks at them" in me.notice
    assert worker.deal("car") is None
    (told,) = server.console.workers()
    assert told.standing == "waiting"
    server.console.admit_worker(told.id)
    assert worker.me().notice == ""
    rejected(worker)
    assert worker.me().offers  # the count begins anew
    rejected(worker)
    assert worker.me().offers == []
    server.console.exclude_worker(told.id, "guesses")
    assert "guesses." in worker.me().notice


def test_whoever_waits_finishes_what_they_have_begun(
    worker: WorkerClient, store: Store, small: Settings, pool: Pool
) -> None:
    add_pool(store, small, "dog")
    begun = worker.deal("dog")
    assert begun is not None
    rejected(worker)
    rejected(worker)
    assert [(offer.category, offer.unfinished) for offer in worker.me().offers] == [("dog", True)]
    assert worker.deal("car") is None
    again = worker.deal("dog")
    assert again is not None
    assert again.token == begun.token
    worker.keep_drafts(begun.token, 1, entries(begun)[:2])
    assert worker.send(begun.token, entries(begun)).receipt
    assert worker.deal("dog") is None


def test_a_gate_that_was_killed_before_it_noted_a_rejection_lets_nobody_through(
    worker: WorkerClient, store: Store, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thresher.label.gate.wait_if_rejected", lambda *_, **__: None)
    rejected(worker)
    rejected(worker)
    assert person(worker, store).waits_ms == 0
    assert worker.deal("car") is None
    assert person(worker, store).waits_ms > 0


def test_an_excluded_worker_reads_why_and_what_they_sent_stays(
    worker: WorkerClient, server: Served, store: Store, pool: Pool
) -> None:
    answer(worker, dealt(worker), store, pool)
    held = dealt(worker)
    worker.keep_drafts(held.token, 1, entries(held)[:3])
    (told,) = server.console.workers()
    server.console.exclude_worker(told.id, "  You sold your link.  ")
    server.console.exclude_worker(told.id, "late and twice")
    calls: list[Callable[[], object]] = [
        lambda: worker.reopen(held.token),
        lambda: worker.keep_drafts(held.token, 2, entries(held)[:4]),
        lambda: worker.send(held.token, entries(held)),
        lambda: worker.data(held.pictures[0]),
    ]
    for call in calls:
        with pytest.raises(Gone, match=r"The reason that was given: You sold your link\. What you have sent stays"):
            call()
    me = worker.me()
    assert (me.offers, [past.verdict for past in me.past]) == ([], ["accepted"])
    assert "You sold your link." in me.notice
    assert worker.deal("car") is None
    assert store.categories.tally("car").assignments == {"accepted": 1, "returned": 1}
    assert len(store.labels.votes("car", 1)) == 10
    (told,) = server.console.workers("car")
    assert (told.standing, told.excluded_why) == ("excluded", "You sold your link.")
    server.console.admit_worker(told.id)
    assert worker.me().notice == ""
    assert dealt(worker).entries == []


def on(device: str, worker: WorkerClient, store: Store) -> None:
    store.people.seen(person(worker, store).id, device, 1)


def test_whoever_is_excluded_does_not_go_on_by_opening_the_invite_again(
    join: Join, server: Served, store: Store, pool: Pool
) -> None:
    seller, known, stranger = join(), join(), join()
    answer(known, dealt(known), store, pool)
    on("tablet", seller, store)
    on("tablet", known, store)
    server.console.exclude_worker(person(seller, store).id, "You sold your link.")
    again = join()
    on("tablet", again, store)
    assert again.me().offers == []
    assert "somebody at the same device" in again.me().notice
    assert again.deal("car") is None
    assert person(again, store).waits_ms > 0
    for free in (known, stranger):  # whose work was accepted, and who has another device
        assert free.me().offers
        assert dealt(free)
    server.console.admit_worker(person(again, store).id)
    assert dealt(again)


def test_whoever_waits_does_not_go_on_under_another_name(join: Join, store: Store, pool: Pool) -> None:
    one, other = join(), join()
    on("tablet", one, store)
    on("tablet", other, store)
    rejected(one)
    rejected(one)
    assert other.deal("car") is None
    assert other.me().offers == []


def test_closing_an_invite_reaches_the_people_who_came_by_it(server: Served, store: Store, pool: Pool) -> None:
    invite, other = server.console.add_invite(), server.console.add_invite()
    one, two, elsewhere = (WorkerClient.join(link) for link in (invite.link, invite.link, other.link))
    answer(one, dealt(one), store, pool)
    held, kept = dealt(two), dealt(elsewhere)
    assert [made.people for made in server.console.invites()] == [1, 2]
    for _ in range(2):
        server.console.revoke_invite(invite.id)
    with pytest.raises(Gone, match="The invite that brought you here was closed"):
        two.send(held.token, entries(held))
    assert store.asks.task(store.work.get(Links(store.secret()).read_assignment(held.token)).task).taken == 0
    for worker in (one, two):
        assert worker.me().offers == []
        assert "was closed, so there are no more tasks" in worker.me().notice
        assert worker.deal("car") is None
    assert [past.verdict for past in one.me().past] == ["accepted"]
    with pytest.raises(Gone, match="withdrawn"):
        WorkerClient.join(invite.link)
    assert answer(elsewhere, kept, store, pool).verdict == "accepted"
    assert {told.standing for told in server.console.workers()} == {"closed", "free"}
    server.console.admit_worker(person(one, store).id)
    assert one.me().offers
    assert two.me().offers == []


def test_a_deal_that_came_a_moment_before_an_exclusion_can_not_be_worked_on(
    worker: WorkerClient, store: Store, pool: Pool
) -> None:
    held = dealt(worker)
    store.people.exclude(person(worker, store).id, "late", 10)  # the lease is not ended yet, as between two servers
    with pytest.raises(Gone, match="late"):
        worker.keep_drafts(held.token, 1, entries(held)[:1])
    assert store.work.get(Links(store.secret()).read_assignment(held.token)).stage is Stage.LEASED


def test_what_was_sent_before_an_exclusion_gets_its_receipt_again(
    worker: WorkerClient, server: Served, store: Store, pool: Pool
) -> None:
    work = dealt(worker)
    receipt = answer(worker, work, store, pool).receipt
    server.console.exclude_worker(person(worker, store).id, "x")
    assert answer(worker, work, store, pool).receipt == receipt


def test_nobody_is_excluded_without_a_reason_or_without_being_there(server: Served, worker: WorkerClient) -> None:
    (told,) = server.console.workers()
    for why in ("", "   "):
        with pytest.raises((BadInput, ValueError)):
            server.console.exclude_worker(told.id, why)
    with pytest.raises(NotFound):
        server.console.exclude_worker("nobody", "x")
    with pytest.raises(NotFound):
        server.console.admit_worker("nobody")
    assert server.console.workers()[0].standing == "free"


def test_a_person_holds_three_assignments_at_most(
    worker: WorkerClient, store: Store, small: Settings, pool: Pool
) -> None:
    names = ["car", *(f"c{number}" for number in range(3))]
    for name in names[1:]:
        add_pool(store, small, name, asked=10)
    taken = [worker.deal(name) for name in names]
    assert [one is not None for one in taken] == [True, True, True, False]
    assert {offer.category for offer in worker.me().offers} == set(names[:3])
    assert taken[0] is not None
    worker.give_back(taken[0].token)
    assert worker.deal(names[3]) is not None
