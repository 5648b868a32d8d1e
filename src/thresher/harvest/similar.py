"""Which images form a similar group. It is decided here; the store keeps the groups it is given.

At present only equal fingerprints form one: the same image in another format, size or rotation, if all 256 bits are
equal. Images a few bits apart are not grouped. This file is the place for a nearest-neighbour search over the
fingerprints, and for a closer comparison of the images that it finds.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from thresher.errors import Busy, Conflict
from thresher.records import Image, NewImage
from thresher.store.contract import Store

LEAST_BITS = 24
"""Set or unset bits below which a fingerprint says nothing: a blank wall, a clear sky, a smooth gradient."""

LOOKS: Final = 50
"""How often a batch is compared again because other processes stored copies in the meantime."""


def group_key(fingerprint: str) -> str:
    """The key that all images of a group share; "" for an image without enough detail to tell it from others."""
    bits = int(fingerprint, 16).bit_count()
    return fingerprint if LEAST_BITS <= bits <= 4 * len(fingerprint) - LEAST_BITS else ""


def put_in_groups(images: Sequence[NewImage], *, store: Store) -> list[int]:
    """Store images, each in its similar group; returns their rows in order. Raises Busy.

    Copies of one image that two processes store at the same time end in one group: the store rejects an image that
    stands alone although it was not compared with a stored one of its fingerprint, and it is then compared again.
    """
    for _ in range(LOOKS):
        try:
            return store.images.put(in_groups(images, store=store))
        except Conflict:
            continue
    raise Busy("other harvests keep storing copies of the same images.", next="run the same command again")


def in_groups(images: Sequence[NewImage], *, store: Store) -> list[NewImage]:
    """The images, each naming the one whose group it joins: the first with its fingerprint, stored or in the batch."""
    prints = list(dict.fromkeys(image.fingerprint for image in images if image.fingerprint))
    alike: dict[str, list[Image | NewImage]] = {
        one: list(found) for one, found in zip(prints, store.images.alike(prints), strict=True)
    }
    decided: dict[str, NewImage] = {}
    for image in images:
        if image.sha256 not in decided:
            others = alike.get(image.fingerprint, [])
            first = next((other for other in others if other.sha256 != image.sha256), None)
            decided[image.sha256] = replace(image, similar=first.sha256 if first else "", compared=len(others))
            if first is None:
                others.append(image)
    return [replace(decided[image.sha256], aliases=image.aliases) for image in images]
