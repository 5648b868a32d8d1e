"""Which image a file of labels means: tools shorten names to the file, or cut off its ending or leading zeros."""

import os
from collections.abc import Iterable
from itertools import islice
from typing import Final

from thresher.annotations.claims import Claims
from thresher.annotations.folder import IMAGES
from thresher.errors import BadInput, BadLine

_SHOWN: Final = 3


def match(claims: Claims, known: Iterable[str]) -> dict[str, str]:
    """For each image with a claim the one of the `known` names that it means; for one without, if there is one.

    A name means an equal one; else the one whose path ends as it does, or with which it ends; without an ending, one of
    any ending; a number, a number with zeros before it. Raises BadInput or BadLine for names that mean no image or
    several, and for two that mean the same.
    """
    index = Index(set(known))
    found, unknown, lines = dict[str, str](), dict[str, int](), claims.named()
    meant: dict[str, str] = {}
    wanted = {claim.image for said in (claims.claims, claims.denied) for claim in said}
    for image, line in lines.items():
        candidates = index.of(image)
        if len(candidates) > 1:
            several = " and ".join(map(repr, candidates[:2]))
            raise _wrong(claims, line, f"{image!r} may be {several}.", "write more of its path, or its SHA-256")
        if not candidates:
            if image in wanted:
                unknown[image] = line
            continue
        (found[image],) = candidates
        other = meant.setdefault(candidates[0], image)
        if other != image:
            what = f"{image!r} and {other!r} ({claims.unit} {lines[other]}) may both be {candidates[0]!r}."
            raise _wrong(claims, line, what, "write more of their paths, or their SHA-256")
    if unknown:
        some = ", ".join(f"{image!r} ({claims.unit} {line})" for image, line in islice(unknown.items(), _SHOWN))
        more = f" and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
        names = "1 name is of no image" if len(unknown) == 1 else f"{len(unknown):,} names are of no image"
        raise _wrong(claims, next(iter(unknown.values())), f"{names}: {some}{more}.", "give the images with --images")
    return found


def _wrong(claims: Claims, line: int, what: str, following: str) -> BadInput:
    if claims.unit == "line" and line:
        return BadLine(what, file=str(claims.file), line=line, next=following)
    return BadInput(what, where=f"{claims.file}, {claims.unit} {line}" if line else str(claims.file), next=following)


class Index:
    """The known names, by their last part, by that without its ending, and by its number."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.files: dict[str, list[str]] = {}
        self.stems: dict[str, list[str]] = {}

    def _fill(self) -> None:
        """Take the names apart, which most files do not need: they have whole names."""
        for name in sorted(self.names):
            file = _parts(name)[-1]
            self.files.setdefault(file, []).append(name)
            stem, ending = os.path.splitext(file)  # noqa: PTH122 -- a million names
            if ending.lower() in IMAGES:
                self.stems.setdefault(stem, []).append(name)
                if stem.isdecimal() and (number := stem.lstrip("0") or "0") != stem:
                    self.stems.setdefault(number, []).append(name)

    def of(self, image: str) -> list[str]:
        """The names that it may mean; the longest path of those that end its own."""
        for same in (image, image.lower()):  # a SHA-256 may be written in capitals
            if same in self.names:
                return [same]
        if not self.files:
            self._fill()
        parts = _parts(image)
        candidates = [*self.files.get(parts[-1], ())]
        if os.path.splitext(parts[-1])[1].lower() not in IMAGES:  # noqa: PTH122 -- likewise
            candidates += self.stems.get(parts[-1], ())
        longer, shorter = list[str](), dict[int, list[str]]()
        for candidate in candidates:
            others = _parts(candidate)
            common = min(len(parts), len(others)) - 1
            if common and parts[-common - 1 : -1] != others[-common - 1 : -1]:
                continue
            if len(others) >= len(parts):
                longer.append(candidate)
            else:
                shorter.setdefault(len(others), []).append(candidate)
        return longer or (shorter[max(shorter)] if shorter else [])


def key_of(name: str) -> str:
    """What names that may mean the same image have in common: the file's name without its ending and zeros before."""
    file = _parts(name)[-1]
    stem, ending = os.path.splitext(file)  # noqa: PTH122 -- a million names
    stem = stem if ending.lower() in IMAGES else file
    return (stem.lstrip("0") or "0") if stem.isdecimal() else stem


def _parts(name: str) -> list[str]:
    """The folders and the file of a name, whichever way its slashes lean."""
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")] or [name]
