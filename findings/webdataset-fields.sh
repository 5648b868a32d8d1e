#!/usr/bin/env bash
# Hugging Face datasets 5.2.0, reader "webdataset", on 27 November 2026.
#
# Expected: each sample of a tar has the fields that its files give it, as the WebDataset format says.
# Seen: the fields and their types are fixed by the first five samples of the first tar. A later sample's .png is
#   dropped and its "jpg" is null; a number that was whole in the first five samples loses its fraction later; a key
#   that comes later is dropped. Nothing is raised or printed.
# So: give the image one field name in all samples whatever its format (`.jpg` is decoded by content), write a number
#   that may have a fraction with one from the start (1.0), and every key in every sample.
#
# Output seen:
#   fields: ['jpg', 'json'], keys of json: ['score']
#   000 jpg is there json {'score': 1}
#   006 jpg is null  json {'score': 0}      (the tar has 006.png, score 0.75 and note "late")
#   one name, .jpg, for JPEG and PNG bytes: ['JPEG', 'PNG', 'JPEG', 'PNG', 'JPEG', 'PNG', 'JPEG', 'PNG']
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 pillow==13.0.0
cd "$place"
HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1 HF_HOME="$place" venv/bin/python - <<'PYTHON'
import io
import json
import tarfile

from datasets import load_dataset
from PIL import Image


def image(format):
    out = io.BytesIO()
    Image.new("RGB", (16, 8), "red").save(out, format)
    return out.getvalue()


def write(name, samples):
    with tarfile.open(name, "w") as tar:
        for key, files in samples:
            for ending, data in files.items():
                member = tarfile.TarInfo(f"{key}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def read(name):
    return load_dataset("webdataset", data_files={"train": name}, split="train", cache_dir=f"{name}.cache")


early = [(f"{n:03}", {"jpg": image("JPEG"), "json": json.dumps({"score": 1}).encode()}) for n in range(5)]
late = [(f"{n:03}", {"png": image("PNG"), "json": json.dumps({"score": 0.75, "note": "late"}).encode()}) for n in (5, 6)]
write("mixed.tar", early + late)
found = read("mixed.tar")
fields = [name for name in found.column_names if not name.startswith("__")]
print(f"fields: {fields}, keys of json: {list(found[0]['json'])}")
for at in (0, 6):
    row = found[at]
    print(row["__key__"], "jpg is", "null " if row["jpg"] is None else "there", "json", row["json"])
assert fields == ["jpg", "json"]
assert found[6]["jpg"] is None
assert found[6]["json"] == {"score": 0}

write("one-name.tar", [(f"{n:03}", {"jpg": image("PNG" if n % 2 else "JPEG")}) for n in range(8)])
formats = [row["jpg"].format for row in read("one-name.tar")]
print(f"one name, .jpg, for JPEG and PNG bytes: {formats}")
assert formats == ["JPEG", "PNG"] * 4
PYTHON
