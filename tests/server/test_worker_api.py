"""What a worker goes through, over HTTP, on a real server and a real store."""

import io
import threading
from collections.abc import Callable, Iterable
from hashlib import sha256

import pytest
from PIL import Image
from tests.pictures_for_tests import picture
from tests.server.conftest import Clock
from tests.server.people import Pool, add_category, answer, ask, dealt, entries, rows_of, stage_of
from tests.serving import Served, serving

from thresher.client import WorkerClient
from thresher.errors import BadInput, Conflict, Gone
from thresher.records import NewImage, Origin, Says, Stage, Targets
from thresher.server.wire import Entry, Work
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store
from thresher.workforce.links import Links

Join = Callable[[], WorkerClient]


def test_a_worker_is_offered_a_task_takes_it_and_hears_the_verdict(
    worker: WorkerClient, store: Store, pool: Pool, heard: list[str]
) -> None:
    (offer,) = worker.me().offers
    assert (offer.category, offer.question, offer.unfinished) == ("car", "Is this a car?", False)
    work = dealt(worker)
    assert (work.question, work.instructions, len(work.pictures)) == ("Is this a car?", "Look closely.", 18)
    assert worker.me().offers[0].unfinished
    sent = answer(worker, work, store, pool)
    assert sent.verdict == "accepted"
    assert sent.receipt
    assert sent.more
    assert heard == ["car"]
    (past,) = worker.me().past
    assert (past.category, past.images, past.verdict, past.why) == ("car", 18, "accepted", sent.why)


def test_a_worker_who_misses_the_gold_hears_why(join: Join, store: Store, pool: Pool) -> None:
    worker = join()
    work = dealt(worker)
    sent = worker.send(work.token, entries(work))
    assert sent.verdict in ("accepted", "rejected")  # the gate decides; what it says reaches the worker word for word
    assert sent.why == worker.me().past[0].why != ""


def test_nothing_to_do_is_no_assignment_and_no_error(worker: WorkerClient, store: Store, pool: Pool) -> None:
    while work := worker.deal("car"):
        answer(worker, work, store, pool)
    assert worker.me().offers == []
    assert len(worker.me().past) == 2


def test_at_the_limit_of_answers_nobody_gets_a_task_and_everybody_is_told(
    worker: WorkerClient, join: Join, store: Store, pool: Pool
) -> None:
    work, other = dealt(worker), join()
    store.categories.aim("car", Targets(answers=20))
    assert other.me().offers == []
    assert other.me().notice.startswith("There are no more tasks: all answers that are wanted are there, or")
    assert other.deal("car") is None
    assert [offer.unfinished for offer in worker.me().offers] == [True]
    assert worker.me().notice == ""
    assert not answer(worker, work, store, pool).more
    assert worker.me().notice.startswith("There are no more tasks")
    assert store.categories.tally("car").answered == 18
    store.categories.aim("car", Targets(answers=40))
    assert other.me().notice == ""
    assert len(dealt(other).pictures) == 18


def test_the_last_answer_says_that_there_is_no_more(worker: WorkerClient, store: Store, pool: Pool) -> None:
    assert [answer(worker, dealt(worker), store, pool).more for _ in range(2)] == [True, False]


def test_pictures_are_re_encoded_without_metadata_and_named_for_ever(worker: WorkerClient, server: Served) -> None:
    answer = server.http.get(dealt(worker).pictures[0])
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    with Image.open(io.BytesIO(answer.content)) as shown:
        assert (shown.format, shown.size) == ("WEBP", (64, 48))
        assert not shown.getexif()
    assert server.http.get(dealt(worker).pictures[0]).content == answer.content


def test_a_picture_is_shown_in_a_size_for_the_page_and_in_one_to_look_at_closely(
    server: Served, store: Store, settings: Settings
) -> None:
    add_category(store, "large")
    data = picture(1, (3000, 2000))
    rows = store.images.put([NewImage(sha256(data).hexdigest(), data, 3000, 2000, "JPEG", bytes=len(data))])
    store.categories.pool_add("large", rows, Origin("folder", at_ms=1))
    ask(store, settings, "large", rows)
    work = WorkerClient.join(server.console.add_invite("large").link, "Ada").deal("large")
    assert work
    sizes = []
    for address in (work.pictures[0], f"{work.pictures[0]}?large=1"):
        with Image.open(io.BytesIO(server.http.get(address).content)) as shown:
            sizes.append(shown.size)
    assert sizes == [(1024, 683), (3000, 2000)]


