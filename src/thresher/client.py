"""A small Python client of a thresher server, with the functions of its web pages.

Answers are the types of the HTTP API; an error of the server is raised here as the same error. Every call is a separate
request, so a client may be shared between threads.
"""

import http.client
from collections.abc import Sequence
from typing import Self, TypeVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from pydantic import TypeAdapter, ValidationError

from thresher.errors import BadInput, NotReady, ThresherError
from thresher.records import Decision
from thresher.server.wire import (
    CategoryWire,
    Deal,
    Drafts,
    Entry,
    Exclusion,
    Health,
    InviteWire,
    JobWire,
    Join,
    Joined,
    Kept,
    Me,
    NewCategory,
    NewInvite,
    OwnerLink,
    Pictures,
    Problem,
    Refusals,
    Reword,
    RoundWire,
    Send,
    Sent,
    TaskWire,
    Upload,
    Uploaded,
    Wire,
    WordingWire,
    Work,
    WorkerWire,
)

W = TypeVar("W", bound=Wire)
SCHEMES = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}


class Client:
    """A server at `url`, called with one Bearer token.

    Every call raises the error that the server returned, or NotReady when no server answers there.
    """

    def __init__(self, url: str, token: str = "", *, timeout_seconds: float = 60.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise BadInput(f"{url!r} is not a server address.", next="give one such as http://127.0.0.1:8765")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._parts = parts
        self._token = token
        self._timeout_seconds = timeout_seconds

    def health(self) -> Health:
        """Check that the server answers; returns its version."""
        return self._one(Health, "GET", "/healthz")

    def ready(self) -> Health:
        """Check that the server and its store answer."""
        return self._one(Health, "GET", "/readyz")

    def data(self, path: str) -> bytes:
        """The bytes of an image or thumbnail, by the address that the server returned for it."""
        return self._raw("GET", path)

    def _one(self, shape: type[W], method: str, path: str, body: Wire | None = None, *, token: str | None = None) -> W:
        return shape.model_validate_json(self._raw(method, path, body, token=token))

    def _many(self, shape: type[W], path: str) -> list[W]:
        return TypeAdapter(list[shape]).validate_json(self._raw("GET", path))  # type: ignore[valid-type]  # -- a list of what was asked for

    def _raw(self, method: str, path: str, body: Wire | None = None, *, token: str | None = None) -> bytes:
        headers = {"Accept": "application/json"}
        if bearer := self._token if token is None else token:
            headers["Authorization"] = f"Bearer {bearer}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        netloc = self._parts.netloc.rpartition("@")[2]
        connection = SCHEMES[self._parts.scheme](netloc, timeout=self._timeout_seconds)
        try:
            text = None if body is None else body.model_dump_json().encode()
            connection.request(method, self._parts.path.rstrip("/") + path, text, headers)
            answer = connection.getresponse()
            data: bytes = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise NotReady(
                f"no server answers ({error or type(error).__name__}).", where=self.url, next="thresher serve"
            ) from error
        finally:
            connection.close()
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise _refusal(data, answer.status, self.url)
        return data


class Console(Client):
    """The console API; `token` is the one in the link that `thresher serve` prints."""

    @classmethod
    def from_link(cls, link: str) -> Self:
        """The console behind a link like http://127.0.0.1:8765/?token=..."""
        parts = urlsplit(link)
        return cls(f"{parts.scheme}://{parts.netloc}{parts.path}", parse_qs(parts.query).get("token", [""])[0])

    def categories(self) -> list[CategoryWire]:
        """Every category with its state."""
        return self._many(CategoryWire, "/api/console/categories")

    def category(self, name: str) -> CategoryWire:
        """One category with its state."""
        return self._one(CategoryWire, "GET", _of(name))

    def add_category(self, category: NewCategory) -> CategoryWire:
        """Add a category."""
        return self._one(CategoryWire, "POST", "/api/console/categories", category)

    def questions(self, name: str) -> list[WordingWire]:
        """Every wording of a category's question, oldest first; the last one is asked now."""
        return self._many(WordingWire, f"{_of(name)}/questions")

    def reword(self, name: str, change: Reword) -> CategoryWire:
        """Change a question; one whose answers would not count any more needs `confirmed`."""
        return self._one(CategoryWire, "POST", f"{_of(name)}/questions", change)

    def pictures(
        self, name: str, *, decision: Decision | None = None, after: int | None = None, limit: int = 60
    ) -> Pictures:
        """A page of the pool by row, of one decision or of all; `after` comes from the previous page."""
        asked = {"decision": decision, "after": after, "limit": limit}
        query = urlencode({word: value for word, value in asked.items() if value is not None})
        return self._one(Pictures, "GET", f"{_of(name)}/pictures?{query}")

    def rounds(self, name: str) -> list[RoundWire]:
        """Every round, oldest first."""
        return self._many(RoundWire, f"{_of(name)}/rounds")

    def refusals(self, name: str, *, after: int = 0, limit: int = 100) -> Refusals:
        """The harvested files that were refused."""
        return self._one(Refusals, "GET", f"{_of(name)}/refusals?after={after}&limit={limit}")

    def workers(self, name: str = "") -> list[WorkerWire]:
        """The workers of a category, or all of them."""
        return self._many(WorkerWire, f"{_of(name)}/workers" if name else "/api/console/workers")

    def invites(self) -> list[InviteWire]:
        """Every invite, newest first."""
        return self._many(InviteWire, "/api/console/invites")

    def add_invite(self, category: str = "", note: str = "") -> InviteWire:
        """Make an invite, for one category or for all."""
        return self._one(InviteWire, "POST", "/api/console/invites", NewInvite(category=category, note=note))

    def revoke_invite(self, invite: str) -> None:
        """Close an invite: nobody joins by it, and those who did get no more tasks."""
        self._raw("DELETE", f"/api/console/invites/{quote(invite, safe='')}")

    def exclude_worker(self, worker: str, why: str) -> None:
        """Exclude a worker for a reason, which they read."""
        self._raw("POST", f"/api/console/workers/{quote(worker, safe='')}/exclude", Exclusion(why=why))

    def admit_worker(self, worker: str) -> None:
        """Let a worker go on who was excluded, waits, or came by a closed invite."""
        self._raw("POST", f"/api/console/workers/{quote(worker, safe='')}/admit")

    def owner_link(self, name: str) -> str:
        """The owner's personal link; if the owner has no task yet, a first one that mines gold is made."""
        return self._one(OwnerLink, "POST", f"{_of(name)}/owner-link").link

    def tasks(self, name: str, *, after: int = 0, limit: int = 200) -> list[TaskWire]:
        """The tasks with a number above `after`."""
        return self._many(TaskWire, f"{_of(name)}/tasks?after={after}&limit={limit}")

    def upload_task(self, name: str, task: str, images: Sequence[str]) -> Uploaded:
        """Ask about a list of images, by SHA-256, file name or URL, as a named task."""
        return self._one(Uploaded, "POST", f"{_of(name)}/tasks", Upload(name=task, images=list(images)))

    def jobs(self, limit: int = 100) -> list[JobWire]:
        """The newest jobs first."""
        return self._many(JobWire, f"/api/console/jobs?limit={limit}")

    def cancel_job(self, job: str) -> JobWire:
        """Ask a job to stop."""
        return self._one(JobWire, "POST", f"/api/console/jobs/{quote(job, safe='')}/cancel")


class WorkerClient(Client):
    """The worker API; `token` is a worker's personal one, and each assignment has a token of its own."""

    @classmethod
    def from_link(cls, link: str) -> Self:
        """The worker of a personal link, like http://127.0.0.1:8765/work#t=..."""
        parts = urlsplit(link)
        path = parts.path.removesuffix("/work")
        return cls(f"{parts.scheme}://{parts.netloc}{path}", parse_qs(parts.fragment).get("t", [""])[0])

    @classmethod
    def join(cls, link: str, name: str = "") -> Self:
        """A new worker from an invite's link, like http://127.0.0.1:8765/join/..."""
        url, _, invite = link.rpartition("/join/")
        joined = cls(url)._one(Joined, "POST", "/api/work/join", Join(invite=invite, name=name))
        return cls(url, joined.token)

    @property
    def token(self) -> str:
        """The personal token: the worker's account."""
        return self._token

    def me(self) -> Me:
        """The work on offer, and the results of the work sent so far."""
        return self._one(Me, "GET", "/api/work/me")

    def deal(self, category: str) -> Work | None:
        """Take an assignment, or continue the unfinished one; None when there is nothing to do."""
        data = self._raw("POST", "/api/work/assignments", Deal(category=category))
        return Work.model_validate_json(data) if data else None

    def reopen(self, assignment: str) -> Work:
        """An assignment by its token, with the drafts stored so far."""
        return self._one(Work, "GET", "/api/work/assignment", token=assignment)

    def keep_drafts(self, assignment: str, sequence: int, entries: Sequence[Entry]) -> Kept:
        """Store answers that may still change."""
        drafts = Drafts(sequence=sequence, entries=list(entries))
        return self._one(Kept, "PUT", "/api/work/drafts", drafts, token=assignment)

    def send(self, assignment: str, entries: Sequence[Entry]) -> Sent:
        """Send the whole assignment; repeating it is safe."""
        return self._one(Sent, "POST", "/api/work/send", Send(entries=list(entries)), token=assignment)

    def give_back(self, assignment: str) -> None:
        """Give an assignment back."""
        self._raw("POST", "/api/work/return", token=assignment)


def _of(name: str) -> str:
    return f"/api/console/categories/{quote(name, safe='')}"


def _refusal(data: bytes, status: int, url: str) -> ThresherError:
    """The error that a server's answer stands for."""
    try:
        told = Problem.model_validate_json(data)
    except ValidationError:
        return NotReady(
            f"the server answered {status}, and the answer is not from thresher.", where=url, next="check the address"
        )
    kind = told.type.rpartition(":")[2]
    error = _kinds().get(kind, ThresherError)(told.detail, where=told.where, next=told.next)
    error.status, error.kind = told.status, kind
    return error


def _kinds() -> dict[str, type[ThresherError]]:
    """Every error class with only the fields what, where and next, by its kind."""
    found, waiting = {}, [ThresherError]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        if error.__init__ is ThresherError.__init__:
            found[error.kind] = error
    return found
