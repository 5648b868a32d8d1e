"""Where a workspace lies, from the command line: copies between stores, lists of references, passwords unshown."""

import json
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.commands import is_one_clear_line, process, thresher
from tests.contract.things import answers, category, data, deal, images, new_image, publish
from tests.mongo_for_tests import mongo_place, replica_set

from thresher.compute.process import this_process
from thresher.loop.jobs import spawn
from thresher.records import Origin
from thresher.settings import child_at, read_settings
from thresher.store import open_store

__all__ = ["replica_set"]

PASSWORD = "open-sesame"


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "thresher", *map(str, arguments)]


@pytest.fixture
def cars(tmp_path: Path) -> Path:
    """A workspace with pictures, a task and answers under way."""
    place = tmp_path / "cars"
    assert thresher("init", place).returncode == 0
    with closing(open_store(place, read_settings(place, {}))) as store:
        rows = images(store, 12)
        category(store)
        store.categories.pool_add("car", rows, Origin("folder", at_ms=6))
        publish(store, rows[:4], places=2)
        held = deal(store, "w1")
        store.work.draft(held.id, answers(held)[:2], sequence=1, now_ms=300, lease_ms=10_000_000)
    return place


def same_pictures(place: str | Path, count: int = 12) -> bool:
    with closing(open_store(place, read_settings(Path("/nowhere"), {}))) as store:
        found = [store.images.read(row) for row in store.categories.pool("car").tolist()]
    return found == [data(seed) for seed in range(count)]


def test_a_workspace_is_copied_to_another_directory(cars: Path, tmp_path: Path) -> None:
    copied = process("store", "copy", cars, tmp_path / "new" / "cars")
    assert copied.returncode == 0, copied.stderr
    assert "12 images" in copied.stdout
    assert copied.stdout.strip().endswith("Counts and checksums are equal.")
    assert "compare images" in copied.stderr  # how far it is
    assert same_pictures(tmp_path / "new" / "cars")
    status = thresher("--workspace", tmp_path / "new" / "cars", "status", "--json")
    assert json.loads(status.stdout)[0]["images"] == 12


def test_a_copy_says_its_counts_and_checksums_to_a_machine_and_again_the_same(cars: Path, tmp_path: Path) -> None:
    first, again = (thresher("store", "copy", cars, tmp_path / "new", "--json") for _ in range(2))
    assert first.returncode == again.returncode == 0
    assert json.loads(first.stdout) == json.loads(again.stdout)
    assert json.loads(first.stdout)["counts"]["image"] == 12
    assert len(json.loads(first.stdout)["checksums"]["image"]) == 64


def test_a_copy_that_was_killed_goes_on(cars: Path, tmp_path: Path) -> None:
    with closing(open_store(cars, read_settings(cars, {}))) as store:
        store.images.put([new_image(seed, data=data(seed, 20_000)) for seed in range(100, 1600)])
    target = tmp_path / "new"
    copying = subprocess.Popen(command("store", "copy", cars, target), stderr=subprocess.DEVNULL)
    while copying.poll() is None and not any(target.glob("images/*.open.tar")):
        time.sleep(0.002)
    copying.kill()
    copying.wait()
    done = process("store", "copy", cars, target)
    assert done.returncode == 0, done.stderr
    assert "1,512 images" in done.stdout
    checked = thresher("--workspace", target, "check")
    assert checked.returncode == 0, checked.stdout


def test_ctrl_c_ends_a_copy_between_two_pages(cars: Path, tmp_path: Path) -> None:
    with closing(open_store(cars, read_settings(cars, {}))) as store:
        store.images.put([new_image(seed, data=data(seed, 20_000)) for seed in range(100, 1600)])
    target = tmp_path / "new"
    copying = subprocess.Popen(command("store", "copy", cars, target), stderr=subprocess.PIPE, text=True)
    while copying.poll() is None and not any(target.glob("images/*.open.tar")):
        time.sleep(0.002)
    copying.send_signal(signal.SIGINT)
    _, said = copying.communicate()
    # where it was quicker than the signal there was nothing left to interrupt
    assert copying.returncode == 0 or (copying.returncode == 130 and "Run the same command again" in said)
    assert thresher("store", "copy", cars, target).returncode == 0


