"""A simulated crowd at the command line."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.pictures_for_tests import picture

from thresher.cli import crowd
from thresher.cli.main import main


@pytest.fixture
def thresher(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run a command where we stand and give its exit code."""

    def run(*arguments: str | Path) -> int:
        monkeypatch.setattr(sys, "argv", ["thresher", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


def test_a_crowd_too_small_for_the_votes_ends_with_one_line_and_keeps_its_answers(
    tmp_path: Path,
    thresher: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two votes are wanted and one person is there: nobody will ever take the second place."""
    monkeypatch.setattr(crowd, "STARVED_SECONDS", 3.0)
    photos, cars, truth = tmp_path / "photos", tmp_path / "cars", tmp_path / "truth.csv"
    photos.mkdir()
    for seed in range(12):
        (photos / f"{seed}.jpg").write_bytes(picture(seed))
    truth.write_text("file,truth\n" + "".join(f"{n}.jpg,{'yes' if n % 2 else 'no'}\n" for n in range(12)))
    assert thresher("init", cars) == 0
    monkeypatch.chdir(cars)
    with (cars / "thresher.toml").open("a") as file:
        file.write("gold_images = 0\npatience_seconds = 0.0\nfirst_images = 10\n")
    assert thresher("category", "add", "car", "--question", "Is it a car?") == 0
    assert thresher("harvest", "car", "--folder", photos, "--processes", "1") == 0
    capsys.readouterr()
    assert thresher("simulate", "car", "--truth", truth, "--workers", "1") == 2
    assert "--workers" in capsys.readouterr().err.strip().splitlines()[-1]
    assert thresher("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["answers"] > 0
    assert thresher("simulate", "car", "--truth", truth, "--workers", "6") == 0
