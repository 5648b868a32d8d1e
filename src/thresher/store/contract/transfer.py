"""Lines out of a store and into one, for copying a workspace from one to another."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from thresher.store.shapes import Kind, Kinds, Line


class Transfer(Protocol):
    """How a store writes its lines out and takes others in. Not for use while anybody works in the target."""

    kinds: Kinds
    """Every kind of line that there is."""

    def lines(self, kind: Kind, category: str, after: Line | None, limit: int) -> list[Line]:
        """The next lines by key; `category` is empty for a kind of the workspace."""

    def restore(self, kind: Kind, category: str, lines: Sequence[Line]) -> None:
        """Keep lines, in place of those of the same keys."""

    def restore_images(self, lines: Sequence[Line], data: Mapping[str, bytes]) -> None:
        """Keep images under their rows, with the bytes that come along by SHA-256."""

    def holding(self, hashes: Collection[str]) -> set[str]:
        """Those SHA-256 whose bytes are here."""

    def clear(self, kind: Kind, category: str) -> None:
        """Forget every line of a kind; images and categories stay."""

    def adopt(self, secret: bytes) -> None:
        """Take another workspace's secret, so that its links hold here."""

    def settle(self) -> None:
        """Make right what is derived: counters, and the numbers that are given next."""
