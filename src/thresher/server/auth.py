"""Who sent a request: a Bearer token for the console, for a worker, or for one assignment.

Without a valid token a request has no rights (DESIGN.md section 4.12). There are no cookies, so a foreign page cannot
send requests with a user's rights. Signatures and the console's token are compared in constant time.
"""

import hashlib
import hmac
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from thresher.errors import Denied, NotFound
from thresher.records import Assignment, Worker
from thresher.server.desk import TheDesk
from thresher.settings import Settings
from thresher.store.contract import Store

Console = HTTPBearer(scheme_name="console", auto_error=False, description="The token in the link that serve prints.")
Personal = HTTPBearer(scheme_name="worker", auto_error=False, description="The token of a personal link.")
OneAssignment = HTTPBearer(scheme_name="assignment", auto_error=False, description="The token of one assignment.")

Sent = HTTPAuthorizationCredentials | None


def console_token(store: Store, settings: Settings) -> str:
    """The console's token: the setting, or one derived from the workspace's secret, so that it stays the same."""
    if settings.token:
        return settings.token
    return hmac.new(store.secret(), b"thresher/console", hashlib.sha256).hexdigest()


def console_link(base_url: str, store: Store, settings: Settings) -> str:
    """The link that opens the console, as `serve` prints it; the page removes the token from the address bar."""
    return f"{base_url}/?token={quote(console_token(store, settings), safe='')}"


def is_console(authorization: str, token: str) -> bool:
    """Whether an Authorization header contains the console's token."""
    scheme, _, sent = authorization.partition(" ")
    # as bytes: compare_digest refuses texts beyond ASCII, which a header may carry
    return scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode("utf-8"), token.encode("utf-8"))


async def console_only(desk: TheDesk, sent: Annotated[Sent, Depends(Console)]) -> None:
    """Accept requests with the console's token only. Raises Denied."""
    if sent is None or not is_console(f"{sent.scheme} {sent.credentials}", desk.console_token):
        raise Denied(
            "the console's token is missing or wrong.",
            next="open the link that `thresher serve` printed when it started",
        )


def worker_of(desk: TheDesk, sent: Annotated[Sent, Depends(Personal)]) -> Worker:
    """The worker of the personal token in the request. Raises Denied."""
    if sent is None:
        raise Denied("no personal token was sent.", next="open your personal link")
    try:
        return desk.store.people.get(desk.links.read_worker(sent.credentials))
    except NotFound as error:
        raise Denied("this personal link is not known here.", next="ask for a new invite") from error


def assignment_of(desk: TheDesk, sent: Annotated[Sent, Depends(OneAssignment)]) -> Assignment:
    """The assignment of the token in the request, in any state. Raises Denied."""
    if sent is None:
        raise Denied("no assignment token was sent.", next="open your personal link")
    try:
        return desk.store.work.get(desk.links.read_assignment(sent.credentials))
    except NotFound as error:
        raise Denied("this assignment is not known here.", next="open your personal link") from error


TheWorker = Annotated[Worker, Depends(worker_of)]
TheAssignment = Annotated[Assignment, Depends(assignment_of)]
