"""Taking a backbone in: its files are copied or fetched, compared with their hashes, tried, and kept in one step.

Files come by path, or by an address that only the guard fetches, at most 2 GB (no ONNX file can be larger) and
only with the SHA-256 that the user pins. Whatever fails, nothing of the entry remains.
"""

import asyncio
import hashlib
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thresher.errors import AlreadyThere, BadInput, NotFound, StoreUnavailable, without_secrets
from thresher.guard import GuardedFetcher
from thresher.learn.backbone import BUILT_IN, entries
from thresher.learn.backbone.entries import IMAGE, NAME, TEXT, TOKENIZER, Entry, File, Words
from thresher.learn.backbone.published import PUBLISHED, Published
from thresher.learn.backbone.session import Backbone, Preparation
from thresher.learn.backbone.text_tower import open_words
from thresher.settings import Settings

MOST_BYTES = 2_000_000_000  # of an ONNX file: protobuf's own limit
MOST_TOKENIZER_BYTES = 200_000_000
FETCH_SECONDS = 3600.0
LEFT_SECONDS = 86_400.0
COPY_BYTES = 1 << 20
TOKENS = 64  # of a text, where neither the publisher nor the user says otherwise


@dataclass(frozen=True, slots=True)
class Given:
    """A file that the user names: a path or an https address, and its SHA-256, which an address must come with."""

    place: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be added. None and "": as the published network `like` has it, or as the graph says."""

    image: Given
    text: Given | None = None
    tokenizer: Given | None = None
    like: str = ""
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    side: int | None = None
    resize: str | None = None
    tokens: int | None = None
    lowercase: bool | None = None


def add(name: str, wanted: Wanted, *, cache: Path, settings: Settings) -> Entry:
    """Add a backbone under a name that no built-in one has.

    Adding the same files under the same name again changes nothing. Raises BadInput for a name, a file or a hash that
    is not right, AlreadyThere for a name that other files have, Blocked and NotFetched for an address.
    """
    if not NAME.fullmatch(name) or name.endswith(".onnx") or name in BUILT_IN:
        raise BadInput(f"{name!r} cannot name a backbone.", next="use up to 60 of a-z 0-9 . _ - and no built-in name")
    like = published(wanted.like or (name if name in PUBLISHED else ""))
    _check(wanted)
    there = entries.find(name, cache)
    folder = entries.folder_of(name, cache)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _clear(folder.parent)
        with tempfile.TemporaryDirectory(prefix=".adding-", dir=folder.parent) as part:
            entry = _taken_in(name, wanted, like, Path(part), settings)
            if there is not None and (there.unique, there.unique_words) == (entry.unique, entry.unique_words):
                return there
            if there is not None or folder.exists():
                raise AlreadyThere(
                    "another backbone has this name.", where=name, next=f"thresher backbone remove {name}"
                )
            entries.write(entry, Path(part))
            Path(part).chmod(0o755)
            Path(part).rename(folder)
            Path(part).mkdir()  # for the context, which removes it
    except OSError as error:
        raise StoreUnavailable(
            f"a backbone cannot be stored: {error.strerror}.",
            where=str(folder.parent),
            next="free some space, or set `cache` to another directory",
        ) from error
    return entry


def _clear(folder: Path) -> None:
    """Remove what a killed command left behind; what is younger may be another one at work."""
    for left in folder.glob(".*"):
        with suppress(FileNotFoundError):  # the other one has ended meanwhile
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def remove(name: str, *, cache: Path) -> None:
    """Remove an added backbone; the vectors that it made stay. Raises NotFound for a name that was not added."""
    folder = entries.folder_of(name, cache)
    if not NAME.fullmatch(name) or not folder.is_dir():
        raise NotFound(f"no backbone {name!r} was added.", next="thresher backbone list")
    gone = folder.with_name(f".removing-{name}")
    shutil.rmtree(gone, ignore_errors=True)
    folder.rename(gone)  # in one step: an entry is whole or not there
    shutil.rmtree(gone, ignore_errors=True)


def published(like: str) -> Published | None:
    """The published network of a name; None for "". Raises BadInput for an unknown one."""
    if like and like not in PUBLISHED:
        raise BadInput(f"no published network is known as {like!r}.", next=f"give one of {', '.join(PUBLISHED)}")
    return PUBLISHED.get(like)


def _check(wanted: Wanted) -> None:
    """What can be told without reading any file."""
    if (wanted.text is None) != (wanted.tokenizer is None):
        missing, there = ("--tokenizer", "--text") if wanted.text else ("--text", "--tokenizer")
        raise BadInput(f"{there} needs {missing}.", next="give the ONNX file of the text tower and its tokenizer.json")
    for given in (wanted.image, wanted.text, wanted.tokenizer):
        if given is None:
            continue
        if given.sha256 and not re.fullmatch("[0-9a-fA-F]{64}", given.sha256):
            raise BadInput("a SHA-256 has 64 hexadecimal digits.", where=without_secrets(given.place))
        if "://" in given.place and not given.sha256:
            raise BadInput(
                "a file from an address needs its SHA-256, as its publisher states it.",
                where=without_secrets(given.place),
                next="give the option that ends in -sha256 (--sha256 for the image tower)",
            )
    if wanted.side is not None and not 8 <= wanted.side <= 2048:
        raise BadInput("the side of a picture is from 8 to 2048 pixels.", next="give another --side")
    for three in (wanted.mean, wanted.std):
        if three is not None and (len(three) != 3 or not np.isfinite(three).all()):
            raise BadInput("mean and std must be three numbers each.", next="--mean 0.5,0.5,0.5 --std 0.5,0.5,0.5")
    if wanted.std is not None and not all(wanted.std):
        raise BadInput("no number of --std may be 0.", next="--std 0.5,0.5,0.5")


def _taken_in(name: str, wanted: Wanted, like: Published | None, part: Path, settings: Settings) -> Entry:
    """The entry, with its files in the folder `part`, after each was run."""
    image = _take(wanted.image, part / IMAGE, MOST_BYTES, settings)
    where = without_secrets(wanted.image.place)
    with _named({part / IMAGE: where}):
        backbone = _opened(wanted, like, part / IMAGE)
    backbone.check_numbers(where)
    if like is not None and backbone.width != like.width:
        says = f"its vectors have {backbone.width} numbers, not {like.width}."
        raise BadInput(says, where=where, next=f"see {like.page}")
    text = None
    if wanted.text is not None and wanted.tokenizer is not None:
        graph = _take(wanted.text, part / TEXT, MOST_BYTES, settings)
        tokenizer = _take(wanted.tokenizer, part / TOKENIZER, MOST_TOKENIZER_BYTES, settings)
        words = _words(wanted, like, graph, tokenizer)
        where = without_secrets(wanted.text.place)
        with _named({part / TEXT: where, part / TOKENIZER: without_secrets(wanted.tokenizer.place)}):
            tower = open_words(words, part)
        if tower.width != backbone.width:
            raise BadInput(
                f"its vectors have {tower.width} numbers, and those of the pictures {backbone.width}.",
                where=where,
                next="add the two towers of one network",
            )
        text = Words(graph, tokenizer, words.tokens, words.lowercase, words.input, tower.output)
    as_ = wanted.like or (name if like else "")
    return Entry(name, image, backbone.preparation, backbone.output, backbone.width, as_, text)


def _opened(wanted: Wanted, like: Published | None, graph: Path) -> Backbone:
    found = None if like else Backbone("", _beside(wanted.image, graph)).preparation
    base = like.preparation if like else found
    assert base is not None  # noqa: S101 -- one of the two
    preparation = Preparation(
        wanted.side or base.side,
        wanted.mean or base.mean,
        wanted.std or base.std,
        wanted.resize or base.resize,
        base.filter,
    )
    backbone = Backbone("", graph, preparation=preparation, output=like.output if like else "")
    if like and backbone.layout.name != like.image_input:
        raise BadInput(
            f"its input is {backbone.layout.name}, not {like.image_input}.", where=str(graph), next=f"see {like.page}"
        )
    return backbone


def _beside(given: Given, graph: Path) -> Path:
    """The graph where it was found: a file beside it may say how pixels are normalised."""
    return graph if "://" in given.place else Path(given.place)


def _words(wanted: Wanted, like: Published | None, graph: File, tokenizer: File) -> Words:
    tokens = wanted.tokens or (like.tokens if like else 0) or TOKENS
    lowercase = wanted.lowercase if wanted.lowercase is not None else bool(like and like.lowercase)
    known = (like.text_input, like.output) if like else ("input_ids", "")
    return Words(graph, tokenizer, tokens, lowercase, *known)


@contextmanager
def _named(places: Mapping[Path, str]) -> Iterator[None]:
    """Errors about a file of the entry name the place that the user gave, not its copy."""
    try:
        yield
    except BadInput as error:
        what, following = error.what, error.next
        if _points_elsewhere(Path(error.where)):
            what, following = "its weights are in other files.", "onnx.save(onnx.load(FILE), ONE_FILE) joins them"
        raise BadInput(what, where=places.get(Path(error.where), error.where), next=following) from error


def _points_elsewhere(path: Path) -> bool:
    """Whether a graph keeps its weights in files of their own (ONNX's external data)."""
    import onnx  # here, for it is needed only to say why a graph cannot be opened

    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except Exception:  # noqa: BLE001 -- no graph at all: whoever calls says so
        return False
    return any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in graph.initializer)


