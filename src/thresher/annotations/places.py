"""Values of a JSON file with their places, so that an error names the record and the JSON pointer."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from thresher.annotations.claims import box_of, relative_box_of, turned_box_of
from thresher.annotations.roles import number_of, told
from thresher.errors import BadInput
from thresher.records import Box
from thresher.tables.members import Member

Size = tuple[float, float]


class Place:
    """A value of a file: the number of its record, counted from 1, and its JSON pointer (RFC 6901)."""

    __slots__ = ("_above", "_key", "file", "record", "value")

    def __init__(self, file: Path, record: int, key: str, value: Any, above: "Place | None" = None) -> None:  # noqa: ANN401 -- whatever JSON holds
        self.file = file
        self.record = record
        self.value = value
        self._key = key
        self._above = above

    @property
    def pointer(self) -> str:
        """Where it stands in the file."""
        return f"{self._above.pointer}/{self._key}" if self._above is not None else self._key

    def wrong(self, what: str, following: str = "correct the file") -> BadInput:
        """The error for this place."""
        return BadInput(what, where=f"{self.file}, record {self.record} ({self.pointer})", next=following)

    def get(self, key: str) -> "Place":
        """The value under a key of an object, None where it is missing. Raises BadInput for another value."""
        value = self.value if isinstance(self.value, dict) else self.object()
        return Place(self.file, self.record, key, value.get(key), self)

    def object(self) -> Mapping[str, Any]:
        """An object. Raises BadInput for another value."""
        if not isinstance(self.value, dict):
            raise self.wrong(f"is not an object but {told(self.value)}.")
        return self.value

    def each(self) -> "list[Place]":
        """The values of a list, none if it is missing. Raises BadInput for another value."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.wrong(f"is not a list but {told(self.value)}.")
        return [Place(self.file, self.record, str(at), value, self) for at, value in enumerate(self.value)]

    def text(self) -> str:
        """A text that is not empty. Raises BadInput for another value."""
        if isinstance(self.value, str) and (text := self.value.strip()):
            return text
        raise self.wrong("is missing." if self.value is None else f"is not a text but {told(self.value)}.")

    def id(self) -> str | int:
        """A number or a text that identifies something. Raises BadInput for another value."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return self.value
        return self.text()

    def number(self) -> float:
        """A finite number. Raises BadInput for another value."""
        number = None if isinstance(self.value, str) else number_of(self.value)
        if number is None or not isfinite(number):
            raise self.wrong("is missing." if self.value is None else f"is not a number but {told(self.value)}.")
        return number

    def score(self) -> float | None:
        """A score, None if it is missing. Raises BadInput for anything but a finite number."""
        return None if self.value is None else self.number()

    def size(self) -> tuple[float, float] | None:
        """Width and height of an image, None if one is missing or 0. Raises BadInput for values that are no numbers."""
        width, height = self.get("width"), self.get("height")
        if not width.value or not height.value:
            return None
        return width.number(), height.number()

    def numbers(self, count: int) -> list[float]:
        """A list of `count` numbers. Raises BadInput for another value."""
        floats = isinstance(self.value, list) and all(type(one) is float for one in self.value)
        if floats and len(self.value) == count and all(map(isfinite, self.value)):
            return list(self.value)  # as nearly all files have them
        found = [each.number() for each in self.each()]
        if len(found) != count:
            raise self.wrong(f"has {len(found)} numbers, not {count}.")
        return found

    def box(self, sides: Sequence[float], size: Size | None = None) -> Box:
        """The box of left, top, width and height in pixels. Raises BadInput as `box_of`."""
        return self._checked(lambda: box_of(*_four(sides), size))

    def turned_box(self, sides: Sequence[float], degrees: float, size: Size | None = None) -> Box:
        """The upright box around one that is turned around its middle. Raises BadInput as `box`."""
        return self._checked(lambda: turned_box_of(_four(sides), degrees, size))

    def relative_box(self, sides: Sequence[float]) -> Box:
        """The box of left, top, width and height in shares of the image's size. Raises BadInput as `box`."""
        return self._checked(lambda: relative_box_of(*_four(sides)))

    def _checked(self, make: Callable[[], Box]) -> Box:
        try:
            return make()
        except BadInput as error:
            raise self.wrong(error.what, error.next) from error


def place_of(file: Path, member: Member, record: int | None = None) -> Place:
    """The place of a member; its record is its number in the list, if none is given."""
    number = record if record is not None else member.key + 1 if isinstance(member.key, int) else 0
    return Place(file, number, member.pointer, member.value)


def _four(sides: Sequence[float]) -> tuple[float, float, float, float]:
    left, top, width, height = sides
    return left, top, width, height
