"""Image files: decoding, size and orientation, renderings for people and for models, fingerprints.

The only file that imports Pillow. Its input comes from strangers, so the header is read and checked before anything is
decoded, and any error of a decoder becomes an `Undecodable` with a reason that is counted.
"""

import math
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from thresher.errors import Undecodable

LEAST_SIDE = 8
"""Pixels below which nobody could answer a question about a picture: tracking pixels, spacers."""

MOST_SCANS = 100
"""Passes over a JPEG's pixels; encoders write up to a few dozen. A pass of 60 bytes may cost a tenth of a second."""

REASONS = {
    "empty": "it holds no bytes",
    "not-a-picture": "the bytes are not an image",
    "unsupported": "an image in a format that is not supported",
    "too-small": f"a side is shorter than {LEAST_SIDE} pixels",
    "too-many-pixels": "it would decode to more pixels than allowed",
    "truncated": "the end is missing",
    "damaged": "the bytes cannot be decoded",
}
"""Every reason that `Undecodable` carries, and what it means."""

FORMATS = {
    "JPEG": "jpeg",
    "MPO": "jpeg",  # a JPEG with further pictures behind it, as phones write
    "PNG": "png",
    "WEBP": "webp",
    "AVIF": "avif",
    "GIF": "gif",
    "BMP": "bmp",
    "TIFF": "tiff",
    "JPEG2000": "jpeg2000",
    "PPM": "ppm",
}
"""What is read, by Pillow's name; no format that runs another program (EPS) or has no signature (TGA) is among them."""

READERS = tuple(name for name in FORMATS if name != "MPO")  # Pillow's JPEG reader makes an MPO of a JPEG by itself

# (offset, signature, reason, what it is), for bytes that no reader of ours takes
SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (4, b"ftypheic", "unsupported", "a HEIC image; convert it to JPEG first"),
    (4, b"ftypheix", "unsupported", "a HEIC image; convert it to JPEG first"),
    (4, b"ftyphev", "unsupported", "a HEIC image; convert it to JPEG first"),
    (4, b"ftypmif1", "unsupported", "a HEIF image; convert it to JPEG first"),
    (4, b"ftypmsf1", "unsupported", "a HEIF image; convert it to JPEG first"),
    (0, b"8BPS", "unsupported", "a Photoshop file"),
    (0, b"%!PS", "unsupported", "a PostScript file"),
    (0, b"%PDF", "unsupported", "a PDF"),
    (0, b"\x00\x00\x01\x00", "unsupported", "an icon file"),
    (0, b"\xff\x0a", "unsupported", "a JPEG XL image"),
    (0, b"\x00\x00\x00\x0cJXL ", "unsupported", "a JPEG XL image"),
    (4, b"ftyp", "not-a-picture", "a video"),
    (0, b"\x1aE\xdf\xa3", "not-a-picture", "a video"),
    (0, b"PK\x03\x04", "not-a-picture", "a ZIP archive"),
    (0, b"\x1f\x8b", "not-a-picture", "gzip data"),
)

# a JPEG marker that a length follows; FF00 and FFD0 to FFD7 belong to the pixels, more FFs are fill (ITU T.81, B.1)
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9

# readable formats, for bytes whose header is broken although the signature is right
STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"\x00\x00\x00\x0cjP  ")

ENCODERS: dict[str, dict[str, Any]] = {
    "webp": {"method": 1},  # a fifth larger than method 4 in a third of its time: people wait while the server renders
    "jpeg": {"optimize": True, "progressive": True},
}

Image.MAX_IMAGE_PIXELS = 1_000_000_000
# Pillow's own limit is a constant of the process, ours a value of the call; it stays as the outer fence (it raises at
# twice the number). What Pillow warns of, such as a corrupt EXIF block, changes nothing that is decided here.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class Inspected:
    """The result of a full decode. Width and height are as shown, after `orientation` (EXIF 1 to 8) is applied.

    `fingerprint` is a 256-bit difference hash in hexadecimal: equal for images that look alike at 17x16 grey pixels.
    """

    width: int
    height: int
    format: str
    orientation: int
    fingerprint: str


def inspect(data: bytes, *, pixels: int) -> Inspected:
    """Decode a whole image and return its facts; its header must announce at most `pixels` pixels.

    JPEGs are decoded at an eighth of the size, which reads every bit of the stream and saves most of the transforms.
    Raises Undecodable with one of REASONS.
    """
    image = _open(data)
    width, height = image.size
    if max(width * height, _tile_pixels(image)) > pixels:
        raise Undecodable("too-many-pixels", f"{width} x {height} pixels are more than {pixels:,}.")
    if min(width, height) < LEAST_SIDE:
        raise Undecodable("too-small", f"{width} x {height} pixels are too few to show.")
    orientation = _orientation(image, data)
    if orientation >= 5 and image.format != "TIFF":  # Pillow has turned the size of a TIFF by itself
        width, height = height, width
    kind = FORMATS[image.format or ""]
    grey = _turn(_decoded(image, data, least=64, grey=True), image, orientation)
    return Inspected(width, height, kind, orientation, _difference_hash(grey))


