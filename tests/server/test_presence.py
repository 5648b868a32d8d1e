"""The workspace knows where its servers are: every printed link leads to one that runs, or says that none does."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tests.cli.commands import process, thresher
from tests.mongo_for_tests import mongo_place, replica_set
from tests.server.people import add_category
from tests.serving import serving

from thresher.errors import NotReady
from thresher.records import RunningServer, now_ms
from thresher.server import presence
from thresher.server.local import local_server
from thresher.server.presence import Presence, address_of, for_people, next_for_people, reached, running, this_host
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store

__all__ = ["replica_set"]

PATIENCE_SECONDS = 30


@pytest.fixture
def workspace(store: Store, tmp_path: Path) -> Path:
    (tmp_path / "workspace" / "thresher.toml").touch()
    add_category(store)
    return tmp_path / "workspace"


def server_at(url: str, **changes: object) -> RunningServer:
    made = RunningServer(url, url, this_host(), os.getpid(), now_ms(), now_ms())
    return replace(made, **changes)  # type: ignore[arg-type]  # the fields are those of the record


def gone_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    return ended.pid


@contextmanager
def serve(place: Path, *flags: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A running `thresher serve`: the address it prints, and its process."""
    command = [sys.executable, "-m", "thresher", "-w", str(place), "serve", "--no-loop", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        try:
            yield run.stdout.readline().split()[-1].partition("/?token=")[0], run
        finally:
            run.kill()


def eventually(fact: "object", what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not fact():  # type: ignore[operator]  # a function without arguments
        assert time.monotonic() < until, what
        time.sleep(0.05)


def test_an_invite_leads_to_the_server_that_runs_wherever_it_listens(workspace: Path) -> None:
    """With `serve --port 8811` running, an invite once led to port 8765, and with port 0 to none."""
    with serve(workspace, "--port", "0") as (url, _):
        made = thresher("invite", at=workspace)
        link = made.stdout.strip()
        assert link.startswith(f"{url}/join/")
        assert made.stderr == ""
        assert httpx.get(link, verify=False, timeout=20).status_code in (200, 503)  # 503: the pages are not built here
        assert f"A server runs at {url}." in thresher("status", at=workspace).stdout
        environment = {"THRESHER_PUBLIC_URL": "https://labels.example.org/"}
        public = thresher("invite", at=workspace, **environment).stdout
        assert public.startswith("https://labels.example.org/join/")
    # killed, and its record is still there: nobody believes it
    made = thresher("invite", at=workspace)
    assert made.stdout.startswith("http://127.0.0.1:8765/join/")
    assert made.stderr == "No server of this workspace runs. The link works while `thresher serve` does.\n"
    assert "No server runs" in thresher("status", at=workspace).stdout


def test_a_link_that_can_have_no_address_yet_is_refused_with_the_command_to_run(workspace: Path) -> None:
    refused = thresher("invite", at=workspace, THRESHER_PORT="0")
    assert refused.returncode == 2
    assert "Next: thresher serve, and then this command again" in refused.stderr


def test_a_server_that_ends_takes_its_record_along(workspace: Path, store: Store) -> None:
    with serve(workspace, "--port", "0") as (url, run):
        assert [one.url for one in store.servers.all()] == [url]
        run.send_signal(signal.SIGTERM)
        assert run.wait(PATIENCE_SECONDS) == 0
        assert store.servers.all() == []


def test_behind_a_proxy_the_public_address_is_the_one_that_links_have(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THRESHER_PUBLIC_URL", "https://labels.example.org/")
    with serve(workspace, "--port", "0"):
        monkeypatch.delenv("THRESHER_PUBLIC_URL")
        assert thresher("invite", at=workspace).stdout.startswith("https://labels.example.org/join/")


def test_only_a_server_with_a_fresh_heartbeat_and_a_living_process_runs(store: Store, settings: Settings) -> None:
    now = now_ms()
    for server in (
        server_at("http://a:1", pid=gone_pid(), started_ms=now + 5),
        server_at("http://a:2", heartbeat_ms=now - presence.STALE_MS - 1, started_ms=now + 4),
        server_at("http://b:3", host="another", pid=gone_pid(), heartbeat_ms=now - presence.STALE_MS - 1),
    ):
        store.servers.keep(server)
    assert running(store, now) == []
    assert next_for_people(store, settings) == "thresher serve"
    store.servers.keep(server_at("http://b:4", host="another", pid=gone_pid(), started_ms=now + 9))
    assert [one.url for one in running(store, now)] == ["http://b:4"]
    store.servers.keep(server_at("http://a:5", started_ms=now))
    assert [one.url for one in running(store, now)] == ["http://a:5", "http://b:4"], "this machine's come first"
    assert for_people(store, settings) == ("http://a:5", True)
    assert "http://a:5" in next_for_people(store, settings)


def test_links_lead_to_a_server_that_is_reached_from_here_if_one_runs(store: Store, settings: Settings) -> None:
    now = now_ms()
    store.servers.keep(server_at("http://127.0.0.1:1", host="another", started_ms=now + 2))
    assert reached(store, now) == []
    assert for_people(store, settings) == ("http://127.0.0.1:1", True)  # its own people can follow it
    store.servers.keep(server_at("http://192.0.2.7:2", host="another", started_ms=now))
    assert for_people(store, settings) == ("http://192.0.2.7:2", True)
    store.servers.keep(server_at("http://127.0.0.1:3", started_ms=now))
    assert for_people(store, settings) == ("http://127.0.0.1:3", True)
    assert [one.url for one in reached(store, now)] == ["http://127.0.0.1:3", "http://192.0.2.7:2"]


def test_a_new_server_forgets_killed_ones_and_leaves_those_of_other_machines(store: Store, settings: Settings) -> None:
    day = presence.FORGOTTEN_MS + 1
    store.servers.keep(server_at("http://a:1", pid=gone_pid()))
    store.servers.keep(server_at("http://b:2", host="another", started_ms=1))
    store.servers.keep(server_at("http://b:3", host="another", heartbeat_ms=now_ms() - day))
    here = Presence(store, settings)
    here.begin("http://127.0.0.1:4")
    assert [one.url for one in store.servers.all()] == ["http://127.0.0.1:4", "http://b:2"]
    before = store.servers.all()[0]
    store.servers.drop(before.id)  # as another one does that takes us for dead
    here.beat()
    assert [one.url for one in running(store, now_ms())] == ["http://127.0.0.1:4", "http://b:2"]
    here.end()
    assert [one.url for one in store.servers.all()] == ["http://b:2"]


@pytest.mark.mongo
def test_several_servers_of_one_database_are_known(
    request: pytest.FixtureRequest, tmp_path: Path, settings: Settings, replica_set: str
) -> None:
    place = mongo_place(request, tmp_path)
    settings = settings.but(cache=str(tmp_path / "cache"))
    with closing(open_store(place, settings, create=True)) as store, closing(open_store(place, settings)) as other:
        first, second = Presence(store, settings), Presence(other, settings)
        first.begin("http://127.0.0.1:1")
        second.begin("http://127.0.0.1:2")
        assert {one.url for one in running(store, now_ms())} == {"http://127.0.0.1:1", "http://127.0.0.1:2"}
        second.end()
        assert for_people(other, settings) == ("http://127.0.0.1:1", True)


def test_a_server_for_everybody_is_told_by_an_address_that_others_reach() -> None:
    assert address_of("127.0.0.1", 7) == "http://127.0.0.1:7"
    assert address_of("::1", 7) == "http://[::1]:7"
    assert address_of("labels.example.org", 7) == "http://labels.example.org:7"
    for host in ("0.0.0.0", "::"):
        assert address_of(host, 7) not in ("http://0.0.0.0:7", "http://[::]:7")


def test_an_invite_made_under_a_name_of_loopback_leads_where_others_can_follow(
    store: Store, settings: Settings
) -> None:
    """The owner of a server for everybody reads the console as localhost; its invites are for others."""
    with serving(store, settings) as local:
        headers = {"Authorization": f"Bearer {local.token}"}
        link = local.http.post("/api/console/invites", json={}, headers=headers).json()["link"]
        assert link.startswith(f"{local.url}/join/")
    if address_of("0.0.0.0", 1) == "http://127.0.0.1:1":
        return  # this machine reaches nobody
    with serve(Path(store.place), "--host", "0.0.0.0", "--port", "0") as (url, _):
        token = local.token
        port = url.rpartition(":")[2]
        made = httpx.post(
            f"http://127.0.0.1:{port}/api/console/invites",
            json={},
            headers={"Authorization": f"Bearer {token}"},
            verify=False,
            timeout=20,
        )
        assert made.json()["link"].startswith(f"{url}/join/")
        assert "127.0.0.1" not in url


def test_without_an_address_nothing_is_made(store: Store, settings: Settings) -> None:
    with pytest.raises(NotReady):
        for_people(store, settings.but(port=0))


def answers(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError:
        return False
    return True


OWNER_PROGRAM = """
import sys, time
from thresher.server.local import local_server
with local_server(sys.argv[1], loop=True) as server:
    print(server.url, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_a_command_started_ends_with_it_however_it_ends(
    workspace: Path, store: Store, tmp_path: Path, end: int
) -> None:
    """A killed `simulate` once left its server, and the loop beside it, running for ever."""
    program = tmp_path / "program.py"
    program.write_text(OWNER_PROGRAM)
    with subprocess.Popen([sys.executable, str(program), str(workspace)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        url = owner.stdout.readline().strip()
        assert answers(url)
        eventually(lambda: store.jobs.all(), "the server has started no loop")
        owner.send_signal(end)
        owner.wait(PATIENCE_SECONDS)
        eventually(lambda: not answers(url), "the server outlives the command that started it")
        eventually(lambda: store.jobs.all()[0].state != "running", "the loop outlives its server")
    assert running(store, now_ms()) == []


def test_a_server_whose_starter_is_gone_already_ends_at_once(workspace: Path) -> None:
    ended = process("serve", "--port", "0", "--no-loop", "--while-pid", str(gone_pid()), at=workspace)
    assert ended.returncode == 0


def test_a_server_started_for_a_block_lives_as_long_as_the_block(workspace: Path) -> None:
    with local_server(str(workspace), loop=False) as server:
        time.sleep(1.5)
        assert answers(server.url)
    assert not answers(server.url)
