"""The worker API: /api/work."""

from typing import Annotated, Literal

from pydantic import Field

from thresher.records import Says
from thresher.server.wire.base import Name, Wire

Mark = Annotated[str, Field(max_length=512)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class Join(Wire):
    """Turn an invite into a personal link. `name` is what the worker wants to be called; it may be empty.

    `device` is the mark that this device was given before, if it keeps one.
    """

    invite: Annotated[str, Field(max_length=512)]
    name: Annotated[str, Field(max_length=80)] = ""
    device: Mark = ""


class Joined(Wire):
    """The personal link, to be kept: it is the worker's account. `token` goes into the Authorization header.

    `device` is a random mark for the device to keep and to send, by which two people at one device count as one.
    """

    token: str
    link: str
    device: str


class Offer(Wire):
    """A category with work for this worker."""

    category: str
    question: str
    images: int
    unfinished: bool


class Past(Wire):
    """A sent assignment: its verdict, and the reason."""

    category: str
    sent_at_ms: int
    images: int
    verdict: Literal["waiting", "accepted", "weighted", "rejected"]
    why: str


class Me(Wire):
    """A worker's own view: the tasks they can take, and the assignments they have sent.

    `notice` is said to a worker who gets no tasks, or to whom no more will be given: why, and what becomes of what they
    have sent.
    """

    name: str
    notice: str
    owner: bool
    offers: list[Offer]
    past: list[Past]


class Deal(Wire):
    """Ask for an assignment of a category. `device` is the mark that this device keeps, if it has one."""

    category: Name
    device: Mark = ""


class Example(Wire):
    """A picture whose answer is known, shown in the explanation."""

    picture: str
    says: Says


class Entry(Wire):
    """One answer of an assignment, by position.

    `at_ms` is when it was given, by the server's clock: of two answers to a picture the later one holds. 0: not known.
    """

    position: Annotated[int, Field(ge=0, le=1000)]
    says: Says
    first_seconds: Seconds
    seconds: Seconds
    changes: Annotated[int, Field(ge=0, le=10_000)] = 0
    visits: Annotated[int, Field(ge=1, le=10_000)] = 1
    hidden_seconds: Seconds = 0.0
    ready: bool = True
    at_ms: Annotated[int, Field(ge=0, le=2**53 - 1)] = 0


class Work(Wire):
    """An assignment as its worker sees it: nothing shows which pictures are gold, or why the others are asked.

    `pictures` are URLs relative to the server's root, one a position; they hold as long as the lease. `device` is the
    mark for the device to keep, when the assignment is taken.
    """

    token: str
    category: str
    question: str
    instructions: str
    examples: list[Example]
    pictures: list[str]
    entries: list[Entry]
    sequence: int
    lease_until_ms: int
    now_ms: int
    device: str = ""


class Drafts(Wire):
    """Answers that may still change. `sequence` is one more than that of the last reply.

    Posts of several devices are merged by `at_ms`, picture by picture. Answers without a time are ignored in a post
    that is older than the last one.
    """

    sequence: Annotated[int, Field(ge=0, le=2**53 - 1)]
    entries: Annotated[list[Entry], Field(max_length=400)]


class Kept(Wire):
    """How many drafts the server holds.

    If another device posted in between, `sequence` is another one than that of the post, and `others` are all drafts
    with the times by which they were merged.
    """

    sequence: int
    entries: int
    others: list[Entry]
    lease_until_ms: int


class Send(Wire):
    """The whole assignment: every position once."""

    entries: Annotated[list[Entry], Field(max_length=400)]


class Sent(Wire):
    """The receipt of a sent assignment, with the gate's verdict once there is one.

    `others` is how many of its answers another device gave later than the sender knew; those were taken.
    """

    receipt: str
    others: int
    verdict: Literal["waiting", "accepted", "weighted", "rejected"]
    why: str
    more: bool
