"""The images of a list of paths; a line that names no file is refused, and the others are read."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from thresher.errors import BadInput
from thresher.harvest.claimed import source_of
from thresher.harvest.references import harvest_references
from thresher.harvest.sources.folder import from_folder
from thresher.harvest.sources.paths import from_paths
from thresher.harvest.sources.tar import from_tar
from thresher.harvest.sources.urls import from_urls
from thresher.records import Category, Question
from thresher.store.contract import Store

NOBODY = "~nobody-has-this-name"


def listed(path: Path) -> list[tuple[str, str]]:
    """Each candidate as its name and, where it is refused, why."""
    source = from_paths(path)
    assert source is not None
    return [(one.name, ": ".join(one.problem or ())) for one in source.candidates(bytes_most=10**9)]


@pytest.mark.parametrize("line", [f"{NOBODY}/x.jpg", "~/gone.jpg", "~", "gone.jpg", "a" * 300, "a\0b.jpg"])
def test_a_line_that_names_no_file_is_refused_and_the_others_are_read(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    lines = (json.dumps({"file": path}) for path in ("a.jpg", line, str(tmp_path / "a.jpg")))
    (tmp_path / "list.jsonl").write_text("\n".join(lines), "utf-8")
    first, (_, problem), last = listed(tmp_path / "list.jsonl")
    assert (first, last) == (("a.jpg", ""), (str(tmp_path / "a.jpg"), ""))
    assert problem.startswith("unreadable: ")


def test_a_tilde_in_a_list_is_a_part_of_the_name(tmp_path: Path) -> None:
    for name in ("~a.jpg", "~/b.jpg", f"{NOBODY}/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "list.txt").write_text(f"~a.jpg\n~/b.jpg\n{NOBODY}/c.jpg\n", "utf-8")
    assert listed(tmp_path / "list.txt") == [("~a.jpg", ""), ("~/b.jpg", ""), (f"{NOBODY}/c.jpg", "")]


@pytest.mark.parametrize("source", [from_folder, from_tar, from_urls, from_paths, source_of])
def test_a_place_under_a_user_who_does_not_exist_is_told_at_once(source: Callable[[str], object]) -> None:
    with pytest.raises(BadInput, match=r"[Nn]o such file"):
        source(f"{NOBODY}/list.csv")


def test_references_under_a_user_who_does_not_exist_are_told_at_once(store: Store) -> None:
    store.categories.create(Category("car", Question(1, "Is this a car?", at_ms=1), created_ms=1))
    with pytest.raises(BadInput, match="No such file"):
        harvest_references("car", f"{NOBODY}/list.csv", store=store, now_ms=1)


@pytest.mark.parametrize("source", [from_folder, from_tar, from_urls, from_paths, source_of])
def test_a_place_that_is_a_circle_of_links_is_told_at_once(source: Callable[[str], object], tmp_path: Path) -> None:
    (tmp_path / "a.tar").symlink_to(tmp_path / "b.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.tar")
    with pytest.raises(BadInput):
        source(str(tmp_path / "b.csv"))
