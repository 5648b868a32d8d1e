"""Takes the lines of a table of labels as claims, whatever the table is written in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from thresher.annotations.claims import Taken
from thresher.annotations.roles import (
    ANSWERS,
    BOXES,
    OBJECT_LABELS,
    SCORE,
    YES,
    Roles,
    answer_of,
    box_from,
    each_of,
    label_of,
    number_of,
    score_of,
    told,
)
from thresher.errors import BadInput
from thresher.tables import Names, names


@dataclass
class Lines:
    """Takes the lines of a table. `classes` are the names of the classes of columns that have numbers for them."""

    roles: Roles
    taken: Taken
    classes: Mapping[str, Sequence[str]]
    wide: tuple[tuple[str, str], ...] = field(init=False)
    """The columns with a label each, and the labels."""

    def __post_init__(self) -> None:
        """Declare the labels that the columns give."""
        for label in self.classes.get(self.roles.label or self.roles.objects or "", ()):
            self.taken.declare(label)
        self.wide = tuple((column, _label_of_column(column)) for column in self.roles.wide)
        for _, label in self.wide:
            self.taken.declare(label)

    def take(self, line: int, values: Sequence[object]) -> None:
        """One line: the values of `roles.columns`. Raises BadInput, BadLine, which name the line."""
        try:
            image = _image(values[0])
            if self.roles.objects is not None:
                self._objects(line, image, values[1])
            elif self.roles.label is None:
                self._wide(line, image, values)
            else:
                self._long(line, image, values)
        except BadInput as error:
            if error.where:
                raise
            raise self.taken.wrong(error.what, line, error.next) from error

    def _wide(self, line: int, image: str, values: Sequence[object]) -> None:
        said = False
        for (name, label), value in zip(self.wide, values[1:], strict=True):
            yes, score = answer_of(value, name)
            if yes:
                said = True
                self.taken.add(image, label, line, score)
            elif yes is not None:
                self.taken.deny(image, label, line, score)
        if not said:
            self.taken.without(image)

    def _long(self, line: int, image: str, values: Sequence[object]) -> None:
        roles = self.roles
        given = values[2] if roles.score else None
        score = None if given is None or given == "" else score_of(given)
        box = box_from(values[-len(roles.box) :], corners=roles.corners) if roles.box else None
        labels = [label for one in each_of(values[1]) if (label := self._named(one, roles.label))]
        for label in labels:
            self.taken.add(image, label, line, score, box)
        if not labels:
            self.taken.without(image)

    def _objects(self, line: int, image: str, value: object) -> None:
        some = False
        for one in _each_object(value):
            label = self._named(_under(one, OBJECT_LABELS), self.roles.objects)
            if not label:
                raise BadInput("an object has no label.", next="correct the line")
            score, box = _under(one, SCORE), _under(one, BOXES)
            self.taken.add(
                image,
                label,
                line,
                None if score is None else score_of(score),
                None if box is None else box_from((box,), corners=False),
            )
            some = True
        if not some:
            self.taken.without(image)

    def _named(self, value: object, column: str | None) -> str:
        """A label by its name, or by its number if the file has names; "" for none. Raises BadInput."""
        classes = self.classes.get(column or "")
        if classes is None or value is None or isinstance(value, str):
            return label_of(value)
        number = number_of(value)
        if number is None or not number.is_integer() or not -1 <= number < len(classes):
            what = f"the class {told(value)} is none of the {len(classes)} that the file has names for."
            raise BadInput(what, next="correct the line")
        return classes[int(number)] if number >= 0 else ""  # -1 is Hugging Face's word for no label


def _image(value: object) -> str:
    """The name of an image. Raises BadInput."""
    if isinstance(value, str) and (name := value.strip()):
        return name
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise BadInput("names no image.", next="correct the line")


def _label_of_column(column: str) -> str:
    return YES if names.plain(column) in ANSWERS else column.strip()


def _each_object(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects in a list, or those of an object of lists. Raises BadInput."""
    if isinstance(value, dict):
        lists = {key: each for key, each in value.items() if isinstance(each, list)}
        if len({len(each) for each in lists.values()}) > 1:
            raise BadInput("the lists of its objects are not of one length.", next="correct the line")
        for values in zip(*lists.values(), strict=True):
            yield dict(zip(lists, values, strict=True))
    elif value is not None:
        for one in each_of(value):
            if not isinstance(one, dict):
                raise BadInput(f"{told(one)} is no object with a label and a box.", next="correct the line")
            yield one


def _under(value: Mapping[str, Any], wanted: Names) -> Any:  # noqa: ANN401 -- whatever the file holds
    """The value under the first of some names, None if there is none."""
    key = _key_of(tuple(value), wanted)
    return None if key is None else value[key]


@lru_cache(maxsize=64)  # the objects of a file have the same few keys, and comparing names takes longer than the rest
def _key_of(keys: tuple[str, ...], wanted: Names) -> str | None:
    place = names.place_of(wanted, keys)
    return keys[place] if place >= 0 else None
