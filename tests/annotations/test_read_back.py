"""Labels written in each format come back as they were: names, labels, scores, boxes and the images without any."""

import gzip
import json
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.annotations.written import FORMATS, Format, Pictured, Said, write_csv

from thresher.annotations import read
from thresher.annotations.claims import pixels_of
from thresher.records import Box

SHOWN = "abZ09 _-äß雪'&<\"%,;#[]{}:\\"
IN_FILES = "abZ09 _-äß雪'&%,#"
PIXELS = st.integers(0, 60)
SIDES = st.integers(1, 40)
BOXES = st.builds(Box, PIXELS, PIXELS, SIDES, SIDES)
SCORES = st.floats(0.5, 1, width=32)


def texts(alphabet: str) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=1, max_size=8).map(lambda text: f"x{text.strip()}x")


def pictures(form: Format) -> st.SearchStrategy[list[Pictured]]:
    """Pictures with what a format can say: one label in one box each, or several labels that differ."""
    letters = IN_FILES if form.files else SHOWN
    labels = st.lists(texts(letters), min_size=1, max_size=3, unique_by=str.casefold)

    def of(known: list[str]) -> st.SearchStrategy[list[Pictured]]:
        said = st.builds(
            Said,
            st.sampled_from(known),
            st.none() | SCORES if form.scores else st.none(),
            BOXES if form.kind == "yolo" else st.none() | BOXES if form.boxes else st.none(),
        )
        each = st.lists(said, max_size=3 if form.several else 1, unique_by=lambda one: one.label).map(tuple)
        names = st.lists(texts(letters).map(lambda name: f"{name}.jpg"), min_size=1, max_size=5, unique_by=str.casefold)
        return names.flatmap(
            lambda all_: st.tuples(*(st.builds(Pictured, st.just(one), each) for one in all_)).map(list)
        )

    return labels.flatmap(of)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_labels_come_back_as_they_were_written(name: str, data: st.DataObject) -> None:
    form = FORMATS[name]
    wanted = data.draw(pictures(form).filter(lambda all_: any(one.said for one in all_)))
    with TemporaryDirectory() as place:
        found = read(form.write(Path(place), wanted), kind=form.kind)
    names = {one.name.rpartition("/")[2]: one for one in wanted}
    claims = [(claim.image.rpartition("/")[2], claim) for claim in found.claims]
    told = {(image, claim.label): (claim.score, _pixels(claim.box, names[image])) for image, claim in claims}
    assert told == {(one.name, said.label): (said.score, said.box) for one in wanted for said in one.said}
    assert {image.rpartition("/")[2] for image in found.unlabelled} == {one.name for one in wanted if not one.said}
    assert set(found.labels) >= {said.label for one in wanted for said in one.said}
    assert len(claims) == sum(len(one.said) for one in wanted)


def _pixels(box: Box | None, picture: Pictured) -> Box | None:
    """The box in whole pixels: shares and percents of them are fractions."""
    if box is None:
        return None
    found = pixels_of(box, (picture.width, picture.height))
    left, top, width, height = (float(round(side)) for side in found.sides)
    assert found.sides == pytest.approx((left, top, width, height), abs=1e-6)
    return Box(left, top, width, height)


@pytest.mark.parametrize("name", FORMATS)
def test_the_format_of_a_file_is_seen_in_it(name: str, tmp_path: Path) -> None:
    form = FORMATS[name]
    box = Box(10, 20, 30, 40) if form.boxes else None
    wanted = [
        Pictured("a.jpg", (Said("car", 0.75 if form.scores else None, box),)),
        Pictured("b.jpg", (Said("dog", None, box),)),
    ]
    assert read(form.write(tmp_path, wanted)).kind == form.kind


def test_a_large_file_of_one_label_an_image_is_read_in_order(tmp_path: Path) -> None:
    wanted = [
        Pictured(f"{number:05}.jpg", (Said("car" if number % 3 else "dog", number / 4096),)) for number in range(3_000)
    ]
    found = read(write_csv(tmp_path, wanted))
    assert [(claim.image, claim.score, claim.line) for claim in found.claims[1_000:1_003]] == [
        (f"{number:05}.jpg", number / 4096, number + 2) for number in range(1_000, 1_003)
    ]
    assert len(found.images("dog")) == 1_000
    assert list(found.named())[:2] == ["00000.jpg", "00001.jpg"]


@pytest.mark.parametrize("name", ["labels.csv.gz", "labels.jsonl.gz"])
def test_a_file_that_unpacks_to_much_is_never_in_memory_as_a_whole(name: str, tmp_path: Path) -> None:
    filler, count = "x" * 6_000, 6_000
    with gzip.open(tmp_path / name, "wt", encoding="utf-8") as out:
        if "csv" in name:
            out.write("file,label,format\n")
        for number in range(count):
            line = {"file": f"{number}.jpg", "label": "car", "format": filler}
            out.write(f"{','.join(line.values()) if 'csv' in name else json.dumps(line)}\n")
    tracemalloc.start()
    try:
        assert len(read(tmp_path / name).claims) == count
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 18_000_000 < len(filler) * count
