"""The command line as a person meets it: one line an error, exit code 2, and what Ctrl-C does."""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.commands import is_one_clear_line, process, thresher
from tests.pictures_for_tests import picture

from thresher.settings import read_settings
from thresher.store import open_store

# Python itself dies of the signal where a library was interrupted amid its import; a shell shows 130 for both
INTERRUPTED = (130, -signal.SIGINT)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("cli")
    photos = place / "photos"
    photos.mkdir()
    for seed in range(12):
        (photos / f"{seed}.jpg").write_bytes(picture(seed))
    (photos / "broken.jpg").write_bytes(picture(99)[:200])
    (photos / "notes.txt").write_text("no picture")
    assert process("init", place / "cars").returncode == 0
    added = process("category", "add", "car", "--question", "Does this image contain a car?", at=place / "cars")
    assert added.returncode == 0, added.stderr
    harvested = process("harvest", "car", "--folder", photos, "--processes", "1", at=place / "cars")
    assert harvested.returncode == 0, harvested.stderr
    return place / "cars"


def test_help_opens_at_once() -> None:
    """By the processor's clock, for the suite shares two cores: 0.3 s on a quiet machine."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert process("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.6


def test_a_bare_import_loads_no_heavy_library() -> None:
    heavy = "numpy,scipy,sklearn,onnx,onnxruntime,PIL,pyarrow,fastapi,uvicorn,aiohttp,pydantic,rich"
    code = f"import sys, thresher, thresher.cli.main; print([m for m in '{heavy}'.split(',') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_command_waits_for_what_takes_longer_to_load_than_to_run() -> None:
    code = "import sys, thresher.loop.ship, thresher.cli.crowd; print('scipy.stats' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_was_harvested_is_counted_and_what_was_refused_is_listed(workspace: Path) -> None:
    found = json.loads(process("status", "--json", at=workspace).stdout)
    assert [(row["category"], row["images"], row["unknown"]) for row in found] == [("car", 12, 12)]
    listed = process("refused", "car", at=workspace).stdout
    assert "broken.jpg" in listed


def test_the_status_says_what_a_category_waits_for(workspace: Path) -> None:
    said = process("status", at=workspace).stdout.splitlines()
    assert said[-1].startswith("car waits for more known answers (gold): 20 yes and 20 no are needed")


def test_harvesting_again_adds_nothing(workspace: Path) -> None:
    again = thresher("harvest", "car", "--folder", workspace.parent / "photos", "--processes", "1", at=workspace)
    assert "0 new" in again.stdout
    assert json.loads(thresher("status", "--json", at=workspace).stdout)[0]["images"] == 12


def test_a_workspace_is_found_from_a_folder_inside_it(workspace: Path) -> None:
    inside = workspace / "columns"
    inside.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "thresher", "category", "list"], cwd=inside, capture_output=True, text=True, check=False
    )
    assert "Does this image contain a car?" in done.stdout


def test_a_missing_workspace_names_init(tmp_path: Path) -> None:
    assert is_one_clear_line(thresher("status", at=tmp_path), "thresher init")


def test_an_unknown_category_names_the_known_ones(workspace: Path) -> None:
    assert is_one_clear_line(thresher("run", "cat", at=workspace), "cat", "car")


def test_a_missing_folder_is_one_line(workspace: Path) -> None:
    assert is_one_clear_line(thresher("harvest", "car", "--folder", "/nowhere/at/all", at=workspace), "/nowhere/at/all")


def test_a_missing_tar_is_one_line(workspace: Path) -> None:
    assert is_one_clear_line(thresher("harvest", "car", "--tar", "/nowhere.tar", at=workspace), "/nowhere.tar")


def test_harvest_wants_exactly_one_source(workspace: Path) -> None:
    assert is_one_clear_line(thresher("harvest", "car", at=workspace), "--folder")


def test_an_import_of_gold_says_how_much_is_missing_of_which_class(workspace: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold.csv"
    gold.write_text("file,answer\n0.jpg,yes\n1.jpg,yes\n2.jpg,no\n")
    own = shutil.copytree(workspace, tmp_path / "own")
    said = " ".join(thresher("gold", "import", "car", gold, at=own).stdout.split())
    assert "car has 2 yes and 1 no gold." in said
    assert "The gate is provisional: it needs 18 more yes and 19 more no gold" in said


def test_a_bad_line_of_a_csv_is_named_and_nothing_is_taken(workspace: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold.csv"
    gold.write_text("file,answer\n0.jpg,yes\n1.jpg,perhaps\n")
    done = thresher("gold", "import", "car", gold, at=workspace)
    assert is_one_clear_line(done, "gold.csv", "line 3", "perhaps")
    assert json.loads(thresher("status", "--json", at=workspace).stdout)[0]["yes"] == 0


@pytest.mark.parametrize(
    ("mistake", "word"),
    [
        (("serve", "--port", "abc"), "--port"),
        (("harvst",), "Did you mean 'harvest'?"),
        (("status", "--jsn"), "--jsn"),
        (("harvest",), "name"),
        (("release", "car"), "--to"),
        (("category", "ad"), "thresher category --help"),
    ],
)
def test_a_mistyped_command_is_one_line_that_names_the_help(
    workspace: Path, mistake: tuple[str, ...], word: str
) -> None:
    assert is_one_clear_line(thresher(*mistake, at=workspace), word, "Next: thresher", "--help")


def test_an_empty_question_is_no_question(workspace: Path) -> None:
    done = thresher("category", "add", "blank", "--question", " ", at=workspace)
    assert is_one_clear_line(done, "--question", "thresher category add blank")
    assert is_one_clear_line(thresher("category", "reword", "car", "--question", "", at=workspace), "--question")


def test_a_folder_without_anything_says_so(workspace: Path, tmp_path: Path) -> None:
    done = thresher("harvest", "car", "--folder", tmp_path, at=workspace)
    assert "The source holds no images." in done.stdout


def test_a_truth_without_a_yes_names_the_flag(workspace: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("file,truth\n0.jpg,shirt\n")
    assert is_one_clear_line(thresher("simulate", "car", "--truth", truth, at=workspace), "truth.csv", "--positive")


def test_a_place_that_cannot_be_written_names_it_and_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert is_one_clear_line(thresher("init", tmp_path / "file" / "cars"), "file", "Next:")


def group(*arguments: str | Path, at: Path) -> "subprocess.Popen[str]":
    """A command with a process group of its own, to which a terminal's Ctrl-C can be sent."""
    return subprocess.Popen(
        [sys.executable, "-m", "thresher", "--workspace", str(at), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def at_work(process: "subprocess.Popen[str]", seconds: float) -> None:
    """Wait until a process has worked that long by the processor's clock, or has been waiting itself for a second."""
    worked, since = 0.0, time.monotonic()
    while worked < seconds and time.monotonic() - since < 1:
        time.sleep(0.01)
        told = Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        now = (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
        worked, since = now, (time.monotonic() if now > worked else since)


@pytest.mark.parametrize("seconds", [0.12, 0.3, 0.8])
def test_an_interrupted_start_is_told_in_one_line(workspace: Path, seconds: float) -> None:
    with group("run", "car", at=workspace) as process:
        at_work(process, seconds)  # the libraries are being imported, or the first turn has begun
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=180)
    assert "Traceback" not in said
    assert process.returncode in INTERRUPTED
    assert "interrupted. Run the same command again" in said


def test_a_loop_that_waits_for_people_says_how_they_come_in_and_that_it_was_interrupted(workspace: Path) -> None:
    with group("run", "car", at=workspace) as process:
        assert process.stdout is not None
        heard = ""
        while "thresher serve" not in heard:
            heard = process.stdout.readline()
            assert heard, "the loop ended"
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=180)
    assert process.returncode in INTERRUPTED
    assert "interrupted. Run the same command again" in said


def test_a_simulation_stops_at_the_first_ctrl_c_and_without_a_trace_at_the_second(
    workspace: Path, tmp_path: Path
) -> None:
    truth, place, photos = tmp_path / "truth.csv", tmp_path / "cars", workspace.parent / "photos"
    truth.write_text("file,truth\n" + "".join(f"{n}.jpg,{'yes' if n % 2 else 'no'}\n" for n in range(12)))
    assert thresher("init", place).returncode == 0
    for times in (1, 2):
        name = f"car{times}"
        assert thresher("category", "add", name, "--question", "Is it a car?", at=place).returncode == 0
        assert thresher("harvest", name, "--folder", photos, "--processes", "1", at=place).returncode == 0
        with group("simulate", name, "--truth", truth, "--workers", "1", at=place) as process:
            while joined(place) < times:  # one of the crowd of each category: now it is at work
                assert process.poll() is None
                time.sleep(0.02)
            for _ in range(times):
                os.killpg(process.pid, signal.SIGINT)
                time.sleep(0.05)
            said, _ = process.communicate(timeout=180)
        assert "Traceback" not in said
        assert process.returncode in INTERRUPTED, said
        assert "no server answers" not in said


def joined(place: Path) -> int:
    """How many people have come by an invite."""
    with closing(open_store(str(place), read_settings(place, {}))) as store:
        return sum(bool(person.invite) for person in store.people.all())


def test_while_serve_keeps_the_loop_going_the_console_says_that_it_runs(workspace: Path) -> None:
    with group("serve", "--port", "0", at=workspace) as process:
        assert process.stdout is not None
        url, token = process.stdout.readline().split()[-1].split("/?token=")
        process.stdout.readline()
        asked = urllib.request.Request(
            f"{url}/api/console/categories/car", headers={"Authorization": f"Bearer {token}"}
        )

        def runs() -> bool:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return bool(json.load(answer)["loop_running"])

        deadline = time.monotonic() + 60
        while not runs() and time.monotonic() < deadline:
            time.sleep(0.1)
        # the loop holds its lease in some of these moments and in most of them not
        found = [runs() for _ in range(20)]
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=180)
    assert found == [True] * 20


