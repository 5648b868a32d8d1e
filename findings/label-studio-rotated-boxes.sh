#!/usr/bin/env bash
# label-studio-sdk 2.1.2 (its converter exports for Label Studio), on 27 November 2026.
#
# Expected: a rotated rectangle is exported to COCO and YOLO as the upright box around it.
# Seen: the COCO export turns it in percent of the image's sides, so that in an image that is not square the box is of
#   another shape and place. The YOLO export leaves the rotation out. The YOLO OBB export of the same package turns it
#   in pixels around its upper left corner, as the page draws it.
# So: take rotated rectangles from the JSON export, and turn them in pixels around their upper left corner.
#
# Output seen, for a rectangle of 20 x 40 pixels at (100, 10), turned by 90 degrees, in an image of 200 x 100 pixels:
#   YOLO OBB: 60, 10, 40 x 20
#   COCO:     20, 10, 80 x 10
#   YOLO:     100, 10, 20 x 40
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

CONFIG = """<View><Image name="image" value="$image"/>
<RectangleLabels name="label" toName="image"><Label value="car"/></RectangleLabels></View>"""
WIDTH, HEIGHT = 200, 100
Image.new("RGB", (WIDTH, HEIGHT)).save("a.jpg")
value = {"x": 50, "y": 10, "width": 10, "height": 40, "rotation": 90, "rectanglelabels": ["car"]}
region = {"original_width": WIDTH, "original_height": HEIGHT, "from_name": "label", "to_name": "image"}
result = [region | {"id": "r", "type": "rectanglelabels", "value": value}]
annotation = {"id": 1, "completed_by": 1, "was_cancelled": False, "result": result}
Path("tasks.json").write_text(json.dumps([{"id": 1, "data": {"image": "a.jpg"}, "annotations": [annotation]}]))


def export(kind):
    out = Path(kind)
    Converter(CONFIG, ".", download_resources=False).convert("tasks.json", str(out), kind, is_dir=False)
    return out


def line(kind):
    (file,) = (export(kind) / "labels").glob("*.txt")
    return [float(number) for number in file.read_text().split()[1:]]


def told(name, left, top, width, height):
    box = [round(side) for side in (left, top, width, height)]
    print(f"{name + ':':9} {box[0]}, {box[1]}, {box[2]} x {box[3]}")
    return box


corners = line("YOLO_OBB")
across, down = [x * WIDTH for x in corners[::2]], [y * HEIGHT for y in corners[1::2]]
turned = told("YOLO OBB", min(across), min(down), max(across) - min(across), max(down) - min(down))
coco = told("COCO", *json.loads((export("COCO") / "result.json").read_text())["annotations"][0]["bbox"])
x, y, width, height = line("YOLO")
yolo = told("YOLO", (x - width / 2) * WIDTH, (y - height / 2) * HEIGHT, width * WIDTH, height * HEIGHT)
assert turned == [60, 10, 40, 20]
assert coco == [20, 10, 80, 10]
assert yolo == [100, 10, 20, 40]
PYTHON
