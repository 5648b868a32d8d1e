"""Tiny writers, one a format: what they write, the readers must read back."""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import pyarrow as pa
from pyarrow import parquet

from thresher.records import Box


@dataclass(frozen=True)
class Said:
    """One label of a picture: the box in whole pixels."""

    label: str
    score: float | None = None
    box: Box | None = None


@dataclass(frozen=True)
class Pictured:
    """A picture that a file names, with its labels."""

    name: str
    said: tuple[Said, ...]
    width: int = 200
    height: int = 100


Pictures = Sequence[Pictured]


def classes_of(pictures: Pictures) -> list[str]:
    return list(dict.fromkeys(said.label for picture in pictures for said in picture.said))


def write_csv(folder: Path, pictures: Pictures) -> Path:
    file = folder / "labels.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["file", "label", "score", "left", "top", "box width", "box height"])
        for picture in pictures:
            for said in picture.said or (Said(""),):
                rows.writerow([picture.name, said.label, _or_empty(said.score), *_sides(said.box)])
    return file


def write_wide(folder: Path, pictures: Pictures) -> Path:
    file = folder / "wide.csv"
    classes = classes_of(pictures)
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out, delimiter=";")
        rows.writerow(["file", *classes])
        for picture in pictures:
            said = {one.label: "yes" if one.score is None else one.score for one in picture.said}
            rows.writerow([picture.name, *(said.get(label, "no") for label in classes)])
    return file


def write_jsonl(folder: Path, pictures: Pictures) -> Path:
    file = folder / "labels.jsonl"
    lines = [{"file_name": one.name, "objects": [_object(said) for said in one.said]} for one in pictures]
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    return file


def write_parquet(folder: Path, pictures: Pictures) -> Path:
    file = folder / "labels.parquet"
    said = [(one.name, each) for one in pictures for each in one.said or (Said(""),)]
    columns = {
        "image": [name for name, _ in said],
        "label": pa.array([each.label for _, each in said], pa.string()).dictionary_encode(),
        "score": pa.array([each.score for _, each in said], pa.float64()),
        "bbox": pa.array([_list(each.box) for _, each in said], pa.list_(pa.float64())),
    }
    parquet.write_table(pa.table(columns), file, row_group_size=3)
    return file


def write_hf(folder: Path, pictures: Pictures) -> Path:
    """As `save_to_disk` of datasets 5.2 writes a split in two files."""
    classes = classes_of(pictures)
    label = {"names": classes, "_type": "ClassLabel"}
    inner = {
        "bbox": {"feature": {"dtype": "float64", "_type": "Value"}, "length": 4, "_type": "List"},
        "category": label,
    }
    features = {"file_name": {"dtype": "string", "_type": "Value"}, "objects": {"feature": inner, "_type": "List"}}
    known = json.dumps({"info": {"features": features}})
    kind = pa.struct([("bbox", pa.list_(pa.float64(), 4)), ("category", pa.int64()), ("score", pa.float64())])
    schema = pa.schema([("file_name", pa.string()), ("objects", pa.list_(kind))], metadata={"huggingface": known})
    place = folder / "dataset" / "train"
    place.mkdir(parents=True)
    (place.parent / "dataset_dict.json").write_text('{"splits": ["train"]}', "utf-8")
    half = (len(pictures) + 1) // 2
    files = []
    for number, part in enumerate((pictures[:half], pictures[half:])):
        objects = [
            [{"bbox": _list(each.box), "category": classes.index(each.label), "score": each.score} for each in one.said]
            for one in part
        ]
        files.append(f"data-{number:05}-of-00002.arrow")
        with pa.OSFile(str(place / files[-1]), "wb") as sink, pa.ipc.new_stream(sink, schema) as stream:
            stream.write_table(pa.table({"file_name": [one.name for one in part], "objects": objects}, schema))
    state = {"_data_files": [{"filename": name} for name in files], "_fingerprint": "f2cb", "_split": "train"}
    (place / "state.json").write_text(json.dumps(state, indent=2), "utf-8")
    (place / "dataset_info.json").write_text(json.dumps({"features": features}, indent=2), "utf-8")
    return folder / "dataset"


