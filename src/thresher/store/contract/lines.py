"""Lines of the generic kinds: records that only need to be stored and read."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol

from thresher.store.shapes import Kind, Named

ANYTHING: Final[Named] = MappingProxyType({})
"""A condition that every line meets."""


class Lines(Protocol):
    """Lines of the generic kinds of store/kinds.py: added once, read by key or in order, changed by compare and set.

    A line is a dictionary of its kind's fields, and `key` the values of its key fields in their order. `category` is
    empty for a kind of the workspace; an unknown category raises NotFound. `where` names fields and the values they
    must have; an unknown field raises BadInput. The changes of a call are committed together with the counters that the
    kind declares.
    """

    def add(self, kind: Kind, lines: Sequence[Named], category: str = "") -> int:
        """Add the lines whose keys are new; returns how many they were. The others change nothing.

        In commits of at most 1,000 lines: an interrupted call can be repeated.
        """

    def get(self, kind: Kind, key: Sequence[Any], category: str = "") -> dict[str, Any] | None:
        """The whole line of a key, or None."""

    def many(self, kind: Kind, keys: Sequence[Sequence[Any]], category: str = "") -> list[dict[str, Any] | None]:
        """The line of each key, without blobs, or None."""

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
        """The next lines ordered by the fields `by` and then by key, without blobs, after the line `after`.

        The fields `by` are never None.
        """

    def change(
        self, kind: Kind, key: Sequence[Any], changes: Named, category: str = "", *, where: Named = ANYTHING
    ) -> dict[str, Any] | None:
        """Compare and set: the changed line without blobs; None if there is no such line or it does not match `where`.

        Keys cannot be changed: BadInput.
        """

    def drop(self, kind: Kind, key: Sequence[Any], category: str = "", *, where: Named = ANYTHING) -> bool:
        """Delete a line that matches `where`; returns whether there was one."""

    def count(self, kind: Kind, category: str = "", *, where: Named = ANYTHING) -> int:
        """How many lines there are."""

    def counted(self, kind: Kind, category: str = "") -> Mapping[str, Mapping[str, int]]:
        """The non-zero counters of a kind, by name and then by the value they are kept for ("" for all)."""
