"""Jobs in the console."""

from thresher.server.wire.base import Wire


class JobWire(Wire):
    """A job and its progress."""

    id: str
    kind: str
    category: str
    state: str
    done: int
    total: int
    message: str
    created_ms: int
    heartbeat_ms: int
