"""Pictures of more than eight bits are shown on the range that they use, to people, to models and to fingerprints."""

import io
import struct
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from tests.pictures_for_tests import encode

from thresher import pictures
from thresher.pictures.depth import eight_bits, white

ENOUGH = 10_000_000


def ramp(top: float, kind: type[np.generic] = np.uint16) -> NDArray[Any]:
    """A grey ramp from 0 to `top`, with a darker disc that tells left from right."""
    y, x = np.mgrid[0:64, 0:96]
    return np.asarray((x / 95) * np.where((x - 60) ** 2 + (y - 30) ** 2 < 200, 0.5, 1) * top).astype(kind)


def png(numbers: NDArray[Any], *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of 16 bits a channel, which Pillow cannot write in colour, each line as differences (filter Sub)."""
    high, wide, count = numbers.shape
    raw = numbers.astype(">u2").tobytes()
    rows = np.frombuffer(raw, np.uint8).reshape(high, wide * count * 2)
    step = count * 2
    left = np.pad(rows, ((0, 0), (step, 0)))[:, :-step]
    lines = b"".join(b"\x01" + (row - before).tobytes() for row, before in zip(rows, left, strict=True))
    head = struct.pack(">IIBBBBB", wide, high, 16, {1: 0, 2: 4, 3: 2, 4: 6}[count], 0, 0, 0)
    parts = ((b"IHDR", head), *chunks, (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    body = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def tiff(numbers: NDArray[Any], order: str = "<", tags: Mapping[int, int] = MappingProxyType({})) -> bytes:
    """An uncompressed TIFF of 16 bits a channel, with further tags."""
    high, wide, count = numbers.shape
    strip, bits = 8, 8 + numbers.nbytes
    size = {256: wide, 257: high, 273: strip, 277: count, 278: high, 279: numbers.nbytes}
    all_tags = {258: bits, 259: 1, 262: 2 if count > 1 else 1} | size | dict(tags)
    entries = b"".join(
        struct.pack(f"{order}HHII", tag, 4, 1, value)
        if tag != 258 or count > 2
        else struct.pack(f"{order}HHIHH", tag, 3, count, 16, 16)
        for tag, value in sorted(all_tags.items())
    )
    entries = entries.replace(
        struct.pack(f"{order}HHII", 258, 4, 1, bits), struct.pack(f"{order}HHII", 258, 3, count, bits)
    )
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, bits + 2 * count)
    depths = struct.pack(f"{order}{count}H", *[16] * count)
    directory = struct.pack(f"{order}H", len(all_tags)) + entries + bytes(4)
    return head + numbers.astype(f"{order}u2").tobytes() + depths + directory


def planes(numbers: NDArray[Any], order: str = "<") -> bytes:
    """A TIFF that has its colours one after the other."""
    high, wide, count = numbers.shape
    size = high * wide * 2
    starts = tuple(8 + size * plane for plane in range(count))
    tags = {256: (wide,), 257: (high,), 258: (16,) * count, 259: (1,), 262: (2,), 273: starts, 277: (count,)}
    tags |= {278: (high,), 279: (size,) * count, 284: (2,)} | ({338: (2,)} if count == 4 else {})
    at, behind, entries = 8 + size * count, b"", b""
    for tag, values in tags.items():
        packed = struct.pack(f"{order}{len(values)}{'H' if tag == 258 else 'I'}", *values)
        if len(packed) > 4:
            packed, behind = struct.pack(f"{order}I", at + len(behind)), behind + packed
        entries += struct.pack(f"{order}HHI", tag, 3 if tag == 258 else 4, len(values)) + packed.ljust(4, b"\0")
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, at + len(behind))
    directory = struct.pack(f"{order}H", len(tags)) + entries + bytes(4)
    return head + np.moveaxis(numbers, -1, 0).astype(f"{order}u2").tobytes() + behind + directory


def ppm(numbers: NDArray[Any], top: int = 65535) -> bytes:
    """A PPM of two bytes a number."""
    high, wide, _ = numbers.shape
    return f"P6 {wide} {high} {top}\n".encode() + numbers.astype(">u2").tobytes()


def shown(data: bytes) -> NDArray[Any]:
    return np.asarray(Image.open(io.BytesIO(pictures.render(data, long_side=96, quality=95))).convert("RGB"))


def alike(data: bytes, other: bytes) -> None:
    """Two files of one scene: people, models and fingerprints see the same."""
    assert abs(shown(data).astype(int) - shown(other)).max() <= 12
    assert abs(pictures.model_pixels(data, side=48).astype(int) - pictures.model_pixels(other, side=48)).max() <= 2
    prints = (int(pictures.inspect(each, pixels=ENOUGH).fingerprint, 16) for each in (data, other))
    assert (next(prints) ^ next(prints)).bit_count() <= 4


EIGHT = encode(Image.fromarray(ramp(255, np.uint8)), "PNG")


@pytest.mark.parametrize("top", [255, 1023, 4095, 16383, 65535])
@pytest.mark.parametrize("kind", ["PNG", "JPEG2000", "PPM", "TIFF", "TIFF, big-endian", "TIFF, 32 bits", "TIFF, LZW"])
def test_a_grey_of_any_depth_in_a_deeper_file_looks_like_its_eight_bit_twin(kind: str, top: int) -> None:
    grey = ramp(top)
    made = {
        "PPM": lambda: b"P5 96 64 65535\n" + grey.astype(">u2").tobytes(),
        "TIFF, big-endian": lambda: tiff(grey[..., None], ">"),
        "TIFF, 32 bits": lambda: encode(Image.fromarray(grey.astype(np.int32)), "TIFF"),
        "TIFF, LZW": lambda: encode(Image.fromarray(grey), "TIFF", compression="tiff_lzw"),
    }
    alike(made.get(kind, lambda: encode(Image.fromarray(grey), kind))(), EIGHT)


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_a_hot_pixel_does_not_make_the_others_black(kind: type[np.generic]) -> None:
    grey = np.tile(ramp(4095, kind), (4, 4))
    grey[17, 30:32] = 65535
    seen = shown(encode(Image.fromarray(grey), "TIFF"))
    assert seen.max() >= 250
    assert np.median(seen) > 60


@pytest.mark.parametrize("top", [2**-6, 0.0625, 1.0, 7.0, 255.0, 4095.0])
def test_a_grey_of_fractions_is_shown_on_a_range_that_it_uses(top: float) -> None:
    assert shown(encode(Image.fromarray(ramp(top, np.float32)), "TIFF")).max() >= 200


@pytest.mark.parametrize("top", [255, 1023, 4095, 32767, 65535])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(
    "write", [png, tiff, lambda numbers: tiff(numbers, ">")], ids=["png", "tiff", "big-endian tiff"]
)
def test_colours_of_any_depth_in_sixteen_bits_look_like_their_eight_bit_twin(
    write: Any, channels: int, top: int
) -> None:
    """Pillow reads the upper byte of each number, which is 15 at most for 12 bits and 0 for 8."""
    shares = np.stack(
        [ramp(1, np.float64), ramp(1, np.float64)[:, ::-1], ramp(0.5, np.float64), np.ones((64, 96))][:channels], -1
    )
    alike(
        write((shares * top).round().astype(np.uint16)),
        encode(Image.fromarray((shares * 255).round().astype(np.uint8)), "PNG"),
    )


def test_greys_with_alpha_are_shown_on_their_range_too() -> None:
    numbers = np.stack([ramp(4095), np.full((64, 96), 4095, np.uint16)], -1)
    alike(png(numbers), EIGHT)
    numbers[:, :40, 1] = 0
    assert (shown(png(numbers))[:, :32] > 245).all()  # what is transparent lies on white


# --- what a file declares ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        png(ramp(900)[..., None], (b"sBIT", b"\x0c")),
        tiff(ramp(900)[..., None], tags={281: 4095}),
        png(np.stack([ramp(900)] * 3, -1), (b"sBIT", b"\x0c" * 3)),
        b"P5 96 64 4095\n" + ramp(900).astype(">u2").tobytes(),
        ppm(np.stack([ramp(900)] * 3, -1), 4095),
    ],
    ids=["sBIT", "MaxSampleValue", "sBIT of colours", "maxval", "maxval of colours"],
)
def test_a_dark_picture_that_states_its_range_stays_dark(data: bytes) -> None:
    assert 50 <= shown(data).max() <= 64  # 900 of 4095


def test_a_statement_that_the_pixels_contradict_counts_for_nothing() -> None:
    """By the PNG specification numbers of 12 significant bits are scaled up to 16; many writers leave them."""
    full = png(ramp(65535)[..., None], (b"sBIT", b"\x0c"))
    alike(full, EIGHT)
    alike(tiff(ramp(4095)[..., None], tags={281: 255}), EIGHT)
    alike(tiff(ramp(4095)[..., None], tags={281: 65535}), EIGHT)  # says no more than that the numbers have 16 bits


def test_noise_behind_a_lens_cap_is_not_drawn_out_and_black_is_black() -> None:
    assert shown(encode(Image.fromarray(ramp(12)), "PNG")).max() <= 16
    assert shown(encode(Image.fromarray(ramp(0)), "PNG")).max() <= 2
    assert shown(encode(Image.fromarray(ramp(0, np.float32)), "TIFF")).max() <= 2
    assert shown(png(np.zeros((64, 96, 3), np.uint16))).max() <= 2


def test_where_white_is_zero_a_picture_is_no_negative() -> None:
    assert shown(tiff(ramp(65535)[..., None], tags={262: 0}))[5, 2].min() > 235
    assert shown(tiff(ramp(65535)[..., None], tags={262: 0}))[5, -2].max() < 20


# --- the rule ---------------------------------------------------------------------------------------------------------


@given(highest=st.integers(0, 2**31 - 1))
def test_the_brightest_pixel_is_shown_at_half_of_white_or_more_unless_it_is_below_eight_bits(highest: int) -> None:
    top = white(highest)
    assert highest <= top
    assert 2 * highest + 1 >= top or top == 255


@given(highest=st.floats(2**-8, 1e30))
def test_fractions_follow_the_same_rule(highest: float) -> None:
    assert highest <= white(highest, whole=False) <= max(2 * highest + 1, 1)


def test_negative_numbers_and_those_that_are_none_keep_their_own_range() -> None:
    numbers = np.array([[-40.0, np.nan, 9000.0, np.inf]], np.float32)
    assert eight_bits(numbers).tolist() == [[0, 1, 255, 1]]
