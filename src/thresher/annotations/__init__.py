"""Labels and predictions that somebody else made, from the files of the tools that make them.

`read` gives the claims of a file: this image has that label, with this score, in that box. Every format of `KINDS` is
checked whole before anything of it is used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from thresher.annotations import columns, folder
from thresher.annotations.claims import Box, Claim, Claims
from thresher.errors import BadInput

__all__ = ["KINDS", "Box", "Claim", "Claims", "Kind", "read"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A format: the sentence that `--help` shows, whether a path looks like it, and its reader."""

    name: str
    says: str
    looks_like: Callable[[Path], bool]
    read: Callable[[Path], Claims]


_KINDS: Final = (
    Kind(
        "csv", "a table with a column of labels, or a column for each label", columns.looks_like_csv, columns.read_csv
    ),
    Kind("folder", "a folder for each label, with its images", folder.looks_like, folder.read),
)
KINDS: Final = {kind.name: kind for kind in _KINDS}
"""Every format by the name that `--as` takes. Their order is the order in which a path is compared with them."""


def read(path: Path, *, kind: str = "") -> Claims:
    """The labels in a file or folder, of the format `kind`, or of the first format that it looks like.

    Raises BadInput or BadLine, which names the file and the line, row or record; then nothing of the file is used.
    """
    if not path.exists():
        raise BadInput("there is no such file or folder.", where=str(path), next="check its name")
    if kind and kind not in KINDS:
        raise BadInput(f"unknown format {kind!r}; known are {', '.join(KINDS)}.", next="give one of them to --as")
    found = KINDS.get(kind) or next((one for one in _KINDS if one.looks_like(path)), None)
    if found is None:
        raise BadInput("the format is not known by the name or the content.", where=str(path), next="name it with --as")
    return found.read(path)
