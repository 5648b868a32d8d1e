"""Lines of the generic kinds: whatever needs nothing but to be kept."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol

from thresher.store.shapes import Kind, Named

ANYTHING: Final[Named] = MappingProxyType({})
"""A condition that every line meets."""


class Lines(Protocol):
    """Lines of the generic kinds of store/kinds.py: added once, read by key or in order, changed where as expected.

    A line is a dictionary of its kind's fields, and `key` the values of its key fields in their order. `category` is
    empty for a kind of the workspace; one that nobody made raises NotFound. `where` names fields and the values they
    must have; a field that the kind has not raises BadInput. What a call changes is committed together with the
    counters that the kind declares.
    """

    def add(self, kind: Kind, lines: Sequence[Named], category: str = "") -> int:
        """Keep the lines whose keys nobody has used and answer how many they were; the others change nothing.

        In commits of at most 1,000 lines: a call that was cut short is made again.
        """

    def get(self, kind: Kind, key: Sequence[Any], category: str = "") -> dict[str, Any] | None:
        """The whole line of a key, or None."""

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
        """The next lines ordered by the fields `by` and then by key, blobs left out; `after` is the last one before.

        The fields `by` are never None.
        """

    def change(
        self, kind: Kind, key: Sequence[Any], changes: Named, category: str = "", *, where: Named = ANYTHING
    ) -> dict[str, Any] | None:
        """Compare and set: the line after, blobs left out; None where there is none or it is not as `where` says.

        Keys do not change: BadInput.
        """

    def drop(self, kind: Kind, key: Sequence[Any], category: str = "", *, where: Named = ANYTHING) -> bool:
        """Forget a line that is as `where` says; answers whether there was one."""

    def count(self, kind: Kind, category: str = "", *, where: Named = ANYTHING) -> int:
        """How many lines there are."""

    def counted(self, kind: Kind, category: str = "") -> Mapping[str, Mapping[str, int]]:
        """The counters of a kind that are not zero, by name and then by the value they are kept for ("" for all)."""
