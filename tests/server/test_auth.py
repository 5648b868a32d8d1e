"""Nobody is anybody until a token says so, and a token opens what it is for and nothing else."""

import ast
import logging
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.server.people import Pool, answer, entries
from tests.serving import Served, serving

from thresher.client import Console, WorkerClient
from thresher.errors import Denied, Gone, NotFound
from thresher.server.auth import console_link, console_token
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store
from thresher.workforce.links import Links

SOURCE = Path(__file__).parents[2] / "src/thresher"
CONSOLE_ROUTES = (
    ("GET", "/api/console/categories"),
    ("POST", "/api/console/categories"),
    ("GET", "/api/console/categories/car"),
    ("GET", "/api/console/categories/car/questions"),
    ("POST", "/api/console/categories/car/questions"),
    ("GET", "/api/console/categories/car/pictures"),
    ("GET", "/api/console/categories/car/rounds"),
    ("GET", "/api/console/categories/car/plan"),
    ("GET", "/api/console/categories/car/refusals"),
    ("GET", "/api/console/categories/car/workers"),
    ("GET", "/api/console/workers"),
    ("POST", "/api/console/workers/x/exclude"),
    ("POST", "/api/console/workers/x/admit"),
    ("GET", "/api/console/invites"),
    ("POST", "/api/console/invites"),
    ("DELETE", "/api/console/invites/x"),
    ("POST", "/api/console/categories/car/owner-link"),
    ("GET", "/api/console/categories/car/tasks"),
    ("POST", "/api/console/categories/car/tasks"),
    ("GET", "/api/console/jobs"),
    ("POST", "/api/console/jobs/x/cancel"),
)
WORKER_ROUTES = (("GET", "/api/work/me"), ("POST", "/api/work/assignments"))
ASSIGNMENT_ROUTES = (
    ("GET", "/api/work/assignment"),
    ("PUT", "/api/work/drafts"),
    ("POST", "/api/work/send"),
    ("POST", "/api/work/return"),
)
# bodies that pass, so that a refusal can only come from the token
BODIES: dict[tuple[str, str], dict[str, object]] = {
    ("POST", "/api/console/categories"): {"name": "bus", "question": "Is this a bus?"},
    ("POST", "/api/console/categories/car/questions"): {"question": "Is this an auto?", "keep_answers": True},
    ("POST", "/api/console/invites"): {},
    ("POST", "/api/console/workers/x/exclude"): {"why": "guesses"},
    ("POST", "/api/console/categories/car/tasks"): {"name": "mine", "images": ["x"]},
    ("POST", "/api/work/assignments"): {"category": "car"},
    ("PUT", "/api/work/drafts"): {"sequence": 1, "entries": []},
    ("POST", "/api/work/send"): {"entries": []},
}


def test_every_route_of_the_api_is_among_those_that_are_tried_here(server: Served) -> None:
    described = server.http.get("/openapi.json").json()["paths"]
    guarded = {
        (method.upper(), re.sub(r"\{\w+\}", "x", path.replace("{name}", "car")))
        for path, operations in described.items()
        for method, operation in operations.items()
        if operation.get("security")
    }
    assert guarded == {*CONSOLE_ROUTES, *WORKER_ROUTES, *ASSIGNMENT_ROUTES}
    open_to_all = {
        path
        for path, operations in described.items()
        for operation in operations.values()
        if "security" not in operation
    }
    assert open_to_all == {
        "/api/work/join", "/api/work/pictures/{key}", "/api/console/thumbnails/{key}", "/healthz", "/readyz",
    }  # fmt: skip


def test_a_token_for_something_else_is_as_good_as_none(server: Served, worker: WorkerClient, store: Store) -> None:
    work = worker.deal("car")
    assert work is not None
    invite = server.console.invites()[0].link.rpartition("/")[2]
    foreign = Links(b"the secret of another workspace!").worker("someone")
    tokens = (server.token, worker.token, work.token)
    for routes, right in zip((CONSOLE_ROUTES, WORKER_ROUTES, ASSIGNMENT_ROUTES), tokens, strict=True):
        wrong = [
            "",
            "Bearer",
            "Bearer x",
            "Bearer \xff\xfe",
            f"Bearer {right[:-1]}",
            f"Bearer {right}x",
            f"Basic {right}",
        ]
        wrong += [f"Bearer {token}" for token in (*tokens, invite, foreign) if token != right]
        for method, path in routes:
            for sent in wrong:
                answer = ask(server, method, path, sent)
                assert answer.status_code == 401, (method, path, sent, answer.text)
                assert answer.json()["type"] == "urn:thresher:denied"
                assert answer.headers["www-authenticate"] == "Bearer"
        # the last ones end an assignment, so that the right token is tried after all the wrong ones
        for method, path in routes:
            assert ask(server, method, path, f"Bearer {right}").status_code in (200, 201, 204, 404, 410, 422)


