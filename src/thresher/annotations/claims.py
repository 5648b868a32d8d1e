"""What a file of labels claims: which images have which label, with scores and boxes where the file has them."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import cos, inf, isfinite, isnan, nan, radians, sin
from pathlib import Path
from typing import Final, overload

from thresher.errors import BadInput, BadLine
from thresher.records.boxes import OUTSIDE_PIXELS, OUTSIDE_SHARE, Box
from thresher.tables.text import unreadable

MOST_LABELS: Final = 10_000
"""Most labels of one file; a file with more has the names of images, or free text, where its labels should be."""
LONGEST_LABEL: Final = 200
_SHOWN: Final = 40
_BOX_NUMBERS: Final = 5


@dataclass(frozen=True, slots=True)
class Claim:
    """One label of one image. `line` is the number of the line, row or record in the file, counted from 1.

    `image` is a file name, URL, foreign id or SHA-256, as the file has it; YOLO and FiftyOne give a file's name without
    its ending where they do not say the ending.
    """

    image: str
    label: str
    score: float | None = None
    box: Box | None = None
    line: int = 0


@dataclass(frozen=True)
class Claims:
    """All that one file, or one folder, claims. `labels` are those that it declares or uses, in its order.

    `unlabelled` are the images that it names without any label. `denied` has what it says is not so: a no, or a score
    below one half, in a table with a column for each label. `single`: it gives an image one label at most.
    """

    file: Path
    kind: str
    labels: tuple[str, ...]
    claims: Sequence[Claim]
    unlabelled: Sequence[str] = ()
    denied: Sequence[Claim] = ()
    unit: str = "line"
    single: bool = False

    def images(self, label: str) -> dict[str, float | None]:
        """The images that have at least one claim of a label, in the order of the file, with their highest score."""
        found: dict[str, float | None] = {}
        for image, other, score, _ in _rows(self.claims):
            if other == label:
                before = found.get(image)
                found[image] = score if before is None or (score is not None and score > before) else before
        return found

    def named(self) -> dict[str, int]:
        """Every image that the file names, with the number of its first line (0 where it is only listed)."""
        found: dict[str, int] = {}
        for said in (self.claims, self.denied):
            for image, _, _, line in _rows(said):
                if found.setdefault(image, line) > line:
                    found[image] = line
        if self.denied:
            found = dict(sorted(found.items(), key=lambda item: item[1]))
        for image in self.unlabelled:
            found.setdefault(image, 0)
        return found

    def denials(self, label: str) -> dict[str, float | None]:
        """The images of which the file says that a label is not so, with the score of the last time it does."""
        return {image: score for image, other, score, _ in _rows(self.denied) if other == label}

    def places(self, label: str) -> list[int]:
        """The places of the claims of a label, ascending."""
        return [place for place, other in enumerate(_labels(self.claims)) if other == label]

    def counts(self) -> dict[str, int]:
        """How many claims have each label that is used, in the order of `labels`."""
        found = Counter(_labels(self.claims))
        return {label: found[label] for label in self.labels if found[label]}

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the file of the labels, as `digest_now` gave it first."""
        return self.digest_now()

    def digest_now(self) -> str:
        """The SHA-256 of the file of the labels as it is now; of a folder, that of all that was read in it."""
        if self.file.is_file():
            with self.file.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        made = hashlib.sha256()
        for said in (self.claims, self.denied):
            for it in said:
                made.update(f"{(it.image, it.label, it.score, it.box)!r}\n".encode("utf-8", "surrogatepass"))
            made.update(b"\n")  # what is so, what is not, and the rest
        for image in self.unlabelled:
            made.update(f"{image!r}\n".encode("utf-8", "surrogatepass"))
        return made.hexdigest()

    def where(self, claim: Claim) -> str:
        """The place of a claim in the file, for an error."""
        return f"{self.file}, {self.place(claim.line) or claim.image}"

    def place(self, line: int) -> str:
        """A line for an error, as "line 3"; "" where there is none, and in a folder: it is the line of some file."""
        return f"{self.unit} {line}" if line and not self.file.is_dir() else ""


def _rows(said: Sequence[Claim]) -> Iterator[tuple[str, str, float | None, int]]:
    """Image, label, score and line of claims, without making each."""
    if not isinstance(said, Kept):
        return ((claim.image, claim.label, claim.score, claim.line) for claim in said)
    scores = (None if isnan(score) else score for score in said.scores)
    return zip(said.names, map(said.labels.__getitem__, said.codes), scores, said.lines, strict=True)


def _labels(said: Sequence[Claim]) -> Iterator[str]:
    """The labels of claims, without making each."""
    if not isinstance(said, Kept):
        return (claim.label for claim in said)
    return map(said.labels.__getitem__, said.codes)


