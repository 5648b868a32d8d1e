"""Claim: of pictures that differ in colour, in a stamp or in a step of time, at most 0.1 % are taken for one picture.

Makes pairs that differ and copies that do not, from drawn pictures and from the photos of `--data`, and asks of each
whether harvest would suspect them (equal fingerprints), whether the comparison of their pixels says that they are the
same, and whether they end in one similar group, which takes both. The comparison is asked of every pair, suspected or
not: that is the worst case. A grey thing is as grey in another dye: pairs whose colours differ nowhere by more than 5
(CIE 1976; 2.3 is just noticeable side by side) are told in a row of their own. So is one small thing in another hue of
the same lightness, with a ratio of its own: where the thing is dark or nearly grey, JPEG moves its colour as far, and
only because both files were written alike, all else in them is the same and tells that something was drawn.

    python bench/similar.py --data DIRECTORY/clothing.tar
"""

import argparse
import io
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import checkout  # noqa: F401 -- lets tests be imported
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont
from tests.harvest.lookalikes import KINDS, jpeg, scene, smaller

from thresher.harvest.likeness import pixels_of, same
from thresher.harvest.similar import group_key
from thresher.pictures import inspect

PIXELS = 10**9
NOTICED = 5.0
SMALL = "photo, one small thing recoloured"
Picture = Image.Image
Change = Callable[[Picture], Picture]


def hue(picture: Picture) -> Picture:
    """Another dye: the colours turned by 120 degrees."""
    return Image.fromarray(np.asarray(picture)[..., [1, 2, 0]])