def ask(server: Served, method: str, path: str, authorization: str) -> httpx.Response:
    headers = {b"Authorization": authorization.encode("latin-1")} if authorization else {}
    return server.http.request(method, path, headers=headers, json=BODIES.get((method, path)))


def test_the_consoles_token_stays_the_same_in_a_workspace_and_differs_between_two(
    tmp_path: Path, settings: Settings
) -> None:
    made = [open_store(tmp_path / name, settings, create=True) for name in ("one", "two")]
    first, second = (console_token(store, settings) for store in made)
    again = open_store(tmp_path / "one", settings)
    assert first == console_token(again, settings) != second
    assert len(first) >= 32
    for store in (*made, again):
        store.close()


def test_the_consoles_token_can_be_chosen(store: Store, settings: Settings) -> None:
    chosen = settings.but(token="a token of my own")
    with serving(store, chosen) as served:
        link = console_link(served.url, store, chosen)
        assert Console(served.url, "a token of my own").categories() == []
        assert Console.from_link(link).categories() == []
        with pytest.raises(Denied):
            Console(served.url, console_token(store, settings)).categories()


def test_an_invite_mints_another_link_for_each_person(join: Callable[[], WorkerClient], server: Served) -> None:
    first, second = join(), join()
    assert first.token != second.token
    assert [one.me().name for one in (first, second)] == ["Ada", "Ada"]
    assert len(server.console.workers()) == 2


def test_a_withdrawn_invite_mints_no_more_and_the_links_it_minted_open_no_more_tasks(
    worker: WorkerClient, server: Served, join: Callable[[], WorkerClient]
) -> None:
    (invite,) = server.console.invites()
    server.console.revoke_invite(invite.id)
    with pytest.raises(Gone):
        join()
    assert server.console.invites()[0].revoked
    assert worker.me().offers == []


@pytest.mark.parametrize("invite", ["", "x", "x.y", "ü", "é" * 200, "x" * 512])
def test_a_forged_invite_opens_nothing(server: Served, invite: str) -> None:
    answer = server.http.post("/api/work/join", json={"invite": invite})
    assert answer.status_code == 401


def test_an_invite_that_was_never_made_opens_nothing_though_it_is_signed(server: Served, store: Store) -> None:
    signed = Links(store.secret()).invite("nobody")
    assert server.http.post("/api/work/join", json={"invite": signed}).status_code == 401
    with pytest.raises(NotFound):
        server.console.revoke_invite("nobody")


def test_no_token_is_ever_logged_and_no_cookie_ever_set(
    server: Served, worker: WorkerClient, store: Store, pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    work = worker.deal("car")
    assert work is not None
    invite = server.console.invites()[0].link.rpartition("/")[2]
    for path in (f"/?token={server.token}", f"/join/{invite}", work.pictures[0], "/nowhere"):
        assert "set-cookie" not in server.http.get(path).headers
    worker.keep_drafts(work.token, 1, entries(work))
    answer(worker, work, store, pool)
    said = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))
    )
    key = work.pictures[0].rpartition("/")[2]
    for secret in (server.token, worker.token, work.token, invite, key, store.secret().hex()):
        assert secret not in said


SECRETS = {"token", "secret", "signature", "receipt", "sent", "credentials", "console_token", "key"}


def test_secrets_are_compared_in_constant_time_only() -> None:
    """`==` stops at the first byte that differs, and so tells by its time how many were right."""
    compared = [
        f"{file.name}, line {node.lineno}"
        for file in [*SOURCE.glob("server/**/*.py"), SOURCE / "workforce/links.py"]
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Compare) and any(isinstance(sign, ast.Eq | ast.NotEq) for sign in node.ops)
        if any(_name(side) in SECRETS for side in (node.left, *node.comparators))
    ]
    assert compared == []


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def test_the_owners_link_opens_the_owners_own_work(server: Served, store: Store, pool: Pool) -> None:
    owner = WorkerClient.from_link(server.console.owner_link("car"))
    assert owner.me().owner
    assert WorkerClient.from_link(server.console.owner_link("car")).token == owner.token
    work = owner.deal("car")
    assert work is not None
    assert answer(owner, work, store, pool).verdict == "accepted"
    assert [one.owner for one in server.console.workers("car")] == [True]
