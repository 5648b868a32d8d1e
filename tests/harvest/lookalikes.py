"""Pictures that a 17 x 16 grey fingerprint cannot tell apart, drawn on the spot; and copies that are the same one."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Draw = Callable[[int, int], Image.Image]
DYES = ((200, 40, 40), (40, 120, 47), (50, 90, 180))
WHITE = (255, 255, 255)


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """A street in a few shapes: a light gradient, blocks of colour, fine grain as a lens gives it."""
    random = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    drawn = np.repeat((90 + 90 * y / height + 25 * np.sin(x / 9 + seed))[:, :, None], 3, 2)
    for _ in range(12):
        left, top = random.integers(0, width - 40), random.integers(0, height - 40)
        wide, high = random.integers(12, 80, 2)
        drawn[top : top + high, left : left + wide] = random.integers(20, 235, 3)
    return Image.fromarray(np.clip(drawn + random.normal(0, 2, drawn.shape), 0, 255).astype(np.uint8))


def recoloured(seed: int, which: int) -> Image.Image:
    """A garment in one of three dyes of equal lightness, before the same ground."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:192, 0:192] / 192
    wave = sum(np.sin(2 * np.pi * (random.uniform(1, 4) * x + random.uniform(1, 4) * y)) for _ in range(4))
    mask = (np.abs(x - 0.5) < random.uniform(0.2, 0.35)) & (np.abs(y - 0.5) < 0.4)
    drawn = np.repeat(225 + 15 * np.sin(2 * np.pi * (1.3 * x + y))[:, :, None], 3, 2)
    drawn[mask] = np.array(DYES[which % 3]) * (0.75 + 0.06 * wave[mask])[:, None]
    return Image.fromarray(np.clip(drawn, 0, 255).astype(np.uint8))


def stamped(seed: int, which: int) -> Image.Image:
    """One camera's picture with the time of day burnt in, some seconds later each."""
    image = scene(seed)
    ImageDraw.Draw(image).text((6, 4), f"12:30:{which:02}", fill=WHITE, font=ImageFont.load_default(size=11))
    return image


def consecutive(seed: int, which: int) -> Image.Image:
    """A camera that stands still while something small and dark goes by."""
    image = scene(seed)
    at = 40 + 3 * which
    ImageDraw.Draw(image).rectangle((at, 150, at + 9, 157), fill=(15, 15, 20), outline=(240, 240, 240))
    return image


def form(seed: int, which: int) -> Image.Image:
    """A form of one template, of whose small boxes one is ticked."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (600, 800), WHITE)
    draw = ImageDraw.Draw(image)
    for top in range(30, 770, 24):
        draw.text((30, top), "".join(chr(97 + c) for c in random.integers(0, 26, 40)), fill=(20, 20, 20))
    for box in range(20):
        draw.rectangle((560, 30 + 24 * box, 570, 40 + 24 * box), outline=(0, 0, 0))
    top = 30 + 24 * (which % 20)
    draw.line((562, top + 5, 565, top + 8, 569, top + 2), fill=(0, 0, 90))
    return image


def sign(seed: int, which: int) -> Image.Image:
    """A round grey sign with a number on it, as small as such cut-outs are."""
    image = Image.new("RGB", (48, 48), (100 + seed, 130, 125))
    draw = ImageDraw.Draw(image)
    draw.ellipse((3, 3, 44, 44), fill=(235, 235, 235), outline=(150, 40, 40), width=4)
    draw.text((15, 15), f"{10 + (3 * seed + which) % 89}", fill=(20, 20, 20), font=ImageFont.load_default(size=14))
    return image


KINDS: dict[str, Draw] = {
    "recoloured": recoloured,
    "stamped": stamped,
    "consecutive": consecutive,
    "forms": form,
    "signs": sign,
}


def smaller(image: Image.Image, share: float) -> Image.Image:
    size = (round(image.width * share), round(image.height * share))
    return image.resize(size, Image.Resampling.LANCZOS)


def copies(image: Image.Image) -> dict[str, bytes]:
    """What is the same picture: the first of them is the original."""
    small = smaller(image, 0.9)
    return {"original": jpeg(image, 95), "JPEG 85": jpeg(image, 85), "90 %": jpeg(small)}
