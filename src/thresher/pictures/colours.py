"""Eight bits a channel in sRGB, on white: from whatever kind of pixels a file has."""

import sys
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from thresher.errors import Undecodable
from thresher.pictures.depth import eight_bits
from thresher.pictures.reading import broken, load, opened

WHITE_IS_ZERO = 0
MOST_CHUNKS = 100  # of a PNG, before its pixels; a stranger may write millions of empty ones
_DEEP = {"RGB": 3, "RGBA": 3, "CMYK": 4}  # modes of which Pillow reads the upper byte of two, and their colours
# How Pillow reads the upper bytes of a file, and how it reads the lower ones: as if their order were the other.
_OTHER_BYTES = {
    "B": "L",
    "L": "B",
    "N": "B" if sys.byteorder == "little" else "L",
}
_GREY_AND_ALPHA = "LA;16B"  # has no such twin; as RGBA its four bytes come one by one


def decoded(image: Image.Image, data: bytes, *, least: int, grey: bool = False) -> Image.Image:
    """Decode the first frame to L, RGB or (if it has a colour profile) CMYK, no side shorter than `least`.

    A JPEG is decoded at 1/2, 1/4 or 1/8 of its size if that is enough; other formats at full size. Raises Undecodable.
    """
    try:
        bits, declared = _bits(image, data), _declared(image, data)
        image.draft("L" if grey else None, (least, least))
        load(image, data)
        deep = bits == 16 and image.mode in _DEEP
        return _flat(_on_its_range(image, data, declared) if deep else image, declared, grey=grey)
    except Undecodable:
        raise
    except Exception as error:
        raise broken(error, data) from error


def to_srgb(image: Image.Image, original: Image.Image) -> Image.Image:
    """RGB in sRGB, by the colour profile of the original if it has a usable one."""
    profile = _icc(original)
    transform = _transform(profile, image.mode) if profile else None
    if transform is not None:
        return ImageCms.applyTransform(image, transform) or image
    return image.convert("RGB")


def _flat(image: Image.Image, declared: float, *, grey: bool) -> Image.Image:
    """Eight bits per channel, no palette, transparency on white."""
    if image.mode.startswith("I") or image.mode == "F":
        shown = eight_bits(np.asarray(image), declared)
        negative = image.mode.startswith("I;16") and _tag(image, 262) == WHITE_IS_ZERO  # Pillow turns other depths over
        image = Image.fromarray(255 - shown if negative else shown)
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


# --- more than eight bits ---------------------------------------------------------------------------------------------


def _on_its_range(image: Image.Image, data: bytes, declared: float) -> Image.Image:
    """A colour image of 16 bits a channel, of which Pillow decoded the upper eight, on the range that it uses."""
    colours = _DEEP[image.mode]
    upper = np.asarray(image)
    if upper[..., :colours].max(initial=0) >= 128:  # the upper half is used: the range is all sixteen bits
        return image
    numbers = _sixteen_bits(upper, data)
    if numbers is None:
        return image
    parts = [eight_bits(numbers[..., :colours], declared)]
    if numbers.shape[-1] > colours:
        parts.append(eight_bits(numbers[..., colours:], declared))
    return Image.merge(image.mode, [Image.fromarray(one) for one in np.moveaxis(np.concatenate(parts, -1), -1, 0)])