def test_a_place_that_holds_another_workspace_is_left_alone(cars: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    thresher("init", other)
    with closing(open_store(other, read_settings(other, {}))) as store:
        images(store, 1)
    assert is_one_clear_line(thresher("store", "copy", cars, other), "another workspace", "copy to a new place")


def test_a_copy_onto_itself_and_one_of_nothing_are_one_line(cars: Path, tmp_path: Path) -> None:
    assert is_one_clear_line(thresher("store", "copy", cars, cars), "the same")
    assert is_one_clear_line(thresher("store", "copy", tmp_path / "none", tmp_path / "new"), "thresher init")
    assert not (tmp_path / "new").exists()
    assert is_one_clear_line(thresher("store", "copy", "oracle://x/y", tmp_path / "new"), "mongodb://")
    assert is_one_clear_line(thresher("--workspace", cars, "store", "copy", cars, tmp_path / "new"), "FROM TO")


@pytest.mark.mongo
def test_a_workspace_moves_to_mongodb_and_back(
    cars: Path, tmp_path: Path, request: pytest.FixtureRequest, replica_set: str
) -> None:
    address = mongo_place(request, tmp_path)
    there = process("store", "copy", cars, address, THRESHER_CACHE=str(tmp_path / "cache"))
    assert there.returncode == 0, there.stderr
    assert "Counts and checksums are equal." in there.stdout
    back = thresher("store", "copy", address, tmp_path / "back", THRESHER_CACHE=str(tmp_path / "cache"))
    assert back.returncode == 0, back.stderr
    assert same_pictures(tmp_path / "back")
    checked = thresher("--workspace", address, "check", THRESHER_CACHE=str(tmp_path / "cache"))
    assert "No problems remain." in checked.stdout


@pytest.mark.mongo
def test_a_directory_whose_settings_name_a_database_stands_for_it(
    cars: Path, tmp_path: Path, request: pytest.FixtureRequest, replica_set: str
) -> None:
    address = mongo_place(request, tmp_path)
    named = tmp_path / "named"
    named.mkdir()
    (named / "thresher.toml").write_text(f'store = "{address}"\n')
    done = thresher("store", "copy", cars, named, THRESHER_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    assert not (named / "catalog.sqlite").exists()
    back = thresher("store", "copy", named, tmp_path / "back", THRESHER_CACHE=str(tmp_path / "cache"))
    assert "12 images" in back.stdout


def test_a_list_of_references_becomes_a_pool(cars: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    lines = [f"{seed:064x},https://site.example/{seed}.jpg,640,480" for seed in range(5)]
    listed.write_text("\n".join(["sha256,url,width,height", *lines, "x,y,z,1"]) + "\n")
    done = thresher("--workspace", cars, "harvest", "car", "--references", listed)
    assert done.returncode == 0, done.stderr
    assert "5 new, 0 known, 1 refused of 6." in done.stdout
    assert "list.csv, line 7" in thresher("--workspace", cars, "refused", "car").stdout
    again = thresher("--workspace", cars, "harvest", "car", "--references", listed)
    assert "0 new, 5 known" in again.stdout
    both = thresher("--workspace", cars, "harvest", "car", "--references", listed, "--folder", tmp_path)
    assert is_one_clear_line(both, "--references", "--folder")


@pytest.mark.parametrize("arguments", [("init",), ("--workspace",), ("store", "copy", ".")])
@pytest.mark.parametrize(
    "unescaped", ["", "/", "?", "#", "@", "/27", "%", ":", "[", "@/", "/?"], ids=lambda mark: f"with {mark or 'none'}"
)
def test_a_password_is_in_no_message(arguments: tuple[str, ...], unescaped: str) -> None:
    """A password with a character that should have been escaped is the very address that does not work."""
    first, second = PASSWORD.split("-")
    for before in (first, "27017"):
        address = f"mongodb://user:{before}{unescaped}{second}@127.0.0.1:1/cars?serverSelectionTimeoutMS=100"
        more = ("status",) if arguments == ("--workspace",) else ()
        done = thresher(*arguments, address, *more)
        assert done.returncode == 2
        said = done.stdout + done.stderr
        assert first not in said
        assert second not in said
        assert "Next: " in said
        assert len(said.splitlines()) == 1


def test_settings_show_where_the_store_is_and_no_password() -> None:
    for flags in ((), ("--json",)):
        shown = thresher("settings", *flags, THRESHER_STORE=f"mongodb://user:{PASSWORD}@host/cars").stdout
        assert PASSWORD not in shown
        assert "mongodb://host/cars" in shown


@pytest.mark.mongo
def test_a_made_database_is_named_without_what_only_its_owner_may_know(
    request: pytest.FixtureRequest, tmp_path: Path, replica_set: str
) -> None:
    address = mongo_place(request, tmp_path)
    made = process("init", address, THRESHER_CACHE=str(tmp_path / "cache"))
    assert made.returncode == 0, made.stderr
    assert "replicaSet" not in made.stdout  # where there are options there is more to say than may be shown
    assert "THRESHER_STORE" in made.stdout
    listed = thresher("category", "list", THRESHER_STORE=address, THRESHER_CACHE=str(tmp_path / "cache"))
    assert listed.returncode == 0, listed.stderr


def test_a_process_of_ours_is_told_an_address_by_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THRESHER_STORE", "mongodb://elsewhere/other")
    address = f"mongodb://user:{PASSWORD}@host/cars"
    flags, environment = child_at(address)
    assert flags == []
    assert environment["THRESHER_STORE"] == address
    flags, environment = child_at("/a/directory")
    assert flags == ["--workspace", "/a/directory"]
    assert "THRESHER_STORE" not in environment  # it would be taken instead of the directory


@pytest.mark.mongo
@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")  # a job outlives who started it
def test_a_job_in_a_database_starts_without_its_address_on_the_command_line(
    request: pytest.FixtureRequest, replica_set: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THRESHER_CACHE", str(tmp_path / "cache"))
    with closing(open_store(mongo_place(request, tmp_path), read_settings(tmp_path), create=True)) as store:
        job = spawn("loop", arguments={"while_process": this_process()}, store=store, log=tmp_path / "log")
        while not (
            line := next((text for text in map(_read, Path("/proc").glob("[0-9]*/cmdline")) if job.id in text), "")
        ):
            time.sleep(0.01)
        assert "mongodb" not in line
        store.jobs.cancel(job.id)
        while store.jobs.get(job.id).state == "running":
            time.sleep(0.05)
        assert store.jobs.get(job.id).state == "cancelled"


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:  # it ended between being listed and being read
        return ""
