"""What stands before every route: known hosts, bounded bodies, strict headers, and a problem for every error."""

import contextlib
import json
import logging
import re
import shutil
import socket
from collections.abc import Iterator

import httpx
import pytest
from tests.serving import Served, serving

from thresher.client import WorkerClient
from thresher.server import middleware
from thresher.server.app import create_app
from thresher.server.middleware import BODY_BYTES, DISCARDED_BYTES, UPLOAD_BYTES, host_of, known_hosts
from thresher.settings import Settings
from thresher.store.contract import Store


def assert_problem(answer: httpx.Response, status: int, kind: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert set(told) == {"type", "title", "status", "detail", "where", "next"}
    assert (told["type"], told["status"]) == (f"urn:thresher:{kind}", status)
    assert told["detail"]
    assert "Traceback" not in answer.text
    assert_strict(answer)


def assert_strict(answer: httpx.Response) -> None:
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    assert "server" not in answer.headers


def test_the_server_says_that_it_is_well(server: Served) -> None:
    assert server.console.health().status == "ok"
    assert server.console.ready().status == "ok"
    assert_strict(server.http.get("/healthz"))
    assert server.http.get("/healthz").headers["cache-control"] == "no-store"


def test_a_server_whose_store_is_gone_is_healthy_and_not_ready(server: Served, store: Store) -> None:
    store.close()
    shutil.move(store.place, f"{store.place} elsewhere")
    assert server.http.get("/healthz").status_code == 200
    assert_problem(server.http.get("/readyz"), 503, "store-unavailable")


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/api/work/nowhere", 404, "not-found"),
        ("POST", "/healthz", 405, "method-not-allowed"),
        ("OPTIONS", "/api/work/send", 405, "method-not-allowed"),
        ("GET", "/api/work/me", 401, "denied"),
    ],
)
def test_what_is_refused_is_refused_with_a_problem(
    server: Served, method: str, path: str, status: int, kind: str
) -> None:
    assert_problem(server.http.request(method, path), status, kind)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"{", "body"),
        (b"", "body"),
        (b"[]", "body"),
        (b"{}", "body: invite"),
        (b'{"invite": 7}', "body: invite"),
        (b'{"invite": "x", "more": 1}', "body: more"),
        (b'{"invite": "x", "name": "' + b"x" * 81 + b'"}', "body: name"),
        (b'{"invite": "\xff"}', "body"),
        (b'{"invite": ' + b"[" * 50_000, "body"),
    ],
    ids=["cut", "empty", "list", "nothing in it", "number", "unknown member", "too long", "not UTF-8", "deep"],
)
def test_a_malformed_body_is_a_problem_that_names_the_place(server: Served, body: bytes, where: str) -> None:
    answer = server.http.post("/api/work/join", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert_problem(answer, answer.status_code, "bad-input" if answer.status_code == 422 else "bad-request")
    assert answer.status_code == 400 or answer.json()["where"].startswith(where)


@pytest.mark.parametrize("number", ["1e999", "NaN", "-1", "1e30", "99999999999999999999", '"two"', "null"])
def test_a_number_that_cannot_be_is_a_problem(server: Served, worker: WorkerClient, number: str) -> None:
    work = worker.deal("car")
    assert work is not None
    body = f'{{"sequence": {number}, "entries": [{{"position": 0, "says": "yes", "first_seconds": 1, "seconds": 1}}]}}'
    headers = {"Authorization": f"Bearer {work.token}", "Content-Type": "application/json"}
    assert_problem(server.http.put("/api/work/drafts", content=body, headers=headers), 422, "bad-input")
    body = f'{{"sequence": 1, "entries": [{{"position": 0, "says": "yes", "first_seconds": 1, "seconds": {number}}}]}}'
    assert_problem(server.http.put("/api/work/drafts", content=body, headers=headers), 422, "bad-input")


def test_what_was_sent_is_not_repeated_in_a_problem(server: Served) -> None:
    answer = server.http.post("/api/work/join", json={"invite": ["a secret"]})
    assert "a secret" not in answer.text


def test_a_long_list_from_somebody_unknown_is_not_even_read(server: Served) -> None:
    """A route reads its body before it asks who sends it: 16 MB of JSON would hold up everybody else."""
    address = "/api/console/categories/car/tasks"
    body = b'{"name": "x", "images": [' + b'"",' * BODY_BYTES + b'""]}'
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {server.token}"}):
        assert_problem(server.http.post(address, content=body, headers=headers), 401, "denied")
    short = server.http.post(address, json={"name": "x", "images": ["a"]})
    assert_problem(short, 401, "denied")


def test_a_body_that_is_too_long_is_refused_and_its_sender_hears_why(server: Served) -> None:
    answer = server.http.post("/api/work/join", content=b"x" * (BODY_BYTES + 1))
    assert_problem(answer, 413, "too-large")
    assert answer.json()["detail"] == "This address accepts at most 200,000 bytes."


def test_a_body_that_does_not_announce_its_length_is_refused_too(server: Served) -> None:
    parts = (b" " * 100_000 for _ in range(30))
    answer = server.http.post("/api/work/join", content=parts, headers={"Content-Type": "application/json"})
    assert_problem(answer, 413, "too-large")


def test_no_more_than_the_bound_is_kept_of_a_body_without_end(server: Served) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1_000_000
            yield b" " * 1_000_000

    with contextlib.suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        answer = server.http.post("/api/work/join", content=endless(), headers={"Content-Type": "application/json"})
        assert_problem(answer, 413, "too-large")
    assert sent < 2 * DISCARDED_BYTES


def test_a_sender_who_announces_much_and_sends_nothing_is_not_waited_for(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert middleware.DISCARD_SECONDS <= 5
    monkeypatch.setattr(middleware, "DISCARD_SECONDS", 0.3)
    for length in (BODY_BYTES + 1, DISCARDED_BYTES + 1):
        assert status_of(server, str(length)) == b"413"


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "99999999999999999999"])
def test_a_length_that_is_no_length_is_refused(server: Served, length: str) -> None:
    assert status_of(server, length) in (b"400", b"413")


