"""Seals: checksums of lines that money or a certificate depends on, stored with them in the field `seal`.

A seal covers the fields that never change once the line is final. It is a BLAKE2b of 64 bits over their JSON: it finds
damage and edits by hand, not forgery. An empty one is of a line that an earlier version wrote, or that is not final.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from thresher.errors import StoreDamaged
from thresher.store.shapes import Kind, Named

SEAL: Final = "seal"
# the fields that the seal of a kind covers: a further field of a later schema leaves the seals of earlier lines valid
SEALED: Final[Mapping[str, tuple[str, ...]]] = {
    "label": (
        "version", "row", "trust", "says", "purpose", "at_ms", "posterior", "votes", "epoch", "draw",
    ),
    "gold": ("version", "row", "says", "source"),
    "assignment": ("id", "task", "version", "worker", "dealt", "sent_ms", "answers"),
    "review": (
        "assignment", "number", "version", "worker", "verdict", "why", "at_ms", "yes_right", "yes_shown", "no_right",
        "no_shown", "weight", "provisional",
    ),
    "round": ("number", "version", "record", "head"),
    "evidence": ("epoch", "name", "data"),
    "release": ("id", "record"),
    "claim": ("name", "number", "kind", "source", "rows", "yes", "scored", "at_ms", "data"),
}  # fmt: skip


def seal_of(kind: str, line: Named) -> str:
    """The seal of a line, by field."""
    return seal([line[name] for name in SEALED[kind]])


def seal(values: Sequence[Any]) -> str:
    """The seal of values in the order of SEALED."""
    return blake2b(_ENCODER.encode(values).encode(), digest_size=8).hexdigest()


def sealed(kind: str, line: Named) -> dict[str, Any]:
    """A line with its seal."""
    return {**line, SEAL: seal_of(kind, line)}


def holds(kind: str, line: Named) -> bool:
    """Whether a line matches its seal, or has none."""
    return not line[SEAL] or line[SEAL] == seal_of(kind, line)


def must_hold(kind: Kind, line: Named, what: str, following: str) -> None:
    """Raise StoreDamaged for a line that does not match its seal."""
    if not holds(kind.name, line):
        raise StoreDamaged(f"{what} does not match its checksum.", next=following)


def _of_bytes(value: bytes) -> str:
    return blake2b(value, digest_size=16).hexdigest()


_ENCODER: Final = json.JSONEncoder(sort_keys=True, default=_of_bytes)  # made once: it takes longer than a seal