def spot(picture: Picture) -> Picture:
    """One thing in another colour, a thirtieth of the width."""
    drawn = np.array(picture)
    side = max(6, picture.width // 30)
    top, left = picture.height // 3, picture.width // 3
    drawn[top : top + side, left : left + side] = drawn[top : top + side, left : left + side][..., [2, 0, 1]]
    return Image.fromarray(drawn)


def stamp(text: str) -> Change:
    """A time of day burnt into a corner, on a dark ground."""

    def change(picture: Picture) -> Picture:
        copy = picture.copy()
        draw = ImageDraw.Draw(copy)
        size = max(10, picture.width // 24)
        draw.rectangle((0, 0, 7 * size, 2 * size), fill=(0, 0, 0))
        draw.text((size // 2, size // 3), text, fill=(255, 255, 255), font=ImageFont.load_default(size=size))
        return copy

    return change


def moved(pixels: int) -> Change:
    """The next frame of a camera that turns."""
    return lambda picture: picture.crop((pixels, 0, picture.width - 4 + pixels, picture.height))


def passing(at: int) -> Change:
    """A frame of a camera that stands: something small goes by."""

    def change(picture: Picture) -> Picture:
        copy = picture.copy()
        top, size = picture.height // 2, max(6, picture.width // 40)
        left = picture.width // 4 + at * max(2, size // 4)
        ImageDraw.Draw(copy).rectangle((left, top, left + size, top + size), fill=(15, 15, 20), outline=(240, 240, 240))
        return copy

    return change


def unchanged(picture: Picture) -> Picture:
    return picture


DIFFERENT: dict[str, tuple[Change, Change]] = {
    "photo recoloured": (unchanged, hue),
    SMALL: (unchanged, spot),
    "photo stamped a second later": (stamp("12:30:01"), stamp("12:30:02")),
    "photo stamped, and not": (unchanged, stamp("12:30:01")),
    "next frame, 1 px": (moved(0), moved(1)),
    "next frame, 3 px": (moved(0), moved(3)),
    "something goes by": (passing(0), passing(1)),
}


def brighter(picture: Picture) -> Picture:
    return ImageEnhance.Brightness(picture).enhance(1.1)


def cropped(picture: Picture) -> Picture:
    cut = max(1, round(0.02 * picture.width))
    return picture.crop((cut, cut, picture.width - cut, picture.height - cut))


COPIES: dict[str, tuple[Change, int]] = {
    "as JPEG 95": (unchanged, 95),
    "as JPEG 85": (unchanged, 85),
    "as JPEG 75": (unchanged, 75),
    "resized to 90 %": (lambda picture: smaller(picture, 0.9), 90),
    "resized to 50 %": (lambda picture: smaller(picture, 0.5), 90),
    "brighter by 10 %": (brighter, 90),
    "cropped by 2 %": (cropped, 90),
    "moved by 4 px": (moved(4), 90),
}


@dataclass
class Tally:
    """How many pairs were asked about, and what was said of them."""

    pairs: int = 0
    suspected: int = 0
    confirmed: int = 0
    grouped: int = 0
    seconds: float = 0.0

    def add(self, one: bytes, other: bytes) -> None:
        """Ask about a pair."""
        prints = [group_key(inspect(data, pixels=PIXELS).fingerprint) for data in (one, other)]
        first, second = pixels_of(one), pixels_of(other)
        started = time.perf_counter()
        confirmed = same(first, second)
        self.seconds += time.perf_counter() - started
        suspected = prints[0] == prints[1] != ""
        self.pairs += 1
        self.suspected += suspected
        self.confirmed += confirmed
        self.grouped += suspected and confirmed

    def row(self, name: str) -> str:
        """A line of the table."""
        each = 1000 * self.seconds / max(self.pairs, 1)
        return f"| {name} | {self.pairs:,} | {self.suspected:,} | {self.confirmed:,} | {self.grouped:,} | {each:.0f} |"


def photos(data: Path | None, count: int) -> Iterator[Picture]:
    """The first pictures of a tar, or drawn ones."""
    if data is None:
        yield from (scene(seed, (480, 320)) for seed in range(count))
        return
    with tarfile.open(data) as tar:
        found = 0
        for member in tar:
            file = tar.extractfile(member) if member.isfile() and found < count else None
            if file is not None:
                found += 1
                yield Image.open(io.BytesIO(file.read())).convert("RGB")


def seen(one: Picture, other: Picture) -> float:
    """The largest difference of colour (CIE 1976, in CIELAB) between the means of 5 x 5 pixels."""
    if one.size != other.size:
        return np.inf
    means = [np.asarray(picture.filter(ImageFilter.BoxBlur(2)), np.float64) for picture in (one, other)]
    return float(np.sqrt(((lab(means[0]) - lab(means[1])) ** 2).sum(axis=2)).max())


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB of sRGB values 0 to 255, [h, w, 3]; white is D65."""
    linear = np.where(rgb <= 10.31475, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array([[0.4339, 0.2126, 0.0178], [0.3762, 0.7152, 0.1095], [0.1899, 0.0722, 0.8727]])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=2)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, help="a tar of photos; drawn pictures take their place without it")
    options.add_argument("--images", type=int, default=300)
    given = options.parse_args()
    different = {name: Tally() for name in (*KINDS, *DIFFERENT)}
    copies, hardly = {name: Tally() for name in COPIES}, Tally()
    for name, draw in KINDS.items():
        for seed in range(given.images):
            different[name].add(jpeg(draw(seed, 0)), jpeg(draw(seed, 1), 85 + seed % 11))
    for picture in photos(given.data, given.images):
        for name, (before, after) in DIFFERENT.items():
            one, other = before(picture), after(picture)
            (different[name] if seen(one, other) > NOTICED else hardly).add(jpeg(one), jpeg(other))
        original = jpeg(picture, 95)
        for name, (change, quality) in COPIES.items():
            copies[name].add(original, jpeg(change(picture), quality))
    head = "| pairs | asked | suspected | confirmed | grouped | ms to compare |\n|---|---|---|---|---|---|"
    print("Pictures that differ:\n" + head)
    print("\n".join(tally.row(name) for name, tally in different.items()))
    print(hardly.row("(hardly a difference to see)"))
    print("\nCopies of one picture:\n" + head)
    print("\n".join(tally.row(name) for name, tally in copies.items()))
    small = different.pop(SMALL)
    pairs = sum(tally.pairs for tally in different.values())
    print(f"RATIO false_merges {sum(tally.grouped for tally in different.values()) / pairs:.5f}")
    print(f"RATIO false_confirmations {sum(tally.confirmed for tally in different.values()) / pairs:.5f}")
    print(f"RATIO false_merges_of_small_recolourings {small.grouped / max(small.pairs, 1):.3f}")
    for name in ("as JPEG 85", "resized to 90 %"):
        tally, key = copies[name], name.replace(" %", "").replace(" ", "_").lower()
        print(f"RATIO suspected_copies_{key}_grouped {tally.grouped / max(tally.suspected, 1):.3f}")
    print(f"RATIO copies_grouped {sum(t.grouped for t in copies.values()) / sum(t.pairs for t in copies.values()):.3f}")


if __name__ == "__main__":
    main()
