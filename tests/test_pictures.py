"""A picture of any format is shown upright and in its colours, to people, to models and to fingerprints."""

import io
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from tests.pictures_for_tests import corners, encode, picture, pixels

from thresher import pictures

ENOUGH = 100_000_000
COLOURS = {(255, 0, 0): "R", (0, 255, 0): "G", (0, 0, 255): "B", (255, 255, 255): "W"}


def turned(upright: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels a camera stores so that a viewer who honours `orientation` sees `upright` (EXIF 2.3, tag 274)."""
    back = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    return np.ascontiguousarray(back[orientation](upright))


def seen(shown: np.ndarray) -> str:
    """The colours of the four corners, row by row, as letters."""
    h, w = shown.shape[:2]
    found = ""
    for y, x in ((h // 8, w // 8), (h // 8, -w // 8), (-h // 8, w // 8), (-h // 8, -w // 8)):
        found += COLOURS[min(COLOURS, key=lambda c: abs(np.array(c) - shown[y, x].astype(int)).sum())]
    return found


def opened(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


# --- orientation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_upright_wherever_it_is_seen(kind: str, orientation: int) -> None:
    data = encode(turned(corners((160, 96)), orientation), kind, orientation)
    found = pictures.inspect(data, pixels=ENOUGH)
    assert (found.width, found.height, found.orientation) == (160, 96, orientation)
    shown = opened(pictures.render(data, long_side=80, quality=95))
    assert shown.shape == (48, 80, 3)
    assert seen(shown) == "RGBW"
    assert seen(opened(pictures.render(data, long_side=1000, format="jpeg"))) == "RGBW"
    assert seen(pictures.model_pixels(data, side=32)) == "RGBW"


def test_an_upright_and_a_turned_copy_have_one_fingerprint() -> None:
    drawn = pixels(3, (200, 120))
    upright = pictures.inspect(encode(drawn, "PNG"), pixels=ENOUGH)
    for orientation in range(2, 9):
        copy = pictures.inspect(encode(turned(drawn, orientation), "PNG", orientation), pixels=ENOUGH)
        assert copy.fingerprint == upright.fingerprint


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "jpeg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_tag_of_a_tiff_is_applied_however_it_is_packed(
    compression: str | None, orientation: int
) -> None:
    """A browser shows no TIFF, so that our rendering is the picture: what is recorded is what was turned."""
    tags = ImageFileDirectory_v2()
    tags[274] = orientation
    data = encode(turned(corners((160, 96)), orientation), "TIFF", tiffinfo=tags, compression=compression)
    found = pictures.inspect(data, pixels=ENOUGH)
    assert (found.width, found.height, found.orientation) == (160, 96, orientation)
    assert seen(opened(pictures.render(data, long_side=80))) == "RGBW"
    assert seen(pictures.model_pixels(data, side=32)) == "RGBW"


@pytest.mark.parametrize("value", [0, 9, 4711])
def test_an_orientation_that_does_not_exist_counts_as_upright(value: int) -> None:
    found = pictures.inspect(picture(1, orientation=value), pixels=ENOUGH)
    assert (found.width, found.height, found.orientation) == (64, 48, 1)


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    "</rdf:RDF></x:xmpmeta>"
)


def xmp_of(kind: str) -> dict[str, Any]:
    """What Pillow wants to be given to write the XMP into a format."""
    text, tags = PngInfo(), ImageFileDirectory_v2()
    text.add_itxt("XML:com.adobe.xmp", XMP)
    tags[700] = XMP.encode()
    special: dict[str, dict[str, Any]] = {"PNG": {"pnginfo": text}, "TIFF": {"tiffinfo": tags}}
    return special.get(kind, {"xmp": XMP.encode()})


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_an_orientation_that_only_xmp_tells_turns_nothing_as_in_a_browser(kind: str) -> None:
    out = io.BytesIO()
    Image.fromarray(corners((160, 96))).save(out, kind, **xmp_of(kind))
    found = pictures.inspect(out.getvalue(), pixels=ENOUGH)
    assert (found.width, found.height, found.orientation) == (160, 96, 1)
    assert seen(opened(pictures.render(out.getvalue(), long_side=80, quality=95))) == "RGBW"
    assert seen(pictures.model_pixels(out.getvalue(), side=32)) == "RGBW"


def test_a_corrupt_exif_block_costs_nothing_but_itself() -> None:
    data = encode(corners(), "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xffgarbage")
    assert pictures.inspect(data, pixels=ENOUGH).orientation == 1
    assert seen(opened(pictures.render(data, long_side=64))) == "RGBW"


def test_no_warning_reaches_a_user_while_pictures_are_read() -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", module=r"PIL\.")
        test_a_corrupt_exif_block_costs_nothing_but_itself()
    assert said == []


# --- formats and colours ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "JPEG2000", "PPM"])
def test_every_format_that_is_read_is_told_shown_and_embedded(kind: str) -> None:
    data = encode(corners((128, 96)), kind)
    found = pictures.inspect(data, pixels=ENOUGH)
    assert (found.width, found.height, found.format) == (128, 96, kind.lower())
    assert seen(opened(pictures.render(data, long_side=64))) == "RGBW"
    assert seen(pictures.model_pixels(data, side=64)) == "RGBW"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F"])
def test_every_kind_of_pixel_is_shown(mode: str) -> None:
    ramp = np.tile(np.linspace(0, 255, 64, dtype=np.uint8), (48, 1))
    grey = Image.fromarray(ramp)
    made = {
        "I;16": lambda: Image.fromarray(ramp.astype(np.uint16) * 257),
        "I": lambda: Image.fromarray(ramp.astype(np.int32) * 257),
        "F": lambda: Image.fromarray((ramp / 255).astype(np.float32)),
        "LAB": lambda: Image.merge("LAB", (grey, *[Image.new("L", grey.size, 128)] * 2)),
    }
    image = made.get(mode, lambda: grey.convert("RGB").convert(mode))()
    kind = {"LAB": "TIFF", "F": "TIFF", "I": "TIFF", "CMYK": "TIFF", "YCbCr": "JPEG"}.get(mode, "PNG")
    data = encode(image, kind)
    assert pictures.inspect(data, pixels=ENOUGH).width == 64
    shown = opened(pictures.render(data, long_side=64, quality=95))
    left, right = shown[:, 2:8].mean(), shown[:, -8:-2].mean()
    assert left < 60
    assert right > 190
    assert pictures.model_pixels(data, side=48).dtype == np.uint8


def test_sixteen_bit_greys_do_not_turn_white() -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (48, 1))
    data = encode(Image.fromarray(ramp), "PNG")
    assert abs(int(pictures.model_pixels(data, side=48).mean()) - 127) < 4


def test_floats_beyond_any_range_are_shown_by_their_own() -> None:
    values = np.tile(np.linspace(-40, 9000, 64).astype(np.float32), (48, 1))
    values[0, 0] = np.nan
    shown = pictures.model_pixels(encode(Image.fromarray(values), "TIFF"), side=48)
    assert shown[:, :4].mean() < 60 < 190 < shown[:, -4:].mean()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_lies_on_white(mode: str) -> None:
    clear = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
    clear.paste((10, 10, 10, 255), (0, 0, 32, 48))
    if mode == "P":
        image = Image.new("P", (64, 48), 1)
        image.putpalette([10, 10, 10, 0, 0, 0] + [0] * 762)
        image.paste(0, (0, 0, 32, 48))
        data = encode(image, "PNG", transparency=1)
    else:
        data = encode(clear.convert(mode), "PNG")
    shown = opened(pictures.render(data, long_side=64, quality=95))
    assert shown[:, :24].max() < 60
    assert shown[:, 40:].min() > 240


def test_cmyk_jpegs_keep_their_colours() -> None:
    data = encode(Image.fromarray(corners((128, 96))).convert("CMYK"), "JPEG", quality=95)
    assert seen(opened(pictures.render(data, long_side=128))) == "RGBW"
    assert seen(pictures.model_pixels(data, side=96)) == "RGBW"


def swapped_profile() -> bytes:
    """The sRGB profile with red and blue exchanged and another name: a shift anybody would see."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"rXYZ", b"tmp_", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"tmp_", b"bXYZ", 1)
    return profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def test_a_colour_profile_is_applied_and_not_handed_on() -> None:
    drawn = np.full((48, 64, 3), (200, 60, 60), np.uint8)
    profiled = encode(drawn, "PNG", icc_profile=swapped_profile())
    red, _, blue = pictures.model_pixels(profiled, side=48)[24, 24]
    assert red < 90 < 170 < blue
    shown = Image.open(io.BytesIO(pictures.render(profiled, long_side=64)))
    assert "icc_profile" not in shown.info
    assert np.asarray(shown.convert("RGB"))[24, 24, 2] > 170


def test_a_damaged_colour_profile_is_ignored() -> None:
    data = encode(corners(), "JPEG", icc_profile=b"no profile at all")
    assert seen(opened(pictures.render(data, long_side=64))) == "RGBW"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_of_an_animation_the_first_frame_is_shown(kind: str) -> None:
    frames = [Image.fromarray(corners((64, 64))), Image.new("RGB", (64, 64), (0, 0, 0))]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    assert seen(opened(pictures.render(data, long_side=64))) == "RGBW"
    assert pictures.inspect(data, pixels=ENOUGH).format == kind.lower()


def test_a_phone_picture_with_a_second_one_behind_it_is_a_jpeg() -> None:
    second = Image.new("RGB", (64, 48))
    data = encode(Image.fromarray(corners()), "MPO", save_all=True, append_images=[second])
    assert pictures.inspect(data, pixels=ENOUGH).format == "jpeg"
    assert seen(opened(pictures.render(data, long_side=64))) == "RGBW"


# --- what people and models get ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["webp", "jpeg"])
def test_what_people_see_carries_no_metadata(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    data = encode(pixels(5), "JPEG", exif=exif, comment=b"a secret remark", icc_profile=b"profile " * 20)
    shown = pictures.render(data, long_side=64, format=kind)
    for secret in (b"taken at home", b"secret", b"Exif", b"profile"):
        assert secret not in shown
    again = Image.open(io.BytesIO(shown))
    assert not dict(again.getexif())
    assert not {"exif", "comment", "icc_profile", "xmp"} & set(again.info)


def test_a_small_picture_is_not_enlarged_for_people() -> None:
    assert opened(pictures.render(picture(1), long_side=1024)).shape == (48, 64, 3)


def test_a_model_gets_the_middle_of_the_picture_at_its_size() -> None:
    drawn = np.zeros((100, 300, 3), np.uint8)
    drawn[:, 100:200] = 255
    shown = pictures.model_pixels(encode(drawn, "PNG"), side=40)
    assert shown.shape == (40, 40, 3)
    assert shown[:, 2:-2].min() > 250
    assert pictures.model_pixels(picture(1, (20, 30)), side=224).shape == (224, 224, 3)


def test_a_scaled_decode_is_close_to_a_whole_one() -> None:
    data = picture(7, (1600, 1200), quality=92)
    whole = np.asarray(
        Image.open(io.BytesIO(data)).crop((200, 0, 1400, 1200)).resize((224, 224), Image.Resampling.BICUBIC), float
    )
    error = ((pictures.model_pixels(data, side=224) - whole) ** 2).mean()
    assert 10 * np.log10(255**2 / error) > 35


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((4000, 1000), (1024, 256)),  # as before up to four to one
        ((8000, 1000), (2048, 256)),
        ((12000, 300), (6476, 162)),  # a panorama; by its long side alone it would be 26 pixels high
        ((800, 16000), (229, 4579)),  # a comic strip
        ((1600, 40), (1600, 40)),
        ((8, 60000), (2, 16383)),  # the longest that a WebP can be
    ],
)
def test_a_panorama_is_shown_on_as_many_pixels_as_another_picture(
    size: tuple[int, int], shown: tuple[int, int]
) -> None:
    data = encode(Image.new("RGB", size, (200, 100, 50)), "PNG")
    high, wide = opened(pictures.render(data, long_side=1024)).shape[:2]
    assert (wide, high) == shown


