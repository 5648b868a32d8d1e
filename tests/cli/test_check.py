"""`thresher check` shows; it changes only what it is told to."""

import os
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.commands import is_one_clear_line, thresher
from tests.pictures_for_tests import picture

from thresher.settings import read_settings
from thresher.store import open_store
from thresher.store.directory.store import DirectoryStore

COUNT = 24


@pytest.fixture
def cars(tmp_path: Path) -> Path:
    """A workspace with a pool of pictures, and a picture in a shard that no row refers to."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for seed in range(COUNT):
        (photos / f"{seed}.jpg").write_bytes(picture(seed, (64, 48)))
    workspace = tmp_path / "cars"
    thresher("init", workspace)
    thresher("category", "add", "car", "--question", "Is it a car?", at=workspace)
    done = thresher("harvest", "car", "--folder", photos, "--processes", "1", at=workspace)
    assert f"{COUNT} new" in done.stdout, done.stderr
    with closing(open_store(workspace, read_settings(workspace, {}))) as store:
        assert isinstance(store, DirectoryStore)
        store.writer.append([("f" * 64 + ".jpg", picture(99, (64, 48)))])
    for path in (workspace / "images").iterdir():
        os.utime(path, times=(0, time.time() - 1000))
    return workspace


def sizes(workspace: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in (workspace / "images").iterdir()}


@pytest.mark.parametrize("flags", [(), ("--no-mend",), ("--every-byte",), ("--force",)])
def test_what_can_be_repaired_is_said_to_be_so_and_left(cars: Path, flags: tuple[str, ...]) -> None:
    before = sizes(cars)
    done = thresher("check", *flags, at=cars)
    assert done.returncode == 2
    assert "no row refers to 1 images" in done.stdout
    assert "1 of 1 problems can be repaired. Next: thresher check --mend" in done.stdout
    assert "cannot repair" not in done.stdout
    assert sizes(cars) == before


def test_what_is_moved_aside_is_named_with_the_command_that_brings_it_back(cars: Path) -> None:
    done = thresher("check", "--mend", at=cars)
    assert done.returncode == 0, done.stdout
    assert str(cars / "quarantine") in done.stdout
    assert "thresher check --recover" in done.stdout
    assert "No problems remain." in done.stdout
    back = thresher("check", "--recover", "--json", at=cars)
    assert '"restored": 1' in back.stdout
    assert not (cars / "quarantine").exists()


@pytest.mark.parametrize("how", ["empty", "missing"])
def test_no_command_takes_an_emptied_catalog_for_a_new_one(cars: Path, tmp_path: Path, how: str) -> None:
    for file in cars.glob("catalog.sqlite*"):
        file.unlink()
    if how == "empty":
        (cars / "catalog.sqlite").touch()
    before = sizes(cars)
    for command in (
        ("status",), ("check",), ("check", "--mend", "--force"), ("category", "list"), ("run", "car"),
        ("store", "copy", cars, tmp_path / "copy"), ("harvest", "car", "--folder", tmp_path / "photos"),
    ):  # fmt: skip
        at = None if command[0] == "store" else cars
        assert is_one_clear_line(thresher(*command, at=at), "stored images", "thresher check --recover")
    (cars / "thresher.toml").unlink()
    assert is_one_clear_line(thresher("init", cars), "stored images", "thresher check --recover")
    assert sizes(cars) == before
    made = thresher("check", "--recover", at=cars)
    assert made.returncode == 0, made.stderr
    assert thresher("check", at=cars).returncode == 2  # of the picture that is none
    thresher("category", "add", "car", "--question", "Is it a car?", at=cars)
    again = thresher("harvest", "car", "--folder", tmp_path / "photos", "--processes", "1", at=cars)
    assert f"{COUNT} new" in again.stdout
    assert f"| images       | {COUNT}" in thresher("check", at=cars).stdout
