"""The names of YOLO's classes: `names` in a data.yaml, or one a line in classes.txt or obj.names.

Of YAML only what Ultralytics, Roboflow, FiftyOne, CVAT and Label Studio write under `names` is read: a list or a
mapping of numbers, in a block or in brackets. Anything else is refused with its line, so nothing is guessed.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from thresher.errors import BadInput, BadLine
from thresher.tables import text

YAML: Final = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
LISTS: Final = ("classes.txt", "obj.names", "labels.txt", "notes.txt")
_KEY: Final = re.compile(r"names\s*:(?P<rest>.*)")
_ITEM: Final = re.compile(r"\s*-\s+(?P<value>.*)")
_PAIR: Final = re.compile(r"""\s*['"]?(?P<key>\d+)['"]?\s*:\s+(?P<value>.*)""")
_QUOTED: Final = r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*\""""
_IN_BRACKETS: Final = re.compile(rf"""\s*(?:(?P<key>\d+)\s*:\s*)?(?P<value>{_QUOTED}|[^,'"{{}}\[\]]+)""")
_NOT_PLAIN: Final = tuple("&*!|>%@`{[")
_MOST_LINES: Final = 100_000


def names_beside(folder: Path) -> dict[int, str] | None:
    """The names in the files of a folder; None if it has no such file, or an empty list. Raises BadInput, BadLine."""
    for name in YAML:
        if (file := folder / name).is_file():
            return names_of_yaml(file)
    for name in LISTS[:2]:
        if (file := folder / name).is_file() and (names := names_of_list(file)):
            return names
    return None


def names_of_list(file: Path) -> dict[int, str]:
    """The names in a file with one a line, by the numbers of their classes. Raises BadInput, BadLine."""
    lines = [line.strip() for _, line in _lines(file) if line.strip()]
    return dict(enumerate(lines))


def names_of_yaml(file: Path) -> dict[int, str]:
    """The names by the numbers of their classes. Raises BadInput if there are none, BadLine for what is not read."""
    lines = _lines(file)
    for number, line in lines:
        if (found := _KEY.fullmatch(line)) is not None:
            rest = found["rest"].strip()
            listed = rest and not rest.startswith("#")
            if names := _in_brackets(file, number, rest, lines) if listed else _in_block(file, lines):
                return names
            break
    raise BadInput("has no names.", where=str(file), next="give the data.yaml that the model was trained with")


def _in_block(file: Path, lines: Iterator[tuple[int, str]]) -> dict[int, str]:
    names: dict[int, str] = {}
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if (item := _ITEM.fullmatch(line)) is not None:
            names[len(names)] = _scalar(file, number, item["value"])
        elif line[:1].isspace() and (pair := _PAIR.fullmatch(line)) is not None:
            key = int(pair["key"])
            if key in names:
                raise _unread(file, number, f"the class {key} has two names")
            names[key] = _scalar(file, number, pair["value"])
        elif line[:1].isspace():
            raise _unread(file, number, f"{line.strip()[:60]!r} is neither an item of a list nor a number with a name")
        else:
            break
    return names


def _in_brackets(file: Path, number: int, rest: str, lines: Iterator[tuple[int, str]]) -> dict[int, str]:
    ends = {"[": "]", "{": "}"}.get(rest[0])
    if ends is None:
        raise _unread(file, number, f"{rest[:60]!r} is no list")
    inside, names, at = rest[1:], dict[int, str](), 0
    while True:
        while not inside[at:].strip() or inside[at:].lstrip().startswith("#"):
            inside, at = next((line for _, line in lines), ""), 0
            if not inside:
                raise _unread(file, number, "the list does not end")
        if inside[at:].lstrip().startswith(ends):
            return names
        item = _IN_BRACKETS.match(inside, at)
        if item is None or (item["key"] is None) != (ends == "]"):
            raise _unread(file, number, f"{inside[at : at + 60]!r} is no name")
        key = len(names) if item["key"] is None else int(item["key"])
        if key in names:
            raise _unread(file, number, f"the class {key} has two names")
        names[key], at = _scalar(file, number, item["value"]), item.end()
        if inside[at:].lstrip().startswith(","):
            at = inside.index(",", at) + 1


def _scalar(file: Path, number: int, value: str) -> str:
    """A name, without its quotes and what is noted behind it. Raises BadLine."""
    value = value.strip()
    quote = value[:1]
    if quote in ("'", '"'):
        found = re.match(_QUOTED, value)
        rest = value[found.end() :].strip() if found else "?"
        if found is None or (rest and not rest.startswith("#")):
            raise _unread(file, number, f"{value[:60]!r} is no name")
        try:
            name = str(json.loads(found.group())) if quote == '"' else found.group()[1:-1].replace("''", "'")
        except ValueError as error:
            raise _unread(file, number, f"{value[:60]!r} is no name") from error
    else:
        name = re.split(r"\s#", value, maxsplit=1)[0].strip()
        if name.startswith(_NOT_PLAIN):
            raise _unread(file, number, f"{value[:60]!r} is no name")
    if not name:
        raise _unread(file, number, "a name is empty")
    return name


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a small text file. Raises BadInput, BadLine."""
    for number, line in enumerate(text.lines_of(file, text.encoding_of(file)), 1):
        if line is None or number > _MOST_LINES or text.unreadable((line,)):
            raise BadLine("is no list of names.", file=str(file), line=number, next="check the file")
        yield number, line


def _unread(file: Path, number: int, what: str) -> BadLine:
    return BadLine(f"{what}.", file=str(file), line=number, next="write names as a list: one - name a line")
