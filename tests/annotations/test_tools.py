"""What each tool writes beside the plain labels of an image."""

import io
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet
from tests.annotations.files import said, written

from thresher.annotations import Names, read
from thresher.annotations.claims import turned_box_of
from thresher.annotations.folder import IMAGES
from thresher.annotations.yolo_names import names_of_yaml
from thresher.errors import BadInput, BadLine
from thresher.records import Box

# --- COCO -------------------------------------------------------------------------------------------------------------


def test_a_crowd_of_coco_is_a_label_without_a_box(tmp_path: Path) -> None:
    whole = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 640, 480.4], "iscrowd": 1}],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "car"}],
    }
    found = read(written(tmp_path, "a.json", whole))
    assert said(found) == [("a.jpg", "person", None, None)]
    assert found.labels == ("person", "car")


def test_results_of_coco_are_read_and_their_ids_find_the_files(tmp_path: Path) -> None:
    results = [
        {"image_id": 139, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.25},
        {"image_id": "b", "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.5},
        {"image_id": 0, "file_name": "c.jpg", "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5},
    ]
    file = written(tmp_path, "predictions.json", results)
    for kind in ("", "coco", "yolo-v8"):
        found = read(file, kind=kind)
        assert said(found)[:2] == [("139", "3", 0.25, Box(1, 2, 3, 4)), ("b", "3", 0.5, Box(1, 2, 3, 4))]
    known = ["val/000000000139.jpg", "b.png", "c.jpg"]
    there = Names(known)
    meant = {image: there.find(image) for image in found.named()}
    assert meant == {"139": ["val/000000000139.jpg"], "b": ["b.png"], "c.jpg": ["c.jpg"]}


# --- BDD100K ----------------------------------------------------------------------------------------------------------


def test_attributes_of_images_are_labels_and_undefined_is_none(tmp_path: Path) -> None:
    frames = [
        {"name": "a.jpg", "attributes": {"weather": "rainy", "scene": "city street", "timeofday": "dawn/dusk"}},
        {"name": "b.jpg", "attributes": {"weather": "undefined", "flooded": True, "closed": False}, "labels": None},
    ]
    for content in (frames, {"frames": frames, "config": {}}):
        found = read(written(tmp_path, "bdd.json", content))
        assert found.kind == "bdd100k"
        assert [(claim.image, claim.label) for claim in found.claims] == [
            ("a.jpg", "weather=rainy"),
            ("a.jpg", "scene=city street"),
            ("a.jpg", "timeofday=dawn/dusk"),
            ("b.jpg", "flooded"),
        ]
        assert [(claim.image, claim.label) for claim in found.denied] == [("b.jpg", "closed")]


def test_a_folder_with_a_file_for_each_image_is_read(tmp_path: Path) -> None:
    box = {"x1": 10, "y1": 20, "x2": 19, "y2": 29}
    for name, category in (("a", "car"), ("b", "bus")):
        objects = [{"category": category, "id": 0, "attributes": {"occluded": True}, "box2d": box}]
        frame = {"name": name, "frames": [{"timestamp": 10000, "objects": objects}], "attributes": {"weather": "clear"}}
        written(tmp_path, f"{name}.json", frame)
    found = read(tmp_path)
    # Scalabel: the right and bottom pixels belong to the box
    assert said(found)[:2] == [("a", "weather=clear", None, None), ("a", "car", None, Box(10, 20, 10, 10))]
    assert [claim.line for claim in found.claims] == [1, 1, 2, 2]


# --- CVAT -------------------------------------------------------------------------------------------------------------


def cvat(folder: Path, *shapes: str) -> list[Box | None]:
    names = "".join(f"<label><name>{name}</name></label>" for name in ("car", "bus &amp; tram"))
    labels = f"<meta><task><labels>{names}</labels></task></meta>"
    image = f'<image id="0" name="a.jpg" width="200" height="100">{"".join(shapes)}</image>'
    found = read(written(folder, "annotations.xml", f"<annotations>{labels}{image}</annotations>"))
    assert found.labels == ("car", "bus & tram")
    return [claim.box for claim in found.claims]


def test_shapes_of_cvat_have_the_upright_box_around_them(tmp_path: Path) -> None:
    found = cvat(
        tmp_path,
        '<polygon label="car" points="10.00,20.00;30.00,25.00;20.00,60.00"/>',
        '<ellipse label="car" cx="50" cy="50" rx="10" ry="20"/>',
        '<mask label="car" left="3" top="4" width="5" height="6" rle="1, 2"/>',
        '<box label="car" xtl="40" ytl="40" xbr="60" ybr="50" rotation="90.00"/>',
        '<box label="car" xtl="190" ytl="0" xbr="200" ybr="20" rotation="90.00"/>',
        '<points label="car" points="1,2"/>',
        '<tag label="car"/>',
    )
    assert found[:3] == [Box(10, 20, 20, 40), Box(40, 30, 20, 40), Box(3, 4, 5, 6)]
    assert [[round(side, 6) for side in (box.left, box.top, box.width, box.height)] for box in found[3:5] if box] == [
        [45, 35, 10, 20],
        [185, 5, 15, 10],  # cut at the edge: a turned box may reach over it
    ]
    assert found[5:] == [None, None]


# --- Label Studio -----------------------------------------------------------------------------------------------------


def task(image: str, **more: object) -> dict[str, Any]:
    return {"id": 1, "data": {"image": image}, "annotations": []} | more


def choices(*names: str) -> list[dict[str, Any]]:
    return [{"from_name": "c", "type": "choices", "value": {"choices": list(names)}}]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/upload/12/0a1b2c3d-a%20b.jpg", "a b.jpg"),
        ("/data/local-files/?d=photos/val/a.jpg", "photos/val/a.jpg"),
        ("s3://bucket/val/a.jpg", "s3://bucket/val/a.jpg"),
        ("https://example.com/a.jpg?x=1", "https://example.com/a.jpg?x=1"),
        ("/data/upload/12/a.jpg", "/data/upload/12/a.jpg"),
    ],
)
def test_an_image_has_the_name_that_it_had_before_label_studio(tmp_path: Path, address: str, name: str) -> None:
    made = [{"id": 1, "result": choices("car")}]
    assert said(read(written(tmp_path, "a.json", [task(address, annotations=made)]))) == [(name, "car", None, None)]