def status_of(server: Served, length: str) -> bytes:
    """What is answered to a request that announces a body of that length and sends none of it."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        lines = ("POST /api/work/join HTTP/1.1", f"Host: {host}", f"Content-Length: {length}", "", "")
        line.sendall("\r\n".join(lines).encode())
        return line.makefile("rb").readline().split()[1]


def test_a_long_list_of_pictures_may_be_uploaded_and_a_longer_one_not(server: Served) -> None:
    headers = {"Authorization": f"Bearer {server.token}"}
    address = "/api/console/categories/car/tasks"
    names = [f"{number:064x}" for number in range(30_000)]
    assert len(json.dumps(names)) > BODY_BYTES
    answer = server.http.post(address, json={"name": "long", "images": names}, headers=headers)
    found = answer.json()
    assert (found["tasks"], found["images"], found["unknown"]) == ([], 0, 30_000)
    assert found["unknown_names"] == names[:100]
    assert_problem(server.http.post(address, content=b"x" * (UPLOAD_BYTES + 1), headers=headers), 413, "too-large")
    too_many = {"name": "long", "images": ["x"] * 100_001}
    assert_problem(server.http.post(address, json=too_many, headers=headers), 422, "bad-input")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "[", "10.0.0.7"])
def test_a_request_for_a_foreign_host_is_refused(server: Served, host: str) -> None:
    assert_problem(server.http.get("/healthz", headers={"Host": host}), 403, "unknown-host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8765", "[::1]:8765"])
def test_a_request_for_loopback_is_answered(server: Served, host: str) -> None:
    assert server.http.get("/healthz", headers={"Host": host}).status_code == 200


def test_beyond_loopback_the_public_name_and_literal_addresses_are_known(settings: Settings) -> None:
    local = known_hosts(settings)
    assert not local("192.168.1.5")
    assert not local("labels.example.org")
    public = known_hosts(settings.but(host="0.0.0.0", public_url="https://Labels.example.org:8443/x"))
    assert public("labels.example.org")
    assert public("192.168.1.5")
    assert public("fe80::1")
    assert not public("evil.example")
    assert host_of("[::1]:80") == "::1"


def test_an_error_that_nobody_foresaw_is_told_by_an_id_and_logged_with_it(
    store: Store, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(store, settings)

    @app.get("/break/{secret}")
    def _break(secret: str) -> None:
        raise ZeroDivisionError("the reason, for the log only")

    with serving(store, settings, app=app) as served, caplog.at_level(logging.ERROR, "thresher"):
        answer = served.http.get("/break/a-capability")
    assert_problem(answer, 500, "unexpected")
    assert "reason" not in answer.text
    (record,) = caplog.records
    mark = answer.json()["detail"].split()[-1].strip(".")
    assert mark in record.getMessage()
    assert "a-capability" not in record.getMessage()
    assert "the reason" in (record.exc_text or "")


def test_head_is_answered_as_get_with_equal_headers_and_no_body(store: Store, server: Served, small: Settings) -> None:
    """Monitors and link checkers ask by HEAD; each page and each route of the API answers it."""
    values = {"name": "car", "key": "x"}
    described = create_app(store, small).openapi()["paths"]
    paths = {path.format(**values) for path, methods in described.items() if "get" in methods}
    assert {"/healthz", "/api/console/categories/car/pictures"} <= paths
    paths |= {"/", "/work", "/join/x", "/static/worker/x", "/docs", "/openapi.json", "/nowhere"}
    headers = {"Authorization": f"Bearer {server.token}"}
    for path in sorted(paths):
        got, head = (server.http.request(method, path, headers=headers) for method in ("GET", "HEAD"))
        assert head.status_code == got.status_code != 405, path
        assert head.content == b""
        assert without_nonce(head) == without_nonce(got), path
    assert server.http.head("/api/work/send").status_code == 405


def without_nonce(answer: httpx.Response) -> dict[str, str]:
    found = {name: re.sub(r"'nonce-[^']*'", "", value) for name, value in answer.headers.items()}
    return {name: value for name, value in found.items() if name != "date"}
