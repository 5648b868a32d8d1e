"""Image files: decoding, size and orientation, renderings for people and for models, fingerprints.

The only folder that imports Pillow. Its input comes from strangers, so the header is read and checked before anything
is decoded, and any error of a decoder becomes an `Undecodable` with a reason that is counted.
"""

import math
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thresher.errors import Undecodable
from thresher.pictures.colours import decoded, to_srgb
from thresher.pictures.jpeg import plain_pixels
from thresher.pictures.reading import FORMATS, opened, orientation_of, tile_pixels
from thresher.pictures.resampling import BICUBIC, BILINEAR, resample

LEAST_SIDE = 8
"""Pixels below which nobody could answer a question about a picture: tracking pixels, spacers."""

REASONS = {
    "empty": "it holds no bytes",
    "not-a-picture": "the bytes are not an image",
    "unsupported": "an image in a format that is not supported",
    "too-small": f"a side is shorter than {LEAST_SIDE} pixels",
    "too-many-pixels": "it would decode to more pixels than allowed",
    "truncated": "the end is missing",
    "damaged": "the bytes cannot be decoded",
    "box-outside": "the box has no area, or reaches over the edge of the image",
}
"""Every reason that `Undecodable` carries, and what it means."""

ENCODERS: dict[str, dict[str, Any]] = {
    "webp": {"method": 1},  # a fifth larger than method 4 in a third of its time: people wait while the server renders
    "jpeg": {"optimize": True, "progressive": True},
}

LONG = 4
"""How many times as long as it is wide a picture may be before it is shown larger than its long side alone allows."""

MOST_LONG_PIXELS = 16_383  # of a WebP

GAP = 3.0  # a picture is reduced by a whole number first, to no less than so many times the size wanted
REDUCED_FROM = 2 * GAP  # times as long as wanted, so that the number is 2 or more


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
    image = opened(data)
    width, height = image.size
    if max(width * height, tile_pixels(image)) > pixels:
        raise Undecodable("too-many-pixels", f"{width} x {height} pixels are more than {pixels:,}.")
    if min(width, height) < LEAST_SIDE:
        raise Undecodable("too-small", f"{width} x {height} pixels are too few to show.")
    orientation = orientation_of(image, data)
    width, height = _turned_size(image, orientation)
    kind = FORMATS[image.format or ""]
    grey = _turn(decoded(image, data, least=64, grey=True), image, orientation)
    return Inspected(width, height, kind, orientation, _difference_hash(grey))


def shown_size(data: bytes) -> tuple[int, int]:
    """Width and height of an image as shown, after its orientation is applied; only its header is read.

    Raises Undecodable.
    """
    image = opened(data)
    return _turned_size(image, orientation_of(image, data))


def render(data: bytes, *, long_side: int, format: str = "webp", quality: int = 80) -> bytes:  # noqa: A002 -- the word for it
    """An image for people: upright, sRGB, first frame, transparency on white, no metadata; never enlarged.

    At most `long_side` pixels long, except for panoramas and strips (see `shown_scale`). `format` is "webp" or "jpeg",
    `quality` 1 to 100. Raises Undecodable.
    """
    upright = _shown(data, long_side)
    upright.info = {}  # Pillow would copy comments and colour profiles from here
    out = BytesIO()
    upright.save(out, format.upper(), quality=quality, **ENCODERS[format])
    return out.getvalue()


def shown_pixels(data: bytes, *, long_side: int) -> NDArray[np.uint8]:
    """The pixels that `render` would encode, uint8 [height, width, 3] luma and two of colour (YCbCr), 0 to 255.

    Raises Undecodable.
    """
    return np.array(_shown(data, long_side).convert("YCbCr"), dtype=np.uint8)


def reduced(pixels: NDArray[np.uint8], *, width: int, height: int) -> NDArray[np.uint8]:
    """Pixels [h, w, 3] at a smaller size."""
    return np.array(_resized(Image.fromarray(pixels), (width, height)), dtype=np.uint8)


def shown_scale(width: int, height: int, *, long_side: int) -> float:
    """By how much a picture is reduced to be shown, 1 for not at all.

    Up to four times as long as wide, a picture gets `long_side` pixels along its long side. A longer one would become a
    line (12000 x 300 would be 26 pixels high), so its short side keeps a quarter of `long_side`, as long as all of it
    takes no more pixels than a square of `long_side`.
    """
    longest = max(width, height)
    ratio = longest / min(width, height)
    wanted = long_side * max(1.0, min(ratio / LONG, math.sqrt(ratio)))
    return min(1.0, min(wanted, MOST_LONG_PIXELS) / longest)


