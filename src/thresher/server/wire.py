"""The shapes on the wire. Python owns them: they make the OpenAPI page, which makes the pages' TypeScript."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from thresher.records import Decision, Says

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class Wire(BaseModel):
    """What crosses the wire is frozen, and nothing unknown is let in."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(Wire):
    """An error (RFC 9457): what happened, where, and the next step."""

    type: str
    title: str
    status: int
    detail: str
    where: str = ""
    next: str = ""


# --- the worker API: /api/work ----------------------------------------------------------------------------------------


class Join(Wire):
    """Turn an invite into a personal link. `name` is what the worker wants to be called; it may be empty."""

    invite: Annotated[str, Field(max_length=512)]
    name: Annotated[str, Field(max_length=80)] = ""


class Joined(Wire):
    """The personal link, to be kept: it is the worker's account. `token` goes into the Authorization header."""

    token: str
    link: str


class Offer(Wire):
    """A category with work for this worker."""

    category: str
    question: str
    images: int
    unfinished: bool


class Past(Wire):
    """One assignment of the past: how it went and why."""

    category: str
    sent_at_ms: int
    images: int
    verdict: Literal["waiting", "accepted", "weighted", "rejected"]
    why: str


class Me(Wire):
    """A worker's own view: what there is to do and what became of what they did."""

    name: str
    owner: bool
    offers: list[Offer]
    past: list[Past]


class Deal(Wire):
    """Ask for an assignment of a category."""

    category: Name


class Example(Wire):
    """A picture whose answer is known, shown in the explanation."""

    picture: str
    says: Says


class Entry(Wire):
    """One answer of an assignment, by position."""

    position: Annotated[int, Field(ge=0, le=1000)]
    says: Says
    first_seconds: Seconds
    seconds: Seconds
    changes: Annotated[int, Field(ge=0, le=10_000)] = 0
    visits: Annotated[int, Field(ge=1, le=10_000)] = 1
    hidden_seconds: Seconds = 0.0
    ready: bool = True


class Work(Wire):
    """An assignment as its worker sees it: nothing tells gold from asked or one purpose from another.

    `pictures` are URLs relative to the server's root, one a position; they hold as long as the lease.
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


class Drafts(Wire):
    """Answers that may still change. `sequence` grows with each post; an older one is ignored."""

    sequence: Annotated[int, Field(ge=0, le=2**53 - 1)]
    entries: Annotated[list[Entry], Field(max_length=400)]


class Kept(Wire):
    """What the server holds of the drafts."""

    sequence: int
    entries: int
    lease_until_ms: int


class Send(Wire):
    """The whole assignment: every position once."""

    entries: Annotated[list[Entry], Field(max_length=400)]


class Sent(Wire):
    """The receipt of a sent assignment, and what the gate said if it has."""

    receipt: str
    verdict: Literal["waiting", "accepted", "weighted", "rejected"]
    why: str
    more: bool


# --- the console API: /api/console ------------------------------------------------------------------------------------


class TargetsWire(Wire):
    """What the owner wants of the set and what it may cost in answers (None for no cap)."""

    precision: Annotated[float, Field(gt=0, le=1)] = 0.95
    recall: Annotated[float, Field(gt=0, le=1)] = 0.90
    delta: Annotated[float, Field(gt=0, lt=1)] = 0.05
    answers: Annotated[int, Field(ge=1)] | None = None
    method: str = "cascade"
    truth: Literal["people", "owner"] = "people"


class NewCategory(Wire):
    """A category to add."""

    name: Name
    question: Annotated[str, Field(min_length=3, max_length=500)]
    instructions: Annotated[str, Field(max_length=5000)] = ""
    targets: TargetsWire = TargetsWire()


class RoundWire(Wire):
    """One round: what it learned from and what it made of the pool.

    A score at or above `upper` is a yes, below `lower` a no; None where no score is high or low enough.
    """

    number: int
    at_ms: int
    seconds: float
    backbone: str
    labels_yes: int
    labels_no: int
    yes: int
    no: int
    unknown: int
    lower: float | None
    upper: float | None
    measures: dict[str, float]


class CategoryWire(Wire):
    """A category's state: what is, what it waits for, what it has cost."""

    name: str
    question: str
    version: int
    instructions: str
    targets: TargetsWire
    images: int
    refused: int
    yes: int
    no: int
    unknown: int
    labels: dict[str, int]
    gold_yes: int
    gold_no: int
    asks_open: dict[str, int]
    answers: int
    gold_answers: int
    owner_answers: int
    tasks_open: int
    assignments: dict[str, int]
    rounds: int
    waits_for: str
    loop_running: bool


