"""Clients that connect and do nothing, or do it slowly: the server goes on answering everybody else."""

import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from tests.server.test_serve import PROGRAM
from tests.serving import PATIENCE_SECONDS, serving

from thresher.server import connections, middleware
from thresher.server.app import Server, create_app
from thresher.server.connections import Connections
from thresher.settings import Settings
from thresher.store.contract import Store

WAIT = b"GET /wait HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of time, short enough for a test."""
    assert connections.HEAD_SECONDS <= 15
    assert connections.STUCK_SECONDS <= 60
    assert middleware.PIECE_SECONDS <= 30
    assert middleware.BODY_SECONDS <= 120
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.0)
    monkeypatch.setattr(connections, "STUCK_SECONDS", 1.0)
    monkeypatch.setattr(middleware, "PIECE_SECONDS", 1.0)
    monkeypatch.setattr(middleware, "BODY_SECONDS", 2.0)


@contextmanager
def connected(url: str, count: int, first: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections, on each of which the same bytes were sent."""
    host, port = url.removeprefix("http://").split(":")
    with ExitStack() as stack:
        lines = [stack.enter_context(socket.create_connection((host, int(port)), timeout=20)) for _ in range(count)]
        for line in lines:
            line.sendall(first)
        yield lines


def is_closed(line: socket.socket, seconds: float) -> bool:
    """Whether the server closes a connection within a time."""
    line.settimeout(seconds)
    try:
        while line.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def seconds_of_health(url: str) -> float:
    begun = time.perf_counter()
    assert httpx.get(f"{url}/healthz", timeout=20, verify=False).status_code == 200
    return time.perf_counter() - begun


@pytest.mark.parametrize(
    "first",
    [b"", b"GET /healthz HT", HEAD, b"POST /api/work/join HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999\r\n\r\n{"],
    ids=["nothing", "half a line", "half the headers", "half a body"],
)
def test_two_hundred_connections_that_stop_are_closed_and_others_are_answered(
    store: Store, settings: Settings, hurried: None, first: bytes
) -> None:
    with serving(store, settings) as server, connected(server.url, 200, first) as idle:
        assert seconds_of_health(server.url) < 2
        begun = time.monotonic()
        assert all(is_closed(line, 10) for line in idle)
        assert time.monotonic() - begun < 8
        assert seconds_of_health(server.url) < 2


@pytest.mark.parametrize(
    "head",
    [HEAD, b"POST /api/work/join HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999\r\n\r\n"],
    ids=["headers", "a body"],
)
def test_a_byte_now_and_then_does_not_keep_a_connection_open(
    store: Store, settings: Settings, hurried: None, head: bytes
) -> None:
    with serving(store, settings) as server, connected(server.url, 20, head) as lines:
        begun = time.monotonic()
        with suppress(ConnectionResetError, BrokenPipeError):
            while time.monotonic() - begun < 15:
                time.sleep(0.1)
                for line in lines:
                    line.sendall(b"x")
        assert time.monotonic() - begun < 10


def test_a_body_that_comes_too_slowly_is_told_so(store: Store, settings: Settings, hurried: None) -> None:
    head = b"POST /api/work/join HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\n{"
    with serving(store, settings) as server, connected(server.url, 1, head) as (line,):
        answer = line.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"urn:thresher:too-slow" in answer


def test_a_client_that_reads_no_answer_is_cut_off(store: Store, settings: Settings, hurried: None) -> None:
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with serving(store, settings) as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect((host, int(port)))
            line.sendall(asked * 200)
            time.sleep(4)
            assert is_closed(line, 10)
        assert seconds_of_health(server.url) < 2


def test_a_client_that_reads_slowly_keeps_its_connection(store: Store, settings: Settings, hurried: None) -> None:
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with serving(store, settings) as server, connected(server.url, 1, asked * 20) as (line,):
        got = b""
        while got.count(b"HTTP/1.1 200 OK") < 20:
            more = line.recv(65_536)
            assert more, "the connection was closed"
            got += more
            time.sleep(0.02)


@contextmanager
def limited(
    store: Store, settings: Settings, limits: Connections, working: int = 0
) -> Iterator[tuple[str, list[socket.socket]]]:
    """A server with these limits, where so many connections wait for an answer already; its address, and they."""
    up = threading.Event()
    heard: list[str] = []

    def ready(url: str) -> None:
        heard.append(url)
        up.set()

    app = create_app(store, settings)
    server = Server(app, settings.but(port=0), ready, limits=limits)

    begun = threading.Semaphore(0)

    @app.get("/wait")
    def _wait() -> str:
        begun.release()
        time.sleep(1.5)
        return "waited"

    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert up.wait(PATIENCE_SECONDS)
        with connected(heard[0], working, WAIT) as lines:
            assert all(begun.acquire(timeout=PATIENCE_SECONDS) for _ in lines)
            yield heard[0], lines
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)


@pytest.mark.parametrize(
    "limits",
    [lambda: Connections(20, 1000), lambda: Connections(1000, 20, free=lambda _: False)],
    ids=["in all", "from one address"],
)
def test_the_connection_idle_longest_makes_room_and_one_that_works_never_does(
    store: Store, settings: Settings, limits: Callable[[], Connections]
) -> None:
    made = limits()
    with limited(store, settings, made, working=5) as (url, working), connected(url, 100) as idle:
        assert seconds_of_health(url) < 2
        assert made.open_now <= 20
        assert is_closed(idle[0], 5)
        assert not is_closed(idle[-1], 0.1)
        for line in working:
            assert line.makefile("rb").read().endswith(b'"waited"')


def test_where_every_connection_works_a_further_one_is_told_to_come_later(store: Store, settings: Settings) -> None:
    with limited(store, settings, Connections(3, 1000), working=3) as (url, working):
        answer = httpx.get(f"{url}/healthz", verify=False)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:thresher:try-later")
        assert int(answer.headers["retry-after"]) > 0
        for line in working:
            assert line.makefile("rb").read()
        assert seconds_of_health(url) < 2


def test_loopback_where_a_proxy_may_stand_has_no_limit_of_its_own(store: Store, settings: Settings) -> None:
    made = Connections(1000, 5)
    with limited(store, settings, made) as (url, _), connected(url, 50):
        assert seconds_of_health(url) < 2
        assert made.open_now >= 50


@pytest.mark.parametrize(
    ("address", "counted_as", "limited"),
    [
        ("203.0.113.9", "203.0.113.9", True),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", True),
        ("10.1.2.3", "10.1.2.3", False),
        ("fd00::7", "fd00::/64", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("::1", "::1", False),
        ("", "", False),
    ],
)
def test_a_household_counts_as_one_and_a_proxy_has_no_limit(
    settings: Settings, address: str, counted_as: str, limited: bool
) -> None:
    made = Connections.of(settings.but(proxies="10.0.0.0/8, fd00::/16"))
    assert connections.home_of(address) == counted_as
    assert made.has_limit(counted_as) is limited


def test_a_process_with_few_files_answers_through_a_flood_and_logs_little(store: Store, tmp_path: Path) -> None:
    """Where a process has no file left for a connection, asyncio says so for each of them, again and again."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)

    def few_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400))

    with subprocess.Popen(
        [sys.executable, str(program), store.place, "127.0.0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=few_files,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            with connected(url, 600, HEAD):
                assert max(seconds_of_health(url) for _ in range(5)) < 2
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
    assert len(said) < 2_000
    assert process.returncode == 0


def test_a_thousand_malformed_requests_make_a_short_log(store: Store, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "thresher", "-w", store.place, "serve", "--port", "0", "--no-loop"]
    with (
        (tmp_path / "said").open("w") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1].partition("/?token=")[0]
        try:
            for _ in range(20):
                with connected(url, 50, b"\x00 no request\r\n\r\n") as lines:
                    assert all(line.makefile("rb").readline().startswith(b"HTTP/1.1 400") for line in lines)
            assert seconds_of_health(url) < 5
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
    written = (tmp_path / "said").read_text()
    assert "Invalid HTTP request received." in written
    assert len(written) < 10_000
