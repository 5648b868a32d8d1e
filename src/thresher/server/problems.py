"""Every error leaves the server as application/problem+json (RFC 9457): what happened, where, and the next step."""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from thresher.errors import Denied, ThresherError, TryLater
from thresher.records import new_id
from thresher.server.wire import Problem

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:thresher:"

log = logging.getLogger(__name__)

# the first folder of an absolute path, and its last part; an address of ours has a first part that is no folder here
_PATH = re.compile(r"(?<![\w.:/-])(/[^\s/:'\"<>]+)/(?:[^\s/:'\"<>]+/)*([^\s/:'\"<>,;]*)")

# messages for the framework's own errors: status -> (kind, what, next)
_PLAIN: Mapping[int, tuple[str, str, str]] = {
    400: ("bad-request", "the request cannot be read.", "see /docs"),
    404: ("not-found", "there is nothing at this address.", "see /docs"),
    405: ("method-not-allowed", "this address does not accept that method.", "see /docs"),
    408: ("too-slow", "the request body arrived too slowly.", "send it again"),
    413: ("too-large", "the request body is larger than this address accepts.", "send it in smaller parts"),
}


def problem(
    status: int,
    kind: str,
    what: str,
    *,
    where: str = "",
    following: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem as a response; `what` is made a sentence, because pages show it alone."""
    told = Problem(
        type=TYPE + kind,
        title=kind.replace("-", " ").capitalize(),
        status=status,
        detail=what[:1].upper() + what[1:],
        where=where,
        next=following,
    )
    return Response(told.model_dump_json(), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def unexpected(method: str, route: str) -> Response:
    """The problem for an unhandled error: the log gets the trace, the user an id to find it by."""
    mark = new_id()
    log.exception("unexpected error %s at %s %s", mark, method, route)
    return problem(
        500,
        "unexpected",
        f"the server has an unexpected error; its log has it as {mark}.",
        following="try again; if it happens again, give the owner of this server that id",
    )


def install(app: FastAPI) -> None:
    """Turn every error of `app` into a problem."""
    app.add_exception_handler(ThresherError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _plain)


def without_paths(text: str, place: str = "") -> str:
    """A text without absolute paths of this machine: those inside the workspace at `place` are shown from there.

    Who reads an answer may be anybody, and whoever has the machine finds the file by the rest of its path.
    """
    if "/" not in text:
        return text
    if place and "://" not in place:
        for root in sorted({place.rstrip("/"), str(Path(place).absolute()), str(Path(place).resolve())}, key=len)[::-1]:
            text = text.replace(f"{root}/", "").replace(root, "the workspace")
    return _PATH.sub(lambda path: path[2] if Path(path[1]).is_dir() else path[0], text)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, ThresherError)  # noqa: S101 -- the framework hands over what was registered above
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Denied) else {}
    if isinstance(error, TryLater):
        headers["Retry-After"] = str(max(1, ceil(error.after_seconds)))
    what, where, following = (without_paths(text, _place(request)) for text in (error.what, error.where, error.next))
    return problem(error.status, error.kind, what, where=where, following=following, headers=headers)


def _place(request: Request) -> str:
    desk = getattr(request.app.state, "desk", None)
    return str(desk.store.place) if desk else ""


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 -- see above
    first: Mapping[str, Any] = error.errors()[0]
    place, *path = (str(part) for part in first["loc"])
    what = f"{first['msg']}."
    more = len(error.errors()) - 1
    if more:
        what += f" {more} more such error{'s' if more > 1 else ''}."
    return problem(422, "bad-input", what, where=": ".join([place, ".".join(path)] if path else [place]))


async def _plain(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 -- see above
    fallback = (HTTPStatus(error.status_code).phrase.lower().replace(" ", "-"), str(error.detail), "")
    kind, what, following = _PLAIN.get(error.status_code, fallback)
    return problem(error.status_code, kind, what, following=following, headers=error.headers)