@pytest.mark.parametrize("ending", sorted(IMAGES))
def test_the_image_of_a_task_is_known_by_every_ending_of_an_image(ending: str, tmp_path: Path) -> None:
    data = {"note": "a car", "page": f"https://site.example/a{ending.upper()}?v=1", "more": "a.jpg.txt"}
    found = read(written(tmp_path, "a.json", [{"id": 1, "data": data, "annotations": []}]), kind="label-studio")
    assert list(found.unlabelled) == [data["page"]]


def test_of_several_annotations_the_ground_truth_counts_and_a_prediction_only_without_any(tmp_path: Path) -> None:
    car, dog = choices("car"), choices("dog", "wet")
    tasks = [
        task("a", annotations=[{"result": car}, {"result": dog, "ground_truth": True}, {"result": car}]),
        task("b", annotations=[{"result": car}, {"result": dog, "was_cancelled": True}, {"result": car}]),
        task("c", predictions=[{"result": car, "score": 0.25}]),
        task("d", annotations=[{"result": car}], predictions=[{"result": dog, "score": 0.25}]),
        task("e"),
    ]
    found = read(written(tmp_path, "a.json", tasks))
    assert said(found) == [
        ("a", "dog", None, None),
        ("a", "wet", None, None),
        ("b", "car", None, None),
        ("c", "car", 0.25, None),
        ("d", "car", None, None),
    ]
    assert list(found.unlabelled) == ["e"]


