"""Which tool wrote a JSON or XML file, by its first values."""

from itertools import islice
from pathlib import Path
from typing import Final

from thresher.annotations.folder import IMAGES_APART, folders_in
from thresher.errors import BadInput, ThresherError
from thresher.tables.members import members_of

_FIRST: Final = 20_000
"""So many values are looked at: a file may have all its classes before its labels."""


IN_FOLDER: Final = (
    *("labels.json", "samples.json", "annotations.xml", "labels.xml", "annotations.json", "_annotations.coco.json"),
    *("metadata.csv", "metadata.jsonl", "metadata.parquet"),
)
"""The files with the labels in the folders that tools export; the first that a folder has is read."""


ANNOTATIONS: Final = "annotations"
_LABELLED: Final = frozenset((".json", ".jsonl", ".csv", ".tsv", ".xml", ".parquet"))


def file_in(path: Path) -> Path:
    """The file with the labels in a folder: one of `IN_FOLDER`, or the only one beside its images; else the path.

    Raises BadInput if a folder of images has several such files.
    """
    if not path.is_dir():
        return path
    named = next((path / name for name in IN_FOLDER if (path / name).is_file()), None)
    if named is not None:
        return named
    folders = {name.lower() for name in folders_in(path)}
    if not folders or not folders <= {*IMAGES_APART, ANNOTATIONS}:
        return path
    places = (path, path / ANNOTATIONS)
    files = [each for place in places for each in sorted(place.glob("*")) if each.suffix.lower() in _LABELLED]
    if len(files) > 1:
        some = ", ".join(str(each.relative_to(path)) for each in files[:3])
        raise BadInput(
            f"has {len(files)} files that may have labels: {some}.", where=str(path), next="give one of them"
        )
    return files[0] if files else path


def like_coco(path: Path) -> bool:
    """Whether a JSON object has images and annotations, or a list has detections with the ids of both."""
    sections, keys = _seen(path)
    return bool({"images", "annotations"} & sections) or {"image_id", "category_id"} <= keys


def like_bdd100k(path: Path) -> bool:
    """Whether a JSON list has frames with a name and labels or attributes, or a folder has a file for each frame."""
    if path.is_dir():
        first = next(path.glob("*.json"), None)
        return first is not None and {"name", "frames"} <= _seen(first)[0]
    sections, keys = _seen(path)
    return "frames" in sections or ("name" in keys and bool({"labels", "attributes"} & keys))


def like_label_studio(path: Path) -> bool:
    """Whether a JSON list has tasks with data and annotations or predictions."""
    keys = _seen(path)[1]
    return "data" in keys and bool({"annotations", "completions", "predictions"} & keys)


def like_fiftyone(path: Path) -> bool:
    """Whether a JSON object has labels or samples."""
    return bool({"labels", "samples"} & _seen(path)[0])


def like_cvat(path: Path) -> bool:
    """Whether it is an XML file."""
    return path.is_file() and path.suffix.lower() == ".xml"


def _seen(path: Path) -> tuple[set[str], set[str]]:
    """The names of the first sections of a JSON file, and the names in the first object of a list at its top."""
    sections, keys = set[str](), set[str]()
    if not path.is_file() or path.suffix.lower() != ".json":
        return sections, keys
    try:
        for member in islice(members_of(path), _FIRST):
            if member.section:
                sections.add(member.section)
            elif member.key == 0:
                return sections, set(member.value) if isinstance(member.value, dict) else keys
    except ThresherError:
        return sections, keys  # its reader says what is wrong with it
    return sections, keys
