"""What the columns of a table of labels are for, by their names, and what their values say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from thresher.annotations.claims import Box, Taken, box_of
from thresher.errors import BadInput
from thresher.tables import Names, names

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
SCORE: Final[Names] = ("score", "confidence", "conf", "probability", "prob")
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
_SAYS_YES: Final = frozenset(("yes", "true", "y", "t"))
_SAYS_NO: Final = frozenset(("no", "false", "n", "f"))
_SAYS_NEITHER: Final = frozenset(("", "unsure", "unknown", "null", "none"))
HALF: Final = 0.5
"""In a table with a column for each label, a score from here on is a yes."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns by what they are for. There is either one `label`, or a label for each of `wide`."""

    image: str
    label: str | None = None
    score: str | None = None
    box: tuple[str, ...] = ()
    corners: bool = False
    wide: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read, in the order in which `Lines.take` wants their values."""
        many = self.wide if self.label is None else (self.label, *([self.score] if self.score else []), *self.box)
        return (self.image, *many)


def roles_of(columns: Sequence[str], image: str, where: str) -> Roles:
    """What each of the columns is for. Raises BadInput if none can have labels."""

    def called(wanted: Names) -> str | None:
        place = names.place_of(wanted, columns)
        return columns[place] if place >= 0 and columns[place] != image else None

    label, score = called(LABEL), called(SCORE)
    if label is None:
        wide = tuple(one for one in columns if one != image and names.plain(one) not in _NOT_LABELS)
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
    box = corners if by_corners else sides if all(sides) else ()
    return Roles(image, label, score, tuple(one for one in box if one), by_corners)


def score_of(value: object) -> float:
    """A score. Raises BadInput for anything but a finite number."""
    number = _number(value)
    if number is None or not isfinite(number):
        raise BadInput(
            f"the score {_told(value)} is not a number.", next="give each score as a number, or leave it out"
        )
    return number


def label_of(value: object) -> str:
    """A label as text, "" for none. Raises BadInput for a value that is neither text nor a number."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    number = _number(value)
    if number is None or not isfinite(number):
        raise BadInput(f"the label {_told(value)} is not text.", next="give each label as text")
    return str(int(number)) if number.is_integer() else str(number)


def each_of(value: object) -> Sequence[object]:
    """The values of a list, or one value as a list."""
    return value if isinstance(value, list | tuple) else (value,)


def answer_of(value: object, label: str) -> tuple[bool | None, float | None]:
    """What a value in the column of a label says: yes, no or nothing (None), and the score. Raises BadInput."""
    if value is None or isinstance(value, bool):
        return value, None
    word = value.strip().lower() if isinstance(value, str) else ""
    if isinstance(value, str) and (word in _SAYS_YES or word in _SAYS_NO):
        return word in _SAYS_YES, None
    if isinstance(value, str) and word in _SAYS_NEITHER:
        return None, None
    number = _number(value)
    if number is None or not 0 <= number <= 1:
        what = f"{_told(value)} in the column {label!r} is neither yes nor no nor a score from 0 to 1."
        raise BadInput(what, next="correct it, remove the column, or name the column of the labels label")
    return number >= HALF, number


def box_from(values: Sequence[object], *, corners: bool) -> Box | None:
    """The box of four values in pixels: left, top, and width and height or (`corners`) right and bottom; None if empty.

    Raises BadInput.
    """
    if all(value is None or value == "" for value in values):
        return None
    found = [_number(value) for value in values]
    if any(number is None for number in found):
        told = ", ".join(map(_told, values))
        raise BadInput(f"the box {told} has a value that is not a number.", next="correct the box")
    left, top, right, bottom = (number or 0.0 for number in found)
    if 0 <= left < right <= 1 and 0 <= top < bottom <= 1:
        raise BadInput(
            f"the box {left:g}, {top:g}, {right:g}, {bottom:g} is smaller than a pixel.",
            next="give boxes in pixels, not in shares of the width and height",
        )
    return box_of(left, top, right - left, bottom - top) if corners else box_of(left, top, right, bottom)


@dataclass(frozen=True, slots=True)
class Lines:
    """Takes the lines of a table as claims."""

    roles: Roles
    taken: Taken
    class_names: Mapping[str, Sequence[str]]
    """The names of the classes of columns that have numbers for them."""

    def take(self, line: int, values: Sequence[object]) -> None:
        """One line: the values of `roles.columns`. Raises BadInput, BadLine, which name the line."""
        image = values[0]
        if not isinstance(image, str) or not (image := image.strip()):
            raise self.taken.wrong("names no image.", line, "correct the line")
        try:
            if self.roles.label is None:
                self._wide(line, image, values)
            else:
                self._long(line, image, values)
        except BadInput as error:
            if error.where:
                raise
            raise self.taken.wrong(error.what, line, error.next) from error

    def _wide(self, line: int, image: str, values: Sequence[object]) -> None:
        said = False
        for name, value in zip(self.roles.wide, values[1:], strict=True):
            yes, score = answer_of(value, name)
            label = YES if names.plain(name) in ANSWERS else name.strip()
            if yes:
                self.taken.add(image, label, line, score)
            elif yes is not None:
                self.taken.deny(image, label, line, score)
            said = said or yes is not None
        if not said:
            self.taken.without(image)

    def _long(self, line: int, image: str, values: Sequence[object]) -> None:
        roles = self.roles
        given: object = values[2] if roles.score else None
        score = None if given is None or given == "" else score_of(given)
        box = box_from(values[-len(roles.box) :], corners=roles.corners) if roles.box else None
        labels = [label for one in each_of(values[1]) if (label := self._named(one))]
        for label in labels:
            self.taken.add(image, label, line, score, box)
        if not labels:
            self.taken.without(image)

    def _named(self, value: object) -> str:
        classes = self.class_names.get(self.roles.label or "")
        if classes is None or value is None:
            return label_of(value)
        if not isinstance(value, int) or not -1 <= value < len(classes):
            raise BadInput(f"the class {_told(value)} is none of the {len(classes)} that the file has names for.")
        return classes[value] if value >= 0 else ""  # -1 is Hugging Face's word for no label


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and "_" not in value:
        try:
            return float(value)
        except ValueError:
            return None
    return None


def _told(value: object) -> str:
    """A value, for an error."""
    told = repr(value)
    return told if len(told) <= 60 else f"{told[:57]}..."