def test_a_rectangle_of_label_studio_turns_around_its_upper_left_corner(tmp_path: Path) -> None:
    value = {"x": 50, "y": 10, "width": 10, "height": 40, "rotation": 90, "rectanglelabels": ["car"]}
    result = [{"type": "rectanglelabels", "original_width": 200, "original_height": 100, "value": value}]
    ((_, _, _, box),) = said(read(written(tmp_path, "a.json", [task("a", annotations=[{"result": result}])])))
    assert box is not None
    # 20 x 40 pixels at (100, 10), a quarter to the right: the box lies left of the corner
    assert [round(side, 6) for side in (box.left, box.top, box.width, box.height)] == [60, 10, 40, 20]


def test_a_turned_box_with_its_middle_outside_tells_so_where_the_size_is_not_known() -> None:
    with pytest.raises(BadInput, match=r"the middle of the box \[-8, 1, 10, 5\] .* lies outside its image\.") as caught:
        turned_box_of((-8, 1, 10, 5), 30)
    assert "pixels" not in str(caught.value)
    with pytest.raises(BadInput, match=r"the box \[90, 1, 40, 5\] .* outside its image of 100 x 50 pixels"):
        turned_box_of((90, 1, 40, 5), 30, (100, 50))


def test_the_short_export_of_label_studio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="it is not a task, or comes from the JSON_MIN export"):
        read(written(tmp_path, "a.json", [{"image": "a.jpg", "choice": "car"}]), kind="label-studio")


# --- FiftyOne ---------------------------------------------------------------------------------------------------------


def test_classifications_by_number_and_their_files(tmp_path: Path) -> None:
    labels = {"a": {"label": 1, "confidence": 0.75}, "a-2": 0, "sub/b": None, "c": [0, 1]}
    written(tmp_path, "labels.json", {"labels": labels, "classes": ["dog", "cat"]})
    for name in ("a.jpg", "a-2.png", "sub/b.jpg"):
        written(tmp_path, f"data/{name}", "")
    found = read(tmp_path)
    assert (found.kind, found.labels, list(found.unlabelled)) == ("fiftyone", ("dog", "cat"), ["sub/b.jpg"])
    assert said(found) == [
        ("a.jpg", "cat", 0.75, None),
        ("a-2.png", "dog", None, None),
        ("c", "dog", None, None),
        ("c", "cat", None, None),
    ]
    written(tmp_path, "data.json", {"a": "/photos/x/a.jpg", "c": "/photos/c.jpg"})
    assert [claim.image for claim in read(tmp_path).claims][:2] == ["/photos/x/a.jpg", "a-2"]


def test_a_whole_dataset_of_fiftyone_has_one_field_of_labels(tmp_path: Path) -> None:
    box = {"label": "car", "bounding_box": [0.1, 0.2, 0.3, 0.4], "confidence": 0.5}
    sample = {"filepath": "data/a.jpg", "tags": ["x"], "det": {"_cls": "Detections", "detections": [box]}, "cls": None}
    other = {"filepath": "data/b.jpg", "det": None}
    written(tmp_path, "metadata.json", {"name": "x"})
    written(tmp_path, "samples.json", {"samples": [sample, other]})
    found = read(tmp_path)
    assert said(found) == [("data/a.jpg", "car", 0.5, Box(0.1, 0.2, 0.3, 0.4, relative=True))]
    assert list(found.unlabelled) == ["data/b.jpg"]
    written(
        tmp_path, "samples.json", {"samples": [sample, other | {"cls": {"_cls": "Classification", "label": "car"}}]}
    )
    with pytest.raises(BadInput, match=r"record 2 .*labels in the fields det and cls"):
        read(tmp_path)


# --- YOLO -------------------------------------------------------------------------------------------------------------

YAML = {
    "a list in brackets": "names: ['traffic light', \"a\\u00e4\", bus]  # three",
    "a list over lines": "nc: 3\nnames: [ 'traffic light',\n  \"a\\u00e4\",   # second\n  bus,\n]\n",
    "a list": 'names:\n- traffic light\n- "aä"\n- bus # last\nroboflow:\n  - no',
    "a mapping": "train: x\nnames:\n  0: traffic light\n  # note\n  1: 'aä'\n\n  2: bus\n",
    "a mapping in braces": "names: {0: traffic light, 1: 'aä', 2: bus}\nnc: 3",
}


