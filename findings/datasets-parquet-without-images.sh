#!/usr/bin/env bash
# Hugging Face datasets 5.2.0, on 27 November 2026.
#
# Expected: a dataset of images that is written to Parquet has its images in it, as the Parquet files on the hub have, and
#   as `save_to_disk` has.
# Seen: `Dataset.to_parquet` writes the absolute paths of the original files and no bytes: moved to another machine, or
#   without the folder, its images are gone. `save_to_disk` writes the bytes, and of the path the file name alone, so
#   that images of equal names in several folders can no longer be told apart by it.
# So: look for bytes in each row, and name an image by their hash; where there are none, the path names a local file.
#
# Output seen, for cat/1.png and dog/1.png:
#   save_to_disk: bytes ['some', 'some'], paths ['1.png', '1.png']
#   to_parquet:   bytes ['none', 'none'], paths ['.../photos/cat/1.png', '.../photos/dog/1.png']
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 pillow==12.3.0
cd "$place"
HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1 HF_HOME="$place" venv/bin/python - <<'PYTHON'
from pathlib import Path

import pyarrow as pa
from datasets import load_dataset
from PIL import Image
from pyarrow import parquet

for name, colour in (("cat", "red"), ("dog", "blue")):
    Path("photos", name).mkdir(parents=True)
    Image.new("RGB", (8, 8), colour).save(f"photos/{name}/1.png")
dataset = load_dataset("imagefolder", data_dir="photos", split="train", cache_dir="cache")
dataset.save_to_disk("saved")
dataset.to_parquet("written.parquet")
(file,) = Path("saved").glob("*.arrow")
tables = {"save_to_disk": pa.ipc.open_stream(file).read_all(), "to_parquet": parquet.read_table("written.parquet")}
seen = {}
for name, table in tables.items():
    images = table["image"].to_pylist()
    paths = [image["path"].replace(str(Path.cwd().resolve()), "...") for image in images]
    seen[name] = ["none" if image["bytes"] is None else "some" for image in images], paths
    print(f"{name + ':':13} bytes {seen[name][0]}, paths {paths}")
assert seen["save_to_disk"] == (["some", "some"], ["1.png", "1.png"])
assert seen["to_parquet"][0] == ["none", "none"]
assert [path.endswith(end) for path, end in zip(seen["to_parquet"][1], ("cat/1.png", "dog/1.png"))] == [True, True]
PYTHON
