"""Labels from elsewhere are taken in whole or not at all; taken again, nothing is read or stored twice."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.pictures_for_tests import picture

from thresher.annotations import Claims, read
from thresher.errors import AlreadyThere, BadInput, BadLine
from thresher.harvest.claimed import Finder, source_of
from thresher.loop.mending import doubtful
from thresher.loop.taken import Order, Taken, categories_of, take, taken_of
from thresher.records import Category, Question, Targets
from thresher.settings import Settings
from thresher.store.claims import AUDITED, claim_of, remove_claim
from thresher.store.contract import Store

ORDER = Order("car", "car", "Does this image show: car?", Targets())
HEAD = "file,label,score"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.jpg").write_bytes(picture(number, (200, 120)))
    (folder / "again.jpg").write_bytes(picture(0, (200, 120)))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    return folder


def labels(folder: Path, *lines: str, head: str = HEAD) -> Claims:
    file = folder.parent / "labels.csv"
    file.write_text("\n".join((head, *lines)) + "\n", "utf-8")
    return read(file)


def taken(order: Order, claims: Claims, photos: Path, store: Store, settings: Settings) -> Taken:
    finder = Finder(claims, [source_of(str(photos))], settings.fetch_bytes)
    return take(order, finder, store=store, settings=settings.but(processes=1), now_ms=9)


def test_the_images_of_a_label_are_its_claim(store: Store, settings: Settings, photos: Path) -> None:
    claims = labels(photos, "0.jpg,car,0.9", "1.jpg,bus,0.8", "again.jpg,car,0.95", "3.jpg,car,0.4")
    made = taken(ORDER, claims, photos, store, settings)
    claim = claim_of("car", store=store)
    assert claim is not None
    assert claim.rows.tolist() == [0, 1]  # two names of one image are one, with the higher score
    assert claim.scores is not None
    assert claim.scores.tolist() == [np.float32(0.95), np.float32(0.4)]
    assert claim.source == made.source
    assert store.categories.tally("car").images == 2
    assert [made.claims_of(row) for row in (0, 1)] == [[0, 2], [3]]
    assert doubtful("car", 1, store=store).tolist() == [1]
    assert doubtful("car", 2, store=store).tolist() == []  # nothing would be left to audit


def test_scores_that_are_all_equal_put_nothing_first(store: Store, settings: Settings, photos: Path) -> None:
    claims = labels(photos, *(f"{number}.jpg,car,0.5" for number in range(5)))
    taken(ORDER, claims, photos, store, settings)
    assert doubtful("car", 2, store=store).tolist() == []


def test_labels_of_other_images_are_the_pool_where_recall_is_proven(
    store: Store, settings: Settings, photos: Path
) -> None:
    claims = labels(photos, "0.jpg,car,0.9")
    taken(replace(ORDER, everything=True), claims, photos, store, settings)
    assert store.categories.tally("car").images == 8
    claim = claim_of("car", store=store)
    assert claim is not None
    assert claim.claimed.tolist() == [store.categories.find("car", ["0.jpg"])[0][0]]


def test_one_bad_line_takes_nothing_in(store: Store, settings: Settings, photos: Path) -> None:
    claims = labels(photos, "0.jpg,car,0.9", "gone.jpg,car,0.9")
    with pytest.raises(BadLine, match=r"line 3: no image is called 'gone.jpg'"):
        taken(ORDER, claims, photos, store, settings)
    assert store.categories.all() == []
    claims = labels(photos, "0.jpg,car,0.9", "broken.jpg,car,0.9")
    with pytest.raises(BadLine, match=r"line 3: 'broken.jpg' cannot be used: its end is missing"):
        taken(ORDER, claims, photos, store, settings)
    assert claim_of("car", store=store) is None
    assert taken_of("car", store=store) is None


def test_bad_lines_are_left_out_and_counted_on_demand(store: Store, settings: Settings, photos: Path) -> None:
    claims = labels(photos, "0.jpg,car,0.9", "gone.jpg,car,0.9", "broken.jpg,car,0.9", "lost.jpg,car,0.9")
    made = taken(replace(ORDER, skip_bad=True), claims, photos, store, settings)
    assert made.left_out == {"no image has the name": 2, "the image cannot be read": 1}
    assert made.places.tolist() == [0]
    nothing = labels(photos, "gone.jpg,bus,0.9")
    with pytest.raises(BadInput, match="no image of the label 'bus' can be used"):
        taken(replace(ORDER, label="bus", category="bus", skip_bad=True), nothing, photos, store, settings)


def test_taken_again_nothing_is_read(store: Store, settings: Settings, photos: Path) -> None:
    claims = labels(photos, "0.jpg,car,0.9", "3.jpg,car,0.4")
    first = taken(ORDER, claims, photos, store, settings)
    for file in photos.iterdir():
        file.unlink()
    again = taken(ORDER, claims, photos, store, settings)
    assert (again.rows.tolist(), again.places.tolist()) == (first.rows.tolist(), first.places.tolist())
    changed = labels(photos, "0.jpg,car,0.9", "2.jpg,car,0.4")
    with pytest.raises(AlreadyThere, match="labels that have changed since"):
        taken(ORDER, changed, photos, store, settings)


def test_a_prediction_of_a_folder_that_has_changed_is_no_longer_the_same_labels(
    store: Store, settings: Settings, photos: Path
) -> None:
    folder = photos.parent / "predicted"
    folder.mkdir()
    for less_likely in ("0.1 bus\n", "0.2 bus\n"):
        (folder / "0.txt").write_text(f"0.8 car\n{less_likely}", "utf-8")
        claims = read(folder, kind="yolo")
        if less_likely.startswith("0.2"):
            with pytest.raises(AlreadyThere, match="labels that have changed since"):
                taken(ORDER, claims, photos, store, settings)
        else:
            first = taken(ORDER, claims, photos, store, settings)
            assert taken(ORDER, read(folder, kind="yolo"), photos, store, settings).source == first.source


def test_each_box_is_an_image_and_one_outside_its_image_is_refused_by_its_line(
    store: Store, settings: Settings, photos: Path
) -> None:
    head = "file,label,x,y,w,h"
    order = replace(ORDER, boxes=True, margin=0.1)
    claims = labels(photos, "0.jpg,car,0,0,60,40", "0.jpg,bus,9,9,60,40", "1.jpg,car,190,0,60,40", head=head)
    with pytest.raises(BadLine, match=r"line 4: '1.jpg': the box \[190, 0, 60, 40\] .* its image of 200 x 120 pixels"):
        taken(order, claims, photos, store, settings)
    assert store.categories.all() == []
    assert store.images.count() == 0
    made = taken(replace(order, skip_bad=True), claims, photos, store, settings)
    assert made.left_out == {"the box has no area, or is outside its image": 1}
    assert store.categories.find("car", ["0.jpg#xywh=0,0,60,40"]) == [made.rows.tolist()]


def test_one_image_under_two_names_with_two_labels_is_refused_with_both_lines(
    store: Store, settings: Settings, photos: Path
) -> None:
    claims = labels(photos, "0.jpg,car,0.9", "1.jpg,car,0.8", "3.jpg,bus,0.7", "again.jpg,bus,0.6")
    with pytest.raises(BadLine, match=r"line 2: '0.jpg' is 'car' here, .* is 'bus' as 'again.jpg' \(line 5\)"):
        taken(ORDER, claims, photos, store, settings)
    assert store.categories.all() == []
    assert store.images.count() == 0
    made = taken(replace(ORDER, skip_bad=True), claims, photos, store, settings)
    assert made.left_out == {"the same image has another label": 1}
    assert made.places.tolist() == [1]
    assert store.images.count() == 1  # an image that is left out is not harvested either


def test_an_image_with_one_label_by_name_and_another_by_hash_is_refused_before_anything_is_stored(
    store: Store, settings: Settings, photos: Path
) -> None:
    mark = hashlib.sha256((photos / "0.jpg").read_bytes()).hexdigest()
    claims = labels(photos, "0.jpg,car,0.9", "1.jpg,car,0.8", f"{mark},bus,0.7")
    for label, said in (("car", rf"line 2: '0.jpg' is 'car' here, .* is 'bus' as '{mark}' \(line 4\)"),
                        ("bus", rf"line 4: '{mark}' is 'bus' here, .* is 'car' as '0.jpg' \(line 2\)")):  # fmt: skip
        with pytest.raises(BadLine, match=said):
            taken(replace(ORDER, label=label, category=label), claims, photos, store, settings)
    assert store.categories.all() == []
    assert store.images.count() == 0


def test_a_label_names_its_category() -> None:
    named = {"car": "car", "Police Van": "police-van", "n02814533": "n02814533", "a/b": "a-b"}
    assert categories_of(list(named)) == named


def test_labels_that_a_category_s_letters_do_not_tell_apart_get_names_of_their_own() -> None:
    labels = ["自動車", "自転車", "für", "f r", "f-r", "..", "x" * 200, "x" * 199, "", "Car", "car"]
    names = categories_of(labels)
    assert len(set(names.values())) == len(labels)
    assert categories_of(["自動車"])["自動車"] == names["自動車"]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(ORDER, targets=replace(ORDER.targets, precision=0.99)), "the precision 0.95, not 0.99"),
        (replace(ORDER, targets=replace(ORDER.targets, recall=0.95)), "the recall 0.9, not 0.95"),
        (replace(ORDER, targets=replace(ORDER.targets, delta=0.001)), "the delta 0.05, not 0.001"),
        (replace(ORDER, targets=replace(ORDER.targets, truth="owner")), "the answers of 'people', not 'owner'"),
        (replace(ORDER, targets=replace(ORDER.targets, method="labels")), "the method 'cascade', not 'labels'"),
        (replace(ORDER, question="Is it red?"), "the question 'Does this image show: car?', not 'Is it red?'"),
    ],
)
def test_another_promise_is_not_put_in_the_place_of_the_first(
    other: Order, words: str, store: Store, settings: Settings, photos: Path
) -> None:
    claims = labels(photos, "0.jpg,car,0.9", "3.jpg,car,0.4")
    taken(ORDER, claims, photos, store, settings)
    with pytest.raises(AlreadyThere, match="was begun with") as refused:
        taken(other, claims, photos, store, settings)
    assert words in str(refused.value)


def test_labels_that_were_damaged_and_dropped_are_taken_again_as_they_were(
    store: Store, settings: Settings, photos: Path
) -> None:
    claims = labels(photos, "0.jpg,car,0.9", "3.jpg,car,0.4")
    made = taken(ORDER, claims, photos, store, settings)
    before = claim_of("car", store=store)
    assert remove_claim("car", AUDITED, store=store)  # as `thresher check --mend` does
    assert taken(ORDER, claims, photos, store, settings).source == made.source
    again = claim_of("car", store=store)
    assert before is not None
    assert again is not None
    assert (again.rows.tolist(), again.number) == (before.rows.tolist(), before.number)


def test_a_category_that_was_there_before_is_no_place_for_labels(
    store: Store, settings: Settings, photos: Path
) -> None:
    store.categories.create(Category("car", Question(1, "Is it a car?", at_ms=1), Targets(), created_ms=1))
    with pytest.raises(AlreadyThere, match=r"the question 'Is it a car\?'"):
        taken(ORDER, labels(photos, "0.jpg,car,0.9"), photos, store, settings)
    assert store.images.count() == 0
    assert claim_of("car", store=store) is None
