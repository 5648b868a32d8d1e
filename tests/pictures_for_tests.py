"""Small real encoded pictures, made on the spot, so that no binary file is committed."""

import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ORIENTATION = 0x0112


def pixels(seed: int, size: tuple[int, int] = (64, 48)) -> NDArray[np.uint8]:
    """uint8 [height, width, 3]: smooth random colours, another picture for each seed."""
    drawn = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(drawn).resize(size, Image.Resampling.BICUBIC))


def corners(size: tuple[int, int] = (64, 48)) -> NDArray[np.uint8]:
    """Red top left, green top right, blue bottom left, white bottom right: shows how a picture was turned."""
    width, height = size
    drawn = np.full((height, width, 3), 255, np.uint8)
    drawn[: height // 2, : width // 2] = (255, 0, 0)
    drawn[: height // 2, width // 2 :] = (0, 255, 0)
    drawn[height // 2 :, : width // 2] = (0, 0, 255)
    return drawn


def encode(
    drawn: NDArray[np.uint8] | Image.Image,
    format: str = "JPEG",  # noqa: A002 -- Pillow's word
    orientation: int = 1,
    **options: object,
) -> bytes:
    """The bytes of a picture in a format, with an EXIF orientation where it is not 1."""
    image = drawn if isinstance(drawn, Image.Image) else Image.fromarray(drawn)
    if orientation != 1:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        options["exif"] = exif
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


@cache  # a suite asks for the same few thousands again and again
def picture(
    seed: int,
    size: tuple[int, int] = (64, 48),
    format: str = "JPEG",  # noqa: A002 -- Pillow's word
    orientation: int = 1,
    **options: object,
) -> bytes:
    """A small real picture; the same seed gives the same bytes."""
    return encode(pixels(seed, size), format, orientation, **options)
