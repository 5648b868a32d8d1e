"""The images that a file of labels means, although it names them in another way."""

from pathlib import Path

import pytest

from thresher.annotations import Claims, match, read
from thresher.annotations.match import key_of
from thresher.errors import BadLine


def claims(folder: Path, *images: str) -> Claims:
    file = folder / "labels.csv"
    file.write_text("file,label\n" + "".join(f"{image},car\n" for image in images), "utf-8")
    return read(file)


@pytest.mark.parametrize(
    ("image", "known", "meant"),
    [
        ("a.jpg", ["a.jpg", "b/a.jpg"], "a.jpg"),
        ("a.jpg", ["b/a.jpg", "ba.jpg"], "b/a.jpg"),
        ("data/val/a.jpg", ["val/a.jpg", "a.jpg", "train/a.jpg"], "val/a.jpg"),
        ("data\\val\\a.jpg", ["val/a.jpg"], "val/a.jpg"),
        ("./a.jpg", ["a.jpg"], "a.jpg"),
        ("a", ["photos/a.webp"], "photos/a.webp"),
        ("139", ["val/000000000139.jpg"], "val/000000000139.jpg"),
        ("AB12", ["ab12"], "ab12"),
        ("a.v2", ["a.v2.png"], "a.v2.png"),
    ],
)
def test_a_name_means_the_image_whose_path_ends_as_it_does(
    tmp_path: Path, image: str, known: list[str], meant: str
) -> None:
    assert match(claims(tmp_path, image), known) == {image: meant}
    assert key_of(image).lower() == key_of(meant).lower()


@pytest.mark.parametrize(
    ("images", "known", "said"),
    [
        (["b.jpg", "a.jpg"], ["x/a.jpg", "y/a.jpg", "b.jpg"], "line 3: 'a.jpg' may be 'x/a.jpg' and 'y/a.jpg'"),
        (["val/a"], ["a.jpg", "a.png"], "line 2: 'val/a' may be 'a.jpg' and 'a.png'"),
        (["b.jpg", "c.jpg"], ["b.jpg"], r"line 3: 1 name is of no image: 'c.jpg' \(line 3\)"),
        (["dog/a.jpg"], ["cat/a.jpg"], "line 2: 1 name is of no image"),
        (["a.jpg"], ["a.jpg.txt", "ba.jpg", "a.jpeg"], "line 2: 1 name is of no image"),
        (["cat/a.jpg", "dog/a.jpg"], ["a.jpg"], r"line 3: 'dog/a.jpg' and 'cat/a.jpg' \(line 2\) may both be 'a.jpg'"),
    ],
)
def test_a_name_of_no_image_or_of_several_is_refused_with_its_line(
    tmp_path: Path, images: list[str], known: list[str], said: str
) -> None:
    with pytest.raises(BadLine, match=said):
        match(claims(tmp_path, *images), known)


def test_many_unknown_names_are_counted(tmp_path: Path) -> None:
    with pytest.raises(BadLine, match=r"line 2: 1,200 names are of no image: '0\.jpg' .* and 1,197 more"):
        match(claims(tmp_path, *(f"{number}.jpg" for number in range(1_200))), ["a.jpg"])


def test_an_image_without_a_label_may_be_missing(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("file,label\na.jpg,car\nb.jpg,\nc.jpg,\n", "utf-8")
    assert match(read(file), ["a.jpg", "c.jpg"]) == {"a.jpg": "a.jpg", "c.jpg": "c.jpg"}
