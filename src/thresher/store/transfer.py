"""What a workspace is made of, as plain lines that every store can write out and take in: for copying one to another.

A line is a tuple of numbers, texts, bytes, None and lists of these. Its fields are the same whatever keeps it, so two
stores hold the same when their lines are the same. What a store derives from them (indexes, counters, who may be asked
what) it makes again itself.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

Line = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of line: its fields, of which the first `keys` name it and order it, and how many travel at once."""

    name: str
    fields: tuple[str, ...]
    keys: int = 1
    of_category: bool = True
    at_once: int = 1000

    def key(self, line: Line) -> Line:
        """What names a line."""
        return line[: self.keys]


def _kind(name: str, fields: str, keys: int = 1, *, of_category: bool = True, at_once: int = 1000) -> Kind:
    return Kind(name, tuple(fields.split()), keys, of_category, at_once)


CATEGORY: Final = _kind("category", "name targets exclusive created_ms questions", of_category=False)
# "bare" is "reference" or "lost" for an image without bytes; "aliases" are sorted pairs of kind and value
IMAGE: Final = _kind(
    "image",
    "row sha256 width height format orientation bytes similar fingerprint bare aliases",
    of_category=False,
    at_once=250,
)
# in the order they are copied: each needs only what comes before it
OF_WORKSPACE: Final = (
    _kind("worker", "id name owner invite created_ms", of_category=False),
    _kind("invite", "id category note created_ms revoked_ms", of_category=False),
    _kind(
        "job",
        "id kind category arguments state host pid created_ms heartbeat_ms done total cancel message",
        of_category=False,
    ),
)
# "trust" is the place of a label's source in records.Source. An "ask" waits for a task; a task has whole asks of its
# own, as lists of ASK_FIELDS. "dealt", "answers" and "drafts" are lists in the order of their records' fields.
ASK_FIELDS: Final = ("id", "row", "purpose", "votes_wanted", "priority", "epoch", "draw")
OF_CATEGORY: Final = (
    _kind("pool", "row source query licence at_ms"),
    _kind("refusal", "key name reason detail at_ms"),
    _kind("label", "version row trust says purpose at_ms posterior votes epoch draw", 3),
    _kind("gold", "version row says source shown missed retired", 2),
    _kind("ask", "id version row purpose owner_only votes_wanted priority epoch draw"),
    _kind("task", "number version name places taken done owner_only published_ms asks", at_once=100),
    _kind(
        "assignment",
        "id task version worker owner stage dealt dealt_ms lease_until_ms sent_ms answers sequence drafts_erased drafts"
        " review",
        at_once=100,
    ),
    _kind("vote", "version row at_ms assignment worker says purpose weight epoch draw", 4),
    _kind("gold_answer", "version row worker assignment says", 4),
    _kind("round", "number version record head", at_once=10),
    _kind("evidence", "epoch name data", 2, at_once=1),
    _kind("release", "id record"),
)
KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in (CATEGORY, IMAGE, *OF_WORKSPACE, *OF_CATEGORY)}
REVIEW_FIELDS: Final = (
    "verdict", "why", "at_ms", "yes_right", "yes_shown", "no_right", "no_shown", "weight", "provisional",
)  # fmt: skip


class Transfer(Protocol):
    """How a store writes its lines out and takes others in. Not for use while anybody works in the target."""

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