@pytest.mark.parametrize("name", YAML)
def test_names_of_classes_are_read_as_tools_write_them(name: str, tmp_path: Path) -> None:
    assert names_of_yaml(written(tmp_path, "data.yaml", YAML[name])) == {0: "traffic light", 1: "aä", 2: "bus"}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("names: *shared", 1),
        ("names:\n  0: &a car\n", 2),
        ("names:\n  car: 0\n", 2),
        ("names:\n  0: car\n  0: dog\n", 3),
        ("names: [car, [dog]]", 1),
        ("names: ['car", 1),
        ("names: [car,", 1),
        ("names: {car}", 1),
        ("names:\n  - |\n    car\n", 2),
    ],
)
def test_names_that_are_not_read_are_refused_with_their_line(content: str, line: int, tmp_path: Path) -> None:
    with pytest.raises(BadLine, match=rf"data\.yaml, line {line}: "):
        names_of_yaml(written(tmp_path, "data.yaml", content))


def test_what_a_model_predicts_is_read_without_names(tmp_path: Path) -> None:
    written(tmp_path, "labels/a.txt", "2 0.5 0.5 0.5 0.5 0.875\n0 0.1 0.1 0.3 0.1 0.2 0.4 0.25\n")
    found = read(tmp_path / "labels", kind="yolo-v8")
    assert said(found)[0] == ("a", "2", 0.875, Box(0.25, 0.25, 0.5, 0.5, relative=True))
    (_, label, score, box) = said(found)[1]
    assert (label, score) == ("0", 0.25)
    assert box is not None
    assert [round(side, 9) for side in (box.left, box.top, box.width, box.height)] == [0.1, 0.1, 0.2, 0.3]


def test_what_a_classifier_predicts_has_its_first_line_as_label(tmp_path: Path) -> None:
    written(tmp_path, "labels/a.txt", "0.81 tabby cat\n0.12 tiger cat\n0.00 lynx\n")
    found = read(tmp_path / "labels", kind="yolo")
    assert said(found) == [("a", "tabby cat", 0.81, None)]
    assert [(claim.label, claim.score) for claim in found.denied] == [("tiger cat", 0.12), ("lynx", 0.0)]


def test_the_folders_of_darknet_and_roboflow_are_read(tmp_path: Path) -> None:
    written(tmp_path, "cvat/obj.names", "car\nbus\n")
    written(tmp_path, "cvat/obj_train_data/a.txt", "1 0.5 0.5 1 1\n")
    for name in ("cvat/obj_train_data/a.jpg", "cvat/obj_train_data/b.jpg", "flow/train/images/a.jpg"):
        written(tmp_path, name, "")
    written(tmp_path, "cvat/train.txt", "obj_train_data/a.jpg\n")
    written(tmp_path, "flow/data.yaml", "names: [car, bus]\n")
    written(tmp_path, "flow/README.roboflow.txt", "thanks\n")
    written(tmp_path, "flow/train/labels/a.txt", "1 0.5 0.5 1 1\n")
    darknet, roboflow = read(tmp_path / "cvat"), read(tmp_path / "flow" / "data.yaml")
    assert said(darknet) == [("obj_train_data/a.jpg", "bus", None, Box(0, 0, 1, 1, relative=True))]
    assert list(darknet.unlabelled) == ["obj_train_data/b.jpg"]
    assert [(claim.image, claim.label) for claim in roboflow.claims] == [("train/images/a.jpg", "bus")]


