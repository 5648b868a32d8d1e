"""The pictures: the first ones of a tar, the same enlarged to photographs of 1,024 pixels and 100 KB, or drawn ones."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from thresher.errors import Undecodable
from thresher.pictures import model_pixels

LONG_SIDE, QUALITY, GRAIN = 1024, 80, 4.0


def some_of(data: Path | None, count: int, out: Path) -> Path:
    """A tar of the first pictures of a tar that can be decoded, or of as many drawn ones of 500 x 375."""
    return _packed(_found(data, count) if data else _drawn(count), out)


def enlarged(tar: Path, out: Path) -> Path:
    """The pictures of a tar as photographs with the grain of a camera, 1,024 pixels long and about 100 KB."""
    return _packed((_photo(content, number) for number, content in enumerate(_contents(tar))), out)


def pixels_of(tar: Path, side: int) -> np.ndarray:
    """What a model gets of them, uint8 [n, side, side, 3]."""
    return np.stack([model_pixels(content, side=side) for content in _contents(tar)])


def mean_kilobytes(tar: Path) -> float:
    """The mean size of its pictures."""
    return float(np.mean([len(content) for content in _contents(tar)])) / 1000


def _contents(tar: Path) -> Iterator[bytes]:
    with tarfile.open(tar) as source:
        for member in source:
            file = source.extractfile(member)
            if file is not None:
                yield file.read()


def _found(data: Path, count: int) -> Iterator[bytes]:
    found = 0
    for content in _contents(data):
        try:
            model_pixels(content, side=8)
        except Undecodable:
            continue
        yield content
        found += 1
        if found == count:
            return


def _drawn(count: int) -> Iterator[bytes]:
    """JPEGs with edges and grain."""
    random = np.random.default_rng(0)
    for _ in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((500, 375), 3)
        yield _encoded(np.asarray(coarse) + random.normal(0, 14, (375, 500, 1)), quality=90)


def _photo(content: bytes, number: int) -> bytes:
    image = Image.open(io.BytesIO(content)).convert("RGB")
    scale = LONG_SIDE / max(image.size)
    large = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    grain = np.random.default_rng(number).normal(0, GRAIN, (large.height, large.width, 1))
    return _encoded(np.asarray(large) + grain, quality=QUALITY)


def _encoded(values: np.ndarray, quality: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=quality)
    return out.getvalue()


def _packed(contents: Iterator[bytes], out: Path) -> Path:
    with tarfile.open(out, "w") as chosen:
        for number, content in enumerate(contents):
            member = tarfile.TarInfo(f"{number:05}.jpg")
            member.size = len(content)
            chosen.addfile(member, io.BytesIO(content))
    return out
