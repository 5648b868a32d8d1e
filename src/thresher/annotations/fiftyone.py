"""FiftyOne's exports: classifications, detections (boxes in shares of the image), and whole datasets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from thresher.annotations.claims import Claims, Taken
from thresher.annotations.folder import stems_of
from thresher.annotations.places import Place, place_of
from thresher.errors import BadInput
from thresher.records import Box
from thresher.tables.members import Member, members_of

_DATA: Final = "data"
_MANIFEST: Final = "data.json"
_LISTS: Final = {"Classifications": "classifications", "Detections": "detections"}
_ONE: Final = frozenset(("Classification", "Detection"))


def read(path: Path) -> Claims:
    """The labels of a `labels.json` (FiftyOneImageClassificationDataset, FiftyOneImageDetectionDataset), whose images
    are named without their ending unless the folder `data` or the file `data.json` is beside it, or of a `samples.json`
    (FiftyOneDataset).

    Raises BadInput, also for a dataset with several fields of labels.
    """
    sections, classes = set[str](), list[Place]()  # the classes may stand before or behind the labels
    for member in members_of(path):
        if member.key is None:
            sections.add(member.section)
        elif member.section == "classes" and isinstance(member.key, int):
            classes.append(place_of(path, member))
    if "samples" in sections:
        return _dataset(path)
    if "labels" not in sections:
        raise BadInput("has neither labels nor samples.", where=str(path), next="export it with FiftyOne again")
    return _labels(path, [place.text() for place in classes] if "classes" in sections else None)


def _labels(file: Path, classes: list[str] | None) -> Claims:
    """The labels of images, by name or by number among the classes. Raises BadInput."""
    taken, first = Taken(file, "fiftyone", unit="record"), dict[str, int]()
    for name in classes or ():
        taken.declare(name)
    record, files = 0, _files(file.parent)
    for member in members_of(file):
        if member.section != "labels" or not isinstance(member.key, str):
            continue
        record += 1
        place = place_of(file, member, record)
        if (before := first.setdefault(member.key, record)) != record:
            raise place.wrong(f"{member.key!r} is the image of record {before} too.", "keep one of them")
        image = files.get(member.key, member.key)
        taken.without(image)
        for one in place.each() if isinstance(place.value, list) else [place] if place.value is not None else []:
            bare = not isinstance(one.value, dict)
            label = _label(one if bare else one.get("label"), classes)
            score = None if bare else one.get("confidence").score()
            taken.add(image, label, record, score, None if bare else _box(one))
    return taken.done()


def _files(folder: Path) -> dict[str, str]:
    """The file of each image by its name without the ending, as FiftyOne names it. Raises BadInput."""
    if (folder / _MANIFEST).is_file():
        return {str(one.key): place_of(folder / _MANIFEST, one).text() for one in _top(folder / _MANIFEST)}
    return stems_of(folder / _DATA)


def _top(file: Path) -> Iterator[Member]:
    return (Member("", one.section, one.value, one.line) for one in members_of(file) if one.key is None)


def _label(place: Place, classes: list[str] | None) -> str:
    """A label by its name, or by its number among the classes. Raises BadInput."""
    if isinstance(place.value, str):
        return place.text()
    number = place.id()
    if not isinstance(number, int) or classes is None or not 0 <= number < len(classes):
        raise place.wrong(f"the class {number!r} is none of the {len(classes or ())} that the file has names for.")
    return classes[number]


def _box(place: Place) -> Box | None:
    box = place.get("bounding_box")
    return None if box.value is None else box.relative_box(box.numbers(4))


def _dataset(file: Path) -> Claims:
    """The labels of a dataset's samples. Raises BadInput."""
    taken, fields = Taken(file, "fiftyone", unit="record"), dict[str, None]()
    for member in members_of(file):
        if member.section != "samples" or not isinstance(member.key, int):
            continue
        sample = place_of(file, member)
        image = sample.get("filepath").text()
        taken.once(image, sample.record, sample.wrong)
        for name, value in sample.object().items():
            if isinstance(value, dict) and value.get("_cls") in (*_LISTS, *_ONE):
                fields[name] = None
                for one in _each(sample.get(name), value):
                    taken.add(image, one.get("label").text(), sample.record, one.get("confidence").score(), _box(one))
        if len(fields) > 1:
            what = f"has labels in the fields {' and '.join(fields)}."
            raise sample.wrong(what, "export one of them: FiftyOneImageClassificationDataset with label_field")
    return taken.done()


def _each(place: Place, value: dict[str, Any]) -> Iterator[Place]:
    """The labels of a field. Raises BadInput."""
    if value["_cls"] in _ONE:
        yield place
    else:
        yield from place.get(_LISTS[value["_cls"]]).each()
