"""A file of labels with a mistake is refused in one line that names its place, and nothing of it is used."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from tests.annotations.written import FORMATS, Pictured, Said

from thresher.annotations import read
from thresher.annotations.claims import pixels_of
from thresher.errors import BadInput
from thresher.records import Box

SIZED = {"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}
CAR = {"id": 1, "name": "car"}


def coco(*annotations: dict[str, Any], images: list[Any] | None = None, categories: list[Any] | None = None) -> str:
    return json.dumps(
        {"images": [SIZED] if images is None else images, "annotations": annotations}
        | {"categories": [CAR] if categories is None else categories}
    )


def boxed(*box: object, **more: object) -> dict[str, Any]:
    return {"id": 1, "image_id": 1, "category_id": 1, "bbox": box} | more


def cvat(inside: str) -> str:
    image = f'<image id="0" name="a.jpg" width="200" height="100">\n{inside}\n</image>'
    return f"<annotations>\n{image}\n</annotations>"


def task(*annotations: list[dict[str, Any]], image: str = "a.jpg", **more: object) -> dict[str, Any]:
    made = [{"id": at, "result": result} for at, result in enumerate(annotations)]
    return {"id": 1, "data": {"image": image}, "annotations": made} | more


def choice(*names: str) -> dict[str, Any]:
    return {"from_name": "choice", "type": "choices", "value": {"choices": list(names)}}


def rectangle(x: object, y: object, width: object, height: object) -> dict[str, Any]:
    value = {"x": x, "y": y, "width": width, "height": height, "rectanglelabels": ["car"]}
    return {"type": "rectanglelabels", "original_width": 200, "original_height": 100, "value": value}


FILES: dict[str, tuple[str, str, str]] = {
    "an empty table": ("labels.csv", "", "labels.csv: the table is empty"),
    "a table with a header alone": ("labels.csv", "file,label\n", "labels.csv: names no image"),
    "a table without images": (
        "labels.csv",
        "photo no,label\n1,car\n",
        "line 1: no column is called image, file or url",
    ),
    "a table without labels": (
        "labels.csv",
        "file,width\na.jpg,3\n",
        "labels.csv: no column has labels; there are: file",
    ),
    "a line without an image": ("labels.csv", "file,label\na.jpg,car\n ,dog\n", "line 3: names no image"),
    "a line with too many columns": ("labels.csv", "file,label\na.jpg,car,dog\n", "line 2: has 3 columns"),
    "free text where answers should be": (
        "labels.csv",
        "file,car,photographer\na.jpg,yes,Ann\n",
        "line 2: 'Ann' in the column 'photographer' is neither yes nor no nor a score from 0 to 1",
    ),
    "a score outside 0 to 1": ("labels.csv", "file,car\na.jpg,0.4\nb.jpg,17\n", "line 3: '17' in the column 'car'"),
    "a score in a wide table that is not a number": (
        "labels.csv",
        "file,car\na.jpg,NaN\n",
        "line 2: 'NaN' in the column",
    ),
    "a box of negative width": (
        "labels.csv",
        "file,label,x,y,w,h\na.jpg,car,1,1,-2,5\n",
        r"line 2: the box \[1, 1, -2, 5\] .* no area",
    ),
    "a box left of its image": (
        "labels.csv",
        "file,label,x,y,w,h\na.jpg,car,-9,1,5,5\n",
        "line 2: .* outside its image",
    ),
    "a box in shares": (
        "labels.csv",
        "file,label,x,y,w,h\na.jpg,car,0.1,0.1,0.5,0.5\n",
        "line 2: .* smaller than a pixel",
    ),
    "a box that is not numbers": (
        "labels.csv",
        "file,label,x,y,w,h\na.jpg,car,1,1,wide,5\n",
        "line 2: .* not four numbers",
    ),
    "too many labels": (
        "labels.csv",
        "file,label\n" + "".join(f"{number}.jpg,{number}\n" for number in range(10_001)),
        "more than 10,000 different labels, the last '10000'",
    ),
    "a line of JSON that is cut": ("a.jsonl", '{"file": "a.jpg", "label": "car"}\n{"file": "b', "line 2: is not JSON"),
    "a label that is an object": (
        "a.jsonl",
        '{"file": "a.jpg", "label": {"a": 1}}\n',
        "line 1: the label .* is not text",
    ),
    "a score that is NaN": (
        "a.jsonl",
        '{"file": "a.jpg", "label": "car", "score": NaN}\n',
        "line 1: the score nan is not",
    ),
    "objects of other lengths": (
        "a.jsonl",
        '{"file": "a.jpg", "objects": {"category": ["a"], "bbox": []}}\n',
        "line 1: the lists of its objects are not of one length",
    ),
    "an empty COCO": ("a.json", coco(images=[], categories=[]), "a.json: names no image"),
    "a COCO without categories": (
        "a.json",
        '{"images": [], "annotations": []}',
        "has no categories, so it is not a COCO",
    ),
    "a COCO that is cut": ("a.json", coco(boxed(1, 1, 5, 5))[:-60], "a.json, line 1: .*truncated"),
    "an unknown class": (
        "a.json",
        coco(boxed(1, 1, 5, 5, category_id=9)),
        r"record 1 \(/annotations/0\): the category id 9",
    ),
    "an unknown image": ("a.json", coco(boxed(1, 1, 5, 5, image_id=9)), r"record 1 \(/annotations/0\): the image id 9"),
    "a box right of its image": (
        "a.json",
        coco(boxed(1, 1, 5, 5), boxed(190, 1, 20, 5)),
        r"record 2 \(/annotations/1\): the box \[190, 1, 20, 5\] .* outside its image of 200 x 100 pixels",
    ),
    "a COCO box of negative height": (
        "a.json",
        coco(boxed(1, 1, 5, -1)),
        r"record 1 \(/annotations/0\): .* has no area",
    ),
    "a COCO box of three": ("a.json", coco(boxed(1, 1, 5)), r"\(/annotations/0/bbox\): has 3 numbers, not 4"),
    "a COCO box of texts": ("a.json", coco(boxed("1", 1, 5, 5)), r"\(/annotations/0/bbox/0\): is not a number but '1'"),
    "a COCO score": (
        "a.json",
        coco(boxed(1, 1, 5, 5, score=float("inf"))),
        r"\(/annotations/0/score\): is not a number",
    ),
    "two images of one id": (
        "a.json",
        coco(images=[SIZED, SIZED]),
        r"record 2 \(/images/1\): the image id 1 is that of record 1",
    ),
    "two images of one file": (
        "a.json",
        coco(images=[SIZED, SIZED | {"id": 2}]),
        r"record 2 \(/images/1\): 'a.jpg' is the file of record 1 too",
    ),
    "two categories of one id": ("a.json", coco(categories=[CAR, CAR]), r"\(/categories/1\): the category id 1"),
    "a number with too many digits": ("a.json", coco(boxed(1, 1, 5, 5))[:-1] + ', "x": ' + "9" * 5_000 + "}", "digits"),
    "two values of JSON": (
        "a.json",
        f"{coco(boxed(1, 1, 5, 5))}\n[]",
        "a.json, line 2: has text after the end of the JSON",
    ),
    "a nested bomb": ("a.json", "[" * 100_000, "a.json, line 1: is not JSON: it is nested too deeply"),
    "a frame twice": (
        "a.json",
        json.dumps([{"name": "a", "labels": []}] * 2),
        r"record 2 \(/1\): 'a' is the image of record 1",
    ),
    "a frame without a category": (
        "a.json",
        '[{"name": "a", "labels": [{}]}]',
        r"\(/0/labels/0/category\): is missing",
    ),
    "a frame with half a box": (
        "a.json",
        '[{"name": "a", "labels": [{"category": "car", "box2d": {"x1": 1}}]}]',
        r"\(/0/labels/0/box2d/y1\): is missing",
    ),
    "an XML that is cut": ("a.xml", cvat("")[:-5], "a.xml, line 5: is not XML: unclosed token"),
    "another XML": ("a.xml", "<svg/>", "a.xml, line 1: begins with <svg>, not with <annotations>"),
    "an XML with entities": (
        "a.xml",
        '<!DOCTYPE annotations [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n<annotations>&a;</annotations>',
        "a.xml, line 1: declares a document type",
    ),
    "an XML in a codec of Python that is no text": (
        "a.xml",
        f'<?xml version="1.0" encoding="hex"?>\n{cvat("")}',
        "a.xml, line 1: is written in 'hex', not in UTF-8",
    ),
    "an XML in several bytes a letter": (
        "a.xml",
        f'<?xml version="1.0" encoding="shift_jis"?>\n{cvat("")}',
        "a.xml, line 1: is written in 'shift_jis', not in UTF-8",
    ),
    "a CVAT box that is turned without end": (
        "a.xml",
        cvat('<box label="car" xtl="1" ytl="1" xbr="5" ybr="9" rotation="inf"/>'),
        "line 3: a box cannot be turned by nan degrees",
    ),
    "an XML of a video": (
        "a.xml",
        '<annotations>\n<track id="0"/></annotations>',
        "line 2: has tracks: it is an export for video",
    ),
    "a CVAT box outside": (
        "a.xml",
        cvat('<box label="car" xtl="1" ytl="1" xbr="250" ybr="9"/>'),
        "line 3: .* outside its image",
    ),
    "a CVAT box inside out": (
        "a.xml",
        cvat('<box label="car" xtl="9" ytl="1" xbr="3" ybr="9"/>'),
        "line 3: .* has no area",
    ),
    "a CVAT box without a side": ("a.xml", cvat('<box label="car" xtl="9"/>'), "line 3: ytl='' is not a number"),
    "a CVAT polygon": (
        "a.xml",
        cvat('<polygon label="car" points="1,2;3"/>'),
        "line 3: the points '1,2;3' are not pairs",
    ),
    "a CVAT shape without a label": ("a.xml", cvat("<tag/>"), "line 3: a tag has no label"),
    "a CVAT image twice": (
        "a.xml",
        '<annotations>\n<image name="a"/>\n<image name="b"/>\n<image name="a"/></annotations>',
        "a.xml, line 4: 'a' is the image of line 2 too",
    ),
    "two answers to one task": (
        "a.json",
        json.dumps([task([choice("car")], [choice("dog")])]),
        r"record 1 \(/0\): 2 annotations of 'a.jpg' differ",
    ),
    "a task twice": ("a.json", json.dumps([task([]), task([])]), r"record 2 \(/1\): 'a.jpg' is the image of record 1"),
    "a task without an image": (
        "a.json",
        '[{"data": {"text": "hi"}, "annotations": []}]',
        r"\(/0/data\): has no image",
    ),
    "a rectangle outside": (
        "a.json",
        json.dumps([task([rectangle(90, 0, 20, 5)])]),
        r"\(/0/annotations/0/result/0/value\): ",
    ),
    "a rectangle of negative width": (
        "a.json",
        json.dumps([task([rectangle(90, 0, -1, 5)])]),
        r"result/0/value\): .* has no area",
    ),
    "a FiftyOne class": (
        "labels.json",
        '{"classes": ["car"], "labels": {"a": 0, "b": 1}}',
        r"record 2 \(/labels/b\): the class 1",
    ),
    "a FiftyOne image twice": (
        "labels.json",
        '{"labels": {"a": "car", "a": "dog"}}',
        r"record 2 .*'a' is the image of record 1",
    ),
    "a FiftyOne sample twice": (
        "samples.json",
        '{"samples": [{"filepath": "a"}, {"filepath": "b"}, {"filepath": "a"}]}',
        r"record 3 \(/samples/2\): 'a' is the image of record 1 too",
    ),
    "a FiftyOne box outside": (
        "labels.json",
        '{"labels": {"a": [{"label": "car", "bounding_box": [0.9, 0, 0.2, 0.1]}]}}',
        r"record 1 \(/labels/a/0/bounding_box\): .* outside its image",
    ),
    "a FiftyOne confidence": (
        "labels.json",
        '{"labels": {"a": {"label": "car", "confidence": "high"}}}',
        "is not a number",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_mistake_is_told_in_one_line_with_its_place(name: str, tmp_path: Path) -> None:
    called, content, said = FILES[name]
    file = tmp_path / called
    file.write_text(content, "utf-8")
    with pytest.raises(BadInput, match=said) as refused:
        read(file)
    assert "\n" not in str(refused.value)
    assert called in refused.value.where
    assert refused.value.next


@pytest.mark.parametrize("content", ['{"file": "a\\ud800", "label": "car"}', '{"file": "a", "label": "c\\udc80"}'])
def test_half_of_a_character_is_no_text(content: str, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(content, "utf-8")
    with pytest.raises(BadInput, match=r"a\.jsonl.*(cannot be decoded|is not UTF-8)"):
        read(file)


def test_what_is_no_file_of_labels_is_told(tmp_path: Path) -> None:
    (tmp_path / "labels.zip").write_bytes(b"PK")
    with pytest.raises(BadInput, match=r"labels\.zip: is an archive\. Next: unpack it"):
        read(tmp_path / "labels.zip")
    (tmp_path / "notes.txt").write_text("a\n", "utf-8")
    with pytest.raises(BadInput, match=r"notes\.txt: the format is not known"):
        read(tmp_path / "notes.txt")
    for kind in (
        "csv",
        "jsonl",
        "parquet",
        "coco",
        "cvat",
        "bdd100k",
        "label-studio",
        "fiftyone",
        "hf",
        "yolo",
        "folder",
    ):
        with pytest.raises(BadInput):
            read(tmp_path, kind=kind)
    (tmp_path / "labels.csv").write_text("file,label\na.jpg,car\n", "utf-8")
    with pytest.raises(BadInput, match=r"labels\.csv: is no file of YOLO's"):
        read(tmp_path / "labels.csv", kind="yolo")


YOLO = {
    "an unknown class": ("2 0.5 0.5 0.1 0.1", "line 2: the class 2 is none of the 2 that have names"),
    "a negative class": ("-1 0.5 0.5 0.1 0.1", "line 2: the class '-1' is not a whole number"),
    "a box outside": ("0 0.99 0.5 0.1 0.1", "line 2: the box .* outside its image"),
    "a box in pixels": ("0 120 80 40 40", "line 2: the box .* outside its image"),
    "a box of negative width": ("0 0.5 0.5 -0.1 0.1", "line 2: the box .* no area"),
    "a score that is NaN": ("0 0.5 0.5 0.1 0.1 nan", "line 2: '0 0.5 0.5 0.1 0.1 nan' is not a class and numbers"),
    "three numbers": ("0 0.5 0.5", "line 2: has 3 numbers"),
}


@pytest.mark.parametrize("name", YOLO)
def test_a_mistake_of_yolo_is_told_with_file_and_line(name: str, tmp_path: Path) -> None:
    line, said = YOLO[name]
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text("names: [car, dog]\n", "utf-8")
    (tmp_path / "labels" / "a.txt").write_text(f"1 0.5 0.5 0.1 0.1\n{line}\n", "utf-8")
    with pytest.raises(BadInput, match=rf"a\.txt, {said}"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "file,label,x,y,w,h\na.jpg,car,1,1,0,5\n"),
        ("a.json", coco(boxed(1, 1, 5, 0))),
        ("b.json", json.dumps([task([rectangle(90, 0, 0, 5)])])),
        ("a.xml", cvat('<box label="car" xtl="3" ytl="1" xbr="3" ybr="9"/>')),
    ],
)
def test_a_box_of_no_area_is_a_label_and_only_its_pixels_are_refused(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    found = read(tmp_path / name)
    (box,) = [claim.box for claim in found.claims]
    assert [claim.label for claim in found.claims] == ["car"]
    assert box is not None
    with pytest.raises(BadInput, match="has no area"):
        pixels_of(box, (200, 100))


def table(folder: Path, columns: dict[str, Any]) -> Path:
    parquet.write_table(pa.table(columns), folder / "labels.parquet")
    return folder / "labels.parquet"


def test_two_labels_of_one_image_in_parquet_are_refused_with_both_rows(tmp_path: Path) -> None:
    file = table(tmp_path, {"image": ["a", "b", "a"], "label": ["car", "dog", "dog"]})
    with pytest.raises(BadInput, match=r"labels.parquet, row 3: 'a' is 'dog' here and 'car' in row 1"):
        read(file)


def test_a_score_of_parquet_that_is_nan_is_refused_and_a_missing_one_is_none(tmp_path: Path) -> None:
    good = read(table(tmp_path, {"image": ["a", "b"], "label": ["car", "dog"], "score": [0.5, None]}))
    assert [claim.score for claim in good.claims] == [0.5, None]
    with pytest.raises(BadInput, match=r"row 2: the score nan is not a number"):
        read(table(tmp_path, {"image": ["a", "b"], "label": ["car", "dog"], "score": [0.5, float("nan")]}))


@pytest.mark.parametrize("cut", [0, 10, 200, -300, -20])
def test_a_dataset_that_is_cut_is_refused(cut: int, tmp_path: Path) -> None:
    wanted = [Pictured(f"{number}.jpg", (Said("car", 0.5, Box(1, 1, 5, 5)),)) for number in range(20)]
    place = FORMATS["hf"].write(tmp_path, wanted)
    file = place / "train" / "data-00001-of-00002.arrow"
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(BadInput, match=r"data-00001-of-00002\.arrow: is damaged after row \d+: "):
        read(place)


@pytest.mark.parametrize("splits", ['["../outside"]', '"train"', "[1]", '["train", "test"]'])
def test_a_dataset_names_only_files_of_its_own(splits: str, tmp_path: Path) -> None:
    place = FORMATS["hf"].write(tmp_path, [Pictured("a.jpg", (Said("car"),))])
    (place / "dataset_dict.json").write_text(f'{{"splits": {splits}}}', "utf-8")
    with pytest.raises(BadInput, match=r"no list of splits|state.json: is missing"):
        read(place)


def test_a_class_beyond_the_names_of_a_dataset_is_refused(tmp_path: Path) -> None:
    known = json.dumps({"info": {"features": {"label": {"names": ["car"], "_type": "ClassLabel"}}}})
    schema = pa.schema([("file_name", pa.string()), ("label", pa.int64())], metadata={"huggingface": known})
    file = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"file_name": ["a", "b", "c"], "label": [0, -1, 1]}, schema), file)
    with pytest.raises(BadInput, match=r"row 3: the class 1 is none of the 1 that the file has names for"):
        read(file)


def test_a_folder_with_several_files_of_labels_names_them(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in ("train.json", "val.json"):
        (tmp_path / name).write_text("{}", "utf-8")
    with pytest.raises(BadInput, match=r"has 2 files that may have labels: train\.json, val\.json"):
        read(tmp_path)
