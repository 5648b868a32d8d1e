"""Objects in JSON files: .jsonl (one per line) and .json (a list of objects, read as a stream)."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from thresher.errors import BadLine
from thresher.tables.text import LONGEST_LINE, TOO_LONG, Row, characters_of, lines_of, unreadable

Object = tuple[int, Any, str]
"""The number of a line, the value that begins there, and its problem ("": none)."""

NO_TEXT: Final = "contains a value that is not text"
_BLANK: Final = " \t\n\ufeff"


def objects_by_line(path: Path, encoding: str) -> Iterator[Object]:
    """The value of each line of a .jsonl; blank lines are skipped."""
    for number, line in enumerate(lines_of(path, encoding), 1):
        if line is None:
            yield number, None, TOO_LONG
        elif line and not line.isspace():
            try:
                yield number, json.loads(line), ""
            except (ValueError, RecursionError) as error:
                yield number, None, f"is not JSON: {_said(error)}"


def objects_of_list(path: Path, encoding: str) -> Iterator[Object]:
    """The values in a list, or of consecutive objects, each with the number of its first line. Raises BadLine."""
    text = Text(path, encoding)
    listed = text.next_letter() == "["
    if listed:
        text.at += 1
    first = True
    while (letter := text.next_letter()) and not (listed and letter == "]"):
        if listed and not first:
            if letter != ",":
                raise text.wrong("is not JSON: a comma is missing between two values")
            text.at += 1
            text.next_letter()
        first = False
        line = text.line
        yield line, text.value(), ""
    if listed and not letter:
        raise text.wrong("the list does not end: the file is truncated")


def keys_of(value: Any, path: Path, line: int) -> dict[str, Any]:  # noqa: ANN401 -- whatever JSON holds
    """An object of JSON. Raises BadLine for any other value."""
    if isinstance(value, dict):
        return value
    found = {list: "a list", str: "a text", type(None): "null"}.get(type(value), "a number")
    raise BadLine(
        f"expected an object, found {found}.",
        file=str(path),
        line=line,
        next='give a list of objects: [{"url": "https://...", ...}, ...]',
    )


def values_of(objects: Iterator[Object], keys: Sequence[str]) -> Iterator[Row]:
    """The values of objects under `keys`, "" where a key is missing or empty."""
    for number, value, what in objects:
        if what:
            yield number, (), what
        elif not isinstance(value, dict):
            yield number, (), "is not a JSON object"
        else:
            texts = [text_of(value.get(key, "")) for key in keys]
            values = [text for text in texts if text is not None]
            if len(values) < len(texts):
                yield number, (), NO_TEXT
            else:
                yield number, values, unreadable(values)


def text_of(value: object) -> str | None:
    """A value as text, as in a CSV file; None if it has no text form (a list, bytes that are not UTF-8)."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # a column of whole numbers with gaps comes as fractions
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return None
    return None


class Text:
    """A window on a text: from `at` on it holds more than the longest allowed object, or the rest of the text."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.path = path
        self.held, self.at, self.line = "", 0, 1
        self._parts = characters_of(path, encoding)
        self._decoder = json.JSONDecoder()

    def next_letter(self) -> str:
        """The next letter that is not blank; "" at the end."""
        while True:
            while len(self.held) - self.at <= LONGEST_LINE and (part := next(self._parts, "")):
                self.held, self.at = self.held[self.at :] + part, 0
            rest = self.at
            while rest < len(self.held) and self.held[rest] in _BLANK:
                rest += 1
            self.skip_to(rest)
            if self.at < len(self.held):
                return self.held[self.at]
            if not (part := next(self._parts, "")):
                return ""
            self.held, self.at = part, 0

    def value(self) -> Any:  # noqa: ANN401 -- whatever JSON holds
        """The value that begins at the current place, which moves behind it. Raises BadLine."""
        try:
            value, end = self._decoder.raw_decode(self.held, self.at)
        except (ValueError, RecursionError) as error:
            ended = getattr(error, "pos", 0) >= len(self.held) or "Unterminated" in str(error)
            if ended and len(self.held) - self.at > LONGEST_LINE:
                raise self.wrong(f"an object is longer than {LONGEST_LINE:,} characters") from error
            truncated = ": the file is truncated" if ended else ""
            raise self.wrong(f"is not JSON: {_said(error)}{truncated}", getattr(error, "pos", None)) from error
        self.skip_to(end)
        return value

    def skip_to(self, place: int) -> None:
        """Continue at a place of the held text."""
        self.line += self.held.count("\n", self.at, place)
        self.at = place

    def wrong(self, what: str, place: int | None = None) -> BadLine:
        """The error for a place of the held text, by default the current one."""
        line = self.line + (self.held.count("\n", self.at, place) if place is not None else 0)
        return BadLine(f"{what}.", file=str(self.path), line=line, next="correct the file, or download it again")


def _said(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.colno}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else "a number has too many digits"
