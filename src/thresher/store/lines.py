"""Lines of the generic kinds in every store: what a call asks for, in the terms that a database needs."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from thresher.store.contract import Lines
from thresher.store.contract.lines import ANYTHING
from thresher.store.shapes import Field, Kind, Named

CHUNK: Final = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page of lines: those whose fields have the values of `where`, behind the line `after` in their order."""

    where: Named = field(default_factory=lambda: ANYTHING)
    by: Sequence[str] = ()
    descending: bool = False
    after: Named | None = None
    limit: int | None = None


class KeptLines(Lines):
    """Lines of the generic kinds; a store adds, pages, changes and drops them its way."""

    def add(self, kind: Kind, lines: Sequence[Named], category: str = "") -> int:
        parts = (lines[start : start + CHUNK] for start in range(0, len(lines), CHUNK))
        return sum(self._add(kind, part, category) for part in parts)

    def page(
        self,
        kind: Kind,
        category: str = "",
        *,
        where: Named = ANYTHING,
        by: Sequence[str] = (),
        descending: bool = False,
        after: Named | None = None,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        return self._page(kind, category, Wanted(where, by, descending, after, limit), kind.light)

    def change(
        self, kind: Kind, key: Sequence[Any], changes: Named, category: str = "", *, where: Named = ANYTHING
    ) -> dict[str, Any] | None:
        return self._set(kind, category, {**where, **kind.keyed(key)}, kind.kept_changes(changes))

    def drop(self, kind: Kind, key: Sequence[Any], category: str = "", *, where: Named = ANYTHING) -> bool:
        return self._set(kind, category, {**where, **kind.keyed(key)}, None) is not None

    @abstractmethod
    def _add(self, kind: Kind, lines: Sequence[Named], category: str) -> int:
        """Store the lines whose keys are new, in one commit; returns their number."""

    @abstractmethod
    def _page(self, kind: Kind, category: str, wanted: Wanted, fields: Sequence[Field]) -> list[dict[str, Any]]:
        """Some fields of a page of lines."""

    @abstractmethod
    def _set(self, kind: Kind, category: str, where: Named, changes: dict[str, Any] | None) -> dict[str, Any] | None:
        """Change the line that `where` describes, or with None drop it; returns it as it is then, without blobs."""
