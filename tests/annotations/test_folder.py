"""A folder for each label."""

from pathlib import Path

import pytest

from thresher.annotations import Claim, read
from thresher.errors import BadInput


def touch(root: Path, *names: str) -> Path:
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return root


def test_the_name_of_a_folder_is_the_label_of_the_images_below_it(tmp_path: Path) -> None:
    touch(
        tmp_path, "car/a.jpg", "car/more/b.PNG", "dog/a.jpg", "dog/notes.txt", "_unlabeled/c.jpg", "d.jpg", ".git/e.jpg"
    )
    found = read(tmp_path)
    assert list(found.claims) == [Claim("car/a.jpg", "car"), Claim("car/more/b.PNG", "car"), Claim("dog/a.jpg", "dog")]
    assert (found.kind, found.labels) == ("folder", ("car", "dog"))
    assert list(found.unlabelled) == ["d.jpg", "_unlabeled/c.jpg"]


def test_the_folders_of_splits_are_no_labels(tmp_path: Path) -> None:
    found = read(touch(tmp_path, "train/car/a.jpg", "val/car/b.jpg", "val/dog/c.jpg"))
    assert [(claim.image, claim.label) for claim in found.claims] == [
        ("train/car/a.jpg", "car"),
        ("val/car/b.jpg", "car"),
        ("val/dog/c.jpg", "dog"),
    ]


def test_a_folder_without_folders_or_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no folders in it"):
        read(touch(tmp_path, "a.jpg"), kind="folder")
    with pytest.raises(BadInput, match="names no image"):
        read(touch(tmp_path / "other", "car/notes.txt"), kind="folder")
