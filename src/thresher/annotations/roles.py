"""What the columns of a table of labels are for, by their names, and what their values say."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from thresher.annotations.claims import box_of
from thresher.errors import BadInput
from thresher.records import Box
from thresher.tables import Names, names
from thresher.tables.objects import text_of

IMAGE: Final[Names] = (*names.IMAGE, "image_id", "img")
LABEL: Final[Names] = (
    *("label", "labels", "class", "class_name", "category", "category_name", "label_name", "predicted_label"),
    *(
        "predicted_class",
        "prediction",
        "predictions",
        "predicted",
        "tag",
        "tags",
        "class_id",
        "category_id",
        "label_id",
    ),
)
OBJECTS: Final[Names] = ("objects", "detections", "annotations", "instances")
"""Columns with an object for each box, or with an object of lists."""
BOXES: Final[Names] = ("bbox", "box", "boxes", "bboxes", "bounding_box")
OBJECT_LABELS: Final[Names] = (*LABEL, "categories", "classes", "name", "names")
SCORE: Final[Names] = ("score", "confidence", "conf", "probability", "prob", "scores")
_LEFT: Final[Names] = ("left", "x", "box_left", "bbox_left", "bbox_x")
_TOP: Final[Names] = ("top", "y", "box_top", "bbox_top", "bbox_y")
_WIDTH: Final[Names] = ("box_width", "bbox_width", "w", "width")
_HEIGHT: Final[Names] = ("box_height", "bbox_height", "h", "height")
_CORNERS: Final[tuple[Names, ...]] = (
    ("xmin", "x1", "x_0", "left"),
    ("ymin", "y1", "y_0", "top"),
    ("xmax", "x2", "x_1", "right"),
    ("ymax", "y2", "y_1", "bottom"),
)
_NOT_LABELS: Final = frozenset(
    names.plain(one)
    for one in (
        *IMAGE,
        *names.WIDTH,
        *names.HEIGHT,
        *names.FORMAT,
        *names.BYTES,
        "split",
        "subset",
        "index",
        "unnamed: 0",
        "",
    )
)
ANSWERS: Final = frozenset(map(names.plain, (*names.ANSWER, *names.TRUTH)))
"""Columns whose yes and no are of one question; its label is called YES."""
YES: Final = "yes"
SAYS_YES: Final = frozenset(("yes", "true", "y", "t", "1"))
SAYS_NO: Final = frozenset(("no", "false", "n", "f", "0"))
_SAYS_NEITHER: Final = frozenset(("", "unsure", "unknown", "null", "none"))
_SIDES: Final = 4
_SHOWN: Final = 60
HALF: Final = 0.5
"""In a table with a column for each label, a score from here on is a yes."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns by their use: one `label` (with score and box), a label for each of `wide`, or `objects`."""

    image: str
    label: str | None = None
    score: str | None = None
    box: tuple[str, ...] = ()
    corners: bool = False
    wide: tuple[str, ...] = ()
    objects: str | None = None

    @property
    def single(self) -> bool:
        """Whether an image has one label."""
        return self.label is not None and not self.box

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read, in the order in which `Lines.take` wants their values."""
        if self.objects is not None:
            return self.image, self.objects
        if self.label is None:
            return self.image, *self.wide
        return self.image, self.label, *([self.score] if self.score else []), *self.box


def roles_of(columns: Sequence[str], image: str, where: str, nested: Sequence[str] = ()) -> Roles:
    """The use of each column; those that are `nested` hold lists or objects. Raises BadInput if none has labels."""

    def called(wanted: Names) -> str | None:
        place = names.place_of(wanted, columns)
        return columns[place] if place >= 0 and columns[place] != image else None

    label, score, objects = called(LABEL), called(SCORE), called(OBJECTS)
    if label is None and objects is not None and objects in nested:
        return Roles(image, objects=objects)
    if label is None:
        wide = tuple(one for one in columns if one not in (image, *nested) and names.plain(one) not in _NOT_LABELS)
        if not wide:
            raise BadInput(
                f"no column has labels; there are: {', '.join(columns)[:200]}.",
                where=where,
                next="name a column label, or give a column for each label with yes and no",
            )
        return Roles(image, wide=wide)
    sides = tuple(map(called, (_LEFT, _TOP, _WIDTH, _HEIGHT)))
    corners = tuple(map(called, _CORNERS))
    by_corners = all(corners)
    whole = called(BOXES)
    box = corners if by_corners else sides if all(sides) else (whole,) if whole in nested else ()
    return Roles(image, label, score, tuple(one for one in box if one), by_corners)


def score_of(value: object) -> float:
    """A score. Raises BadInput for anything but a finite number."""
    number = number_of(value)
    if number is None or not isfinite(number):
        raise BadInput(f"the score {told(value)} is not a number.", next="give each score as a number, or leave it out")
    return number


def label_of(value: object) -> str:
    """A label as text, "" for none. Raises BadInput for a value that is neither text nor a number."""
    if isinstance(value, str):
        return value.strip()
    number = number_of(value)
    if not (value is None or isinstance(value, bool)) and (number is None or not isfinite(number)):
        raise BadInput(f"the label {told(value)} is not text.", next="give each label as text")
    return text_of(value) or ""


def each_of(value: object) -> Sequence[object]:
    """The values of a list, or one value as a list."""
    return value if isinstance(value, list | tuple) else (value,)


def answer_of(value: object, label: str) -> tuple[bool | None, float | None]:
    """What a value in the column of a label says: yes, no or nothing (None), and the score. Raises BadInput."""
    if value is None or isinstance(value, bool):
        return value, None
    number = number_of(value)
    if number is None and isinstance(value, str):
        word = value.strip().lower()
        if word in _SAYS_NEITHER:
            return None, None
        if word in SAYS_YES or word in SAYS_NO:
            return word in SAYS_YES, None
    if number is None or not 0 <= number <= 1:
        what = f"{told(value)} in the column {label!r} is neither yes nor no nor a score from 0 to 1."
        raise BadInput(what, next="correct it, remove the column, or name the column of the labels label")
    return number >= HALF, number


def box_from(values: Sequence[object], *, corners: bool) -> Box | None:
    """The box of four values in pixels: left, top, and width and height or (`corners`) right and bottom; None if empty.

    One value may be the list of the four. Raises BadInput.
    """
    if len(values) == 1:
        values = each_of(values[0])
    if all(value is None or value == "" for value in values):
        return None
    found = [number_of(value) for value in values]
    if len(found) != _SIDES or any(number is None for number in found):
        said = ", ".join(map(told, values))
        raise BadInput(f"the box {said} is not four numbers.", next="correct the box")
    left, top, right, bottom = (number or 0.0 for number in found)
    sides = (left, top, right, bottom)
    if all(0 <= side <= 1 for side in sides) and not all(side.is_integer() for side in sides):
        raise BadInput(
            f"the box {left:g}, {top:g}, {right:g}, {bottom:g} is smaller than a pixel.",
            next="give boxes in pixels, not in shares of the width and height",
        )
    return box_of(left, top, right - left, bottom - top) if corners else box_of(left, top, right, bottom)


def number_of(value: object) -> float | None:
    """A number, or a text that is one; None for anything else."""
    if isinstance(value, str):
        if "_" in value:
            return None  # Python reads 1_000 as a number, and nothing else does
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def told(value: object) -> str:
    """A value, for an error."""
    said = repr(value)
    return said if len(said) <= _SHOWN else f"{said[: _SHOWN - 3]}..."