def write_coco(folder: Path, pictures: Pictures) -> Path:
    file = folder / "instances.json"
    classes = classes_of(pictures)
    images = [
        {"id": 7 + at, "file_name": one.name, "width": one.width, "height": one.height}
        for at, one in enumerate(pictures)
    ]
    annotations = [
        {"id": at, "image_id": 7 + image, "category_id": classes.index(said.label) + 1}
        | ({} if said.box is None else {"bbox": list(_sides(said.box)), "area": 1, "iscrowd": 0})
        | ({} if said.score is None else {"score": said.score})
        for image, one in enumerate(pictures)
        for at, said in enumerate(one.said)
    ]
    categories = [{"id": at, "name": name} for at, name in enumerate(classes, 1)]
    whole = {
        "info": {"year": 2017},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": categories,
    }
    file.write_text(json.dumps(whole), "utf-8")
    return file


def write_bdd100k(folder: Path, pictures: Pictures) -> Path:
    file = folder / "bdd100k_labels_images_val.json"
    frames = [
        {
            "name": one.name,
            "attributes": {"weather": "undefined"},
            "timestamp": 10000,
            "labels": [_named({"category": said.label, "id": at}, said, _scalabel) for at, said in enumerate(one.said)],
        }
        for one in pictures
    ]
    file.write_text(json.dumps(frames, indent=1), "utf-8")
    return file


def write_cvat(folder: Path, pictures: Pictures) -> Path:
    file = folder / "annotations.xml"
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<annotations>", "  <version>1.1</version>", "  <meta/>"]
    for at, one in enumerate(pictures):
        lines.append(f'  <image id="{at}" name={quoteattr(one.name)} width="{one.width}" height="{one.height}">')
        for said in one.said:
            label = f"label={quoteattr(said.label)} source='manual'"
            if said.box is None:
                lines.append(f"    <tag {label}></tag>")
            else:
                box = said.box
                corners = f'xtl="{box.left:.2f}" ytl="{box.top:.2f}"'
                corners += f' xbr="{box.left + box.width:.2f}" ybr="{box.top + box.height:.2f}"'
                lines.append(f'    <box {label} occluded="0" {corners} z_order="0">')
                lines.append('      <attribute name="colour">red</attribute></box>')
        lines.append("  </image>")
    file.write_text("\n".join([*lines, "</annotations>"]), "utf-8")
    return file


def write_label_studio(folder: Path, pictures: Pictures) -> Path:
    file = folder / "project-1.json"
    tasks = []
    for at, one in enumerate(pictures, 1):
        result = [
            {"from_name": "choice", "to_name": "image", "type": "choices", "value": {"choices": [said.label]}}
            if said.box is None
            else {
                "original_width": one.width,
                "original_height": one.height,
                "type": "rectanglelabels",
                "value": _percent(said.box, one) | {"rotation": 0, "rectanglelabels": [said.label]},
            }
            for said in one.said
        ]
        scored = [
            each if said.score is None else each | {"score": said.score}
            for each, said in zip(result, one.said, strict=True)
        ]
        image = f"/data/upload/1/0a1b2c3d-{quote(one.name)}"
        made = {"id": at, "result": scored, "was_cancelled": False, "ground_truth": False}
        tasks.append({"id": at, "annotations": [made], "predictions": [], "data": {"image": image}})
    file.write_text(json.dumps(tasks), "utf-8")
    return file


def write_fiftyone(folder: Path, pictures: Pictures) -> Path:
    file = folder / "labels.json"
    labels: dict[str, Any] = {}
    for one in pictures:
        found = [
            {"label": said.label}
            | ({} if said.box is None else {"bounding_box": _shares(said.box, one)})
            | ({} if said.score is None else {"confidence": said.score})
            for said in one.said
        ]
        labels[one.name.rpartition(".")[0]] = found or None
        picture = folder / "data" / one.name
        picture.parent.mkdir(exist_ok=True)
        picture.touch()
    file.write_text(json.dumps({"classes": None, "labels": labels}), "utf-8")
    return folder


