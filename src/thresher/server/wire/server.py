"""The server itself: the problem that stands for every error, and its health."""

from typing import Literal

from thresher.server.wire.base import Wire


class Problem(Wire):
    """An error (RFC 9457): what happened, where, and the next step."""

    type: str
    title: str
    status: int
    detail: str
    where: str = ""
    next: str = ""


class Health(Wire):
    """The server answers."""

    status: Literal["ok"]
    version: str