def render(data: bytes, *, long_side: int, format: str = "webp", quality: int = 80) -> bytes:  # noqa: A002 -- the word for it
    """An image for people: upright, sRGB, first frame, transparency on white, no metadata; never enlarged.

    `format` is "webp" or "jpeg", `quality` 1 to 100. Raises Undecodable.
    """
    shown = _shown(data, long_side)
    shown.info = {}  # Pillow would copy comments and colour profiles from here
    out = BytesIO()
    shown.save(out, format.upper(), quality=quality, **ENCODERS[format])
    return out.getvalue()


def shown_pixels(data: bytes, *, long_side: int) -> NDArray[np.uint8]:
    """The pixels that `render` would encode, uint8 [height, width, 3] luma and two of colour (YCbCr), 0 to 255.

    Raises Undecodable.
    """
    return np.array(_shown(data, long_side).convert("YCbCr"), dtype=np.uint8)


def reduced(pixels: NDArray[np.uint8], *, width: int, height: int) -> NDArray[np.uint8]:
    """Pixels [h, w, 3] at a smaller size."""
    return np.array(_resized(Image.fromarray(pixels), (width, height)), dtype=np.uint8)


def model_pixels(data: bytes, *, side: int) -> NDArray[np.uint8]:
    """An image for a model, uint8 [side, side, 3] RGB: upright, sRGB, transparency on white, first frame.

    The short side is resized to `side` (enlarged where it is shorter) and the middle square is kept. JPEGs are decoded
    at the smallest scale that is not below `side`. Raises Undecodable.
    """
    image = _open(data)
    orientation = _orientation(image, data)
    flat = _decoded(image, data, least=side)
    edge = min(flat.size)
    left, top = (flat.width - edge) / 2, (flat.height - edge) / 2
    square = _resized(flat, (side, side), box=(left, top, left + edge, top + edge))
    return np.array(_turn(_to_srgb(square, image), image, orientation), dtype=np.uint8)


def _shown(data: bytes, long_side: int) -> Image.Image:
    """An image as people see it: upright, sRGB, transparency on white, first frame; never enlarged."""
    image = _open(data)
    orientation = _orientation(image, data)
    short = math.ceil(min(image.size) * long_side / max(image.size))
    flat = _decoded(image, data, least=short)
    scale = min(1.0, long_side / max(flat.size))
    size = (max(1, round(flat.width * scale)), max(1, round(flat.height * scale)))
    return _turn(_to_srgb(_resized(flat, size), image), image, orientation)


# --- reading ----------------------------------------------------------------------------------------------------------


def _open(data: bytes) -> Image.Image:
    """Read the header only."""
    if not data:
        raise Undecodable("empty", "it holds no bytes.")
    if data.startswith(b"\xff\xd8") and _scans(data) > MOST_SCANS:
        raise Undecodable("damaged", f"this JPEG has more than {MOST_SCANS} scans.")
    try:
        return Image.open(BytesIO(data), formats=READERS)
    except UnidentifiedImageError as error:
        raise _unidentified(data) from error
    except Exception as error:  # a decoder of foreign bytes may raise anything; it all means one thing
        raise _broken(error, data) from error


def _scans(data: bytes) -> int:
    """How many scans a JPEG has before its end, without those of thumbnails and of appended images."""
    count, at = 0, 2
    while count <= MOST_SCANS and (found := _MARKER.search(data, at)):
        kind, at = found[0][-1], found.end()
        if kind == _END_OF_IMAGE:
            break
        count += kind == _START_OF_SCAN
        at += int.from_bytes(data[at : at + 2], "big")
    return count


def _unidentified(data: bytes) -> Undecodable:
    for offset, signature, reason, what in SIGNATURES:
        if data[offset : offset + len(signature)] == signature:
            return Undecodable(reason, f"it is {what}.")
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head:
        return Undecodable("unsupported", "it is an SVG drawing.")
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or b"<html" in head:
        return Undecodable("not-a-picture", "it is a web page.")
    if data.startswith(STARTS) or data[8:12] in (b"WEBP", b"avif", b"avis"):
        return _broken(ValueError("the header cannot be read"), data)
    return Undecodable("not-a-picture", "its first bytes match no image format.")


def _broken(error: Exception, data: bytes) -> Undecodable:
    """An Undecodable for a decoder's error, which goes into the detail on one line."""
    said = " ".join(str(error).split())[:200] or type(error).__name__
    words = said.lower()
    if isinstance(error, Image.DecompressionBombError | MemoryError):
        return Undecodable("too-many-pixels", f"it would not fit in memory ({said}).")
    if isinstance(error, EOFError) or "truncated" in words or _ends_early(data):
        return Undecodable("truncated", f"its end is missing ({said}).")
    if "not available" in words or "unsupported" in words or "not supported" in words:
        return Undecodable("unsupported", f"this variant of the format is not supported ({said}).")
    return Undecodable("damaged", f"it cannot be decoded ({said}).")


