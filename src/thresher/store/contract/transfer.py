"""Reading lines out of a store and writing them into another, to copy a workspace."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from thresher.store.shapes import Kind, Kinds, Line, Named


class Transfer(Protocol):
    """Reads and writes the lines of a store. Nobody else may use the target store meanwhile.

    Every write but `adopt` moves each part of the change mark: of its category, or of all.
    """

    kinds: Kinds
    """Every kind of line that there is."""

    def lines(self, kind: Kind, category: str, after: Line | None, limit: int) -> list[Line]:
        """The next lines by key; `category` is empty for a kind of the workspace."""

    def restore(self, kind: Kind, category: str, lines: Sequence[Line]) -> None:
        """Store lines, replacing those with the same keys."""

    def restore_images(self, lines: Sequence[Line], data: Mapping[str, bytes]) -> None:
        """Store images under their rows, with the bytes given by SHA-256."""

    def holding(self, hashes: Collection[str]) -> set[str]:
        """Which of these SHA-256 have their bytes here."""

    def clear(self, kind: Kind, category: str) -> None:
        """Delete every line of a kind; images and categories stay."""

    def forget(self, kind: Kind, category: str, keys: Sequence[Line]) -> None:
        """Delete lines of a category by their keys: votes or answers on gold."""

    def amend(self, kind: Kind, category: str, wanted: Sequence[Any], changes: Named) -> None:
        """Change plain fields of the line with a key: gold, a review or an assignment."""

    def adopt(self, secret: bytes) -> None:
        """Take over another workspace's secret, so that its links are valid here."""

    def settle(self) -> None:
        """Compute what is derived again: counters, and the next numbers."""