def test_a_server_that_finds_its_port_taken_has_started_no_loop(workspace: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        before = jobs(workspace)
        port = taken.getsockname()[1]
        assert is_one_clear_line(process("serve", "--port", str(port), at=workspace), str(port), "--port 0")
        assert jobs(workspace) == before


def jobs(workspace: Path) -> int:
    store = open_store(str(workspace), read_settings(workspace, {}))
    try:
        return len(store.jobs.all())
    finally:
        store.close()


def test_a_name_that_could_leave_the_workspace_is_no_name(workspace: Path) -> None:
    done = thresher("category", "add", "../etc", "--question", "Does it climb?", at=workspace)
    assert is_one_clear_line(done, "../etc")


def test_releasing_before_anything_is_decided_says_what_the_category_waits_for(workspace: Path, tmp_path: Path) -> None:
    (status,) = json.loads(thresher("status", "--json", at=workspace).stdout)
    refused = process("release", "car", "--to", tmp_path / "out", at=workspace)
    assert is_one_clear_line(refused, status["waits for"], f"Next: {status['next']}")


def test_check_finds_a_fresh_workspace_sound(workspace: Path) -> None:
    done = thresher("check", at=workspace)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No problems remain." in done.stdout


def test_init_refuses_a_directory_that_is_a_workspace(workspace: Path) -> None:
    assert is_one_clear_line(thresher("init", workspace), "is a workspace already")


def test_names_that_others_gave_are_shown_as_they_are_and_move_no_terminal(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    (photos / "[").mkdir(parents=True)
    for name in ("[/red].jpg", "\x1b]0;title\x07\x1b[31m.jpg", "\u202egpj.exe", "[bold]b.jpg"):
        (photos / name).write_bytes(b"no picture")
    assert thresher("init", tmp_path / "cars").returncode == 0
    question = "Is it a [/b] or a [red]?"
    assert thresher("category", "add", "car", "--question", question, at=tmp_path / "cars").returncode == 0
    assert thresher("harvest", "car", "--folder", photos, at=tmp_path / "cars").returncode == 0
    listed = process("refused", "car", at=tmp_path / "cars")
    assert listed.returncode == 0, listed.stderr
    told = listed.stdout.replace("\n", "")
    assert told.isprintable()
    assert "[/red].jpg" in told
    assert "[bold]b.jpg" in told
    assert "\\u202egpj.exe" in told
    assert question in process("category", "list", at=tmp_path / "cars").stdout


def test_a_workspace_is_its_owners_alone(workspace: Path) -> None:
    """The catalog holds the key of every link, the settings may hold a token, the rest is people's pictures."""
    for name, mode in (("catalog.sqlite", 0o600), ("thresher.toml", 0o600), ("images", 0o700), ("columns", 0o700)):
        assert (workspace / name).stat().st_mode & 0o777 == mode, name
