"""The members of one large JSON object or list, read as a stream: the files of annotation tools are of this form."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thresher.tables.objects import Text
from thresher.tables.text import encoding_of


@dataclass(frozen=True, slots=True)
class Member:
    """A value two levels down: `key` is its place (from 0) in the list `section`, or its name in the object `section`.

    `section` is "" for a list at the top. Each section begins with a member whose key is None; its value is that of the
    section if it is neither a list nor an object. `line` is where the value begins.
    """

    section: str
    key: str | int | None
    value: Any
    line: int

    @property
    def pointer(self) -> str:
        """Where it stands, as a JSON pointer (RFC 6901) without escapes."""
        return "".join(f"/{part}" for part in (self.section, self.key) if part not in ("", None))


def members_of(path: Path) -> Iterator[Member]:
    """The members of a file, whose key is None at the beginning of each section. Raises BadInput, BadLine.

    A name that an object has twice comes twice, where `json.load` keeps the last alone.
    """
    text = Text(path, encoding_of(path))
    letter = text.next_letter()
    if letter == "[":
        yield Member("", None, None, text.line)
        yield from _listed(text, "")
    elif letter == "{":
        for name in _names(text):
            letter, line = text.next_letter(), text.line
            if letter == "[":
                yield Member(name, None, None, line)
                yield from _listed(text, name)
            elif letter == "{":
                yield Member(name, None, None, line)
                yield from _keyed(text, name)
            else:
                yield Member(name, None, text.value(), line)
    else:
        raise text.wrong("is empty" if not letter else "is not a JSON object or list")
    if text.next_letter():
        raise text.wrong("has text after the end of the JSON")


def _listed(text: Text, section: str) -> Iterator[Member]:
    """The values of a list that begins here. Raises BadLine."""
    text.skip_to(text.at + 1)
    place = 0
    while (letter := text.next_letter()) != "]":
        if place:
            _expect(text, letter, ",", "a comma is missing between two values")
        elif not letter:
            raise _truncated(text)
        line = text.line
        yield Member(section, place, text.value(), line)
        place += 1
    text.skip_to(text.at + 1)


def _keyed(text: Text, section: str) -> Iterator[Member]:
    """The values of an object that begins here. Raises BadLine."""
    for key in _names(text):
        line = text.line
        yield Member(section, key, text.value(), line)


def _names(text: Text) -> Iterator[str]:
    """The names of an object that begins here, each with the text at its value. Raises BadLine."""
    text.skip_to(text.at + 1)
    first = True
    while (letter := text.next_letter()) != "}":
        if not first:
            _expect(text, letter, ",", "a comma is missing between two values")
            letter = text.next_letter()
        if letter != '"':
            raise _truncated(text) if not letter else text.wrong("is not JSON: a name in quotes is missing")
        first, name = False, text.value()
        _expect(text, text.next_letter(), ":", "a colon is missing after a name")
        text.next_letter()
        yield name
    text.skip_to(text.at + 1)


def _expect(text: Text, letter: str, wanted: str, missing: str) -> None:
    """Move behind a letter, and to the next. Raises BadLine for another one."""
    if letter != wanted:
        raise _truncated(text) if not letter else text.wrong(f"is not JSON: {missing}")
    text.skip_to(text.at + 1)
    text.next_letter()


def _truncated(text: Text) -> Exception:
    return text.wrong("does not end: the file is truncated")


def whole_of(path: Path) -> Any:  # noqa: ANN401 -- whatever JSON holds
    """The value of a file of at most a million characters. Raises BadInput, BadLine."""
    text = Text(path, encoding_of(path))
    if not text.next_letter():
        raise text.wrong("is empty")
    value = text.value()
    if text.next_letter():
        raise text.wrong("has text after the end of the JSON")
    return value
