import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.pictures_for_tests import picture

from thresher.errors import BadInput
from thresher.harvest.candidates import Candidate
from thresher.harvest.sources.folder import from_folder


def write(path: Path, data: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def candidates(folder: Path) -> list[Candidate]:
    return list(from_folder(folder).candidates(bytes_most=10**9))


def names(folder: Path) -> list[str]:
    return [one.name for one in candidates(folder) if not one.problem and not one.beside]


def problems(folder: Path) -> dict[str, str]:
    return {candidate.name: candidate.problem[0] for candidate in candidates(folder) if candidate.problem}


def test_a_folder_is_searched_to_its_depth_and_always_in_the_same_order(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.jpg", "2020/trip/z.png", "2020/a.png", "2019/q"):
        write(tmp_path / name)
    assert names(tmp_path) == ["a.jpg", "b.jpg", "2019/q", "2020/a.png", "2020/trip/z.png"]
    assert from_folder(tmp_path).expected() == 5


def beside(folder: Path) -> dict[str, str]:
    return {candidate.name: candidate.beside for candidate in candidates(folder) if candidate.beside}


def test_hidden_files_and_folders_are_left_out_and_counted(tmp_path: Path) -> None:
    for name in (".DS_Store", ".thumbnails/a.jpg", "seen/.b.jpg", "seen/c.jpg"):
        write(tmp_path / name)
    assert names(tmp_path) == ["seen/c.jpg"]
    assert beside(tmp_path) == {
        ".DS_Store": "hidden files",
        ".thumbnails": "hidden folders",
        "seen/.b.jpg": "hidden files",
    }
    assert from_folder(tmp_path).expected() == 1


def test_a_candidate_knows_its_size_and_place_without_being_read(tmp_path: Path) -> None:
    data = picture(1)
    path = write(tmp_path / "in" / "a.jpg", data)
    (found,) = candidates(tmp_path)
    assert replace(found, stamp="", changed_ms=0) == Candidate("in/a.jpg", size_bytes=len(data), path=str(path))


def test_links_lead_to_files_inside_and_nowhere_else(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "secret.jpg")
    photos = tmp_path / "photos"
    write(photos / "a.jpg")
    (photos / "also.jpg").symlink_to(photos / "a.jpg")
    (photos / "secret.jpg").symlink_to(outside)
    (photos / "elsewhere").symlink_to(outside.parent)
    (photos / "circle").symlink_to(photos)
    (photos / "self.jpg").symlink_to(photos / "self.jpg")
    (photos / "broken.jpg").symlink_to(photos / "gone.jpg")
    assert names(photos) == ["a.jpg", "also.jpg"]
    assert problems(photos) == {
        "secret.jpg": "link-outside",
        "elsewhere": "link-outside",
        "self.jpg": "unreadable",
        "broken.jpg": "unreadable",
    }
    assert beside(photos) == {"circle": "links to folders"}


def test_a_folder_given_by_a_link_is_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "real" / "a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert names(tmp_path / "link") == ["a.jpg"]
    assert from_folder(tmp_path / "link").name == from_folder(tmp_path / "real").name


def test_pipes_and_sockets_are_refused_unread(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    write(tmp_path / "a.jpg")
    assert names(tmp_path) == ["a.jpg"]
    assert problems(tmp_path) == {"pipe.jpg": "special-file"}


def test_a_name_that_is_no_text_is_still_a_name(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.jpg")  # noqa: PTH118 -- a name in bytes
    with open(path, "wb") as file:  # noqa: PTH123 -- likewise
        file.write(b"x")
    (found,) = candidates(tmp_path)
    assert found.name == "caf\\xe9.jpg"
    assert Path(found.path).read_bytes() == b"x"


def test_a_folder_that_cannot_be_entered_is_told_by_name(tmp_path: Path) -> None:
    write(tmp_path / "a" / "1.jpg")
    write(tmp_path / "b" / "2.jpg")
    feed = from_folder(tmp_path).candidates(bytes_most=10**9)
    assert next(feed).name == "a/1.jpg"
    shutil.rmtree(tmp_path / "b")  # seen by now, and gone before it is entered
    (refused,) = feed
    assert refused.name == "b"
    assert refused.problem == ("unreadable", "No such file or directory.")


def test_what_is_no_folder_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        from_folder(tmp_path / "missing")
    with pytest.raises(BadInput, match="not a folder"):
        from_folder(write(tmp_path / "a.tar"))


def test_a_folder_has_one_name_that_does_not_tell_where_it_lies(tmp_path: Path) -> None:
    for place in ("one/photos", "two/photos"):
        write(tmp_path / place / "a.jpg")
    one, two = from_folder(tmp_path / "one/photos").name, from_folder(tmp_path / "two/photos").name
    assert one.startswith("folder:photos#")
    assert one != two
    assert str(tmp_path) not in one
    assert from_folder(tmp_path / "one/photos/../photos").name == one
