"""Which of the known names a name means that somebody else has written: of another machine, shortened, or an id."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

from thresher.annotations.folder import IMAGES

SHA256: Final = re.compile(r"[0-9a-f]{64}")
"""A name that is the hash of an image's bytes, which no name of a file tells."""

Parts = tuple[str, ...]


class Names:
    """The names of images that are there, to be found by what labels call them.

    They are taken apart when a name is looked for that is none of them: most files have whole names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = dict.fromkeys(names)
        self._composed: dict[str, list[str]] = {}
        self._files: dict[str, list[tuple[Parts, str]]] = {}
        self._stems: dict[str, list[tuple[int, Parts, str]]] = {}

    def find(self, wanted: str) -> list[str]:
        """The names that fit `wanted` best: one, if it is clear which is meant; several or none otherwise.

        The same name fits best; its accents may be composed or not, and a hash may be written in capitals. Otherwise
        one of the two must be the end of the other, folder by folder, and the longest such name counts. A name without
        the ending of an image fits the file of that name with such an ending, then a number the one with zeros before
        it, then a file with any ending. Of an address the path counts; its query does where no image's file is named.
        """
        for same in (wanted, wanted.lower()):
            if same in self._names:
                return [same]
        if not self._files:
            self._fill()
        if (same_letters := self._composed.get(_composed(wanted))) is not None:
            return list(same_letters)
        parts = _parts(wanted)
        fitting: dict[tuple[int, int], list[str]] = defaultdict(list)
        for worth, there, name in self._candidates(parts[-1]):
            common = min(len(there), len(parts)) - 1
            if (not common or there[-common - 1 : -1] == parts[-common - 1 : -1]) and not _of_other_queries(
                wanted, name
            ):
                fitting[common, worth].append(name)
        return fitting[max(fitting)] if fitting else []

    def _candidates(self, file: str) -> Iterator[tuple[int, Parts, str]]:
        """The names whose last part fits, with how well it does."""
        yield from ((_WHOLE, parts, name) for parts, name in self._files.get(file, ()))
        if not _is_image(file):
            yield from self._stems.get(file, ())

    def _fill(self) -> None:
        for name in sorted(self._names):
            self._composed.setdefault(_composed(name), []).append(name)
            parts = _parts(name)
            self._files.setdefault(parts[-1], []).append((parts, name))
            for worth, stem in _stems(parts[-1]):
                self._stems.setdefault(stem, []).append((worth, parts, name))


_WHOLE, _STEM, _NUMBER, _OTHER = 3, 2, 1, 0
"""How well the last part of a name fits: whole, without an image's ending, without zeros before it, any ending."""


def keys_of(name: str) -> set[str]:
    """What names have in common that `Names.find` may take for the same image: those that share none are not."""
    file = _parts(name)[-1]
    return {file, *(stem for _, stem in _stems(file))}


def _stems(file: str) -> Iterator[tuple[int, str]]:
    """What a file is called without its ending; a number also without the zeros before it."""
    stem, ending = os.path.splitext(file)  # noqa: PTH122 -- a million names
    if ending.lower() not in IMAGES:
        if ending:
            yield _OTHER, stem
        return
    yield _STEM, stem
    if stem.isdecimal() and (number := stem.lstrip("0") or "0") != stem:
        yield _NUMBER, number


def _is_image(file: str) -> bool:
    return os.path.splitext(file)[1].lower() in IMAGES  # noqa: PTH122 -- likewise


def _of_other_queries(one: str, other: str) -> bool:
    """Whether two addresses have different queries that may tell images apart, as in get?id=7."""
    if "://" not in one or "://" not in other or _is_image(_parts(one)[-1]):
        return False
    return urlsplit(one).query != urlsplit(other).query


def _parts(name: str) -> Parts:
    """The folders and the last part of a path, of an address without its query, or of a path of Windows."""
    if "://" in name:
        name = _path_of(name) or name
    parts = tuple([part for part in _composed(name).replace("\\", "/").split("/") if part not in ("", ".")])
    return parts or (name,)


def _path_of(address: str) -> str:
    try:
        return unquote(urlsplit(address).path)
    except ValueError:  # half an IPv6 address
        return ""


def _composed(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)
