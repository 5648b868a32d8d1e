"""Before every route: HEAD answered as GET, known hosts, limits on bodies, strict headers for browsers.

Pure ASGI. Starlette has a host check and a body limit of its own, but those answer plain text; ours answer problems.
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thresher.server.presence import LOOPBACK
from thresher.server.problems import problem, unexpected
from thresher.settings import Settings

BODY_BYTES = 200_000  # four times the longest assignment; bodies are read before anybody is asked who they are
UPLOAD_BYTES = 16_000_000
DISCARDED_BYTES = 64_000_000
DISCARD_SECONDS = 5.0
BODY_SECONDS = 60.0  # a whole body; a phone on a bad line sends 200 kB in that time
UPLOAD_SECONDS = 600.0
PIECE_SECONDS = 15.0  # from one piece of a body to the next
HANG_UP = {"Connection": "close"}  # after the answer, because the client may still be sending

# for every answer without headers of its own: no loading, framing, sniffing, caching or referrer
STRICT = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class AnswersHead:
    """Answers HEAD as GET, with the same status and headers, and without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the application for a GET, and send no byte of the body."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def bare(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self.app({**scope, "method": "GET"}, receive, bare)


class Unexpected:
    """Answers any unhandled error with a problem, and never with a stack trace."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, and answer an unhandled error with a problem unless an answer has begun."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception:
            if scope["type"] != "http" or begun:
                raise
            # the route's pattern, never the path: paths carry capability keys, which are not logged
            route = getattr(scope.get("route"), "path", "an unknown route")
            await unexpected(scope["method"], route)(scope, receive, send)


class StrictHeaders:
    """Adds strict security headers to every answer, unless its route set others."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the missing headers to the first message of the answer."""

        async def stricter(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in STRICT.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, stricter if scope["type"] == "http" else send)


class KnownHosts:
    """Refuses requests for other hosts: a foreign name may have been rebound to our address (DNS rebinding)."""

    def __init__(self, app: ASGIApp, known: Callable[[str], bool]) -> None:
        self.app = app
        self.known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a Host header that names another host."""
        if scope["type"] == "http" and not self.known(host_of(Headers(scope=scope).get("host", ""))):
            refusal = problem(
                403,
                "unknown-host",
                "this server does not serve the host name in the request.",
                where="Host header",
                following="set public_url to the address at which people reach this server",
            )
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)


class BoundedBody:
    """Limits the size of a body per route, whether its length is announced or not, and the time it may take.

    A route's body is read before its dependencies check tokens, so a long one is accepted only with `trusted` headers.
    """

    def __init__(self, app: ASGIApp, trusted: Callable[[Headers], bool]) -> None:
        self.app = app
        self.trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse an announced length that is too long at once, and an unannounced one when it reaches the limit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        lists = takes_lists(scope["path"])
        most = UPLOAD_BYTES if lists and self.trusted(headers) else BODY_BYTES
        announced = headers.get("content-length", "0")
        if not announced.isdigit() or int(announced) > most:
            if announced.isdigit() and int(announced) <= DISCARDED_BYTES:
                await discard(receive)
            await (_unknown_sender() if lists and most < UPLOAD_BYTES else _too_large(most))(scope, receive, send)
            return
        seen, whole = 0, False
        until = asyncio.get_running_loop().time() + (BODY_SECONDS if most == BODY_BYTES else UPLOAD_SECONDS)

        async def bounded() -> Message:
            nonlocal seen, whole
            if whole:  # what comes now is the end of the connection, and that may take its time
                return await receive()
            try:
                left = until - asyncio.get_running_loop().time()
                message = await asyncio.wait_for(receive(), min(left, PIECE_SECONDS))
            except TimeoutError as error:
                raise HTTPException(408, headers=HANG_UP) from error
            whole = not message.get("more_body", False)
            seen += len(message.get("body", b""))
            if seen > most:
                await discard(receive)
                # an HTTPException, because the framework reads any other error as a malformed body
                raise HTTPException(413, headers=HANG_UP)
            return message

        await self.app(scope, bounded, send)


def _too_large(most: int) -> Response:
    what = f"this address accepts at most {most:,} bytes."
    return problem(413, "too-large", what, following="send it in smaller parts", headers=HANG_UP)


def _unknown_sender() -> Response:
    return problem(
        401,
        "denied",
        "a long list needs the console's token, which is missing or wrong.",
        following="open the link that `thresher serve` printed when it started",
        headers={**HANG_UP, "WWW-Authenticate": "Bearer"},
    )


async def discard(receive: Receive) -> None:
    """Read and drop the rest of a body, up to a limit of size and time.

    Closing the connection while the client is sending would reset it, and the client would never see the answer.
    """
    left, more = DISCARDED_BYTES, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while more and left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                more = message.get("more_body", False)


def takes_lists(path: str) -> bool:
    """Whether an address accepts a long body: lists of images are long, everything else is short."""
    return path.startswith("/api/console/categories/") and path.endswith("/tasks")


def host_of(header: str) -> str:
    """The host in a Host header, without port and brackets; empty if it is malformed."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def known_hosts(settings: Settings) -> Callable[[str], bool]:
    """The hosts this server answers for: loopback's names, the address it listens on, and that of `public_url`.

    If it listens beyond loopback, any IP address is accepted: a rebinding attack needs a host name.
    """
    names = LOOPBACK | {settings.host.lower(), (urlsplit(settings.public_url).hostname or "localhost").lower()}
    beyond_loopback = settings.host not in LOOPBACK

    def known(host: str) -> bool:
        return host in names or (beyond_loopback and _literal(host))

    return known


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
