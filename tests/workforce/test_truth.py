from pathlib import Path

import pytest

from thresher.errors import BadInput, BadLine
from thresher.workforce.truth import read_truth


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_truth_and_votes_are_read_for_the_class_that_means_yes(tmp_path: Path) -> None:
    text = "file,truth,vote2,vote1,vote10\na.jpg,cat,dog,cat,cat\nb.jpg,dog,dog,,cat\n"
    found = read_truth(write(tmp_path / "t.csv", text), "cat")
    assert found.yes == {"a.jpg": True, "b.jpg": False}
    assert found.votes == {"a.jpg": (True, False, True), "b.jpg": (False, True)}


def test_a_plain_yes_and_no_will_do(tmp_path: Path) -> None:
    found = read_truth(write(tmp_path / "t.csv", "\ufeffurl,answer\nhttps://x/a,yes\nhttps://x/b,no\n"), "yes")
    assert found.yes == {"https://x/a": True, "https://x/b": False}
    assert found.votes == {"https://x/a": (), "https://x/b": ()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "name,truth\na,yes\n",
            "t.csv, line 1: the columns are name, truth. Next: name one of them file,",
        ),
        ("", "line 1: the columns are missing."),
        ("file,truth,vote1\na,yes\n", "line 2: has not as many columns as the first line."),
        ("file,truth\na,yes\na,no\n", "line 3: 'a' is there twice."),
        ('file,truth\n"a,yes\n', "is not CSV"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadLine) as error:
        read_truth(write(tmp_path / "t.csv", text), "yes")
    assert said in str(error.value)


def test_a_class_that_no_picture_has_is_a_typing_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no picture is 'car'"):
        read_truth(write(tmp_path / "t.csv", "file,truth\na,automobile\n"), "car")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        read_truth(tmp_path / "none.csv", "yes")
