"""SIGKILL at random points, run again: nothing lost, nothing twice. The real commands, the real disk."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.filled import tiny_backbone
from tests.pictures_for_tests import picture

from thresher.learn.embed import column_when_new
from thresher.settings import read_settings
from thresher.store import open_store
from thresher.store.contract import Store

PICTURES = 240
# so many that a picture whose answers the gate rejected still finds somebody who has not seen it
PEOPLE = ("--workers", "10")


def command(workspace: Path, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "thresher", "--workspace", str(workspace), *map(str, arguments)]


def kill_after(seconds: float, workspace: Path, *arguments: str | Path) -> bool:
    """Run a command in a process group of its own and kill the whole group; whether it was killed before it ended."""
    process = subprocess.Popen(
        command(workspace, *arguments),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        signal_group(process)
        process.wait()
        return True
    return False


def signal_group(process: "subprocess.Popen[bytes]") -> None:
    import os

    os.killpg(process.pid, signal.SIGKILL)


def finished(workspace: Path, *arguments: str | Path) -> str:
    done = subprocess.run(command(workspace, *arguments), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def opened(workspace: Path) -> Store:
    return open_store(workspace, read_settings(workspace, {}))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in range(PICTURES):
        (folder / f"{seed:04}.jpg").write_bytes(picture(seed))
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    place = tmp_path / "workspace"
    subprocess.run([sys.executable, "-m", "thresher", "init", str(place)], check=True, stdout=subprocess.DEVNULL)
    finished(place, "category", "add", "thing", "--question", "Is this a thing?")
    return place


def usual_seconds(workspace: Path, *arguments: str | Path) -> float:
    started = time.monotonic()
    finished(workspace, *arguments)
    return time.monotonic() - started


def test_a_harvest_killed_again_and_again_stores_each_picture_once(
    workspace: Path, photos: Path, tmp_path: Path, rounds: int
) -> None:
    draw = random.Random(1)
    finished(workspace, "category", "add", "warm", "--question", "Is this a warm-up?")
    few = tmp_path / "few"
    few.mkdir()
    (few / "one.jpg").write_bytes(picture(10_001))
    start_up = usual_seconds(workspace, "harvest", "warm", "--folder", few, "--processes", "2")
    for _ in range(rounds):
        kill_after(start_up * draw.uniform(0.5, 1.6), workspace, "harvest", "thing", "--folder", photos)
    finished(workspace, "harvest", "thing", "--folder", photos)
    finished(workspace, "check", "--mend")
    store = opened(workspace)
    rows = store.categories.pool("thing")
    names = sorted(alias.value for names in store.images.aliases(rows).values() for alias in names)
    assert names == [f"{seed:04}.jpg" for seed in range(PICTURES)]
    assert store.categories.tally("thing").images == len(rows) == PICTURES
    assert sorted(store.images.read_many(rows)) == sorted(path.read_bytes() for path in photos.iterdir())
    store.close()


def test_an_embedding_killed_again_and_again_ends_as_if_it_never_was(
    workspace: Path, photos: Path, rounds: int
) -> None:
    draw = random.Random(2)
    finished(workspace, "harvest", "thing", "--folder", photos)
    code = (
        "import sys; from pathlib import Path; from thresher.settings import read_settings; from thresher.store import"
        " open_store; from thresher.learn.embed import embed\n"
        "place = Path(sys.argv[1]); settings = read_settings(place, {}); store = open_store(place, settings)\n"
        "print(embed(store.categories.pool('thing'), store=store, settings=settings))"
    )
    for _ in range(rounds):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(workspace)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        try:
            process.wait(draw.uniform(1.0, 4.0))
        except subprocess.TimeoutExpired:
            signal_group(process)
            process.wait()
    subprocess.run([sys.executable, "-c", code, str(workspace)], check=True, stdout=subprocess.DEVNULL)
    killed = features(workspace)
    store = opened(workspace)
    store.columns.drop(column_when_new(read_settings(workspace, {})))
    store.close()
    subprocess.run([sys.executable, "-c", code, str(workspace)], check=True, stdout=subprocess.DEVNULL)
    np.testing.assert_allclose(killed, features(workspace), rtol=0, atol=2e-2)
    assert killed.shape[0] == PICTURES


def features(workspace: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    store = opened(workspace)
    rows = store.categories.pool("thing")
    matrix, present = store.columns.view(column_when_new(read_settings(workspace, {})))
    assert present[rows].all()
    copied = np.array(matrix[rows], dtype=np.float32)
    store.close()
    return copied


def test_labelling_killed_again_and_again_loses_no_answer_and_has_none_twice(
    workspace: Path, photos: Path, tmp_path: Path, rounds: int
) -> None:
    draw = random.Random(3)
    truth, gold = tmp_path / "truth.csv", tmp_path / "gold.csv"
    says = {f"{seed:04}.jpg": "yes" if seed % 3 == 0 else "no" for seed in range(PICTURES)}
    truth.write_text("file,truth\n" + "".join(f"{name},{answer}\n" for name, answer in says.items()))
    known = [n for n in says if says[n] == "yes"][:20] + [n for n in says if says[n] == "no"][:20]
    gold.write_text("file,answer\n" + "".join(f"{name},{says[name]}\n" for name in known))
    # embedding is killed above; here a small backbone leaves the time to what people and the loop do
    (workspace / "thresher.toml").write_text(
        f'backbone = "{tiny_backbone(tmp_path / "tiny.onnx")}"\nseed = 5\nrounds_most = 3\n'
        "first_images = 60\nround_images = 60\n"
    )
    finished(workspace, "harvest", "thing", "--folder", photos)
    finished(workspace, "gold", "import", "thing", gold)
    for _ in range(rounds):
        kill_after(draw.uniform(2.0, 7.0), workspace, "simulate", "thing", "--truth", truth, *PEOPLE)
    finished(workspace, "simulate", "thing", "--truth", truth, *PEOPLE)
    finished(workspace, "check", "--mend")
    assert_books_balance(workspace)


def assert_books_balance(workspace: Path) -> None:
    """Every vote once, none by one worker on one picture twice, never more workers than wanted."""
    store = opened(workspace)
    votes = store.labels.votes("thing", 1)
    assert votes
    pairs = [(vote.worker, vote.row) for vote in votes]
    assert len(pairs) == len(set(pairs))
    after, sent = "", 0
    while page := store.work.page("thing", after, 100):
        after = page[-1].id
        for assignment in page:
            positions = [given.position for given in assignment.answers]
            assert len(positions) in (0, len(assignment.dealt))
            assert positions == sorted(set(positions))
            sent += bool(positions)
    assert sent
    tasks = store.asks.tasks("thing", 0, 10_000)
    assert all(0 <= task.done <= task.taken <= task.places for task in tasks)
    found = json.loads(finished(workspace, "status", "--json"))[0]
    assert found["images"] == PICTURES
    store.close()
