"""The simulated crowd at a real server: what it does there is what people's pages would do."""

import contextlib
import hashlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.pictures_for_tests import picture
from tests.serving import serving

from thresher.errors import BadInput, NotFound, NotReady, TryLater
from thresher.label.asks import fill_tasks, wish
from thresher.label.votes import settle
from thresher.records import (
    Alias,
    Category,
    Gold,
    Invite,
    NewImage,
    Origin,
    Progress,
    Purpose,
    Question,
    Says,
    Source,
    Stage,
    Worker,
    now_ms,
)
from thresher.server.pictures import RENDERED_AT_ONCE
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.workforce.album import Album
from thresher.workforce.crowd import KINDS, Crowd, Kind, Look, ModelCrowd, ModelPerson, Person, ReplayedCrowd
from thresher.workforce.links import Links
from thresher.workforce.simulated import FETCHES_AT_ONCE, Entry, Simulated, Watch, simulate

NAME = "car"
ASKED, GOLD = range(30), range(30, 70)


@dataclass
class Yard:
    """A workspace of seventy small pictures, the last forty of them gold, and a way to let a crowd at it."""

    store: Store
    settings: Settings
    album: Album
    truth: dict[str, bool]
    skips_ms: int = 0

    def clock(self) -> int:
        return now_ms() + self.skips_ms

    def ask(self, rows: range = ASKED, votes: int = 2, purpose: Purpose = Purpose.LEARN) -> None:
        asked = [(row, 0.0) for row in rows]
        wish(NAME, asked, purpose, store=self.store, settings=self.settings, votes_wanted=votes)
        self.fill()

    def fill(self) -> None:
        fill_tasks(NAME, store=self.store, settings=self.settings, now_ms=self.clock())

    def let(
        self,
        crowd: Crowd,
        *,
        workers: int = 4,
        owner: bool = False,
        on_sent: Callable[[str], None] = lambda _: None,
        watch: Watch | None = None,
    ) -> Simulated:
        links = Links(self.store.secret())
        self.store.people.invite(Invite("i", NAME, "", 1))
        self.store.people.add(Worker("me", "", True, "", 1))
        with serving(self.store, self.settings, clock=self.clock, on_sent=on_sent) as served:
            return simulate(
                Entry(
                    served.url,
                    links.invite("i"),
                    owner_token=links.worker("me") if owner else "",
                    owner_waits=self.owner_waits,
                ),
                crowd,
                album=self.album,
                workers=workers,
                watch=watch or Watch(),
            )

    def owner_waits(self) -> bool:
        task = self.store.work.offer(NAME, 1, "me", owner=True)
        return task is not None and task.owner_only


def new_image(name: str, data: bytes) -> NewImage:
    sha256 = hashlib.sha256(data).hexdigest()
    return NewImage(sha256, data, 64, 48, "jpeg", bytes=len(data), aliases=(Alias("file", name),))


@pytest.fixture
def yard(store: Store, settings: Settings) -> Yard:
    data = {f"{number}.jpg": picture(number) for number in range(70)}
    rows = store.images.put([new_image(name, one) for name, one in data.items()])
    store.categories.create(Category(NAME, Question(1, "Is there a car?")))
    store.categories.pool_add(NAME, rows, Origin("test"))
    truth = {name: number % 2 == 0 for number, name in enumerate(data)}
    gold = [Gold(row, Says.YES if row % 2 == 0 else Says.NO, 1, Source.OWNER) for row in GOLD]
    store.labels.gild(NAME, gold)
    album = Album(list(data), data.__getitem__, long_side=settings.shown_pixels)
    return Yard(store, settings.but(gold_images=20), album, truth)


@dataclass(frozen=True)
class Handpicked:
    """A crowd of exactly these kinds, in turn."""

    kinds: Sequence[Kind]
    model: ModelCrowd

    def people(self, count: int) -> list[Person]:
        return [
            ModelPerson(self.kinds[number % len(self.kinds)], self.model, np.random.default_rng(number))
            for number in range(count)
        ]

    def owner(self) -> Person:
        return self.model.owner()


