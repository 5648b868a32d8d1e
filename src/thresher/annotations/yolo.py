"""YOLO: a text file an image, with the boxes or outlines in shares of its size; and what a model predicts.

Training sets and `save_txt=True` write `class x y width height [confidence]`, outlines `class x1 y1 x2 y2 ...`, and a
classifier `confidence name`. `val(save_json=True)` writes predictions.json, whose classes are ids, not names.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Final

from thresher.annotations.claims import Claims, Taken, relative_box_of
from thresher.annotations.coco import take_result
from thresher.annotations.folder import IMAGES, stems_of
from thresher.annotations.places import place_of
from thresher.annotations.roles import number_of
from thresher.annotations.yolo_names import LISTS, YAML, names_beside, names_of_list, names_of_yaml
from thresher.errors import BadInput, BadLine
from thresher.records import Box
from thresher.tables import text
from thresher.tables.members import members_of

_FOLDER: Final = "labels"
_IMAGES: Final = "images"
_NO_LABELS: Final = frozenset((*LISTS, "train.txt", "val.txt", "test.txt"))
"""Text files that are lists; those that begin with README are left out too."""
_YAML: Final = frozenset((".yaml", ".yml"))
_FILES: Final = frozenset((*_YAML, ".txt", ".names"))
"""Endings of the files beside which a folder's labels are looked for."""
_BOX_NUMBERS: Final = 4
_FEWEST_OUTLINE_NUMBERS: Final = 6


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a text file, for its errors."""

    file: Path
    number: int
    words: tuple[str, ...]

    def wrong(self, what: str) -> BadLine:
        return BadLine(what, file=str(self.file), line=self.number, next="correct the line")


def looks_like(path: Path) -> bool:
    """Whether it is a data.yaml, or a folder with text files of labels in it or in its folder `labels`."""
    if path.is_file():
        return path.name in YAML
    named = any((path / name).is_file() for name in (*YAML, *LISTS[:2]))
    return path.is_dir() and (named or path.name == _FOLDER) and next(_files(path), None) is not None


def read(path: Path) -> Claims:
    """The labels of a folder of text files, of the folder with a data.yaml, or of a predictions.json.

    Names of classes are those of the YAML or the list that `path` is, or else of the data.yaml or classes.txt in the
    folder or the one above; without one, a label is the number of the class. Raises BadInput, BadLine.
    """
    if path.suffix.lower() == ".json":
        return _predictions(path)
    if path.is_file() and path.suffix.lower() not in _FILES:
        what = "is no file of YOLO's, which are folders of text files, data.yaml and predictions.json."
        raise BadInput(what, where=str(path), next="leave out --as, or give another format to it")
    folder = path.parent if path.is_file() else path
    if not folder.is_dir():
        raise BadInput("is no folder.", where=str(path), next="give the folder of the text files")
    names = _named(path, folder) or names_beside(folder) or names_beside(folder.parent)
    taken = Taken(folder, "yolo")
    for _, name in sorted(names.items()) if names else ():
        taken.declare(name)
    images = _images(folder)
    for file in _files(folder):
        stem = _stem(folder, file)
        _take(file, images.pop(stem, stem), names, taken)
    for image in images.values():  # an image without a text file shows nothing of any class
        taken.without(image)
    return taken.done()


def _predictions(path: Path) -> Claims:
    taken = Taken(path, "yolo", unit="record")
    for member in members_of(path):
        if isinstance(member.key, int) and not member.section:
            take_result(place_of(path, member), taken)
    return taken.done()


def _named(path: Path, folder: Path) -> dict[int, str] | None:
    """The names in the file that was named; None if it has labels, or lists images. Raises BadInput, BadLine."""
    if not path.is_file():
        return None
    if path.suffix.lower() in _YAML:
        return names_of_yaml(path)
    if path in _files(folder) or path.name.lower() in _NO_LABELS.difference(LISTS[:3]):
        return None
    names = names_of_list(path)
    return None if any(Path(name).suffix.lower() in IMAGES for name in names.values()) else names


def _files(folder: Path) -> Iterator[Path]:
    """The text files with labels: below the folders called labels, or else anywhere in the folder."""
    found = False
    for place in (*_places(folder, _FOLDER), folder):
        if found and place == folder:
            return
        for directory, folders, files in os.walk(place):
            folders.sort()
            for name in sorted(files):
                if _labels(name):
                    found = True
                    yield Path(directory) / name


def _labels(name: str) -> bool:
    """Whether a file of this name has labels."""
    plain = name.lower()
    return plain.endswith(".txt") and plain not in _NO_LABELS and not plain.startswith("readme")


def _places(folder: Path, name: str) -> Iterator[Path]:
    """The folders of a name: in the folder or one below."""
    if folder.name == name:
        yield folder
        return
    yield from sorted(place for place in (*folder.glob(name), *folder.glob(f"*/{name}")) if place.is_dir())


def _stem(folder: Path, file: Path) -> str:
    """The image of a text file, by its path from the folder, without its ending."""
    parts = file.relative_to(folder).with_suffix("").parts
    return "/".join(_IMAGES if part == _FOLDER else part for part in parts)


def _images(folder: Path) -> dict[str, str]:
    """The images in the folders called images, or else anywhere, by their paths without their endings."""
    if folder.name == _FOLDER:
        return stems_of(folder.parent / _IMAGES)
    found: dict[str, str] = {}
    for place in list(_places(folder, _IMAGES)) or [folder]:
        before = place.relative_to(folder).as_posix() + "/" if place != folder else ""
        found |= {before + stem: before + name for stem, name in stems_of(place).items()}
    return found


def _take(file: Path, image: str, names: dict[int, str] | None, taken: Taken) -> None:
    """The claims of one text file. Raises BadInput, BadLine."""
    taken.without(image)
    best = True
    for number, line in enumerate(text.lines_of(file, text.encoding_of(file)), 1):
        words = tuple(line.split()) if line is not None else ()
        if line is not None and not words:
            continue
        here = _Line(file, number, words)
        numbers = [number_of(word) for word in words]
        if len(numbers) > 1 and numbers[0] is not None and numbers[1] is None:
            _classified(here, numbers[0], image, taken, best=best)
            best = False
            continue
        found = [one for one in numbers if one is not None and isfinite(one)]
        if not found or len(found) < len(numbers):
            raise here.wrong(f"{' '.join(words)[:60]!r} is not a class and numbers.")
        box, score = _box(here, found[1:])
        taken.add(image, _label(here, found[0], names), number, score, box)


def _classified(here: _Line, score: float, image: str, taken: Taken, *, best: bool) -> None:
    """A line of a classifier: the first is its label, those below it are less likely."""
    if not isfinite(score):
        raise here.wrong(f"the score {here.words[0]!r} is not a number.")
    label = " ".join(here.words[1:])
    if best:
        taken.add(image, label, here.number, score)
    else:
        taken.deny(image, label, here.number, score)


def _label(here: _Line, number: float, names: dict[int, str] | None) -> str:
    if not number.is_integer() or number < 0:
        raise here.wrong(f"the class {here.words[0]!r} is not a whole number.")
    if names is None:
        return str(int(number))
    if int(number) not in names:
        raise here.wrong(f"the class {int(number)} is none of the {len(names)} that have names.")
    return names[int(number)]


def _box(here: _Line, numbers: list[float]) -> tuple[Box | None, float | None]:
    """The box of a line, or the one around an outline, and the score behind it. Raises BadLine."""
    outline = len(numbers) >= _FEWEST_OUTLINE_NUMBERS
    scored = len(numbers) % 2 == 1
    sides = numbers[:-1] if scored else numbers
    if not outline and len(sides) != _BOX_NUMBERS:
        raise here.wrong(f"has {len(numbers) + 1} numbers, not a class and the 4 of a box or 6 and more of an outline.")
    if outline:
        left, right, top, bottom = min(sides[::2]), max(sides[::2]), min(sides[1::2]), max(sides[1::2])
        width, height = right - left, bottom - top
    else:
        width, height = sides[2], sides[3]
        left, top = sides[0] - width / 2, sides[1] - height / 2
    try:
        return relative_box_of(left, top, width, height), numbers[-1] if scored else None
    except BadInput as error:
        raise here.wrong(error.what) from error