def _sixteen_bits(upper: Any, data: bytes) -> Any | None:  # noqa: ANN401 -- arrays [high, wide, channels] of 8 and 16 bits
    """The numbers of which these are the upper bytes, by decoding the file again; None if that cannot be."""
    image: Any = opened(data)
    if image.format == "PPM":
        numbers = np.frombuffer(data, ">u2", upper.size, image.tile[0].offset)
        return numbers.reshape(upper.shape).astype(np.uint16)
    modes = [_raw_mode(tile) for tile in image.tile]
    others = [_lower_bytes(mode) for mode in modes]
    if not all(others):
        return None
    image.tile = [
        tile._replace(args=other if isinstance(tile.args, str) else (other, *tile.args[1:]))
        for tile, other in zip(image.tile, others, strict=True)
    ]
    load(image, data)
    lower = np.asarray(image).astype(np.uint16)
    if _GREY_AND_ALPHA in modes:
        grey, alpha = (lower[..., at] << 8 | lower[..., at + 1] for at in (0, 2))
        return np.stack([grey, grey, grey, alpha], -1)
    # of planes that are packed, Pillow gives the upper bytes whatever is asked for: then these are steps of 257
    return upper.astype(np.uint16) << 8 | lower


def _lower_bytes(mode: str) -> str:
    """How the lower bytes are read where this mode reads the upper ones; "" if there is no such way."""
    kind, _, order = mode.partition(";16")
    return "RGBA" if mode == _GREY_AND_ALPHA else f"{kind};16{_OTHER_BYTES[order]}" if order in _OTHER_BYTES else ""


def _raw_mode(tile: Any) -> str:  # noqa: ANN401 -- Pillow's own record
    return tile.args if isinstance(tile.args, str) else str(tile.args[0]) if tile.args else ""


def _declared(image: Any, data: bytes) -> float:  # noqa: ANN401 -- `tile` is not in Pillow's types
    """The highest number that a deep image says may occur; 0 if it says none, or the highest that there is room for."""
    if image.format == "TIFF":
        room = float("inf") if image.mode == "F" else 2.0 ** _bits(image, data) - 1
        said = [_tag(image, 281), _tag(image, 341)] if room > 255 else []  # MaxSampleValue, SMaxSampleValue
        told = min((one for one in said if 0 < one < room), default=0.0)
        return told or (room if image.mode.startswith("I") and room not in (2.0**16 - 1, 2.0**32 - 1) else 0.0)
    if image.format == "PNG" and _bits(image, data) == 16:
        bits = _significant_bits(data)
        return 2.0**bits - 1 if 0 < bits < 16 else 0.0
    if image.format == "PPM" and image.tile[0].codec_name == "ppm" and 255 < image.tile[0].args[-1] < 2**16 - 1:
        # the greatest number in the head; Pillow has brought greys from there to all of sixteen bits
        return 2.0**16 - 1 if image.mode == "I" else float(image.tile[0].args[-1])
    return 0.0


def _bits(image: Any, data: bytes) -> int:  # noqa: ANN401 -- `tile` is not in Pillow's types
    """Bits of a channel as a PNG, TIFF or (before it is decoded) binary PPM states them; of other formats 8."""
    if image.format == "PNG":
        return data[24]
    if image.format == "PPM":
        return 16 if image.tile and image.tile[0].codec_name == "ppm" and image.tile[0].args[-1] > 255 else 8
    return int(_tag(image, 258) or 8) if image.format == "TIFF" else 8


def _tag(image: Image.Image, number: int) -> float:
    """A number in the tags of a TIFF, the greatest where it has one for each channel; -1 if it is not there."""
    found = getattr(image, "tag_v2", {}).get(number, -1)
    try:
        return float(max(found)) if isinstance(found, tuple) else float(found)
    except (TypeError, ValueError):
        return -1


def _significant_bits(data: bytes) -> int:
    """The depth that a PNG says it was made from (chunk sBIT), the greatest of its colours; 0 if it says nothing."""
    at = 8
    for _ in range(MOST_CHUNKS):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == b"sBIT":
            return max(data[at + 8 : at + 8 + min(size, 3)], default=0)
        if kind in (b"IDAT", b""):
            break
        at += 12 + size
    return 0


# --- profiles ---------------------------------------------------------------------------------------------------------


def _icc(image: Image.Image) -> bytes:
    profile = image.info.get("icc_profile", b"")
    return profile if isinstance(profile, bytes) else b""


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
