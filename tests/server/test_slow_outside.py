"""Sites that never answer, while other pages of the same server are read: a real server process, and a real tarpit."""

import asyncio
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median

import httpx
import pytest
from tests.pictures_for_tests import picture
from tests.server.people import add_category
from tests.site_for_tests import RunningSite, Site

from thresher.errors import NotReady, TryLater
from thresher.records import Alias, NewImage, Origin, now_ms
from thresher.server.lanes import Lane
from thresher.server.local import local_server
from thresher.server.pictures import Shown
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store
from thresher.store.references import FORGET_SECONDS, STRIKES, Failures
from thresher.workforce.links import Links

LIMIT_SECONDS = 3.0


class Tarpit:
    """Accepts connections, reads what comes, and never answers."""

    def __init__(self) -> None:
        self.asked = 0
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._socket.getsockname()[1]
        self._held: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                self._held.append(self._socket.accept()[0])
            except OSError:
                return
            self.asked += 1

    def close(self) -> None:
        self._socket.close()
        for held in self._held:
            held.close()


@pytest.fixture
def tarpit() -> Iterator[Tarpit]:
    made = Tarpit()
    yield made
    made.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with RunningSite() as running:
        yield running


@pytest.fixture
def far(settings: Settings) -> Settings:
    return settings.but(fetch_private=True, shown_seconds=LIMIT_SECONDS)


@pytest.fixture
def store(store: Store, far: Settings) -> Iterator[Store]:
    """A workspace that may read the sites of these tests."""
    opened = open_store(store.place, far)
    yield opened
    opened.close()


def reference(seed: int, url: str) -> NewImage:
    sha256 = hashlib.sha256(picture(seed)).hexdigest()
    return NewImage(sha256, None, 64, 48, "JPEG", bytes=1, aliases=(Alias("url", url),))


def seconds_of(ask: "httpx.Client", path: str) -> float:
    begun = time.perf_counter()
    assert ask.get(path).status_code == 200, path
    return time.perf_counter() - begun


@contextmanager
def thumbnails_asked(url: str, paths: list[str]) -> Iterator[list[httpx.Response]]:
    """Each path is asked for on a connection of its own, all at once; the answers are there after the block."""
    answers: list[httpx.Response] = []

    def ask(path: str) -> None:
        answers.append(httpx.get(url + path, timeout=120, verify=False))

    with ThreadPoolExecutor(len(paths)) as askers:
        for path in paths:
            askers.submit(ask, path)
        yield answers