def kinds(*names: str) -> list[Kind]:
    return [one for name in names for one in KINDS if one.name == name]


def test_a_careful_crowd_answers_everything_and_is_right(yard: Yard) -> None:
    yard.ask()
    done = yard.let(ModelCrowd(yard.truth, seed=3, errors=0.1))
    assert (done.assignments, done.answers, done.quits, done.lost) == (2, 100, 0, 0)
    assert done.verdicts == {"accepted": 2}
    votes = yard.store.labels.votes(NAME, 1)
    assert sorted(vote.row for vote in votes) == sorted([*ASKED, *ASKED])
    assert len({vote.worker for vote in votes}) == 2
    assert np.mean([(vote.says is Says.YES) == (vote.row % 2 == 0) for vote in votes]) > 0.95


def test_a_crowd_asks_again_for_an_image_that_a_busy_server_could_not_show(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    # fewer places than a person fetches images at once: some of them are told to try later
    monkeypatch.setattr("thresher.server.pictures.RENDERED_WAITING", FETCHES_AT_ONCE - RENDERED_AT_ONCE - 1)
    yard.ask(range(10), votes=1)
    done = yard.let(ModelCrowd(yard.truth, seed=3), workers=1)
    assert done.assignments == 1


def test_times_and_changes_of_mind_reach_the_answers(yard: Yard) -> None:
    yard.ask()
    done = yard.let(ModelCrowd(yard.truth, seed=3))
    (worker,) = {vote.worker for vote in yard.store.labels.votes(NAME, 1)[:1]}
    answers = yard.store.work.of_worker(worker)[0].answers
    assert 0.4 < np.median([given.seconds for given in answers]) < 1.6
    assert all(given.seconds >= given.first_seconds + given.changes for given in answers)
    assert done.seconds > 2 * 28 + 100 * 0.4


def test_spam_is_rejected_and_its_place_filled_by_somebody_else(yard: Yard) -> None:
    yard.ask(votes=3)
    crowd = Handpicked(kinds("always yes", "careful", "careful", "careful"), ModelCrowd(yard.truth, 3, errors=0.1))
    done = yard.let(crowd, watch=Watch(patience_seconds=1.0))
    assert done.verdicts["accepted"] == 3
    rejected = [one for one in yard.store.work.page(NAME, "", 100) if one.stage is Stage.REJECTED]
    assert len(rejected) == done.verdicts["rejected"] <= 1
    assert {yard.store.people.get(one.worker).name for one in rejected} <= {"always yes 1"}
    votes = yard.store.labels.votes(NAME, 1)
    assert sorted(vote.row for vote in votes) == sorted([*ASKED, *ASKED, *ASKED])


def test_one_who_quits_leaves_drafts_that_expire(yard: Yard) -> None:
    yard.ask(votes=1)
    done = yard.let(Handpicked(kinds("quits"), ModelCrowd(yard.truth, 3)), workers=1)
    assert (done.quits, done.answers, done.assignments) == (1, 0, 0)
    (left,) = yard.store.work.page(NAME, "", 100)
    drafts = yard.store.work.drafts(left.id)[1]
    assert 0 < len(drafts) < 50
    yard.store.work.expire(left.lease_until_ms)
    assert yard.store.work.get(left.id).drafts_erased == len(drafts)


def test_the_owner_answers_what_is_the_owners_alone(yard: Yard) -> None:
    yard.ask(range(8), purpose=Purpose.MINE_GOLD)
    yard.ask(range(8, 20))
    done = yard.let(ModelCrowd(yard.truth, seed=3), workers=1, owner=True)
    assert done.owner_answers == 8
    tasks = yard.store.asks.tasks(NAME, -1, 10)
    assert {(task.owner_only, task.done) for task in tasks} == {(True, 1), (False, 1)}
    held = yard.store.labels.held(NAME, 1)
    assert {label.row: label.says is Says.YES for label in held} == {row: row % 2 == 0 for row in range(8)}


def test_real_votes_are_replayed_in_their_order_and_the_truth_adjudicates(yard: Yard) -> None:
    """Three votes a picture: the loop asks two, then the third where they disagree, then the owner."""
    yard.settings = yard.settings.but(gold_images=0, votes_most=3)
    votes = {name: (yes, yes, yes) for name, yes in yard.truth.items()}
    votes["2.jpg"], votes["3.jpg"] = (True, False, True), (True, False, False)
    yard.ask()

    def turn(_: str) -> None:
        settle(NAME, store=yard.store, settings=yard.settings, now_ms=now_ms())
        yard.fill()

    def all_is_settled() -> bool:
        return len(yard.store.labels.held(NAME, 1)) == len(ASKED)

    watch = Watch(patience_seconds=60.0, stop=all_is_settled)
    done = yard.let(ReplayedCrowd(yard.truth, votes, seed=1), workers=6, owner=True, on_sent=turn, watch=watch)
    cast = yard.store.labels.votes(NAME, 1, [2, 3, 4])
    said = {
        row: [vote.says is Says.YES for vote in cast if vote.row == row and vote.worker != "me"] for row in (2, 3, 4)
    }
    # the first two are asked side by side, and whose task is sent first is the machine's affair
    first = {row: sorted(words[:2]) for row, words in said.items()}
    assert first == {2: [False, True], 3: [False, True], 4: [True, True]}
    assert {row: words[2:] for row, words in said.items()} == {2: [True], 3: [False], 4: []}
    held = {label.row: (label.says is Says.YES, label.source) for label in yard.store.labels.held(NAME, 1)}
    assert {row: yes for row, (yes, _) in held.items()} == {row: row % 2 == 0 for row in ASKED}
    assert done.answers + done.owner_answers == 62 + sum(one is Source.OWNER for _, one in held.values())


def test_a_lease_that_ends_under_a_worker_is_lost_and_they_go_on(yard: Yard) -> None:
    class Slow(ModelPerson):
        """Sits over the first assignment for two hours."""

        def answer(self, names: Sequence[str]) -> list[Look]:
            yard.skips_ms = 7_200_000
            return super().answer(names)

    class SlowCrowd(ModelCrowd):
        def people(self, count: int) -> list[Person]:
            return [Slow(KINDS[0], self, np.random.default_rng(number)) for number in range(count)]

    yard.ask(votes=1)
    done = yard.let(SlowCrowd(yard.truth, seed=3, errors=0.1), workers=1)
    assert (done.lost, done.assignments) == (1, 1)


def test_progress_is_told_and_a_wish_to_stop_is_heard(yard: Yard) -> None:
    yard.ask(range(10))
    yard.ask(range(10, 20), votes=3)
    heard: list[Progress] = []
    done = yard.let(
        ModelCrowd(yard.truth, seed=3), workers=1, watch=Watch(report=heard.append, stop=lambda: len(heard) > 0)
    )
    assert done.assignments == len(heard) == 1
    assert heard[0].done == done.answers


def test_a_crowd_that_is_offered_nothing_says_so_once(yard: Yard) -> None:
    told: list[str] = []
    done = yard.let(
        ModelCrowd(yard.truth, seed=3),
        workers=3,
        watch=Watch(1.5, idle=lambda: told.append("nothing offered"), idle_seconds=0.3),
    )
    assert (done.assignments, told) == (0, ["nothing offered"])


def test_a_picture_that_nothing_is_known_of_ends_the_simulation(yard: Yard) -> None:
    yard.ask()
    del yard.truth["4.jpg"]
    with pytest.raises(NotFound, match=r"the truth of '4\.jpg' is not known"):
        yard.let(ModelCrowd(yard.truth, seed=3))


def test_without_a_server_there_is_one_line(yard: Yard) -> None:
    with pytest.raises(NotReady, match=r"127\.0\.0\.1:9: no server answers.*Next: thresher serve"):
        simulate(Entry("http://127.0.0.1:9", "invite"), ModelCrowd(yard.truth, 1), album=yard.album, workers=2)


BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@contextmanager
def spoiled(url: str, reply: bytes, spoil: Callable[[int], bool]) -> Iterator[str]:
    """The address of a relay before a server; a connection whose number `spoil` names gets `reply` and is closed."""
    host, _, port = url.removeprefix("http://").partition(":")
    heard = 0

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            nonlocal heard
            asked = self.request.recv(65536)
            heard += 1
            if spoil(heard):
                self.request.sendall(reply)
                return
            with socket.create_connection((host, int(port))) as behind:
                # one request a connection, so that each is a chance to spoil
                head, _, body = asked.partition(b"\r\n\r\n")
                behind.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
                there = threading.Thread(target=_pump, args=(self.request, behind))
                there.start()
                _pump(behind, self.request)
                there.join()

    class Relays(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 128

    with Relays(("127.0.0.1", 0), Relay) as relays:
        thread = threading.Thread(target=relays.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{relays.server_address[1]}"
        relays.shutdown()
        thread.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Hand on what comes until one side closes."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("reply", [BUSY, b""], ids=["busy", "dropped"])
def test_a_request_that_fails_in_passing_is_made_again_and_nothing_counts_twice(yard: Yard, reply: bytes) -> None:
    yard.ask(votes=1)
    yard.store.people.invite(Invite("i", NAME, "", 1))
    with (
        serving(yard.store, yard.settings) as served,
        spoiled(served.url, reply, lambda number: number % 4 == 2) as url,
    ):
        invite = Links(yard.store.secret()).invite("i")
        done = simulate(Entry(url, invite), ModelCrowd(yard.truth, 3, errors=0.1), album=yard.album, workers=1)
    assert (done.assignments, done.answers, done.lost) == (1, 50, 0)
    assert sorted(vote.row for vote in yard.store.labels.votes(NAME, 1)) == list(ASKED)


@pytest.mark.parametrize(("reply", "error"), [(BUSY, TryLater), (b"", NotReady)], ids=["busy", "dropped"])
def test_a_server_that_stays_away_ends_the_simulation_after_a_few_tries(
    yard: Yard, reply: bytes, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thresher.workforce.simulated.PAUSES_SECONDS", (0.01, 0.02, 0.03))
    yard.ask(votes=1)
    yard.store.people.invite(Invite("i", NAME, "", 1))
    asked: list[int] = []

    def away(number: int) -> bool:
        asked.append(number)
        return number > 1

    with serving(yard.store, yard.settings) as served, spoiled(served.url, reply, away) as url:
        invite = Links(yard.store.secret()).invite("i")
        with pytest.raises(error):
            simulate(Entry(url, invite), ModelCrowd(yard.truth, 3), album=yard.album, workers=1)
    assert 5 <= len(asked) <= 9  # the first, and four tries of the second, which aiohttp makes twice if it was dropped


def test_whoever_waits_to_be_let_in_goes_when_the_simulation_is_stopped(yard: Yard) -> None:
    yard.settings = yard.settings.but(joins_address=1)
    yard.ask(votes=1)
    began = time.monotonic()
    watch = Watch(patience_seconds=float("inf"), stop=lambda: len(yard.store.people.all()) > 1 and settled(yard))
    done = yard.let(ModelCrowd(yard.truth, 3), workers=3, watch=watch)
    assert done.assignments == 1
    assert len([one for one in yard.store.people.all() if not one.owner]) == 1  # the two others waited for their minute
    assert time.monotonic() - began < 30.0


def settled(yard: Yard) -> bool:
    return not yard.store.categories.tally(NAME).tasks_open


def test_a_refused_invite_is_told_in_the_servers_words(yard: Yard) -> None:
    with (
        serving(yard.store, yard.settings) as served,
        pytest.raises(BadInput, match="the server answered 401: This invite"),
    ):
        simulate(Entry(served.url, "forged"), ModelCrowd(yard.truth, 1), album=yard.album, workers=1)


def test_the_whole_pinned_crowd_works_at_once(yard: Yard) -> None:
    yard.settings = replace(yard.settings).but(task_images=5)
    yard.ask(votes=3)
    for _ in range(3):
        yard.fill()
    done = yard.let(ModelCrowd(yard.truth, seed=5), workers=20)
    assert sum(done.kinds.values()) == 20
    assert done.kinds["careful"] == 14
    assert done.verdicts["accepted"] >= 6
