"""Tasks in the console, and the owner's link to theirs."""

from typing import Annotated

from pydantic import Field

from thresher.server.wire.base import Wire


class OwnerLink(Wire):
    """The owner's personal link, which opens the owner's tasks."""

    link: str


class Upload(Wire):
    """A list of images to ask about as a named task: SHA-256, file name or URL, one per entry."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    images: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(min_length=1, max_length=100_000)]


class Uploaded(Wire):
    """The result of an uploaded list: the tasks made, and the names not in the pool (at most 100 are listed)."""

    tasks: list[int]
    images: int
    unknown: int
    unknown_names: list[str]


class TaskWire(Wire):
    """A task and its progress."""

    number: int
    name: str
    images: int
    places: int
    taken: int
    done: int
    owner_only: bool
    published_ms: int
