#!/usr/bin/env bash
# label-studio-sdk 2.1.2 (its converter exports for Label Studio), on 27 November 2026.
#
# Expected: where two people labelled an image, an export has both answers, or says that they differ.
# Seen: the COCO export has the image twice, each time with the boxes of one of them, so that no reader sees that they
#   are two answers about one image. The YOLO export has one text file an image, which the last annotation overwrites:
#   the boxes of the first are gone. Nothing is raised or printed.
# So: read the JSON export, which keeps annotations apart, and decide there whose answer counts.
#
# Output seen, for one image that the first annotator calls a car and the second a bus:
#   COCO: 2 images ['a.jpg', 'a.jpg'], labels of each: [['car'], ['bus']]
#   YOLO: 1 file, labels ['bus']
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check label-studio-sdk==2.1.2 pillow==12.3.0
cd "$place"
venv/bin/python - <<'PYTHON'
import json
from pathlib import Path

from label_studio_sdk.converter import Converter
from PIL import Image

CONFIG = """<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">
<Label value="car"/><Label value="bus"/></RectangleLabels></View>"""
Image.new("RGB", (200, 100)).save("a.jpg")


def annotation(number, label):
    value = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": [label]}
    region = {"original_width": 200, "original_height": 100, "from_name": "label", "to_name": "image"}
    result = [region | {"id": f"r{number}", "type": "rectanglelabels", "value": value}]
    return {"id": number, "completed_by": number, "was_cancelled": False, "result": result}


task = {"id": 1, "data": {"image": "a.jpg"}, "annotations": [annotation(1, "car"), annotation(2, "bus")]}
Path("tasks.json").write_text(json.dumps([task]))
for kind in ("COCO", "YOLO"):
    Converter(CONFIG, ".", download_resources=False).convert("tasks.json", kind, kind, is_dir=False)
coco = json.loads(Path("COCO/result.json").read_text())
names = {category["id"]: category["name"] for category in coco["categories"]}
files = [Path(image["file_name"]).name for image in coco["images"]]
labels = [
    [names[one["category_id"]] for one in coco["annotations"] if one["image_id"] == image["id"]]
    for image in coco["images"]
]
print(f"COCO: {len(files)} images {files}, labels of each: {labels}")
classes = Path("YOLO/classes.txt").read_text().split()
written = list(Path("YOLO/labels").glob("*.txt"))
found = [classes[int(line.split()[0])] for file in written for line in file.read_text().splitlines()]
print(f"YOLO: {len(written)} file, labels {found}")
assert (files, labels) == (["a.jpg", "a.jpg"], [["car"], ["bus"]])
assert (len(written), found) == (1, ["bus"])
PYTHON
