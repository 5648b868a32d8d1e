"""Labels and predictions that somebody else made, from the files of the tools that make them.

`read` gives the claims of a file: this image has that label, with this score, in that box. Every format of `KINDS` is
checked whole before anything of it is used. `Names` finds the images that the claims name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from thresher.annotations import arrow, bdd100k, coco, columns, cvat, fiftyone, folder, label_studio, looks, yolo
from thresher.annotations.claims import Claim, Claims
from thresher.annotations.names import Names
from thresher.errors import BadInput

__all__ = ["KINDS", "TABLES", "Claim", "Claims", "Kind", "Names", "read"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A format: the sentence that `--help` shows, whether a path looks like it, and its reader."""

    name: str
    says: str
    looks_like: Callable[[Path], bool]
    read: Callable[[Path], Claims]


_KINDS: Final = (
    Kind(
        "hf",
        "a Hugging Face dataset on disk, or its Parquet files",
        arrow.looks_like_dataset,
        arrow.read_dataset,
    ),
    Kind("fiftyone", "FiftyOne's labels.json or samples.json, or its folder", looks.like_fiftyone, fiftyone.read),
    Kind("cvat", "an annotations.xml of CVAT for images 1.1", looks.like_cvat, cvat.read),
    Kind("coco", "COCO annotations or results", looks.like_coco, coco.read),
    Kind("label-studio", "a JSON export of Label Studio", looks.like_label_studio, label_studio.read),
    Kind("bdd100k", "BDD100K or Scalabel: attributes and boxes", looks.like_bdd100k, bdd100k.read),
    Kind("yolo", "YOLO's text files with a data.yaml, or its predictions.json", yolo.looks_like, yolo.read),
    Kind("csv", "a table with a column of labels, or one for each label", columns.looks_like_csv, columns.read_csv),
    Kind("parquet", "the same as Parquet", arrow.looks_like_parquet, arrow.read_parquet),
    Kind("jsonl", "the same as JSON, an object a line", columns.looks_like_jsonl, columns.read_jsonl),
    Kind("folder", "a folder for each label, with its images", folder.looks_like, folder.read),
)
KINDS: Final = {kind.name: kind for kind in _KINDS}
"""Every format by the name that `--as` takes. Their order is the order in which a path is compared with them."""

TABLES: Final = frozenset(("csv", "parquet", "jsonl"))
"""The formats that are tables: one has columns of its own, and its labels may be answers to one question."""

_SAME: Final = {
    "yolo-v8": "yolo",
    "yolov8": "yolo",
    "yolo-v5": "yolo",
    "huggingface": "hf",
    "tsv": "csv",
    "json": "jsonl",
}
"""Other names of formats."""
_PACKED: Final = frozenset((".zip", ".tar", ".7z", ".rar", ".tgz"))


def read(path: Path, *, kind: str = "") -> Claims:
    """The labels in a file or folder, of the format `kind`, or of the first format that it looks like.

    Raises BadInput or BadLine, which names the file and the line, row or record; then nothing of the file is used.
    """
    kind = _SAME.get(kind, kind)
    if kind and kind not in KINDS:
        raise BadInput(f"unknown format {kind!r}; known are {', '.join(KINDS)}.", next="give one of them to --as")
    try:
        return _read(path, kind)
    except OSError as error:
        raise BadInput(f"{error.strerror or error}.", where=str(path), next="give files that can be read") from error


def _read(path: Path, kind: str) -> Claims:
    if not path.exists():
        raise BadInput("there is no such file or folder.", where=str(path), next="check its name")
    if path.is_file() and path.suffix.lower() in _PACKED:
        raise BadInput("is an archive.", where=str(path), next="unpack it, and give the folder or the file in it")
    if kind != "folder":
        path = looks.file_in(path)
    found = KINDS.get(kind) or next((one for one in _KINDS if one.looks_like(path)), None)
    if found is None:
        raise BadInput("the format is not known by the name or the content.", where=str(path), next="name it with --as")
    return found.read(path)
