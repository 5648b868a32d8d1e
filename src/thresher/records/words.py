"""Basic values that records share: times, ids, names, and the words for answers, sources, purposes and decisions."""

import enum
import re
import time
from typing import Final

from thresher.errors import BadInput


def now_ms() -> int:
    """The time in UTC integer milliseconds, the only time thresher stores."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """A new id; ids sort by the time they were made (UUIDv7, RFC 9562 section 5.7)."""
    from uuid_utils import uuid7  # here, so that `import thresher.records` loads no compiled library

    return str(uuid7())


def category_name(text: str) -> str:
    """The text, if it is a valid category name: it becomes part of file names and links. Raises BadInput."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", text) or ".." in text:
        raise BadInput(
            f"{text!r} is not a valid category name.",
            next="use at most 64 of: lower-case letters, digits, '.', '_' and '-'",
        )
    return text


class Says(enum.StrEnum):
    """The answer of a person or a consensus on an image."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


class Source(enum.StrEnum):
    """Where a label comes from, the most trusted first."""

    OWNER = "owner"
    ADJUDICATED = "adjudicated"
    CONSENSUS = "consensus"
    IMPORTED = "imported"


class Purpose(enum.StrEnum):
    """Why an answer was asked for; never shown to a worker."""

    LEARN = "learn"
    MIDDLE = "middle"
    AUDIT_RECALL = "audit recall"
    AUDIT_PRECISION = "audit precision"
    ADJUDICATE = "adjudicate"
    MINE_GOLD = "mine gold"
    CHECK = "check"
    IMPORT = "import"
    UPLOAD = "upload"


OWNER_ONLY: Final = frozenset({Purpose.ADJUDICATE, Purpose.MINE_GOLD, Purpose.CHECK})
"""The purposes that the owner alone is asked for."""


class Decision(enum.StrEnum):
    """The decision on an image after a round; computed, never stored per image."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
