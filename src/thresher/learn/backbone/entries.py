"""Added backbones: an ONNX graph that the user names, kept in the cache beside a record of its hash and preparation.

An entry is a folder `added/NAME`: `entry.json`, `image.onnx`, and for a network that has a text tower `text.onnx` and
`tokenizer.json`. It appears in one step (adding.py) and is not changed after. Each file is compared with its recorded
SHA-256 before it is used.
"""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from thresher.errors import BadInput
from thresher.learn.backbone.session import Preparation

RECORD = "entry.json"
IMAGE, TEXT, TOKENIZER = "image.onnx", "text.onnx", "tokenizer.json"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")


@dataclass(frozen=True, slots=True)
class File:
    """A file of an entry: where it came from, and the SHA-256 of its bytes."""

    source: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Words:
    """A text tower: its graph, its tokenizer, and how many tokens a text is cut or filled up to."""

    graph: File
    tokenizer: File
    tokens: int
    lowercase: bool
    input: str = "input_ids"
    output: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An added backbone. `width` is the length of its embeddings, `like` the published network that it was added as."""

    name: str
    image: File
    preparation: Preparation
    output: str
    width: int
    like: str = ""
    text: Words | None = None

    @property
    def unique(self) -> str:
        """The name of its embeddings: with a hash of everything that a vector depends on, so that no two graphs mix."""
        told = json.dumps([self.image.sha256, asdict(self.preparation), self.output], sort_keys=True)
        return f"{self.name}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"

    @property
    def unique_words(self) -> str:
        """A hash of everything that the score of a text depends on."""
        told: list[Any] = [self.unique]
        if self.text:
            text = self.text
            told += [text.graph.sha256, text.tokenizer.sha256, text.tokens, text.lowercase, text.output]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def folder_of(name: str, cache: Path) -> Path:
    """The folder of an entry."""
    return cache / "added" / name


def find(name: str, cache: Path) -> Entry | None:
    """The entry of a name; None if none was added. Raises BadInput for a record that cannot be read."""
    path = folder_of(name, cache) / RECORD
    if not NAME.fullmatch(name) or not path.is_file():
        return None
    try:
        return _from_json(json.loads(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            "the record of this backbone cannot be read.", where=str(path), next=f"thresher backbone remove {name}"
        ) from error


def added(cache: Path) -> list[Entry]:
    """Every entry, by name."""
    folder = cache / "added"
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return [entry for entry in (find(name, cache) for name in names) if entry is not None]


def write(entry: Entry, folder: Path) -> None:
    """Write the record of an entry into its folder."""
    (folder / RECORD).write_text(json.dumps(asdict(entry), indent=2) + "\n", "utf-8")


def checked(entry: Entry, file: File, name: str, cache: Path) -> Path:
    """The path of an entry's file, compared with its hash. Raises BadInput if it is gone or another."""
    path = folder_of(entry.name, cache) / name
    if not path.is_file() or sha256_of(path) != file.sha256:
        raise BadInput(
            f"the file of the backbone {entry.name} is not the one that was added.",
            where=str(path),
            next=f"thresher backbone remove {entry.name}, then add it again",
        )
    return path


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file; a file that did not change is hashed once a process."""
    return _sha256(str(path.resolve()), stamp(path.stat()))


def stamp(found: os.stat_result) -> tuple[int, ...]:
    """What changes with a file: whoever copies one over another may set its time, not the change time of its inode."""
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


@lru_cache(maxsize=64)
def _sha256(path: str, _stamp: tuple[int, ...]) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_json(said: dict[str, Any]) -> Entry:
    given = said["preparation"]
    preparation = Preparation(
        **{**given, "mean": tuple(map(float, given["mean"])), "std": tuple(map(float, given["std"]))}
    )
    words = said["text"]
    text = words and Words(**{**words, "graph": File(**words["graph"]), "tokenizer": File(**words["tokenizer"])})
    return Entry(**{**said, "image": File(**said["image"]), "preparation": preparation, "text": text})
