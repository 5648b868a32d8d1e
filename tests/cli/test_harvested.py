"""What `thresher harvest` and `thresher refused` say besides the counts of new, known and refused images."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.commands import thresher
from tests.pictures_for_tests import picture
from tests.site_for_tests import RunningSite, Site


@pytest.fixture
def site() -> Iterator[Site]:
    with RunningSite() as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    thresher("init", tmp_path / "ws")
    thresher("category", "add", "car", "--question", "Is this a car?", at=tmp_path / "ws")
    return tmp_path / "ws"


def test_what_is_left_out_of_a_folder_is_counted_by_kind(workspace: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / ".thumbnails").mkdir(parents=True)
    for name, data in {"1.jpg": picture(1), "1.json": b"{}", "1.txt": b"a car", ".DS_Store": b""}.items():
        (folder / name).write_bytes(data)
    told = thresher("harvest", "car", "--folder", folder, at=workspace).stdout
    assert "1 new, 0 known, 0 refused of 1." in told
    assert "Left out and not counted: 2 companions of images, 1 hidden files, 1 hidden folders." in told


def test_a_file_that_was_replaced_is_told_with_what_follows(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for seed in (1, 2):
        (tmp_path / "in" / "frame.bmp").write_bytes(picture(seed, format="BMP"))
        told = thresher("harvest", "car", "--folder", tmp_path / "in", at=workspace).stdout
    assert "1 new, 0 known, 0 refused of 1." in told
    assert "1 name stands for another image than in an earlier harvest." in told
    assert "by their SHA-256" in told


def test_addresses_are_fetched_again_when_asked_for(workspace: Path, tmp_path: Path, site: Site) -> None:
    (tmp_path / "list.txt").write_text(site.url("/changing/a"), "utf-8")
    for again, new in ((), 1), ((), 0), (("--again",), 1):
        told = thresher(
            *("harvest", "car", "--urls", tmp_path / "list.txt", *again), at=workspace, THRESHER_FETCH_PRIVATE="true"
        )
        assert f"{new} new, {1 - new} known" in told.stdout
    assert site.asked["/changing/a"] == 2


def test_a_placeholder_is_told_and_listed(workspace: Path, tmp_path: Path, site: Site) -> None:
    (tmp_path / "list.txt").write_text("\n".join(site.url(f"/gone/{n}.jpg") for n in range(3)), "utf-8")
    near = {"THRESHER_FETCH_PRIVATE": "true"}
    told = thresher("harvest", "car", "--urls", tmp_path / "list.txt", at=workspace, **near).stdout
    assert "1 image is the answer of several addresses, perhaps a placeholder of a site." in told
    assert "`thresher refused car` lists these images." in told
    listed = thresher("refused", "car", at=workspace, COLUMNS="200").stdout
    assert "Nothing was refused." in listed
    assert "Images that several addresses gave" in listed
    assert site.url("/gone/0.jpg") in listed
    (one,) = json.loads(thresher("refused", "car", "--json", at=workspace).stdout)["same_answers"]
    assert (one["addresses"], one["address"]) == (3, site.url("/gone/0.jpg"))
    status = thresher("status", at=workspace).stdout
    assert "car: 1 of its images came from several addresses, perhaps as a placeholder; `thresher refused" in status


@pytest.mark.parametrize("files", [["1.jpg"], ["1.jpg", "broken.jpg"]])
def test_a_harvest_ends_with_the_next_step_that_the_status_names(
    workspace: Path, tmp_path: Path, files: list[str]
) -> None:
    (tmp_path / "in").mkdir()
    for name in files:
        (tmp_path / "in" / name).write_bytes(b"no image" if name == "broken.jpg" else picture(1))
    said = thresher("harvest", "car", "--folder", tmp_path / "in", at=workspace).stdout.splitlines()
    (entry,) = json.loads(thresher("status", "--json", at=workspace).stdout)
    assert said[-2:] == [f"car waits for {entry['waits for']}.", f"Next: {entry['next']}"]


def test_what_a_site_wants_left_out_is_refused_by_reason(workspace: Path, tmp_path: Path, site: Site) -> None:
    (tmp_path / "list.txt").write_text(site.url("/tagged/3?tag=noai"), "utf-8")
    near = {"THRESHER_FETCH_PRIVATE": "true"}
    told = thresher("harvest", "car", "--urls", tmp_path / "list.txt", at=workspace, **near).stdout
    assert "0 new, 0 known, 1 refused of 1." in told
    assert "robots-tag" in told
    again = thresher("harvest", "car", "--urls", tmp_path / "list.txt", at=workspace, THRESHER_ROBOTS_TAGS="", **near)
    assert "1 new, 0 known, 0 refused of 1." in again.stdout
