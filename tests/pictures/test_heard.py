"""No line of a library reaches the screen; what it says of a file is in the refusal of that file."""

import logging
import struct
import threading
from functools import partial

import numpy as np
import pytest
from PIL import Image
from tests.pictures.test_depth import tiff
from tests.pictures_for_tests import encode

from thresher import pictures
from thresher.compute.local import Local
from thresher.errors import Undecodable
from thresher.harvest.admit import admit
from thresher.harvest.candidates import Candidate
from thresher.records import Refusal


def damaged(mode: str, compression: str) -> bytes:
    """A TIFF with bits turned over in its middle, of which libtiff says something while it is decoded."""
    drawn = np.random.default_rng(3).integers(0, 2, (200, 300)) * 255
    image = Image.fromarray(drawn.astype(np.uint8)).convert(mode)
    data = bytearray(encode(image, "TIFF", compression=compression))
    for at in range(len(data) // 3, len(data) // 3 + 40):
        data[at] ^= 0x5A
    return bytes(data)


BROKEN = damaged("L", "tiff_adobe_deflate")
SAID = "ZIPDecode: Decoding error"


def eighteen_channels() -> bytes:
    return tiff(np.full((40, 50, 18), 9000, np.uint16), tags={262: 1})


def refusal(data: bytes) -> Undecodable:
    with pytest.raises(Undecodable) as caught:
        pictures.inspect(data, pixels=1_000_000)
    return caught.value


def test_a_tiff_of_more_channels_than_can_be_read_is_unsupported_and_not_damaged(
    capfd: pytest.CaptureFixture[str],
) -> None:
    told = refusal(eighteen_channels())
    assert told.reason == "unsupported"
    assert "More samples per pixel than can be decoded: 18" in told.what
    assert capfd.readouterr() == ("", "")


def separate(planes: int, bits: int) -> bytes:
    """An uncompressed grey TIFF of 8 x 8 pixels that has its planes one after the other."""
    size = 8 * bits
    # bits, places, sizes, and that the further ones mean nothing known
    lists = [[bits] * planes, [8 + number * size for number in range(planes)], [size] * planes, [0] * planes]
    pixels = bytes(planes * size)
    at = 8 + len(pixels)
    begins = [at + 4 * planes * number for number in range(len(lists))]
    values = {256: 8, 257: 8, 259: 1, 262: 1, 277: planes, 278: 8, 284: 2}
    tags = [(tag, 1, value) for tag, value in values.items()]
    tags += [(tag, planes, place) for tag, place in zip((258, 273, 279), begins, strict=False)]
    tags.append((338, planes - 1, begins[3] if planes > 2 else 0))
    head = b"II*\0" + struct.pack("<I", at + 16 * planes)
    ends = b"".join(struct.pack("<HHII", tag, 4, count, value) for tag, count, value in sorted(tags))
    body = b"".join(struct.pack(f"<{planes}I", *some) for some in lists)
    return head + pixels + body + struct.pack("<H", len(tags)) + ends + bytes(4)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("planes", [2, 4, 5, 18])
def test_a_tiff_of_more_planes_than_can_be_read_is_unsupported_and_not_damaged(planes: int, bits: int) -> None:
    assert refusal(separate(planes, bits)).reason == "unsupported"


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({259: 34712}, "compression 34712"),  # JPEG 2000 in a TIFF
        ({262: 32845}, "unknown pixel mode"),  # LogLuv
    ],
)
def test_a_variant_without_a_reader_is_unsupported(tags: dict[int, int], said: str) -> None:
    told = refusal(tiff(np.zeros((40, 50, 1), np.uint16), tags=tags))
    assert (told.reason, said in told.what) == ("unsupported", True)


def test_what_libtiff_prints_is_kept_for_the_refusal(capfd: pytest.CaptureFixture[str]) -> None:
    assert SAID in refusal(BROKEN).what
    assert len(refusal(BROKEN).what) < 300
    assert capfd.readouterr() == ("", "")


def test_a_refusal_tells_nothing_of_the_file_before() -> None:
    refusal(BROKEN)
    assert SAID not in refusal(b"\xff\xd8\xff\xe0\x00\x04ab" + b"\x07" * 200 + b"\xff\xd9").what


def test_a_picture_that_can_be_shown_in_spite_of_what_is_said_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    """libtiff says a line for each damaged line of a fax, and goes on."""
    assert pictures.inspect(damaged("1", "group4"), pixels=1_000_000).width == 300
    assert capfd.readouterr() == ("", "")


def test_threads_hear_of_their_own_file_only() -> None:
    told: dict[int, str] = {}
    begin = threading.Barrier(6)

    def look(number: int) -> None:
        begin.wait()
        for _ in range(10):
            told[number] = refusal(BROKEN if number % 2 else eighteen_channels()).what

    threads = [threading.Thread(target=look, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(SAID in told[number], ": 18" in told[number]) for number in range(6)] == [
        (bool(number % 2), not number % 2) for number in range(6)
    ]


def test_processes_that_decode_print_nothing_either(capfd: pytest.CaptureFixture[str]) -> None:
    job = partial(admit, bytes_most=10**6, pixels=10**6, at_ms=0)
    batches = [[Candidate("zip.tif", data=BROKEN)], [Candidate("geo.tif", data=eighteen_channels())]]
    (one,), (other,) = Local(2).spread(job, batches)
    assert isinstance(one, Refusal)
    assert isinstance(other, Refusal)
    assert SAID in one.detail
    assert other.reason == "unsupported"
    assert capfd.readouterr() == ("", "")


def test_a_root_logger_that_somebody_points_at_the_screen_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler()
    logging.getLogger().addHandler(handler)
    try:
        refusal(eighteen_channels())
    finally:
        logging.getLogger().removeHandler(handler)
    assert capfd.readouterr() == ("", "")