def box_of(left: float, top: float, width: float, height: float, size: tuple[float, float] | None = None) -> Box:
    """A box in pixels, cut at the edges of an image of `size` (width, height) if it is known.

    Raises BadInput for negative sides, or a box that reaches outside the image by more than a pixel.
    """
    return _cut((left, top, width, height), size, OUTSIDE_PIXELS, relative=False)


def pixels_of(box: Box, size: tuple[int, int]) -> Box:
    """A box in pixels of an image of this size (width, height), cut at its edges.

    Raises BadInput if it reaches outside by more than a pixel, or has no area.
    """
    if not (box.width and box.height):
        raise _without_area(box.sides)
    across, down = size if box.relative else (1, 1)
    return box_of(box.left * across, box.top * down, box.width * across, box.height * down, size)


def relative_box_of(left: float, top: float, width: float, height: float) -> Box:
    """A box in shares of an image's width and height. Raises BadInput as `box_of`."""
    return _cut((left, top, width, height), (1.0, 1.0), OUTSIDE_SHARE, relative=True)


def turned_box_of(
    sides: tuple[float, float, float, float], degrees: float, size: tuple[float, float] | None = None
) -> Box:
    """The upright box around one that is turned by `degrees` around its middle, cut at the edges of the image.

    Raises BadInput for negative sides, or a box whose middle lies outside the image.
    """
    left, top, width, height = sides
    whole = _cut(sides, None, inf, relative=False)
    if not isfinite(degrees):
        raise BadInput(f"a box cannot be turned by {degrees:g} degrees.", next="correct the box")
    if not (width and height):
        return whole
    across, down = abs(cos(radians(degrees))), abs(sin(radians(degrees)))
    half_width, half_height = (width * across + height * down) / 2, (width * down + height * across) / 2
    x, y = left + width / 2, top + height / 2
    image_width, image_height = size or (inf, inf)
    if not (0 <= x <= image_width and 0 <= y <= image_height):
        if size is None:
            what = f"the middle of the box {_told(sides)} (left, top, width, height) lies outside its image."
            raise BadInput(what, next="correct or remove the box")
        return _cut(sides, size, OUTSIDE_PIXELS, relative=False)
    first, second = max(x - half_width, 0.0), max(y - half_height, 0.0)
    return Box(first, second, min(x + half_width, image_width) - first, min(y + half_height, image_height) - second)


def _cut(
    box: tuple[float, float, float, float], size: tuple[float, float] | None, most: float, *, relative: bool
) -> Box:
    left, top, width, height = box
    if not all(map(isfinite, box)):
        raise BadInput(f"the box {_told(box)} has a value that is not a number.", next="correct the box")
    if width < 0 or height < 0:
        raise _without_area(box)
    if not (width and height):
        return Box(left, top, width, height, relative)
    across, down = size or (inf, inf)
    right, bottom = left + width, top + height
    if left < -most or top < -most or right > across + most or bottom > down + most:
        image = (
            "" if size is None else f" of {across:g} x {down:g} pixels" if not relative else " (all are shares of it)"
        )
        what = f"the box {_told(box)} (left, top, width, height) reaches outside its image{image}."
        raise BadInput(what, next="correct or remove the box")
    if left < 0 or top < 0 or right > across or bottom > down:
        left, top, right, bottom = max(left, 0.0), max(top, 0.0), min(right, across), min(bottom, down)
        width, height = right - left, bottom - top
    if width <= 0 or height <= 0:
        what = f"the box {_told(box)} (left, top, width, height) lies outside its image."
        raise BadInput(what, next="remove the box")
    return Box(left, top, width, height, relative)


def _told(box: tuple[float, float, float, float]) -> str:
    return "[" + ", ".join(f"{number:g}" for number in box) + "]"


def _without_area(box: tuple[float, float, float, float]) -> BadInput:
    return BadInput(f"the box {_told(box)} (left, top, width, height) has no area.", next="correct or remove the box")


class Kept(Sequence[Claim]):
    """Claims as columns: a million with scores need about 150 MB, and each is made when it is asked for."""

    def __init__(self, labels: list[str]) -> None:
        self.labels = labels
        self.names: list[str] = []
        self.codes, self.lines = array("i"), array("q")
        self.scores, self.boxes = array("d"), array("d")

    def append(self, image: str, code: int, line: int, score: float | None, box: Box | None) -> None:
        """One more claim, with the place of its label in `labels`."""
        self.names.append(image)
        self.codes.append(code)
        self.lines.append(line)
        self.scores.append(nan if score is None else score)
        if box is not None or self.boxes:
            self.boxes.extend([nan] * (_BOX_NUMBERS * (len(self.names) - 1) - len(self.boxes)))
            if box is not None:
                self.boxes.extend((*box.sides, box.relative))

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, at: int) -> Claim: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Claim]: ...

    def __getitem__(self, at: int | slice) -> Claim | Sequence[Claim]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        place = range(len(self.names))[at]
        score = self.scores[place]
        return Claim(
            self.names[place],
            self.labels[self.codes[place]],
            None if isnan(score) else score,
            self._box(place),
            self.lines[place],
        )

    def __iter__(self) -> Iterator[Claim]:
        return (self[place] for place in range(len(self.names)))

    def _box(self, place: int) -> Box | None:
        start = _BOX_NUMBERS * place
        if start >= len(self.boxes) or isnan(self.boxes[start]):
            return None
        left, top, width, height, relative = self.boxes[start : start + _BOX_NUMBERS]
        return Box(left, top, width, height, bool(relative))


