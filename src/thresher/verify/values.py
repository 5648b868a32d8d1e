"""Values of JSON as the types that they must be; anything else is a ValueError that names the place."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from thresher.verify.reading import shown

LARGEST = 2**53
"""Beyond it a float no longer counts, and no pool is that large."""


class Fields:
    """An object of a file, whose fields are taken by name and type. Raises ValueError for a missing or wrong one."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise ValueError(f"{where} is {shown(value)}, not an object")  # noqa: TRY004 -- a file's fault, no caller's
        self.where = where
        self._given: Mapping[str, Any] = value

    def get(self, name: str) -> Any:  # noqa: ANN401 -- a value of JSON
        """The value of a field, whatever it is."""
        if name not in self._given:
            raise ValueError(f"{self.where} has no {name}")
        return self._given[name]

    def names(self) -> set[str]:
        """The names of its fields."""
        return set(self._given)

    def only(self, names: Iterable[str]) -> None:
        """Raise ValueError if it has a field of another name, whose meaning nobody knows."""
        if unknown := self._given.keys() - set(names):
            raise ValueError(f"{self.where} has an unknown field {shown(min(unknown))}")

    def items(self) -> Iterable[tuple[str, Any]]:
        """Its fields with their values."""
        return self._given.items()

    def text(self, name: str) -> str:
        """A text that can be written as UTF-8."""
        value = self.get(name)
        if not isinstance(value, str) or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError(f"{self.where}.{name} is {shown(value)}, not a text")
        return value

    def one_of(self, name: str, words: Sequence[str]) -> str:
        """One of these words."""
        value = self.text(name)
        if value not in words:
            raise ValueError(f"{self.where}.{name} is {shown(value)}, none of {', '.join(words)}")
        return value

    def digest(self, name: str) -> str:
        """A SHA-256, or 32 other bytes, in hexadecimal."""
        value = self.text(name)
        if len(value) != 64 or not set(value) <= set("0123456789abcdef"):
            raise ValueError(f"{self.where}.{name} is {shown(value)}, not 64 hexadecimal digits")
        return value

    def whole(self, name: str, low: int = 0, high: int = LARGEST) -> int:
        """A whole number from `low` to `high`."""
        value = self.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"{self.where}.{name} is {shown(value)}, not a whole number from {low} to {high}")
        return value

    def number(self, name: str, low: float = 0.0, high: float = float(LARGEST)) -> float:
        """A number from `low` to `high`."""
        return number(self.get(name), f"{self.where}.{name}", low, high)

    def list(self, name: str, longest: int = 100_000) -> list[Any]:
        """A list that is not too long."""
        value = self.get(name)
        if not isinstance(value, list) or len(value) > longest:
            raise ValueError(f"{self.where}.{name} is {shown(value)}, not a list of at most {longest:,}")
        return value


def number(value: Any, where: str, low: float, high: float) -> float:  # noqa: ANN401 -- a value of JSON
    """A number from `low` to `high`, as a float."""
    right = isinstance(value, int | float) and not isinstance(value, bool)
    if not right or not math.isfinite(value) or not low <= value <= high:
        raise ValueError(f"{where} is {shown(value)}, not a number from {low:g} to {high:g}")
    return float(value)
