"""Which images form a similar group. It is decided here; the store keeps the groups it is given.

Equal fingerprints only raise the suspicion: an image joins a group after it was compared with the image that represents
it, by detail and by colour (likeness.py). What cannot be compared, because the other's bytes are lost, damaged or kept
by reference, is not grouped. At present images a few bits apart are not compared. This file is the place for a
nearest-neighbour search over the fingerprints.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from thresher.errors import Busy, Conflict, StoreDamaged, Undecodable
from thresher.harvest.likeness import Pixels, pixels_of, same
from thresher.records import Image, NewImage
from thresher.store.contract import Store
from thresher.store.rules import ALIKE_MOST

LEAST_BITS = 24
"""Set or unset bits below which a fingerprint says nothing: a blank wall, a clear sky, a smooth gradient."""

LOOKS: Final = 50
"""How often a batch is compared again because other processes stored copies in the meantime."""

Known = Image | NewImage
Same = Callable[[NewImage, Known], bool]
"""Whether a new image and one of equal fingerprint, stored or of the same batch, are the same one."""


def group_key(fingerprint: str) -> str:
    """The key that all images of a group share; "" for an image without enough detail to tell it from others."""
    bits = int(fingerprint, 16).bit_count()
    return fingerprint if LEAST_BITS <= bits <= 4 * len(fingerprint) - LEAST_BITS else ""


class Compared:
    """Compares images of equal fingerprint by their pixels, and keeps those of the last ALIKE_MOST + 1.

    That is at most 12 MB each: as many as one fingerprint is compared with, so that a series of one template is not
    decoded again for each of its images.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[str, Pixels | None] = OrderedDict()

    def __call__(self, new: NewImage, other: Known) -> bool:
        """Whether they are the same; False where one of them cannot be read."""
        there = self._pixels(other)
        here = self._pixels(new) if there is not None else None
        return here is not None and there is not None and same(here, there)

    def _pixels(self, image: Known) -> Pixels | None:
        if image.sha256 not in self._kept:
            self._kept[image.sha256] = self._decoded(image)
        self._kept.move_to_end(image.sha256)
        while len(self._kept) > ALIKE_MOST + 1:
            self._kept.popitem(last=False)
        return self._kept[image.sha256]

    def _decoded(self, image: Known) -> Pixels | None:
        try:
            data = self._bytes(image)
            return None if data is None else pixels_of(data)
        except (StoreDamaged, Undecodable):
            return None

    def _bytes(self, image: Known) -> bytes | None:
        if isinstance(image, NewImage):
            return image.data
        return None if image.reference else self._store.images.read(image.row)


def put_in_groups(images: Sequence[NewImage], *, store: Store, same: Same | None = None) -> list[int]:
    """Store images, each in its similar group; returns their rows in order. Raises Busy.

    `same` compares; unless given, the pixels are compared. Copies of one image that two processes store at the same
    time end in one group: the store rejects an image that stands alone although it was not compared with a stored one
    of its fingerprint, and it is then compared again.
    """
    same = same or Compared(store)
    for _ in range(LOOKS):
        try:
            return store.images.put(in_groups(images, store=store, same=same))
        except Conflict:
            continue
    raise Busy("other harvests keep storing copies of the same images.", next="run the same command again")


def in_groups(images: Sequence[NewImage], *, store: Store, same: Same) -> list[NewImage]:
    """The images, each naming the one whose group it joins: the first that is the same, stored or in the batch."""
    prints = list(dict.fromkeys(image.fingerprint for image in images if image.fingerprint))
    alike: dict[str, list[Known]] = {
        one: list(found) for one, found in zip(prints, store.images.alike(prints), strict=True)
    }
    decided: dict[str, NewImage] = {}
    for image in images:
        if image.sha256 not in decided:
            others = alike.get(image.fingerprint, [])
            first = _first_same(image, others, same)
            decided[image.sha256] = replace(image, similar=first, compared=len(others))
            if not first and not _among(image, others):
                others.append(image)
    return [replace(decided[image.sha256], aliases=image.aliases) for image in images]


def _first_same(image: NewImage, others: Sequence[Known], same: Same) -> str:
    """The SHA-256 of the first that is the same image; "" if none is, or the image itself is stored already.

    A fingerprint of ALIKE_MOST different images tells nothing: it is that of a template, and what shares it stands
    alone, so that a million forms are not each compared with all others.
    """
    if len(others) >= ALIKE_MOST or _among(image, others):
        return ""
    return next((other.sha256 for other in others if same(image, other)), "")


def _among(image: NewImage, others: Sequence[Known]) -> bool:
    return any(other.sha256 == image.sha256 for other in others)
