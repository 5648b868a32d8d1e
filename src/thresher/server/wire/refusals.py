"""Refusals in the console: the pictures that harvest did not admit."""

from thresher.server.wire.base import Wire


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
