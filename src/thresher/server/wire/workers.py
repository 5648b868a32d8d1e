"""Workers in the console."""

from thresher.server.wire.base import Wire


class WorkerWire(Wire):
    """A worker over all their assignments. `seconds` is their median per picture."""

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