def _take(given: Given, to: Path, most: int, settings: Settings) -> File:
    """Copy or fetch a file of at most `most` bytes. Raises BadInput if it does not have its hash."""
    where = without_secrets(given.place)
    written = _Written(to, most, where)
    with written:
        if "://" in given.place:
            asyncio.run(_fetch(given.place, written.take, settings, most))
        else:
            _copy(Path(given.place), written.take)
    found = written.hash.hexdigest()
    if given.sha256 and found != given.sha256.lower():
        raise BadInput(
            f"its SHA-256 is {found}, not {given.sha256.lower()}.",
            where=where,
            next="compare both with the hash that the publisher states; nothing was added",
        )
    return File(where if "://" in given.place else str(Path(given.place).absolute()), found, written.bytes)


class _Written:
    """A file that is being written, with the hash and the number of its bytes."""

    def __init__(self, to: Path, most: int, where: str) -> None:
        self.hash, self.bytes = hashlib.sha256(), 0
        self._most, self._where = most, where
        self._file = to.open("wb")

    def take(self, piece: bytes) -> None:
        self.bytes += len(piece)
        if self.bytes > self._most:
            raise BadInput(f"more than {self._most:,} bytes.", where=self._where, next="give a smaller file")
        self.hash.update(piece)
        self._file.write(piece)

    def __enter__(self) -> None:
        self._file.__enter__()

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _copy(source: Path, take: Callable[[bytes], None]) -> None:
    try:
        file = source.open("rb")
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}.", where=str(source), next="give an ONNX file") from error
    with file:
        while piece := file.read(COPY_BYTES):
            take(piece)


async def _fetch(url: str, take: Callable[[bytes], None], settings: Settings, most: int) -> None:
    # one file that the user names by its hash, no crawl: what robots are told of pictures does not speak of it
    wanted = settings.but(fetch_bytes=most, fetch_seconds=FETCH_SECONDS, robots_tags="")
    async with GuardedFetcher(wanted) as fetcher:
        await fetcher.fetch_into(url, take)