def test_the_names_of_classes_are_those_of_the_file_that_was_named(tmp_path: Path) -> None:
    written(tmp_path, "labels/a.txt", "1 0.5 0.5 1 1\n")
    written(tmp_path, "data.yaml", "names: [car, bus]\n")
    for name in ("dataset.yaml", "coco8.yaml"):
        named = read(written(tmp_path, name, "names: [cat, dog]\n"), kind="yolo")
        assert (named.labels, [claim.label for claim in named.claims]) == (("cat", "dog"), ["dog"])
    for name in ("animals.txt", "obj.names", "labels.txt"):
        named = read(written(tmp_path, name, "cow\nhorse\n"), kind="yolo")
        assert [claim.label for claim in named.claims] == ["horse"]
    for listed in (written(tmp_path, "part.txt", "images/a.jpg\nimages/b.jpg\n"), tmp_path / "labels" / "a.txt"):
        assert [claim.label for claim in read(listed, kind="yolo").claims] == ["bus"]


def test_an_empty_file_of_names_is_none_and_a_yaml_without_names_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "labels/a.txt", "1 0.5 0.5 1 1\n")
    written(tmp_path, "classes.txt", "\n")
    assert [claim.label for claim in read(tmp_path, kind="yolo").claims] == ["1"]
    written(tmp_path, "obj.names", "cat\ndog\n")
    assert [claim.label for claim in read(tmp_path / "classes.txt", kind="yolo").claims] == ["dog"]
    written(tmp_path, "data.yaml", "names: []\n")
    with pytest.raises(BadInput, match=r"data\.yaml: has no names"):
        read(tmp_path)


# --- Hugging Face -----------------------------------------------------------------------------------------------------


def png(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4), colour).save(out, "PNG")
    return out.getvalue()


def test_an_image_inside_a_dataset_is_named_by_the_hash_of_its_bytes(tmp_path: Path) -> None:
    features = {"image": {"_type": "Image"}, "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("image", kind), ("label", pa.int64())]).with_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})}
    )
    images = [
        {"bytes": png("red"), "path": "1.png"},
        {"bytes": png("blue"), "path": "1.png"},
        {"bytes": None, "path": "x/3.png"},
    ]
    (tmp_path / "data").mkdir()
    for at, split in enumerate(("test", "train")):
        table = pa.table({"image": images[at * 2 : at * 2 + 2], "label": [[0, 1], [-1]][at]}, schema)
        parquet.write_table(table, tmp_path / "data" / f"{split}-00000-of-00001.parquet")
    found = read(tmp_path)
    assert (found.kind, found.labels) == ("hf", ("cat", "dog"))
    assert said(found) == [
        (sha256(png("red")).hexdigest(), "cat", None, None),
        (sha256(png("blue")).hexdigest(), "dog", None, None),
    ]
    assert list(found.unlabelled) == ["x/3.png"]


@pytest.mark.parametrize("held", [pa.large_binary(), pa.binary_view(), pa.dictionary(pa.int32(), pa.binary())], ids=str)
def test_an_image_is_named_by_its_hash_whatever_type_of_arrow_holds_its_bytes(
    held: pa.DataType, tmp_path: Path
) -> None:
    contents = pa.array([png("red"), png("blue"), None], pa.binary())
    contents = contents.dictionary_encode() if pa.types.is_dictionary(held) else contents.cast(held)
    column = pa.StructArray.from_arrays([contents, pa.array(["1.png", "1.png", "x/3.png"])], ["bytes", "path"])
    parquet.write_table(pa.table({"image": column, "label": ["cat", "dog", "cat"]}), tmp_path / "a.parquet")
    names = [sha256(png("red")).hexdigest(), sha256(png("blue")).hexdigest(), "x/3.png"]
    assert [claim[0] for claim in said(read(tmp_path / "a.parquet"))] == names


def test_a_column_whose_bytes_are_numbers_is_no_image(tmp_path: Path) -> None:
    column = pa.StructArray.from_arrays([pa.array([1]), pa.array(["1.png"])], ["bytes", "path"])
    parquet.write_table(pa.table({"image": column, "label": ["cat"]}), tmp_path / "a.parquet")
    with pytest.raises(BadInput, match="no column is called"):
        read(tmp_path / "a.parquet")
