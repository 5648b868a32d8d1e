"""Companions of images: files that describe an image beside them, such as `1.json`, `1.txt` and `1.cls` of `1.jpg`.

They are no images, and no faulty ones either: they are counted, not refused.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from thresher.harvest.candidates import COMPANION, Candidate

IMAGES: Final = {
    "jpg", "jpeg", "jpe", "jfif", "png", "gif", "webp", "bmp", "tif", "tiff", "avif", "heic", "heif", "jp2", "j2k",
    "jxl", "ppm", "pgm", "pbm", "pnm", "mpo", "ico",
}  # fmt: skip
COMPANIONS: Final = {
    "json", "jsonl", "txt", "text", "cls", "caption", "xml", "xmp", "csv", "tsv", "yaml", "yml", "toml", "id", "npy",
    "npz", "md5", "sha256", "html",
}  # fmt: skip
WAITING_MOST: Final = 1_000
WAITING_BYTES: Final = 16_000_000
"""Files that may be companions wait for their image, so many and so large at most; then they are read like others."""

REMEMBERED_MOST: Final = 100_000
"""Names of images that companions are compared with; in folders and tars they mostly stand side by side."""


def without_companions(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """The candidates in their order, companions of images among them marked; files that may be companions come later.

    An error of `candidates` is raised after everything before it.
    """
    waiting = _Waiting()
    images: OrderedDict[str, None] = OrderedDict()
    wrong: Exception | None = None
    feed = iter(candidates)
    while True:
        try:
            candidate = next(feed)
        except StopIteration:
            break
        except Exception as error:  # noqa: BLE001 -- raised below: what came before it must not be lost
            wrong = error
            break
        stem, _, ending = candidate.name.rpartition(".")
        ending = "" if candidate.problem or candidate.beside else ending.lower()
        if ending in COMPANIONS and stem not in images:
            yield from waiting.add(stem, candidate)
            continue
        if ending in IMAGES:
            for name in (stem, candidate.name):  # 1.json and 1.jpg.json are both in use
                images[name] = None
                yield from map(_companion, waiting.of(name))
            while len(images) > REMEMBERED_MOST:
                images.popitem(last=False)
        yield _companion(candidate) if ending in COMPANIONS else candidate
    yield from waiting.all()
    if wrong is not None:
        raise wrong


def _companion(candidate: Candidate) -> Candidate:
    return replace(candidate, beside=COMPANION, data=None)


class _Waiting:
    """Files that may be companions, by the name of the image that they would belong to, the oldest first."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, list[Candidate]] = OrderedDict()
        self._count = 0
        self._bytes = 0

    def add(self, name: str, candidate: Candidate) -> Iterator[Candidate]:
        """Let one wait; those that have waited too long are returned."""
        self._files.setdefault(name, []).append(candidate)
        self._count += 1
        self._bytes += len(candidate.data or b"")
        while self._count > WAITING_MOST or self._bytes > WAITING_BYTES:
            yield from self.of(next(iter(self._files)))

    def of(self, name: str) -> list[Candidate]:
        """Those of an image, which wait no more."""
        found = self._files.pop(name, [])
        self._count -= len(found)
        self._bytes -= sum(len(candidate.data or b"") for candidate in found)
        return found

    def all(self) -> Iterator[Candidate]:
        """All that still wait."""
        for name in list(self._files):
            yield from self.of(name)
