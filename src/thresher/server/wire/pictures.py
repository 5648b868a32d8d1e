"""The pictures of a pool in the console."""

from thresher.records import Decision, Says
from thresher.server.wire.base import Wire


class Picture(Wire):
    """One image of a pool with what is known of it. `thumbnail` is a URL relative to the server's root.

    `inherited` tells that it was decided as a copy of it was, and was not shown to anybody itself.
    """

    row: int
    sha256: str
    file: str
    width: int
    height: int
    thumbnail: str
    decision: Decision | None
    inherited: bool
    score: float | None
    label: Says | None
    source: str | None


class Pictures(Wire):
    """A page of images; `after` asks for the next, None at the end."""

    pictures: list[Picture]
    after: int | None
