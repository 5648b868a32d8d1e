"""Rounds in the console."""

from thresher.server.wire.base import Wire


class RoundWire(Wire):
    """One round: its training labels, and its decisions on the pool.

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
