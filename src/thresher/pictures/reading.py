"""From bytes to pixels with Pillow, and from any error of a decoder to an `Undecodable` with a reason."""

import re
import warnings
from io import BytesIO
from typing import Any

from PIL import Image, UnidentifiedImageError

from thresher.errors import Undecodable
from thresher.pictures import heard

MOST_SCANS = 100
"""Passes over a JPEG's pixels; encoders write up to a few dozen. A pass of 60 bytes may cost a tenth of a second."""

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

PLANES = ("R", "G", "B", "A")  # how Pillow calls the planes of a picture that has its colours one after the other

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

# what the libraries say of a whole file that they have no reader for
UNSUPPORTED = (
    "not available",
    "unsupported",
    "not supported",
    "not yet supported",
    "not configured",
    "cannot handle",  # a JPEG of 12 bits, or of two layers
    "unknown pixel mode",
    "unknown raw mode",
    "unknown data organization",
    "more samples per pixel than can be decoded",
    "string index out of range",  # more planes than Pillow's name of the mode has letters
    "unable to determine j2k image mode",
)
LEAST_UNKNOWN_COMPRESSION = 30_000  # private numbers of compressions begin above it, and tags that are missed lie below

# a JPEG marker that a length follows; FF00 and FFD0 to FFD7 belong to the pixels, more FFs are fill (ITU T.81, B.1)
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9

# readable formats, for bytes whose header is broken although the signature is right
STARTS = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF8",
    b"BM",
    b"II*\x00",
    b"MM\x00*",
    b"II+\x00",
    b"MM\x00+",
    b"\x00\x00\x00\x0cjP  ",
)

Image.MAX_IMAGE_PIXELS = 1_000_000_000
# Pillow's own limit is a constant of the process, ours a value of the call; it stays as the outer fence (it raises at
# twice the number). What Pillow warns of, such as a corrupt EXIF block, changes nothing that is decided here.
warnings.filterwarnings("ignore", module=r"PIL\.")


def opened(data: bytes) -> Image.Image:
    """Read the header only. Raises Undecodable."""
    heard.forget()
    if not data:
        raise Undecodable("empty", "it holds no bytes.")
    if data.startswith(b"\xff\xd8") and _scans(data) > MOST_SCANS:
        raise Undecodable("damaged", f"this JPEG has more than {MOST_SCANS} scans.")
    try:
        image: Image.Image = Image.open(BytesIO(data), formats=READERS)
        if image.format == "TIFF":
            # Pillow 13.0.0 turns a TIFF while it decodes it, by its XMP if the tag is missing, which nobody else does
            image.info.pop("xmp", None)
            _read_planes_of_two_bytes(image)
        return image
    except UnidentifiedImageError as error:
        raise _unidentified(data) from error
    except Exception as error:  # a decoder of foreign bytes may raise anything; it all means one thing
        raise broken(error, data) from error


def _read_planes_of_two_bytes(image: Any) -> None:  # noqa: ANN401 -- `tile` is not in Pillow's types
    """Read planes of two bytes a number as such, where a TIFF is not packed: Pillow 13.0.0 takes each byte for one."""
    if image.tag_v2.get(258, ())[:1] == (16,) and all(tile.codec_name == "raw" for tile in image.tile):
        order = "L" if image.tag_v2.prefix == b"II" else "B"
        image.tile = [
            tile._replace(args=(f"{tile.args[0]};16{order}", *tile.args[1:])) if tile.args[0] in PLANES else tile
            for tile in image.tile
        ]


def load(image: Image.Image, data: bytes) -> None:
    """Decode the first frame. Raises Undecodable."""
    try:
        image.load()
    except Exception as error:  # a decoder of foreign bytes may raise anything; it all means one thing
        raise broken(error, data) from error


def orientation_of(image: Image.Image, data: bytes) -> int:
    """EXIF orientation 1 to 8; an invalid one counts as upright."""
    if image.format == "PNG":
        load(image, data)  # a PNG may carry its EXIF behind the pixels
    try:
        found = _exif(image).get(0x0112, 1)
    except Exception:  # noqa: BLE001 -- a corrupt EXIF block may raise anything, and the picture is whole without it
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def tile_pixels(image: Image.Image) -> int:
    """Pixels of one tile of a TIFF, which may be larger than the image and is allocated as a whole."""
    tags = getattr(image, "tag_v2", {})
    width, height = tags.get(322, 0), tags.get(323, 0)
    return width * height if isinstance(width, int) and isinstance(height, int) else 0


def broken(error: Exception, data: bytes) -> Undecodable:
    """An Undecodable for a decoder's error, which goes into the detail on one line, with what the libraries said."""
    told = [" ".join(str(error).split()) or type(error).__name__, *heard.lines()]
    said = "; ".join(told)[:200]
    words = " ".join(told).lower()
    if isinstance(error, Image.DecompressionBombError | MemoryError):
        return Undecodable("too-many-pixels", f"it would not fit in memory ({said}).")
    if isinstance(error, EOFError) or "truncated" in words or _ends_early(data):
        return Undecodable("truncated", f"its end is missing ({said}).")
    if any(one in words for one in UNSUPPORTED):
        return Undecodable("unsupported", f"this variant of the format is not supported ({said}).")
    return Undecodable("damaged", f"it cannot be decoded ({said}).")


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
        return broken(_why(data), data)
    return Undecodable("not-a-picture", "its first bytes match no image format.")


def _why(data: bytes) -> Exception:
    """What the reader of this format says: `Image.open` tries all of them, and tells the reason of none."""
    for name in READERS:
        read, accepts = Image.OPEN[name]
        if accepts is None or accepts(data[:16]) is not True:
            continue
        try:
            read(BytesIO(data), "")
        except Exception as error:  # noqa: BLE001 -- as above: any of them is the reason
            missed = getattr(error.__cause__, "args", None) or (0,)
            if isinstance(error.__cause__, KeyError) and missed[0] in range(LEAST_UNKNOWN_COMPRESSION, 1 << 16):
                return ValueError(f"compression {missed[0]} is not supported")
            return error
    return ValueError("the header cannot be read")


def _ends_early(data: bytes) -> bool:
    """Whether the marker that ends a file of its format is missing."""
    if data.startswith(b"\xff\xd8"):
        return b"\xff\xd9" not in data[-1024:]
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data[-1024:]
    if data.startswith(b"RIFF"):
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    return False


def _exif(image: Image.Image) -> Image.Exif:
    """The EXIF block of an image. Pillow 13.0.0's `getexif` adds the orientation of XMP, which browsers ignore."""
    if image.format == "TIFF":
        return image.getexif()  # its own tags are the block; its XMP was dropped when it was opened
    exif = Image.Exif()
    exif.load(image.info.get("exif", b""))
    return exif
