"""`thresher start`: one command from a folder to links that work; run again it continues, and nothing is half made."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier

import httpx
import pytest
from tests.cli.commands import is_one_clear_line, taken, thresher
from tests.pictures_for_tests import picture

from thresher.cli.start import _have_category, typed_at
from thresher.client import Console, WorkerClient
from thresher.errors import AlreadyThere
from thresher.records import RunningServer, now_ms
from thresher.server.listening import listening
from thresher.server.presence import this_host
from thresher.settings import FILE, Settings
from thresher.store import open_store
from thresher.store.contract import Store

QUESTION = "Is this a thing?"
IMAGES = 12


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(IMAGES):
        (folder / f"{number}.jpg").write_bytes(picture(number))
    return folder


class Started:
    """A running `thresher start`, and what it has printed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said = ""
        assert process.stdout
        for line in process.stdout:
            self.said += line
            if "Ctrl-C stops" in line:
                break

    def link(self, name: str) -> str:
        (found,) = re.findall(rf"^{name}: +(\S+)", self.said, re.MULTILINE)
        return str(found)

    def interrupted(self) -> int:
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=60)
        self.said += out
        return self.process.returncode


@contextmanager
def started(*arguments: str | Path, at: Path) -> Iterator[Started]:
    command = [sys.executable, "-m", "thresher", *map(str, arguments)]
    with subprocess.Popen(command, cwd=at, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield Started(process)
        finally:
            if process.poll() is None:
                process.kill()


def test_one_command_prints_links_that_open_and_the_same_command_continues(tmp_path: Path, photos: Path) -> None:
    with taken(8765):  # another workspace is served on the usual port
        with started("start", "thing", QUESTION, photos, at=tmp_path) as first:
            assert f"{IMAGES} new, 0 known" in first.said
            assert "Port 8765 is taken by another program, so the links of this run have another port." in first.said
            owner, invite, console = (first.link(name) for name in ("Answer yourself", "Invite others", "Console"))
            for link in (owner, invite, console):
                page = httpx.get(link, timeout=60)
                assert page.status_code == 200
                assert re.search(r'src="/static/[^"]+\.js"', page.text)
            (category,) = Console.from_link(console).categories()
            assert (category.name, category.question, category.images) == ("thing", QUESTION, IMAGES)
            assert category.targets.chosen
            work = WorkerClient.from_link(owner).deal("thing")
            assert work is not None
            assert WorkerClient.from_link(owner).data(work.pictures[0])
            assert not WorkerClient.join(invite).me().notice
            assert "(on this machine only)" in first.said
            again = started("start", "thing", QUESTION, photos, at=tmp_path)
            with again as second:
                assert "runs already" in second.said
                assert second.link("Console") == console
            assert first.interrupted() == 0
        with started("start", "thing", QUESTION, photos, at=tmp_path) as third:
            assert f"0 new, {IMAGES} known" in third.said
            token = owner.partition("#")[2]
            assert third.link("Answer yourself").endswith(token)
            assert WorkerClient.from_link(third.link("Answer yourself")).me().owner
            assert third.link("Invite others").rpartition("/")[2] == invite.rpartition("/")[2]
            assert third.interrupted() == 0


def test_what_cannot_be_started_is_one_line_and_makes_nothing(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert is_one_clear_line(thresher("start", "thing", QUESTION, tmp_path / "nowhere"), "nowhere", "is not there")
    assert is_one_clear_line(thresher("start", "thing", " ", photos), "question is empty")
    assert is_one_clear_line(thresher("start", "Not A Name", QUESTION, photos), "not a valid category name")
    named = thresher("start", "Not A Name", QUESTION, photos, at=tmp_path / "elsewhere")
    assert is_one_clear_line(named, "not a valid category name")
    assert is_one_clear_line(thresher("start", "photos", QUESTION, photos), "photos", "is no workspace")
    assert is_one_clear_line(thresher("start", "thing", QUESTION, tmp_path), "would lie in the folder of images")
    assert sorted(tmp_path.rglob("*")) == before


def test_another_question_under_the_same_name_is_refused(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert thresher("init", "thing").returncode == 0
    assert thresher("category", "add", "thing", "--question", QUESTION, at=tmp_path / "thing").returncode == 0
    other = "Isn't this a thing?"
    refused = thresher("start", "thing", other, photos)
    assert is_one_clear_line(refused, QUESTION)
    following = shlex.split(refused.stderr.partition(", or ")[2])
    assert following[0] == "thresher"
    assert thresher(*following[1:], "--yes").returncode == 0  # where the user stands
    with closing(open_store(tmp_path / "thing", Settings())) as store:
        assert store.categories.get("thing").question.text == other


def test_the_next_step_for_a_database_shows_no_password() -> None:
    place = "mongodb://me:secret@db.example/labels?tls=true"
    typed = typed_at(place, "category", "list")
    assert "secret" not in typed
    assert typed == "thresher category list, with THRESHER_STORE set to the whole address of the workspace"
    assert (
        typed_at("mongodb://db.example/labels", "status") == "thresher --workspace mongodb://db.example/labels status"
    )


@pytest.mark.parametrize(
    ("server", "public", "base", "remark"),
    [
        ({"url": "http://127.0.0.1:4"}, "", "http://127.0.0.1:4", True),
        ({"url": "http://[::1]:4"}, "", "http://[::1]:4", True),
        ({"url": "http://127.0.0.1:4"}, "https://labels.example/", "https://labels.example", False),
        ({"url": "http://192.0.2.7:4"}, "", "http://192.0.2.7:4", False),
        ({"url": "http://192.0.2.7:4", "host": "another"}, "", "http://192.0.2.7:4", False),
    ],
)
def test_the_links_of_a_running_server_say_whether_only_this_machine_reaches_them(
    store: Store, photos: Path, server: dict[str, str], public: str, base: str, remark: bool
) -> None:
    keep_server(store, **server)
    run = thresher("start", "thing", QUESTION, photos, at=Path(store.place), THRESHER_PUBLIC_URL=public)
    assert run.returncode == 0, run.stderr
    assert "A server of this workspace runs already." in run.stdout
    assert f"Answer yourself: {base}/work#t=" in run.stdout
    assert f"Console:         {base}/?token=" in run.stdout
    (invite,) = re.findall(rf"Invite others:   {re.escape(base)}/join/\S+(.*)", run.stdout)
    assert invite == (" (on this machine only)" if remark else "")


def test_where_the_running_server_is_for_another_machine_alone_start_serves_here(store: Store, photos: Path) -> None:
    keep_server(store, url="http://127.0.0.1:4", host="another")
    with listening("127.0.0.1", 0) as busy:  # which tells that it was to serve
        port = str(busy.getsockname()[1])
        run = thresher("start", "thing", QUESTION, photos, at=Path(store.place), THRESHER_PORT=port)
    assert run.returncode == 2
    assert f"port {port} is taken" in run.stderr
    assert "runs already" not in run.stdout


def keep_server(store: Store, *, url: str, host: str = "") -> None:
    """Record a server that runs now."""
    (Path(store.place) / FILE).touch()
    store.servers.keep(RunningServer("one", url, host or this_host(), os.getpid(), now_ms(), now_ms()))


def test_two_starts_at_once_both_end_with_links(tmp_path: Path, photos: Path) -> None:
    command = [sys.executable, "-m", "thresher", "start", "thing", QUESTION, str(photos)]
    runs = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    try:
        for one in map(Started, runs):
            assert httpx.get(one.link("Answer yourself"), timeout=60).status_code == 200, one.said
    finally:
        for run in runs:
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=60)


def test_two_starts_of_the_same_thing_at_once_make_one_category(store: Store, settings: Settings) -> None:
    both = Barrier(2)
    names = [f"thing-{number}" for number in range(20)]

    def begin(question: str) -> list[str]:
        refused = []
        with closing(open_store(store.place, settings)) as own:
            for name in names:
                both.wait(60)
                try:
                    _have_category(name, question, own, store.place)
                except AlreadyThere as error:
                    refused.append(str(error))
        return refused

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(begin, (QUESTION, QUESTION))) == [[], []]
        assert [category.name for category in store.categories.all()] == sorted(names)
        names = [f"other-{number}" for number in range(20)]
        told = [line for refused in threads.map(begin, (QUESTION, "Is it blue?")) for line in refused]
    assert len(told) == len(names)
    assert all("asks another question" in line for line in told)


def test_a_folder_without_images_is_told_and_no_server_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    run = thresher("start", "thing", QUESTION, tmp_path / "empty")
    assert is_one_clear_line(run, "no image was found", "empty")
