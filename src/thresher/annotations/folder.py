"""A folder for each label: the name of the folder is the label of the images in it and below it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from thresher.annotations.claims import Claims, Taken
from thresher.errors import BadInput

IMAGES: Final = frozenset(
    (
        *(".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".jpeg"),
        *(".jpg", ".jxl", ".png", ".ppm", ".tif", ".tiff", ".webp"),
    )
)
"""The endings of files that are taken as images."""
IMAGES_APART: Final = frozenset(("images", "image", "imgs", "img", "data", "media", "photos", "pictures"))
"""Folders that hold all images, whatever their labels."""
SPLITS: Final = frozenset(("train", "training", "val", "valid", "validation", "test", "testing"))
"""Folders that hold the folders of the labels, if all folders beside them do."""
UNLABELLED: Final = frozenset(("_unlabeled", "no_label"))
"""The folders that FiftyOne and Datumaro write for images without a label."""


def looks_like(path: Path) -> bool:
    """Whether it is a folder with folders in it, which all have images and are named after labels."""
    tops = folders_in(path) if path.is_dir() else []
    named = {top.lower() for top in tops} - IMAGES_APART
    return bool(named) and all(top in UNLABELLED or next(_images(path / top), None) for top in tops)


def read(path: Path) -> Claims:
    """The images of each folder, by their path from the folder above all. Raises BadInput."""
    if not path.is_dir():
        raise BadInput("is a file, not a folder.", where=str(path), next="give the folder above those of the labels")
    tops = folders_in(path)
    if not tops:
        raise BadInput("has no folders in it.", where=str(path), next="give the folder above those of the labels")
    split = all(top.lower() in SPLITS and folders_in(path / top) for top in tops)
    taken = Taken(path, "folder", single=True, unit="file")
    depth = 1 if split else 0
    for name in _images(path):
        parts = name.split("/")
        if len(parts) > depth + 1 and parts[depth] not in UNLABELLED:
            taken.add(name, parts[depth], 0)
        else:
            taken.without(name)
    return taken.done()


def stems_of(path: Path) -> dict[str, str]:
    """The images below a folder, by their path from it without their endings; none if there is no such folder.

    Where several differ in their endings alone, it is the last of them. Raises BadInput.
    """
    return {os.path.splitext(name)[0]: name for name in _images(path)} if path.is_dir() else {}  # noqa: PTH122 -- likewise


def folders_in(path: Path) -> list[str]:
    """The folders in a folder that are not hidden, sorted. Raises BadInput."""
    try:
        with os.scandir(path) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise BadInput(f"{error.strerror or error}.", where=str(path), next="give a folder that can be read") from error


def _images(path: Path) -> Iterator[str]:
    """The images below a folder that are not hidden, by their path from it. Raises BadInput."""

    def unreadable(error: OSError) -> None:
        where = str(error.filename or path)
        raise BadInput(f"{error.strerror or error}.", where=where, next="give a folder that can be read") from error

    for directory, folders, files in os.walk(path, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in IMAGES:  # noqa: PTH122 -- a million files
                found = os.path.relpath(os.path.join(directory, name), path).replace(os.sep, "/")  # noqa: PTH118 -- likewise
                # as a harvest names a file whose name is not UTF-8
                yield found.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
