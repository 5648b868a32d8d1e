"""The names that a column may have, for every command; the first name that a table has is used.

Case, blanks around a name, and "_", "-" or blanks within it do not matter: "Image URL" equals `image_url`.
"""

import re
from collections.abc import Sequence
from typing import Final

Names = tuple[str, ...]

HASH: Final[Names] = ("sha256", "image")
"""Columns with the SHA-256 of an image's bytes."""

FILE: Final[Names] = ("file", "file_name", "path", "file_path", "image_path", "image_file", "image_name")
"""Columns with the name of a file."""

URL: Final[Names] = (
    "url",
    "image_url",
    "img_url",
    "photo_image_url",
    "original_url",
    "coco_url",
    "flickr_url",
    "image",
)
"""Columns with the address of an image."""

IMAGE: Final[Names] = tuple(dict.fromkeys(("image", "file", "url", "sha256", *FILE, *URL, "id")))
"""Columns that identify an image in any way: by SHA-256, file, URL or foreign id."""

ANSWER: Final[Names] = ("answer",)
TRUTH: Final[Names] = ("truth", "answer")
WIDTH: Final[Names] = ("width",)
HEIGHT: Final[Names] = ("height",)
FORMAT: Final[Names] = ("format",)
BYTES: Final[Names] = ("bytes",)

SHOWN: Final = 3
_LEFT_OUT = re.compile(r"[\s_-]+")


def plain(name: str) -> str:
    """A name in lower case without blanks, "_" and "-"."""
    return _LEFT_OUT.sub("", name).lower()


def place_of(names: Names, columns: Sequence[str], unreadable: Sequence[str] = ()) -> int:
    """The index of the first of `names` among the columns, without unreadable ones; -1 if there is none."""
    there = [plain(column) if column not in unreadable else "" for column in columns]
    return next((there.index(wanted) for wanted in map(plain, names) if wanted in there), -1)


def told(names: Names) -> str:
    """Some of the names, for an error."""
    *more, last = names[:SHOWN]
    return f"{', '.join(more)} or {last}" if more else last
