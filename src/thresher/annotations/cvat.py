"""CVAT for images, version 1.1: an XML file with tags and shapes for each image."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from xml.parsers import expat

from thresher.annotations.claims import Claims, Taken, box_of, turned_box_of
from thresher.annotations.roles import number_of
from thresher.errors import BadInput, BadLine
from thresher.records import Box

_WITHOUT_BOX: Final = frozenset(("tag", "polyline", "points", "cuboid", "skeleton"))
_SHAPES: Final = frozenset(("box", "polygon", "ellipse", "mask")) | _WITHOUT_BOX
_ENCODINGS: Final = frozenset(("utf-8", "utf-16", "iso-8859-1", "us-ascii"))
Given = Mapping[str, str]


def read(path: Path) -> Claims:
    """The labels of an `annotations.xml`: tags, and shapes with the box around them.

    Raises BadInput, BadLine; also for a file that declares entities, of which CVAT writes none.
    """
    reader = _Reader(Taken(path, "cvat"))
    try:
        with path.open("rb") as content:
            reader.parser.ParseFile(content)
    except expat.ExpatError as error:
        what = f"is not XML: {expat.errors.messages[error.code]}."
        raise BadLine(what, file=str(path), line=error.lineno, next="export it again") from error
    except OSError as error:
        raise BadInput(f"{error.strerror or error}.", where=str(path), next="give a file that can be read") from error
    return reader.taken.done()


class _Reader:
    """Reads the file as a stream."""

    def __init__(self, taken: Taken) -> None:
        self.taken = taken
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._begins
        self.parser.EndElementHandler = self._ends
        self.parser.CharacterDataHandler = self._said
        # without a document type there are no entities, which could fill the memory or name other files
        self.parser.StartDoctypeDeclHandler = self._declared
        self.parser.XmlDeclHandler = self._encoded
        self._path: list[str] = []
        self._name: list[str] = []
        self._image: Given = {}

    def _declared(self, *_: object) -> None:
        raise self._wrong("declares a document type, which CVAT never does.")

    def _encoded(self, _version: str, encoding: str | None, _standalone: int) -> None:
        """Only what expat itself decodes: for any other name Python's codecs are asked, of which not all read text."""
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise self._wrong(f"is written in {encoding[:40]!r}, not in UTF-8.", "save it in UTF-8")

    def _begins(self, name: str, given: Given) -> None:
        self._path.append(name)
        if len(self._path) == 1 and name != "annotations":
            raise self._wrong(f"begins with <{name}>, not with <annotations>, so it is not of CVAT.")
        if len(self._path) == 2 and name == "track":
            raise self._wrong("has tracks: it is an export for video.", 'export it as "CVAT for images 1.1"')
        if len(self._path) == 2 and name == "image":
            self._opens(given)
        elif len(self._path) == 3 and self._path[1] == "image" and name in _SHAPES:
            self._shape(name, given)

    def _opens(self, given: Given) -> None:
        name, line = _named(given, "name"), self.parser.CurrentLineNumber
        if not name:
            raise self._wrong("an image has no name.")
        self.taken.once(name, line, self._wrong)
        self._image = given

    def _shape(self, kind: str, given: Given) -> None:
        label = _named(given, "label")
        if not label:
            raise self._wrong(f"a {kind} has no label.")
        try:
            box = None if kind in _WITHOUT_BOX else _box(kind, given, _size(self._image))
            self.taken.add(_named(self._image, "name"), label, self.parser.CurrentLineNumber, None, box)
        except BadInput as error:
            raise error if error.where else self._wrong(error.what, error.next) from error

    def _said(self, text: str) -> None:
        if self._path[-1:] == ["name"] and self._path[-3:-1] == ["labels", "label"]:
            self._name.append(text)

    def _ends(self, name: str) -> None:
        if self._name and name == "name":
            self.taken.declare("".join(self._name).strip())
            self._name.clear()
        self._path.pop()

    def _wrong(self, what: str, following: str = "export it again") -> BadInput:
        return self.taken.wrong(what, self.parser.CurrentLineNumber, following)


def _named(given: Given, key: str) -> str:
    return given.get(key, "").strip()


def _number(given: Given, key: str) -> float:
    number = number_of(given.get(key, ""))
    if number is None:
        raise BadInput(f"{key}={given.get(key, '')!r} is not a number.", next="export it again")
    return number


def _size(image: Given) -> tuple[float, float] | None:
    if "width" not in image or "height" not in image:
        return None
    return _number(image, "width"), _number(image, "height")


def _box(kind: str, given: Given, size: tuple[float, float] | None) -> Box:
    """The upright box around a shape. Raises BadInput."""
    if kind == "mask":
        left, top, width, height = (_number(given, key) for key in ("left", "top", "width", "height"))
        return box_of(left, top, width, height, size)
    if kind == "polygon":
        points = _points(given.get("points", ""))
        left, right = min(x for x, _ in points), max(x for x, _ in points)
        top, bottom = min(y for _, y in points), max(y for _, y in points)
        return box_of(left, top, right - left, bottom - top, size)
    if kind == "ellipse":
        x, y, half_width, half_height = (_number(given, key) for key in ("cx", "cy", "rx", "ry"))
        left, top, right, bottom = x - half_width, y - half_height, x + half_width, y + half_height
    else:
        left, top, right, bottom = (_number(given, key) for key in ("xtl", "ytl", "xbr", "ybr"))
    turn = _number(given, "rotation") if "rotation" in given else 0.0
    box = turned_box_of((left, top, right - left, bottom - top), turn % 360, size)
    return box if turn % 360 or kind == "ellipse" else box_of(left, top, right - left, bottom - top, size)


def _points(given: str) -> list[tuple[float, float]]:
    """The corners of a polygon, written as x,y;x,y. Raises BadInput."""
    points = []
    for pair in given.split(";"):
        x, _, y = pair.partition(",")
        across, down = number_of(x), number_of(y)
        if across is None or down is None:
            raise BadInput(f"the points {given[:60]!r} are not pairs of numbers.", next="export it again")
        points.append((across, down))
    return points
