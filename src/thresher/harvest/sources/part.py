"""A part of another source: only the files of some names, or boxes in them, each of which is an image of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from thresher.harvest.candidates import Candidate, Source
from thresher.records import Box


def region_name(name: str, box: Box) -> str:
    """The name of a box of an image: the image's own and the pixels, or percent, as W3C Media Fragments writes them."""
    if box.relative:
        return f"{name}#xywh=percent:{','.join(_short(100.0 * share) for share in box.sides)}"
    return f"{name}#xywh={','.join(_short(number) for number in box.sides)}"


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


@dataclass
class Part:
    """The candidates of `whole` whose names are `wanted`; where a name comes with boxes, these in place of its image.

    `margin` is that of the crops. Candidates are in the order of the whole source, boxes in the given order.
    """

    whole: Source
    wanted: Mapping[str, Sequence[Box]]
    margin: float = 0.0
    name: str = field(init=False)
    remote: bool = field(init=False)
    again: bool = False

    def __post_init__(self) -> None:
        self.name, self.remote = self.whole.name, self.whole.remote  # a file of a part is the file of the whole

    def expected(self) -> int:
        """The number of candidates, if every wanted name is there."""
        return sum(max(len(boxes), 1) for boxes in self.wanted.values())

    def candidates(self, *, bytes_most: int) -> Iterator[Candidate]:
        """The wanted candidates, one for each box where there are boxes."""
        for candidate in self.whole.candidates(bytes_most=bytes_most):
            boxes = self.wanted.get(candidate.name)
            if boxes is None:
                continue
            if not boxes:
                yield candidate
            for box in boxes:
                yield replace(candidate, name=region_name(candidate.name, box), box=box, margin=self.margin)