def _ends_early(data: bytes) -> bool:
    """Whether the marker that ends a file of its format is missing."""
    if data.startswith(b"\xff\xd8"):
        return b"\xff\xd9" not in data[-1024:]
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data[-1024:]
    if data.startswith(b"RIFF"):
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    return False


def _orientation(image: Image.Image, data: bytes) -> int:
    """EXIF orientation 1 to 8; an invalid one counts as upright."""
    if image.format == "PNG":
        _load(image, data)  # a PNG may carry its EXIF behind the pixels
    try:
        found = _exif(image).get(0x0112, 1)
    except Exception:  # noqa: BLE001 -- a corrupt EXIF block may raise anything, and the picture is whole without it
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _exif(image: Image.Image) -> Image.Exif:
    """The EXIF block of an image. Pillow 13.0.0's `getexif` adds the orientation of XMP, which browsers ignore."""
    if image.format == "TIFF":
        return image.getexif()  # its own tags are the block
    exif = Image.Exif()
    exif.load(image.info.get("exif", b""))
    return exif


def _tile_pixels(image: Image.Image) -> int:
    """Pixels of one tile of a TIFF, which may be larger than the image and is allocated as a whole."""
    tags = getattr(image, "tag_v2", {})
    width, height = tags.get(322, 0), tags.get(323, 0)
    return width * height if isinstance(width, int) and isinstance(height, int) else 0


def _decoded(image: Image.Image, data: bytes, *, least: int, grey: bool = False) -> Image.Image:
    """Decode the first frame to L, RGB or (if it has a colour profile) CMYK, no side shorter than `least`.

    A JPEG is decoded at 1/2, 1/4 or 1/8 of its size if that is enough; other formats at full size.
    """
    image.draft("L" if grey else None, (least, least))
    _load(image, data)
    try:
        return _flat(image, grey=grey)
    except Exception as error:
        raise _broken(error, data) from error


def _load(image: Image.Image, data: bytes) -> None:
    try:
        image.load()
    except Exception as error:  # a decoder of foreign bytes may raise anything; it all means one thing
        raise _broken(error, data) from error


# --- colours ----------------------------------------------------------------------------------------------------------


def _flat(image: Image.Image, *, grey: bool) -> Image.Image:
    """Eight bits per channel, no palette, transparency on white."""
    if image.mode.startswith("I") or image.mode == "F":
        image = _eight_bits(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        whole = image.convert("RGBA")
        white = Image.new("RGB", whole.size, (255, 255, 255))
        white.paste(whole, mask=whole.getchannel("A"))
        image = white
    if image.mode == "LAB":
        lab = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
        image = ImageCms.applyTransform(image, lab) or image
    if grey:
        return image.convert("L")
    if image.mode in ("L", "RGB") or (image.mode == "CMYK" and _icc(image)):
        return image
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale 16- or 32-bit greys to 0..255; integers count as 16-bit, floats as 0..1 or 0..255, where they fit."""
    values = np.asarray(image).astype(np.float64)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    usual = (1.0, 255.0) if image.mode == "F" else (65535.0,)
    if low >= 0:
        low, high = 0.0, next((top for top in usual if high <= top), high)
    scaled = (values - low) * (255.0 / max(high - low, 1e-9))
    return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))


def _icc(image: Image.Image) -> bytes:
    profile = image.info.get("icc_profile", b"")
    return profile if isinstance(profile, bytes) else b""


def _to_srgb(image: Image.Image, original: Image.Image) -> Image.Image:
    """RGB in sRGB, by the colour profile of the original if it has a usable one."""
    profile = _icc(original)
    transform = _transform(profile, image.mode) if profile else None
    if transform is not None:
        return ImageCms.applyTransform(image, transform) or image
    return image.convert("RGB")


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform from a profile to sRGB; None if the profile is sRGB already, is damaged, or has other colours."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if mode == "RGB" and "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


# --- shapes -----------------------------------------------------------------------------------------------------------

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _turn(image: Image.Image, original: Image.Image, orientation: int) -> Image.Image:
    """Rotate an image upright; Pillow has rotated a TIFF already when decoding it."""
    if original.format == "TIFF" or orientation not in _UPRIGHT:
        return image
    return image.transpose(_UPRIGHT[orientation])


def _resized(
    image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    if image.size == size and box in (None, (0, 0, *size)):
        return image
    return image.resize(size, Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)


def _difference_hash(grey: Image.Image) -> str:
    """256 bits: whether each of 16 x 16 cells is lighter than its right neighbour (Krawetz's dHash, at 17 x 16)."""
    small = np.asarray(grey.resize((17, 16), Image.Resampling.BOX, reducing_gap=3.0), dtype=np.uint8)
    return np.packbits(small[:, :-1] > small[:, 1:]).tobytes().hex()
