"""Asking people: asks, tasks, assignments, answers, reviews and votes."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from thresher.records.words import Purpose, Says


@dataclass(frozen=True, slots=True)
class NewAsk:
    """A request for human answers on an image (an ask), before it is stored.

    `votes_seen` is how many votes on the image its asker has read. The ask is stored only while there are no more, and
    no ask on the image is open: else answers that arrived meanwhile would be asked for again. None: stored in any case.
    If the votes wanted are asks of their own, each with `part` 0, 1, ..., they go into differently composed tasks.
    """

    row: int
    purpose: Purpose
    votes_wanted: int = 1
    priority: float = 0.0
    epoch: int = 0
    draw: int = -1
    votes_seen: int | None = None
    part: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """A stored ask; `task` is the task that contains it, or None while it waits."""

    id: int
    row: int
    version: int
    purpose: Purpose
    votes_wanted: int
    priority: float
    epoch: int
    draw: int
    task: int | None = None
    part: int = 0


class TaskKind(enum.StrEnum):
    """How the images of a task are shown: one at a time, or many on one page."""

    SINGLE = "single"
    SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to be published: the ids of its asks, in the order of its images, and the fields of Task.

    `gold` are rows that were to be asked about but are gold: its assignments show them as gold, if there is room.
    """

    name: str
    asks: Sequence[int]
    at_ms: int
    places: int = 1
    owner_only: bool = False
    kind: TaskKind = TaskKind.SINGLE
    gold: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A numbered, named list of at most 110 asked images; never changes once published.

    `places` is how many workers may take it, `taken` how many hold or have finished it. Only the owner gets
    `owner_only` tasks (adjudication, mining gold).
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
    kind: TaskKind = TaskKind.SINGLE
    gold: tuple[int, ...] = ()


OWNER = "owner"
"""The id of the workspace's owner among the workers."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One annotator: the holder of a personal link. `owner` marks the owner, whose answers count as true.

    `address` is a keyed hash of the network address at which they joined. Since `waits_ms` they wait for the owner, who
    last let them go on at `cleared_ms`; since `excluded_ms` they are excluded, for the reason that they are told. The
    times are 0 where that is not so.
    """

    id: str
    name: str
    owner: bool
    invite: str
    created_ms: int
    address: str = ""
    waits_ms: int = 0
    cleared_ms: int = 0
    excluded_ms: int = 0
    excluded_why: str = ""


@dataclass(frozen=True, slots=True)
class Invite:
    """A link that gives each person who opens it a personal link, for one category or (empty) for all."""

    id: str
    category: str
    note: str
    created_ms: int
    revoked_ms: int = 0


class Stage(enum.StrEnum):
    """The state of an assignment."""

    LEASED = "leased"
    SENT = "sent"
    ACCEPTED = "accepted"
    WEIGHTED = "weighted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Dealt:
    """One position of an assignment: the image, and the ask it serves, or None for gold."""

    row: int
    ask: int | None


@dataclass(frozen=True, slots=True)
class Given:
    """One answer as the page sends it: by position, with its times.

    `at_ms` is when it was given: of two answers to one picture the later one holds. 0 is an answer without a time.
    """

    position: int
    says: Says
    first_seconds: float
    seconds: float
    changes: int = 0
    visits: int = 1
    hidden_seconds: float = 0.0
    ready: bool = True
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Review:
    """The gate's decision on an assignment, with the reason in words the worker may read."""

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

    `dealt` is empty until the gold is drawn; `answers` are empty until it is sent and never change afterwards.
    `reserved` is how many answers it may still bring: 0 once it was sent, given back or its lease has ended.
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
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class Vote:
    """One valid answer on an asked image; consensus is computed from votes."""

    row: int
    worker: str
    says: Says
    purpose: Purpose
    assignment: str
    weight: float
    at_ms: int
    epoch: int = 0
    draw: int = -1