def test_drafts_come_back_after_a_reload(worker: WorkerClient) -> None:
    work = dealt(worker)
    first = Entry(position=3, says=Says.NO, first_seconds=0.7, seconds=2.5, changes=1, visits=2, ready=False)
    kept = worker.keep_drafts(work.token, 1, [first])
    assert (kept.sequence, kept.entries) == (1, 1)
    assert kept.lease_until_ms >= work.lease_until_ms
    again = worker.reopen(work.token)
    assert again.entries == [first]
    assert again.sequence == 1
    assert again.pictures == work.pictures
    assert dealt(worker).entries == [first]


def test_an_older_post_of_drafts_changes_nothing(worker: WorkerClient) -> None:
    work = dealt(worker)
    worker.keep_drafts(work.token, 2, entries(work, lambda _: Says.NO)[:2])
    kept = worker.keep_drafts(work.token, 1, entries(work)[:1])
    assert (kept.sequence, kept.entries) == (2, 2)
    assert {entry.says for entry in worker.reopen(work.token).entries} == {Says.NO}


def test_a_restart_in_the_middle_keeps_the_drafts(store: Store, small: Settings, pool: Pool) -> None:
    with serving(store, small) as before:
        worker = WorkerClient.join(before.console.add_invite().link)
        work = dealt(worker)
        worker.keep_drafts(work.token, 1, entries(work)[:5])
    reopened = open_store(store.place, small)
    with serving(reopened, small) as after:
        again = WorkerClient(after.url, worker.token).reopen(work.token)
        assert again.entries == entries(work)[:5]
        assert after.http.get(work.pictures[0]).status_code == 200
        assert answer(WorkerClient(after.url, worker.token), again, reopened, pool).verdict == "accepted"
    reopened.close()


def test_when_the_lease_is_over_everything_of_it_is_gone(
    worker: WorkerClient, server: Served, clock: Clock, small: Settings
) -> None:
    work = dealt(worker)
    worker.keep_drafts(work.token, 1, entries(work)[:3])
    clock.pass_minutes(small.lease_minutes + 1)
    calls: list[Callable[[], object]] = [
        lambda: worker.reopen(work.token),
        lambda: worker.keep_drafts(work.token, 2, entries(work)),
        lambda: worker.send(work.token, entries(work)),
        lambda: worker.data(work.pictures[0]),
    ]
    for call in calls:
        with pytest.raises(Gone):
            call()
    assert server.http.get(work.pictures[0]).status_code == 410
    again = dealt(worker)
    assert again.entries == []
    assert again.token != work.token
    assert not set(again.pictures) & set(work.pictures)


def test_answers_renew_the_lease(worker: WorkerClient, clock: Clock, small: Settings) -> None:
    work = dealt(worker)
    for sequence in (1, 2, 3):
        clock.pass_minutes(small.lease_minutes * 0.7)
        worker.keep_drafts(work.token, sequence, entries(work)[:sequence])
    assert worker.reopen(work.token).token == work.token


def test_nothing_but_answers_renews_the_lease(worker: WorkerClient, clock: Clock, small: Settings) -> None:
    work = dealt(worker)
    worker.keep_drafts(work.token, 1, entries(work)[:1])
    until_ms = worker.reopen(work.token).lease_until_ms
    clock.pass_minutes(small.lease_minutes * 0.7)
    assert worker.keep_drafts(work.token, 2, []).lease_until_ms == until_ms
    assert worker.keep_drafts(work.token, 3, entries(work)[:1]).lease_until_ms == until_ms
    assert dealt(worker).lease_until_ms == until_ms  # taking it again
    clock.pass_minutes(small.lease_minutes * 0.7)
    with pytest.raises(Gone):
        worker.reopen(work.token)


def timed(work: Work, positions: Iterable[int], at_ms: int, says: Says) -> list[Entry]:
    whole = entries(work, lambda _: says)
    return [whole[position].model_copy(update={"at_ms": at_ms + position}) for position in positions]


def test_two_devices_hear_of_each_other_and_send_what_both_answered(worker: WorkerClient, store: Store) -> None:
    laptop = dealt(worker)
    phone = worker.reopen(laptop.token)
    begun_ms = laptop.now_ms - 10_000
    for sequence in (1, 2, 3):
        kept = worker.keep_drafts(phone.token, sequence, timed(phone, [sequence], begun_ms, Says.NO))
        assert (kept.sequence, kept.others) == (sequence, [])
    late = worker.keep_drafts(laptop.token, 1, timed(laptop, [0, 1], begun_ms + 1000, Says.YES))
    assert (late.sequence, late.entries) == (4, 4)
    assert [(one.position, one.says.value) for one in late.others] == [(0, "yes"), (1, "yes"), (2, "no"), (3, "no")]
    again = worker.keep_drafts(phone.token, 4, timed(phone, [4], begun_ms, Says.NO))
    assert [one.position for one in again.others] == [0, 1, 2, 3, 4]
    # the laptop sends, and has not heard of the phone's answers 2 to 4, which came after its own
    sent = worker.send(laptop.token, timed(laptop, range(len(laptop.pictures)), begun_ms - 5000, Says.YES))
    assert sent.others == 3
    answers = store.work.get(Links(store.secret()).read_assignment(laptop.token)).answers
    assert [one.says for one in answers[:6]] == [Says.YES] * 2 + [Says.NO] * 3 + [Says.YES]