class RangeWire(Wire):
    """A number that is expected, and what it lies between in four cases of five."""

    low: float
    expected: float
    high: float


class PlanWire(Wire):
    """What a promise will cost from here, before anybody is paid.

    `pictures` to ask about, `answers` on them and on gold, `hours` of people, `dollars` with the fee. No method needs
    fewer than `floor` pictures. `certified` is the share of simulated runs that ended in a certificate, `delivered` the
    pictures then released: None before there are scores. `advice` may be empty; `words` tell it all.
    """

    method: str
    pictures: RangeWire
    answers: RangeWire
    hours: RangeWire
    dollars: RangeWire
    floor: int
    prevalence: float
    certified: float | None
    delivered: int | None
    advice: str
    words: list[str]


class Picture(Wire):
    """One image of a pool with what is known of it. `thumbnail` is a URL relative to the server's root."""

    row: int
    sha256: str
    file: str
    width: int
    height: int
    thumbnail: str
    decision: Decision | None
    score: float | None
    label: Says | None
    source: str | None


class Pictures(Wire):
    """A page of images; `after` asks for the next, None at the end."""

    pictures: list[Picture]
    after: int | None


class RefusalWire(Wire):
    """A candidate that was not admitted."""

    name: str
    reason: str
    detail: str
    at_ms: int


class Refusals(Wire):
    """Refusals: the counts by reason and a page of the list."""

    counts: dict[str, int]
    refusals: list[RefusalWire]
    after: int | None


class WorkerWire(Wire):
    """A worker over all their assignments. Seconds are the median a picture."""

    id: str
    name: str
    owner: bool
    joined_ms: int
    assignments: int
    accepted: int
    weighted: int
    rejected: int
    answers: int
    gold_right: int
    gold_shown: int
    seconds: float | None


class NewInvite(Wire):
    """An invite to make, for one category or (empty) for all."""

    category: Annotated[str, Field(max_length=64)] = ""
    note: Annotated[str, Field(max_length=200)] = ""


class InviteWire(Wire):
    """An invite; `link` mints a personal link for each person who opens it."""

    id: str
    category: str
    note: str
    link: str
    created_ms: int
    revoked: bool


class OwnerLink(Wire):
    """The owner's own personal link to a first or adjudicating task."""

    link: str


class Upload(Wire):
    """A list of images to ask about as a named task: SHA-256 or file name or URL, one an entry."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    images: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(min_length=1, max_length=100_000)]


class Uploaded(Wire):
    """What became of an uploaded list: the tasks made and the names nobody has (at most 100 are listed)."""

    tasks: list[int]
    images: int
    unknown: int
    unknown_names: list[str]


class TaskWire(Wire):
    """A task and how far it is."""

    number: int
    name: str
    images: int
    places: int
    taken: int
    done: int
    owner_only: bool
    published_ms: int


class JobWire(Wire):
    """A job and how far it is."""

    id: str
    kind: str
    category: str
    state: str
    done: int
    total: int
    message: str
    created_ms: int
    heartbeat_ms: int


class Health(Wire):
    """The server answers."""

    status: Literal["ok"]
    version: str
