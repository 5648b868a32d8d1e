"""The header `X-Robots-Tag`: whether a site wants an image left out of indexes or of training data.

A header holds directives separated by commas, for every robot, or behind the name of one: `noai`, `thresher: noai`.
Several headers add up, and a robot keeps to those for all and those for itself.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final

ROBOT: Final = "thresher"
"""The name under which a site addresses us: the product token of our User-Agent."""

_NAME: Final = re.compile(r"[a-z0-9_*-]+")
_WITH_VALUE: Final = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
"""Directives that are themselves followed by a colon, so that they are no robot's name."""


def directives_of(setting: str) -> frozenset[str]:
    """The directives in the setting `robots_tags`."""
    return frozenset(part.strip().lower() for part in setting.split(",") if part.strip())


def forbidding(headers: Iterable[str], wanted: Collection[str]) -> str:
    """The first directive of `X-Robots-Tag` headers that is for us and one of the `wanted`; "" if there is none."""
    for header in headers:
        robot = ""
        for part in header.lower().split(","):
            name, mark, directive = part.partition(":")
            if mark and _NAME.fullmatch(name.strip()) and name.strip() not in _WITH_VALUE:
                robot, part = name.strip(), directive
            if part.strip() in wanted and robot in ("", "*", ROBOT):
                return part.strip()
    return ""