def test_a_clock_that_is_ahead_overrules_nobody_for_ever(worker: WorkerClient, clock: Clock) -> None:
    work = dealt(worker)
    worker.keep_drafts(work.token, 1, timed(work, [0], work.now_ms + 10**9, Says.NO))
    clock.pass_minutes(1)
    worker.keep_drafts(work.token, 2, timed(work, [0], work.now_ms + 50_000, Says.YES))
    assert worker.reopen(work.token).entries[0].says is Says.YES


def test_a_task_given_back_is_free_again(join: Join, store: Store) -> None:
    first, second = join(), join()
    work = dealt(first)
    first.keep_drafts(work.token, 1, entries(work)[:3])
    first.give_back(work.token)
    with pytest.raises(Gone, match="gave this task back"):
        first.reopen(work.token)
    assert set(rows_of(work, store)) & set(rows_of(dealt(second), store))


def test_sending_twice_is_sending_once(worker: WorkerClient, store: Store, pool: Pool) -> None:
    work = dealt(worker)
    first, second = answer(worker, work, store, pool), answer(worker, work, store, pool)
    assert (first.receipt, first.verdict, first.why) == (second.receipt, second.verdict, second.why)
    assert len(worker.me().past) == 1


def test_other_answers_after_sending_are_a_conflict(worker: WorkerClient, store: Store, pool: Pool) -> None:
    work = dealt(worker)
    answer(worker, work, store, pool)
    with pytest.raises(Conflict):
        worker.send(work.token, entries(work, lambda _: Says.UNSURE))


def test_a_sent_assignment_is_closed(worker: WorkerClient, store: Store, pool: Pool) -> None:
    work = dealt(worker)
    answer(worker, work, store, pool)
    calls: list[Callable[[], object]] = [
        lambda: worker.reopen(work.token),
        lambda: worker.keep_drafts(work.token, 9, []),
        lambda: worker.data(work.pictures[0]),
    ]
    for call in calls:
        with pytest.raises(Gone):
            call()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: whole[:-1],
        lambda whole: [*whole, whole[0]],
        lambda whole: [*whole[:-1], whole[0]],
        lambda whole: [*whole[:-1], whole[-1].model_copy(update={"position": 999})],
        lambda _whole: [],
    ],
    ids=["one missing", "one too many", "one twice", "one beyond", "none"],
)
def test_only_a_whole_assignment_counts(
    worker: WorkerClient, store: Store, spoil: Callable[[list[Entry]], list[Entry]]
) -> None:
    work = dealt(worker)
    worker.keep_drafts(work.token, 1, entries(work)[:4])
    with pytest.raises(BadInput):
        worker.send(work.token, spoil(entries(work)))
    assert stage_of(work, store) is Stage.LEASED
    assert len(worker.reopen(work.token).entries) == 4


def test_many_workers_at_once_are_never_dealt_more_places_than_there_are(
    server: Served, join: Join, store: Store
) -> None:
    workers = [join() for _ in range(8)]
    begin = threading.Barrier(len(workers))
    works: list[Work | None] = []

    def take(worker: WorkerClient) -> None:
        begin.wait()
        works.append(worker.deal("car"))

    threads = [threading.Thread(target=take, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = [work for work in works if work]
    assert len(works) == len(workers)
    assert len(taken) == 2  # two tasks of one place each
    for task in store.asks.tasks("car", 0, 10):
        assert task.taken == task.places == 1
    assert server.console.category("car").assignments["leased"] == 2


def test_an_invite_brings_no_more_people_than_it_may(store: Store, small: Settings, pool: Pool) -> None:
    with serving(store, small.but(invite_people=2)) as served:
        link = served.console.add_invite().link
        first = WorkerClient.join(link)
        WorkerClient.join(link)
        for _ in range(2):
            with pytest.raises(Gone, match="reached its limit of people"):
                WorkerClient.join(link)
        assert len(store.people.all()) == 2
        assert first.me().offers
        WorkerClient.join(served.console.add_invite().link)
