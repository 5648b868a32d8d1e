"""Workers in the console."""

from typing import Annotated, Literal

from pydantic import Field

from thresher.server.wire.base import Wire


class WorkerWire(Wire):
    """A worker over all their assignments. `seconds` is their median per picture.

    `standing` says whether they get work: free, waiting for the owner after rejections, excluded (`excluded_why`), or
    come by an invite that was closed. `same_device` is how many others were seen at a device of theirs and count as the
    same person; `same_address` is how many others joined from the same network address, as families do.
    `provisional` assignments are not judged for good: not paid automatically, and judged again when more is known.
    """

    id: str
    name: str
    owner: bool
    joined_ms: int
    assignments: int
    accepted: int
    weighted: int
    rejected: int
    provisional: int
    answers: int
    gold_right: int
    gold_shown: int
    seconds: float | None
    standing: Literal["free", "waiting", "excluded", "closed"]
    excluded_why: str
    same_device: int
    same_address: int


class Exclusion(Wire):
    """Exclude a worker. The worker reads the reason."""

    why: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
