"""BDD100K, in Scalabel's format: attributes of images (weather, scene, time of day), and objects with boxes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from thresher.annotations.claims import Claims, Taken
from thresher.annotations.places import Place, place_of
from thresher.records import Box
from thresher.tables.members import members_of, whole_of

UNDEFINED: Final = "undefined"
"""The value of an attribute that nobody could tell."""


def read(path: Path) -> Claims:
    """The labels of a file, or of a folder with a file for each image: `weather=rainy`, or the category of an object.

    Raises BadInput.
    """
    taken = Taken(path, "bdd100k", unit="record")
    for frame in _frames(path):
        image = frame.get("name").text()
        taken.once(image, frame.record, frame.wrong)
        _attributes(frame, image, taken)
        for label in [*frame.get("labels").each(), *_objects(frame)]:
            taken.add(image, label.get("category").text(), frame.record, label.get("score").score(), _box(label))
    return taken.done()


def _frames(path: Path) -> Iterator[Place]:
    """The frames of a list, of an object with `frames`, or of a folder's files. Raises BadInput."""
    if path.is_dir():
        for record, file in enumerate(sorted(path.glob("*.json")), 1):
            yield Place(file, record, "", whole_of(file))
        return
    for member in members_of(path):
        if member.section in ("", "frames") and isinstance(member.key, int):
            yield place_of(path, member)


def _attributes(frame: Place, image: str, taken: Taken) -> None:
    """The attributes of an image, each with its value as a label. Raises BadInput."""
    found = frame.get("attributes")
    for name in found.object() if found.value is not None else ():
        value = found.get(name)
        if isinstance(value.value, bool):
            if value.value:
                taken.add(image, name, frame.record)
            else:
                taken.deny(image, name, frame.record)
        elif value.value is not None and (said := str(value.id()).strip()) != UNDEFINED:
            taken.add(image, f"{name}={said}", frame.record)


def _objects(frame: Place) -> list[Place]:
    """The objects of a file for one image, which has them in its frames. Raises BadInput."""
    return [one for inner in frame.get("frames").each() for one in inner.get("objects").each()]


def _box(label: Place) -> Box | None:
    """The box of a label, None for one without. Its right and bottom pixels belong to it, as Scalabel's format says.

    Raises BadInput.
    """
    box = label.get("box2d")
    if box.value is None:
        return None
    left, top, right, bottom = (box.get(side).number() for side in ("x1", "y1", "x2", "y2"))
    return box.box((left, top, right - left + 1, bottom - top + 1))