def model_pixels(
    data: bytes, *, side: int, stretch: bool = False, bilinear: bool = False, out: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """An image for a model, uint8 [side, side, 3] RGB: upright, sRGB, transparency on white, first frame.

    The short side is resized to `side` (enlarged where it is shorter) and the middle square is kept; with `stretch` the
    whole image becomes the square. The filter is bicubic, or `bilinear`. JPEGs are decoded at the smallest scale that
    is not below `side`. The pixels are written into `out`, if it is given, and returned. Raises Undecodable.
    """
    image = opened(data)
    orientation = orientation_of(image, data)
    flat = _pixels_or_image(image, data, least=side)
    wide, high = flat.size if isinstance(flat, Image.Image) else flat.shape[1::-1]
    box = (0.0, 0.0, float(wide), float(high)) if stretch else _middle(wide, high)
    made = np.empty((side, side, 3), np.uint8) if out is None else out
    reduced = max(box[2] - box[0], box[3] - box[1]) >= REDUCED_FROM * side
    if isinstance(flat, Image.Image) or (wide, high) == (side, side) or reduced:
        whole = flat if isinstance(flat, Image.Image) else Image.fromarray(flat)
        filtered = Image.Resampling.BILINEAR if bilinear else Image.Resampling.BICUBIC
        square = _resized(whole, (side, side), box=box, resample=filtered)
    else:
        resample(flat, box=box, out=made, by=BILINEAR if bilinear else BICUBIC)
        if orientation == 1 and not image.info.get("icc_profile"):
            return made
        square = Image.fromarray(made)
    made[...] = np.asarray(_turn(to_srgb(square, image), image, orientation))
    return made


def upright(data: bytes, *, pixels: int) -> Image.Image:
    """A whole image as people see it, at full size: upright, sRGB, transparency on white, first frame.

    Raises Undecodable, also if its header announces more than `pixels` pixels.
    """
    image = opened(data)
    width, height = image.size
    if max(width * height, tile_pixels(image)) > pixels:
        raise Undecodable("too-many-pixels", f"{width} x {height} pixels are more than {pixels:,}.")
    orientation = orientation_of(image, data)
    return _turn(to_srgb(decoded(image, data, least=max(width, height)), image), image, orientation)


def _turned_size(image: Image.Image, orientation: int) -> tuple[int, int]:
    width, height = image.size
    # Pillow has turned the size of a TIFF by itself
    return (height, width) if orientation >= 5 and image.format != "TIFF" else (width, height)


def _shown(data: bytes, long_side: int) -> Image.Image:
    """An image as people see it: upright, sRGB, transparency on white, first frame; never enlarged."""
    image = opened(data)
    orientation = orientation_of(image, data)
    least = math.ceil(min(image.size) * shown_scale(*image.size, long_side=long_side))
    flat = decoded(image, data, least=least)
    scale = shown_scale(*flat.size, long_side=long_side)
    size = (max(1, round(flat.width * scale)), max(1, round(flat.height * scale)))
    return _turn(to_srgb(_resized(flat, size), image), image, orientation)


def _pixels_or_image(image: Image.Image, data: bytes, least: int) -> NDArray[np.uint8] | Image.Image:
    """A decoded image, as pixels [h, w, 3] if it is RGB."""
    plain = plain_pixels(image, data, least=least)
    if plain is not None:
        return plain
    flat = decoded(image, data, least=least)
    return np.asarray(flat) if flat.mode == "RGB" else flat


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


def _middle(width: int, height: int) -> tuple[float, float, float, float]:
    """The middle square of an image: left, top, right, bottom."""
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _resized(
    image: Image.Image,
    size: tuple[int, int],
    box: tuple[float, float, float, float] | None = None,
    resample: Image.Resampling = Image.Resampling.BICUBIC,
) -> Image.Image:
    if image.size == size and box in (None, (0, 0, *size)):
        return image
    return image.resize(size, resample, box=box, reducing_gap=GAP)


def _difference_hash(grey: Image.Image) -> str:
    """256 bits: whether each of 16 x 16 cells is lighter than its right neighbour (Krawetz's dHash, at 17 x 16)."""
    small = np.asarray(grey.resize((17, 16), Image.Resampling.BOX, reducing_gap=GAP), dtype=np.uint8)
    return np.packbits(small[:, :-1] > small[:, 1:]).tobytes().hex()
