"""Running: jobs, servers and progress."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """A separate process with a record, which outlives the page and the server.

    `process` is the name of the one that runs it (compute/process.py), "" before it has begun.
    """

    id: str
    kind: str
    category: str
    arguments: Mapping[str, object]
    state: str
    host: str
    pid: int
    created_ms: int
    heartbeat_ms: int
    done: int = 0
    total: int = 0
    cancel: bool = False
    message: str = ""
    process: str = ""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server of the workspace: the `url` at which people reach it, and the process that keeps its record fresh."""

    id: str
    url: str
    host: str
    pid: int
    started_ms: int
    heartbeat_ms: int


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a long step: `done` of `total` (0 when unknown) `unit`s of `stage`."""

    stage: str
    done: int
    total: int
    unit: str = "images"
