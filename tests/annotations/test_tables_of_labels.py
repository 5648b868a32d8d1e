"""Labels from tables: a column of labels, or a column for each label."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.annotations.files import said, written

from thresher.annotations import Claim, read
from thresher.errors import BadInput, BadLine
from thresher.records import Box


def csv(folder: Path, *lines: str, name: str = "labels.csv") -> Path:
    file = folder / name
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def test_a_column_of_labels_gives_each_image_its_label_and_score(tmp_path: Path) -> None:
    found = read(csv(tmp_path, "file,label,score", "a.jpg,car,0.9", "b.jpg,dog,", "c.jpg,,", "a.jpg,car,0.95"))
    assert list(found.claims) == [Claim("a.jpg", "car", 0.95, None, 2), Claim("b.jpg", "dog", None, None, 3)]
    assert (found.kind, found.labels, list(found.unlabelled)) == ("csv", ("car", "dog"), ["c.jpg"])
    assert found.images("car") == {"a.jpg": 0.95}


def test_a_column_for_each_label_says_yes_no_or_a_score(tmp_path: Path) -> None:
    found = read(csv(tmp_path, "image,car,dog", "a.jpg,yes,0", "b.jpg,0.49,0.5", "c.jpg,no,", "d.jpg,,"))
    assert list(found.claims) == [Claim("a.jpg", "car", None, None, 2), Claim("b.jpg", "dog", 0.5, None, 3)]
    assert list(found.denied) == [
        Claim("a.jpg", "dog", 0.0, None, 2),
        Claim("b.jpg", "car", 0.49, None, 3),
        Claim("c.jpg", "car", None, None, 4),
    ]
    assert list(found.unlabelled) == ["c.jpg", "d.jpg"]


def test_boxes_of_a_table_are_in_pixels_by_corners_or_by_sides(tmp_path: Path) -> None:
    corners = read(csv(tmp_path, "image,label,xmin,ymin,xmax,ymax", "a.jpg,car,1,2,11,22", "a.jpg,dog,0,0,5,5"))
    sides = read(csv(tmp_path, "image,label,x,y,w,h", "a.jpg,car,1,2,10,20", "a.jpg,dog,0,0,5,5", name="b.csv"))
    assert [claim.box for claim in corners.claims] == [Box(1, 2, 10, 20), Box(0, 0, 5, 5)]
    assert list(corners.claims) == list(sides.claims)


def test_a_box_of_one_pixel_is_a_box_and_no_share(tmp_path: Path) -> None:
    found = read(csv(tmp_path, "image,label,x,y,w,h", "a.jpg,car,0,0,1,1"))
    assert [claim.box for claim in found.claims] == [Box(0, 0, 1, 1)]


def test_two_different_labels_of_one_image_are_refused_with_both_lines(tmp_path: Path) -> None:
    with pytest.raises(BadLine, match=r"labels\.csv, line 4: 'a\.jpg' is 'dog' here and 'car' in line 2"):
        read(csv(tmp_path, "file,label", "a.jpg,car", "b.jpg,dog", "a.jpg,dog"))


@pytest.mark.parametrize("score", ["NaN", "inf", "high", "0,9", "1_0"])
def test_a_score_that_is_no_number_is_refused_with_its_line(tmp_path: Path, score: str) -> None:
    with pytest.raises(BadLine, match=r"line 3: the score .* is not a number"):
        read(csv(tmp_path, "file,label,score", "a.jpg,car,1", f'b.jpg,car,"{score}"'))


def test_tables_may_be_gzipped_and_have_quotes_over_lines(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv.gz"
    file.write_bytes(gzip.compress('﻿File Name;Label\r\n"a\n;.jpg";car\r\n\r\nb.jpg;dog\r\n'.encode()))
    assert [(claim.image, claim.label, claim.line) for claim in read(file).claims] == [
        ("a\n;.jpg", "car", 2),
        ("b.jpg", "dog", 5),
    ]


def test_answers_to_one_question_are_of_the_label_yes(tmp_path: Path) -> None:
    found = read(written(tmp_path, "a.csv", "image,answer\na,yes\nb,no\nc,unsure\n"))
    assert (found.labels, said(found)) == (("yes",), [("a", "yes", None, None)])
    assert [claim.image for claim in found.denied] == ["b"]
    assert list(found.unlabelled) == ["b", "c"]


def test_objects_of_lines_have_labels_in_lists(tmp_path: Path) -> None:
    first, second = '{"image": "a", "tags": ["car", "dog"], "note": {}}', '{"image": "b", "tags": []}'
    lines = [first, "", second, '{"image": 7, "tags": "car"}']
    found = read(written(tmp_path, "a.jsonl", "\n".join(lines)))
    assert [(claim.image, claim.label, claim.line) for claim in found.claims] == [
        ("a", "car", 1),
        ("a", "dog", 1),
        ("7", "car", 4),
    ]
    assert list(found.unlabelled) == ["b"]


def test_each_object_of_a_line_has_keys_of_its_own(tmp_path: Path) -> None:
    objects = ['{"label": "car", "score": 0.5}', '{"score": 0.25, "Class": "dog"}', '{"bbox": [1, 2, 3, 4], "name": 7}']
    found = read(written(tmp_path, "a.jsonl", f'{{"image": "a", "objects": [{", ".join(objects)}]}}'))
    assert said(found) == [("a", "car", 0.5, None), ("a", "dog", 0.25, None), ("a", "7", None, Box(1, 2, 3, 4))]


def test_labels_that_are_long_whole_numbers_stay_apart(tmp_path: Path) -> None:
    lines = (f'{{"image": "{label}.jpg", "label": {label}}}' for label in (2**53, 2**53 + 1, 2.0))
    found = read(written(tmp_path, "a.jsonl", "\n".join(lines)))
    assert found.labels == ("9007199254740992", "9007199254740993", "2")


def test_lists_of_labels_and_columns_for_each_label_in_parquet(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"image_id": [7, 8], "labels": [["car", "dog"], []]}), tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert said(found) == [("7", "car", None, None), ("7", "dog", None, None)]
    assert list(found.unlabelled) == ["8"]
    columns = {"file": ["a", "b"], "car": [True, None], "dog": [0.25, 1.0], "width": [640, 640]}
    parquet.write_table(pa.table(columns), tmp_path / "b.parquet")
    wide = read(tmp_path / "b.parquet")
    assert said(wide) == [("a", "car", None, None), ("b", "dog", 1.0, None)]
    assert list(wide.denied) == [Claim("a", "dog", 0.25, None, 1)]


def test_a_format_that_nobody_knows_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="unknown format 'pickle'; known are hf, fiftyone, "):
        read(csv(tmp_path, "file,label"), kind="pickle")
    with pytest.raises(BadInput, match="no such file"):
        read(tmp_path / "nothing.csv")
