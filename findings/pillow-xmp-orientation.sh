#!/usr/bin/env bash
# Pillow 13.0.0, on 27 November 2026.
#
# Expected: Image.getexif() reports what the EXIF block of a file says, and ImageOps.exif_transpose() turns by it.
# Seen: for a JPEG, WebP, PNG or AVIF without an EXIF orientation, both take the orientation from an XMP block. Image
#   editors write one when they rotate without touching the pixels. Browsers turn by EXIF alone: Chromium 156 shows the
#   four files 64 wide and 32 high. So annotators in a browser and a model fed by Pillow see different images.
# So: to see what a browser shows, read the orientation from the EXIF bytes (`image.info["exif"]`) alone.
#
# Output seen, for images 64 wide and 32 high with tiff:Orientation="6" in XMP and no EXIF:
#   JPEG EXIF bytes: none, getexif: 6, exif_transpose: 32 x 64
#   WEBP EXIF bytes: none, getexif: 6, exif_transpose: 32 x 64
#   PNG  EXIF bytes: none, getexif: 6, exif_transpose: 32 x 64
#   AVIF EXIF bytes: none, getexif: 6, exif_transpose: 32 x 64
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0
cd "$place"
venv/bin/python - <<'PYTHON'
import io

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    "</rdf:RDF></x:xmpmeta>"
)
for format in ("JPEG", "WEBP", "PNG", "AVIF"):
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP)
    options = {"pnginfo": text} if format == "PNG" else {"xmp": XMP.encode()}
    out = io.BytesIO()
    Image.new("RGB", (64, 32), "red").save(out, format, **options)
    image = Image.open(io.BytesIO(out.getvalue()))
    orientation = image.getexif().get(0x0112)
    width, height = ImageOps.exif_transpose(image).size
    bytes_ = "none" if image.info.get("exif") is None else "some"
    print(f"{format:4} EXIF bytes: {bytes_}, getexif: {orientation}, exif_transpose: {width} x {height}")
    assert (bytes_, orientation, width, height) == ("none", 6, 32, 64)
PYTHON
