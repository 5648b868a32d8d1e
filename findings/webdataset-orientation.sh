#!/usr/bin/env bash
# Hugging Face datasets 5.2.0 and webdataset 1.0.2, on 27 November 2026.
#
# Expected: two readers of one tar give the same pixels.
# Seen: datasets turns an image by its EXIF orientation, webdataset's decoders "pil" and "rgb8" do not. A model that is
#   trained with one reader and used with the other sees images lying on their side; boxes and masks do not fit.
# So: state in the dataset how width, height and coordinates are meant, or turn by EXIF in one place of your own, after
#   .decode() with webdataset.
#
# Output seen, for an image stored 64 wide and 32 high with orientation 6 (shown 32 wide, 64 high):
#   datasets:          32 x 64
#   webdataset "pil":  64 x 32
#   webdataset "rgb8": 64 x 32
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 webdataset==1.0.2 pillow==13.0.0
cd "$place"
HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1 HF_HOME="$place" venv/bin/python - <<'PYTHON'
import io
import tarfile

import webdataset
from datasets import load_dataset
from PIL import Image

exif = Image.Exif()
exif[0x0112] = 6
out = io.BytesIO()
Image.new("RGB", (64, 32), "red").save(out, "JPEG", exif=exif)
with tarfile.open("turned.tar", "w") as tar:
    for number in range(5):
        member = tarfile.TarInfo(f"{number:03}.jpg")
        member.size = len(out.getvalue())
        tar.addfile(member, io.BytesIO(out.getvalue()))


def webdataset_size(decoder):
    image = next(iter(webdataset.WebDataset("turned.tar", shardshuffle=False).decode(decoder)))["jpg"]
    return image.size if decoder == "pil" else image.shape[1::-1]


sizes = {"datasets": load_dataset("webdataset", data_files={"train": "turned.tar"}, split="train")[0]["jpg"].size}
sizes |= {f'webdataset "{name}"': webdataset_size(name) for name in ("pil", "rgb8")}
for reader, (width, height) in sizes.items():
    print(f"{reader + ':':18} {width} x {height}")
assert list(sizes.values()) == [(32, 64), (64, 32), (64, 32)]
PYTHON
