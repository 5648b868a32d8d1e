"""Labels of somebody else: which images of the pool they speak of; what is bad is told, and nothing is half stored."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.filled import NAME, fill, new_image

from thresher.errors import BadInput, BadLine, NotFound
from thresher.harvest.similar import put_in_groups
from thresher.label.imports import Wanted, column_name, import_column, remove_column
from thresher.records import Alias, NewImage, Origin
from thresher.store.claims import AUDITED, TEXT, ClaimedLabels, claim_of, claims_of, store_claim
from thresher.store.contract import Store


@pytest.fixture
def rows(store: Store) -> list[int]:
    """Pictures called 0.jpg to 5.jpg."""
    return fill(store, 6)


def csv(folder: Path, *lines: str, name: str = "yolo v8.csv") -> Path:
    file = folder / name
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def take(store: Store, file: Path, **wanted: object) -> ClaimedLabels:
    return import_column(NAME, file, Wanted(**wanted), store=store, now_ms=5).claim  # type: ignore[arg-type]  # named by the test


def refused(store: Store, file: Path, **wanted: object) -> str:
    """The line that the user reads; nothing was stored."""
    with pytest.raises(BadInput) as error:
        take(store, file, **wanted)
    assert claims_of(NAME, store=store) == []
    said = str(error.value)
    assert "\n" not in said
    return said


def test_an_image_with_the_label_is_a_yes_and_one_that_is_named_without_it_a_no(
    store: Store, rows: list[int], tmp_path: Path
) -> None:
    file = csv(tmp_path, "file,label,score", "0.jpg,thing,0.9", "1.jpg,dog,0.8", "3.jpg,,", "4.jpg,thing,0.4")
    found = take(store, file)
    assert (found.name, found.kind, found.at_ms, len(found.source)) == ("yolo-v8", "csv", 5, 64)
    assert found.rows.tolist() == [rows[place] for place in (0, 1, 3, 4)]
    assert found.yes.tolist() == [True, False, False, True]
    assert found.scores is not None
    assert np.allclose(found.scores, [0.9, np.nan, np.nan, 0.4], equal_nan=True)
    stored = claim_of(NAME, "yolo-v8", store=store)
    assert stored is not None
    assert (stored.rows.tolist(), stored.yes.tolist()) == (found.rows.tolist(), found.yes.tolist())


def test_scores_of_every_image_are_kept_below_one_half_too(store: Store, rows: list[int], tmp_path: Path) -> None:
    found = take(store, csv(tmp_path, "file,thing", *(f"{place}.jpg,{place / 5}" for place in range(6))))
    assert found.rows.tolist() == rows
    assert found.yes.tolist() == [False, False, False, True, True, True]
    assert found.scores is not None
    assert np.allclose(found.scores, np.arange(6) / 5)


def test_an_image_is_found_by_its_hash_and_by_a_path_of_another_folder(
    store: Store, rows: list[int], tmp_path: Path
) -> None:
    file = csv(tmp_path, "image,label", f"{new_image(2).sha256},thing", "C:\\photos\\4.jpg,thing", "data/val/1.jpg,dog")
    found = take(store, file)
    assert found.rows.tolist() == [rows[1], rows[2], rows[4]]
    assert found.yes.tolist() == [False, True, True]


def test_labels_of_unknown_images_are_listed_by_line_and_left_out_only_on_request(
    store: Store, rows: list[int], tmp_path: Path
) -> None:
    file = csv(tmp_path, "file,label", "0.jpg,thing", "a.jpg,thing", "1.jpg,dog", "b.jpg,dog")
    said = refused(store, file)
    assert "line 3" in said
    assert "2 names cannot be used for thing: 'a.jpg' (line 3), 'b.jpg' (line 5)" in said
    assert "--skip-bad" in said
    found = import_column(NAME, file, Wanted(skip_bad=True), store=store, now_ms=5)
    assert found.claim.rows.tolist() == rows[:2]
    assert [bad.says for bad in found.skipped] == [
        "line 3: no image of thing is called 'a.jpg'.",
        "line 5: no image of thing is called 'b.jpg'.",
    ]


def test_a_file_of_unknown_images_alone_is_refused_even_so(store: Store, rows: list[int], tmp_path: Path) -> None:
    assert rows
    file = csv(tmp_path, "file,label", "a.jpg,thing", "0.jpg,dog")
    assert "no image of thing has the label 'thing'" in refused(store, file, skip_bad=True)


def test_two_labels_of_one_image_are_refused_with_both_lines(store: Store, rows: list[int], tmp_path: Path) -> None:
    said = refused(store, csv(tmp_path, "image,label", "0.jpg,thing", "1.jpg,dog", f"{new_image(0).sha256},dog"))
    assert "line 4" in said
    assert "'0.jpg' has the label in line 2" in said
    file = csv(tmp_path, "image,label", "0.jpg,thing", "1.jpg,dog", f"{new_image(0).sha256},dog", "2.jpg,thing")
    assert take(store, file, skip_bad=True).rows.tolist() == rows[1:3]


def test_the_same_label_of_an_image_by_two_names_keeps_the_higher_score(
    store: Store, rows: list[int], tmp_path: Path
) -> None:
    sha256 = new_image(0).sha256
    found = take(store, csv(tmp_path, "image,label,score", "0.jpg,thing,.2", f"{sha256},thing,.7", "1.jpg,thing,.1"))
    assert found.rows.tolist() == rows[:2]
    assert found.scores is not None
    assert np.allclose(found.scores, [0.7, 0.1])


def test_a_name_of_two_images_is_not_guessed(store: Store, rows: list[int], tmp_path: Path) -> None:
    def also_called(seed: int, name: str) -> NewImage:
        made = new_image(seed)
        return NewImage(
            made.sha256,
            made.data,
            made.width,
            made.height,
            made.format,
            bytes=made.bytes,
            aliases=(Alias("file", name),),
        )

    more = put_in_groups([also_called(20, "x/dup.jpg"), also_called(21, "y/dup.jpg")], store=store)
    store.categories.pool_add(NAME, more, Origin("test", "", "CC0", 1))
    said = refused(store, csv(tmp_path, "file,label", "0.jpg,thing", "dup.jpg,thing"))
    assert "line 3: 2 images of thing are called 'dup.jpg'" in said
    assert take(store, csv(tmp_path, "file,label", "0.jpg,thing", "x/dup.jpg,thing")).rows.tolist() == [
        rows[0],
        more[0],
    ]


@pytest.mark.parametrize(
    ("lines", "wanted", "said"),
    [
        (["0.jpg,cat,", "1.jpg,dog,"], {}, "does not say which label means thing; its labels are 'cat', 'dog'"),
        (["0.jpg,cat,", "1.jpg,dog,"], {"label": "bird"}, "no image has the label 'bird'; the labels of the file are"),
        (["0.jpg,no,", "1.jpg,no,"], {}, "does not say which label means thing"),
        (["0.jpg,thing,0.5", "1.jpg,thing,0.5", "2.jpg,dog,"], {}, "every score is 0.5 (line 2 to 3)"),
        (["0.jpg,thing,nan"], {}, "line 2: the score 'nan' is not a number"),
        (["0.jpg,thing,1", "0.jpg,dog,1"], {}, "line 3: '0.jpg' is 'dog' here and 'thing' in line 2"),
        ([f"{place}.jpg,thing," for place in range(6)], {}, "all 6 images of thing have the label 'thing'"),
        (["0.jpg,thing,"], {"name": "Two words"}, "the name 'Two words' is not one of up to 60"),
        (
            ["0.jpg,thing,"],
            {"name": AUDITED},
            "'labels' is what `thresher certify` checks; an imported column cannot have this name. Next: ",
        ),
        (
            ["0.jpg,thing,"],
            {"name": TEXT},
            "'text' is how well images fit the words of a category; an imported column cannot have this name.",
        ),
        (["0.jpg,thing,"], {"kind": "abacus"}, "unknown format 'abacus'"),
    ],
)
def test_bad_input_is_one_clear_line_and_nothing_is_taken_in(
    store: Store, rows: list[int], tmp_path: Path, lines: list[str], wanted: dict[str, str], said: str
) -> None:
    assert rows
    assert said in refused(store, csv(tmp_path, "file,label,score", *lines), **wanted)


@pytest.mark.parametrize(("yes", "no"), [("t", "f"), ("Y", "n"), ("True", "0")])
def test_labels_of_a_table_that_say_yes_and_no_are_answers(
    store: Store, rows: list[int], tmp_path: Path, yes: str, no: str
) -> None:
    found = take(store, csv(tmp_path, "file,label", f"0.jpg,{yes}", f"1.jpg,{no}"))
    assert (found.rows.tolist(), found.yes.tolist()) == (rows[:2], [True, False])


def test_a_file_that_is_wrong_leaves_the_earlier_column_in_force(store: Store, rows: list[int], tmp_path: Path) -> None:
    take(store, csv(tmp_path, "file,label", "0.jpg,thing"))
    with pytest.raises(BadLine):
        take(store, csv(tmp_path, "file,label", "1.jpg,thing", "99.jpg,thing"))
    kept = claim_of(NAME, "yolo-v8", store=store)
    assert kept is not None
    assert kept.rows.tolist() == rows[:1]
    take(store, csv(tmp_path, "file,label", "1.jpg,thing"))
    kept = claim_of(NAME, "yolo-v8", store=store)
    assert kept is not None
    assert kept.rows.tolist() == rows[1:2]


def test_the_predictions_of_a_detector_give_each_image_its_highest_score(
    store: Store, rows: list[int], tmp_path: Path
) -> None:
    boxes = [(0, 2, 0.3), (0, 2, 0.9), (0, 5, 0.99), (1, 2, 0.2), (4, 5, 0.7)]
    records = [
        {
            "image_id": str(image),
            "file_name": f"{image}.jpg",
            "category_id": label,
            "bbox": [1, 1, 9, 9],
            "score": score,
        }
        for image, label, score in boxes
    ]
    file = tmp_path / "predictions.json"
    file.write_text(json.dumps(records))
    found = take(store, file, kind="yolo-v8", label="2")
    assert (found.name, found.kind) == ("predictions", "yolo")
    assert found.rows.tolist() == [rows[place] for place in (0, 1, 4)]
    assert found.yes.tolist() == [True, True, False]
    assert found.scores is not None
    assert np.allclose(found.scores, [0.9, 0.2, np.nan], equal_nan=True)
    file.write_text(json.dumps([*records, {**records[0], "image_id": "77", "file_name": "77.jpg"}]))
    with pytest.raises(BadInput, match="record 6: no image of thing is called '77"):
        take(store, file, kind="yolo-v8", label="2")


def test_the_classes_0_and_1_of_a_detector_are_no_answers(store: Store, rows: list[int], tmp_path: Path) -> None:
    assert rows
    for place in range(2):
        (tmp_path / "labels").mkdir(exist_ok=True)
        (tmp_path / "labels" / f"{place}.txt").write_text(f"{place} 0.5 0.5 0.2 0.2\n")
    assert "does not say which label means thing" in refused(store, tmp_path, kind="yolo")
    assert take(store, tmp_path, kind="yolo", label="1").yes.tolist() == [False, True]


def test_yes_and_no_need_no_label_to_be_named(store: Store, rows: list[int], tmp_path: Path) -> None:
    found = take(store, csv(tmp_path, "file,answer", "0.jpg,yes", "1.jpg,no"))
    assert (found.rows.tolist(), found.yes.tolist()) == (rows[:2], [True, False])
    found = take(store, csv(tmp_path, "file,label", "0.jpg,no", "1.jpg,yes"))
    assert found.yes.tolist() == [False, True]


def test_the_only_label_is_taken_whatever_it_is_called(store: Store, rows: list[int], tmp_path: Path) -> None:
    assert take(store, csv(tmp_path, "file,label", "0.jpg,automobile")).rows.tolist() == rows[:1]


def test_a_column_is_removed_by_its_name(store: Store, rows: list[int], tmp_path: Path) -> None:
    assert rows
    take(store, csv(tmp_path, "file,label", "0.jpg,thing"))
    take(store, csv(tmp_path, "file,label", "1.jpg,thing"))
    remove_column(NAME, "yolo-v8", store=store)
    assert claims_of(NAME, store=store) == []
    with pytest.raises(NotFound, match="no labels called 'yolo-v8'"):
        remove_column(NAME, "yolo-v8", store=store)


@pytest.mark.parametrize(("name", "following"), [(AUDITED, "labels list"), (TEXT, 'gold mine thing --text ""')])
def test_what_was_made_in_another_way_is_not_removed_as_a_column(
    store: Store, rows: list[int], name: str, following: str
) -> None:
    store_claim(NAME, ClaimedLabels(name, np.array(rows[:2]), np.array([True, False])), store=store)
    with pytest.raises(BadInput, match=following):
        remove_column(NAME, name, store=store)
    assert claims_of(NAME, store=store) == [name]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("YOLO v8.pred.csv", "yolo-v8"),
        ("labels.csv", "imported"),
        ("text.csv", "imported"),
        ("ответы.csv", "imported"),
        ("-a-.csv", "a"),
    ],
)
def test_a_column_is_called_as_its_file(tmp_path: Path, file: str, name: str) -> None:
    (tmp_path / file).touch()
    assert column_name("", tmp_path / file) == name
