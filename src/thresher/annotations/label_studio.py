"""Label Studio's JSON export: choices of an image, and rectangles and other regions in percent of its size."""

import re
from collections.abc import Iterator, Mapping
from math import cos, radians, sin
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from thresher.annotations.claims import Claims, Taken
from thresher.annotations.folder import IMAGES
from thresher.annotations.places import Place, place_of
from thresher.errors import BadInput
from thresher.records import Box
from thresher.tables.members import members_of

_IMAGES: Final = ("image", "img", "url", "image_url", "photo", "picture")
"""The keys of a task's data that are tried first for its image."""
_ENDING: Final = re.compile(rf"({'|'.join(map(re.escape, IMAGES))})($|[?#])", re.IGNORECASE)
_UPLOADED: Final = re.compile(r"/?data/upload/(\d+/)?[0-9a-f]{8}-(?P<name>.+)")
_LOCAL: Final = "/data/local-files/"
_REGIONS: Final = ("rectanglelabels", "polygonlabels", "ellipselabels", "brushlabels", "keypointlabels", "labels")
_PERCENT: Final = 100.0


def read(path: Path) -> Claims:
    """The labels of an export as JSON. An annotation counts before predictions; of several, the one marked as ground
    truth, or any if they agree.

    Raises BadInput, also for two annotations of one task that differ.
    """
    taken = Taken(path, "label-studio", unit="record")
    for member in members_of(path):
        if member.section:
            raise BadInput("is not a list of tasks.", where=str(path), next="export the project as JSON")
        if isinstance(member.key, int):
            task = place_of(path, member)
            if "data" not in task.object():
                raise task.wrong(
                    "has no data: it is not a task, or comes from the JSON_MIN export.", "export the project as JSON"
                )
            image = image_of(task)
            taken.once(image, task.record, task.wrong)
            if (said := _annotation(task)) is not None:
                _take(said, image, taken)
    return taken.done()


def image_of(task: Place) -> str:
    """The image of a task: its URL, or the name of the file that was uploaded or lies in local storage.

    Raises BadInput.
    """
    data = task.get("data")
    values = data.object()
    texts = {key: value for key, value in values.items() if isinstance(value, str) and value.strip()}
    named = [texts[key] for key in _IMAGES if key in texts] or [one for one in texts.values() if _ENDING.search(one)]
    if not named:
        raise data.wrong(f"has no image under {', '.join(_IMAGES)}.", "export a project of images")
    return name_of(named[0].strip())


def name_of(address: str) -> str:
    """The name that a file had before Label Studio took it; another address stays as it is."""
    if (uploaded := _UPLOADED.fullmatch(address)) is not None:
        return unquote(uploaded["name"])
    if address.startswith(_LOCAL):
        return "".join(parse_qs(urlsplit(address).query).get("d", [address]))
    return address


def _annotation(task: Place) -> Place | None:
    """The annotation or prediction that counts, None if there is none. Raises BadInput for several that differ."""
    made = task.get("annotations")
    if made.value is None:
        made = task.get("completions")  # its name before 2021
    found = [one for one in made.each() if not one.object().get("was_cancelled")]
    found = [one for one in found if one.object().get("ground_truth")] or found
    if not found:
        found = task.get("predictions").each()
    said = [_said(one) for one in found]
    if any(one != said[0] for one in said):
        what = f"{len(found)} {found[0].pointer.split('/')[-2]} of {image_of(task)!r} differ."
        raise task.wrong(what, "keep one of them, or mark one as ground truth")
    return found[0] if found else None


def _said(annotation: Place) -> list[Any]:
    """The labels and places of an annotation, to compare it with another."""
    found = [each.object() for each in annotation.get("result").each()]
    return sorted((str(one.get("from_name")), repr(one.get("value"))) for one in found)


def _take(annotation: Place, image: str, taken: Taken) -> None:
    """The claims of one annotation. Raises BadInput."""
    whole = annotation.get("score")
    for result in annotation.get("result").each():
        score = result.get("score")
        known = (score if score.value is not None else whole).score()
        for label, box in _labels(result):
            taken.add(image, label, annotation.record, known, box)


def _labels(result: Place) -> Iterator[tuple[str, Box | None]]:
    """The labels of one region or choice. Raises BadInput."""
    kind, value = result.get("type").value, result.get("value")
    if kind == "choices":
        box = _box(result, value) if "width" in value.object() else None  # a choice about a region
        for choice in value.get("choices").each():
            yield choice.text(), box
    elif kind == "taxonomy":
        for chosen in value.get("taxonomy").each():
            yield "/".join(part.text() for part in chosen.each()), None
    elif kind in _REGIONS:
        box = _box(result, value)
        for label in value.get(kind).each():
            yield label.text(), box


def _box(result: Place, value: Place) -> Box | None:
    """The upright box around a region, in pixels; None for a brush or a point. Raises BadInput."""
    given: Mapping[str, Any] = value.object()
    width, height = result.get("original_width").number(), result.get("original_height").number()
    across, down = width / _PERCENT, height / _PERCENT
    if "points" in given:
        points = [point.numbers(2) for point in value.get("points").each()]
        if not points:
            raise value.get("points").wrong("has no points.")
        left, top = min(x for x, _ in points), min(y for _, y in points)
        right, bottom = max(x for x, _ in points), max(y for _, y in points)
        return value.box((left * across, top * down, (right - left) * across, (bottom - top) * down), (width, height))
    if "radiusX" in given:
        x, y, half, tall = (value.get(key).number() for key in ("x", "y", "radiusX", "radiusY"))
        sides = ((x - half) * across, (y - tall) * down, 2 * half * across, 2 * tall * down)
        return value.turned_box(sides, 0.0, (width, height))
    if "width" not in given or "height" not in given:
        return None
    x, y, wide, tall = (value.get(key).number() for key in ("x", "y", "width", "height"))
    sides = (x * across, y * down, wide * across, tall * down)
    turn = value.get("rotation")
    degrees = turn.number() % 360 if turn.value is not None else 0.0
    if not degrees:
        return value.box(sides, (width, height))
    return value.turned_box(around_corner(sides, degrees), degrees, (width, height))


def around_corner(sides: tuple[float, float, float, float], degrees: float) -> tuple[float, float, float, float]:
    """A box that turns around its upper left corner, as Label Studio's do, moved so that it turns around its middle."""
    left, top, width, height = sides
    across, down = cos(radians(degrees)), sin(radians(degrees))
    x = left + (width * across - height * down) / 2
    y = top + (width * down + height * across) / 2
    return x - width / 2, y - height / 2, width, height
