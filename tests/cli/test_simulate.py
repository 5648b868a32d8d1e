"""A simulated crowd at the command line."""

import json
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.filled import NAME, fill, new_image
from tests.pictures_for_tests import picture

from thresher.cli import crowd
from thresher.cli.main import main
from thresher.errors import BadInput, BadLine
from thresher.pictures import render
from thresher.records import OWNER, Alias, NewAsk, NewTask, Origin, Purpose, Targets, Worker, now_ms
from thresher.settings import Settings, read_settings
from thresher.store import open_store
from thresher.store.contract import Store
from thresher.workforce.album import Album
from thresher.workforce.truth import Truth, read_truth


def truth_of(path: Path, *lines: str) -> Truth:
    path.write_text("\n".join(("file,truth", *lines)), "utf-8")
    return read_truth(path, "yes")


def album(truth: Truth, store: Store, settings: Settings) -> Album:
    return crowd.album_of(truth, NAME, store, settings, lambda _: None)


def test_a_truth_names_images_of_the_pool_and_what_it_names_besides_is_told(
    store: Store, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(store, 2)
    fill(store, 1, name="other", first=9)
    truth = truth_of(tmp_path / "t.csv", "0.jpg,yes", "9.jpg,no", "1.jpg,no", "x.jpg,no")
    shown = render(picture(1), long_side=settings.shown_pixels)
    assert album(truth, store, settings).names_of([shown]) == ["1.jpg"]
    said = capsys.readouterr().out
    assert "t.csv: 2 names are of no image of thing: '9.jpg' (line 3), 'x.jpg' (line 5)." in said
    assert "not in it" not in said
    album(truth_of(tmp_path / "t.csv", "0.jpg,yes"), store, settings)
    assert "t.csv: 1 of the 2 images of thing is not in it; to meet one ends the run." in capsys.readouterr().out
    with pytest.raises(BadInput, match=r"t\.csv: none of its names is in the pool of thing"):
        album(truth_of(tmp_path / "t.csv", "9.jpg,yes"), store, settings)


def test_a_truth_may_name_files_without_their_folders_as_labels_may(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    aliases = ("a/5.jpg", "b/6.jpg", "c/7.jpg", "d/7.jpg")
    rows = store.images.put(
        [replace(new_image(5 + at), aliases=(Alias("file", name),)) for at, name in enumerate(aliases)]
    )
    fill(store, 0)
    store.categories.pool_add(NAME, rows, Origin("test"))
    truth = truth_of(tmp_path / "t.csv", "5.jpg,yes", "photos/b/6.jpg,no", "e/6.jpg,yes")
    shown = [render(picture(seed), long_side=settings.shown_pixels) for seed in (5, 6)]
    assert album(truth, store, settings).names_of(shown) == ["5.jpg", "photos/b/6.jpg"]
    with pytest.raises(BadLine, match=r"t\.csv, line 2: 2 images of thing are called '7\.jpg'"):
        album(truth_of(tmp_path / "t.csv", "7.jpg,yes"), store, settings)


def test_a_truth_that_names_several_images_or_one_of_two_truths_is_refused(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    rows = fill(store, 2)
    (namesake,) = store.images.put([replace(new_image(5), aliases=(Alias("file", "0.jpg"),))])
    store.categories.pool_add(NAME, [namesake], Origin("test"))
    with pytest.raises(
        BadLine, match=r"t\.csv, line 3: 2 images of thing are called '0\.jpg'\. Next: replace the name"
    ):
        album(truth_of(tmp_path / "t.csv", "1.jpg,yes", "0.jpg,no"), store, settings)
    by_hash = store.images.get(rows[1]).sha256
    album(truth_of(tmp_path / "t.csv", "1.jpg,yes", f"{by_hash},yes"), store, settings)
    with pytest.raises(BadLine, match=r"line 3: .* and '1\.jpg' \(line 2\) are the same image with two truths"):
        album(truth_of(tmp_path / "t.csv", "1.jpg,yes", f"{by_hash},no"), store, settings)


def test_the_owner_is_waited_for_while_a_part_of_their_task_fits_into_the_budget(
    store: Store, settings: Settings
) -> None:
    rows = fill(store, 6)
    store.people.add(Worker(OWNER, "", True, "", 1))
    store.asks.wish(NAME, 1, [NewAsk(row, Purpose.ADJUDICATE) for row in rows])
    asks = [ask.id for ask in store.asks.waiting(NAME, 1, 9, owner_only=True)]
    assert store.asks.publish(NAME, 1, NewTask("t", asks, 1, owner_only=True))
    store.categories.aim(NAME, Targets(answers=4))
    assert crowd._waits_for_owner(NAME, store, settings)
    assert sorted(len(task.rows) for task in store.asks.untaken(NAME, 1, 9, owner_only=True)) == [2, 4]
    store.categories.aim(NAME, Targets(answers=0))
    assert not crowd._waits_for_owner(NAME, store, settings)


@pytest.fixture
def thresher(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run a command where we stand and give its exit code."""

    def run(*arguments: str | Path) -> int:
        monkeypatch.setattr(sys, "argv", ["thresher", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


def test_a_crowd_waits_as_long_as_small_tasks_are_left_to_others_and_from_the_last_change_on(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("thresher.cli.crowd.time", SimpleNamespace(monotonic=lambda: now))
    rows = fill(store, 6)
    starved = crowd._Starved(NAME, store, settings.but(patience_seconds=40.0))
    assert not starved()
    store.asks.wish(NAME, 1, [NewAsk(row, Purpose.LEARN) for row in rows])
    asks = [ask.id for ask in store.asks.waiting(NAME, 1, 9)]
    assert store.asks.publish(NAME, 1, NewTask("t", asks[:4], 1))
    assert not starved()
    now += 40.0 + crowd.STARVED_SECONDS - 1
    assert not starved()
    assert store.asks.publish(NAME, 1, NewTask("u", asks[4:], 1))  # a task is cut, or another one comes
    assert not starved()
    now += 40.0 + crowd.STARVED_SECONDS - 1
    assert not starved()
    now += 1
    assert starved()


def test_a_crowd_too_small_for_the_votes_ends_with_one_line_and_keeps_its_answers(
    tmp_path: Path,
    thresher: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two votes are wanted and one person is there: nobody will ever take the second place.

    Nobody waits as long as among people, who come back after a while: simulated ones answer in no time.
    """
    monkeypatch.setattr(crowd, "STARVED_SECONDS", 3.0)
    photos, cars, truth = tmp_path / "photos", tmp_path / "cars", tmp_path / "truth.csv"
    photos.mkdir()
    for seed in range(12):
        (photos / f"{seed}.jpg").write_bytes(picture(seed))
    truth.write_text("file,truth\n" + "".join(f"{n}.jpg,{'yes' if n % 2 else 'no'}\n" for n in range(12)))
    assert thresher("init", cars) == 0
    monkeypatch.chdir(cars)
    with (cars / "thresher.toml").open("a") as file:
        file.write("gold_images = 0\npatience_seconds = 600.0\nfirst_images = 10\n")
    assert thresher("category", "add", "car", "--question", "Is it a car?") == 0
    assert thresher("harvest", "car", "--folder", photos, "--processes", "1") == 0
    capsys.readouterr()
    assert thresher("simulate", "car", "--truth", truth, "--workers", "1") == 2
    assert "--workers" in capsys.readouterr().err.strip().splitlines()[-1]
    assert thresher("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["answers"] > 0
    with closing(open_store(cars, read_settings(cars))) as store:  # a killed loop's lease runs out by itself
        assert store.jobs.lease("loop/car", "a killed loop", now_ms(), 1_500)
    assert thresher("simulate", "car", "--truth", truth, "--workers", "6") == 0
