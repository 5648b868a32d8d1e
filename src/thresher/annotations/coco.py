"""COCO: images, annotations (with boxes or without) and categories; and its results, a list of detections."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from thresher.annotations.claims import Claims, Taken
from thresher.annotations.places import Place, place_of
from thresher.errors import BadInput
from thresher.records import Box
from thresher.tables.members import members_of

Id = str | int
_NAMES: Final = ("file_name", "coco_url", "flickr_url", "url")
_SECTIONS: Final = frozenset(("images", "annotations", "categories"))


@dataclass(slots=True)
class _Image:
    name: str
    size: tuple[float, float] | None
    record: int


@dataclass
class _File:
    """What was read of a file. Annotations wait, because their images and categories often come behind them."""

    path: Path
    images: dict[Id, _Image] = field(default_factory=dict)
    categories: dict[Id, str] = field(default_factory=dict)
    found: list[tuple[int, Id, Id, tuple[float, ...], float | None]] = field(default_factory=list)

    def take(self, place: Place, section: str) -> None:
        """One image, category or annotation. Raises BadInput."""
        if section == "images":
            self._image(place)
        elif section == "categories":
            self._category(place)
        elif section == "annotations":
            image, category = place.get("image_id").id(), place.get("category_id").id()
            self.found.append((place.record, image, category, _sides(place), place.get("score").score()))

    def _image(self, place: Place) -> None:
        known = place.get("id").id()
        name = next((place.get(key).text() for key in _NAMES if place.object().get(key)), str(known))
        if known in self.images:
            raise place.wrong(
                f"the image id {known!r} is that of record {self.images[known].record} too.", "keep one of them"
            )
        self.images[known] = _Image(name, place.size(), place.record)

    def _category(self, place: Place) -> None:
        known, name = place.get("id").id(), place.get("name").text()
        if known in self.categories:
            raise place.wrong(
                f"the category id {known!r} is that of {self.categories[known]!r} too.", "keep one of them"
            )
        self.categories[known] = name


def read(path: Path) -> Claims:
    """The labels of a COCO file: each annotation is a label of its image, with its box if it has one.

    A crowd (`iscrowd`) is a label without a box: its box is that of many. Raises BadInput.
    """
    file, sections, results = _File(path), set[str](), Taken(path, "coco", unit="record")
    for member in members_of(path):
        sections.add(member.section)
        if isinstance(member.key, int):
            place = place_of(path, member)
            if member.section:
                file.take(place, member.section)
            else:
                take_result(place, results)
    if "" in sections:
        return results.done()
    if missing := sorted(_SECTIONS - sections):
        what = f"has no {' and no '.join(missing)}, so it is not a COCO file."
        raise BadInput(what, where=str(path), next="export it again, or name its format with --as")
    return _claims(file)


def take_result(place: Place, taken: Taken) -> None:
    """One detection of a list of results, whose image and category are known by their ids alone. Raises BadInput."""
    name = place.get("file_name")
    image = name.text() if name.value is not None else str(place.get("image_id").id())
    category = str(place.get("category_id").id())
    taken.add(image, category, place.record, place.get("score").score(), _box(place, _sides(place), None))


def _claims(file: _File) -> Claims:
    """The claims of a file that was read whole. Raises BadInput for an image or category that it does not have."""
    taken = Taken(file.path, "coco", unit="record")
    names: dict[str, int] = {}
    for image in file.images.values():
        before = names.setdefault(image.name, image.record)
        if before != image.record:
            place = Place(file.path, image.record, f"/images/{image.record - 1}", None)
            raise place.wrong(f"{image.name!r} is the file of record {before} too.", "keep one of them")
        taken.without(image.name)
    for name in file.categories.values():
        taken.declare(name)
    for record, image_id, category_id, sides, score in file.found:
        place = Place(file.path, record, f"/annotations/{record - 1}", None)
        if image_id not in file.images:
            raise place.wrong(f"the image id {image_id!r} is none of the {len(file.images):,} images.")
        if category_id not in file.categories:
            raise place.wrong(f"the category id {category_id!r} is none of the {len(file.categories):,} categories.")
        found = file.images[image_id]
        taken.add(found.name, file.categories[category_id], record, score, _box(place, sides, found.size))
    return taken.done()


def _sides(place: Place) -> tuple[float, ...]:
    """Left, top, width and height; empty for a crowd and where there is no box. Raises BadInput."""
    box = place.get("bbox")
    if not box.value or place.object().get("iscrowd"):
        return ()
    return tuple(box.numbers(4))


def _box(place: Place, sides: Iterable[float], size: tuple[float, float] | None) -> Box | None:
    found = tuple(sides)
    return place.box(found, size) if found else None
