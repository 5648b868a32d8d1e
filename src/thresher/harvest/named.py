"""Which file of a source a name means that somebody else has written: a path of another machine, or only its end."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

SHA256: Final = re.compile(r"[0-9a-f]{64}")
"""A name that is the hash of an image's bytes, which no name of a file tells."""

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Names:
    """The names of a source's files, to be found by what labels call them."""

    exact: dict[str, str] = field(default_factory=dict)
    by_last: dict[str, list[tuple[Parts, str]]] = field(default_factory=lambda: defaultdict(list))
    by_stem: dict[str, list[tuple[Parts, str]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, names: Iterable[str]) -> "Names":
        """An index of these names."""
        made = cls()
        for name in names:
            made.exact.setdefault(_composed(name), name)
            parts = _parts(name)
            made.by_last[parts[-1]].append((parts, name))
            stem = parts[-1].rpartition(".")[0]
            if stem:
                made.by_stem[stem].append(((*parts[:-1], stem), name))
        return made

    def find(self, wanted: str) -> Sequence[str]:
        """The names that fit `wanted` best: one, if it is clear which is meant; several or none otherwise.

        The same name fits best. Otherwise one of the two must be the end of the other, folder by folder, and the
        longest such name counts. A name without an ending (an id) fits a file of that name with any ending.
        """
        exact = self.exact.get(_composed(wanted))
        if exact is not None:
            return [exact]
        parts = _parts(wanted)
        return _best(parts, self.by_last.get(parts[-1], ())) or _best(parts, self.by_stem.get(parts[-1], ()))


def _best(wanted: Parts, there: Sequence[tuple[Parts, str]]) -> list[str]:
    fitting = [(min(len(parts), len(wanted)), name) for parts, name in there if _ends_alike(parts, wanted)]
    longest = max((length for length, _ in fitting), default=0)
    return [name for length, name in fitting if length == longest]


def _ends_alike(one: Parts, other: Parts) -> bool:
    common = min(len(one), len(other))
    return one[-common:] == other[-common:]


def _parts(name: str) -> Parts:
    """The folders and the last part of a path, of an address without its query, or of a path of Windows."""
    if "://" in name:
        name = unquote(urlsplit(name).path) or name
    parts = tuple(part for part in re.split(r"[/\\]+", _composed(name)) if part not in ("", "."))
    return parts or ("",)


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
