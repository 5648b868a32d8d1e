"""What is no picture, or would take too much to decode, is refused with its reason, and no damage crashes anything."""

import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.pictures_for_tests import encode, picture

from thresher import pictures
from thresher.errors import Undecodable

ENOUGH = 100_000_000


def reason(data: bytes, *, most: int = ENOUGH) -> str:
    with pytest.raises(Undecodable) as caught:
        pictures.inspect(data, pixels=most)
    assert caught.value.reason in pictures.REASONS
    assert "\n" not in str(caught.value)
    return caught.value.reason


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes whose header promises any number of pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    body = zlib.compress(b"\0" * 100_000)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"hello, I am a text", "not-a-picture"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "not-a-picture"),
        (b"\xef\xbb\xbf\n <html>", "not-a-picture"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "not-a-picture"),
        (b"PK\x03\x04 archive", "not-a-picture"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1", "unsupported"),
        (b"%PDF-1.7 and so on", "unsupported"),
        (b"\x00\x00\x01\x00\x01\x00\x10\x10", "unsupported"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "unsupported"),
        (b"\x89PNG\r\n\x1a\n" + b"\x07" * 200 + b"IEND\xaeB`\x82", "damaged"),
        (b"\xff\xd8\xff\xe0\x00\x04ab" + b"\x07" * 200 + b"\xff\xd9", "damaged"),
        (bomb(20_000, 20_000), "too-many-pixels"),
        (bomb(2_000_000, 2_000_000), "too-many-pixels"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_its_reason(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_the_pixels_are_counted_before_anything_is_decoded() -> None:
    data = picture(1, (200, 100))
    assert pictures.inspect(data, pixels=20_000).width == 200
    assert reason(data, most=19_999) == "too-many-pixels"


def tiff(tags: dict[int, int]) -> bytes:
    """A TIFF of one grey strip or tile with the tags given."""
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(tags)) + entries + bytes(8192)


def test_a_tile_larger_than_its_picture_is_counted_too() -> None:
    tags = {256: 64, 257: 64, 258: 8, 259: 1, 262: 1, 277: 1, 322: 64, 323: 64, 324: 200, 325: 4096}
    assert pictures.inspect(tiff(tags), pixels=ENOUGH).width == 64
    assert reason(tiff(tags | {322: 60_000, 323: 60_000})) == "too-many-pixels"


def many_scans(count: int, side: int = 64) -> bytes:
    whole = encode(Image.new("L", (side, side), 128), progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * count + b"\xff\xd9"


def test_a_jpeg_drawn_over_and_over_is_refused_before_it_takes_hours() -> None:
    assert pictures.inspect(many_scans(20), pixels=ENOUGH).width == 64
    assert reason(many_scans(200)) == "damaged"
    begun = time.perf_counter()
    assert reason(many_scans(20_000, side=4000)) == "damaged"
    assert time.perf_counter() - begun < 10


def test_what_is_appended_to_a_jpeg_or_written_in_its_head_is_no_scan() -> None:
    """Phones append a film, and the pictures of other cameras lie in the head."""
    film = b"\xff\xda\x00\x02" * 500
    assert pictures.inspect(picture(1, progressive=True) + film, pixels=ENOUGH).width == 64
    assert pictures.inspect(picture(1, comment=film), pixels=ENOUGH).width == 64


@pytest.mark.parametrize("size", [(1, 1), (7, 500), (500, 7)])
def test_a_tracking_pixel_is_too_small(size: tuple[int, int]) -> None:
    assert reason(picture(1, size, "GIF")) == "too-small"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP"])
def test_a_picture_cut_short_is_refused_at_any_cut(kind: str) -> None:
    whole = picture(11, (120, 90), kind)
    for cut in (len(whole) // 50, len(whole) // 4, len(whole) // 2, len(whole) * 9 // 10):
        assert reason(whole[:cut]) in {"truncated", "damaged", "not-a-picture"}, cut


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_half_a_picture_is_called_truncated(kind: str) -> None:
    whole = picture(11, (400, 300), kind)
    assert reason(whole[: len(whole) // 2]) == "truncated"


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF", "BMP", "JPEG2000"]),
    seed=st.integers(0, 2**32 - 1),
    flips=st.integers(1, 40),
)
def test_no_damage_crashes_anything(kind: str, seed: int, flips: int) -> None:
    data = bytearray(picture(1, format=kind))
    rng = np.random.default_rng(seed)
    for at in rng.integers(0, len(data), flips):
        data[at] = rng.integers(0, 256)
    for look in (
        lambda: pictures.inspect(bytes(data), pixels=1_000_000),
        lambda: pictures.render(bytes(data), long_side=32, format="jpeg"),
        lambda: pictures.model_pixels(bytes(data), side=16),
    ):
        try:
            look()
        except Undecodable as error:
            assert error.reason in pictures.REASONS  # noqa: PT017 -- most damage is harmless: there may be no error
