from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

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


def test_blanks_around_a_value_do_not_matter_as_in_a_table_of_labels(tmp_path: Path) -> None:
    found = read_truth(write(tmp_path / "t.csv", "file, truth, vote1\n a.jpg , cat , dog \nb.jpg,dog, \n"), "cat")
    assert found.yes == {"a.jpg": True, "b.jpg": False}
    assert found.votes == {"a.jpg": (False,), "b.jpg": ()}


def test_a_plain_yes_and_no_will_do(tmp_path: Path) -> None:
    found = read_truth(write(tmp_path / "t.csv", "\ufeffurl,answer\nhttps://x/a,yes\nhttps://x/b,no\n"), "yes")
    assert found.yes == {"https://x/a": True, "https://x/b": False}
    assert found.votes == {"https://x/a": (), "https://x/b": ()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "name,truth\na,yes\n",
            "t.csv, line 1: no column is called image, file or url; there are: name, truth. Next: name a column image",
        ),
        ("file,truth,vote1\na,yes\n", "line 2: has 2 columns, and the first line has 3."),
        ("file,truth\n,yes\n", "line 2: names no image."),
        ("file,truth\na,yes\na,no\n", "line 3: 'a' is in the table twice."),
        ('file,truth\n"a,yes\n', "line 2: has a quote that is never closed."),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadLine) as error:
        read_truth(write(tmp_path / "t.csv", text), "yes")
    assert said in str(error.value)


def test_a_truth_may_come_as_any_kind_of_table(tmp_path: Path) -> None:
    parquet.write_table(
        pa.table({"File": ["a", "b"], "Truth": ["cat", "dog"], "Vote1": ["dog", None]}), tmp_path / "t.parquet"
    )
    found = read_truth(tmp_path / "t.parquet", "cat")
    assert found.yes == {"a": True, "b": False}
    assert found.votes == {"a": (False,), "b": ()}
    text = '[{"file": "a", "truth": "cat", "vote1": "dog"}, {"file": "b", "truth": "dog", "vote1": null}]'
    again = read_truth(write(tmp_path / "t.json", text), "cat")
    assert (again.yes, again.votes) == (found.yes, found.votes)


def test_a_class_that_no_picture_has_is_a_typing_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no image has the truth 'car'"):
        read_truth(write(tmp_path / "t.csv", "file,truth\na,automobile\n"), "car")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        read_truth(tmp_path / "none.csv", "yes")
