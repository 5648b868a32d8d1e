#!/usr/bin/env bash
# pdqhash 0.2.8 with NumPy 2.4.6, on 27 November 2026.
#
# Expected: a function that takes a NumPy array of pixels reads the array that it is given, or refuses its layout.
# Seen: compute() hashes other pixels for a view whose axes are swapped (numpy.rot90, transpose): half of the 256 bits
#   differ from the hash of a copy with the same pixels, as for two unrelated images, and the quality is 100, the best.
#   Mirrored, cropped and thinned views are read right, so a test on those does not show it.
# So: pass numpy.ascontiguousarray(view). Without it a search for turned copies finds none.
#
# Output seen:
#   rot90           bits that differ from the copy's: 136 of 256, quality 100 and 100
#   transpose       bits that differ from the copy's: 130 of 256, quality 100 and 100
#   mirrored        bits that differ from the copy's: 0 of 256, quality 100 and 100
#   cropped         bits that differ from the copy's: 0 of 256, quality 100 and 100
#   every other     bits that differ from the copy's: 0 of 256, quality 100 and 100
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check pdqhash==0.2.8 numpy==2.4.6 pillow==13.0.0
cd "$place"
venv/bin/python - <<'PYTHON'
import numpy
import pdqhash
from PIL import Image

drawn = numpy.random.default_rng(3).integers(0, 256, (12, 16, 3), dtype=numpy.uint8)
image = numpy.asarray(Image.fromarray(drawn).resize((256, 192), Image.Resampling.BICUBIC))
views = {
    "rot90": numpy.rot90(image),
    "transpose": image.transpose(1, 0, 2),
    "mirrored": image[:, ::-1],
    "cropped": image[10:150, 10:200],
    "every other": image[::2, ::2],
}
differ = {}
for name, view in views.items():
    bits, quality = pdqhash.compute(view)
    copied_bits, copied_quality = pdqhash.compute(numpy.ascontiguousarray(view))
    differ[name] = int((bits != copied_bits).sum())
    print(f"{name:15} bits that differ from the copy's: {differ[name]} of 256, quality {quality} and {copied_quality}")
    assert quality == copied_quality == 100
assert differ["rot90"] > 64 and differ["transpose"] > 64
assert differ["mirrored"] == differ["cropped"] == differ["every other"] == 0
PYTHON
