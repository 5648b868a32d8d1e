"""The nouns: frozen, typed, with their units in the names. DESIGN.md section 2 defines each word."""

import enum
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from thresher.errors import BadInput


def now_ms() -> int:
    """The time in UTC integer milliseconds, the only time thresher stores."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """A fresh id that sorts by the time it was made (UUIDv7, RFC 9562 section 5.7)."""
    from uuid_utils import uuid7  # here, so that `import thresher.records` loads no compiled library

    return str(uuid7())


def category_name(text: str) -> str:
    """The text, when a category may be called so: it becomes part of file names and of links. Raises BadInput."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", text) or ".." in text:
        raise BadInput(
            f"{text!r} is no name for a category.", next="use small letters, digits, '.', '_' and '-', at most 64"
        )
    return text


class Says(enum.StrEnum):
    """What a person or a consensus says of an image."""

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
    """Why an answer was wanted; never shown to a worker."""

    LEARN = "learn"
    MIDDLE = "middle"
    AUDIT_RECALL = "audit recall"
    AUDIT_PRECISION = "audit precision"
    ADJUDICATE = "adjudicate"
    MINE_GOLD = "mine gold"
    IMPORT = "import"
    UPLOAD = "upload"


class Decision(enum.StrEnum):
    """What a round makes of an image; derived, never stored row by row."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


# --- images -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Alias:
    """A further name of an image: `kind` is "file", "url" or "id"."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class NewImage:
    """An admitted picture on its way into the store; `data` are the untouched bytes it came as.

    `data` is None for an image kept by reference: then `sha256` and a "url" alias must be given.
    """

    sha256: str
    data: bytes | None
    width: int
    height: int
    format: str
    orientation: int = 1
    fingerprint: str = ""
    bytes: int = 0
    aliases: tuple[Alias, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """A stored image. Width and height are as shown, after `orientation` (EXIF 1 to 8) is applied.

    `similar` is the row of the image that represents its similar group; its own row when it stands alone.
    """

    row: int
    sha256: str
    width: int
    height: int
    format: str
    orientation: int
    bytes: int
    similar: int
    reference: bool = False
    aliases: tuple[Alias, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendering:
    """A picture as people see it, encoded, and the seconds that fetching and making it took."""

    data: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Origin:
    """How images came into a pool, kept for the receipts."""

    source: str
    query: str = ""
    licence: str = ""
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A candidate that was not admitted: the counted `reason` and the particular `detail`."""

    name: str
    reason: str
    detail: str
    at_ms: int


# --- questions and labels ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Targets:
    """What the owner wants of the released set, and what it may cost (`answers`, None for no cap).

    `truth` says whose word a certificate takes for the truth: "people", whose answers are adjudicated, or the "owner",
    who then is asked alone about all that it rests on.
    """

    precision: float = 0.95
    recall: float = 0.90
    delta: float = 0.05
    answers: int | None = None
    method: str = "cascade"
    truth: str = "people"


@dataclass(frozen=True, slots=True)
class Question:
    """One wording of a category's question. Votes keep the version they answered."""

    version: int
    text: str
    instructions: str = ""
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Category:
    """One yes/no question over a pool of images."""

    name: str
    question: Question
    targets: Targets = field(default_factory=Targets)
    exclusive: str = ""
    created_ms: int = 0


@dataclass(frozen=True, slots=True)
class Label:
    """What is held true of an image for a question, with its source and the purpose it was asked for."""

    row: int
    says: Says
    source: Source
    purpose: Purpose
    version: int
    at_ms: int
    posterior: float = 1.0
    votes: int = 0
    epoch: int = 0
    draw: int = -1


@dataclass(frozen=True, slots=True)
class Gold:
    """A label good enough to check workers by. `shown` and `missed` count good workers' answers on it."""

    row: int
    says: Says
    version: int
    source: Source
    shown: int = 0
    missed: int = 0
    retired: str = ""


# --- asking people ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewAsk:
    """A wish for human answers on an image."""

    row: int
    purpose: Purpose
    votes_wanted: int = 1
    priority: float = 0.0
    epoch: int = 0
    draw: int = -1


@dataclass(frozen=True, slots=True)
class Ask:
    """A stored wish; `task` is the task that carries it, or None while it waits."""

    id: int
    row: int
    version: int
    purpose: Purpose
    votes_wanted: int
    priority: float
    epoch: int
    draw: int
    task: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A numbered, named list of at most 110 asked images; never changes once published.

    `places` is how many workers may take it, `taken` how many hold or have finished it. `owner_only` tasks are dealt
    to the owner alone (adjudication, mining gold).
    """

    number: int
    category: str
    version: int
    name: str
    rows: tuple[int, ...]
    places: int
    taken: int
    done: int
    owner_only: bool
    published_ms: int


OWNER = "owner"
"""The id of the workspace's owner among the workers."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One person: the holder of a personal link. `owner` answers are the truth of the category."""

    id: str
    name: str
    owner: bool
    invite: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class Invite:
    """A link that mints personal links, for one category or (empty) for all."""

    id: str
    category: str
    note: str
    created_ms: int
    revoked_ms: int = 0


class Stage(enum.StrEnum):
    """Where an assignment stands."""

    LEASED = "leased"
    SENT = "sent"
    ACCEPTED = "accepted"
    WEIGHTED = "weighted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Dealt:
    """One place in an assignment: the image, and the ask it serves, or None where it is gold."""

    row: int
    ask: int | None


@dataclass(frozen=True, slots=True)
class Given:
    """One answer as the page sends it: by position, with its times."""

    position: int
    says: Says
    first_seconds: float
    seconds: float
    changes: int = 0
    visits: int = 1
    hidden_seconds: float = 0.0
    ready: bool = True


@dataclass(frozen=True, slots=True)
class Review:
    """What the gate decided about an assignment, and why, in words the worker may read."""

    verdict: Stage
    why: str
    at_ms: int
    yes_right: int = 0
    yes_shown: int = 0
    no_right: int = 0
    no_shown: int = 0
    weight: float = 1.0
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """One worker's pass over one task, held under a lease that expires.

    `dealt` is empty until the gold is drawn; `answers` are empty until it is sent and immutable after.
    """

    id: str
    task: int
    category: str
    version: int
    worker: str
    stage: Stage
    dealt: tuple[Dealt, ...]
    dealt_ms: int
    lease_until_ms: int
    sent_ms: int = 0
    answers: tuple[Given, ...] = ()
    review: Review | None = None
    drafts_erased: int = 0


@dataclass(frozen=True, slots=True)
class Vote:
    """One valid answer on an asked image: what the consensus is made of."""

    row: int
    worker: str
    says: Says
    purpose: Purpose
    assignment: str
    weight: float
    at_ms: int
    epoch: int = 0
    draw: int = -1


# --- learning ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A score at or above `upper` is a yes, below `lower` a no, between them unknown."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Counts:
    """Yes, no and unknown of a pool after a round."""

    yes: int = 0
    no: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Round:
    """One training of the head and one scoring of the pool; `column` holds the scores."""

    number: int
    category: str
    version: int
    backbone: str
    column: str
    thresholds: Thresholds
    counts: Counts
    labels_yes: int
    labels_no: int
    measures: Mapping[str, float]
    head: str
    at_ms: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Release:
    """A frozen, exported version of a category."""

    id: str
    category: str
    version: int
    round: int
    path: str
    images: int
    certificate: Mapping[str, object]
    at_ms: int


# --- running ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Job:
    """A separate process with a record, which outlives the page and the server."""

    id: str
    kind: str
    category: str
    arguments: Mapping[str, object]
    state: str
    host: str
    pid: int
    created_ms: int
    heartbeat_ms: int
    done: int = 0
    total: int = 0
    cancel: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long step is: `done` of `total` (0 when unknown) `unit`s of `stage`."""

    stage: str
    done: int
    total: int
    unit: str = "images"