def test_a_site_that_never_answers_keeps_no_other_page_waiting(
    store: Store, tarpit: Tarpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 references to a tarpit and 60 open thumbnails once kept the list of categories waiting for 79 s."""
    monkeypatch.setenv("THRESHER_FETCH_PRIVATE", "1")
    monkeypatch.setenv("THRESHER_SHOWN_SECONDS", str(LIMIT_SECONDS))
    add_category(store)
    rows = store.images.put([reference(n, f"http://127.0.0.1:{tarpit.port}/{n}.jpg") for n in range(100)])
    store.categories.pool_add("car", rows, Origin("references", at_ms=1))
    links = Links(store.secret())
    keys = [f"/api/console/thumbnails/{links.thumbnail(row, now_ms() + 10**7)}" for row in rows]
    with local_server(store.place, loop=False) as server:
        headers = {"Authorization": f"Bearer {server.token}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=60, verify=False) as ask:
            routes = ("/api/console/categories", "/api/console/categories/car/pictures", "/readyz", "/healthz")
            before = sorted(seconds_of(ask, route) for _ in range(10) for route in routes)
            begun = time.perf_counter()
            with thumbnails_asked(server.url, keys[:60]) as answers:
                times = []
                while len(answers) < 60:
                    times += [seconds_of(ask, route) for route in routes]
            waited = time.perf_counter() - begun
            p99 = sorted(times)[len(times) * 99 // 100]
            print(
                f"p99 {p99 * 1000:.0f} ms of {len(times)}; quiet {before[-1] * 1000:.0f} ms; all told in {waited:.1f} s"
            )
            # 60 threads of this test share the processors with the server; what waits for the site waits longer
            assert p99 < LIMIT_SECONDS / 2
            assert median(times) < 5 * before[-1]
            assert {answer.status_code for answer in answers} == {503}
            assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
            assert waited < LIMIT_SECONDS + 5
            asked, begun = tarpit.asked, time.perf_counter()
            assert ask.get(keys[99]).status_code == 503
            assert time.perf_counter() - begun < LIMIT_SECONDS / 2, "a site that did not answer is asked again"
            assert tarpit.asked == asked


def test_a_site_that_never_answers_keeps_no_other_site_waiting(
    store: Store, far: Settings, tarpit: Tarpit, site: Site
) -> None:
    dead = store.images.put([reference(n, f"http://127.0.0.1:{tarpit.port}/{n}.jpg") for n in range(40)])
    (alive,) = store.images.put([reference(41, site.url("/picture/41.jpg"))])
    shown = Shown(store, far)

    async def both() -> float:
        waiting = [asyncio.create_task(shown.webp(row, long_side=48)) for row in dead]
        await asyncio.sleep(0.1)
        begun = time.perf_counter()
        assert await shown.webp(alive, long_side=48)
        seconds = time.perf_counter() - begun
        assert not any(task.done() for task in waiting)
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(end) for end in ends} == {TryLater}
        return seconds

    assert asyncio.run(both()) < LIMIT_SECONDS / 2


def test_the_time_limit_counts_from_the_request_and_includes_the_waiting() -> None:
    async def crowd() -> list[float]:
        lane = Lane("test", at_once=2, waiting=100)

        async def one() -> float:
            begun = time.perf_counter()
            with pytest.raises(TryLater, match="time allowed"):
                await lane.run(lambda: time.sleep(0.5), seconds=0.3, by="a site")
            return time.perf_counter() - begun

        return await asyncio.gather(*(one() for _ in range(20)))

    assert max(asyncio.run(crowd())) < 1.0


def test_who_comes_when_the_lane_is_full_is_refused_at_once() -> None:
    async def crowd() -> None:
        lane = Lane("test", at_once=1, waiting=1)
        end = threading.Event()
        inside = [asyncio.create_task(lane.run(end.wait, seconds=30)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TryLater, match="as many images as it can") as refused:
            await lane.run(end.wait, seconds=30)
        assert refused.value.after_seconds > 0
        end.set()
        assert await asyncio.gather(*inside) == [True, True]
        assert await lane.run(end.wait, seconds=30)

    asyncio.run(crowd())


def test_a_call_that_nobody_waits_for_keeps_its_place_until_it_ends() -> None:
    """Else each page that gives up would leave one more thread with a site that never answers."""

    async def given_up() -> None:
        lane = Lane("test", at_once=1, waiting=0)
        end = threading.Event()
        with pytest.raises(TryLater, match="time allowed"):
            await lane.run(end.wait, seconds=0.05)
        with pytest.raises(TryLater, match="as many images as it can"):
            await lane.run(end.wait, seconds=0.05)
        end.set()
        while True:
            try:
                assert await lane.run(lambda: 7, seconds=30) == 7
            except TryLater:
                await asyncio.sleep(0.01)
            else:
                return

    asyncio.run(given_up())


def test_a_site_is_left_alone_after_two_timeouts_and_asked_again_later() -> None:
    now = [1000.0]
    failures = Failures(lambda: now[0])
    assert failures.add("http://a.example/1.jpg", "fetch-timeout") == FORGET_SECONDS
    assert failures.seconds_left("http://a.example/1.jpg") == FORGET_SECONDS
    assert failures.seconds_left("http://a.example/2.jpg") == 0
    for n in range(1, STRIKES):
        failures.add(f"http://user@A.example/{n + 2}.jpg", "fetch-timeout")
    assert failures.seconds_left("http://a.example/9.jpg") == FORGET_SECONDS
    assert failures.seconds_left("http://b.example/9.jpg") == 0
    now[0] += FORGET_SECONDS
    assert failures.seconds_left("http://a.example/9.jpg") == 0
    failures.clear("http://a.example/9.jpg")
    failures.add("http://a.example/9.jpg", "fetch-timeout")
    assert failures.seconds_left("http://a.example/8.jpg") == 0


def test_what_will_not_pass_is_told_as_before(store: Store, far: Settings, site: Site) -> None:
    (row,) = store.images.put([reference(43, site.url("/status/404"))])
    shown = Shown(store, far)
    for _ in range(2):
        with pytest.raises(NotReady, match="404"):
            asyncio.run(shown.webp(row, long_side=48))