def write_yolo(folder: Path, pictures: Pictures) -> Path:
    classes = classes_of(pictures)
    names = "".join(f"  {at}: {json.dumps(name)}\n" for at, name in enumerate(classes))
    (folder / "data.yaml").write_text(f"path: .\ntrain: images/train\nnames:\n{names}", "utf-8")
    for one in pictures:
        picture = folder / "images" / one.name
        picture.parent.mkdir(exist_ok=True)
        picture.touch()
        if one.said:
            file = folder / "labels" / f"{one.name.rpartition('.')[0]}.txt"
            file.parent.mkdir(exist_ok=True)
            file.write_text("".join(f"{classes.index(said.label)} {_yolo(said, one)}\n" for said in one.said), "utf-8")
    return folder


def write_folder(folder: Path, pictures: Pictures) -> Path:
    for one in pictures:
        file = folder / (one.said[0].label if one.said else "_unlabeled") / one.name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    return folder


@dataclass(frozen=True)
class Format:
    """What a format can say: several labels of a picture, scores, boxes; and how its readers name a picture."""

    kind: str
    write: Callable[[Path, Pictures], Path]
    several: bool = True
    scores: bool = True
    boxes: bool = True
    relative: bool = False
    files: bool = False
    """Whether it writes a file for each picture, so that names must be those of files."""


FORMATS = {
    "csv": Format("csv", write_csv),
    "wide": Format("csv", write_wide, boxes=False),
    "jsonl": Format("jsonl", write_jsonl),
    "parquet": Format("parquet", write_parquet),
    "hf": Format("hf", write_hf),
    "coco": Format("coco", write_coco),
    "bdd100k": Format("bdd100k", write_bdd100k),
    "cvat": Format("cvat", write_cvat, scores=False),
    "label-studio": Format("label-studio", write_label_studio),
    "fiftyone": Format("fiftyone", write_fiftyone, relative=True, files=True),
    "yolo": Format("yolo", write_yolo, relative=True, files=True),
    "folder": Format("folder", write_folder, several=False, scores=False, boxes=False, files=True),
}


def _or_empty(value: float | None) -> float | str:
    return "" if value is None else value


def _sides(box: Box | None) -> tuple[float | str, ...]:
    return ("",) * 4 if box is None else (box.left, box.top, box.width, box.height)


def _list(box: Box | None) -> list[float] | None:
    return None if box is None else [box.left, box.top, box.width, box.height]


def _object(said: Said) -> dict[str, Any]:
    return {"category": said.label, "score": said.score, "bbox": _list(said.box)}


def _named(value: dict[str, Any], said: Said, box: Callable[[Box], dict[str, float]]) -> dict[str, Any]:
    scored = value if said.score is None else value | {"score": said.score}
    return scored if said.box is None else scored | {"box2d": box(said.box)}


def _scalabel(box: Box) -> dict[str, float]:
    return {"x1": box.left, "y1": box.top, "x2": box.left + box.width - 1, "y2": box.top + box.height - 1}


def _shares(box: Box, one: Pictured) -> list[float]:
    return [box.left / one.width, box.top / one.height, box.width / one.width, box.height / one.height]


def _percent(box: Box, one: Pictured) -> dict[str, float]:
    return dict(zip(("x", "y", "width", "height"), (100 * share for share in _shares(box, one)), strict=True))


def _yolo(said: Said, one: Pictured) -> str:
    left, top, width, height = _shares(said.box or Box(0, 0, one.width, one.height), one)
    numbers = [left + width / 2, top + height / 2, width, height, *([] if said.score is None else [said.score])]
    return " ".join(f"{number:.17g}" for number in numbers)