@dataclass
class Taken:
    """Collects the claims of one file. `single`: an image has one label, and a second, different one is an error.

    `unit` is the word for the places of the file that errors name: line, row or record.
    """

    file: Path
    kind: str
    single: bool = False
    unit: str = "line"
    kept: Kept = field(init=False)
    denied: Kept = field(init=False)
    _code: dict[str, int] = field(default_factory=dict)
    _first: dict[str, int] = field(default_factory=dict)
    _without: dict[str, int] = field(default_factory=dict)  # and the line, where the file describes it once

    def __post_init__(self) -> None:
        self.kept = Kept([])
        self.denied = Kept(self.kept.labels)

    def declare(self, label: str) -> int:
        """The number of a label, which is added if it is new. Raises BadInput for too many or too long ones."""
        code = self._code.get(label)
        if code is None:
            if not label.isascii() and (what := unreadable((label,))):
                raise self.wrong(f"the label {label[:_SHOWN]!r} {what}.", 0, "correct the label")
            what = ""
            if len(label) > LONGEST_LABEL:
                what = f"the label {label[:_SHOWN]!r}... is longer than {LONGEST_LABEL} characters."
            elif len(self._code) >= MOST_LABELS:
                what = f"has more than {MOST_LABELS:,} different labels, the last {label!r}."
            if what:
                raise self.wrong(what, 0, "check that the labels are in the place where they are looked for")
            code = self._code[label] = len(self._code)
            self.kept.labels.append(label)
        return code

    def add(self, image: str, label: str, line: int, score: float | None = None, box: Box | None = None) -> None:
        """One claim. Raises BadLine for a second, different label of an image that has one."""
        code = self._code.get(label)
        if code is None:
            code = self.declare(label)
        if not image.isascii():
            self._check(image, line)
        if self.single:
            place = self._first.setdefault(image, len(self.kept.names))
            if place < len(self.kept.names):
                self._again(place, code, line, score)
                return
        self.kept.append(image, code, line, score, box)

    def deny(self, image: str, label: str, line: int, score: float | None = None) -> None:
        """What the file says is not so."""
        self.denied.append(image, self.declare(label), line, score, None)

    def without(self, image: str) -> None:
        """An image that the file names and gives no label here."""
        if not image.isascii():
            self._check(image, 0)
        self._without[image] = 0

    def once(self, image: str, line: int, wrong: Callable[[str, str], BadInput]) -> None:
        """An image that the file describes in this place alone. Raises `wrong` if it has another place too."""
        self._check(image, 0)
        if (before := self._without.setdefault(image, line)) != line:
            raise wrong(f"{image!r} is the image of {self.unit} {before} too.", "keep one of them")

    def done(self) -> Claims:
        """The claims. Raises BadInput if the file names no image."""
        if not self.kept.names and not self._without:
            raise BadInput("names no image.", where=str(self.file), next="give a file with a label for each image")
        if self._without:
            labelled = self._first if self.single else set(self.kept.names)
            unlabelled = [image for image in self._without if image not in labelled]
        else:
            unlabelled = []
        labels = tuple(self.kept.labels)
        return Claims(self.file, self.kind, labels, self.kept, unlabelled, self.denied, self.unit, self.single)

    def wrong(self, what: str, line: int, following: str) -> BadInput:
        """The error for a place of the file."""
        if not line:
            return BadInput(what, where=str(self.file), next=following)
        if self.unit == "line":
            return BadLine(what, file=str(self.file), line=line, next=following)
        return BadInput(what, where=f"{self.file}, {self.unit} {line}", next=following)

    def _check(self, name: str, line: int) -> None:
        """Raise BadInput for a name that is not text: JSON can write half of a character."""
        if what := unreadable((name,)):
            raise self.wrong(f"the name {name[:_SHOWN]!r} {what}.", line, "correct the name")

    def _again(self, place: int, code: int, line: int, score: float | None) -> None:
        """The same label a second time, which keeps the higher score. Raises BadInput, BadLine for another label."""
        kept = self.kept
        if kept.codes[place] != code:
            here, there = kept.labels[code], kept.labels[kept.codes[place]]
            what = f"{kept.names[place]!r} is {here!r} here and {there!r} in {self.unit} {kept.lines[place]}."
            raise self.wrong(what, line, "keep one of them")
        if score is not None and not kept.scores[place] >= score:  # NaN, none, is not
            kept.scores[place] = score