def test_a_small_picture_of_a_panorama_is_no_line_either() -> None:
    high, wide = opened(pictures.render(encode(Image.new("RGB", (12000, 300))), long_side=256)).shape[:2]
    assert (wide, high) == (1619, 40)


@settings(max_examples=25, deadline=None)
@given(width=st.integers(8, 300), height=st.integers(8, 300), side=st.integers(1, 64))
def test_any_shape_is_shown_within_its_bounds(width: int, height: int, side: int) -> None:
    data = picture(width * 1000 + height, (width, height))
    high, wide = opened(pictures.render(data, long_side=side, format="jpeg")).shape[:2]
    if max(width, height) <= 4 * min(width, height):
        assert max(high, wide) == min(side, max(width, height))
    # a longer one may exceed the side, and a pixel more of each is rounding
    assert (high - 1) * (wide - 1) <= side**2
    assert high <= height
    assert wide <= width
    assert pictures.model_pixels(data, side=side).shape == (side, side, 3)


# --- fingerprints -----------------------------------------------------------------------------------------------------


def test_a_fingerprint_is_256_bits_and_stays_over_a_lossless_copy() -> None:
    drawn = pixels(21, (300, 200))
    one = pictures.inspect(encode(drawn, "PNG"), pixels=ENOUGH).fingerprint
    assert len(one) == 64
    assert one == pictures.inspect(encode(drawn, "BMP"), pixels=ENOUGH).fingerprint
    assert int(one, 16) >= 0


def test_a_recompressed_copy_is_near_and_another_picture_is_far() -> None:
    def bits(data: bytes) -> np.ndarray:
        return np.unpackbits(np.frombuffer(bytes.fromhex(pictures.inspect(data, pixels=ENOUGH).fingerprint), np.uint8))

    original = bits(picture(21, (640, 480), quality=95))
    copy = bits(picture(21, (640, 480), quality=40))
    other = bits(picture(22, (640, 480), quality=95))
    assert (original != copy).sum() <= 12
    assert (original != other).sum() > 60
